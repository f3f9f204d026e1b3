//! Deleting one batch of messages. The next one is added in the transaction that notes the first.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use twilight_http::request::AuditLogReason as _;
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, InteractionMarker, MessageMarker},
    },
};

use super::{rows, scan::is_deletable};
use crate::{
    discord::{
        guilds::authority::channels::ChannelPermit,
        rest::{Priority, RestError},
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered, of_error},
        queue::{self, NewEffect, Waiting},
        trouble::{of_denial, of_lacking},
    },
    postgres::{StoreError, Tx},
    settings::{
        Settings,
        mod_log::{GuildLog, Subject, log_failure},
    },
    support::{
        i18n::{Language, Value},
        ids,
        text::limits::{AUDIT_REASON, excerpt},
    },
};

/// The largest number of messages that Discord deletes at once.
const BATCH: usize = 100;
/// The maximum age of cached permissions when they are checked again.
const OLDEST_PERMISSIONS: Duration = Duration::from_mins(1);
/// Unknown message: <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>.
const UNKNOWN_MESSAGE: u64 = 10_008;

/// What takes to read and to delete the messages of others.
pub(crate) const NEEDED: Permissions = Permissions::VIEW_CHANNEL
    .union(Permissions::READ_MESSAGE_HISTORY)
    .union(Permissions::MANAGE_MESSAGES);

/// A batch of a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Purge {
    /// The interaction that asked for the deletion.
    pub(crate) request_id: Id<InteractionMarker>,
    /// The first message of the batch, as its place in the deletion.
    pub(crate) from: usize,
    /// The permission of the moderator.
    pub(crate) permit: ChannelPermit,
    /// Why, for Discord's audit log, with the moderator's name.
    pub(crate) audit_reason: String,
    /// The moderator's language, for a guild that has chosen none.
    pub(crate) locale: String,
}

impl Purge {
    fn language(&self) -> Language {
        Language::of_stored(&self.locale)
    }
}

impl EffectBody for Purge {
    const KIND: &'static str = "purge";
    const OWNER: Owner = Owner::Staff;
}

/// Deletes messages.
#[derive(Debug)]
pub(crate) struct Purges(pub(crate) Settings);

impl EffectKind for Purges {
    type Body = Purge;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, purge: Purge) -> Result<(), Undelivered> {
        deliver(&self.0, to, effect, &purge).await
    }

    /// The deletion ends, and staff learn why.
    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        purge: Purge,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        rows::fail(tx, (effect.guild_id, purge.request_id), &failure.detail).await?;
        let about = (Subject::Messages, purge.language());
        log_failure(tx, &self.0, (effect, failure), about, "purge-log-failed").await
    }
}

async fn deliver(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    purge: &Purge,
) -> Result<(), Undelivered> {
    let (guild_id, channel_id) = (effect.guild_id, effect.channel()?);
    let row = rows::get(&to.store, (guild_id, purge.request_id)).await?;
    // Another place means that this batch was deleted by an attempt whose end was not noted.
    let Some(row) = row.filter(|row| row.done == purge.from && row.failure.is_none()) else {
        return Err(Undelivered::Cancelled);
    };
    may_still(to, (guild_id, channel_id), &purge.permit).await?;
    let end = row.messages.len().min(purge.from + BATCH);
    let batch = row.messages.get(purge.from..end).unwrap_or_default();
    let now = ids::to_millis(to.rest.clock().now());
    let young: Vec<Id<MessageMarker>> = batch
        .iter()
        .copied()
        .filter(|id| is_deletable(*id, now))
        .collect();
    delete(to, channel_id, &young, &purge.audit_reason)
        .await
        .map_err(|error| {
            to.guilds.forget(guild_id);
            of_error(&error, ids::to_db(channel_id))
        })?;
    let too_old = batch.len() - young.len();
    let all = row.messages.len();
    let deleted = row.deleted() + young.len();
    to.retry_until_committed("noting deleted messages", || {
        let (settings, purge) = (settings.clone(), purge.clone());
        to.store.transaction("purge_advance", move |tx| {
            Box::pin(async move {
                let key = (guild_id, purge.request_id);
                if !rows::advance(tx, key, (purge.from, end), too_old).await? {
                    return Ok(());
                }
                if end < all {
                    let next = Purge { from: end, ..purge };
                    return queue::add_urgent(tx, &[NewEffect::for_channel(guild_id, channel_id, &next)])
                        .await;
                }
                let log =
                    GuildLog::about(tx, &settings, guild_id, (Subject::Messages, purge.language())).await?;
                let entry = log.entry(|language| in_log(language, channel_id, &purge, deleted as u64));
                queue::add(tx, entry.as_slice()).await
            })
        })
    })
    .await;
    Ok(())
}

/// Check that the moderator and the bot still have the permissions.
async fn may_still(
    to: &Deliverer,
    (guild_id, channel_id): (Id<GuildMarker>, Id<ChannelMarker>),
    permit: &ChannelPermit,
) -> Result<(), Undelivered> {
    let target = ids::to_db(channel_id);
    to.guilds.forget_if_older(guild_id, OLDEST_PERMISSIONS);
    let denial = to
        .guilds
        .denial_in_channel(guild_id, permit, Priority::Command)
        .await;
    of_denial(denial, target)?;
    let lacking = to
        .guilds
        .bot_lacks(guild_id, channel_id, NEEDED, Priority::Command)
        .await;
    of_lacking(lacking, target)
}

/// Delete these messages. Those that are gone are no failure.
async fn delete(
    to: &Deliverer,
    channel_id: Id<ChannelMarker>,
    messages: &[Id<MessageMarker>],
    reason: &str,
) -> Result<(), RestError> {
    let reason = excerpt(reason, AUDIT_REASON);
    let client = to.rest.builders();
    let sent = match messages {
        [] => return Ok(()),
        [only] => {
            let request = client.delete_message(channel_id, *only).reason(&reason);
            to.rest.send(Priority::Command, request).await
        }
        several => {
            let request = client.delete_messages(channel_id, several).reason(&reason);
            to.rest.send(Priority::Command, request).await
        }
    };
    match sent {
        Err(RestError::Refused {
            code: Some(UNKNOWN_MESSAGE),
            ..
        }) => Ok(()),
        sent => sent.map(drop),
    }
}

/// The entry of the log channel about a deletion that is over.
fn in_log(language: Language, channel_id: Id<ChannelMarker>, purge: &Purge, deleted: u64) -> String {
    let values = [
        ("channel", channel_id.to_string().into()),
        ("moderator", purge.permit.moderator_id().to_string().into()),
        ("messages", Value::Count(deleted)),
        ("count", language.number(deleted).into()),
    ];
    language.filled("purge-log", &values)
}
