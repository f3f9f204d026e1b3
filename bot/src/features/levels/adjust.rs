//! XP adjustments by staff: give, take and set. Each applies once per interaction, however often that is replayed, and its record allows an
//! undo.

mod amount;
pub mod mass;

use std::{collections::BTreeSet, convert::Infallible, sync::Arc};

use tokio::sync::watch;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use self::amount::Wanted;
use crate::{
    discord::guilds::authority::XpPermit,
    features::levels::{
        effects::plan,
        rows::{
            audit_xp::{self, Change},
            given_role,
            mass_change::{self, Key},
            member_xp::giving,
        },
    },
    outbox::{
        failures,
        queue::{self, NewEffect},
    },
    postgres::{
        Store, StoreError, Tx,
        request::{self, Completed, Once, Request},
    },
    settings::{GuildSettings, Settings, values::curve},
    support::ids::MemberKey,
};

/// The most XP that one command can give or a member can be set to: the XP of the highest level.
pub const MOST: u64 = curve::MOST_XP;

/// Members per statement when scheduling role updates.
const AT_ONCE: u32 = 5_000;

/// An adjustment of a member's XP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XpAdjustment {
    /// Add this much XP.
    Give(XpPermit, u64),
    /// Subtract this much XP, down to 0. This never grants a role.
    Take(u64),
    /// Set the XP to this amount.
    Set(XpPermit, u64),
}

/// The result of an adjustment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// Applied: each member's XP before and after, ordered by ID.
    Now(Vec<Changed>),
    /// Applied in steps, to this many members.
    Many(u64),
    /// The interaction was processed before.
    Before,
}

/// The result of a change in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mass {
    /// Applied: the number of members whose XP changed.
    Done(u64),
    /// The interaction was processed before.
    Before,
    /// There is nothing to undo.
    Nothing,
}

/// A member's XP before and after an adjustment; both may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The member.
    pub user_id: Id<UserMarker>,
    /// XP before.
    pub before: u64,
    /// XP after.
    pub after: u64,
}

impl Changed {
    const fn is_real(&self) -> bool {
        self.before != self.after
    }
}

impl XpAdjustment {
    fn change(self, before: u64) -> i64 {
        let after = match self {
            Self::Give(_, xp) => before.saturating_add(xp).min(MOST.max(before)),
            Self::Take(xp) => before.saturating_sub(xp),
            Self::Set(_, xp) => xp.min(MOST),
        };
        after.cast_signed() - before.cast_signed()
    }
}

/// Apply an adjustment to the XP of these members.
pub async fn grant(
    store: &Store,
    settings: &Settings,
    request: Request,
    users: BTreeSet<Id<UserMarker>>,
    grant: XpAdjustment,
) -> Result<Granted, StoreError> {
    let users: Arc<[_]> = users.into_iter().collect();
    if users.len() > mass::AT_ONCE as usize {
        return grant_many(store, settings, request, users, grant).await;
    }
    let key = key_of(&request);
    let settings = settings.clone();
    let once = store.once("xp_grant", request, move |tx| {
        let (settings, users) = (settings.clone(), Arc::clone(&users));
        Box::pin(async move {
            let wanted = users.iter().map(|user_id| Wanted::new(*user_id, grant)).collect();
            let changed = apply(tx, &settings, key, wanted, false).await?;
            let real = changed.iter().filter(|changed| changed.is_real()).count();
            Ok(Ok::<_, Infallible>(
                Completed::new(changed).of_members(real as u64),
            ))
        })
    });
    let Ok(once) = once.await?;
    Ok(match once {
        Once::Now(changed) => Granted::Now(changed),
        Once::Before(_) => Granted::Before,
    })
}

/// The members are recorded before the first step, as changes by 0, so that a resumed run need not find them again.
async fn grant_many(
    store: &Store,
    settings: &Settings,
    request: Request,
    users: Arc<[Id<UserMarker>]>,
    grant: XpAdjustment,
) -> Result<Granted, StoreError> {
    let key = key_of(&request);
    let (kind, amount) = match grant {
        XpAdjustment::Give(_, xp) => ("give", xp),
        XpAdjustment::Take(xp) => ("take", xp),
        XpAdjustment::Set(_, xp) => ("set", xp),
    };
    let begun = store.carry_out("xp_grant", request, move |tx| {
        let users = Arc::clone(&users);
        Box::pin(async move {
            for some in users.chunks(mass::AT_ONCE as usize) {
                let listed: Vec<_> = some.iter().copied().map(Change::none).collect();
                audit_xp::add(tx, key.guild_id, key.interaction_id, &listed).await?;
            }
            mass_change::begin(tx, key, kind, Some(amount.min(MOST)), None).await
        })
    });
    let is_new = begun.await?;
    let done = in_steps(store, settings, key, is_new, &watch::Sender::new(0)).await?;
    Ok(match done {
        Mass::Done(members) => Granted::Many(members),
        Mass::Before | Mass::Nothing => Granted::Before,
    })
}

