//! Ids that carry a time, and the simulated clock that they are made with.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The first millisecond of 2015, where Discord's ids begin, as Unix time in milliseconds.
pub const EPOCH_MS: u64 = 1_420_070_400_000;

/// The process and worker bits that every id made here carries, so that ids look like Discord's.
const WORKER_BITS: u64 = 1 << 17;
const LAST_INCREMENT: u64 = 4_095;

/// Unix time in milliseconds of a snowflake.
pub const fn time_ms(id: u64) -> u64 {
    (id >> 22) + EPOCH_MS
}

/// The first snowflake of a Unix time in milliseconds; times before 2015 give 0.
pub const fn at_ms(unix_ms: u64) -> u64 {
    unix_ms.saturating_sub(EPOCH_MS) << 22
}

/// The wall clock as Unix time in milliseconds.
#[expect(clippy::disallowed_methods, reason = "this is Discord, whose clock is right")]
pub(crate) fn wall_clock_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Mixes the bits of a number (the finalizer of `MurmurHash3`), so that neighbouring indexes look unrelated.
pub(crate) const fn mix(mut value: u64) -> u64 {
    value ^= value >> 33;
    value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
    value ^= value >> 33;
    value = value.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ (value >> 33)
}

/// The simulated time. It never goes back, and every id that it gives is larger than the one before.
pub(crate) struct Clock {
    now_ms: f64,
    followed: Instant,
    scale: f64,
    last_ms: u64,
    increment: u64,
}

impl Clock {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 need 41 of the 53 bits"
    )]
    pub(crate) fn new(start_ms: u64, scale: f64) -> Self {
        Self {
            now_ms: start_ms as f64,
            followed: Instant::now(),
            scale,
            last_ms: 0,
            increment: 0,
        }
    }

    pub(crate) fn set_scale(&mut self, scale: f64) {
        self.follow(1);
        self.scale = scale;
    }

    /// Lets `parts` equal steps lead to where the wall clock has got to, and returns the length of one.
    pub(crate) fn steps(&mut self, parts: u32) -> f64 {
        let elapsed = self.followed.elapsed();
        self.followed += elapsed;
        elapsed.as_secs_f64() * 1_000.0 * self.scale / f64::from(parts.max(1))
    }

    /// Goes where the wall clock has got to.
    pub(crate) fn follow(&mut self, parts: u32) {
        let step = self.steps(parts);
        self.advance(step);
    }

    /// Goes on by a number of simulated milliseconds.
    pub(crate) fn advance(&mut self, by_ms: f64) {
        self.now_ms += by_ms;
    }

    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive time below 2^53"
    )]
    pub(crate) fn now_ms(&self) -> u64 {
        (self.now_ms as u64).max(self.last_ms)
    }

    /// The next id at the present time. A millisecond with more ids than fit borrows from the following one.
    pub(crate) fn next_id(&mut self) -> u64 {
        let now = self.now_ms();
        if now > self.last_ms {
            self.last_ms = now;
            self.increment = 0;
        } else if self.increment == LAST_INCREMENT {
            self.last_ms += 1;
            self.increment = 0;
        } else {
            self.increment += 1;
        }
        at_ms(self.last_ms) | WORKER_BITS | self.increment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ids_rise_even_when_a_millisecond_is_full() {
        let mut clock = Clock::new(1_700_000_000_000, 1.0);
        let mut last = 0;
        for _ in 0..10_000 {
            let id = clock.next_id();
            assert!(id > last);
            last = id;
        }
        assert_eq!(time_ms(last), 1_700_000_000_002);
    }

    #[tokio::test(start_paused = true)]
    async fn time_runs_at_its_scale() {
        let mut clock = Clock::new(1_700_000_000_000, 60.0);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        clock.follow(1);
        assert_eq!(clock.now_ms(), 1_700_000_060_000);
    }
}
