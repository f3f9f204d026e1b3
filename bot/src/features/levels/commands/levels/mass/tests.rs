use std::time::Duration;

use twilight_model::id::Id;

use super::{HashMap, Language, Name, Recorded, host_time, in_words};

#[test]
fn a_change_in_words() {
    let called = |name| Name::first([Some(name)], 1);
    let names = HashMap::from([(Id::new(1), called("Ada")), (Id::new(2), called("Bob"))]);
    let recorded = |action: &str, user, members, minutes: u64| Recorded {
        request_id: Id::new(9),
        actor_id: Id::new(2),
        action: action.to_owned(),
        amount: Some(1_050),
        user_id: user,
        members,
        is_undone: false,
        created_at: host_time() - Duration::from_secs(minutes * 60),
    };
    for (recorded, words) in [
        (
            recorded("xp_give", Some(Id::new(1)), 1, 0),
            "+1,050 XP · @Ada · by Bob · just now",
        ),
        (
            recorded("xp_take", Some(Id::new(7)), 1, 3),
            "−1,050 XP · @7 · by Bob · 3 min ago",
        ),
        (
            recorded("xp_set", None, 1, 60),
            "1,050 XP · one member · by Bob · 60 min ago",
        ),
        (
            recorded("levels_reset", None, 2_000, 180),
            "reset · 2,000 members · by Bob · 3 h ago",
        ),
        (
            recorded("levels_undo", None, 5, 4_000),
            "undo · 5 members · by Bob · 2 days ago",
        ),
    ] {
        assert_eq!(in_words(&recorded, &names, Language::English), words);
    }
}
