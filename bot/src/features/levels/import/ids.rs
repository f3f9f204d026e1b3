//! Discord IDs, and the detection of IDs rounded by tools.
//!
//! JavaScript's JSON numbers, floating-point columns and spreadsheets keep about 16 digits; an ID has 17 to 19. A rounded ID belongs to
//! another member or to none, so a file with rounded IDs must not be imported.

use twilight_model::id::Id;

use super::{
    fields::Cell,
    validation::{Reason, Whose},
};
use crate::support::ids::{self, Millis};

/// The lowest possible ID: 17 digits. It is of 28 January 2015, before Discord had users.
const LEAST: u64 = 10_000_000_000_000_000;

/// Tolerance for clock differences. Discord cannot have created an ID further in the future than this.
const CLOCK_SKEW_MS: Millis = 24 * 60 * 60 * 1000;

/// The minimum number of digits of an ID where a number could be something else.
const ID_DIGITS: usize = 15;

/// The content of an ID field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// A single ID.
    One(u64),
    /// A guild ID and a user ID, as tutorials combine them into keys: `GUILD-USER`.
    Pair(u64, u64),
}

/// Parse an ID.
///
/// # Errors
///
/// Why the value is not an ID.
pub fn read(cell: &Cell, whose: Whose, now: Millis) -> Result<Ids, Reason> {
    let not = |why| Reason::NoSnowflake {
        whose,
        text: cell.to_string(),
        why,
    };
    match cell {
        Cell::Whole(number) => check(*number, now).map(Ids::One).map_err(not),
        Cell::Real(number) if number.abs() >= 1e15 => Err(Reason::Rounded {
            whose,
            text: cell.to_string(),
        }),
        Cell::Real(_) => Err(not("it is no whole number")),
        Cell::Other(_) => Err(not("it is no number")),
        Cell::Text(text) => {
            let text = bare(text);
            if let Ok(number) = text.parse::<i128>() {
                return check(number, now).map(Ids::One).map_err(not);
            }
            if let Some((guild, user)) = pair(text) {
                let one = |digits: &str| {
                    let number = digits.parse().map_err(|_long| not("it has too many digits"))?;
                    check(number, now).map_err(not)
                };
                return Ok(Ids::Pair(one(guild)?, one(user)?));
            }
            if is_real(text) {
                return Err(Reason::Rounded {
                    whose,
                    text: cell.to_string(),
                });
            }
            Err(not("it is no number"))
        }
    }
}

/// Whether a value may be meant as an ID, even an invalid one: long enough, and made of digits.
pub fn may_be_one(cell: &Cell) -> bool {
    match cell {
        Cell::Whole(number) => number.unsigned_abs() >= 10_u128.pow(14),
        Cell::Real(number) => number.abs() >= 1e14,
        Cell::Text(text) => is_long_key(bare(text)) || pair(text).is_some() || is_real(bare(text)),
        Cell::Other(_) => false,
    }
}

/// Whether an object key looks like an ID, or like a guild ID and a user ID combined.
pub fn is_key(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        || pair(text).is_some()
        || is_real(text)
}

/// Whether a key is long enough to be a guild ID.
pub fn is_long_key(text: &str) -> bool {
    text.len() >= ID_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text without the marks that make spreadsheets treat it as text: `="123"`, `'123`.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix('=').unwrap_or(text);
    text.trim_matches(['"', '\''])
}

/// The only ID in a text with other words around it, such as `xp_USER`.
pub fn only(text: &str) -> Option<&str> {
    let mut ids = text
        .split(|character: char| !character.is_ascii_digit())
        .filter(|digits| digits.len() >= ID_DIGITS);
    let id = ids.next()?;
    ids.next().is_none().then_some(id)
}

/// Two IDs in one text, separated and surrounded by non-digits.
fn pair(text: &str) -> Option<(&str, &str)> {
    let mut ids = text
        .split(|character: char| !character.is_ascii_digit())
        .filter(|digits| digits.len() >= ID_DIGITS);
    let (guild, user) = (ids.next()?, ids.next()?);
    ids.next().is_none().then_some((guild, user))
}

/// Whether the text is a number of an ID's size, written with a point, a comma or an exponent.
fn is_real(text: &str) -> bool {
    text.starts_with(|character: char| character.is_ascii_digit())
        && text
            .replace(',', ".")
            .parse::<f64>()
            .is_ok_and(|number| (1e15..1e21).contains(&number))
}

fn check(number: i128, now: Millis) -> Result<u64, &'static str> {
    let Ok(id) = u64::try_from(number) else {
        return Err(if number < 0 {
            "an id is not negative"
        } else {
            "it has too many digits"
        });
    };
    if id == 0 {
        return Err("0 is no id");
    }
    if id < LEAST {
        return Err("ids have 17 digits or more");
    }
    let made = ids::millis::<()>(Id::new(id));
    if made > now.saturating_add(CLOCK_SKEW_MS) {
        return Err("it lies in the future");
    }
    Ok(id)
}

/// The probability below which a file's IDs are rejected: the chance of rejecting a healthy file.
const REFUSED_BY_ACCIDENT: f64 = 1e-6;

/// At least this many IDs are needed before the fact that all are multiples of 2ⁿ has any weight, and this many must not be multiples of
/// the next power.
const FEWEST_MULTIPLES: u64 = 8;
const FEWEST_ODD_MULTIPLES: u64 = 3;

/// Numbers with an exponent make the whole file suspect if there are at least this many of them...
const FEWEST_REALS: u64 = 3;
/// ...and they exceed one in this many IDs.
const REALS_ONE_IN: u64 = 100;

