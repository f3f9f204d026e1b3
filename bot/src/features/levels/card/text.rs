//! Text on a card: shaped, in both directions, in every script of the bundled fonts, and truncated if too long.

use std::{fmt, sync::Arc};

use cosmic_text::{
    Align, Attrs, Buffer, Ellipsize, EllipsizeHeightLimit, Fallback, Family, FontSystem, LayoutGlyph,
    Metrics, Shaping, Stretch, Style, SwashCache, SwashContent, Weight, Wrap,
    fontdb::{self, FaceInfo, Language, Source},
};
use tiny_skia::Pixmap;
use unicode_script::Script;

use crate::settings::values::colour::Colour;

/// The glyph cache's limit; when full it is cleared. About 1 KiB per glyph.
const GLYPHS_KEPT: usize = 4_096;
/// Longer than any name that Discord accepts; more is truncated, since the cost of shaping grows with the length.
const LONGEST_CHARS: usize = 64;

macro_rules! fonts {
    ($($family:literal = $file:literal,)+) => {
        [$(($family, include_bytes!(concat!("../../../../fonts/", $file)) as &'static [u8])),+]
    };
}

/// The bundled fonts by internal name. Their own weights do not matter: each family is one file.
fn fonts() -> [(&'static str, &'static [u8]); 30] {
    fonts![
        "name" = "NotoSans-SemiBold.ttf",
        "label" = "NotoSans-Regular.ttf",
        "emoji" = "TwemojiMozilla.ttf",
        "cjk" = "NotoSansCJKjp-Bold.otf",
        "arabic" = "NotoSansArabic-SemiBold.ttf",
        "armenian" = "NotoSansArmenian-SemiBold.ttf",
        "bengali" = "NotoSansBengali-SemiBold.ttf",
        "canadian" = "NotoSansCanadianAboriginal-Bold.ttf",
        "cherokee" = "NotoSansCherokee-Bold.ttf",
        "devanagari" = "NotoSansDevanagari-SemiBold.ttf",
        "ethiopic" = "NotoSansEthiopic-SemiBold.ttf",
        "georgian" = "NotoSansGeorgian-SemiBold.ttf",
        "gujarati" = "NotoSansGujarati-SemiBold.ttf",
        "gurmukhi" = "NotoSansGurmukhi-SemiBold.ttf",
        "hebrew" = "NotoSansHebrew-SemiBold.ttf",
        "kannada" = "NotoSansKannada-SemiBold.ttf",
        "khmer" = "NotoSansKhmer-SemiBold.ttf",
        "lao" = "NotoSansLao-SemiBold.ttf",
        "lisu" = "NotoSansLisu-Bold.ttf",
        "malayalam" = "NotoSansMalayalam-SemiBold.ttf",
        "math" = "NotoSansMath-Regular.ttf",
        "myanmar" = "NotoSansMyanmar-SemiBold.ttf",
        "runic" = "NotoSansRunic-Regular.ttf",
        "sinhala" = "NotoSansSinhala-SemiBold.ttf",
        "symbols" = "NotoSansSymbols-SemiBold.ttf",
        "symbols2" = "NotoSansSymbols2-Regular.ttf",
        "tamil" = "NotoSansTamil-SemiBold.ttf",
        "telugu" = "NotoSansTelugu-SemiBold.ttf",
        "thai" = "NotoSansThai-SemiBold.ttf",
        "tifinagh" = "NotoSansTifinagh-Regular.ttf",
    ]
}

/// The fallback font for each script that the main font lacks.
struct ByScript;

impl Fallback for ByScript {
    fn common_fallback(&self) -> &[&'static str] {
        &["name", "emoji", "symbols", "symbols2", "math", "cjk"]
    }

    fn forbidden_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn script_fallback(&self, script: Script, _locale: &str) -> &[&'static str] {
        match script {
            Script::Arabic => &["arabic"],
            Script::Armenian => &["armenian"],
            Script::Bengali => &["bengali"],
            Script::Canadian_Aboriginal => &["canadian"],
            Script::Cherokee => &["cherokee"],
            Script::Devanagari => &["devanagari"],
            Script::Ethiopic => &["ethiopic"],
            Script::Georgian => &["georgian"],
            Script::Gujarati => &["gujarati"],
            Script::Gurmukhi => &["gurmukhi"],
            Script::Bopomofo | Script::Han | Script::Hangul | Script::Hiragana | Script::Katakana => &["cjk"],
            Script::Hebrew => &["hebrew"],
            Script::Kannada => &["kannada"],
            Script::Khmer => &["khmer"],
            Script::Lao => &["lao"],
            Script::Lisu => &["lisu"],
            Script::Malayalam => &["malayalam"],
            Script::Myanmar => &["myanmar"],
            Script::Runic => &["runic"],
            Script::Sinhala => &["sinhala"],
            Script::Tamil => &["tamil"],
            Script::Telugu => &["telugu"],
            Script::Thai => &["thai"],
            Script::Tifinagh => &["tifinagh"],
            _ => &[],
        }
    }
}

/// The style of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// Names and numbers.
    Strong,
    /// Labels. Latin letters only.
    Plain,
}

impl Face {
    const fn family(self) -> &'static str {
        match self {
            Self::Strong => "name",
            Self::Plain => "label",
        }
    }
}

/// A rectangle of whole pixels, to which drawing is clipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

/// A shaped line of text.
pub(super) struct Line {
    glyphs: Vec<LayoutGlyph>,
    /// Pixels.
    pub(super) width: f32,
}

/// Renders text to pixels. Creating one reads the tables of all fonts, so reuse it.
pub(super) struct Typesetter {
    fonts: FontSystem,
    glyphs: SwashCache,
}

impl fmt::Debug for Typesetter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Typesetter").finish_non_exhaustive()
    }
}

