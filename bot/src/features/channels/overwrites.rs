//! What a lock changes of a channel's permission overwrites, and how that is restored.
//!
//! In an overwrite each permission is allowed, denied or neutral. A lock denies permissions to everyone, and makes them neutral for other
//! roles that the channel allows them. What is stored is the overwrite as it was and the permissions that were changed, so each is restored
//! by itself, and only if it still is as the lock left it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use twilight_model::{
    channel::ChannelType,
    guild::Permissions,
    id::{
        Id,
        marker::{ChannelMarker, GenericMarker, GuildMarker, RoleMarker},
    },
};

/// Writing, also in threads, and beginning threads.
const WRITING: Permissions = Permissions::SEND_MESSAGES
    .union(Permissions::SEND_MESSAGES_IN_THREADS)
    .union(Permissions::CREATE_PUBLIC_THREADS)
    .union(Permissions::CREATE_PRIVATE_THREADS);

/// Roles with one of these keep what a channel allows them: they are the server's staff.
pub(crate) const STAFF: Permissions = Permissions::ADMINISTRATOR
    .union(Permissions::MANAGE_GUILD)
    .union(Permissions::MANAGE_ROLES)
    .union(Permissions::MANAGE_CHANNELS)
    .union(Permissions::MANAGE_MESSAGES)
    .union(Permissions::MANAGE_THREADS)
    .union(Permissions::MODERATE_MEMBERS)
    .union(Permissions::KICK_MEMBERS)
    .union(Permissions::BAN_MEMBERS);

/// Permissions as Discord sends them, including those that this version does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(pub(crate) u64);

/// The kind of an overwrite of a role; others are of members.
const OF_ROLE: u8 = 0;

/// An overwrite of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Overwrite {
    pub(crate) id: Id<GenericMarker>,
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) allow: Bits,
    pub(crate) deny: Bits,
}

/// What was changed of one overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) role_id: Id<RoleMarker>,
    /// What it allowed and denied; `None` if there was no overwrite.
    before: Option<(Bits, Bits)>,
    /// The permissions that are denied now, or neutral if the role is not everyone's.
    changed: Bits,
}

/// What was changed in one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedChannel {
    pub(crate) channel_id: Id<ChannelMarker>,
    pub(crate) overwrites: Vec<Saved>,
}

/// What has to be done with an overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is as it should be.
    Keep,
    /// It gets these permissions.
    Put { allow: Bits, deny: Bits },
    /// It goes.
    Delete,
}

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// The permissions that a lock takes in a channel of this kind. A category has text and voice channels.
pub(crate) const fn closed(kind: ChannelType) -> Permissions {
    match kind {
        ChannelType::GuildVoice | ChannelType::GuildStageVoice => {
            Permissions::SEND_MESSAGES.union(Permissions::CONNECT)
        }
        ChannelType::GuildCategory => WRITING.union(Permissions::CONNECT),
        _ => WRITING,
    }
}

/// What a lock changes in a channel with these overwrites: nothing where everyone is denied everything already.
pub(crate) fn to_change(
    overwrites: &[Overwrite],
    guild_id: Id<GuildMarker>,
    closed: Permissions,
    staff: &[Id<RoleMarker>],
) -> Vec<Saved> {
    let closed = closed.bits();
    let everyone: Id<RoleMarker> = guild_id.cast();
    let before = find(overwrites, everyone).map(|own| (own.allow, own.deny));
    let denied = before.map_or(0, |(_, deny)| deny.0);
    let of_everyone = Saved {
        role_id: everyone,
        before,
        changed: Bits(closed & !denied),
    };
    let of_others = overwrites
        .iter()
        .filter(|own| own.kind == OF_ROLE && own.id != everyone.cast() && !staff.contains(&own.id.cast()))
        .map(|own| Saved {
            role_id: own.id.cast(),
            before: Some((own.allow, own.deny)),
            changed: Bits(closed & own.allow.0),
        });
    std::iter::once(of_everyone)
        .chain(of_others)
        .filter(|saved| saved.changed.0 != 0)
        .collect()
}

/// How a lock changes an overwrite.
pub(crate) fn lock(overwrites: &[Overwrite], guild_id: Id<GuildMarker>, saved: &Saved) -> Step {
    let now = find(overwrites, saved.role_id);
    let (allow, deny) = now.map_or((0, 0), |now| (now.allow.0, now.deny.0));
    let denied = if saved.is_of_everyone(guild_id) {
        saved.changed.0
    } else {
        0
    };
    put(now, allow & !saved.changed.0, deny | denied)
}

/// How the end of a lock changes an overwrite. Permissions that were changed since stay as they are, and so does one without an overwrite,
/// since staff have deleted it.
pub(crate) fn restore(overwrites: &[Overwrite], guild_id: Id<GuildMarker>, saved: &Saved) -> Step {
    let Some(now) = find(overwrites, saved.role_id) else {
        return Step::Keep;
    };
    let (allow, deny) = (now.allow.0, now.deny.0);
    let allowed_before = saved.before.map_or(0, |(allow, _)| allow.0);
    let (unchanged, denied) = if saved.is_of_everyone(guild_id) {
        let unchanged = saved.changed.0 & deny;
        (unchanged, unchanged)
    } else {
        (saved.changed.0 & !allow & !deny, 0)
    };
    let (allow, deny) = (allow | (unchanged & allowed_before), deny & !denied);
    let was_empty = saved.before == Some((Bits(0), Bits(0)));
    if allow == 0 && deny == 0 && !was_empty {
        return Step::Delete;
    }
    put(Some(now), allow, deny)
}

impl Saved {
    fn is_of_everyone(&self, guild_id: Id<GuildMarker>) -> bool {
        self.role_id == guild_id.cast()
    }
}

fn put(now: Option<&Overwrite>, allow: u64, deny: u64) -> Step {
    let (allow, deny) = (Bits(allow), Bits(deny));
    if now.is_some_and(|now| now.allow == allow && now.deny == deny) {
        Step::Keep
    } else {
        Step::Put { allow, deny }
    }
}

fn find(overwrites: &[Overwrite], role_id: Id<RoleMarker>) -> Option<&Overwrite> {
    overwrites
        .iter()
        .find(|own| own.kind == OF_ROLE && own.id == role_id.cast())
}

/// Whether two channels have the same overwrites, in whatever order: then Discord shows them as synced.
pub(crate) fn are_synced(one: &[Overwrite], other: &[Overwrite]) -> bool {
    one.len() == other.len() && one.iter().all(|overwrite| other.contains(overwrite))
}

#[cfg(test)]
mod tests;
