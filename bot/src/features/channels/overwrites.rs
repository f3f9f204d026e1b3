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
mod tests {
    use proptest::prelude::*;
    use twilight_model::{channel::ChannelType, id::Id};

    use super::{Bits, Overwrite, Step, are_synced, closed, lock, restore, to_change};

    const GUILD: u64 = 100;
    const STAFF: u64 = 7;
    /// A permission that Discord has and this version does not know.
    const UNKNOWN: u64 = 1 << 60;

    fn overwrite(id: u64, allow: u64, deny: u64) -> Overwrite {
        Overwrite {
            id: Id::new(id),
            kind: 0,
            allow: Bits(allow),
            deny: Bits(deny),
        }
    }

    fn apply(overwrites: &mut Vec<Overwrite>, role: u64, step: Step) {
        let at = overwrites.iter().position(|own| own.id == Id::new(role));
        match (step, at) {
            (Step::Keep, _) => {}
            (Step::Delete, at) => drop(at.map(|at| overwrites.remove(at))),
            (Step::Put { allow, deny }, Some(at)) => {
                overwrites[at].allow = allow;
                overwrites[at].deny = deny;
            }
            (Step::Put { allow, deny }, None) => overwrites.push(overwrite(role, allow.0, deny.0)),
        }
    }

    fn of_text() -> u64 {
        closed(ChannelType::GuildText).bits()
    }

    /// Lock a channel, let staff change it, and end the lock twice.
    fn there_and_back(before: &[Overwrite], by_hand: impl FnOnce(&mut Vec<Overwrite>)) -> Vec<Overwrite> {
        let guild = Id::new(GUILD);
        let saved = to_change(before, guild, closed(ChannelType::GuildText), &[Id::new(STAFF)]);
        let mut now = before.to_vec();
        for _ in 0..2 {
            for saved in &saved {
                let step = lock(&now, guild, saved);
                apply(&mut now, saved.role_id.get(), step);
            }
        }
        by_hand(&mut now);
        for _ in 0..2 {
            for saved in &saved {
                let step = restore(&now, guild, saved);
                apply(&mut now, saved.role_id.get(), step);
            }
        }
        now
    }

    #[test]
    fn everyone_is_denied_and_roles_lose_what_the_channel_allows_them() {
        let before = [
            overwrite(5, of_text() | UNKNOWN, 0),
            overwrite(STAFF, of_text(), 0),
        ];
        let guild = Id::new(GUILD);
        let saved = to_change(&before, guild, closed(ChannelType::GuildText), &[Id::new(STAFF)]);
        let roles: Vec<u64> = saved.iter().map(|saved| saved.role_id.get()).collect();
        assert_eq!(roles, [GUILD, 5]);
        let (allow, deny) = (Bits(0), Bits(of_text()));
        assert_eq!(lock(&before, guild, &saved[0]), Step::Put { allow, deny });
        let (allow, deny) = (Bits(UNKNOWN), Bits(0));
        assert_eq!(lock(&before, guild, &saved[1]), Step::Put { allow, deny });
    }

    #[test]
    fn a_closed_channel_has_nothing_to_change() {
        let before = [overwrite(GUILD, 0, of_text()), overwrite(5, UNKNOWN, 0)];
        assert!(to_change(&before, Id::new(GUILD), closed(ChannelType::GuildText), &[]).is_empty());
    }

    #[test]
    fn what_staff_changed_meanwhile_stays() {
        let send = 1 << 11;
        // Unlocked by hand: neutral stays neutral although it was allowed before.
        let before = [overwrite(GUILD, of_text(), UNKNOWN)];
        let after = there_and_back(&before, |now| now[0].deny = Bits(UNKNOWN | (of_text() & !send)));
        assert_eq!(after, [overwrite(GUILD, of_text() & !send, UNKNOWN)]);
        // Deleted by hand.
        let after = there_and_back(&[overwrite(5, of_text(), 0)], Vec::clear);
        assert!(after.is_empty());
        // Nothing empty is left behind.
        assert!(there_and_back(&[], |_| {}).is_empty());
        let after = there_and_back(&[overwrite(GUILD, 0, UNKNOWN)], |now| now[0].deny.0 &= !UNKNOWN);
        assert!(after.is_empty());
    }

    proptest! {
        #[test]
        fn a_lock_that_nobody_touched_leaves_no_trace(
            parts in proptest::collection::vec((0_u64..64, 0_u64..64, any::<bool>()), 3),
        ) {
            // Some of the closed permissions and some others, for everyone, a role, and staff.
            const BITS: [u64; 6] = [1 << 11, 1 << 35, 1 << 36, 1 << 38, UNKNOWN, 1 << 10];
            let spread = |part: u64| {
                let chosen = BITS.into_iter().enumerate().filter(|(at, _)| part >> at & 1 == 1);
                chosen.fold(0, |bits, (_, bit)| bits | bit)
            };
            let before: Vec<Overwrite> = [GUILD, 5, STAFF]
                .into_iter()
                .zip(parts)
                .filter(|(_, (.., there))| *there)
                .map(|(id, (allow, deny, _))| overwrite(id, spread(allow), spread(deny) & !spread(allow)))
                .collect();
            let after = there_and_back(&before, |_now| ());
            prop_assert!(are_synced(&after, &before));
        }
    }
}
