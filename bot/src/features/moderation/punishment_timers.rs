//! Timers of punishments: the end of a temporary ban, and the next part of a timeout that is longer than Discord allows at once.
//!
//! A timer only asks what is stored when it fires: if the punishment is over, or a newer case of the user decides, it does nothing. It depends
//! on no moderator's permission any more.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

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
        case_log_edit,
    },
    kind::Kind,
    rows::{
        case::{self, Case, Key},
        mod_case, outcome,
    },
};
use crate::{
    interactions::scheduled::Subject,
    outbox::{
        kind::EffectBody,
        queue::{self, NewEffect},
        timers::TimerKind,
    },
    postgres::{
        Store, StoreError, Tx,
        timer::{self, Due, NewTimer, claim::Firing},
    },
    support::ids::{self, MemberKey, Millis},
};

/// The name of the timer that lifts a temporary ban.
pub const TEMPBAN_END: &str = "tempban_end";
/// The name of the timer that prolongs a timeout.
pub const TIMEOUT_RENEWAL: &str = "timeout_renewal";
/// Both. The ID of a timer is the number of its case.
const KINDS: [&str; 2] = [TEMPBAN_END, TIMEOUT_RENEWAL];

/// The key of the text that says why a timeout is not prolonged: its member has left. It goes on when they are back.
pub const AWAY: &str = "case-away";

/// How long a part of a timeout lasts at least: less than Discord's 28 days, as much as delivery may take.
const PART: Duration = Duration::from_hours(24 * 28 - 1);
/// How often a timeout is prolonged. An outage of nearly two weeks ends none.
const RENEWED_EVERY: Duration = Duration::from_hours(24 * 14);
/// When a timeout is prolonged that runs again: sooner, since nothing says when that was done last. Discord has nearly two weeks of it at
/// least.
const RENEWED_SOON: Duration = Duration::from_hours(24 * 7);

/// What a timer keeps.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    /// The language if the guild chose none, as one of Discord's locales.
    locale: String,
}

/// The timer of a new case, if it needs one.
pub(super) fn first(act: &Act, ordered: &Ordered, locale: &str) -> Option<NewTimer> {
    let key = (act.guild_id, ordered.case_id);
    let ends_at = ids::to_time(ordered.ends_at_ms?);
    next(key, ordered.kind, (act.at(), ends_at), locale)
}

/// The timer that a punishment needs from now on, if any.
fn next(
    (guild_id, case_id): Key,
    kind: Kind,
    (now, ends_at): (SystemTime, SystemTime),
    locale: &str,
) -> Option<NewTimer> {
    let (of, due) = match kind {
        Kind::Tempban => (TEMPBAN_END, ends_at),
        Kind::Timeout if ends_at > now + PART => (TIMEOUT_RENEWAL, now + RENEWED_EVERY),
        _ => return None,
    };
    Some(timer(guild_id, of, case_id, Due::At(due), locale))
}

/// Arm the timer that a case needs after its end was changed, in place of the one that it had. The guild must be
/// [locked](mod_case::lock).
pub(super) async fn rearm(
    tx: &Tx<'_>,
    key: Key,
    kind: Kind,
    (now, ends_at): (SystemTime, Option<SystemTime>),
    locale: &str,
) -> Result<(), StoreError> {
    if let Some(next) = ends_at.and_then(|ends_at| next(key, kind, (now, ends_at), locale)) {
        return timer::rearm(tx, next).await;
    }
    for kind in KINDS {
        timer::discard(tx, key.0, kind, &[key.1]).await?;
    }
    Ok(())
}

/// When a timeout ends that is not prolonged any more: with the part that Discord has. `None` if none is to be prolonged.
pub(super) async fn without_renewal(
    tx: &Tx<'_>,
    (guild_id, case_id): Key,
    case: &Case,
) -> Result<Option<SystemTime>, StoreError> {
    let renewal = timer::due_at(tx, guild_id, TIMEOUT_RENEWAL, case_id).await?;
    let part = renewal.map(|due| due - RENEWED_EVERY + PART);
    Ok(part.zip(case.ends_at).map(|(part, ends_at)| part.min(ends_at)))
}

/// End what new cases of users replace: their bans, or their timeouts, with the timers. The guild must be [locked](mod_case::lock).
/// Returns the effects that show it in the log channel.
pub(crate) async fn replace(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    users: &[Id<UserMarker>],
    by: Kind,
    at: SystemTime,
) -> Result<Vec<NewEffect>, StoreError> {
    let replaced = outcome::replace(tx, guild_id, users, by.replaced(), at).await?;
    for kind in KINDS {
        timer::discard(tx, guild_id, kind, &replaced).await?;
    }
    let mut shown = Vec::new();
    for case_id in replaced {
        shown.extend(case_log_edit::changed(tx, (guild_id, case_id)).await?);
    }
    Ok(shown)
}

