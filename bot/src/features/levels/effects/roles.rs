//! Updating a member's reward roles to match their level.
//!
//! The effect stores only that the roles need an update, not which roles to give: delivery reads the level of that moment, so running it
//! late, twice, or in two processes at once has the same result.

pub(crate) mod kind;

use std::{collections::HashMap, time::Duration};

use serde::{Deserialize, Serialize};
use twilight_http::request::AuditLogReason as _;
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, RoleMarker},
    },
};

use crate::{
    discord::{
        guilds::Assignable,
        rest::{Priority, RestError},
    },
    features::levels::rows::{given_role, member_xp},
    outbox::{
        delivery::Deliverer,
        failures,
        kind::{EffectBody, Owner},
        outcome::{Failure, Reason, Undelivered, of_error},
        queue::{self, Waiting},
    },
    postgres::StoreError,
    settings::{
        LeavePolicy, RewardMode, Rewards, Settings,
        notice::{self, Notice},
        table,
    },
    support::ids::{self, MemberKey},
};

/// The failure text for the missing permission, which blocks all role changes.
const MISSING: &str = "the bot lacks the permission Manage Roles";
/// The maximum age of cached role permissions before a role is given; older ones are read again.
const OLDEST_PERMISSIONS: Duration = Duration::from_mins(1);
/// Unknown role: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>.
const UNKNOWN_ROLE: u64 = 10_011;
const UNKNOWN_MEMBER: u64 = 10_007;
const UNKNOWN_USER: u64 = 10_013;

/// A change of one role, with the level that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Give((u32, Id<RoleMarker>)),
    Take((u32, Id<RoleMarker>)),
}

/// The body of the kind `roles`. If two are pending for the same member, a flag of either applies.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Roles {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) demotes: bool,
}

impl EffectBody for Roles {
    const KIND: &'static str = queue::ROLES;
    const OWNER: Owner = Owner::Member;
}

pub(super) async fn reconcile(
    settings: &Settings,
    to: &Deliverer,
    effect: &Waiting,
    demotes: bool,
) -> Result<(), Undelivered> {
    let user_id = effect.user()?;
    let guild_id = effect.guild_id;
    let member = MemberKey { guild_id, user_id };
    match try_to(settings, to, member, demotes).await {
        Ok(()) => Ok(()),
        Err(Stopped::Undelivered(why)) => Err(why),
        Err(Stopped::Rest(error)) if is(&error, &[UNKNOWN_MEMBER, UNKNOWN_USER]) => {
            note_departure(settings, to, member).await?;
            Err(Undelivered::Cancelled)
        }
        Err(Stopped::Rest(error)) => Err(match of_error(&error, 0) {
            Undelivered::Failed(failure) => Undelivered::Blocked(failure),
            other => other,
        }),
    }
}

/// Handle a member who is not in the guild, and whose roles are gone. Without leave events from Discord, this is where it is noticed.
async fn note_departure(settings: &Settings, to: &Deliverer, member: MemberKey) -> Result<(), StoreError> {
    let departed = settings.of(&to.store, member.guild_id).await?.departed;
    let members = [member];
    let note = to.store.transaction("member_departed", move |tx| {
        Box::pin(async move {
            match departed {
                LeavePolicy::Keep => Ok(()),
                LeavePolicy::Hide => crate::features::levels::rows::departed::hide(tx, &members).await,
                LeavePolicy::Reset => crate::features::levels::rows::departed::reset(tx, &members).await,
            }
        })
    });
    note.await
}

/// Why an update was not completed.
enum Stopped {
    Undelivered(Undelivered),
    /// A request failed; what that means depends on whether the member has left.
    Rest(RestError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Undelivered(error.into())
    }
}

impl From<Undelivered> for Stopped {
    fn from(why: Undelivered) -> Self {
        Self::Undelivered(why)
    }
}

impl From<RestError> for Stopped {
    fn from(error: RestError) -> Self {
        Self::Rest(error)
    }
}

async fn try_to(handle: &Settings, to: &Deliverer, member: MemberKey, demotes: bool) -> Result<(), Stopped> {
    let MemberKey { guild_id, user_id } = member;
    let settings = handle.of(&to.store, guild_id).await?;
    if settings.rewards.switched_off {
        // Kept until an administrator turns rewards on again; no requests are sent to Discord meanwhile.
        let after = Some(to.config.retry_blocked);
        return Err(Undelivered::Later {
            why: "rewards are switched off".to_owned(),
            after,
        }
        .into());
    }
    if settings.rewards.roles().is_empty() {
        return Err(Undelivered::Cancelled.into());
    }
    let given = given_role::of(&to.store, member).await?;
    let failing = failures::failing(&to.store, guild_id, Roles::KIND).await?;
    let xp = member_xp::xp_of(&to.store, member).await?;
    let mut settings = settings;
    // A role may have gained permissions while this process did not receive the guild's events.
    to.guilds.forget_if_older(guild_id, OLDEST_PERMISSIONS);
    loop {
        let level = settings.curve.level_of(xp);
        if settings.rewards.deserved(level).is_empty() && given.is_empty() {
            return Err(Undelivered::Cancelled.into());
        }
        let has = to.guilds.roles_of(guild_id, user_id, Priority::Effect).await?;
        let steps = steps(&settings.rewards, level, &has, &given, demotes);
        if follow(handle, to, member, steps, level, &failing).await? {
            return Ok(());
        }
        // A reward is gone, so the others may now be due. Each round has one less.
        settings = handle.of(&to.store, guild_id).await?;
    }
}

