//! Entries of the log channel, in the guild's language.

use serde::{Deserialize, Serialize};
use twilight_model::{
    channel::message::AllowedMentions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker},
    },
};

use crate::{
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        message::send,
        outcome::{Failure, Undelivered},
        queue::{self, NewEffect, Waiting},
        trouble,
    },
    postgres::{StoreError, Tx},
    settings::{
        Settings,
        section::{
            Choices, Section,
            field::{Field, Kind},
        },
    },
    support::{i18n::Language, ids},
};

/// Channels for entries about one subject, instead of the log channel. Several features write such entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogSettings {
    /// Locks and slow modes.
    channels: Option<Id<ChannelMarker>>,
    /// Roles and nicknames.
    members: Option<Id<ChannelMarker>>,
    /// Deleted messages.
    messages: Option<Id<ChannelMarker>>,
}

impl Choices for LogSettings {
    const SECTION: Section = Section::of::<Self>(
        "log",
        &[
            Field::new("channels", Kind::Channel),
            Field::new("members", Kind::Channel),
            Field::new("messages", Kind::Channel),
        ],
    );
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A lock or a slow mode.
    Channels,
    /// A role or a nickname.
    Members,
    /// Deleted messages.
    Messages,
}

/// A guild's log: its channel, if it has one, its language, and what the guild shows to members.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuildLog {
    guild_id: Id<GuildMarker>,
    channel_id: Option<Id<ChannelMarker>>,
    pub(crate) language: Language,
    /// Whether members see who warned them.
    pub(crate) moderators_shown: bool,
}

impl GuildLog {
    /// Read the guild's settings; `language` applies if it has not chosen one.
    pub(crate) async fn of(
        tx: &Tx<'_>,
        settings: &Settings,
        guild_id: Id<GuildMarker>,
        language: Language,
    ) -> Result<Self, StoreError> {
        let known = settings.within(tx, std::iter::once(guild_id)).await?;
        let known = known.get(&guild_id);
        Ok(Self {
            guild_id,
            channel_id: known.and_then(|settings| settings.log_channel_id),
            language: known.and_then(|settings| settings.language).unwrap_or(language),
            moderators_shown: known.is_some_and(|settings| settings.moderators_shown),
        })
    }

    /// The same for entries about a subject, which may have a channel of their own.
    pub(crate) async fn about(
        tx: &Tx<'_>,
        settings: &Settings,
        guild_id: Id<GuildMarker>,
        (subject, language): (Subject, Language),
    ) -> Result<Self, StoreError> {
        let log = Self::of(tx, settings, guild_id, language).await?;
        let known = settings.within(tx, std::iter::once(guild_id)).await?;
        let Some(known) = known.get(&guild_id) else {
            return Ok(log);
        };
        let chosen = known.sections.of::<LogSettings>();
        Ok(log.in_channel(match subject {
            Subject::Channels => chosen.channels,
            Subject::Members => chosen.members,
            Subject::Messages => chosen.messages,
        }))
    }

    /// The same for another channel, if there is one.
    #[must_use]
    pub(crate) fn in_channel(mut self, channel_id: Option<Id<ChannelMarker>>) -> Self {
        self.channel_id = channel_id.or(self.channel_id);
        self
    }

    /// Whether the guild has a log channel.
    pub(crate) const fn has_channel(&self) -> bool {
        self.channel_id.is_some()
    }

    /// Create an entry if the guild has a log channel. `text` is only called in that case.
    pub(crate) fn entry(&self, text: impl FnOnce(Language) -> String) -> Option<NewEffect> {
        self.entry_as(|language| ModLog { text: text(language) })
    }

    /// The same with an effect of the feature's own.
    pub(crate) fn entry_as<T: EffectBody>(&self, body: impl FnOnce(Language) -> T) -> Option<NewEffect> {
        let channel_id = self.channel_id?;
        let body = body(self.language);
        Some(NewEffect::for_channel(self.guild_id, channel_id, &body))
    }
}

/// Tell the log channel why an effect was abandoned: the text `key`, with the channel or user of the effect and the reason.
pub(crate) async fn log_failure(
    tx: &Tx<'_>,
    settings: &Settings,
    (effect, failure): (&Waiting, &Failure),
    about: (Subject, Language),
    key: &str,
) -> Result<(), StoreError> {
    let log = GuildLog::about(tx, settings, effect.guild_id, about).await?;
    let entry = log.entry(|language| {
        let values = [
            (
                "channel",
                effect.channel_id.map_or(0, ids::to_db).to_string().into(),
            ),
            ("user", effect.user_id.map_or(0, ids::to_db).to_string().into()),
            ("why", trouble::in_words(&failure.detail, language).into()),
        ];
        language.filled(key, &values)
    });
    queue::add(tx, entry.as_slice()).await
}

/// An entry of the log channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModLog {
    /// The text, in the guild's language.
    pub text: String,
}

impl EffectBody for ModLog {
    const KIND: &'static str = "mod_log";
    const OWNER: Owner = Owner::Staff;
}

/// Sends entries to the log channel.
#[derive(Debug)]
pub(crate) struct ModLogs;

impl EffectKind for ModLogs {
    type Body = ModLog;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, entry: ModLog) -> Result<(), Undelivered> {
        send(to, effect, &entry.text, AllowedMentions::default()).await
    }
}
