//! How often a member may use a command. Kept in the process: a guild's interactions all come to one.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use rustc_hash::FxBuildHasher;
use tokio::time::Instant;
use twilight_model::id::{Id, marker::UserMarker};

/// Uses in one [`WINDOW`].
const USES: usize = 5;
const WINDOW: Duration = Duration::from_secs(10);
/// Members that are remembered before those are forgotten whose time is over.
const REMEMBERED: usize = 10_000;

/// Who used what lately.
#[derive(Debug, Default)]
pub(super) struct Flood {
    lately: HashMap<(Id<UserMarker>, &'static str), Vec<Instant>, FxBuildHasher>,
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
        now: Instant,
    ) -> Result<(), SystemTime> {
        if self.lately.len() >= REMEMBERED {
            self.lately
                .retain(|_, uses| uses.last().is_some_and(|last| now - *last < WINDOW));
        }
        let uses = self.lately.entry((member, command)).or_default();
        uses.retain(|used| now - *used < WINDOW);
        if uses.len() >= USES {
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

    use super::{Flood, USES, WINDOW};

    #[test]
    fn a_flood_is_held_and_ends() {
        let mut flood = Flood::default();
        let start = Instant::now();
        for _ in 0..USES {
            assert!(flood.admit(Id::new(1), "rank", start).is_ok());
        }
        assert!(flood.admit(Id::new(1), "rank", start).is_err());
        assert!(flood.admit(Id::new(1), "ping", start).is_ok(), "by command");
        assert!(flood.admit(Id::new(2), "rank", start).is_ok(), "by member");
        let later = start + WINDOW + Duration::from_millis(1);
        assert!(flood.admit(Id::new(1), "rank", later).is_ok());
    }
}
