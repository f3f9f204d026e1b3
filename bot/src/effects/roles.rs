//! Making a member's reward roles what their level says.
//!
//! What is stored is that they have to be made right, not which roles to give: whoever does it looks at the level of that moment, so
//! doing it late, twice, or by two processes at once ends the same.

use twilight_http::request::AuditLogReason as _;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker},
};

use super::{
    delivery::Deliverer,
    effect::Notice,
    notice,
    outcome::{Failure, Outcome, Reason, of_error},
};
use crate::{
    guilds::Assignable,
    ledger::member_xp::MemberKey,
    rest::{Priority, RestError},
    settings::{Departed, RewardMode, Rewards},
    snowflake,
    store::{StoreError, departures, guild_settings, member_xp, outbox::Waiting},
};

/// What the bot may not do at a role.
const MISSING: &str = "the bot lacks the permission Manage Roles";
/// Unknown role: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>.
const UNKNOWN_ROLE: u64 = 10_011;
const UNKNOWN_MEMBER: u64 = 10_007;
const UNKNOWN_USER: u64 = 10_013;

/// What is to be done to one role, with the level that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Give((u32, Id<RoleMarker>)),
    Take((u32, Id<RoleMarker>)),
}

pub(super) async fn reconcile(to: &Deliverer, effect: &Waiting) -> Outcome {
    match try_to(to, effect).await {
        Ok(outcome) => outcome,
        Err(Stopped::Store(error)) => error.into(),
        Err(Stopped::Rest(error)) => {
            if is(&error, &[UNKNOWN_MEMBER, UNKNOWN_USER]) {
                return gone(to, effect).await;
            }
            match of_error(&error, 0) {
                Outcome::Failed(failure) => Outcome::Blocked(failure),
                other => other,
            }
        }
    }
}

/// Somebody who is not in the server, and the roles with them. Where Discord does not tell who leaves, it is noticed here.
async fn gone(to: &Deliverer, effect: &Waiting) -> Outcome {
    let Some(user_id) = effect.user_id else {
        return Outcome::Cancelled;
    };
    let guild_id = effect.guild_id;
    let members = [MemberKey { guild_id, user_id }];
    let noted = async {
        let departed = to.settings.of(&to.store, guild_id).await?.departed;
        let note = to.store.transaction("member_departed", move |tx| {
            Box::pin(async move {
                match departed {
                    Departed::Keep => Ok(()),
                    Departed::Hide => departures::hide(tx, &members).await,
                    Departed::Reset => departures::reset(tx, &members).await,
                }
            })
        });
        note.await
    };
    match noted.await {
        Ok(()) => Outcome::Cancelled,
        Err(error) => error.into(),
    }
}

/// Why it could not be finished.
enum Stopped {
    Store(StoreError),
    Rest(RestError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RestError> for Stopped {
    fn from(error: RestError) -> Self {
        Self::Rest(error)
    }
}

async fn try_to(to: &Deliverer, effect: &Waiting) -> Result<Outcome, Stopped> {
    let (guild_id, Some(user_id)) = (effect.guild_id, effect.user_id) else {
        return Ok(Outcome::Cancelled);
    };
    let settings = to.settings.of(&to.store, guild_id).await?;
    if settings.rewards.switched_off {
        // Kept until somebody switches them on again; nothing is asked of Discord meanwhile.
        let after = Some(to.config.retry_blocked);
        return Ok(Outcome::Later {
            why: "rewards are switched off".to_owned(),
            after,
        });
    }
    if settings.rewards.roles().is_empty() {
        return Ok(Outcome::Cancelled);
    }
    let xp = member_xp::xp_of(&to.store, MemberKey { guild_id, user_id }).await?;
    let level = settings.curve.level_of(xp);
    let has = to.guilds.roles_of(guild_id, user_id, Priority::Effect).await?;
    let mut blocked = None;
    for step in steps(&settings.rewards, level, &has) {
        if let Some(failure) = take(to, MemberKey { guild_id, user_id }, step, level).await? {
            blocked = Some(failure);
        }
    }
    if let Some(failure) = &blocked {
        tracing::info!(
            guild.id = guild_id.get(),
            role.id = failure.target_id,
            reason = failure.detail,
            "a reward role cannot be given or taken; retrying later"
        );
    }
    Ok(blocked.map_or(Outcome::Delivered, Outcome::Blocked))
}

/// What has to be done to somebody with these roles.
///
/// Rewards of levels that are not reached are left alone: whoever has one was given it by a person.
fn steps(rewards: &Rewards, level: u32, has: &[Id<RoleMarker>]) -> Vec<Step> {
    let deserved = rewards.deserved(level);
    let reached = || rewards.roles().iter().filter(|(at, _)| *at <= level).copied();
    let mut steps: Vec<Step> = reached()
        .filter(|(_, role)| deserved.contains(role) && !has.contains(role))
        .map(Step::Give)
        .collect();
    if rewards.mode == RewardMode::Replace {
        // Given first, so that nobody is without one in between.
        let replaced = reached().filter(|(_, role)| !deserved.contains(role) && has.contains(role));
        steps.extend(replaced.map(Step::Take));
    }
    steps
}

/// Take a step; returns what is in the way, if it can go.
async fn take(to: &Deliverer, member: MemberKey, step: Step, level: u32) -> Result<Option<Failure>, Stopped> {
    let MemberKey { guild_id, user_id } = member;
    let (Step::Give((at, role_id)) | Step::Take((at, role_id))) = step;
    // Asked first, from the cache, since each refusal counts against Discord's limit of invalid requests.
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
            let Err(error) = sent else { return Ok(None) };
            if !is(&error, &[UNKNOWN_ROLE, 50_001, 50_013]) {
                return Err(error.into());
            }
            // What was known was not true any more.
            to.guilds.forget(guild_id);
            if is(&error, &[UNKNOWN_ROLE]) {
                forget_reward(to, guild_id, role_id, at).await?;
                return Ok(None);
            }
            error.to_string()
        }
        Assignable::UnknownRole => {
            forget_reward(to, guild_id, role_id, at).await?;
            return Ok(None);
        }
        Assignable::NoPermission => MISSING.to_owned(),
        Assignable::RoleAboveBot { .. } => {
            format!("the role {role_id} does not stand below the bot's highest role")
        }
        Assignable::Managed => format!("the role {role_id} belongs to an integration, which alone gives it"),
        Assignable::Everyone => format!("the role {role_id} is everybody's"),
    };
    Ok(Some(Failure {
        reason: Reason::Forbidden,
        detail,
        target_id: snowflake::to_db(role_id),
    }))
}

/// A reward whose role was deleted is none.
async fn forget_reward(
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    role_id: Id<RoleMarker>,
    level: u32,
) -> Result<(), StoreError> {
    let settings = to.settings.clone();
    to.store
        .transaction("reward_gone", move |tx| {
            Box::pin(async move {
                let log_channel_id = notice::log_channel(tx, &settings, guild_id).await?;
                if guild_settings::remove_role(tx, guild_id, role_id).await? {
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
