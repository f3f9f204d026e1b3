use bytes::Bytes;
use proptest::prelude::*;
use tiny_skia::Pixmap;
use twilight_model::{id::Id, util::ImageHash};

use super::{
    Card, Cards, HEIGHT, NoCard, PATIENCE, Portrait, WAITING, WIDTH,
    avatar::AvatarKey,
    draw::{self, NAME},
    text::Typesetter,
};
use crate::settings::values::colour::Colour;

/// A PNG of a single colour.
pub(super) fn png_of(width: u32, height: u32, colour: [u8; 4]) -> Vec<u8> {
    let mut written = Vec::new();
    let mut encoder = png::Encoder::new(&mut written, width, height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().expect("a head");
    let pixels = colour.repeat(usize::try_from(width * height).expect("small"));
    writer.write_image_data(&pixels).expect("a body");
    writer.finish().expect("an end");
    written
}

fn card(name: &str) -> Card {
    Card {
        name: name.to_owned(),
        level: ("Level".to_owned(), "42".to_owned()),
        rank: ("Rank".to_owned(), "#7".to_owned()),
        messages: "12,345 messages".to_owned(),
        xp: "2,310 / 5,555 XP".to_owned(),
        done: 500,
        accent: Colour::new(0x58, 0x65, 0xF2),
        avatar: None,
        disc: Colour::new(0x3B, 0xA5, 0x5D),
    }
}

fn portrait(png: Vec<u8>) -> Portrait {
    Portrait {
        key: AvatarKey {
            guild_id: None,
            user_id: Id::new(1),
            hash: ImageHash::new([3; 16], false),
        },
        png: png.into(),
    }
}

fn drawn(card: &Card) -> Pixmap {
    draw::draw(card, &mut Typesetter::new()).expect("a drawing")
}

fn at(drawing: &Pixmap, x: u32, y: u32) -> Colour {
    let pixel = drawing.pixel(x, y).expect("within").demultiply();
    Colour::new(pixel.red(), pixel.green(), pixel.blue())
}

/// The pixels inside or outside the name's area.
fn pixels(drawing: &Pixmap, in_name: bool) -> Vec<[u8; 4]> {
    let width = i32::from(WIDTH);
    let pixels = drawing.data().as_chunks::<4>().0;
    (0..)
        .zip(pixels)
        .filter(|(at, _)| {
            let (x, y) = (at % width, at / width);
            let inside = (NAME.left..NAME.right).contains(&x) && (NAME.top..NAME.bottom).contains(&y);
            inside == in_name
        })
        .map(|(_, pixel)| *pixel)
        .collect()
}

#[test]
fn a_card_is_a_png_and_the_same_for_the_same_content() {
    let card = card("Ada");
    let png = card.draw().expect("a picture");
    let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info();
    let mut reader = reader.expect("a PNG");
    assert_eq!(reader.info().size(), (u32::from(WIDTH), u32::from(HEIGHT)));
    let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
    reader.next_frame(&mut pixels).expect("whole");
    assert_eq!(pixels[3], 0, "the corner is transparent");
    assert!(png.len() < 150_000, "{}", png.len());
    assert_eq!(card.draw().expect("a picture"), png);
}

#[test]
fn everything_that_is_drawn_is_in_the_digest() {
    let plain = card("Ada");
    let mut digests = vec![plain.digest()];
    let mut changed = |change: fn(&mut Card)| {
        let mut card = plain.clone();
        change(&mut card);
        digests.push(card.digest());
    };
    changed(|card| card.name.push('!'));
    changed(|card| card.level.0.push('!'));
    changed(|card| card.level.1.push('!'));
    changed(|card| card.rank.0.push('!'));
    changed(|card| card.rank.1.push('!'));
    changed(|card| card.messages.push('!'));
    changed(|card| card.xp.push('!'));
    changed(|card| card.done += 1);
    changed(|card| card.accent = Colour::new(0, 0, 0));
    changed(|card| card.disc = Colour::new(0, 0, 0));
    changed(|card| card.avatar = Some(portrait(Vec::new())));
    let all = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), all);
    assert_eq!(plain.clone().digest(), plain.digest());
}

