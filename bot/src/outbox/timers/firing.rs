//! Firing one due timer: the transaction that ends it and does its work, and the handling of failures.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use twilight_model::id::Id;

use super::TimerKind;
use crate::{
    postgres::{
        Store, StoreError,
        timer::claim::{self, Claimed, Firing},
    },
    support::{backoff::Backoff, shutdown::stopped_within},
    telemetry::{metrics, task},
};

/// Conflicts with other transactions after which a timer waits as after any other failure.
const CONFLICTS: u32 = 5;
/// Pauses between attempts: doubled each time.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// Fire a timer exactly once, whatever fails. While the database is unavailable it is retried; other processes may fire it meanwhile.
pub(super) async fn fire(
    store: &Store,
    kind: &Arc<dyn TimerKind>,
    timer: &Claimed,
    mut stop: watch::Receiver<bool>,
) {
    let mut backoff = Backoff::new();
    // Whether a COMMIT was left unanswered.
    let mut may_have_fired = false;
    loop {
        let error = match task::observed("timer", once(store, kind, timer)).await {
            Ok(Ok(Some(fired))) => return count(kind.name(), Some(fired.late)),
            Ok(Ok(None)) if may_have_fired => return count(kind.name(), None),
            // It was cancelled, or another process has claimed it.
            Ok(Ok(None)) => return,
            Ok(Err(error)) => error,
            Err(_panic) => StoreError::Rejected("it panicked; please report it with the log".to_owned()),
        };
        may_have_fired |= matches!(error, StoreError::Commit(_) | StoreError::SilentCommit(_));
        if error.is_conflict() && backoff.tries() < CONFLICTS {
            tokio::time::sleep(backoff.conflict()).await;
            continue;
        }
        match settle(store, kind.name(), timer, &error).await {
            Ok(false) if may_have_fired => return count(kind.name(), None),
            Ok(_) => return,
            Err(_away) => {}
        }
        let pause = backoff.pause();
        if stopped_within(&mut stop, pause).await {
            return;
        }
    }
}

async fn once(
    store: &Store,
    kind: &Arc<dyn TimerKind>,
    timer: &Claimed,
) -> Result<Option<Firing>, StoreError> {
    let (kind, timer) = (Arc::clone(kind), timer.clone());
    store
        .transaction("timer", move |tx| {
            Box::pin(async move {
                let Some(firing) = claim::take(tx, &timer).await? else {
                    return Ok(None);
                };
                kind.fire(tx, &firing).await?;
                Ok(Some(firing))
            })
        })
        .await
}

fn count(kind: &'static str, late: Option<Duration>) {
    metrics::timers_fired_total(kind).increment(1);
    if let Some(late) = late {
        metrics::timer_lateness_seconds().record(late);
    }
}

/// Record a failed attempt. False if another process has claimed the timer, or it has fired.
async fn settle(
    store: &Store,
    kind: &'static str,
    timer: &Claimed,
    error: &StoreError,
) -> Result<bool, StoreError> {
    let reason = error.to_string();
    if matches!(error, StoreError::Rejected(_)) || error.refuses_data() {
        if !claim::give_up(store, timer, &reason).await? {
            return Ok(false);
        }
        metrics::timers_failed_total(kind).increment(1);
        tracing::warn!(
            %error,
            timer.kind = kind,
            timer.id = timer.timer_id,
            guild.id = timer.guild_id.map(Id::get),
            "a timer was given up"
        );
        return Ok(true);
    }
    let is_ours = claim::postpone(store, timer, &reason, Backoff::after(timer.attempts, PAUSE)).await?;
    metrics::timers_retried_total(kind).increment(u64::from(is_ours));
    Ok(is_ours)
}
