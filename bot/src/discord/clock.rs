//! Detects whether this host's clock is wrong, and provides Discord's time in that case.
//!
//! Discord dates interactions and messages by its own clock. If the host's clock were ahead, every command would seem too old to be
//! answered. Every REST response carries Discord's time in its [`Date`](https://www.rfc-editor.org/rfc/rfc9110#field.date) header, in whole
//! seconds. Together with the times of the request and the response, it bounds the difference between both clocks. Decisions about
//! Discord's times use the corrected clock.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use crate::{
    support::{clock::host_time, ids::to_millis},
    telemetry::metrics,
};

/// A smaller difference is neither corrected nor logged.
pub(crate) const TOLERANCE_MS: i64 = 2_000;

/// How long bounds are narrowed before they are measured again, since clocks drift and are adjusted.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Discord's clock, as far as it is known. Clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    bounds: Mutex<Option<Bounds>>,
    /// The number of milliseconds to add to this host's clock.
    correction: AtomicI64,
}

/// The known bounds of how far another clock is ahead of this host's, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    least: i64,
    most: i64,
    since: Instant,
}

impl Bounds {
    /// Combine both measurements. If they contradict each other because a clock was adjusted, return the new one.
    fn narrowed(self, new: Self) -> Self {
        let both = Self {
            least: self.least.max(new.least),
            most: self.most.min(new.most),
            since: self.since,
        };
        if both.least > both.most || new.since - self.since > MAX_AGE {
            new
        } else {
            both
        }
    }

    /// The smallest difference that explains the measurements.
    fn difference(self) -> i64 {
        0.clamp(self.least, self.most)
    }
}

impl Clock {
    /// Discord's time.
    pub fn now(&self) -> SystemTime {
        let now = host_time();
        let correction = self.0.correction.load(Ordering::Relaxed);
        let by = Duration::from_millis(correction.unsigned_abs());
        if correction < 0 {
            now.checked_sub(by).unwrap_or(now)
        } else {
            now + by
        }
    }

    /// Learn from the `Date` header of a response. `sent` and `received` are this host's times of the request and the response.
    pub(crate) fn learn(&self, date: &str, sent: SystemTime, received: SystemTime) {
        let Ok(date) = httpdate::parse_http_date(date) else {
            return;
        };
        self.learn_bounds(Bounds {
            least: to_millis(date) - to_millis(received),
            // The header has no fractions of a second.
            most: to_millis(date) + 1_000 - to_millis(sent),
            since: Instant::now(),
        });
    }

    fn learn_bounds(&self, new: Bounds) {
        let difference = {
            let mut bounds = self.0.bounds.lock().unwrap_or_else(PoisonError::into_inner);
            // The host's clock was adjusted between the request and the response.
            if new.least > new.most {
                return;
            }
            let narrowed = bounds.map_or(new, |bounds| bounds.narrowed(new));
            bounds.replace(narrowed);
            narrowed.difference()
        };
        let correction = if difference.abs() < TOLERANCE_MS {
            0
        } else {
            difference
        };
        let before = self.0.correction.swap(correction, Ordering::Relaxed);
        show("discord", difference);
        if before == 0 && correction != 0 {
            tracing::warn!(
                clock.difference_ms = difference,
                "this host's clock differs from Discord's, which is used instead: synchronize the host's clock, for example with chrony"
            );
        } else if before != 0 && correction == 0 {
            tracing::info!("this host's clock agrees with Discord's again");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 milliseconds")]
pub(crate) fn show(source: &'static str, difference_ms: i64) {
    metrics::clock_offset_seconds(source).set(difference_ms as f64 / 1_000.0);
}

#[cfg(test)]
mod tests;
