//! A punishment on Discord: what is checked first, the request, and what its failure means.
//!
//! Repeating a punishment is harmless: a timeout ends at a fixed time, a kicked user is no longer a member, and a banned user stays banned.
//! Permissions are checked at the time of delivery.

use std::time::Duration;

use serde::Deserialize;
use twilight_http::request::AuditLogReason as _;
use twilight_model::{
    id::{
        Id,
        marker::{RoleMarker, UserMarker},
    },
    util::Timestamp,
};

use crate::{
    discord::{
        guilds::authority::{Action, Denial, PunishPermit},
        rest::{Priority, RestError},
    },
    features::moderation::duration::LONGEST_TIMEOUT,
    outbox::{
        delivery::Deliverer,
        outcome::{Failure, Reason, Undelivered, of_error},
        queue::Waiting,
        trouble::{self, Trouble},
    },
    support::{
        ids,
        text::limits::{AUDIT_REASON, excerpt},
    },
};

/// Unknown member, unknown user: <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>.
const NO_MEMBER: [u64; 2] = [10_007, 10_013];
/// The maximum age of cached roles when permissions and ranks are checked again.
const OLDEST_RANKS: Duration = Duration::from_mins(1);
/// How far Discord's clock may be behind ours.
const CLOCKS: Duration = Duration::from_mins(1);

/// A punishment to be carried out.
#[derive(Clone, Debug)]
pub(super) struct Order<'a> {
    pub(super) action: Action,
    /// When a timeout ends, in milliseconds since 1970: fixed, however late it starts.
    pub(super) until_ms: Option<i64>,
    /// When it was ordered, in milliseconds since 1970.
    pub(super) at_ms: i64,
    /// What a timeout does to one that runs already.
    pub(super) running: Running,
    /// The messages that a ban deletes, in seconds before it.
    pub(super) delete_seconds: u32,
    /// The permission of the moderator; `None` if none is needed any more.
    pub(super) permit: Option<&'a PunishPermit>,
    /// For Discord's audit log.
    pub(super) reason: String,
}

/// What a timeout does to one that runs already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Running {
    /// A longer one stays.
    Kept,
    /// It is replaced.
    Replaced,
    /// It is prolonged; without one there is nothing to prolong.
    Prolonged,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is so.
    Done,
    /// The member has left, or came back after a kick.
    Gone,
    /// The timeout to be prolonged was lifted.
    Lifted,
    /// It failed, or is to be repeated.
    Not(Undelivered),
}

/// The parts of a member that are needed here.
#[derive(Deserialize)]
pub(super) struct Member {
    pub(super) roles: Vec<Id<RoleMarker>>,
    joined_at: Option<Timestamp>,
    communication_disabled_until: Option<Timestamp>,
}

impl Member {
    /// When their timeout ends, in milliseconds since 1970; 0 without one.
    pub(super) fn timeout_ms(&self) -> i64 {
        millis(self.communication_disabled_until)
    }
}

/// Carry out a punishment of the member of an effect.
pub(super) async fn carry_out(to: &Deliverer, effect: &Waiting, order: Order<'_>) -> Attempt {
    let Some(user_id) = effect.user_id else {
        return Attempt::Gone;
    };
    match try_to(to, effect, order, user_id).await {
        Ok(attempt) => attempt,
        Err(error) => {
            // The cached guild may be stale, and the reason why this was tried.
            to.guilds.forget(effect.guild_id);
            Attempt::Not(of_error(&error, ids::to_db(user_id)))
        }
    }
}

