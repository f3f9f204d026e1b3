//! Avatars, as the CDN has them: small PNGs, the same for the same address.

use std::io::Write as _;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use flate2::{Compression, Crc, write::ZlibEncoder};

use crate::{hub::Hub, snowflake::mix};

/// Cells of the pattern on each side, of which the right half mirrors the left one.
const CELLS: usize = 6;

/// What a path of the CDN holds: `None` where there is nothing.
pub(super) fn answer(path: &str, query: &str) -> Option<Response> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (["avatars", user, file] | ["guilds", _, "users", user, "avatars", file]) = segments[..] else {
        return None;
    };
    let user: u64 = user.parse().ok()?;
    let hash = file.strip_suffix(".png")?;
    let digits = hash.strip_prefix("a_").unwrap_or(hash);
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("size="));
    let side = asked.and_then(|size| size.parse().ok()).unwrap_or(128_u16);
    if !side.is_power_of_two() || !(16..=512).contains(&side) {
        return None;
    }
    let seed = digits
        .bytes()
        .fold(user, |seed, byte| mix(seed ^ u64::from(byte)));
    let mut response = Response::new(Body::from(picture(seed, side)));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    Some(response)
}

/// The file that a user has given as an option; 404 for one whose link has expired.
pub(super) fn upload(hub: &Hub, path: &str) -> Option<Response> {
    let id = path.strip_prefix("/ephemeral-attachments/")?.split('/').next()?;
    let rest = hub.rest();
    let file = id.parse().ok().and_then(|id: u64| rest.uploads.get(&id));
    let mut response = Response::new(file.map_or_else(Body::empty, |file| Body::from(file.content.clone())));
    let kind = file.and_then(|file| HeaderValue::from_str(&file.content_type).ok());
    match kind {
        Some(kind) => drop(response.headers_mut().insert(header::CONTENT_TYPE, kind)),
        None => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    Some(response)
}

/// A mirrored pattern of two colours. <https://www.w3.org/TR/png-3/>
fn picture(seed: u64, side: u16) -> Vec<u8> {
    let [red, green, blue, ..] = mix(seed).to_le_bytes();
    let bright = [red | 0x60, green | 0x60, blue | 0x60];
    let dark = bright.map(|channel| channel / 4);
    let side_pixels = usize::from(side);
    let mut rows = Vec::with_capacity(side_pixels * (1 + 3 * side_pixels));
    for y in 0..side_pixels {
        // No filter.
        rows.push(0);
        for x in 0..side_pixels {
            let (column, row) = (x * CELLS / side_pixels, y * CELLS / side_pixels);
            let cell = row * CELLS / 2 + column.min(CELLS - 1 - column);
            let set = (seed >> cell) & 1 == 1;
            rows.extend(if set { bright } else { dark });
        }
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    // A vector takes everything.
    drop(packed.write_all(&rows));
    let packed = packed.finish().unwrap_or_default();
    let side = u32::from(side).to_be_bytes();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    // Eight bits, red, green and blue.
    chunk(&mut png, *b"IHDR", &[&side[..], &side, &[8, 2, 0, 0, 0]].concat());
    chunk(&mut png, *b"IDAT", &packed);
    chunk(&mut png, *b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    png.extend(u32::try_from(content.len()).unwrap_or(0).to_be_bytes());
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(content);
    png.extend(kind);
    png.extend(content);
    png.extend(sum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::{answer, picture};

    #[test]
    fn avatars_stand_at_addresses_of_ids_and_hashes() {
        let hash = "0123456789abcdef0123456789abcdef";
        let there = |path: &str, query: &str| answer(path, query).is_some();
        assert!(there(&format!("/avatars/5/{hash}.png"), ""));
        assert!(there(&format!("/avatars/5/a_{hash}.png"), "size=256"));
        assert!(there(&format!("/guilds/7/users/5/avatars/{hash}.png"), "size=64"));
        for (path, query) in [
            (format!("/avatars/5/{hash}.gif"), ""),
            (format!("/avatars/x/{hash}.png"), ""),
            ("/avatars/5/0123.png".to_owned(), ""),
            (format!("/avatars/5/{hash}.png"), "size=100"),
            (format!("/icons/5/{hash}.png"), ""),
        ] {
            assert!(!there(&path, query), "{path}?{query}");
        }
    }

    #[test]
    fn the_same_address_has_the_same_picture() {
        assert_eq!(picture(1, 64), picture(1, 64));
        assert_ne!(picture(1, 64), picture(2, 64));
        assert!(picture(1, 256).len() < 10_000);
    }
}
