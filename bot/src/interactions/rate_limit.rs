//! The rate limit of commands per member. It is kept in the process, which receives all interactions of a guild.

use std::{collections::HashMap, time::Duration};

use rustc_hash::FxBuildHasher;
use tokio::time::Instant;
use twilight_model::id::{Id, marker::UserMarker};

/// The kinds of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Use {
    /// A slash command.
    Command,
    /// A button, a menu or a modal.
    Press,
    /// Autocomplete of an option.
    Typing,
}

impl Use {
    /// The limit for one [`WINDOW`]. During a raid, a moderator warns many members in a short time.
    const fn limit(self, is_moderator: bool) -> usize {
        match (self, is_moderator) {
            (Self::Command, false) => 5,
            (Self::Press, false) => 15,
            (Self::Command | Self::Press | Self::Typing, _) => 50,
        }
    }
}

/// A member who uses a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) id: Id<UserMarker>,
    /// Whether they have permissions to act against other members.
    pub(super) is_moderator: bool,
}

const WINDOW: Duration = Duration::from_secs(10);
/// The number of remembered members above which expired entries are removed.
const REMEMBERED: usize = 10_000;

/// Recent uses.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    lately: HashMap<(Id<UserMarker>, &'static str, Use), Vec<Instant>, FxBuildHasher>,
}

impl RateLimit {
    /// Record a use.
    ///
    /// # Errors
    ///
    /// The limit is exceeded. The value is the remaining time.
    pub(super) fn admit(
        &mut self,
        user: User,
        command: &'static str,
        what: Use,
        now: Instant,
    ) -> Result<(), Duration> {
        if self.lately.len() >= REMEMBERED {
            self.lately
                .retain(|_, uses| uses.last().is_some_and(|last| now - *last < WINDOW));
        }
        let lately = self.lately.entry((user.id, command, what)).or_default();
        lately.retain(|used| now - *used < WINDOW);
        if lately.len() >= what.limit(user.is_moderator) {
            return Err(WINDOW.saturating_sub(now - lately[0]));
        }
        lately.push(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
