use std::time::Duration;

use tokio::time::Instant;
use twilight_model::id::Id;

use super::{RateLimit, Use, User, WINDOW};

fn member(id: u64) -> User {
    User {
        id: Id::new(id),
        is_moderator: false,
    }
}

#[test]
fn a_flood_is_held_and_ends() {
    let mut limit = RateLimit::default();
    let start = Instant::now();
    for _ in 0..Use::Command.limit(false) {
        assert!(limit.admit(member(1), "rank", Use::Command, start).is_ok());
    }
    assert!(limit.admit(member(1), "rank", Use::Command, start).is_err());
    assert!(
        limit.admit(member(1), "ping", Use::Command, start).is_ok(),
        "by command"
    );
    assert!(
        limit.admit(member(2), "rank", Use::Command, start).is_ok(),
        "by member"
    );
    let later = start + WINDOW + Duration::from_millis(1);
    assert!(limit.admit(member(1), "rank", Use::Command, later).is_ok());
}

#[test]
fn a_moderator_in_a_raid_is_held_later() {
    let mut limit = RateLimit::default();
    let now = Instant::now();
    let moderator = User {
        is_moderator: true,
        ..member(1)
    };
    let mut admitted = || limit.admit(moderator, "warn", Use::Command, now).is_ok();
    assert_eq!((0..100).filter(|_| admitted()).count(), 50);
}
