//! Backoff between attempts: longer each time, with jitter, up to a limit.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(5);

/// The number of failed attempts, and the delay before the next.
#[derive(Debug)]
pub struct Backoff {
    tries: u32,
    first: Duration,
    limit: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff {
    /// For a local dependency such as the database: 50 ms at first, 5 s at most.
    pub const fn new() -> Self {
        Self::between(FIRST, LIMIT)
    }

    /// Use other bounds.
    pub const fn between(first: Duration, limit: Duration) -> Self {
        Self {
            tries: 0,
            first,
            limit,
        }
    }

    /// The number of failed attempts.
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// Record a failed attempt. Returns the delay: doubled each time, with a random upper half.
    pub fn pause(&mut self) -> Duration {
        let full = self.first.saturating_mul(1 << self.tries.min(20)).min(self.limit);
        self.tries += 1;
        full.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// The delay after a number of failed attempts, without a state: doubled from `first` up to `limit`, with a random upper half.
    pub fn after(tries: i64, (first, limit): (Duration, Duration)) -> Duration {
        let mut backoff = Self::between(first, limit);
        backoff.tries = u32::try_from(tries).unwrap_or(if tries < 0 { 0 } else { u32::MAX - 1 });
        backoff.pause()
    }

    /// Record a conflict with another transaction: the next attempt may start almost at once.
    pub fn conflict(&mut self) -> Duration {
        self.tries += 1;
        self.first.mul_f64(fastrand::f64() / 5.0)
    }

    /// Whether the last failure should be logged: the first, then ever fewer, so that an outage does not fill the log.
    pub const fn is_worth_a_line(&self) -> bool {
        self.tries.is_power_of_two()
    }

    /// Reset after a success.
    pub const fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn it_doubles_up_to_the_limit_and_keeps_half() {
        let mut backoff = Backoff::between(Duration::from_secs(1), Duration::from_secs(10));
        for full in [1, 2, 4, 8, 10, 10_u64] {
            let wait = backoff.pause();
            assert!(
                wait >= Duration::from_secs(full) / 2 && wait <= Duration::from_secs(full),
                "{wait:?}"
            );
        }
        for _ in 0..1_000 {
            assert!(backoff.pause() <= Duration::from_secs(10));
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_secs(1));
    }
}
