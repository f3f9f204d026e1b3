//! Who is told of a change: the log channel, in the server's language.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker},
};

use crate::{
    outbox::{
        effect::{Effect, ModLog},
        queue::NewEffect,
    },
    postgres::{StoreError, Tx},
    settings::Settings,
    support::{i18n::Language, ids},
};

/// A server's log channel and language, and what it tells members.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    guild_id: Id<GuildMarker>,
    log_channel_id: Option<Id<ChannelMarker>>,
    pub(crate) language: Language,
    /// Whether members learn who warned them.
    pub(crate) moderators_shown: bool,
}

impl Told {
    /// What the server chose; `language` is for one that chose none.
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
            log_channel_id: known.and_then(|settings| settings.log_channel_id),
            language: known.and_then(|settings| settings.language).unwrap_or(language),
            moderators_shown: known.is_some_and(|settings| settings.moderators_shown),
        })
    }

    /// An entry, if the server has a log channel. `text` is asked for the text only then.
    pub(crate) fn entry(&self, text: impl FnOnce(Language) -> String) -> Option<NewEffect> {
        let channel_id = self.log_channel_id?;
        let effect = Effect::ModLog(ModLog {
            text: text(self.language),
        });
        Some(NewEffect {
            guild_id: self.guild_id,
            lane_id: ids::to_db(channel_id),
            kind: effect.kind(),
            channel_id: Some(channel_id),
            user_id: None,
            body: effect.body(),
        })
    }
}
