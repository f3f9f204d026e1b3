//! Messages that Discord's automatic moderation blocked, in a channel of the staff.

use twilight_model::id::Id;

use super::{log::GuildLog, settings::ModerationSettings};
use crate::{
    discord::events::automod_action::AutomodAction,
    flush::{Flush, reaction::Reaction},
    postgres::StoreError,
    support::i18n::Language,
};

#[derive(Debug)]
pub(crate) struct AutomodLog;

impl Reaction for AutomodLog {
    type Event = AutomodAction;

    const NAME: &'static str = "automod_log";

    async fn react(&self, event: AutomodAction, flush: &mut Flush<'_, '_>) -> Result<(), StoreError> {
        let AutomodAction { guild_id, .. } = event;
        let policy = ModerationSettings::within(flush.tx, flush.settings, guild_id).await?;
        if policy.log_automod.is_none() {
            return Ok(());
        }
        let log = GuildLog::of(flush.tx, flush.settings, guild_id, Language::English).await?;
        let entry = log.in_channel(policy.log_automod).entry(|language| {
            let channel_id = event.channel_id.map_or(0, Id::get);
            let values = [
                ("user", event.user_id.to_string().into()),
                ("channel", channel_id.to_string().into()),
            ];
            language.filled("automod-blocked", &values)
        });
        flush.effects.extend(entry);
        Ok(())
    }
}
