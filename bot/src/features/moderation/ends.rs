//! Timers of punishments: the end of a temporary ban, and the next part of a timeout that is longer than Discord allows at once.
//!
//! A timer only asks what is stored when it fires: if the punishment is over, or a newer case of the user decides, it does nothing. It depends
//! on no moderator's permission any more.

use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::{
    Act,
    actions::Ordered,
    effects::{
        action::ModAction,
        action_lift::{ActionLift, Because},
    },
    kind::Kind,
    rows::{
        case::{self, Case},
        mod_case, outcome,
    },
};
use crate::{
    outbox::{
        kind::EffectBody,
        queue::{self, NewEffect},
        timers::TimerKind,
    },
    postgres::{
        StoreError, Tx,
        timer::{self, Due, NewTimer, claim::Firing},
    },
    support::ids::{self, MemberKey},
};

/// The name of the timer that lifts a temporary ban.
pub const TEMPBAN_END: &str = "tempban_end";
/// The name of the timer that prolongs a timeout.
pub const TIMEOUT_RENEWAL: &str = "timeout_renewal";
/// Both. The ID of a timer is the number of its case.
const KINDS: [&str; 2] = [TEMPBAN_END, TIMEOUT_RENEWAL];

/// How long a part of a timeout lasts at least: less than Discord's 28 days, as much as delivery may take.
const PART: Duration = Duration::from_hours(24 * 28 - 1);
/// How often a timeout is prolonged. An outage of nearly two weeks ends none.
const RENEWED_EVERY: Duration = Duration::from_hours(24 * 14);

/// What a timer keeps.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    /// The language if the guild chose none, as one of Discord's locales.
    locale: String,
}

/// The timer of a new case, if it needs one.
pub(super) fn first(act: &Act, ordered: &Ordered, locale: &str) -> Option<NewTimer> {
    let ends_at = ids::to_time(ordered.ends_at_ms?);
    match ordered.kind {
        Kind::Tempban => {
            let due = Due::At(ends_at);
            Some(timer(act.guild_id, TEMPBAN_END, ordered.case_id, due, locale))
        }
        Kind::Timeout if ends_at > act.at() + PART => {
            let due = Due::At(act.at() + RENEWED_EVERY);
            Some(timer(act.guild_id, TIMEOUT_RENEWAL, ordered.case_id, due, locale))
        }
        _ => None,
    }
}

/// End what a new case of a user replaces: their ban, or their timeout, with its timer. The guild must be [locked](mod_case::lock).
pub(crate) async fn replace(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    by: Kind,
    at: SystemTime,
) -> Result<(), StoreError> {
    let replaced = outcome::replace(tx, guild_id, user_id, by.replaced(), at).await?;
    for kind in KINDS {
        timer::discard(tx, guild_id, kind, &replaced).await?;
    }
    Ok(())
}

fn timer(guild_id: Id<GuildMarker>, kind: &'static str, case_id: i64, due: Due, locale: &str) -> NewTimer {
    let body = Body {
        locale: locale.to_owned(),
    };
    NewTimer {
        guild_id,
        kind,
        timer_id: case_id,
        due,
        body: serde_json::to_string(&body).expect("a text is JSON"),
    }
}

/// Lifts temporary bans.
#[derive(Clone, Copy, Debug)]
pub struct TempbanEnds;

impl TimerKind for TempbanEnds {
    fn name(&self) -> &'static str {
        TEMPBAN_END
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, firing: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(lift(tx, firing))
    }
}

/// Prolongs timeouts.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutRenewals;

impl TimerKind for TimeoutRenewals {
    fn name(&self) -> &'static str {
        TIMEOUT_RENEWAL
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, firing: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(prolong(tx, firing))
    }
}

async fn lift(tx: &Tx<'_>, firing: &Firing) -> Result<(), StoreError> {
    let Some((guild_id, case, locale)) = still_decides(tx, firing).await? else {
        return Ok(());
    };
    // Its end was moved.
    if let Some(ends_at) = case.ends_at.filter(|ends_at| *ends_at > firing.due_at) {
        let due = Due::At(ends_at);
        return timer::arm(tx, &[timer(guild_id, TEMPBAN_END, case.case_id, due, &locale)]).await;
    }
    let lift = ActionLift {
        kind: Kind::Tempban,
        case_id: case.case_id,
        because: Because::Ended,
        locale,
        permit: None,
    };
    add(tx, guild_id, &case, &lift).await
}

async fn prolong(tx: &Tx<'_>, firing: &Firing) -> Result<(), StoreError> {
    let Some((guild_id, case, locale)) = still_decides(tx, firing).await? else {
        return Ok(());
    };
    let Some(ends_at) = case.ends_at else {
        return Ok(());
    };
    let now = firing.due_at + firing.late;
    if ends_at > now + PART {
        let due = Due::In(RENEWED_EVERY);
        let next = timer(guild_id, TIMEOUT_RENEWAL, case.case_id, due, &locale);
        timer::arm(tx, &[next]).await?;
    }
    let action = ModAction {
        kind: Kind::Timeout,
        case_id: case.case_id,
        until_ms: Some(ids::to_millis(ends_at)),
        at_ms: ids::to_millis(now),
        delete_seconds: 0,
        reason: case.reason.clone(),
        moderator: case.moderator_name.clone().unwrap_or_default(),
        prolongs: true,
        locale,
        permit: None,
    };
    add(tx, guild_id, &case, &action).await
}

/// The case of a timer, if its punishment runs and it is the newest case that decides about the user.
async fn still_decides(
    tx: &Tx<'_>,
    firing: &Firing,
) -> Result<Option<(Id<GuildMarker>, Case, String)>, StoreError> {
    let Some(guild_id) = firing.guild_id else {
        return Err(StoreError::Rejected("a punishment without a guild".to_owned()));
    };
    mod_case::lock(tx, guild_id).await?;
    let case = case::get_in(tx, (guild_id, firing.timer_id)).await?;
    let Some(case) = case.filter(|case| case.ended_at.is_none() && case.removed_at.is_none()) else {
        return Ok(None);
    };
    let Some(kind) = case.kind else {
        return Ok(None);
    };
    let newest = case::newest_in(tx, guild_id, case.user_id, kind.deciding()).await?;
    if newest.is_some_and(|newest| newest.case_id != case.case_id) {
        outcome::end_in(tx, (guild_id, case.case_id), firing.due_at, "replaced").await?;
        return Ok(None);
    }
    let body: Result<Body, _> = serde_json::from_str(&firing.body);
    let locale = body.map_or_else(|_unreadable| String::new(), |body| body.locale);
    Ok(Some((guild_id, case, locale)))
}

async fn add<T: EffectBody>(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    case: &Case,
    body: &T,
) -> Result<(), StoreError> {
    let key = MemberKey {
        guild_id,
        user_id: case.user_id,
    };
    queue::add(tx, &[NewEffect::for_member(key, body)]).await
}
