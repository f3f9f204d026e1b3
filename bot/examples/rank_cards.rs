//! Draws the rank cards that the documentation shows, and says how long each took.
//!
//! `cargo run --release --package eventide --example rank_cards -- docs/cards`

use std::{error::Error, io::Write as _, path::PathBuf};

use eventide::{
    features::levels::card::{Card, Portrait, avatar::AvatarKey},
    settings::values::colour::Colour,
};
use tokio::time::Instant;
use twilight_model::{id::Id, util::ImageHash};

/// File, name, level, rank, messages, XP, thousandths of the level, colour, and the disc's where there is no avatar.
type Shown = (
    &'static str,
    &'static str,
    [&'static str; 4],
    u16,
    u32,
    Option<u32>,
);

const CARDS: [Shown; 9] = [
    (
        "latin",
        "Ada Lovelace",
        ["42", "#7", "12,345 messages", "8,205 / 11,020 XP"],
        744,
        0x58_65_F2,
        None,
    ),
    (
        "arabic",
        "عائشة بنت محمد",
        ["12", "#1,204", "998 messages", "420 / 1,420 XP"],
        295,
        0xF2_A9_00,
        Some(0x3B_A5_5D),
    ),
    (
        "japanese",
        "桜井 さくら ✿ サクラ",
        ["3", "#88", "57 messages", "101 / 295 XP"],
        342,
        0xFF_6B_9D,
        Some(0xEB_45_9E),
    ),
    (
        "emoji",
        "🦊 fox 👩‍🚀 🇩🇪 ❤️ 🏳️‍🌈",
        ["7", "#3", "312 messages", "310 / 695 XP"],
        446,
        0xED_42_45,
        Some(0xFA_A6_1A),
    ),
    (
        "long-name",
        "Maximiliane von und zu Hohenstau",
        ["27", "#1,000,000", "4,711 messages", "77 / 5,095 XP"],
        15,
        0x57_F2_87,
        Some(0x74_7F_8D),
    ),
    (
        "wide-name",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
        ["27", "#31", "4,711 messages", "4,711 / 5,095 XP"],
        924,
        0x00_C8_FF,
        Some(0x58_65_F2),
    ),
    (
        "level-0",
        "newcomer",
        ["0", "#4,096", "one message", "18 / 100 XP"],
        180,
        0x58_65_F2,
        Some(0xED_42_45),
    ),
    (
        "level-999",
        "Παλαιότατος",
        ["999", "#1", "123,456,789 messages", "4,987,654 / 5,040,055 XP"],
        989,
        0xFF_D7_00,
        None,
    ),
    (
        "black",
        "𝓕𝓪𝓷𝓬𝔂 ★彡 김민준 \u{13000}",
        ["5", "#5", "555 messages", "0 / 475 XP"],
        0,
        0x00_00_00,
        Some(0xFF_FF_FF),
    ),
];
/// Cards to measure.
const MEASURED: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "docs/cards".to_owned()));
    std::fs::create_dir_all(&directory)?;
    let mut out = std::io::stdout();
    for shown in &CARDS {
        let png = card(shown)?.draw().ok_or("a card could not be drawn")?;
        let file = directory.join(shown.0).with_extension("png");
        std::fs::write(&file, &png)?;
        writeln!(out, "{}: {} bytes", file.display(), png.len())?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut took = runtime.block_on(measure())?;
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or(0.0);
    let longest = took.last().copied().unwrap_or(0.0);
    writeln!(
        out,
        "{MEASURED} cards, none twice: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, longest {longest:.1} ms",
        at(50),
        at(90),
        at(99)
    )?;
    Ok(())
}

/// Milliseconds of each, as the bot draws them: one after the other, with one typesetter.
async fn measure() -> Result<Vec<f64>, Box<dyn Error>> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let cards = eventide::features::levels::card::Cards::new("http://127.0.0.1:1");
    let mut took = Vec::with_capacity(MEASURED);
    for number in 0..MEASURED {
        let mut card = card(&CARDS[number % CARDS.len()])?;
        // Another picture each time.
        card.rank.1 = format!("#{number}");
        let began = Instant::now();
        cards.png(card).await?;
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(took)
}

fn card(
    (_, name, [level, rank, messages, xp], done, accent, disc): &Shown,
) -> Result<Card, png::EncodingError> {
    let avatar = match disc {
        Some(_) => None,
        None => Some(Portrait {
            key: AvatarKey {
                guild_id: None,
                user_id: Id::new(1),
                hash: ImageHash::new([1; 16], false),
            },
            png: avatar()?.into(),
        }),
    };
    Ok(Card {
        name: (*name).to_owned(),
        level: ("Level".to_owned(), (*level).to_owned()),
        rank: ("Rank".to_owned(), (*rank).to_owned()),
        messages: (*messages).to_owned(),
        xp: (*xp).to_owned(),
        done: *done,
        accent: Colour::of_number(*accent),
        avatar,
        disc: Colour::of_number(disc.unwrap_or(0)),
    })
}

/// A sun over a sea.
fn avatar() -> Result<Vec<u8>, png::EncodingError> {
    const SIDE: u32 = 256;
    let mut pixels = Vec::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (from_sun_x, from_sun_y) = (x.abs_diff(150), y.abs_diff(120));
            let in_sun = from_sun_x * from_sun_x + from_sun_y * from_sun_y < 52 * 52;
            let shade = u8::try_from(y * 255 / SIDE).unwrap_or(0);
            pixels.extend(match (in_sun, y > 165) {
                (_, true) => [20, 60_u8.saturating_add(shade / 4), 110, 255],
                (true, _) => [255, 214, 120, 255],
                (false, _) => [
                    120_u8.saturating_add(shade / 2),
                    70_u8.saturating_add(shade / 3),
                    140,
                    255,
                ],
            });
        }
    }
    let mut written = Vec::new();
    let mut encoder = png::Encoder::new(&mut written, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(written)
}