#[test]
fn names_that_are_too_long_stay_in_their_place() {
    let one = |sign: &str| sign.repeat(32);
    for (first, name) in [
        ("W", one("W")),
        ("漢", one("漢")),
        ("﷽", one("﷽")),
        ("👨‍👩‍👧‍👦", one("👨‍👩‍👧‍👦")),
        ("ب", "بسم الله الرحمن الرحيم والحمد لله رب العالمين".to_owned()),
        (
            "Z\u{336}\u{321}\u{317}\u{310}\u{308}\u{344}",
            one("Z\u{336}\u{321}\u{317}\u{310}\u{308}\u{344}"),
        ),
        ("a", "a\nb\tc\u{2028}d\u{202e}e\u{0}f".to_owned()),
        ("\u{13000}", one("\u{13000}")),
    ] {
        let (short, long) = (drawn(&card(first)), drawn(&card(&name)));
        assert!(pixels(&short, false) == pixels(&long, false), "{name}");
        assert!(pixels(&short, true) != pixels(&long, true), "{name}");
    }
}

#[test]
fn the_largest_numbers_fit() {
    let mut huge = card("Ada");
    huge.level.1 = "999".to_owned();
    huge.rank.1 = "#1,000,000,000".to_owned();
    huge.messages = "999,999,999,999 messages".to_owned();
    huge.xp = "999,999,999 / 1,000,000,000 XP".to_owned();
    huge.done = u16::MAX;
    let (drawing, plain) = (drawn(&huge), drawn(&card("Ada")));
    assert!(
        pixels(&drawing, true) == pixels(&plain, true),
        "the name is alone"
    );
    for y in 0..u32::from(HEIGHT) {
        for x in (0..262).chain(904..u32::from(WIDTH)) {
            assert_eq!(drawing.pixel(x, y), plain.pixel(x, y), "{x}, {y}");
        }
    }
}

#[test]
fn the_bar_and_its_colour() {
    let bar = |done: u16, accent: Colour| {
        let mut card = card("Ada");
        (card.done, card.accent) = (done, accent);
        drawn(&card)
    };
    let accent = Colour::new(0xFF, 0x80, 0x40);
    let (none, half, full) = (bar(0, accent), bar(500, accent), bar(1_000, accent));
    let trough = at(&none, 500, 193);
    assert_eq!(at(&none, 880, 193), trough);
    assert!(at(&half, 500, 193) != trough && at(&half, 880, 193) == trough);
    assert!(
        at(&full, 880, 193).contrast(accent) < 1.1,
        "{}",
        at(&full, 880, 193)
    );
    let black = bar(1_000, Colour::new(0, 0, 0));
    assert!(
        at(&black, 880, 193).contrast(draw::GROUND) > 4.0,
        "what could not be seen is made lighter: {}",
        at(&black, 880, 193)
    );
}

#[test]
fn an_avatar_is_round_and_a_broken_one_is_a_letter() {
    let mut own = card("Ada");
    let letter = drawn(&own);
    assert_eq!(at(&letter, 136, 60), own.disc);
    own.avatar = Some(portrait(png_of(64, 64, [200, 10, 20, 255])));
    let drawing = drawn(&own);
    assert_eq!(at(&drawing, 136, 140), Colour::new(200, 10, 20));
    assert_eq!(
        drawing.pixel(40, 40),
        letter.pixel(40, 40),
        "nothing in the corners"
    );
    let mut cut = png_of(64, 64, [200, 10, 20, 255]);
    cut.truncate(cut.len() - 20);
    for broken in [
        Vec::new(),
        vec![1; 50],
        cut,
        png_of(64, 32, [0; 4]),
        png_of(513, 513, [0; 4]),
    ] {
        own.avatar = Some(portrait(broken));
        assert!(drawn(&own).data() == letter.data());
    }
}

