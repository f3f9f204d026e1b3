//! When somebody has arrived in a server, and when they are welcomed.

use serde::{Deserialize, Serialize};

use crate::support::ids::Millis;

/// Members who leave and join again within this time are welcomed once.
pub const APART: Millis = 10 * 60 * 1_000;

/// What an event says of a member's arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// They have joined, and there is nothing to be accepted.
    #[default]
    Joined,
    /// They have joined, and have to accept the server's rules first.
    Screened,
    /// They may take part: they have accepted, or something else of them has changed.
    Admitted,
    /// They have left.
    Left,
}

/// What is remembered of a member's arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Whether they have still to accept the rules.
    pub is_pending: bool,
    /// When they had joined when they were welcomed last.
    pub welcomed_at: Option<Millis>,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// Nothing.
    Nothing,
    /// They are there, without a welcome.
    Arrives,
    /// They are there, and are to be welcomed.
    IsWelcomed,
}

impl Arrival {
    /// Take in an event of a member who joined at this time. An event that has no time of its own has that one, so a screening that
    /// took longer than [`APART`] does not count. Of guests there is no such time, and nothing is remembered. `welcomes` says whether
    /// the server welcomes members.
    pub fn take(&mut self, stage: Stage, joined_at: Option<Millis>, welcomes: bool) -> Follows {
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
        let Some(at) = joined_at else {
            return Follows::IsWelcomed;
        };
        let is_again = self.welcomed_at.is_some_and(|last| at - last < APART);
        if is_again {
            return Follows::Arrives;
        }
        self.welcomed_at = Some(at);
        Follows::IsWelcomed
    }

    /// Whether nothing of it has to be remembered when others join at this time.
    pub fn is_over(&self, now: Millis) -> bool {
        !self.is_pending && self.welcomed_at.is_none_or(|at| now - at >= APART)
    }
}

#[cfg(test)]
mod tests {
    use super::{APART, Arrival, Follows, Stage};

    fn follows(events: &[(Stage, i64)]) -> Vec<Follows> {
        let mut arrival = Arrival::default();
        let events = events.iter();
        events
            .map(|(stage, at)| arrival.take(*stage, Some(*at), true))
            .collect()
    }

    #[test]
    fn those_in_screening_arrive_when_they_have_accepted() {
        use Follows::{Arrives, IsWelcomed, Nothing};
        use Stage::{Admitted, Joined, Left, Screened};
        assert_eq!(
            follows(&[(Screened, 5), (Admitted, 5), (Admitted, 5)]),
            [Nothing, IsWelcomed, Nothing]
        );
        assert_eq!(
            follows(&[(Screened, 5), (Left, 0), (Admitted, 5)]),
            [Nothing, Nothing, Nothing]
        );
        assert_eq!(
            follows(&[(Admitted, 5), (Joined, 6)]),
            [Nothing, IsWelcomed],
            "an old member"
        );
        assert_eq!(
            follows(&[(Joined, 0), (Joined, APART - 1), (Joined, APART)]),
            [IsWelcomed, Arrives, IsWelcomed]
        );
        assert_eq!(
            follows(&[
                (Screened, 0),
                (Admitted, 0),
                (Left, 0),
                (Screened, 9),
                (Admitted, 9)
            ]),
            [Nothing, IsWelcomed, Nothing, Nothing, Arrives]
        );
    }

    #[test]
    fn guests_and_servers_without_a_welcome() {
        let mut arrival = Arrival::default();
        assert_eq!(arrival.take(Stage::Joined, None, true), Follows::IsWelcomed);
        assert_eq!(arrival.take(Stage::Joined, Some(5), false), Follows::Arrives);
        assert!(arrival.is_over(5), "nothing to be remembered");
        assert_eq!(arrival.take(Stage::Joined, Some(5), true), Follows::IsWelcomed);
        assert!(!arrival.is_over(5) && arrival.is_over(5 + APART));
    }
}
