//! Running a due job outside of any transaction, while this process keeps its timer, and scheduling the next run.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};

use super::{Job, worker::JOB_LEASE};
use crate::{
    postgres::{
        Store, StoreError,
        timer::claim::{self, Claimed},
    },
    support::{
        backoff::Backoff,
        shutdown::{stopped, stopped_within},
    },
    telemetry::{metrics, task},
};

/// Pauses after a failure: doubled each time, but not longer than the job's period.
const PAUSE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_hours(1));

/// Run a job, and schedule its next run.
pub(super) async fn run(store: &Store, job: &Job, timer: &Claimed, mut stop: watch::Receiver<bool>) {
    let mut running = Box::pin(task::observed(job.name, (job.run)()));
    let ended = loop {
        tokio::select! {
            ended = &mut running => break ended,
            () = stopped(&mut stop) => {
                drop(running);
                // Another process starts it again. If the database is unavailable, the lease expires.
                drop(claim::release(store, timer).await);
                return;
            }
            () = sleep(JOB_LEASE / 3) => {
                if matches!(claim::extend(store, timer, JOB_LEASE).await, Ok(false)) {
                    return;
                }
            }
        }
    };
    let failure = match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_panic) => Some("it panicked; please report it with the log".to_owned()),
    };
    let mut backoff = Backoff::new();
    while let Err(_error) = end(store, job, timer, failure.as_deref()).await {
        let pause = backoff.pause();
        if stopped_within(&mut stop, pause).await {
            return;
        }
    }
}

async fn end(store: &Store, job: &Job, timer: &Claimed, failure: Option<&str>) -> Result<(), StoreError> {
    let Some(failure) = failure else {
        claim::repeat(store, timer, job.every).await?;
        metrics::timers_fired_total(job.name).increment(1);
        metrics::timer_lateness_seconds().record(timer.late);
        return Ok(());
    };
    let pause = Backoff::after(timer.attempts, (PAUSE.0, PAUSE.1.min(job.every)));
    claim::postpone(store, timer, failure, pause).await?;
    metrics::timers_retried_total(job.name).increment(1);
    tracing::warn!(
        error = failure,
        job.name,
        job.retry_in_seconds = pause.as_secs(),
        "a periodic job failed; retrying"
    );
    Ok(())
}
