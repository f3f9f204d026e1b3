//! The definition of a setting: what it can be, how people write it, and how it is shown.

use serde_json::Value as Json;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, RoleMarker},
};

use crate::{
    settings::{GuildSettings, change::Change, table::Stored, text_form},
    support::{
        i18n::{Language, Value},
        ids,
        text::{
            limits::excerpt,
            template::{MAX_CHARS, Placeholder, Template, TemplateFault},
        },
    },
};

/// Characters of a text in a list of settings.
const EXCERPT_CHARS: usize = 60;

/// A setting of a section.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name of the struct's field, and the key in `guild_section.settings`.
    pub name: &'static str,
    /// What it can be.
    pub kind: Kind,
    /// For a setting that is a column of `guild_settings`.
    pub column: Option<Column>,
}

/// A setting that is a column of `guild_settings`, from before there were sections.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The value in a row; null for the default.
    pub read: fn(&Stored) -> Json,
    /// The change to a value that the setting accepts; `None` is the default.
    pub change: fn(Option<Json>) -> Change,
    /// The default, from the settings of a guild that has chosen nothing.
    pub usual: fn(&GuildSettings) -> Json,
}

/// What a setting can be. Each kind has one form in JSON.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// On or off: a boolean.
    Switch,
    /// A whole number from 1 up to this one, or off: a number, 0 for off.
    Limit(i64),
    /// A text of up to this many characters, which can be empty.
    Text(usize),
    /// A text with these placeholders; empty for none.
    Template(&'static [Placeholder]),
    /// A channel, or none: its ID as a number, or null.
    Channel,
    /// Up to this many roles: their IDs as numbers.
    Roles(usize),
    /// One of these words: a string.
    Choice(Words),
    /// One of these words, or a channel: a string, or the channel's ID as a number.
    ChannelOr(Words),
    /// A text of up to this many characters for use in messages, without spaces and without what Discord gives a meaning; empty for none.
    Mark(usize),
}

/// Words to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// As they are stored and written.
    pub all: &'static [&'static str],
    /// What their texts begin with: `TEXTS-WORD`, with dashes instead of underscores.
    pub texts: &'static str,
}

/// The roles and channels that a setting names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Roles.
    pub roles: Vec<Id<RoleMarker>>,
    /// Channels.
    pub channels: Vec<Id<ChannelMarker>>,
}

/// Why a text is no value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueFault {
    /// It is neither on nor off.
    Switch,
    /// It is no number up to this one.
    Limit(i64),
    /// It has more characters than this.
    Text(usize),
    /// The template is none.
    Template(TemplateFault),
    /// It is no channel.
    Channel,
    /// It is no list of roles.
    Roles,
    /// There are more roles than this.
    TooManyRoles(usize),
    /// It is none of these words.
    Choice(Words),
    /// It is neither a channel nor one of these words.
    ChannelOr(Words),
    /// It has more characters than this, or one that it cannot have.
    Mark(usize),
}

impl Field {
    /// A setting.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            column: None,
        }
    }

    /// A setting that is a column of `guild_settings`.
    pub(in crate::settings) const fn of_column(name: &'static str, kind: Kind, column: Column) -> Self {
        Self {
            name,
            kind,
            column: Some(column),
        }
    }
}

impl Kind {
    /// Whether a stored value can be used.
    pub fn accepts(self, value: &Json) -> bool {
        match self {
            Self::Switch => value.is_boolean(),
            Self::Limit(most) => value.as_i64().is_some_and(|number| (0..=most).contains(&number)),
            Self::Text(most) => value.as_str().is_some_and(|text| text.chars().count() <= most),
            Self::Template(allowed) => value
                .as_str()
                .is_some_and(|text| text.is_empty() || Template::parse_with(text, allowed).is_ok()),
            Self::Channel => value.is_null() || id::<ChannelMarker>(value).is_some(),
            Self::Roles(most) => value.as_array().is_some_and(|roles| {
                roles.len() <= most && roles.iter().all(|role| id::<RoleMarker>(role).is_some())
            }),
            Self::Choice(words) => value.as_str().is_some_and(|word| words.all.contains(&word)),
            Self::ChannelOr(words) => {
                id::<ChannelMarker>(value).is_some()
                    || value.as_str().is_some_and(|word| words.all.contains(&word))
            }
            Self::Mark(most) => value.as_str().is_some_and(|mark| is_mark(mark, most)),
        }
    }

