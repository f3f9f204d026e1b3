//! Colours of a card: parsing, storing, and legibility on a dark background.

use std::fmt;

/// An RGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

/// The minimum contrast for text that most people can read, and for a visible bar: <https://www.w3.org/TR/WCAG22/#contrast-minimum>.
const LEGIBLE: f32 = 4.5;

impl Colour {
    /// A colour from its components.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Parse `#RRGGBB` or `#RGB`, with or without the `#`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix('#').unwrap_or(text);
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        match digits.len() {
            6 => Some(Self::of_number(number)),
            3 => {
                let digit = |shift: u32| ((number >> shift) & 0xF).to_le_bytes()[0] * 0x11;
                Some(Self::new(digit(8), digit(4), digit(0)))
            }
            _ => None,
        }
    }

    /// A colour from `0xRRGGBB`; higher bits are ignored.
    pub const fn of_number(number: u32) -> Self {
        let [blue, green, red, _] = number.to_le_bytes();
        Self { red, green, blue }
    }

    /// A colour from a column of the database; `None` if the value is not a colour.
    pub fn from_db(number: i64) -> Option<Self> {
        let number = u32::try_from(number).ok()?;
        (number <= 0xFF_FF_FF).then(|| Self::of_number(number))
    }

    /// The value for a column of the database: `0xRRGGBB`.
    pub const fn to_db(self) -> i64 {
        i64::from_le_bytes([self.blue, self.green, self.red, 0, 0, 0, 0, 0])
    }

    /// This colour, mixed with as much white as is needed for legibility on `ground`.
    #[must_use]
    pub fn legible_on(self, ground: Self) -> Self {
        (0..=20_u8)
            .map(|twentieths| self.mixed(Self::new(255, 255, 255), f32::from(twentieths) / 20.0))
            .find(|colour| colour.contrast(ground) >= LEGIBLE)
            .unwrap_or(Self::new(255, 255, 255))
    }

    /// A mixture of `part` (0 to 1) of another colour and the rest of this one.
    #[must_use]
    pub fn mixed(self, other: Self, part: f32) -> Self {
        let mix = |a: u8, b: u8| {
            let mixed = f32::from(a) + (f32::from(b) - f32::from(a)) * part;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two bytes"
            )]
            let byte = mixed.round() as u8;
            byte
        };
        Self::new(
            mix(self.red, other.red),
            mix(self.green, other.green),
            mix(self.blue, other.blue),
        )
    }

    /// The contrast ratio, from 1 (equal) to 21 (black on white): <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>.
    pub fn contrast(self, other: Self) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f32 {
        let linear = |byte: u8| {
            let value = f32::from(byte) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{:02X}{:02X}{:02X}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests;
