use proptest::prelude::*;
use twilight_model::{channel::ChannelType, id::Id};

use super::{Bits, Overwrite, Step, are_synced, closed, lock, restore, to_change};

const GUILD: u64 = 100;
const STAFF: u64 = 7;
/// A permission that Discord has and this version does not know.
const UNKNOWN: u64 = 1 << 60;

fn overwrite(id: u64, allow: u64, deny: u64) -> Overwrite {
    Overwrite {
        id: Id::new(id),
        kind: 0,
        allow: Bits(allow),
        deny: Bits(deny),
    }
}

fn apply(overwrites: &mut Vec<Overwrite>, role: u64, step: Step) {
    let at = overwrites.iter().position(|own| own.id == Id::new(role));
    match (step, at) {
        (Step::Keep, _) => {}
        (Step::Delete, at) => drop(at.map(|at| overwrites.remove(at))),
        (Step::Put { allow, deny }, Some(at)) => {
            overwrites[at].allow = allow;
            overwrites[at].deny = deny;
        }
        (Step::Put { allow, deny }, None) => overwrites.push(overwrite(role, allow.0, deny.0)),
    }
}

fn of_text() -> u64 {
    closed(ChannelType::GuildText).bits()
}

/// Lock a channel, let staff change it, and end the lock twice.
fn there_and_back(before: &[Overwrite], by_hand: impl FnOnce(&mut Vec<Overwrite>)) -> Vec<Overwrite> {
    let guild = Id::new(GUILD);
    let saved = to_change(before, guild, closed(ChannelType::GuildText), &[Id::new(STAFF)]);
    let mut now = before.to_vec();
    for _ in 0..2 {
        for saved in &saved {
            let step = lock(&now, guild, saved);
            apply(&mut now, saved.role_id.get(), step);
        }
    }
    by_hand(&mut now);
    for _ in 0..2 {
        for saved in &saved {
            let step = restore(&now, guild, saved);
            apply(&mut now, saved.role_id.get(), step);
        }
    }
    now
}

#[test]
fn everyone_is_denied_and_roles_lose_what_the_channel_allows_them() {
    let before = [
        overwrite(5, of_text() | UNKNOWN, 0),
        overwrite(STAFF, of_text(), 0),
    ];
    let guild = Id::new(GUILD);
    let saved = to_change(&before, guild, closed(ChannelType::GuildText), &[Id::new(STAFF)]);
    let roles: Vec<u64> = saved.iter().map(|saved| saved.role_id.get()).collect();
    assert_eq!(roles, [GUILD, 5]);
    let (allow, deny) = (Bits(0), Bits(of_text()));
    assert_eq!(lock(&before, guild, &saved[0]), Step::Put { allow, deny });
    let (allow, deny) = (Bits(UNKNOWN), Bits(0));
    assert_eq!(lock(&before, guild, &saved[1]), Step::Put { allow, deny });
}

#[test]
fn a_closed_channel_has_nothing_to_change() {
    let before = [overwrite(GUILD, 0, of_text()), overwrite(5, UNKNOWN, 0)];
    assert!(to_change(&before, Id::new(GUILD), closed(ChannelType::GuildText), &[]).is_empty());
}

#[test]
fn what_staff_changed_meanwhile_stays() {
    let send = 1 << 11;
    // Unlocked by hand: neutral stays neutral although it was allowed before.
    let before = [overwrite(GUILD, of_text(), UNKNOWN)];
    let after = there_and_back(&before, |now| now[0].deny = Bits(UNKNOWN | (of_text() & !send)));
    assert_eq!(after, [overwrite(GUILD, of_text() & !send, UNKNOWN)]);
    // Deleted by hand.
    let after = there_and_back(&[overwrite(5, of_text(), 0)], Vec::clear);
    assert!(after.is_empty());
    // Nothing empty is left behind.
    assert!(there_and_back(&[], |_| {}).is_empty());
    let after = there_and_back(&[overwrite(GUILD, 0, UNKNOWN)], |now| now[0].deny.0 &= !UNKNOWN);
    assert!(after.is_empty());
}

proptest! {
    #[test]
    fn a_lock_that_nobody_touched_leaves_no_trace(
        parts in proptest::collection::vec((0_u64..64, 0_u64..64, any::<bool>()), 3),
    ) {
        // Some of the closed permissions and some others, for everyone, a role, and staff.
        const BITS: [u64; 6] = [1 << 11, 1 << 35, 1 << 36, 1 << 38, UNKNOWN, 1 << 10];
        let spread = |part: u64| {
            let chosen = BITS.into_iter().enumerate().filter(|(at, _)| part >> at & 1 == 1);
            chosen.fold(0, |bits, (_, bit)| bits | bit)
        };
        let before: Vec<Overwrite> = [GUILD, 5, STAFF]
            .into_iter()
            .zip(parts)
            .filter(|(_, (.., there))| *there)
            .map(|(id, (allow, deny, _))| overwrite(id, spread(allow), spread(deny) & !spread(allow)))
            .collect();
        let after = there_and_back(&before, |_now| ());
        prop_assert!(are_synced(&after, &before));
    }
}
