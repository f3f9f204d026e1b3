//! The brake on invalid requests.
//!
//! Discord bans an address that makes 10,000 requests in 10 minutes which it answers with 401, 403 or 429 (except 429 with the scope
//! `shared`): <https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans>.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The period over which Discord counts.
const WINDOW: Duration = Duration::from_mins(10);
/// Discord's limit.
const SHUT_OUT_AT: usize = 10_000;

/// Counts invalid requests, and stops requests if there are too many.
#[derive(Debug)]
pub(super) struct Brake {
    limit: usize,
    warn_at: usize,
    times: VecDeque<Instant>,
    warned: bool,
    holds: bool,
}

impl Brake {
    /// A brake for the share `part` of `of` of `limit`.
    pub(super) fn new(limit: u32, part: u32, of: u32) -> Self {
        let mut brake = Self {
            limit: 1,
            warn_at: 1,
            times: VecDeque::new(),
            warned: false,
            holds: false,
        };
        brake.share(limit, part, of);
        brake
    }

    /// Change the share.
    pub(super) fn share(&mut self, limit: u32, part: u32, of: u32) {
        let share = |whole: usize| (whole * part as usize / (of as usize).max(1)).max(1);
        self.limit = share(limit as usize);
        self.warn_at = share(SHUT_OUT_AT / 10);
    }

    /// Count an invalid request.
    pub(super) fn count(&mut self, now: Instant) {
        if self.times.len() == SHUT_OUT_AT {
            self.times.pop_front();
        }
        self.times.push_back(now);
        if self.times.len() >= self.warn_at && !self.warned {
            self.warned = true;
            tracing::warn!(
                rest.invalid_requests = self.times.len(),
                "many requests are refused (401, 403, 429): Discord bans an address at {SHUT_OUT_AT} in 10 minutes"
            );
        }
    }

    /// The time until which requests are stopped, if they are. The brake is released when a tenth of the limit is free again, so that it
    /// does not alternate quickly.
    pub(super) fn holds_until(&mut self, now: Instant) -> Option<Instant> {
        while self.times.front().is_some_and(|first| *first + WINDOW <= now) {
            self.times.pop_front();
        }
        let (count, let_go_at) = (self.times.len(), self.limit - self.limit.div_ceil(10));
        if count < self.warn_at / 2 {
            self.warned = false;
        }
        if !self.holds && count >= self.limit {
            self.holds = true;
            tracing::error!(
                rest.invalid_requests = count,
                "too many requests were refused (401, 403, 429): everything but interactions stops for up to 10 minutes"
            );
        } else if self.holds && count <= let_go_at {
            self.holds = false;
            tracing::info!(rest.invalid_requests = count, "requests are sent again");
        }
        // The time when enough of the invalid requests have left the window.
        self.holds.then(|| self.times[count - let_go_at - 1] + WINDOW)
    }

    /// The number of invalid requests in the window.
    pub(super) fn invalid(&self) -> usize {
        self.times.len()
    }

    /// Whether requests are stopped.
    pub(super) const fn holds(&self) -> bool {
        self.holds
    }
}

#[cfg(test)]
mod tests;