/// Let a user's punishment run again if only actions that were not carried out have replaced it, such as an unban that was just given up.
/// `kind` is the kind of that action. The guild must be [locked](mod_case::lock). Returns the effect that shows it in the log channel.
pub(super) async fn restore(
    tx: &Tx<'_>,
    member: MemberKey,
    kind: Kind,
    locale: &str,
) -> Result<Option<NewEffect>, StoreError> {
    let newest = case::newest_in(tx, member.guild_id, member.user_id, kind.deciding()).await?;
    let Some(case) = newest.filter(|case| case.kind.is_some_and(|of| kind.replaced().contains(&of))) else {
        return Ok(None);
    };
    let key = (member.guild_id, case.case_id);
    let Some(now) = outcome::runs_again(tx, key).await? else {
        return Ok(None);
    };
    if let Some(next) = again(key, &case, now, locale) {
        timer::rearm(tx, next).await?;
    }
    case_log_edit::changed(tx, key).await
}

/// The timer of a punishment that runs again, if it needs one. A time that is over is due at once.
fn again((guild_id, case_id): Key, case: &Case, now: SystemTime, locale: &str) -> Option<NewTimer> {
    let ends_at = case.ends_at?;
    let (of, due) = match case.kind? {
        Kind::Tempban => (TEMPBAN_END, Due::At(ends_at)),
        Kind::Timeout if ends_at > case.created_at + PART && ends_at > now + RENEWED_SOON => {
            (TIMEOUT_RENEWAL, Due::In(RENEWED_SOON))
        }
        _ => return None,
    };
    Some(timer(guild_id, of, case_id, due, locale))
}

/// The users of these cases.
pub(crate) fn subjects(
    store: &Store,
    guild_id: Id<GuildMarker>,
    cases: Vec<i64>,
) -> BoxFuture<'_, Result<HashMap<i64, Subject>, StoreError>> {
    Box::pin(async move {
        let users = case::users(store, guild_id, &cases).await?;
        let subject = |user_id| Subject {
            user_id: Some(user_id),
            role_id: None,
        };
        Ok(users
            .into_iter()
            .map(|(case_id, user_id)| (case_id, subject(user_id)))
            .collect())
    })
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
    // It was made a ban without an end.
    let Some(ends_at) = case.ends_at else {
        return Ok(());
    };
    // Its end was moved.
    if ends_at > firing.due_at {
        let due = Due::At(ends_at);
        return timer::arm(tx, &[timer(guild_id, TEMPBAN_END, case.case_id, due, &locale)]).await;
    }
    let lift = ActionLift {
        kind: Kind::Tempban,
        case_id: case.case_id,
        because: Because::Ended,
        locale,
        permit: None,
        ends_at_ms: Some(ids::to_millis(ends_at)),
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
    add(tx, guild_id, &case, &renewal(&case, ends_at, now, locale)).await
}

/// The next part of a timeout.
fn renewal(case: &Case, ends_at: SystemTime, now: SystemTime, locale: String) -> ModAction {
    ModAction {
        kind: Kind::Timeout,
        case_id: case.case_id,
        until_ms: Some(ids::to_millis(ends_at)),
        at_ms: ids::to_millis(now),
        delete_seconds: 0,
        reason: case.reason.clone(),
        moderator: case.moderator_name.clone().unwrap_or_default(),
        prolongs: true,
        replaces: false,
        locale,
        permit: None,
        request_id: None,
        moved: None,
    }
}

/// The effect by which a timeout goes on after its member came back, if it is long or its end was changed while they were away. `None` if
/// Discord has all of it: it keeps timeouts of members who leave.
pub(super) async fn after_return(
    tx: &Tx<'_>,
    key: Key,
    at: Millis,
    locale: &str,
) -> Result<Option<NewEffect>, StoreError> {
    let case = case::get_in(tx, key).await?;
    Ok(case.and_then(|case| {
        let was_away = case.end_outcome.as_deref() == Some(AWAY);
        let goes_on = |ends_at: &SystemTime| was_away || *ends_at > case.created_at + PART;
        let ends_at = case.ends_at.filter(goes_on)?;
        let action = ModAction {
            replaces: was_away,
            ..renewal(&case, ends_at, ids::to_time(at), locale.to_owned())
        };
        let member = MemberKey {
            guild_id: key.0,
            user_id: case.user_id,
        };
        Some(NewEffect::for_member(member, &action))
    }))
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
    if let Some(newest) = newest.filter(|newest| newest.case_id != case.case_id) {
        let key = (guild_id, case.case_id);
        // An older one decides if this one was not carried out.
        if newest.case_id > case.case_id && outcome::end_in(tx, key, firing.due_at, "replaced").await? {
            case_log_edit::add(tx, key, None).await?;
        }
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
