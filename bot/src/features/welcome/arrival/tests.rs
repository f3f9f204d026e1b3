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
