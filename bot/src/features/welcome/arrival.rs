//! When a member has arrived in a guild, and when to welcome them.

use crate::{
    discord::events::member_news::{Stage, Times},
    support::ids::Millis,
};

/// Members who leave and rejoin within this time are welcomed only once.
pub const APART: Millis = 10 * 60 * 1_000;

/// The state kept about a member's arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Whether they have yet to complete membership screening.
    pub is_pending: bool,
    /// When they were last welcomed.
    pub welcomed_at: Option<Millis>,
}

/// What an event leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// No change.
    Nothing,
    /// The member has arrived, without a welcome.
    Arrives,
    /// The member has arrived and is welcomed.
    IsWelcomed,
}

impl Arrival {
    /// Apply an event about a member. `welcomes` states whether the guild welcomes members. For guests the join time is unknown, so no
    /// state is kept.
    pub fn take(&mut self, stage: Stage, times: Times, welcomes: bool) -> Follows {
        let was_pending = std::mem::replace(&mut self.is_pending, stage == Stage::Screened);
        let arrives = match stage {
            Stage::Joined => true,
            Stage::Admitted => was_pending,
            Stage::Screened | Stage::Left => false,
        };
        if !arrives {
            return Follows::Nothing;
        }
        if !welcomes {
            return Follows::Arrives;
        }
        let Some(at) = times.of(stage) else {
            return Follows::IsWelcomed;
        };
        let is_again = self.welcomed_at.is_some_and(|last| at - last < APART);
        if is_again {
            return Follows::Arrives;
        }
        self.welcomed_at = Some(at);
        Follows::IsWelcomed
    }

    /// Whether this state can be dropped when other members join at `now`.
    pub fn is_over(&self, now: Millis) -> bool {
        !self.is_pending && self.welcomed_at.is_none_or(|at| now - at >= APART)
    }
}

#[cfg(test)]
mod tests;
