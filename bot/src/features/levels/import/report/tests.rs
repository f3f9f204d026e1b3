//! Import modes and the resulting reports.

use twilight_model::id::Id;

use super::{Change, Report};
use crate::{
    features::levels::{
        import::validation::{Entry, Origin},
        rows::member_xp::moving::{Counts, Mode},
    },
    support::ids::MemberKey,
};

fn entry(user: u64, xp: u64, messages: Option<u64>) -> Entry {
    Entry {
        key: MemberKey {
            guild_id: Id::new(1),
            user_id: Id::new(user),
        },
        xp,
        messages,
        origin: Origin::default(),
    }
}

#[test]
fn what_the_modes_make_of_a_member() {
    let had = Some(Counts { xp: 100, messages: 7 });
    for (mode, file, after) in [
        (Mode::Add, (50, Some(3)), (150, 10)),
        (Mode::Add, (50, None), (150, 7)),
        (Mode::Replace, (50, Some(3)), (50, 3)),
        (Mode::Replace, (50, None), (50, 7)),
        (Mode::KeepHigher, (50, Some(9)), (100, 9)),
        (Mode::KeepHigher, (150, None), (150, 7)),
    ] {
        let change = Change::of(&entry(1, file.0, file.1), had, mode);
        assert_eq!(
            (change.after.xp, change.after.messages),
            after,
            "{mode:?} {file:?}"
        );
    }
    let new = Change::of(&entry(1, 0, None), None, Mode::KeepHigher);
    assert!(new.is_one(), "a member with nothing is a member");
}

#[test]
fn the_largest_changes_are_kept() {
    let mut report = Report::default();
    for user in 1..=100 {
        let xp = (user * 37) % 101;
        report.count(&Change::of(&entry(user, xp, None), None, Mode::Add), None);
    }
    let largest: Vec<u64> = report.largest.iter().map(|change| change.after.xp).collect();
    assert_eq!(largest, [100, 99, 98, 97, 96]);
    assert_eq!(report.examples.len(), 5);
    assert_eq!((report.new, report.changed, report.unchanged), (100, 0, 0));
}
