//! WebSocket frames (RFC 6455) from the server's side.
//!
//! Written here and not taken from a library because a hundred thousand messages a second are rendered straight into
//! one buffer, frame after frame, and written by few system calls; a library would take each message as an allocation
//! of its own.

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// A frame from a client, unmasked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) last: bool,
    pub(crate) opcode: Opcode,
    pub(crate) payload: Vec<u8>,
}

/// Why a client's bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// They break the protocol.
    Protocol,
    /// The frame is larger than allowed.
    TooLarge,
}

/// Room for the header of a frame of up to 65,535 bytes, the usual one.
const SHORT_HEADER: usize = 4;

/// Appends a frame whose payload `render` appends.
pub(crate) fn write(out: &mut Vec<u8>, opcode: Opcode, render: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | opcode as u8, 0, 0, 0]);
    render(out);
    let len = out.len() - start - SHORT_HEADER;
    if let (126.., Ok(short)) = (len, u16::try_from(len)) {
        out[start + 1] = 126;
        out[start + 2..start + 4].copy_from_slice(&short.to_be_bytes());
    } else if let Some(tiny) = u8::try_from(len).ok().filter(|_| len < 126) {
        out[start + 1] = tiny;
        out.drain(start + 2..start + 4);
    } else {
        out[start + 1] = 127;
        let long = (len as u64).to_be_bytes();
        out.splice(start + 2..start + 4, long);
    }
}

/// Takes one frame off the front of what a client sent; `None` when it is not complete yet.
pub(crate) fn read(bytes: &mut Vec<u8>, most: usize) -> Result<Option<Frame>, FrameError> {
    let &[first, second, ..] = bytes.as_slice() else {
        return Ok(None);
    };
    let opcode = match first & 0x0f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => return Err(FrameError::Protocol),
    };
    // No extension is ever agreed on, so the reserved bits are 0, and clients must mask.
    if first & 0x70 != 0 || second & 0x80 == 0 {
        return Err(FrameError::Protocol);
    }
    let (length, mut at) = match second & 0x7f {
        126 => match bytes.get(2..4) {
            Some(&[a, b]) => (usize::from(u16::from_be_bytes([a, b])), 4),
            _ => return Ok(None),
        },
        127 => match bytes.get(2..10).and_then(|long| long.try_into().ok()) {
            Some(long) => (
                usize::try_from(u64::from_be_bytes(long)).unwrap_or(usize::MAX),
                10,
            ),
            None => return Ok(None),
        },
        tiny => (usize::from(tiny), 2),
    };
    if length > most {
        return Err(FrameError::TooLarge);
    }
    let Some(&mask) = bytes
        .get(at..at + 4)
        .and_then(|mask| <&[u8; 4]>::try_from(mask).ok())
    else {
        return Ok(None);
    };
    at += 4;
    let Some(masked) = bytes.get(at..at + length) else {
        return Ok(None);
    };
    let payload = masked
        .iter()
        .zip(mask.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect();
    bytes.drain(..at + length);
    Ok(Some(Frame {
        last: first & 0x80 != 0,
        opcode,
        payload,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_fit_their_lengths() {
        for (len, header) in [
            (0, 2),
            (125, 2),
            (126, 4),
            (65_535, 4),
            (65_536, 10),
            (200_000, 10),
        ] {
            let mut out = vec![7; 3];
            write(&mut out, Opcode::Text, |out| {
                out.extend(std::iter::repeat_n(b'x', len));
            });
            assert_eq!(out.len(), 3 + header + len);
            assert_eq!(out[3], 0x81);
            assert!(out[3 + header..].iter().all(|&byte| byte == b'x'));
        }
    }

    #[test]
    fn a_masked_frame_is_read_when_it_is_whole() {
        let whole = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2, 0xff];
        for cut in 0..8 {
            assert_eq!(read(&mut whole[..cut].to_vec(), 10), Ok(None));
        }
        let mut bytes = whole.to_vec();
        let frame = read(&mut bytes, 10).unwrap().unwrap();
        assert_eq!(
            frame,
            Frame {
                last: true,
                opcode: Opcode::Text,
                payload: b"hi".to_vec()
            }
        );
        assert_eq!(bytes, [0xff]);
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        assert_eq!(
            read(&mut vec![0x81, 0x02, b'h', b'i'], 10),
            Err(FrameError::Protocol)
        );
        assert_eq!(
            read(&mut vec![0xc1, 0x82, 0, 0, 0, 0, 0, 0], 10),
            Err(FrameError::Protocol)
        );
        assert_eq!(
            read(&mut vec![0x83, 0x82, 0, 0, 0, 0, 0, 0], 10),
            Err(FrameError::Protocol)
        );
        assert_eq!(
            read(&mut vec![0x81, 0x8b, 0, 0, 0, 0], 10),
            Err(FrameError::TooLarge)
        );
    }
}
