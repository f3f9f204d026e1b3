//! One lane: delivers its effects in order and records each outcome.

use std::{sync::PoisonError, time::Duration};

use tokio::time::{Instant, timeout};

use super::{
    delivery::Deliverer,
    kind::Consequence,
    message::target_of,
    outcome::{Failure, Reason, Undelivered},
    queue::{Waiting, claim::Lane},
};
use crate::{outbox::queue, support::backoff::Backoff, telemetry::metrics};

/// Effects delivered before the lane is released, which moves it to the end of the line. Discord allows five messages in five seconds per
/// channel.
const AT_ONCE: u32 = 5;
/// Failed attempts after which an effect is set aside, if others were delivered meanwhile; otherwise twice as many.
const TRIES: i64 = 5;
/// Pauses between attempts: doubled each time.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));
/// If nothing was delivered for this long, a failing effect is not to blame.
const ILL: Duration = Duration::from_mins(1);
/// How long an effect is retried that only administrators of the guild can unblock.
pub(crate) const BLOCKED_MAX_AGE: Duration = Duration::from_hours(24 * 30);
/// How long effects unknown to this version are left to a later one.
const UNKNOWN_PAUSE: Duration = Duration::from_mins(5);

/// Deliver the effects of a claimed lane, and release it. Returns the duration of a rate limit on its effects, if any.
pub(crate) async fn deliver(to: &Deliverer, lane: Lane) -> Option<Duration> {
    let lease = to.config.lease;
    let mut ends_at = Instant::now() + lease;
    let Ok(waiting) = queue::first(&to.store, &lane, AT_ONCE).await else {
        // It becomes available when the lease expires.
        return None;
    };
    for effect in waiting {
        // One request may take the rest of the lease, and no more.
        if ends_at < Instant::now() + lease * 2 / 3 {
            ends_at = Instant::now() + lease;
            if !matches!(queue::extend(&to.store, &lane, lease).await, Ok(true)) {
                return None;
            }
        }
        let delivered = timeout(lease * 2 / 3, Box::pin(try_once(to, &effect))).await;
        let delivered = delivered.unwrap_or_else(|_elapsed| {
            Err(Undelivered::Later {
                why: "it took too long".to_owned(),
                after: None,
            })
        });
        let limited = match delivered {
            Err(Undelivered::Later { after, .. }) => after,
            _ => None,
        };
        if let Some(pause) = settle(to, &lane, &effect, delivered).await {
            to.retry_until_committed("giving back a lane", || queue::release(&to.store, &lane, pause))
                .await;
            return limited;
        }
    }
    to.retry_until_committed("giving back a lane", || {
        queue::release(&to.store, &lane, Duration::ZERO)
    })
    .await;
    None
}

async fn try_once(to: &Deliverer, effect: &Waiting) -> Result<(), Undelivered> {
    match to.kinds.find(&effect.kind) {
        Some(kind) => kind.deliver(to, effect).await,
        None => Err(Undelivered::Unknown),
    }
}

/// Record what came of an attempt to deliver an effect. Returns how long the lane must wait, if at all.
async fn settle(
    to: &Deliverer,
    lane: &Lane,
    effect: &Waiting,
    delivered: Result<(), Undelivered>,
) -> Option<Duration> {
    let kind = to.kinds.label(&effect.kind);
    match delivered {
        Ok(()) => {
            remove(to, effect).await;
            *to.delivered_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            metrics::effects_delivered_total(kind).increment(1);
            metrics::effect_delay_seconds(kind).record(effect.age);
            None
        }
        Err(Undelivered::Cancelled) => {
            remove(to, effect).await;
            metrics::effects_cancelled_total(kind).increment(1);
            None
        }
        Err(Undelivered::Later { why, after }) => later(to, lane, effect, why, after).await,
        Err(Undelivered::Unknown) => {
            let why = "a kind that this version does not know";
            set_aside(to, lane, effect, why, UNKNOWN_PAUSE).await
        }
        Err(Undelivered::Blocked(failure)) => {
            if effect.age > BLOCKED_MAX_AGE {
                give_up(to, effect, &failure, true).await;
                return None;
            }
            metrics::effects_set_aside_total(kind).increment(1);
            let pause = to.config.retry_blocked;
            write_failure(to, effect, &failure, Some(pause), true).await;
            alone(lane, effect).then_some(pause)
        }
        Err(Undelivered::Aside { why }) => later_or_aside(to, lane, effect, why).await,
        Err(Undelivered::Failed(failure)) => {
            give_up(to, effect, &failure, true).await;
            None
        }
        Err(Undelivered::Skipped(failure)) => {
            give_up(to, effect, &failure, false).await;
            None
        }
    }
}

/// Remove an effect that needs no further attempt.
async fn remove(to: &Deliverer, effect: &Waiting) {
    let target = target_of(effect);
    to.retry_until_committed("marking an effect as delivered", || {
        queue::delivered(&to.store, effect, target)
    })
    .await;
}

