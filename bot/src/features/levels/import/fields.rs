//! The fields of a source row before validation, and the names that sources use for them.

use std::fmt;

/// The fields that a row can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The user ID.
    User,
    /// The guild ID.
    Guild,
    /// Total XP.
    Xp,
    /// The level.
    Level,
    /// The number of messages.
    Messages,
}

impl Field {
    /// All fields, in the order of an export's columns.
    pub const ALL: [Self; 5] = [Self::Guild, Self::User, Self::Xp, Self::Level, Self::Messages];

    /// The name in exports, reject files and `--map`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user_id",
            Self::Guild => "guild_id",
            Self::Xp => "xp",
            Self::Level => "level",
            Self::Messages => "messages",
        }
    }
}

/// A value as found in the source. Missing values and nulls have no cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// An integer.
    Whole(i128),
    /// A number with a decimal point or an exponent, or from a floating-point column.
    Real(f64),
    /// A value that is not scalar; the text names its type.
    Other(&'static str),
}

/// The maximum length of a quotation from a source, in characters.
const QUOTED_CHARACTERS: usize = 40;

/// A short form for messages.
impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => {
                let quoted: String = text.chars().take(QUOTED_CHARACTERS).collect();
                let rest = if quoted.len() < text.len() { "…" } else { "" };
                write!(formatter, "{:?}", format!("{quoted}{rest}"))
            }
            Self::Whole(number) => number.fmt(formatter),
            Self::Real(number) => write!(formatter, "{number:e}"),
            Self::Other(what) => formatter.write_str(what),
        }
    }
}

/// The cells of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    cells: [Option<Cell>; Field::ALL.len()],
}

impl Fields {
    /// A cell, if the row has it.
    pub fn get(&self, field: Field) -> Option<&Cell> {
        self.cells[field as usize].as_ref()
    }

    /// Set the cell of a field.
    pub fn set(&mut self, field: Field, cell: Option<Cell>) {
        self.cells[field as usize] = cell;
    }

    /// The same row with a cell for a field.
    #[must_use]
    pub fn with(mut self, field: Field, cell: Cell) -> Self {
        self.set(field, Some(cell));
        self
    }
}

/// The names of fields in a source, the best one first: in a table with `id` and `user_id`, the latter is the member.
#[derive(Clone, Copy, Debug)]
struct Known {
    user: &'static [&'static str],
    guild: &'static [&'static str],
    xp: &'static [&'static str],
    level: &'static [&'static str],
    messages: &'static [&'static str],
}

/// Names used by tutorials and bots, compared without case and punctuation.
const ANY: Known = Known {
    user: &[
        "userid",
        "memberid",
        "discordid",
        "discorduserid",
        "uid",
        "user",
        "member",
        "id",
    ],
    guild: &["guildid", "serverid", "guild", "server", "gid"],
    xp: &[
        "totalxp",
        "xptotal",
        "totalexp",
        "totalexperience",
        "xp",
        "exp",
        "experience",
        "userxp",
        "points",
        "score",
    ],
    level: &["level", "lvl", "userlevel", "currentlevel"],
    messages: &[
        "messages",
        "messagecount",
        "messagescount",
        "messagessent",
        "totalmessages",
        "msgcount",
        "msgs",
    ],
};

const MEE6: Known = Known {
    user: &["id"],
    guild: &["guildid"],
    xp: &["xp"],
    level: &["level"],
    messages: &["messagecount", "messages"],
};
const LURKR: Known = Known {
    user: &["userid"],
    guild: &["guildid"],
    xp: &["xp"],
    level: &["level"],
    messages: &["messagecount"],
};
const POLARIS: Known = Known {
    user: &["id"],
    guild: &["guildid"],
    xp: &["xp"],
    level: &["level"],
    messages: &[],
};
const XPD: Known = Known {
    user: &["id"],
    guild: &[],
    xp: &["xp"],
    level: &[],
    messages: &[],
};

/// The bot or kind of file that a source comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Detect from the file
    #[default]
    Auto,
    /// A SQLite database
    Sqlite,
    /// JSON in any of the usual shapes
    Json,
    /// CSV with a header
    Csv,
    /// MEE6: leaderboard pages in JSON, or CSV
    Mee6,
    /// Polaris: JSON or CSV
    Polaris,
    /// Lurkr: JSON
    Lurkr,
    /// Experienced (xpd): JSON
    Xpd,
}

/// The field names to look for in one source.
#[derive(Clone, Debug)]
pub struct Names {
    known: Known,
    mapped: Vec<(Field, String)>,
}

/// Why a `--map` is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The syntax is wrong.
    #[error("{0:?} is not FIELD=COLUMN: --map user_id=member,xp=points is one")]
    Form(String),
    /// The field is unknown.
    #[error("there is no field {0:?} to map: the fields are guild_id, user_id, xp, level, messages")]
    Field(String),
    /// A field is mapped twice.
    #[error("{0} is mapped twice")]
    Twice(&'static str),
}

