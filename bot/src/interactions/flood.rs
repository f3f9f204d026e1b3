//! How often a member may use a command. Kept in the process: a guild's interactions all come to one.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use rustc_hash::FxBuildHasher;
use tokio::time::Instant;
use twilight_model::id::{Id, marker::UserMarker};

/// What is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Use {
    /// A slash command.
    Command,
    /// A button, a menu or a modal.
    Press,
    /// An option that is being typed.
    Typing,
}

impl Use {
    /// In one [`WINDOW`].
    const fn limit(self) -> usize {
        match self {
            Self::Command => 5,
            Self::Press => 15,
            Self::Typing => 50,
        }
    }
}

const WINDOW: Duration = Duration::from_secs(10);
/// Members that are remembered before those are forgotten whose time is over.
const REMEMBERED: usize = 10_000;

/// Who used what lately.
#[derive(Debug, Default)]
pub(super) struct Flood {
    lately: HashMap<(Id<UserMarker>, &'static str, Use), Vec<Instant>, FxBuildHasher>,
}

impl Flood {
    /// Note a use.
    ///
    /// # Errors
    ///
    /// It is one too many: until when nothing is answered.
    pub(super) fn admit(
        &mut self,
        member: Id<UserMarker>,
        command: &'static str,
        what: Use,
        now: Instant,
    ) -> Result<(), SystemTime> {
        if self.lately.len() >= REMEMBERED {
            self.lately
                .retain(|_, uses| uses.last().is_some_and(|last| now - *last < WINDOW));
        }
        let uses = self.lately.entry((member, command, what)).or_default();
        uses.retain(|used| now - *used < WINDOW);
        if uses.len() >= what.limit() {
            return Err(SystemTime::now() + WINDOW.saturating_sub(now - uses[0]));
        }
        uses.push(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;
    use twilight_model::id::Id;

    use super::{Flood, Use, WINDOW};

    #[test]
    fn a_flood_is_held_and_ends() {
        let mut flood = Flood::default();
        let start = Instant::now();
        for _ in 0..Use::Command.limit() {
            assert!(flood.admit(Id::new(1), "rank", Use::Command, start).is_ok());
        }
        assert!(flood.admit(Id::new(1), "rank", Use::Command, start).is_err());
        assert!(
            flood.admit(Id::new(1), "ping", Use::Command, start).is_ok(),
            "by command"
        );
        assert!(
            flood.admit(Id::new(2), "rank", Use::Command, start).is_ok(),
            "by member"
        );
        let later = start + WINDOW + Duration::from_millis(1);
        assert!(flood.admit(Id::new(1), "rank", Use::Command, later).is_ok());
    }
}
