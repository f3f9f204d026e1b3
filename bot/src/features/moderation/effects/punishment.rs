//! Applying punishments for warnings: a timeout, a kick, a ban.
//!
//! Repeating a punishment is harmless: a timeout ends at a fixed time, a kicked user is no longer a member, and a banned user stays banned.
//! Permissions are checked at the time of delivery.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
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
        guilds::{
            Obstacle,
            authority::{Action, PunishPermit},
        },
        rest::{Priority, RestError},
    },
    features::moderation::{duration::LONGEST_TIMEOUT, log::Told, rows::warning, texts},
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, body_of},
        outcome::{Failure, Outcome, Reason, of_error},
        queue::{self, Waiting},
    },
    postgres::{StoreError, Tx},
    settings::Settings,
    support::{
        i18n::Language,
        ids,
        text::limits::{AUDIT_REASON, excerpt},
    },
};

/// Unknown member, unknown user: <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>.
const NO_MEMBER: [u64; 2] = [10_007, 10_013];
/// The member has received a higher role since the warning.
const NOT_ABOVE: &str = "the moderator's highest role is not above the member's";
/// How far Discord's clock may be behind ours.
const CLOCKS: Duration = Duration::from_mins(1);

/// The parts of a member that are needed here.
#[derive(Deserialize)]
struct Member {
    roles: Vec<Id<RoleMarker>>,
    joined_at: Option<Timestamp>,
    communication_disabled_until: Option<Timestamp>,
}

/// A punishment caused by a member's warnings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Punishment {
    /// The action to take.
    pub action: Action,
    /// When a timeout ends, in milliseconds since 1970: fixed, however late it starts.
    pub until_ms: Option<i64>,
    /// When the warning was given, in milliseconds since 1970.
    pub at_ms: i64,
    /// The warning that caused it.
    pub case_id: i64,
    /// The points of the threshold that was reached.
    pub threshold: i64,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The permission of the moderator who caused it.
    #[serde(default = "PunishPermit::unrecorded")]
    pub permit: PunishPermit,
}

/// A timeout that a moderator lifts because its warning was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeoutLift {
    /// The warning that caused it.
    pub case_id: i64,
    /// When it would end, in milliseconds since 1970; a timeout with another end stays.
    pub until_ms: i64,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The permission of the moderator who lifts it.
    pub permit: PunishPermit,
}

impl EffectBody for Punishment {
    const KIND: &'static str = "punishment";
}

impl EffectBody for TimeoutLift {
    const KIND: &'static str = "timeout_lift";
}

/// Punishes members.
#[derive(Debug)]
pub(crate) struct Punishments(pub(crate) Settings);

impl EffectKind for Punishments {
    fn name(&self) -> &'static str {
        Punishment::KIND
    }

    fn deliver<'a>(&'a self, to: &'a Deliverer, effect: &'a Waiting) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match body_of(effect) {
                Ok(punishment) => deliver(to, effect, &punishment).await,
                Err(outcome) => outcome,
            }
        })
    }

    fn given_up<'a>(
        &'a self,
        tx: &'a Tx<'_>,
        effect: &'a Waiting,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(log_failure(tx, &self.0, effect, failure))
    }
}

/// Lifts timeouts.
#[derive(Debug)]
pub(crate) struct TimeoutLifts;

impl EffectKind for TimeoutLifts {
    fn name(&self) -> &'static str {
        TimeoutLift::KIND
    }

    fn deliver<'a>(&'a self, to: &'a Deliverer, effect: &'a Waiting) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match body_of(effect) {
                Ok(timeout) => lift(to, effect, &timeout).await,
                Err(outcome) => outcome,
            }
        })
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, punishment: &Punishment) -> Outcome {
    let Some(user_id) = effect.user_id else {
        return Outcome::Cancelled;
    };
    let outcome = match carry_out(to, effect, punishment, user_id).await {
        Ok(outcome) => outcome,
        Err(error) => {
            // The cached guild may be stale, and the reason why this was tried.
            to.guilds.forget(effect.guild_id);
            of_error(&error, ids::to_db(user_id))
        }
    };
    let became = match outcome {
        Outcome::Delivered => "done",
        Outcome::Cancelled => "gone",
        // [`log_failure`] records it if the effect is abandoned.
        _ => return outcome,
    };
    let case = (effect.guild_id, punishment.case_id);
    to.retry_until_committed("noting what became of a punishment", || {
        warning::note_action(&to.store, case, became)
    })
    .await;
    outcome
}

/// End a timeout early, unless it has been replaced by another one.
async fn lift(to: &Deliverer, effect: &Waiting, lift: &TimeoutLift) -> Outcome {
    let Some(user_id) = effect.user_id else {
        return Outcome::Cancelled;
    };
    match try_to_lift(to, effect, lift, user_id).await {
        Ok(outcome) => outcome,
        Err(error) => of_error(&error, ids::to_db(user_id)),
    }
}

async fn try_to_lift(
    to: &Deliverer,
    effect: &Waiting,
    lift: &TimeoutLift,
    user_id: Id<UserMarker>,
) -> Result<Outcome, RestError> {
    let Some(member) = member(to, effect, user_id).await? else {
        return Ok(Outcome::Cancelled);
    };
    // Discord stores the time with millisecond precision or less.
    if millis(member.communication_disabled_until).abs_diff(lift.until_ms) > 1_000 {
        return Ok(Outcome::Cancelled);
    }
    let language = Language::of_locale(&lift.locale).unwrap_or(Language::English);
    let reason = language.filled("warning-audit-lift", &[("case", lift.case_id.to_string().into())]);
    let request = to
        .rest
        .builders()
        .update_guild_member(effect.guild_id, user_id)
        .communication_disabled_until(None);
    let sent = to.rest.send(Priority::Command, request.reason(&reason)).await;
    sent.map(|_answer| Outcome::Delivered)
}

