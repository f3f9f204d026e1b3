use twilight_model::id::Id;

use super::{LastAwards, MemberKey};

fn member(user: u64) -> MemberKey {
    MemberKey {
        guild_id: Id::new(1),
        user_id: Id::new(user),
    }
}

#[test]
fn it_tells_unknown_from_never() {
    let mut awards = LastAwards::new(16);
    assert_eq!(awards.get(&member(1)), None);
    awards.remember(member(1), None);
    assert_eq!(awards.get(&member(1)), Some(None));
    awards.remember(member(1), Some(5));
    assert_eq!(awards.get(&member(1)), Some(Some(5)));
    awards.clear();
    assert_eq!(awards.get(&member(1)), None);
}

#[test]
fn a_full_set_gives_up_the_oldest_award() {
    let mut awards = LastAwards::new(4);
    for user in 1..=5_u64 {
        awards.remember(member(user), Some(100 - user.cast_signed()));
    }
    // User 4 had the oldest award (96) when user 5 was added.
    assert_eq!(awards.get(&member(4)), None);
    for user in [1, 2, 3, 5_u64] {
        assert_eq!(awards.get(&member(user)), Some(Some(100 - user.cast_signed())));
    }
}

#[test]
fn a_member_has_one_slot() {
    let mut awards = LastAwards::new(4);
    for at in 0..10 {
        awards.remember(member(1), Some(at));
    }
    awards.remember(member(2), Some(50));
    assert_eq!(awards.get(&member(1)), Some(Some(9)));
    assert_eq!(awards.get(&member(2)), Some(Some(50)));
}

#[test]
fn it_grows_with_its_members() {
    let mut awards = LastAwards::new(1_000_000);
    let mut most = 0;
    for user in 1..=10_000_u64 {
        awards.remember(member(user), Some(user.cast_signed()));
        most = most.max(awards.slots.len());
    }
    let known = (1..=10_000_u64).filter(|user| awards.get(&member(*user)).is_some());
    let known = known.count();
    assert_eq!(known, awards.used);
    // A few were in sets that were full before they grew.
    assert!(known > 9_500, "{known}");
    assert!(most < 50_000, "{most} slots");
}

#[test]
fn what_it_answers_is_what_was_said_last() {
    let mut awards = LastAwards::new(1_000);
    for user in 1..=4_000_u64 {
        awards.remember(member(user), Some(user.cast_signed()));
    }
    let known = (1..=4_000_u64)
        .filter_map(|user| Some((user, awards.get(&member(user))?)))
        .collect::<Vec<_>>();
    assert!(known.len() > 700, "the table is nearly full: {}", known.len());
    assert!(known.iter().all(|(user, at)| *at == Some(user.cast_signed())));
}
