//! Transport compression: one stream a connection, flushed after every message.

use flate2::{Compress, FlushCompress};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, zstd_sys::ZSTD_EndDirective};

use super::frame::{self, Opcode};

/// What a client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Zstd,
    Zlib,
}

/// The stream of one connection.
pub(crate) enum Compressor {
    None,
    Zstd {
        context: Box<CCtx<'static>>,
        plain: Vec<u8>,
    },
    Zlib {
        stream: Compress,
        plain: Vec<u8>,
    },
}

/// Level 1 with a small window: the simulator shares its machine with what it tests.
const ZSTD_WINDOW_LOG: u32 = 17;

impl Compressor {
    pub(crate) fn new(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Zstd => {
                let mut context = Box::new(CCtx::create());
                for parameter in [
                    CParameter::CompressionLevel(1),
                    CParameter::WindowLog(ZSTD_WINDOW_LOG),
                ] {
                    if let Err(code) = context.set_parameter(parameter) {
                        tracing::warn!(code, "zstd refused a parameter and keeps its default");
                    }
                }
                Self::Zstd {
                    context,
                    plain: Vec::new(),
                }
            }
            Compression::Zlib => Self::Zlib {
                stream: Compress::new(flate2::Compression::fast(), true),
                plain: Vec::new(),
            },
        }
    }

    /// Appends a frame with a message that `render` writes.
    pub(crate) fn frame(&mut self, out: &mut Vec<u8>, render: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Self::None => frame::write(out, Opcode::Text, render),
            Self::Zstd { context, plain } => {
                plain.clear();
                render(plain);
                frame::write(out, Opcode::Binary, |out| zstd(context, plain, out));
            }
            Self::Zlib { stream, plain } => {
                plain.clear();
                render(plain);
                frame::write(out, Opcode::Binary, |out| zlib(stream, plain, out));
            }
        }
    }
}

fn zstd(context: &mut CCtx<'static>, plain: &[u8], out: &mut Vec<u8>) {
    let mut input = InBuffer::around(plain);
    loop {
        out.reserve(plain.len() / 2 + 256);
        let at = out.len();
        let mut buffer = OutBuffer::around_pos(out, at);
        match context.compress_stream2(&mut buffer, &mut input, ZSTD_EndDirective::ZSTD_e_flush) {
            Ok(0) => return,
            Ok(_) => {}
            Err(code) => {
                tracing::error!(code, "zstd failed; the client will notice a broken stream");
                return;
            }
        }
    }
}

fn zlib(stream: &mut Compress, plain: &[u8], out: &mut Vec<u8>) {
    let mut rest = plain;
    loop {
        out.reserve(rest.len() / 2 + 256);
        let before = stream.total_in();
        if stream.compress_vec(rest, out, FlushCompress::Sync).is_err() {
            tracing::error!("zlib failed; the client will notice a broken stream");
            return;
        }
        let read = usize::try_from(stream.total_in() - before).unwrap_or(rest.len());
        rest = &rest[read..];
        // Room left over means that the flush is complete.
        if rest.is_empty() && out.len() < out.capacity() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payloads() -> Vec<Vec<u8>> {
        let mut rng = fastrand::Rng::with_seed(3);
        [0, 1, 40, 1_500, 70_000, 300_000, 12]
            .into_iter()
            .map(|len| (0..len).map(|_| b'a' + rng.u8(..20)).collect())
            .collect()
    }

    /// The payload of a frame.
    fn payload(frame: &[u8]) -> &[u8] {
        match frame[1] {
            126 => &frame[4..],
            127 => &frame[10..],
            _ => &frame[2..],
        }
    }

    #[test]
    fn zlib_messages_end_with_a_sync_flush_and_come_back() {
        let mut compressor = Compressor::new(Compression::Zlib);
        let mut inflate = flate2::Decompress::new(true);
        for plain in payloads() {
            let mut out = Vec::new();
            compressor.frame(&mut out, |out| out.extend_from_slice(&plain));
            let sent = payload(&out);
            // An empty message leaves nothing to flush; Discord sends none.
            assert!(plain.is_empty() || sent.ends_with(&[0, 0, 0xff, 0xff]));
            let mut back = Vec::with_capacity(plain.len() + 64);
            inflate
                .decompress_vec(sent, &mut back, flate2::FlushDecompress::Sync)
                .unwrap();
            assert!(back == plain);
        }
    }

    #[test]
    fn zstd_messages_come_back_one_by_one() {
        let mut compressor = Compressor::new(Compression::Zstd);
        let mut inflate = zstd_safe::DCtx::create();
        for plain in payloads() {
            let mut out = Vec::new();
            compressor.frame(&mut out, |out| out.extend_from_slice(&plain));
            let mut back: Vec<u8> = Vec::with_capacity(plain.len() + 200_000);
            let mut input = InBuffer::around(payload(&out));
            let mut output = OutBuffer::around(&mut back);
            while input.pos() < input.src.len() {
                inflate.decompress_stream(&mut output, &mut input).unwrap();
            }
            inflate.decompress_stream(&mut output, &mut input).unwrap();
            assert!(back == plain);
        }
    }
}
