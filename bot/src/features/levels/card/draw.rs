//! The layout and drawing of a card.

use tiny_skia::{
    Color, FillRule, FilterQuality, GradientStop, LinearGradient, Mask, Paint, PathBuilder, Pixmap,
    PixmapPaint, PixmapRef, Point, RadialGradient, Rect, SpreadMode, Stroke, Transform,
};

use super::{
    Card,
    picture::Picture,
    text::{Area, Face, Typesetter},
};
use crate::settings::values::colour::Colour;

/// Pixels.
pub const WIDTH: u16 = 940;
/// Pixels.
pub const HEIGHT: u16 = 280;

/// The background, against which all content must be legible.
pub const GROUND: Colour = Colour::new(0x1B, 0x1D, 0x23);
const GROUND_BELOW: Colour = Colour::new(0x13, 0x14, 0x19);
const WHITE: Colour = Colour::new(0xFF, 0xFF, 0xFF);
const BRIGHT: Colour = Colour::new(0xF5, 0xF6, 0xF8);
const QUIET: Colour = Colour::new(0xB4, 0xB9, 0xC4);
const TROUGH: Colour = Colour::new(0x32, 0x36, 0x40);

const CORNER: f32 = 28.0;
/// The centre of the avatar, and its radius.
const DISC: (f32, f32) = (136.0, 140.0);
const RADIUS: f32 = 88.0;
/// The left and right edges of text.
const LEFT: f32 = 264.0;
const RIGHT: f32 = 900.0;
/// The area of the name, which must not extend above or below it.
pub(super) const NAME: Area = Area {
    left: 262,
    top: 92,
    right: 902,
    bottom: 168,
};
const BAR: (f32, f32) = (178.0, 30.0);

/// Draw a card.
pub(super) fn draw(card: &Card, typesetter: &mut Typesetter) -> Option<Pixmap> {
    let mut canvas = Pixmap::new(u32::from(WIDTH), u32::from(HEIGHT))?;
    let accent = card.accent.legible_on(GROUND);
    ground(&mut canvas, accent);
    avatar(&mut canvas, card, accent, typesetter);
    figures(&mut canvas, card, accent, typesetter);
    let name = typesetter.fitting(&card.name, Face::Strong, (46.0, 30.0), RIGHT - LEFT);
    typesetter.draw(&mut canvas, &name, (LEFT, 147.0), BRIGHT, NAME);
    bar(&mut canvas, card.done, accent);
    below(&mut canvas, card, typesetter);
    Some(canvas)
}

fn ground(canvas: &mut Pixmap, accent: Colour) {
    let (width, height) = (f32::from(WIDTH), f32::from(HEIGHT));
    let Some(path) = rounded(0.0, 0.0, width, height, CORNER) else {
        return;
    };
    let stops = vec![
        GradientStop::new(0.0, solid(GROUND)),
        GradientStop::new(1.0, solid(GROUND_BELOW)),
    ];
    let (from, to) = (Point::from_xy(0.0, 0.0), Point::from_xy(width * 0.3, height));
    fill(
        canvas,
        &path,
        LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity()),
    );
    // A faint glow in the accent colour behind the avatar.
    let stops = vec![
        GradientStop::new(0.0, translucent(accent, 46)),
        GradientStop::new(1.0, translucent(accent, 0)),
    ];
    let middle = Point::from_xy(DISC.0, DISC.1);
    let glow = RadialGradient::new(
        middle,
        0.0,
        middle,
        420.0,
        stops,
        SpreadMode::Pad,
        Transform::identity(),
    );
    fill(canvas, &path, glow);
    if let Some(inner) = rounded(1.0, 1.0, width - 2.0, height - 2.0, CORNER - 1.0) {
        let mut paint = plain(WHITE, 20);
        paint.anti_alias = true;
        let stroke = Stroke {
            width: 2.0,
            ..Stroke::default()
        };
        canvas.stroke_path(&inner, &paint, &stroke, Transform::identity(), None);
    }
}

