//! Channels as Discord has them now, and changes of their overwrites.

use serde::Deserialize;
use twilight_http::request::AuditLogReason as _;
use twilight_model::{
    channel::ChannelType,
    guild::Permissions,
    http::permission_overwrite::{PermissionOverwrite, PermissionOverwriteType},
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker},
    },
};

use crate::{
    discord::rest::{Priority, RestError},
    features::channels::overwrites::{Bits, Overwrite, Saved, SavedChannel, Step},
    outbox::{
        delivery::Deliverer,
        outcome::{Undelivered, of_error},
        trouble::Trouble,
    },
    support::{
        ids,
        text::limits::{AUDIT_REASON, excerpt},
    },
};

/// Unknown channel and overwrite: <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>.
const UNKNOWN_CHANNEL: u64 = 10_003;
const UNKNOWN_OVERWRITE: u64 = 10_009;

/// A channel. Unused fields are left out.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Channel {
    pub(super) id: Id<ChannelMarker>,
    #[serde(rename = "type")]
    pub(super) kind: ChannelType,
    #[serde(default)]
    pub(super) parent_id: Option<Id<ChannelMarker>>,
    #[serde(default)]
    permission_overwrites: Option<Vec<Overwrite>>,
    #[serde(default)]
    pub(super) rate_limit_per_user: Option<i32>,
}

impl Channel {
    pub(super) fn overwrites(&self) -> &[Overwrite] {
        self.permission_overwrites.as_deref().unwrap_or_default()
    }
}

/// Read a channel. `None` if there is no such channel.
pub(super) async fn read(
    to: &Deliverer,
    channel_id: Id<ChannelMarker>,
) -> Result<Option<Channel>, Undelivered> {
    let request = to.rest.builders().channel(channel_id);
    let answer = to.rest.send(Priority::Command, request).await;
    match answer.and_then(|answer| answer.model()) {
        Ok(channel) => Ok(Some(channel)),
        Err(error) if has_code(&error, UNKNOWN_CHANNEL) => Ok(None),
        Err(error) => Err(of_error(&error, ids::to_db(channel_id))),
    }
}

/// Read the channels of a guild, because of one of them.
pub(super) async fn read_all(
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    channel_id: Id<ChannelMarker>,
) -> Result<Vec<Channel>, Undelivered> {
    let request = to.rest.builders().guild_channels(guild_id);
    let answer = to.rest.send(Priority::Command, request).await;
    let channels = answer.and_then(|answer| answer.model());
    channels.map_err(|error| of_error(&error, ids::to_db(channel_id)))
}

/// Bring the overwrites of several channels into the state that `step` determines, the first channel first: if it is a category, Discord
/// changes the channels that are synced with it, so those are read after that.
pub(super) async fn write(
    to: &Deliverer,
    (guild_id, first): (Id<GuildMarker>, &Channel),
    saved: &[SavedChannel],
    reason: &str,
    step: impl Fn(&[Overwrite], &Saved) -> Step,
) -> Result<(), Undelivered> {
    let mut others: Option<Vec<Channel>> = None;
    for of in saved {
        let channel = if of.channel_id == first.id {
            Some(first)
        } else {
            if others.is_none() {
                others = Some(read_all(to, guild_id, first.id).await?);
            }
            let mut others = others.iter().flatten();
            others.find(|other| other.id == of.channel_id)
        };
        // In a channel that was deleted there is nothing to be changed.
        let Some(channel) = channel else { continue };
        for saved in &of.overwrites {
            let step = step(channel.overwrites(), saved);
            put(to, (guild_id, channel.id), saved.role_id, step, reason)
                .await
                .map_err(|error| failed(&error, first.id))?;
        }
    }
    Ok(())
}

async fn put(
    to: &Deliverer,
    (guild_id, channel_id): (Id<GuildMarker>, Id<ChannelMarker>),
    role_id: Id<RoleMarker>,
    step: Step,
    reason: &str,
) -> Result<(), RestError> {
    let reason = excerpt(reason, AUDIT_REASON);
    let client = to.rest.builders();
    let permissions = |bits: Bits| Some(Permissions::from_bits_retain(bits.0));
    let sent = match step {
        Step::Keep => return Ok(()),
        Step::Put { allow, deny } => {
            let overwrite = PermissionOverwrite {
                allow: permissions(allow),
                deny: permissions(deny),
                id: role_id.cast(),
                kind: PermissionOverwriteType::Role,
            };
            let request = client.update_channel_permission(channel_id, &overwrite);
            to.rest.send(Priority::Command, request.reason(&reason)).await
        }
        Step::Delete => {
            let request = client.delete_channel_permission(channel_id).role(role_id);
            to.rest.send(Priority::Command, request.reason(&reason)).await
        }
    };
    // The cached permissions are outdated, or were the reason why this was tried.
    to.guilds.forget(guild_id);
    match sent {
        Err(error) if step == Step::Delete && has_code(&error, UNKNOWN_OVERWRITE) => Ok(()),
        sent => sent.map(drop),
    }
}

/// Why an effect is not delivered whose request about a channel failed.
pub(super) fn failed(error: &RestError, channel_id: Id<ChannelMarker>) -> Undelivered {
    if has_code(error, UNKNOWN_CHANNEL) {
        return Trouble::NoChannel.failure(ids::to_db(channel_id));
    }
    of_error(error, ids::to_db(channel_id))
}

fn has_code(error: &RestError, wanted: u64) -> bool {
    matches!(error, RestError::Refused { code: Some(code), .. } if *code == wanted)
}
