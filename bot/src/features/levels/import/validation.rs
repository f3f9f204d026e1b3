//! Validates rows: each becomes an entry for a member, or a reason for rejection. Pure.

use std::fmt;

use thiserror::Error;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::{
    fields::{Cell, Field, Fields},
    ids::{self, Ids},
};
use crate::{
    settings::values::curve::{self, Curve},
    support::ids::{MemberKey, Millis},
};

/// The highest plausible XP.
const MOST: u64 = curve::MOST_XP;

/// The kind of ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A member's.
    User,
    /// A guild's.
    Guild,
}

impl fmt::Display for Whose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::User => "user",
            Self::Guild => "guild",
        })
    }
}

/// Why a row is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// It has no user ID.
    #[error("no user id")]
    NoUser,
    /// It has no guild ID, and none was given.
    #[error("no guild ID: pass --guild")]
    NoGuild,
    /// It has neither XP nor a level.
    #[error("no XP and no level")]
    NoXp,
    /// An ID was certainly rounded.
    #[error("the {whose} id {text} was rounded by the tool that wrote it: export ids as text")]
    Rounded {
        /// The kind of ID.
        whose: Whose,
        /// The value in the source.
        text: String,
    },
    /// A value is not a Discord ID.
    #[error("{text} is no {whose} id of Discord's: {why}")]
    NoSnowflake {
        /// The kind of ID.
        whose: Whose,
        /// The value in the source.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A number is invalid or implausible.
    #[error("{} {text}: {why}", field.name())]
    Number {
        /// The field.
        field: Field,
        /// The value in the source.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The member already had a row.
    #[error("the member has an earlier row in this file, which counts")]
    Repeated,
    /// A CSV record has more or fewer fields than the header, so its fields cannot be assigned.
    #[error("{found} fields where the header has {expected}")]
    Columns {
        /// The number of fields in the record.
        found: usize,
        /// The number of fields in the header.
        expected: usize,
    },
    /// A quotation mark in a CSV field is unclosed or followed by text.
    #[error("quotation marks that do not pair up")]
    Quote,
    /// A CSV line exceeds the maximum length.
    #[error("the line is longer than 64 KiB")]
    Long,
    /// The text is not valid UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// A list of members contains something else.
    #[error("{0} where a member is expected")]
    NoObject(&'static str),
    /// The file contains an error response instead of members.
    #[error(
        "an error of the server that the file comes from, where members are expected: fetch this page again"
    )]
    ErrorPage,
    /// Pages of the leaderboard are missing in the file.
    #[error("missing pages: {0}; fetch them, and import the file with all pages")]
    MissingPages(String),
}

impl Reason {
    /// The key by which it is counted in the summary.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoUser => "no user id",
            Self::NoGuild => "no guild id",
            Self::NoXp => "no XP and no level",
            Self::Rounded { .. } => "an id that was rounded",
            Self::NoSnowflake { .. } => "an id that is none of Discord's",
            Self::Number { .. } => "a number that cannot be read",
            Self::Repeated => "a member who has an earlier row in the file",
            Self::Columns { .. } => "another number of fields than the header",
            Self::Quote => "quotation marks that do not pair up",
            Self::Long => "a line that is too long",
            Self::Encoding => "not UTF-8",
            Self::NoObject(_) => "not a member",
            Self::ErrorPage => "an error instead of members",
            Self::MissingPages(_) => "missing pages",
        }
    }
}

/// The meaning of `xp` in a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum XpMeaning {
    /// Everything that a member has earned
    #[default]
    Total,
    /// What a member has earned since reaching the level
    InLevel,
}

/// The validated data of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The member.
    pub key: MemberKey,
    /// Total XP.
    pub xp: u64,
    /// Messages, if the source has them.
    pub messages: Option<u64>,
    /// How the XP was derived.
    pub origin: Origin,
}

/// How an entry's XP was derived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Only a level was given: the XP is the start of that level.
    pub level_only: bool,
    /// A fraction was cut off.
    pub fraction: bool,
    /// The given level needs more XP on our curve.
    pub below_level: bool,
}

/// The result of validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validated {
    /// To be imported.
    Entry(Entry),
    /// Belongs to a guild that is not imported.
    Elsewhere,
}

/// The parameters of validation.
#[derive(Clone, Copy, Debug)]
pub struct Validator {
    /// The only guild to import; rows without a guild are assigned to it.
    pub guild: Option<Id<GuildMarker>>,
    /// The meaning of `xp`.
    pub xp: XpMeaning,
    /// The current time: IDs from the future are invalid.
    pub now: Millis,
}