fn avatar(canvas: &mut Pixmap, card: &Card, accent: Colour, typesetter: &mut Typesetter) {
    disc(canvas, RADIUS + 8.0, accent);
    disc(canvas, RADIUS + 3.0, GROUND);
    let picture = card
        .avatar
        .as_ref()
        .and_then(|portrait| Picture::read(&portrait.png).ok());
    if picture.is_none_or(|picture| portrait(canvas, &picture).is_none()) {
        letter(canvas, card, typesetter);
    }
}

fn portrait(canvas: &mut Pixmap, picture: &Picture) -> Option<()> {
    let side = picture.side();
    let pixels = PixmapRef::from_bytes(picture.pixels(), side.into(), side.into())?;
    let mut mask = Mask::new(WIDTH.into(), HEIGHT.into())?;
    mask.fill_path(&circle(RADIUS)?, FillRule::Winding, true, Transform::identity());
    disc(canvas, RADIUS, TROUGH);
    let scale = 2.0 * RADIUS / f32::from(side);
    let transform = Transform::from_row(scale, 0.0, 0.0, scale, DISC.0 - RADIUS, DISC.1 - RADIUS);
    let paint = PixmapPaint {
        quality: FilterQuality::Bicubic,
        ..PixmapPaint::default()
    };
    canvas.draw_pixmap(0, 0, pixels, &paint, transform, Some(&mask));
    Some(())
}

/// A disc with the first letter of the name.
fn letter(canvas: &mut Pixmap, card: &Card, typesetter: &mut Typesetter) {
    disc(canvas, RADIUS, card.disc);
    let sign = initial(&card.name);
    let line = typesetter.fitting(&sign, Face::Strong, (92.0, 40.0), RADIUS * 1.5);
    let ink = [BRIGHT, GROUND_BELOW]
        .into_iter()
        .max_by(|a, b| a.contrast(card.disc).total_cmp(&b.contrast(card.disc)))
        .unwrap_or(BRIGHT);
    let within = Area {
        left: 60,
        top: 64,
        right: 212,
        bottom: 216,
    };
    let (top, bottom) = typesetter.extent(&line);
    let baseline = DISC.1 - f32::midpoint(top, bottom);
    let left = DISC.0 - line.width / 2.0;
    typesetter.draw(canvas, &line, (left, baseline), ink, within);
}

/// Rank and level, right-aligned.
fn figures(canvas: &mut Pixmap, card: &Card, accent: Colour, typesetter: &mut Typesetter) {
    let within = Area {
        left: 262,
        top: 20,
        right: 902,
        bottom: 92,
    };
    let parts = [
        (&card.level.1, Face::Strong, 46.0, accent, 26.0),
        (&card.level.0, Face::Plain, 24.0, QUIET, 8.0),
        (&card.rank.1, Face::Strong, 46.0, BRIGHT, 26.0),
        (&card.rank.0, Face::Plain, 24.0, QUIET, 8.0),
    ];
    let mut right = RIGHT;
    for (index, (text, face, size, colour, _)) in parts.into_iter().enumerate() {
        let line = typesetter.fitting(text, face, (size, size / 2.0), (right - LEFT).max(1.0));
        right -= line.width;
        typesetter.draw(canvas, &line, (right, 80.0), colour, within);
        right -= if index % 2 == 0 { 10.0 } else { 30.0 };
    }
}

fn bar(canvas: &mut Pixmap, done: u16, accent: Colour) {
    let (top, height) = BAR;
    let width = RIGHT - LEFT;
    if let Some(trough) = rounded(LEFT, top, width, height, height / 2.0) {
        canvas.fill_path(
            &trough,
            &plain(TROUGH, 255),
            FillRule::Winding,
            Transform::identity(),
            None,
        );
    }
    if done == 0 {
        return;
    }
    // At least as wide as high, so that it still looks like a bar.
    let filled = (width * f32::from(done.min(1_000)) / 1_000.0).max(height);
    let stops = vec![
        GradientStop::new(0.0, solid(accent.mixed(GROUND, 0.18))),
        GradientStop::new(1.0, solid(accent)),
    ];
    let (from, to) = (Point::from_xy(LEFT, 0.0), Point::from_xy(LEFT + filled, 0.0));
    if let Some(path) = rounded(LEFT, top, filled, height, height / 2.0) {
        fill(
            canvas,
            &path,
            LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity()),
        );
    }
}