    /// Parse a value as a user writes it.
    ///
    /// # Errors
    ///
    /// It is none of this kind.
    pub fn parse(self, written: &str) -> Result<Json, ValueFault> {
        let written = written.trim();
        match self {
            Self::Switch => match written.to_lowercase().as_str() {
                "true" | "yes" | "on" => Ok(true.into()),
                "false" | "no" | "off" => Ok(false.into()),
                _ => Err(ValueFault::Switch),
            },
            Self::Limit(most) => {
                let number = if written.eq_ignore_ascii_case("off") {
                    Some(0)
                } else {
                    written.parse().ok()
                };
                let number: Option<i64> = number.filter(|number| (0..=most).contains(number));
                number.map(Json::from).ok_or(ValueFault::Limit(most))
            }
            Self::Text(most) => {
                // PostgreSQL's jsonb cannot contain NUL.
                let text = written.replace('\0', "");
                if text.chars().count() > most {
                    return Err(ValueFault::Text(most));
                }
                Ok(text.into())
            }
            Self::Template(allowed) => {
                let text = written.replace('\0', "");
                if !text.is_empty() {
                    Template::parse_with(&text, allowed).map_err(ValueFault::Template)?;
                }
                Ok(text.into())
            }
            Self::Channel if is_none(written) => Ok(Json::Null),
            Self::Channel => text_form::channel(written)
                .map(|channel| channel.get().into())
                .map_err(|_no_id| ValueFault::Channel),
            Self::Roles(_) if is_none(written) => Ok(Json::Array(Vec::new())),
            Self::Roles(most) => {
                let words = written.split([',', ' ']).filter(|word| !word.is_empty());
                let mut roles = Vec::new();
                for word in words {
                    let role = text_form::role(word).map_err(|_no_id| ValueFault::Roles)?;
                    if !roles.contains(&role) {
                        roles.push(role);
                    }
                }
                if roles.len() > most {
                    return Err(ValueFault::TooManyRoles(most));
                }
                Ok(roles.into_iter().map(Id::get).collect())
            }
            Self::Choice(words) => words.find(written).ok_or(ValueFault::Choice(words)),
            Self::ChannelOr(words) => match words.find(written) {
                Some(word) => Ok(word),
                None => text_form::channel(written)
                    .map(|channel| channel.get().into())
                    .map_err(|_no_id| ValueFault::ChannelOr(words)),
            },
            Self::Mark(most) if is_mark(written, most) => Ok(written.into()),
            Self::Mark(most) => Err(ValueFault::Mark(most)),
        }
    }

    /// A value as [`Self::parse`] reads it.
    pub fn written(self, value: &Json) -> String {
        match self {
            Self::Switch => (value == true).to_string(),
            Self::Limit(_) => match value.as_i64() {
                None | Some(0) => "off".to_owned(),
                Some(number) => number.to_string(),
            },
            Self::Text(_) | Self::Template(_) | Self::Choice(_) | Self::Mark(_) => {
                value.as_str().unwrap_or_default().to_owned()
            }
            Self::ChannelOr(_) if value.is_string() => value.as_str().unwrap_or_default().to_owned(),
            Self::ChannelOr(_) | Self::Channel | Self::Roles(_) => {
                let Named { roles, channels } = self.named(value);
                let ids = roles.iter().map(ToString::to_string);
                let ids = ids.chain(channels.iter().map(ToString::to_string));
                let ids: Vec<String> = ids.collect();
                if ids.is_empty() {
                    "none".to_owned()
                } else {
                    ids.join(",")
                }
            }
        }
    }

    /// A value for programs: IDs are strings, since they have more digits than JavaScript's numbers.
    pub fn exported(self, value: &Json) -> Json {
        let Named { roles, channels } = self.named(value);
        match self {
            Self::Channel => channels.first().map(ToString::to_string).into(),
            Self::ChannelOr(_) => match channels.first() {
                Some(channel) => channel.to_string().into(),
                None => value.clone(),
            },
            Self::Roles(_) => roles.iter().map(ToString::to_string).collect(),
            _ => value.clone(),
        }
    }

