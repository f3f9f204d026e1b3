//! Conclusions from the states of two servers.

use super::*;
use crate::telemetry::metrics::labels;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn what_a_server_is_to_the_primary() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut primary = Primary::default();
    let standby = Seen {
        system: 7,
        in_recovery: true,
        replayed: Some(200),
        last_transaction: Some(Duration::from_hours(9)),
    };
    assert_eq!(primary.judge(&standby, at(0)), Standing::Unknown);
    for (second, position) in [(0, 100), (10, 200), (20, 300)] {
        primary.is_at(7, at(second), position, LIMIT);
    }
    for (seen, expected) in [
        (standby, Standing::Follows(Duration::from_secs(11))),
        (
            Seen {
                replayed: Some(300),
                ..standby
            },
            Standing::Follows(Duration::from_secs(1)),
        ),
        (
            Seen {
                replayed: Some(299),
                ..standby
            },
            Standing::Follows(Duration::from_secs(11)),
        ),
        // This is older than all recorded positions.
        (
            Seen {
                replayed: Some(99),
                ..standby
            },
            Standing::Follows(Duration::from_hours(9)),
        ),
        (
            Seen {
                replayed: Some(99),
                last_transaction: None,
                ..standby
            },
            Standing::Unknown,
        ),
        (
            Seen {
                replayed: None,
                ..standby
            },
            Standing::Unknown,
        ),
        (
            Seen {
                in_recovery: false,
                ..standby
            },
            Standing::Promoted,
        ),
        (Seen { system: 8, ..standby }, Standing::Foreign),
    ] {
        assert_eq!(primary.judge(&seen, at(21)), expected, "{seen:?}");
    }
    primary.diverged = true;
    assert_eq!(primary.judge(&standby, at(21)), Standing::Diverged);
}

#[test]
fn positions_of_another_server_are_forgotten() {
    let start = Instant::now();
    let mut primary = Primary::default();
    primary.is_at(7, start, 100, LIMIT);
    primary.is_at(7, start, 90, LIMIT);
    assert_eq!(primary.positions.len(), 1, "a failover to an older one");
    primary.is_at(8, start, 100, LIMIT);
    assert_eq!(primary.positions.len(), 1);
}

#[test]
fn positions_that_are_too_old_are_forgotten_but_one() {
    let start = Instant::now();
    let mut primary = Primary::default();
    for second in 0..100 {
        primary.is_at(7, start + Duration::from_secs(second), second, LIMIT);
    }
    let oldest = primary.positions[0].0;
    assert_eq!(oldest, start + Duration::from_secs(68), "one beyond the limit");
}

#[test]
fn every_obstacle_is_a_label() {
    for standing in [
        Standing::Follows(LIMIT * 2),
        Standing::Unknown,
        Standing::Promoted,
        Standing::Foreign,
        Standing::Diverged,
    ] {
        let obstacle = standing.obstacle(LIMIT).expect("it is not read from");
        assert!(labels::READ_FALLBACKS.contains(&obstacle), "{obstacle}");
    }
    assert_eq!(Standing::Follows(LIMIT).obstacle(LIMIT), None);
}
