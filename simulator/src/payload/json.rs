//! Writing JSON by hand, for the payloads of which there are a hundred thousand a second.

/// Appends text unchanged.
pub(crate) fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends a number.
pub(crate) fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends an id as Discord writes it: a string.
pub(crate) fn id(out: &mut Vec<u8>, value: u64) {
    out.push(b'"');
    number(out, value);
    out.push(b'"');
}

/// Appends 32 hexadecimal digits that follow from a number, as the hashes of pictures look.
pub(crate) fn hex(out: &mut Vec<u8>, hash: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for half in [hash, hash.rotate_left(29) ^ 0x5bd1_e995_5bd1_e995] {
        for byte in half.to_be_bytes() {
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

/// Appends a quoted timestamp in the form `2026-11-21T10:32:00.123000+00:00`.
pub(crate) fn timestamp(out: &mut Vec<u8>, unix_ms: u64) {
    let (days, in_day) = (unix_ms / 86_400_000, unix_ms % 86_400_000);
    // Civil date from a day number, after Howard Hinnant's chrono-compatible algorithms.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    out.push(b'"');
    digits::<4>(out, year);
    out.push(b'-');
    digits::<2>(out, month);
    out.push(b'-');
    digits::<2>(out, day);
    out.push(b'T');
    digits::<2>(out, in_day / 3_600_000);
    out.push(b':');
    digits::<2>(out, in_day / 60_000 % 60);
    out.push(b':');
    digits::<2>(out, in_day / 1_000 % 60);
    out.push(b'.');
    digits::<3>(out, in_day % 1_000);
    raw(out, "000+00:00\"");
}

fn digits<const WIDTH: usize>(out: &mut Vec<u8>, mut value: u64) {
    let mut text = [b'0'; WIDTH];
    for digit in text.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
    out.extend_from_slice(&text);
}

/// A timestamp as Discord writes it, without quotes.
pub(crate) fn timestamp_text(unix_ms: u64) -> String {
    let mut out = Vec::with_capacity(34);
    timestamp(&mut out, unix_ms);
    String::from_utf8_lossy(&out).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_those_of_the_calendar() {
        for (unix_ms, expected) in [
            (0, "1970-01-01T00:00:00.000000+00:00"),
            (951_782_400_000, "2000-02-29T00:00:00.000000+00:00"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999000+00:00"),
            (1_795_256_523_007, "2026-11-21T10:22:03.007000+00:00"),
        ] {
            assert_eq!(timestamp_text(unix_ms), expected);
        }
    }
}
