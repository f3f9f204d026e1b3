use std::sync::Arc;

use proptest::prelude::*;
use twilight_model::id::Id;

use super::{Earns, LastAward, LastAwards, MemberDelta, MemberMessage, MemberRows, Pending, Undecided};
use crate::{
    config::Config,
    features::levels::{
        policy::XpPolicy,
        rules::week::{begin_of, week_of},
    },
    pipeline::{
        ledger::{Ledger, memory::Memory},
        parts,
    },
    settings::Settings,
    support::ids::MemberKey,
};

const KEY: MemberKey = MemberKey {
    guild_id: Id::new(1),
    user_id: Id::new(2),
};

/// The rule as specified, applied to one message after another with all data known.
fn model(stored: LastAward, messages: &[MemberMessage]) -> MemberDelta {
    let mut delta = MemberDelta {
        last_award: stored,
        ..MemberDelta::default()
    };
    let mut awards = Vec::new();
    for message in messages {
        delta.messages += 1;
        let Earns::Xp { xp, cooldown } = message.earns else {
            continue;
        };
        let due = match delta.last_award {
            None => true,
            Some(last) => cooldown == 0 || message.at - last >= cooldown,
        };
        if due {
            delta.xp += u64::from(xp);
            delta.last_award = Some(delta.last_award.unwrap_or(message.at).max(message.at));
            delta.channel_id = Some(message.channel_id);
            awards.push((week_of(message.at), u64::from(xp)));
        }
    }
    delta.week = awards.iter().map(|(week, _)| *week).max().unwrap_or_default();
    delta.week_xp = awards
        .iter()
        .filter(|(week, _)| *week == delta.week)
        .map(|(_, xp)| xp)
        .sum();
    delta
}

fn messages() -> impl Strategy<Value = Vec<MemberMessage>> {
    let message = (
        // Around the end of a week.
        (0..500_i64).prop_map(|at| begin_of(2_969) - 250 + at),
        1..30_u32,
        prop_oneof![Just(0_i64), 1..100_i64],
        1..4_u64,
    );
    proptest::collection::vec(message, 0..40).prop_map(|messages| {
        messages
            .into_iter()
            .map(|(at, xp, cooldown, channel)| MemberMessage {
                at,
                channel_id: Id::new(channel),
                earns: Earns::Xp { xp, cooldown },
            })
            .collect()
    })
}

/// The message as received, where the guild's rules are not cached for those that are `late`.
fn received(n: usize, message: &MemberMessage, late: &[bool]) -> MemberMessage {
    let mut message = message.clone();
    if late[n] {
        let id = Id::new(n as u64 + 1);
        message.earns = Earns::Undecided(Box::new(Undecided { id, roles: None }));
    }
    message
}

/// The resolution that precedes a flush.
fn decide(pending: &mut Pending, messages: &[MemberMessage]) {
    for message in pending.undecided() {
        let Earns::Undecided(facts) = &message.earns else {
            unreachable!("only those are given")
        };
        let n = usize::try_from(facts.id.get() - 1).expect("an index");
        message.earns = messages[n].earns.clone();
    }
}

proptest! {
    /// The sum does not depend on when the stored award becomes known (before the first message, between two, at the flush).
    #[test]
    fn when_the_stored_award_is_learned_does_not_matter(
        stored in proptest::option::of((-200..400_i64).prop_map(|at| begin_of(2_969) - 250 + at)),
        messages in messages(),
        learn_after in 0..50_usize,
        remembered: bool,
        late in proptest::collection::vec(proptest::bool::weighted(0.2), 40),
    ) {
        let mut awards = LastAwards::new(4);
        if remembered {
            awards.remember(KEY, stored);
        }
        let mut rows = MemberRows::default();
        for (n, message) in messages.iter().enumerate() {
            if n == learn_after {
                rows.learn(&KEY, stored);
            }
            rows.apply(KEY, received(n, message, &late), &awards);
        }
        let mut taken = rows.take(&mut awards);
        prop_assert_eq!(rows.len(), 0);
        let Some((_, pending)) = taken.first_mut() else {
            prop_assert!(messages.is_empty());
            return Ok(());
        };
        decide(pending, &messages);
        prop_assert_eq!(pending.resolve(stored), model(stored, &messages));
    }

    /// The row does not depend on how the messages are split into flushes.
    #[test]
    fn where_the_flushes_fall_does_not_matter(
        messages in messages(),
        cuts in proptest::collection::vec(0..40_usize, 0..5),
        forget_at in proptest::option::of(0..40_usize),
        late in proptest::collection::vec(proptest::bool::weighted(0.2), 40),
        slow: bool,
    ) {
        let mut awards = LastAwards::new(4);
        let mut rows = MemberRows::default();
        let mut row = MemberDelta::default();
        // A batch in progress is committed at once, or only when the next one is taken.
        let mut under_way: Vec<(MemberKey, Pending)> = Vec::new();
        let mut settle = |under_way: &mut Vec<(MemberKey, Pending)>, rows: &mut MemberRows, awards: &mut LastAwards| {
            for (key, mut pending) in under_way.drain(..) {
                decide(&mut pending, &messages);
                let delta = pending.resolve(row.last_award);
                row.earned_in(delta.week, delta.week_xp);
                row = MemberDelta {
                    xp: row.xp + delta.xp,
                    messages: row.messages + delta.messages,
                    last_award: row.last_award.max(delta.last_award),
                    channel_id: delta.channel_id.or(row.channel_id),
                    ..row
                };
                if pending.is_open() && rows.learn(&key, row.last_award).is_none() {
                    awards.remember(key, row.last_award);
                }
            }
        };
        let mut flush = |rows: &mut MemberRows, awards: &mut LastAwards, at_once: bool| {
            settle(&mut under_way, rows, awards);
            under_way = rows.take(awards);
            if at_once {
                settle(&mut under_way, rows, awards);
            }
        };
        for (n, message) in messages.iter().enumerate() {
            if cuts.contains(&n) {
                flush(&mut rows, &mut awards, !slow);
            }
            if forget_at == Some(n) {
                flush(&mut rows, &mut awards, true);
                awards.clear();
            }
            rows.apply(KEY, received(n, message, &late), &awards);
        }
        flush(&mut rows, &mut awards, true);
        prop_assert_eq!(row, model(None, &messages));
    }
}

#[test]
fn a_member_is_pending_until_the_batch_is_committed() {
    let policy = XpPolicy::new(Settings::new(&Config::defaults().levels));
    let mut ledger = Ledger::new(
        Arc::new(Memory::new(1 << 20)),
        parts::Pending::new(100, policy, None),
    );
    let message = MemberMessage {
        at: 0,
        earns: Earns::Xp { xp: 1, cooldown: 0 },
        channel_id: Id::new(3),
    };
    assert!(!ledger.is_pending(&KEY));
    ledger.member_message(KEY, message);
    assert!(ledger.is_pending(&KEY), "gathered");
    let changes = ledger.take();
    assert!(ledger.is_pending(&KEY), "under way");
    ledger.settle(changes.bytes, parts::Learned::default());
    assert!(!ledger.is_pending(&KEY), "committed");
}