/// Undo the change of a request. `told` is called with the number of members changed so far.
///
/// # Errors
///
/// The database is unavailable. A change that has begun is completed later.
pub async fn take_back(
    store: &Store,
    settings: &Settings,
    request: Request,
    taken_back: Id<InteractionMarker>,
    _permit: XpPermit,
    told: &watch::Sender<u64>,
) -> Result<Mass, StoreError> {
    let key = key_of(&request);
    // A change still in progress would continue after its undo.
    let target = Key {
        interaction_id: taken_back,
        ..key
    };
    mass::finish(store, settings, target, &watch::Sender::new(0)).await?;
    let begun = store.once("xp_take_back", request, move |tx| {
        Box::pin(async move {
            if !request::take_back(tx, key.guild_id, taken_back, key.interaction_id).await? {
                return Ok(Err(NothingToUndo));
            }
            mass_change::begin(tx, key, "undo", None, Some(taken_back)).await?;
            Ok(Ok(Completed::new(())))
        })
    });
    match begun.await? {
        Err(NothingToUndo) => Ok(Mass::Nothing),
        Ok(begun) => in_steps(store, settings, key, begun == Once::Now(()), told).await,
    }
}

/// The request to be undone changed nothing, or was undone before.
struct NothingToUndo;

/// Reset the XP of all members of a guild. `told` is called with the number of members changed so far.
///
/// # Errors
///
/// The database is unavailable. A change that has begun is completed later.
pub async fn reset(
    store: &Store,
    settings: &Settings,
    request: Request,
    told: &watch::Sender<u64>,
) -> Result<Mass, StoreError> {
    let key = key_of(&request);
    let begun = store.carry_out("xp_reset", request, move |tx| {
        Box::pin(async move { mass_change::begin(tx, key, "reset", None, None).await })
    });
    let is_new = begun.await?;
    in_steps(store, settings, key, is_new, told).await
}

/// Complete a change that was begun now or by an earlier attempt.
async fn in_steps(
    store: &Store,
    settings: &Settings,
    key: Key,
    is_new: bool,
    told: &watch::Sender<u64>,
) -> Result<Mass, StoreError> {
    match mass::finish(store, settings, key, told).await? {
        Some(members) => Ok(Mass::Done(members)),
        // Another process has completed the last step.
        None if is_new => request::members_of(store, key.guild_id, key.interaction_id)
            .await
            .map(Mass::Done),
        None => Ok(Mass::Before),
    }
}

const fn key_of(request: &Request) -> Key {
    Key {
        guild_id: request.guild_id,
        interaction_id: request.request_id,
    }
}

/// Schedule an update of the reward roles of every member who has reached a rewarded level or received a role from the bot. Returns the
/// number of these members. With `demotes`, roles that the bot gave for levels no longer held are removed.
pub async fn sync_rewards(
    store: &Store,
    guild_id: Id<GuildMarker>,
    settings: &GuildSettings,
    demotes: bool,
    _permit: XpPermit,
) -> Result<u64, StoreError> {
    let Some((lowest, _)) = settings.rewards.roles().first() else {
        return Ok(0);
    };
    let xp = settings.curve.xp_at(*lowest);
    // Retry every role.
    store
        .transaction("rewards_sync", move |tx| {
            Box::pin(async move { failures::forget(tx, guild_id, queue::ROLES).await })
        })
        .await?;
    let (mut after, mut members) = (None, 0);
    loop {
        let found = store
            .transaction("rewards_sync", move |tx| {
                Box::pin(async move {
                    let found = whom_to_sync(tx, guild_id, xp, after).await?;
                    let cause = if demotes {
                        plan::demotion_of
                    } else {
                        plan::roles_of
                    };
                    let effects: Vec<NewEffect> = found
                        .iter()
                        .map(|user_id| {
                            cause(MemberKey {
                                guild_id,
                                user_id: *user_id,
                            })
                        })
                        .collect();
                    queue::add_bulk(tx, &effects).await?;
                    Ok(found)
                })
            })
            .await?;
        let Some(last) = found.last() else {
            return Ok(members);
        };
        after = Some(*last);
        members += found.len() as u64;
    }
}

/// The number of members that [`sync_rewards`] would update.
pub async fn count_to_sync(
    store: &Store,
    guild_id: Id<GuildMarker>,
    settings: &GuildSettings,
) -> Result<u64, StoreError> {
    let Some((lowest, _)) = settings.rewards.roles().first() else {
        return Ok(0);
    };
    let xp = settings.curve.xp_at(*lowest);
    let (mut after, mut members) = (None, 0);
    loop {
        let found = store
            .transaction("rewards_count", move |tx| {
                Box::pin(async move { whom_to_sync(tx, guild_id, xp, after).await })
            })
            .await?;
        let Some(last) = found.last() else {
            return Ok(members);
        };
        after = Some(*last);
        members += found.len() as u64;
    }
}