    /// A value for people on Discord.
    pub fn shown(self, value: &Json, language: Language) -> String {
        let Named { roles, channels } = self.named(value);
        let none = || language.text("settings-none");
        match self {
            Self::Switch if value == true => language.text("settings-on"),
            Self::Switch => language.text("settings-off"),
            Self::Limit(_) => match value.as_u64() {
                None | Some(0) => language.text("settings-off"),
                Some(number) => language.number(number),
            },
            Self::Choice(words) => words.shown(value, language),
            Self::ChannelOr(words) if value.is_string() => words.shown(value, language),
            Self::Text(_) | Self::Template(_) | Self::Mark(_) => match value.as_str() {
                None | Some("") => none(),
                // In a code span, so that it is shown as written.
                Some(text) => {
                    let line = text.replace(['\n', '`'], " ");
                    format!("`{}`", excerpt(&line, EXCERPT_CHARS))
                }
            },
            Self::Channel | Self::ChannelOr(_) => channels.first().map_or_else(none, |id| format!("<#{id}>")),
            Self::Roles(_) if roles.is_empty() => none(),
            Self::Roles(_) => {
                let roles: Vec<String> = roles.iter().map(|id| format!("<@&{id}>")).collect();
                roles.join(" ")
            }
        }
    }

    /// The roles and channels that a value names.
    pub fn named(self, value: &Json) -> Named {
        match self {
            Self::Channel | Self::ChannelOr(_) => Named {
                channels: id(value).into_iter().collect(),
                ..Named::default()
            },
            Self::Roles(_) => Named {
                roles: value.as_array().into_iter().flatten().filter_map(id).collect(),
                ..Named::default()
            },
            _ => Named::default(),
        }
    }

    /// The maximum length of what people write, in characters.
    pub const fn length(self) -> usize {
        match self {
            Self::Switch | Self::Limit(_) => 20,
            Self::Text(most) | Self::Mark(most) => most,
            Self::Template(_) => MAX_CHARS,
            Self::Channel | Self::Choice(_) | Self::ChannelOr(_) => 30,
            Self::Roles(most) => 30 * most,
        }
    }
}

impl ValueFault {
    /// What the value should be.
    pub fn in_words(&self, language: Language) -> String {
        let with = |key, number: usize| {
            language.filled(key, &[("most", Value::from(language.number(number as u64)))])
        };
        match self {
            Self::Switch => language.text("settings-fault-switch"),
            Self::Limit(most) => with("settings-fault-limit", usize::try_from(*most).unwrap_or(0)),
            Self::Text(most) => with("settings-fault-text", *most),
            Self::Template(fault) => fault.to_string(),
            Self::Channel => language.text("settings-fault-channel"),
            Self::Roles => language.text("settings-fault-roles"),
            Self::TooManyRoles(most) => with("settings-fault-roles-many", *most),
            Self::Choice(words) => words.fault("settings-fault-choice", language),
            Self::ChannelOr(words) => words.fault("settings-fault-channel-or", language),
            Self::Mark(most) => with("settings-fault-mark", *most),
        }
    }
}

impl Words {
    fn find(self, written: &str) -> Option<Json> {
        let mut words = self.all.iter();
        let word = words.find(|word| word.eq_ignore_ascii_case(written));
        word.map(|word| Json::from(*word))
    }

    /// A word for people.
    pub fn text(self, word: &str, language: Language) -> String {
        language.text(&format!("{}-{}", self.texts, word.replace('_', "-")))
    }

    fn shown(self, value: &Json, language: Language) -> String {
        let words = value.as_str().filter(|word| self.all.contains(word));
        words.map_or_else(String::new, |word| self.text(word, language))
    }

    fn fault(self, key: &str, language: Language) -> String {
        language.filled(key, &[("words", self.all.join(", ").into())])
    }
}

/// Whether a text can stand before a command in messages.
fn is_mark(text: &str, most: usize) -> bool {
    let has_meaning = |character: char| character.is_whitespace() || "@#<`\0".contains(character);
    text.chars().count() <= most && !text.contains(has_meaning)
}

fn is_none(written: &str) -> bool {
    ["", "none", "off"].contains(&written.to_lowercase().as_str())
}

fn id<T>(value: &Json) -> Option<Id<T>> {
    let number = value.as_i64().filter(|number| *number > 0)?;
    ids::from_db(number)
}