fn below(canvas: &mut Pixmap, card: &Card, typesetter: &mut Typesetter) {
    let within = Area {
        left: 262,
        top: 212,
        right: 902,
        bottom: 260,
    };
    let xp = typesetter.fitting(&card.xp, Face::Plain, (24.0, 15.0), RIGHT - LEFT);
    typesetter.draw(canvas, &xp, (RIGHT - xp.width, 243.0), BRIGHT, within);
    let room = RIGHT - LEFT - xp.width - 24.0;
    if room > 40.0 {
        let messages = typesetter.fitting(&card.messages, Face::Plain, (24.0, 15.0), room);
        typesetter.draw(canvas, &messages, (LEFT, 243.0), QUIET, within);
    }
}

/// The initial for a name. If its capital form has two letters (`ﬁ`, `ß`), the first.
pub(super) fn initial(name: &str) -> String {
    use unicode_segmentation::UnicodeSegmentation as _;
    let sign = name
        .graphemes(true)
        .find(|sign| !sign.trim().is_empty() && !sign.chars().all(char::is_control));
    let capital = sign.map(str::to_uppercase);
    let first = capital
        .as_deref()
        .and_then(|capital| capital.graphemes(true).next());
    first.unwrap_or("?").to_owned()
}

fn disc(canvas: &mut Pixmap, radius: f32, colour: Colour) {
    if let Some(path) = circle(radius) {
        canvas.fill_path(
            &path,
            &plain(colour, 255),
            FillRule::Winding,
            Transform::identity(),
            None,
        );
    }
}

fn circle(radius: f32) -> Option<tiny_skia::Path> {
    PathBuilder::from_circle(DISC.0, DISC.1, radius)
}

fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> Option<tiny_skia::Path> {
    let rect = Rect::from_xywh(x, y, width, height)?;
    let radius = radius.min(width / 2.0).min(height / 2.0);
    // The distance of the control points of a quarter circle from its ends.
    let handle = radius * 0.447_715;
    let (left, top, right, bottom) = (rect.left(), rect.top(), rect.right(), rect.bottom());
    let mut path = PathBuilder::new();
    path.move_to(left + radius, top);
    path.line_to(right - radius, top);
    path.cubic_to(right - handle, top, right, top + handle, right, top + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(
        right,
        bottom - handle,
        right - handle,
        bottom,
        right - radius,
        bottom,
    );
    path.line_to(left + radius, bottom);
    path.cubic_to(
        left + handle,
        bottom,
        left,
        bottom - handle,
        left,
        bottom - radius,
    );
    path.line_to(left, top + radius);
    path.cubic_to(left, top + handle, left + handle, top, left + radius, top);
    path.close();
    path.finish()
}

fn fill(canvas: &mut Pixmap, path: &tiny_skia::Path, shader: Option<tiny_skia::Shader<'_>>) {
    let Some(shader) = shader else {
        return;
    };
    let paint = Paint {
        shader,
        anti_alias: true,
        ..Paint::default()
    };
    canvas.fill_path(path, &paint, FillRule::Winding, Transform::identity(), None);
}

fn plain(colour: Colour, alpha: u8) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color(translucent(colour, alpha));
    paint
}

fn solid(colour: Colour) -> Color {
    translucent(colour, 255)
}

fn translucent(colour: Colour, alpha: u8) -> Color {
    Color::from_rgba8(colour.red, colour.green, colour.blue, alpha)
}