#[test]
fn avatars_of_every_kind_of_png() {
    let (grey, rgb) = (png::ColorType::Grayscale, png::ColorType::Rgb);
    for (colour, depth, bytes) in [
        (grey, png::BitDepth::Eight, 16 * 16),
        (grey, png::BitDepth::One, 16 * 2),
        (rgb, png::BitDepth::Eight, 16 * 16 * 3),
        (rgb, png::BitDepth::Sixteen, 16 * 16 * 6),
        (png::ColorType::GrayscaleAlpha, png::BitDepth::Eight, 16 * 16 * 2),
        (png::ColorType::Indexed, png::BitDepth::Eight, 16 * 16),
    ] {
        let mut written = Vec::new();
        let mut encoder = png::Encoder::new(&mut written, 16, 16);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == png::ColorType::Indexed {
            encoder.set_palette(vec![255; 768]);
        }
        let mut writer = encoder.write_header().expect("a head");
        writer.write_image_data(&vec![255; bytes]).expect("a body");
        writer.finish().expect("an end");
        let mut own = card("Ada");
        own.avatar = Some(portrait(written));
        assert_eq!(
            at(&drawn(&own), 136, 140),
            Colour::new(255, 255, 255),
            "{colour:?}"
        );
    }
}

#[test]
fn the_initial_is_one_sign() {
    for (name, initial) in [
        ("ada", "A"),
        ("  ada", "A"),
        ("ßeta", "S"),
        ("ﬁeld", "F"),
        ("ﬓ", "Մ"),
        ("👨‍👩‍👧‍👦x", "👨‍👩‍👧‍👦"),
        ("\u{0}\u{7}", "?"),
        ("", "?"),
    ] {
        assert_eq!(draw::initial(name), initial, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_name_is_drawn_in_its_place(name in "\\PC{0,32}", other in ".{0,64}") {
        let mut setter = Typesetter::new();
        for name in [name, other] {
            let first = draw::initial(&name);
            let drawing = draw::draw(&card(&name), &mut setter).expect("a drawing");
            let short = draw::draw(&card(&first), &mut setter).expect("a drawing");
            prop_assert!(pixels(&drawing, false) == pixels(&short, false), "{:?}", name);
        }
    }

    #[test]
    fn any_bytes_are_an_avatar_or_a_letter(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut own = card("Ada");
        let mut png = png_of(4, 4, [1; 4]);
        png.truncate(30);
        png.extend(&bytes);
        for png in [bytes, png] {
            own.avatar = Some(portrait(png));
            drawn(&own);
        }
    }
}

#[tokio::test]
async fn a_card_that_was_drawn_is_kept() {
    let cards = Cards::new("http://127.0.0.1:1");
    let first = cards.png(card("Ada")).await.expect("a card");
    let again = cards.png(card("Ada")).await.expect("a card");
    assert_eq!(first.as_ptr(), again.as_ptr(), "the same memory");
    let other = cards.png(card("Bob")).await.expect("a card");
    assert_ne!(first, other);
    assert_eq!(Bytes::from(card("Ada").draw().expect("a picture")), first);
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_is_refused_at_once() {
    let cards = Cards::new("http://127.0.0.1:1");
    let desk = cards.inner.desk.acquire().await.expect("open");
    let began = tokio::time::Instant::now();
    let waiting = (0..WAITING).map(|_| cards.png(card("Ada")));
    let waiting = futures_util::future::join_all(waiting);
    let late = async {
        tokio::task::yield_now().await;
        (cards.png(card("Bob")).await, began.elapsed())
    };
    let (waited, (late, after)) = tokio::join!(waiting, late);
    assert!(waited.iter().all(|result| *result == Err(NoCard::Busy)));
    assert_eq!(late, Err(NoCard::Busy));
    assert!(after < PATIENCE && began.elapsed() >= PATIENCE);
    drop(desk);
    assert!(cards.png(card("Ada")).await.is_ok(), "places are given back");
}