async fn try_to(
    to: &Deliverer,
    effect: &Waiting,
    order: Order<'_>,
    user_id: Id<UserMarker>,
) -> Result<Attempt, RestError> {
    let guild_id = effect.guild_id;
    let now = ids::to_millis(to.rest.clock().now());
    let latest = now + i64::try_from(LONGEST_TIMEOUT.saturating_sub(CLOCKS).as_millis()).unwrap_or(0);
    let until = order.until_ms.unwrap_or(now);
    if order.action == Action::Timeout && until <= now {
        return Ok(Attempt::Gone);
    }
    let member = member(to, effect, user_id).await?;
    match (&member, order.action) {
        (None, Action::Timeout | Action::Kick) => return Ok(Attempt::Gone),
        (Some(member), Action::Timeout) => {
            let running = member.timeout_ms();
            match order.running {
                Running::Kept if running >= until => return Ok(Attempt::Done),
                Running::Prolonged if running <= now => return Ok(Attempt::Lifted),
                Running::Kept | Running::Replaced | Running::Prolonged => {}
            }
        }
        // Kicked by an earlier attempt or by a moderator, and rejoined since.
        (Some(member), Action::Kick) if millis(member.joined_at) > order.at_ms => {
            return Ok(Attempt::Gone);
        }
        _ => {}
    }
    let roles = member.as_ref().map(|member| member.roles.as_slice());
    if let Some(failure) = obstacle(to, effect, order.permit, (user_id, roles), order.action).await? {
        return Ok(Attempt::Not(Undelivered::Failed(failure)));
    }
    let reason = excerpt(&order.reason, AUDIT_REASON);
    let client = to.rest.builders();
    let sent = match order.action {
        Action::Timeout => {
            let until = Timestamp::from_micros(until.min(latest) * 1_000).ok();
            let request = client
                .update_guild_member(guild_id, user_id)
                .communication_disabled_until(until);
            to.rest.send(Priority::Command, request.reason(&reason)).await
        }
        Action::Kick => {
            let request = client.remove_guild_member(guild_id, user_id);
            to.rest.send(Priority::Command, request.reason(&reason)).await
        }
        Action::Ban => {
            let mut request = client.create_ban(guild_id, user_id);
            if order.delete_seconds > 0 {
                request = request.delete_message_seconds(order.delete_seconds);
            }
            to.rest.send(Priority::Command, request.reason(&reason)).await
        }
    };
    match sent {
        Err(error) if is_no_member(&error) => Ok(Attempt::Gone),
        sent => sent.map(|_answer| Attempt::Done),
    }
}

/// Why the moderator may not, or the bot cannot, act on a user with these roles, `None` if they are not a member.
pub(super) async fn obstacle(
    to: &Deliverer,
    effect: &Waiting,
    permit: Option<&PunishPermit>,
    who: (Id<UserMarker>, Option<&[Id<RoleMarker>]>),
    action: Action,
) -> Result<Option<Failure>, RestError> {
    let guild_id = effect.guild_id;
    let forbidden = |detail: &str| Failure {
        reason: Reason::Forbidden,
        detail: detail.to_owned(),
        target_id: ids::to_db(who.0),
    };
    if let Some(permit) = permit {
        to.guilds.forget_if_older(guild_id, OLDEST_RANKS);
        let denial = to
            .guilds
            .punish_denial(guild_id, (permit, action), who, Priority::Command)
            .await?;
        match denial {
            None => {}
            Some(Denial::Permission(missing)) => {
                return Ok(Some(Trouble::AskerLacks(missing).as_failure(ids::to_db(who.0))));
            }
            Some(_) => return Ok(Some(forbidden(trouble::NOT_ABOVE))),
        }
    }
    let obstacle = to
        .guilds
        .obstacle(guild_id, who, action.permission(), Priority::Command);
    Ok(obstacle
        .await?
        .map(|obstacle| forbidden(trouble::of_obstacle(obstacle))))
}

/// The member; `None` for a user who is none.
pub(super) async fn member(
    to: &Deliverer,
    effect: &Waiting,
    user_id: Id<UserMarker>,
) -> Result<Option<Member>, RestError> {
    let request = to.rest.builders().guild_member(effect.guild_id, user_id);
    match to.rest.send(Priority::Command, request).await {
        Ok(answer) => answer.model().map(Some),
        Err(error) if is_no_member(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether Discord knows no such member or user.
pub(super) fn is_no_member(error: &RestError) -> bool {
    matches!(error, RestError::Refused { code: Some(code), .. } if NO_MEMBER.contains(code))
}

/// Milliseconds since 1970; 0 for no time.
fn millis(at: Option<Timestamp>) -> i64 {
    at.map_or(0, |at| at.as_micros() / 1_000)
}

/// The key of the text that tells the guild why something was not carried out.
pub(super) fn why(failure: &Failure) -> &'static str {
    match Trouble::of(&failure.detail) {
        Some(Trouble::BotLacks(_)) => return "warning-obstacle-permission",
        Some(Trouble::AskerLacks(_)) => return "massban-why-moderator",
        _ => {}
    }
    match (trouble::obstacle_of(&failure.detail), failure.reason) {
        (Some(obstacle), _) => obstacle.key(),
        (None, _) if failure.detail == trouble::NOT_ABOVE => "hindrance-rank",
        (None, Reason::Forbidden) => "warning-obstacle-refused",
        (None, Reason::Expired) => "warning-obstacle-late",
        (None, _) => "warning-obstacle-other",
    }
}