/// Apply the steps. Returns `false` if a reward turned out to be gone, since that changes the steps.
async fn follow(
    handle: &Settings,
    to: &Deliverer,
    member: MemberKey,
    steps: Vec<Step>,
    level: u32,
    failing: &HashMap<i64, (i64, Duration)>,
) -> Result<bool, Stopped> {
    let limit = i64::from(to.config.failures_until_off);
    let waits = |role_id| {
        let (failures, age) = failing.get(&ids::to_db(role_id))?;
        (*failures >= limit && *age < to.config.retry_blocked).then_some(())
    };
    let (mut blocked, mut waiting) = (None, None);
    for step in steps {
        let (Step::Give((_, role_id)) | Step::Take((_, role_id))) = step;
        if matches!(step, Step::Take(_)) && (blocked.is_some() || waiting.is_some()) {
            // A member does not lose a role before receiving the one that replaces it.
            continue;
        }
        if waits(role_id).is_some() {
            waiting.get_or_insert(role_id);
            continue;
        }
        match take(handle, to, member, step, level).await? {
            Taken::Done => {
                if failing.contains_key(&ids::to_db(role_id)) {
                    let target = ids::to_db(role_id);
                    failures::well(&to.store, member.guild_id, Roles::KIND, target).await?;
                }
            }
            Taken::Blocked(failure) => {
                blocked.get_or_insert(failure);
            }
            Taken::RewardGone => return Ok(false),
        }
    }
    if let Some(failure) = &blocked {
        tracing::info!(
            guild.id = member.guild_id.get(),
            role.id = failure.target_id,
            reason = failure.detail,
            "a reward role cannot be given or taken; retrying later"
        );
    }
    match (blocked, waiting) {
        (Some(failure), _) => Err(Undelivered::Blocked(failure).into()),
        (None, Some(role_id)) => Err(Undelivered::Aside {
            why: format!("giving the role {role_id} failed repeatedly"),
        }
        .into()),
        (None, None) => Ok(true),
    }
}

/// The steps for a member with these roles.
///
/// A role of a level that the member has not reached is removed only if the bot has `given` it: a person gave any other one. This happens
/// if the effect `demotes`, and in guilds where members keep only one role.
fn steps(
    rewards: &Rewards,
    level: u32,
    has: &[Id<RoleMarker>],
    given: &[Id<RoleMarker>],
    demotes: bool,
) -> Vec<Step> {
    let deserved = rewards.deserved(level);
    let all = || rewards.roles().iter().copied();
    let replaces = rewards.mode == RewardMode::Replace;
    // Additions come first, so that a member is never without one.
    let missing = all().filter(|(_, role)| deserved.contains(role) && !has.contains(role));
    let excess = all().filter(|(at, role)| {
        let is_too_much = if *at <= level {
            replaces
        } else {
            (replaces || demotes) && given.contains(role)
        };
        is_too_much && !deserved.contains(role) && has.contains(role)
    });
    missing.map(Step::Give).chain(excess.map(Step::Take)).collect()
}

/// The result of a step.
enum Taken {
    Done,
    /// Blocked by an obstacle that can be removed.
    Blocked(Failure),
    /// The role no longer exists, so neither does the reward.
    RewardGone,
}

async fn take(
    handle: &Settings,
    to: &Deliverer,
    member: MemberKey,
    step: Step,
    level: u32,
) -> Result<Taken, Stopped> {
    let MemberKey { guild_id, user_id } = member;
    let (Step::Give((at, role_id)) | Step::Take((at, role_id))) = step;
    if matches!(step, Step::Give(_))
        && let Some(dangerous) = not_by_owner(to, guild_id, role_id).await?
    {
        return Ok(Taken::Blocked(Failure {
            reason: Reason::Forbidden,
            detail: format!(
                "the role {role_id} has the permission {dangerous:?}, and only the server's owner can make such a role a reward"
            ),
            target_id: ids::to_db(role_id),
        }));
    }
    // Check the cache first, since each refusal counts against Discord's limit of invalid requests.
    let detail = match to.guilds.assignable(guild_id, role_id, Priority::Effect).await? {
        Assignable::Yes => {
            let reason = format!("level {level}");
            let client = to.rest.builders();
            let sent = match step {
                Step::Give(_) => {
                    let request = client.add_guild_member_role(guild_id, user_id, role_id);
                    to.rest.send(Priority::Effect, request.reason(&reason)).await
                }
                Step::Take(_) => {
                    let request = client.remove_guild_member_role(guild_id, user_id, role_id);
                    to.rest.send(Priority::Effect, request.reason(&reason)).await
                }
            };
            let Err(error) = sent else {
                match step {
                    Step::Give(_) => given_role::add(&to.store, member, role_id).await?,
                    Step::Take(_) => given_role::remove(&to.store, member, role_id).await?,
                }
                return Ok(Taken::Done);
            };
            if !is(&error, &[UNKNOWN_ROLE, 50_001, 50_013]) {
                return Err(error.into());
            }
            // The cached data was stale.
            to.guilds.forget(guild_id);
            if is(&error, &[UNKNOWN_ROLE]) {
                forget_reward(handle, to, guild_id, role_id, at).await?;
                return Ok(Taken::RewardGone);
            }
            error.to_string()
        }
        Assignable::UnknownRole => {
            forget_reward(handle, to, guild_id, role_id, at).await?;
            return Ok(Taken::RewardGone);
        }
        // This affects every role, and so the whole guild.
        Assignable::NoPermission => {
            return Ok(Taken::Blocked(Failure {
                reason: Reason::Forbidden,
                detail: MISSING.to_owned(),
                target_id: 0,
            }));
        }
        Assignable::RoleAboveBot { .. } => {
            format!("the role {role_id} is not below the bot's highest role")
        }
        Assignable::Managed => format!("the role {role_id} belongs to an integration, which alone gives it"),
        Assignable::Everyone => format!("everyone has the role {role_id}"),
    };
    Ok(Taken::Blocked(Failure {
        reason: Reason::Forbidden,
        detail,
        target_id: ids::to_db(role_id),
    }))
}