impl Validator {
    /// Validate a row.
    ///
    /// # Errors
    ///
    /// Why it cannot be imported.
    pub fn validate(&self, fields: &Fields) -> Result<Validated, Reason> {
        let user = ids::read(
            present(fields, Field::User).ok_or(Reason::NoUser)?,
            Whose::User,
            self.now,
        )?;
        let guild = present(fields, Field::Guild).map(|cell| ids::read(cell, Whose::Guild, self.now));
        let guild = match guild {
            // Such as the guild's name; the ID given on the command line has precedence.
            Some(Err(Reason::NoSnowflake { .. })) if self.guild.is_some() => None,
            guild => guild.transpose()?,
        };
        let (guild, user) = match (guild, user) {
            (Some(Ids::One(guild)), Ids::One(user) | Ids::Pair(_, user)) | (_, Ids::Pair(guild, user)) => {
                (guild, user)
            }
            (Some(Ids::Pair(guild, _)), Ids::One(user)) => (guild, user),
            (None, Ids::One(user)) => (self.guild.ok_or(Reason::NoGuild)?.get(), user),
        };
        let key = MemberKey {
            guild_id: Id::<GuildMarker>::new(guild),
            user_id: Id::<UserMarker>::new(user),
        };
        let (xp, origin) = self.xp(fields)?;
        let messages = number(fields, Field::Messages)?.map(|(messages, _)| messages);
        if self.guild.is_some_and(|asked| asked != key.guild_id) {
            return Ok(Validated::Elsewhere);
        }
        Ok(Validated::Entry(Entry {
            key,
            xp,
            messages,
            origin,
        }))
    }

    fn xp(&self, fields: &Fields) -> Result<(u64, Origin), Reason> {
        let level = match number(fields, Field::Level)? {
            None => None,
            Some((level, _)) => Some(
                u32::try_from(level)
                    .ok()
                    .filter(|level| *level <= curve::MAX_LEVEL)
                    .ok_or_else(|| wrong(fields, Field::Level, "there is no such level"))?,
            ),
        };
        let mut origin = Origin::default();
        let xp = match (number(fields, Field::Xp)?, level, self.xp) {
            (None, None, _) => return Err(Reason::NoXp),
            (None, Some(level), _) => {
                origin.level_only = true;
                Curve::Mee6.xp_at(level)
            }
            (Some(_), None, XpMeaning::InLevel) => {
                return Err(wrong(fields, Field::Xp, "XP within a level needs the level"));
            }
            (Some((xp, fraction)), Some(level), XpMeaning::InLevel) => {
                origin.fraction = fraction;
                // Steps of another curve may be longer; the level stays the same.
                xp.saturating_add(Curve::Mee6.xp_at(level))
                    .min(Curve::Mee6.xp_at(level + 1) - 1)
            }
            (Some((xp, fraction)), level, XpMeaning::Total) => {
                origin.fraction = fraction;
                origin.below_level = level.is_some_and(|level| xp < Curve::Mee6.xp_at(level));
                xp
            }
        };
        if xp > MOST {
            return Err(wrong(fields, Field::Xp, "more than the highest level takes"));
        }
        Ok((xp, origin))
    }
}

/// A cell that is not empty.
fn present(fields: &Fields, field: Field) -> Option<&Cell> {
    fields
        .get(field)
        .filter(|cell| !matches!(cell, Cell::Text(text) if text.trim().is_empty()))
}

fn wrong(fields: &Fields, field: Field, why: &'static str) -> Reason {
    Reason::Number {
        field,
        text: fields.get(field).map(ToString::to_string).unwrap_or_default(),
        why,
    }
}

/// A count, and whether a fraction was truncated.
fn number(fields: &Fields, field: Field) -> Result<Option<(u64, bool)>, Reason> {
    let Some(cell) = present(fields, field) else {
        return Ok(None);
    };
    let wrong = |why| wrong(fields, field, why);
    let whole = |number: i128| {
        u64::try_from(number)
            .ok()
            .filter(|number| *number <= MOST)
            .map(|number| Some((number, false)))
            .ok_or_else(|| {
                wrong(if number < 0 {
                    "less than 0"
                } else {
                    "more than the highest level takes"
                })
            })
    };
    let real = |number: f64| {
        if !number.is_finite() || number < 0.0 {
            return Err(wrong("not a number from 0 on"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not negative, and a cast of too large a one gives the largest, which is refused"
        )]
        let floor = number as u64;
        if floor > MOST {
            return Err(wrong("more than the highest level takes"));
        }
        Ok(Some((floor, number.fract() != 0.0)))
    };
    match cell {
        Cell::Whole(number) => whole(*number),
        Cell::Real(number) => real(*number),
        Cell::Other(_) => Err(wrong("not a number")),
        Cell::Text(text) => match (text.trim().parse::<i128>(), text.trim().parse::<f64>()) {
            (Ok(number), _) => whole(number),
            (_, Ok(number)) => real(number),
            _ => Err(wrong("not a number")),
        },
    }
}

#[cfg(test)]
mod tests;
