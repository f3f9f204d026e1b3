use tiny_skia::Pixmap;

use super::{Area, Colour, Face, Typesetter};

const NAMES: [&str; 34] = [
    "Ada Lovelace",
    "Ångström Łódź Đặng",
    "Ἀριστοτέλης",
    "Лев Толстой",
    "عائشة بنت محمد",
    "پریسا گلستان",
    "דוד בן־גוריון",
    "桜井 さくら サクラ",
    "ﾊﾝｶｸ ＷＩＤＥ",
    "王小明",
    "陳奕迅 龍龜",
    "김민준",
    "नमस्ते",
    "বাংলা",
    "ਪੰਜਾਬੀ",
    "ગુજરાતી",
    "தமிழ்",
    "తెలుగు",
    "ಕನ್ನಡ",
    "മലയാളം",
    "සිංහල",
    "สวัสดี",
    "ລາວ",
    "မြန်မာ",
    "ខ្មែរ",
    "ქართული",
    "Հայերեն",
    "አማርኛ",
    "ᏣᎳᎩ",
    "𝓕𝓪𝓷𝓬𝔂 𝕹𝖆𝖒𝖊",
    "ᗩᗷᑕ",
    "★彡 ♛ ✿ ☬",
    "🦊👩‍🚀🇩🇪❤️1️⃣🏳️‍🌈👍🏽",
    "ⵜⵉⴼⵉⵏⴰⵖ ᚠᚢᚦ",
];

fn is_whole(setter: &mut Typesetter, text: &str) -> bool {
    let line = setter.line(text, Face::Strong, 40.0);
    !line.glyphs.is_empty() && line.glyphs.iter().all(|glyph| glyph.glyph_id != 0)
}

#[test]
fn names_in_every_script_have_their_signs() {
    let mut setter = Typesetter::new();
    for name in NAMES {
        assert!(is_whole(&mut setter, name), "{name}");
    }
    assert!(!is_whole(&mut setter, "\u{13000}"), "a sign that no font has");
}

#[test]
fn what_no_font_has_is_seen_all_the_same() {
    let mut setter = Typesetter::new();
    let mut ink = |text: &str| {
        let mut canvas = Pixmap::new(100, 100).expect("small");
        let line = setter.line(text, Face::Strong, 40.0);
        let within = Area {
            left: 0,
            top: 0,
            right: 100,
            bottom: 100,
        };
        setter.draw(
            &mut canvas,
            &line,
            (10.0, 60.0),
            Colour::new(255, 255, 255),
            within,
        );
        canvas.pixels().iter().filter(|pixel| pixel.alpha() > 0).count()
    };
    assert!(ink("\u{13000}") > 100);
    assert!(ink("字") > 100);
    assert_eq!(ink(" "), 0);
}

#[test]
fn letters_of_arabic_are_joined_and_run_to_the_left() {
    let mut setter = Typesetter::new();
    let joined = setter.line("محمد", Face::Strong, 40.0);
    let apart = setter.line("م ح م د", Face::Strong, 40.0);
    let ids = |line: &super::Line| line.glyphs.iter().map(|glyph| glyph.glyph_id).collect::<Vec<_>>();
    assert!(
        ids(&joined)
            .iter()
            .all(|id| !ids(&apart).contains(id) || *id == ids(&joined)[0])
    );
    let places: Vec<f32> = joined.glyphs.iter().map(|glyph| glyph.x).collect();
    assert!(places.is_sorted_by(|a, b| a > b), "{places:?}");
}

#[test]
fn one_emoji_of_several_characters_is_one_picture() {
    let mut setter = Typesetter::new();
    for emoji in ["👩‍🚀", "🇩🇪", "👍🏽", "1️⃣"] {
        let line = setter.line(emoji, Face::Strong, 40.0);
        assert_eq!(line.glyphs.len(), 1, "{emoji}");
    }
}

#[test]
fn long_lines_shrink_and_are_then_cut() {
    let mut setter = Typesetter::new();
    let mut fitted = |text: &str| {
        let line = setter.fitting(text, Face::Strong, (46.0, 30.0), 600.0);
        assert!(line.width <= 600.0, "{text}: {}", line.width);
        (line.glyphs[0].font_size, line.glyphs.len())
    };
    assert_eq!(fitted("Ada"), (46.0, 3));
    let (size, glyphs) = fitted("Maximiliane von Hohenstauf");
    assert!((30.0..46.0).contains(&size) && glyphs == 26, "{size} {glyphs}");
    let (size, glyphs) = fitted(&"W".repeat(32));
    assert!(glyphs < 32 && (size - 30.0).abs() < 0.01, "{size} {glyphs}");
    for text in [
        "漢".repeat(32),
        "﷽".repeat(32),
        "👨‍👩‍👧‍👦".repeat(8),
        "\u{13000}".repeat(64),
    ] {
        fitted(&text);
    }
}