impl Typesetter {
    pub(super) fn new() -> Self {
        let mut faces = fontdb::Database::new();
        for (family, file) in fonts() {
            faces.push_face_info(FaceInfo {
                id: fontdb::ID::dummy(),
                source: Source::Binary(Arc::new(file)),
                index: 0,
                families: vec![(family.to_owned(), Language::English_UnitedStates)],
                post_script_name: family.to_owned(),
                style: Style::Normal,
                weight: Weight::NORMAL,
                stretch: Stretch::Normal,
                monospaced: false,
            });
        }
        let locale = "en-US".to_owned();
        Self {
            fonts: FontSystem::new_with_locale_and_db_and_fallback(locale, faces, ByScript),
            glyphs: SwashCache::new(),
        }
    }

    /// Shape one line at this size.
    #[cfg(test)]
    pub(super) fn line(&mut self, text: &str, face: Face, size: f32) -> Line {
        self.shape(&printable(text), face, size, None)
    }

    /// Shape one line no wider than `width`: at the largest size, a smaller one, or the smallest with an ellipsis.
    pub(super) fn fitting(&mut self, text: &str, face: Face, sizes: (f32, f32), width: f32) -> Line {
        let (largest, smallest) = sizes;
        let text = printable(text);
        let line = self.shape(&text, face, largest, None);
        if line.width <= width {
            return line;
        }
        let size = (largest * width / line.width).floor();
        if size >= smallest {
            let line = self.shape(&text, face, size, None);
            if line.width <= width {
                return line;
            }
        }
        self.shape(&text, face, smallest, Some(width))
    }