/// Statistics over the distinct IDs of a file.
///
/// A 64-bit floating-point number has 53 bits, so in the range of IDs the representable numbers are 2ⁿ apart: 16 in 2015, 128 since 2019,
/// 256 since 2023. JavaScript prints such a number with the fewest digits that distinguish it from its neighbours, then zeros: one zero if
/// they are 16 to 64 apart, two from 128 on. The output of a spreadsheet (15 digits, then zeros) looks the same.
///
/// A healthy ID looks like that by accident once in 2ⁿ times, and once in 5 (for one zero) or 25 (for two) if its lower bits are 0, as
/// those of many IDs are. The calculation accounts for the latter, so one such ID proves nothing, and many are proof: a file is rejected if
/// its IDs would occur by accident less than once in a million files. That takes 5 IDs of recent years in a row.
///
/// Other tools print the exact value, a multiple of 2ⁿ. IDs whose lower bits are 0 are multiples too, but of 4,096.
#[derive(Debug, Default)]
pub struct Rounding {
    ids: u64,
    /// IDs that look like JavaScript's output after rounding, and the number of them expected by chance.
    shortest: u64,
    expected: f64,
    /// The logarithm of the probability of the current run of such IDs, and where the run began.
    run: f64,
    run_began: String,
    multiples: u64,
    odd_multiples: u64,
    /// IDs written with an exponent or a point.
    reals: u64,
    first: Option<String>,
    found: Option<Rounded>,
}

/// Evidence that a file's IDs were rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rounded {
    /// The position of the first one.
    pub at: String,
    /// How they look.
    pub how: &'static str,
    /// The number of IDs that look this way.
    pub count: u64,
    /// The number of IDs checked.
    pub of: u64,
}

impl Rounding {
    /// Add an ID that was not seen before. `at` is called only if needed.
    pub fn see(&mut self, id: u64, at: impl Fn() -> String) {
        self.ids += 1;
        let spacing = spacing(id);
        let chance = match spacing {
            0..10 => 1.0,
            10..100 => 1.0 / 5.0,
            _ => 1.0 / 25.0,
        };
        self.expected += chance;
        if id.is_multiple_of(spacing) {
            self.multiples += 1;
            self.odd_multiples += u64::from(!(id / spacing).is_multiple_of(2));
        }
        if !is_shortest(id) {
            self.run = 0.0;
            return;
        }
        self.shortest += 1;
        if self.run == 0.0 {
            self.run_began = at();
        }
        self.first.get_or_insert_with(at);
        self.run += chance.ln();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
        let runs = (self.ids as f64).ln();
        if self.found.is_none() && self.run + runs < REFUSED_BY_ACCIDENT.ln() {
            self.found = Some(Rounded {
                at: self.run_began.clone(),
                how: "look as JavaScript or a spreadsheet writes them after rounding",
                count: 0,
                of: 0,
            });
        }
    }

    /// Add an ID written with an exponent or a point; its row is rejected.
    pub fn see_real(&mut self, at: impl Fn() -> String) {
        self.ids += 1;
        self.reals += 1;
        self.first.get_or_insert_with(at);
    }

    /// The evidence, if the file must be rejected.
    pub fn verdict(&self) -> Option<Rounded> {
        let first = || self.first.clone().unwrap_or_default();
        if let Some(found) = &self.found {
            return Some(Rounded {
                count: self.shortest,
                of: self.ids,
                ..found.clone()
            });
        }
        if self.reals >= FEWEST_REALS && self.reals * REALS_ONE_IN >= self.ids {
            return Some(Rounded {
                at: first(),
                how: "are written with an exponent or a point",
                count: self.reals,
                of: self.ids,
            });
        }
        if self.is_too_many() {
            return Some(Rounded {
                at: first(),
                how: "look as JavaScript or a spreadsheet writes them after rounding",
                count: self.shortest,
                of: self.ids,
            });
        }
        let multiples = self.ids >= FEWEST_MULTIPLES && self.multiples == self.ids;
        (multiples && self.odd_multiples >= FEWEST_ODD_MULTIPLES).then(|| Rounded {
            at: first(),
            how: "are numbers that a 64-bit floating point number can hold, which one in a hundred would be",
            count: self.multiples,
            of: self.ids,
        })
    }

    /// The position, and the odds (one in N at most) that the few IDs of a small file look rounded by accident; `None` if they do not look
    /// rounded.
    pub fn suspicion(&self) -> Option<(String, u64)> {
        if self.shortest == 0 || self.shortest < self.ids {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a million, or the file is refused"
        )]
        let one_in = (-self.run).exp().round() as u64;
        Some((self.first.clone().filter(|_| one_in > 1)?, one_in))
    }

    /// Whether as many IDs look rounded as in one of a million healthy files: of independent events, k occur with a probability of at most
    /// the mean to the power of k, divided by k factorial.
    fn is_too_many(&self) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
        let count = self.shortest as f64;
        if count <= self.expected {
            return false;
        }
        // By Stirling's formula, ln k! is at least k ln k - k.
        let bound = count * self.expected.ln() - (count * count.ln() - count);
        bound < REFUSED_BY_ACCIDENT.ln()
    }
}

/// The distance between adjacent 64-bit floating-point numbers at this value.
fn spacing(id: u64) -> u64 {
    1 << id.ilog2().saturating_sub(f64::MANTISSA_DIGITS - 1)
}

/// Whether the ID equals what JavaScript would print for it after rounding.
fn is_shortest(id: u64) -> bool {
    // 17 digits distinguish any two numbers, so longer output ends with zeros.
    if id >= 100_000_000_000_000_000 && !id.is_multiple_of(10) {
        return false;
    }
    #[expect(clippy::cast_precision_loss, reason = "this is the rounding in question")]
    let rounded = id as f64;
    // Display formats as JavaScript does: the shortest digits, then zeros.
    rounded.to_string() == id.to_string()
}

#[cfg(test)]
mod tests;