async fn carry_out(
    to: &Deliverer,
    effect: &Waiting,
    punishment: &Punishment,
    user_id: Id<UserMarker>,
) -> Result<Outcome, RestError> {
    let guild_id = effect.guild_id;
    let now = ids::to_millis(to.rest.clock().now());
    let until = punishment.until_ms.unwrap_or(now);
    if punishment.action == Action::Timeout && until <= now {
        return Ok(Outcome::Cancelled);
    }
    let member = member(to, effect, user_id).await?;
    match (&member, punishment.action) {
        (None, Action::Timeout | Action::Kick) => return Ok(Outcome::Cancelled),
        (Some(member), Action::Timeout) if millis(member.communication_disabled_until) >= until => {
            return Ok(Outcome::Delivered);
        }
        // Kicked by an earlier attempt or by a moderator, and rejoined since.
        (Some(member), Action::Kick) if millis(member.joined_at) > punishment.at_ms => {
            return Ok(Outcome::Cancelled);
        }
        _ => {}
    }
    let roles = member.as_ref().map(|member| member.roles.as_slice());
    let forbidden = |detail: &str| {
        Ok(Outcome::Failed(Failure {
            reason: Reason::Forbidden,
            detail: detail.to_owned(),
            target_id: ids::to_db(user_id),
        }))
    };
    if !to
        .guilds
        .still_above(guild_id, &punishment.permit, (user_id, roles), Priority::Command)
        .await?
    {
        return forbidden(NOT_ABOVE);
    }
    let permission = punishment.action.permission();
    let obstacle = to
        .guilds
        .obstacle(guild_id, (user_id, roles), permission, Priority::Command);
    if let Some(obstacle) = obstacle.await? {
        return forbidden(in_words(obstacle));
    }
    let reason = language_of(punishment).filled(
        "warning-audit-log",
        &[
            ("case", punishment.case_id.to_string().into()),
            (
                "points",
                texts::points(language_of(punishment), punishment.threshold).into(),
            ),
        ],
    );
    let reason = excerpt(&reason, AUDIT_REASON);
    let client = to.rest.builders();
    let sent = match punishment.action {
        Action::Timeout => {
            let latest = now + i64::try_from(LONGEST_TIMEOUT.saturating_sub(CLOCKS).as_millis()).unwrap_or(0);
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
            let request = client.create_ban(guild_id, user_id);
            to.rest.send(Priority::Command, request.reason(&reason)).await
        }
    };
    match sent {
        Err(error) if is_no_member(&error) => Ok(Outcome::Cancelled),
        sent => sent.map(|_answer| Outcome::Delivered),
    }
}

async fn member(
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

fn is_no_member(error: &RestError) -> bool {
    matches!(error, RestError::Refused { code: Some(code), .. } if NO_MEMBER.contains(code))
}

/// Milliseconds since 1970; 0 for no time.
fn millis(at: Option<Timestamp>) -> i64 {
    at.map_or(0, |at| at.as_micros() / 1_000)
}

/// The text for the operator, by which [`log_failure`] finds the text for the guild.
const fn in_words(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::NoPermission => "the bot lacks the permission",
        Obstacle::Owner => "the server is theirs",
        Obstacle::AboveBot => "their highest role does not stand below the bot's",
        Obstacle::Administrator => "administrators cannot be timed out",
    }
}

fn language_of(punishment: &Punishment) -> Language {
    Language::of_locale(&punishment.locale).unwrap_or(Language::English)
}

/// Add an entry to the log channel for an abandoned punishment, in the transaction that abandons it.
async fn log_failure(
    tx: &Tx<'_>,
    settings: &Settings,
    effect: &Waiting,
    failure: &Failure,
) -> Result<(), StoreError> {
    let Ok(punishment) = body_of::<Punishment>(effect) else {
        return Ok(());
    };
    let case = (effect.guild_id, punishment.case_id);
    warning::note_action_in(tx, case, why(failure)).await?;
    let told = Told::of(tx, settings, effect.guild_id, language_of(&punishment)).await?;
    let entry = told.entry(|language| {
        let user = effect.user_id.map(|user_id| user_id.to_string());
        let values = [
            ("case", punishment.case_id.to_string().into()),
            ("user", user.unwrap_or_default().into()),
            ("action", texts::action(language, punishment.action).into()),
            ("why", language.text(why(failure)).into()),
        ];
        language.filled("warning-log-failed", &values)
    });
    queue::add(tx, entry.as_slice()).await
}

fn why(failure: &Failure) -> &'static str {
    let obstacles = [
        Obstacle::NoPermission,
        Obstacle::Owner,
        Obstacle::AboveBot,
        Obstacle::Administrator,
    ];
    let known = obstacles
        .into_iter()
        .find(|obstacle| failure.detail == in_words(*obstacle));
    match (known, failure.reason) {
        (Some(obstacle), _) => obstacle.key(),
        (None, _) if failure.detail == NOT_ABOVE => "hindrance-rank",
        (None, Reason::Forbidden) => "warning-obstacle-refused",
        (None, Reason::Expired) => "warning-obstacle-late",
        (None, _) => "warning-obstacle-other",
    }
}