/// The next members with at least this much XP or with a role from the bot, ordered by ID.
async fn whom_to_sync(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    xp: u64,
    after: Option<Id<UserMarker>>,
) -> Result<Vec<Id<UserMarker>>, StoreError> {
    let mut found = giving::with_at_least(tx, guild_id, xp, after, AT_ONCE).await?;
    found.extend(given_role::members(tx, guild_id, after, AT_ONCE).await?);
    found.sort_unstable();
    found.dedup();
    found.truncate(AT_ONCE as usize);
    Ok(found)
}

async fn apply(
    tx: &Tx<'_>,
    settings: &Settings,
    key: Key,
    mut wanted: Vec<Wanted>,
    is_undo: bool,
) -> Result<Vec<Changed>, StoreError> {
    let guild_id = key.guild_id;
    wanted.sort_unstable_by_key(|wanted| wanted.user_id);
    let users: Vec<_> = wanted.iter().map(|wanted| wanted.user_id).collect();
    let held = giving::lock(tx, guild_id, &users).await?;
    let (mut written, mut changed) = (Vec::new(), Vec::new());
    for wanted in &wanted {
        let held = held.get(&wanted.user_id).copied().unwrap_or_default();
        let change = wanted.change(held);
        changed.push(Changed {
            user_id: wanted.user_id,
            before: held.xp,
            after: held.xp.saturating_add_signed(change.xp),
        });
        if (change.xp, change.week_xp) != (0, 0) {
            written.push(change);
        }
    }
    giving::change(tx, guild_id, &written).await?;
    audit_xp::add(tx, guild_id, key.interaction_id, &written).await?;
    follow_with_roles(tx, settings, guild_id, &changed, is_undo).await?;
    Ok(changed)
}

/// Schedule an update of the reward roles of members whose level has changed.
async fn follow_with_roles(
    tx: &Tx<'_>,
    settings: &Settings,
    guild_id: Id<GuildMarker>,
    changed: &[Changed],
    is_undo: bool,
) -> Result<(), StoreError> {
    let changed: Vec<XpChange> = changed
        .iter()
        .map(|changed| XpChange {
            key: MemberKey {
                guild_id,
                user_id: changed.user_id,
            },
            before: changed.before,
            after: changed.after,
        })
        .collect();
    let effects = effects_on_roles(tx, settings, &changed, is_undo).await?;
    // Bulk effects come last in their guild, so a command for many members does not delay other effects.
    if effects.len() > 1 {
        queue::add_bulk(tx, &effects).await
    } else {
        queue::add(tx, &effects).await
    }
}

/// A change of a member's XP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct XpChange {
    pub(crate) key: MemberKey,
    pub(crate) before: u64,
    pub(crate) after: u64,
}

impl XpChange {
    /// The effect on the member's reward roles, if there is one.
    pub(crate) fn on_roles(&self, settings: &GuildSettings, is_undo: bool) -> Option<NewEffect> {
        let rewards = &settings.rewards;
        let level = |xp| settings.curve.level_of(xp);
        let (before, after) = (level(self.before), level(self.after));
        let concerns_rewards = !rewards.switched_off && !rewards.deserved(before.max(after)).is_empty();
        if before == after || !concerns_rewards {
            return None;
        }
        let demotes = after < before && rewards.demotion.holds(is_undo);
        Some(if demotes {
            plan::demotion_of(self.key)
        } else {
            plan::roles_of(self.key)
        })
    }
}

/// The effects of these changes on reward roles, with the settings of each member's guild.
pub(crate) async fn effects_on_roles(
    tx: &Tx<'_>,
    settings: &Settings,
    changed: &[XpChange],
    is_undo: bool,
) -> Result<Vec<NewEffect>, StoreError> {
    let guilds = changed.iter().map(|change| change.key.guild_id);
    let settings = settings.within(tx, guilds).await?;
    let effects = changed
        .iter()
        .filter_map(|change| change.on_roles(settings.get(&change.key.guild_id)?, is_undo));
    Ok(effects.collect())
}

#[cfg(test)]
mod tests {
    use super::{MOST, XpAdjustment, XpPermit};

    #[test]
    fn nothing_falls_below_zero_or_above_the_most() {
        let permit = XpPermit::of_operator();
        for (grant, before, change) in [
            (XpAdjustment::Give(permit, 5), 10, 5),
            (XpAdjustment::Give(permit, u64::MAX), 10, MOST.cast_signed() - 10),
            (XpAdjustment::Take(5), 10, -5),
            (XpAdjustment::Take(50), 10, -10),
            (XpAdjustment::Set(permit, 3), 10, -7),
            (XpAdjustment::Set(permit, 10), 10, 0),
        ] {
            assert_eq!(grant.change(before), change, "{grant:?}");
        }
    }
}
