//! Settings that are columns of `guild_settings`, as sections: the website shows them with those of the features. `/settings` and
//! `/levels` have menus and options of their own for them.

use serde_json::Value as Json;
use twilight_model::id::{Id, marker::ChannelMarker};

use super::{
    GuildSettings, LeavePolicy, Template,
    change::Change,
    section::{
        Section,
        field::{Column, Field, Kind, Words},
    },
    table::Stored,
};
use crate::{
    config::Announce,
    support::{i18n::Language, ids, text::template::Placeholder},
};

/// The maximum length of a prefix, in characters.
pub(crate) const PREFIX_CHARS: usize = 5;

/// The sections.
pub static SECTIONS: [&Section; 2] = [&SERVER, &ANNOUNCEMENTS];

static SERVER: Section = Section::of_columns(
    "server",
    &[
        Field::of_column("language", Kind::Choice(LANGUAGES), LANGUAGE),
        Field::of_column("log_channel", Kind::Channel, LOG_CHANNEL),
        Field::of_column("welcome_channel", Kind::Channel, WELCOME_CHANNEL),
        Field::of_column("welcome_text", Kind::Template(&Placeholder::LEVELS), WELCOME_TEXT),
        Field::of_column("prefix", Kind::Mark(PREFIX_CHARS), PREFIX),
        Field::of_column("moderators_shown", Kind::Switch, MODERATORS_SHOWN),
    ],
);

static ANNOUNCEMENTS: Section = Section::of_columns(
    "announcements",
    &[
        Field::of_column("channel", Kind::ChannelOr(PLACES), ANNOUNCE),
        Field::of_column("text", Kind::Template(&Placeholder::LEVELS), ANNOUNCE_TEXT),
        Field::of_column("ping", Kind::Switch, ANNOUNCE_PING),
        Field::of_column("departed", Kind::Choice(POLICIES), DEPARTED),
    ],
);

const LANGUAGES: Words = Words {
    all: &["auto", "en", "de"],
    texts: "settings-language",
};

const PLACES: Words = Words {
    all: &["off", "same_channel", "direct"],
    texts: "announcements-place",
};

const POLICIES: Words = Words {
    all: &["keep", "hide", "reset"],
    texts: "announcements-departed",
};

const LANGUAGE: Column = Column {
    read: |stored| text(stored.language.as_deref()),
    change: |value| {
        let code = value.as_ref().and_then(Json::as_str);
        Change::Language(code.and_then(Language::of_locale))
    },
    usual: |_| "auto".into(),
};

const LOG_CHANNEL: Column = Column {
    read: |stored| number(stored.log_channel_id),
    change: |value| Change::LogChannel(channel(value.as_ref())),
    usual: |_| Json::Null,
};

const WELCOME_CHANNEL: Column = Column {
    read: |stored| number(stored.welcome_channel_id),
    change: |value| Change::WelcomeChannel(channel(value.as_ref()), Language::English),
    usual: |_| Json::Null,
};

const WELCOME_TEXT: Column = Column {
    read: |stored| text(stored.welcome_template.as_deref()),
    change: |value| Change::WelcomeText(template(value.as_ref())),
    usual: |_| "".into(),
};

const PREFIX: Column = Column {
    read: |stored| text(stored.prefix.as_deref()),
    change: |value| {
        let prefix = value.as_ref().and_then(Json::as_str);
        Change::Prefix(prefix.filter(|prefix| !prefix.is_empty()).map(Box::from))
    },
    usual: |_| "".into(),
};

const MODERATORS_SHOWN: Column = Column {
    read: |stored| stored.moderators_shown.into(),
    change: |value| Change::ModeratorsShown(value == Some(Json::Bool(true))),
    usual: |usual| usual.moderators_shown.into(),
};

const ANNOUNCE: Column = Column {
    read: |stored| match stored.announce.as_deref() {
        Some("channel") => number(stored.announce_channel_id),
        word => text(word),
    },
    change: |value| {
        Change::Announce(value.and_then(|value| match value.as_str() {
            Some("off") => Some(Announce::Off),
            Some("same_channel") => Some(Announce::SameChannel),
            Some("direct") => Some(Announce::Direct),
            _ => channel(Some(&value)).map(Announce::Channel),
        }))
    },
    usual: |usual: &GuildSettings| match usual.announce {
        Announce::Channel(id) => id.get().into(),
        announce => announce.word().into(),
    },
};

const ANNOUNCE_TEXT: Column = Column {
    read: |stored| text(stored.announce_template.as_deref()),
    change: |value| Change::Template(template(value.as_ref())),
    usual: |_| "".into(),
};

const ANNOUNCE_PING: Column = Column {
    // The default and a choice of it are the same in the table.
    read: |stored: &Stored| {
        if stored.announce_ping {
            true.into()
        } else {
            Json::Null
        }
    },
    change: |value| Change::Ping(value == Some(Json::Bool(true))),
    usual: |_| false.into(),
};

const DEPARTED: Column = Column {
    read: |stored| text(stored.departed.as_deref()),
    change: |value| {
        let word = value.as_ref().and_then(Json::as_str);
        Change::LeavePolicy(word.and_then(LeavePolicy::of_word).unwrap_or_default())
    },
    usual: |usual| usual.departed.word().into(),
};

fn text(value: Option<&str>) -> Json {
    value.into()
}

fn number(id: Option<Id<ChannelMarker>>) -> Json {
    id.map(Id::get).into()
}

fn channel(value: Option<&Json>) -> Option<Id<ChannelMarker>> {
    value.and_then(Json::as_i64).and_then(ids::from_db)
}

fn template(value: Option<&Json>) -> Option<Template> {
    let text = value.and_then(Json::as_str)?;
    Template::parse(text).ok()
}

#[cfg(test)]
mod tests;
