//! PNGs: writing cards, and reading avatars, which are untrusted input.

use std::{fmt, io::Cursor};

use thiserror::Error;
use tiny_skia::Pixmap;

/// The largest side that is ever requested for an avatar.
const LARGEST_SIDE: u32 = 512;
/// The decoder's memory limit: twice the pixels of the largest image.
const DECODER_BYTES: usize = 4 << 20;

/// A square of pixels.
pub(super) struct Picture {
    side: u16,
    /// Premultiplied RGBA.
    pixels: Vec<u8>,
}

/// Why bytes are not a usable image. None of their content is included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum NoPicture {
    /// Not a PNG, or a broken one.
    #[error("no PNG")]
    Unreadable,
    /// Not square, or larger than requested.
    #[error("not a square of up to {LARGEST_SIDE} pixels")]
    Size,
}

impl fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Picture")
            .field("side", &self.side)
            .finish_non_exhaustive()
    }
}

impl Picture {
    /// Decode a PNG. Its size is checked before anything is decompressed.
    pub(super) fn read(png: &[u8]) -> Result<Self, NoPicture> {
        let (mut reader, side) = open(png)?;
        let bytes = reader.output_buffer_size().ok_or(NoPicture::Size)?;
        let mut pixels = vec![0; bytes];
        let frame = reader
            .next_frame(&mut pixels)
            .map_err(|_broken| NoPicture::Unreadable)?;
        pixels.truncate(frame.buffer_size());
        let mut pixels = match frame.color_type {
            png::ColorType::Rgba => pixels,
            png::ColorType::GrayscaleAlpha => pixels
                .chunks_exact(2)
                .flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]])
                .collect(),
            _ => return Err(NoPicture::Unreadable),
        };
        if pixels.len() != usize::from(side) * usize::from(side) * 4 {
            return Err(NoPicture::Unreadable);
        }
        for pixel in pixels.chunks_exact_mut(4) {
            let alpha = u16::from(pixel[3]);
            for channel in &mut pixel[..3] {
                *channel = u8::try_from((u16::from(*channel) * alpha + 127) / 255).unwrap_or(u8::MAX);
            }
        }
        Ok(Self { side, pixels })
    }

    /// Width and height.
    pub(super) const fn side(&self) -> u16 {
        self.side
    }

    /// Premultiplied RGBA.
    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// Check the header of an image without decoding its pixels.
pub(super) fn look_at(png: &[u8]) -> Result<(), NoPicture> {
    open(png).map(drop)
}

/// A PNG whose header has been read.
type Opened<'a> = png::Reader<Cursor<&'a [u8]>>;

/// Open a PNG and return the length of its sides.
fn open(png: &[u8]) -> Result<(Opened<'_>, u16), NoPicture> {
    let limits = png::Limits { bytes: DECODER_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(png), limits);
    decoder.set_transformations(
        png::Transformations::EXPAND | png::Transformations::STRIP_16 | png::Transformations::ALPHA,
    );
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let reader = decoder.read_info().map_err(|_broken| NoPicture::Unreadable)?;
    let (width, height) = reader.info().size();
    if width != height || width == 0 || width > LARGEST_SIDE {
        return Err(NoPicture::Size);
    }
    let side = u16::try_from(width).map_err(|_large| NoPicture::Size)?;
    Ok((reader, side))
}

/// Encode a drawing as PNG.
pub(super) fn write(drawing: &Pixmap) -> Option<Vec<u8>> {
    let mut pixels = Vec::with_capacity(drawing.data().len());
    for pixel in drawing.pixels() {
        let straight = pixel.demultiply();
        pixels.extend([
            straight.red(),
            straight.green(),
            straight.blue(),
            straight.alpha(),
        ]);
    }
    let mut written = Vec::with_capacity(64 << 10);
    let mut encoder = png::Encoder::new(&mut written, drawing.width(), drawing.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(written)
}