/// Whether the bot can give a role, according to current data.
pub(crate) async fn can_give(to: &Deliverer, guild_id: Id<GuildMarker>, role_id: Id<RoleMarker>) -> bool {
    to.guilds.forget_if_older(guild_id, OLDEST_PERMISSIONS);
    let is_assignable = to.guilds.assignable(guild_id, role_id, Priority::Effect).await;
    if is_assignable.is_ok_and(|assignable| assignable != Assignable::Yes) {
        return false;
    }
    !matches!(not_by_owner(to, guild_id, role_id).await, Ok(Some(_)))
}

/// A dangerous permission of a role that was not made a reward by the guild's owner. The role may have gained it since.
async fn not_by_owner(
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
) -> Result<Option<Permissions>, Stopped> {
    let dangers = to.guilds.dangers_of(guild_id, role_id, Priority::Effect).await?;
    if dangers.is_none() {
        return Ok(None);
    }
    let configured_by = table::configured_by(&to.store, guild_id, role_id).await?;
    let owner = to.guilds.owner(guild_id, Priority::Effect).await?;
    Ok(dangers.filter(|_| configured_by.is_none() || configured_by != owner))
}

/// Delete a reward whose role was deleted.
async fn forget_reward(
    handle: &Settings,
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
    level: u32,
) -> Result<(), StoreError> {
    let settings = handle.clone();
    to.store
        .transaction("reward_gone", move |tx| {
            Box::pin(async move {
                let log_channel_id = notice::log_channel(tx, &settings, guild_id).await?;
                if table::remove_role(tx, guild_id, role_id).await? {
                    let gone = Notice::RewardGone { role_id, level };
                    notice::add(tx, guild_id, log_channel_id, &gone).await?;
                }
                Ok(())
            })
        })
        .await
}

fn is(error: &RestError, codes: &[u64]) -> bool {
    matches!(error, RestError::Refused { code: Some(code), .. } if codes.contains(code))
}

#[cfg(test)]
mod tests {
    use twilight_model::id::{Id, marker::RoleMarker};

    use super::{RewardMode, Rewards, Step, steps};

    /// The steps for a member at level 12 with these roles, some of them given by the bot. Levels 5, 10 and 20 give roles 1, 2 and 3.
    fn done(mode: RewardMode, has: &[u64], given: &[u64], demotes: bool) -> Vec<i64> {
        let roles = [(5, 1), (10, 2), (20, 3)].map(|(level, role)| (level, Id::new(role)));
        let rewards = Rewards::new(mode, false, roles.to_vec());
        let ids = |roles: &[u64]| {
            roles
                .iter()
                .map(|id| Id::new(*id))
                .collect::<Vec<Id<RoleMarker>>>()
        };
        steps(&rewards, 12, &ids(has), &ids(given), demotes)
            .into_iter()
            .map(|step| match step {
                Step::Give((_, role)) => role.get().cast_signed(),
                Step::Take((_, role)) => -role.get().cast_signed(),
            })
            .collect()
    }

    #[test]
    fn only_what_the_bot_gave_is_taken_from_a_level_above() {
        use RewardMode::{Replace, Stack};
        assert_eq!(done(Stack, &[], &[], false), [1, 2]);
        assert_eq!(done(Stack, &[1, 3], &[3], false), [2], "kept");
        assert_eq!(done(Stack, &[1, 3], &[3], true), [2, -3], "demoted");
        assert_eq!(done(Stack, &[1, 3], &[], true), [2], "a person gave it");
        assert_eq!(done(Replace, &[1, 3], &[3], false), [2, -1, -3], "one role alone");
        assert_eq!(done(Replace, &[1, 3], &[], false), [2, -1]);
    }
}