    fn shape(&mut self, text: &str, face: Face, size: f32, limit: Option<f32>) -> Line {
        let mut buffer = Buffer::new(&mut self.fonts, Metrics::new(size, size * 1.5));
        buffer.set_wrap(Wrap::None);
        if limit.is_some() {
            buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Lines(1)));
        }
        buffer.set_size(limit, None);
        let attributes = Attrs::new().family(Family::Name(face.family()));
        buffer.set_text(text, &attributes, Shaping::Advanced, Some(Align::Left));
        buffer.shape_until_scroll(&mut self.fonts, false);
        let run = buffer.layout_runs().next();
        run.map_or_else(
            || Line {
                glyphs: Vec::new(),
                width: 0.0,
            },
            |run| Line {
                glyphs: run.glyphs.to_vec(),
                width: run.line_w,
            },
        )
    }

    /// The extent of its ink above the baseline (negative) and below it.
    pub(super) fn extent(&mut self, line: &Line) -> (f32, f32) {
        let mut extent: Option<(i32, i32)> = None;
        for glyph in &line.glyphs {
            let at = glyph.physical((0.0, 0.0), 1.0);
            let image = self.glyphs.get_image(&mut self.fonts, at.cache_key);
            if let Some(placement) = image.as_ref().map(|image| image.placement) {
                let top = at.y - placement.top;
                let bottom = top.saturating_add_unsigned(placement.height);
                let (highest, lowest) = extent.unwrap_or((top, bottom));
                extent = Some((highest.min(top), lowest.max(bottom)));
            }
        }
        let pixels = |number: i32| f32::from(i16::try_from(number).unwrap_or(0));
        extent.map_or((0.0, 0.0), |(top, bottom)| (pixels(top), pixels(bottom)))
    }

    /// Draw it with its left edge at `left` and its baseline at `baseline`.
    pub(super) fn draw(
        &mut self,
        canvas: &mut Pixmap,
        line: &Line,
        (left, baseline): (f32, f32),
        colour: Colour,
        within: Area,
    ) {
        if self.glyphs.image_cache.len() > GLYPHS_KEPT {
            self.glyphs.image_cache.clear();
        }
        for glyph in &line.glyphs {
            let at = glyph.physical((left, baseline), 1.0);
            let Some(image) = self.glyphs.get_image(&mut self.fonts, at.cache_key) else {
                continue;
            };
            let corner = (at.x + image.placement.left, at.y - image.placement.top);
            let (bytes, coloured) = match image.content {
                SwashContent::Mask => (1, false),
                SwashContent::Color | SwashContent::SubpixelMask => (4, true),
            };
            let columns = usize::try_from(image.placement.width).unwrap_or(0);
            if columns == 0 {
                continue;
            }
            for (y, row) in (corner.1..).zip(image.data.chunks_exact(columns * bytes)) {
                for (x, pixel) in (corner.0..).zip(row.chunks_exact(bytes)) {
                    if x < within.left || x >= within.right || y < within.top || y >= within.bottom {
                        continue;
                    }
                    let (source, alpha) = match (coloured, pixel) {
                        (true, &[red, green, blue, alpha]) => (Colour::new(red, green, blue), alpha),
                        _ => (colour, pixel[0]),
                    };
                    blend(canvas, (x, y), source, alpha);
                }
            }
        }
    }
}

/// Blend a straight colour over a premultiplied pixel.
fn blend(canvas: &mut Pixmap, (x, y): (i32, i32), source: Colour, alpha: u8) {
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
        return;
    };
    if alpha == 0 || x >= canvas.width() || y >= canvas.height() {
        return;
    }
    let width = canvas.width();
    let Ok(at) = usize::try_from((y * width + x) * 4) else {
        return;
    };
    let Some(pixel) = canvas.data_mut().get_mut(at..at + 4) else {
        return;
    };
    let (over, under) = (u32::from(alpha), 255 - u32::from(alpha));
    for (channel, value) in pixel.iter_mut().zip([source.red, source.green, source.blue, 255]) {
        let mixed = (u32::from(value) * over + u32::from(*channel) * under + 127) / 255;
        *channel = u8::try_from(mixed).unwrap_or(u8::MAX);
    }
}

/// A single-line text without line breaks and without controls that affect the direction of surrounding text.
fn printable(text: &str) -> String {
    let kept = text.chars().take(LONGEST_CHARS);
    kept.map(|c| match c {
        c if c.is_control() => ' ',
        '\u{2028}' | '\u{2029}' => ' ',
        c => c,
    })
    .collect()
}

#[cfg(test)]
mod tests;
