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
mod tests {
    use super::{APART, Arrival, Follows};
    use crate::discord::events::member_news::{Stage, Times};

    fn joined(at: i64) -> Times {
        Times {
            joined_at: Some(at),
            seen_at: None,
        }
    }

    fn follows(events: &[(Stage, i64)]) -> Vec<Follows> {
        let mut arrival = Arrival::default();
        let events = events.iter();
        events
            .map(|(stage, at)| arrival.take(*stage, joined(*at), true))
            .collect()
    }

    #[test]
    fn a_long_screening_counts_by_the_messages_that_the_shard_saw() {
        let at = |joined_at, seen_at| Times {
            joined_at: Some(joined_at),
            seen_at: Some(seen_at),
        };
        let accepted = 3 * APART;
        for (back_at, expected) in [
            (accepted + 1, Follows::Arrives),
            (accepted + APART, Follows::IsWelcomed),
        ] {
            let mut arrival = Arrival::default();
            assert_eq!(arrival.take(Stage::Screened, at(0, 0), true), Follows::Nothing);
            assert!(!arrival.is_over(accepted), "still pending");
            let let_in = arrival.take(Stage::Admitted, at(0, accepted), true);
            assert_eq!(let_in, Follows::IsWelcomed);
            assert!(!arrival.is_over(accepted + 1) && arrival.is_over(accepted + APART));
            assert_eq!(
                arrival.take(Stage::Left, Times::default(), true),
                Follows::Nothing
            );
            // Events seen earlier by the shard do not change when a member joined.
            assert_eq!(arrival.take(Stage::Joined, at(back_at, accepted), true), expected);
        }
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
        assert_eq!(
            arrival.take(Stage::Joined, Times::default(), true),
            Follows::IsWelcomed
        );
        assert_eq!(arrival.take(Stage::Joined, joined(5), false), Follows::Arrives);
        assert!(arrival.is_over(5), "nothing to be remembered");
        assert_eq!(arrival.take(Stage::Joined, joined(5), true), Follows::IsWelcomed);
        assert!(!arrival.is_over(5) && arrival.is_over(5 + APART));
    }
}