/// Handle an effect that waits for a change by administrators of the guild.
async fn later_or_aside(to: &Deliverer, lane: &Lane, effect: &Waiting, why: String) -> Option<Duration> {
    if effect.age > BLOCKED_MAX_AGE {
        return later(to, lane, effect, why, None).await;
    }
    set_aside(to, lane, effect, &why, to.config.retry_blocked).await
}

/// Whether an effect has its own lane already.
const fn alone(lane: &Lane, effect: &Waiting) -> bool {
    lane.lane_id == -effect.effect_id
}

async fn later(
    to: &Deliverer,
    lane: &Lane,
    effect: &Waiting,
    why: String,
    after: Option<Duration>,
) -> Option<Duration> {
    let kind = to.kinds.label(&effect.kind);
    let max_age = to
        .kinds
        .find(&effect.kind)
        .map_or(to.config.max_age, |kind| kind.max_age(to.config.max_age));
    if effect.age > max_age {
        let detail = format!("too old; the last try: {why}");
        let target_id = target_of(effect);
        let reason = Reason::Expired;
        give_up(
            to,
            effect,
            &Failure {
                reason,
                detail,
                target_id,
            },
            false,
        )
        .await;
        return None;
    }
    if after.is_some() {
        // A rate limit is not a failure.
        return after;
    }
    metrics::effects_retried_total(kind).increment(1);
    let tried = effect.attempts + 1;
    let pause = Backoff::after(effect.attempts, PAUSE);
    let delivered_at = *to.delivered_at.lock().unwrap_or_else(PoisonError::into_inner);
    let ill = delivered_at.is_none_or(|at| at.elapsed() > ILL);
    if tried >= 2 * TRIES || (tried >= TRIES && !ill) {
        metrics::effects_set_aside_total(kind).increment(1);
        return set_aside(to, lane, effect, &why, pause).await;
    }
    to.retry_until_committed("noting a failed try", || {
        queue::postponed(&to.store, effect, &why)
    })
    .await;
    Some(pause)
}

/// Move an effect to its own lane. Returns how long its lane must wait, if it already has its own.
async fn set_aside(
    to: &Deliverer,
    lane: &Lane,
    effect: &Waiting,
    why: &str,
    pause: Duration,
) -> Option<Duration> {
    to.retry_until_committed("setting an effect aside", || {
        let (effect, why) = (effect.clone(), why.to_owned());
        to.store.transaction("effect_set_aside", move |tx| {
            Box::pin(async move { queue::set_aside(tx, &effect, &why, pause).await })
        })
    })
    .await;
    alone(lane, effect).then_some(pause)
}

async fn give_up(to: &Deliverer, effect: &Waiting, failure: &Failure, is_counted: bool) {
    write_failure(to, effect, failure, None, is_counted).await;
    let kind = to.kinds.label(&effect.kind);
    metrics::effects_failed_total(kind, failure.reason.as_str()).increment(1);
    tracing::info!(
        guild.id = %effect.guild_id,
        effect.kind = kind,
        effect.id = effect.effect_id,
        effect.reason = failure.reason.as_str(),
        effect.failure = failure.detail,
        "an effect was given up"
    );
}

/// Count a failure, and turn off what fails repeatedly, in the transaction that records the effect's outcome: abandoned, or retried after a
/// pause.
async fn write_failure(
    to: &Deliverer,
    effect: &Waiting,
    failure: &Failure,
    pause: Option<Duration>,
    is_counted: bool,
) {
    let limit = i64::from(to.config.failures_until_off);
    let counts = is_counted && failure.reason.is_the_servers();
    let consequence = to
        .retry_until_committed("noting a failed effect", || {
            let (kinds, effect, failure) = (to.kinds.clone(), effect.clone(), failure.clone());
            to.store.transaction("effect_failed", move |tx| {
                Box::pin(async move {
                    if let Some(pause) = pause {
                        queue::set_aside(tx, &effect, &failure.detail, pause).await?;
                    } else {
                        queue::give_up(tx, &effect, &failure.detail).await?;
                        if let Some(kind) = kinds.find(&effect.kind) {
                            kind.given_up(tx, &effect, &failure).await?;
                        }
                    }
                    match kinds.find(&effect.kind) {
                        Some(kind) if counts => kind.count_failure(tx, &effect, &failure, limit).await,
                        _ => Ok(Consequence::Nothing),
                    }
                })
            })
        })
        .await;
    if consequence == Consequence::ChannelSkipped {
        to.refusals.skip(failure.target_id, failure);
    }
    if consequence == Consequence::SwitchedOff {
        let kind = to.kinds.label(&effect.kind);
        metrics::effects_switched_off_total(kind).increment(1);
        tracing::warn!(
            guild.id = %effect.guild_id,
            effect.kind = kind,
            effect.failure = failure.detail,
            "switched off in this server after repeated failures"
        );
    }
}