/// Parse `user_id=member,xp=points`.
pub fn parse_map(text: &str) -> Result<Vec<(Field, String)>, MapError> {
    let mut mapped: Vec<(Field, String)> = Vec::new();
    for pair in text.split(',') {
        let (name, column) = pair
            .split_once('=')
            .filter(|(_, column)| !column.trim().is_empty())
            .ok_or_else(|| MapError::Form(pair.to_owned()))?;
        let field = *Field::ALL
            .iter()
            .find(|field| field.name() == name.trim())
            .ok_or_else(|| MapError::Field(name.trim().to_owned()))?;
        if mapped.iter().any(|(earlier, _)| *earlier == field) {
            return Err(MapError::Twice(field.name()));
        }
        mapped.push((field, column.trim().to_owned()));
    }
    Ok(mapped)
}

impl Names {
    /// The names of a bot's exports, with the operator's mappings applied.
    pub fn new(format: Format, mapped: Vec<(Field, String)>) -> Self {
        let known = match format {
            Format::Auto | Format::Sqlite | Format::Json | Format::Csv => ANY,
            Format::Mee6 => MEE6,
            Format::Polaris => POLARIS,
            Format::Lurkr => LURKR,
            Format::Xpd => XPD,
        };
        Self { known, mapped }
    }

    /// The field of a column or key with this name, and the quality of the match: lower is better.
    pub fn field(&self, name: &str) -> Option<(Field, usize)> {
        if let Some((field, _)) = self.mapped.iter().find(|(_, column)| column == name) {
            return Some((*field, 0));
        }
        let plain = plain(name);
        Field::ALL
            .into_iter()
            .filter(|field| self.mapped(*field).is_none())
            .find_map(|field| {
                let names = self.known.of(field);
                names
                    .iter()
                    .position(|known| *known == plain)
                    .map(|rank| (field, rank))
            })
    }

    /// The name that the operator mapped to a field.
    pub fn mapped(&self, field: Field) -> Option<&str> {
        self.mapped
            .iter()
            .find(|(mapped, _)| *mapped == field)
            .map(|(_, column)| column.as_str())
    }

    /// The candidate columns for each field, the best name first.
    ///
    /// # Errors
    ///
    /// A column named by the operator is missing.
    pub fn columns<T: AsRef<str>>(&self, header: &[T]) -> Result<Columns, MissingColumn> {
        let mut found: [Vec<(usize, usize)>; Field::ALL.len()] = Default::default();
        for (index, column) in header.iter().enumerate() {
            if let Some((field, rank)) = self.field(column.as_ref().trim()) {
                found[field as usize].push((rank, index));
            }
        }
        let columns = Columns(found.map(|mut found| {
            found.sort_unstable();
            found.into_iter().map(|(_, index)| index).collect()
        }));
        for (field, column) in &self.mapped {
            if columns.best(*field).is_none() {
                return Err(MissingColumn(column.clone()));
            }
        }
        Ok(columns)
    }
}

/// The positions of the fields among named columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns([Vec<usize>; Field::ALL.len()]);

impl Columns {
    /// The column with the best name for a field.
    pub fn best(&self, field: Field) -> Option<usize> {
        self.0[field as usize].first().copied()
    }

    /// The columns to try for a field's value. Several can have an ID: in some files `user` is a name, and `id` the ID.
    pub fn of(&self, field: Field) -> &[usize] {
        let all = self.0[field as usize].as_slice();
        match field {
            Field::User | Field::Guild => all,
            Field::Xp | Field::Level | Field::Messages => all.get(..1).unwrap_or_default(),
        }
    }
}

/// A mapped column that the source lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingColumn(pub String);

impl Known {
    const fn of(&self, field: Field) -> &'static [&'static str] {
        match field {
            Field::User => self.user,
            Field::Guild => self.guild,
            Field::Xp => self.xp,
            Field::Level => self.level,
            Field::Messages => self.messages,
        }
    }
}

/// A name without case and punctuation.
pub fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Field, Format, MapError, Names, parse_map};

    #[test]
    fn the_best_name_of_a_field_wins() {
        let names = Names::new(Format::Auto, Vec::new());
        let columns = names
            .columns(&["id", "User ID", "xp", "total_xp", "Lvl", "guildId", "note"])
            .expect("nothing is mapped");
        assert_eq!(columns.of(Field::User), [1, 0]);
        assert_eq!(columns.of(Field::Xp), [3]);
        assert_eq!(columns.best(Field::Level), Some(4));
        assert_eq!(columns.best(Field::Guild), Some(5));
        assert_eq!(columns.best(Field::Messages), None);
    }

    #[test]
    fn a_mapping_replaces_the_known_names() {
        let mapped = parse_map("user_id=member, xp = points").expect("a mapping");
        let names = Names::new(Format::Csv, mapped);
        let columns = names
            .columns(&["user_id", "member", "xp", "points"])
            .expect("both are there");
        assert_eq!(columns.of(Field::User), [1]);
        assert_eq!(columns.of(Field::Xp), [3]);
        assert_eq!(
            names.columns(&["user_id"]).expect_err("member is not there").0,
            "member"
        );
    }

    #[test]
    fn mistakes_in_a_mapping_are_named() {
        assert_eq!(parse_map("xp"), Err(MapError::Form("xp".to_owned())));
        assert_eq!(parse_map("xp="), Err(MapError::Form("xp=".to_owned())));
        assert_eq!(parse_map("name=x"), Err(MapError::Field("name".to_owned())));
        assert_eq!(parse_map("xp=a,xp=b"), Err(MapError::Twice("xp")));
    }
}
