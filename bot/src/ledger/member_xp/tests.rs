use proptest::prelude::*;
use twilight_model::id::Id;

use super::{LastAward, LastAwards, MemberDelta, MemberKey, MemberMessage, MemberRows};

const KEY: MemberKey = MemberKey {
    guild_id: Id::new(1),
    user_id: Id::new(2),
};

/// The rule as the issue states it, one message after the other, with everything known.
fn model(stored: LastAward, messages: &[MemberMessage]) -> MemberDelta {
    let mut delta = MemberDelta {
        last_award: stored,
        ..MemberDelta::default()
    };
    for message in messages {
        delta.messages += 1;
        let due = match delta.last_award {
            None => true,
            Some(last) => message.cooldown == 0 || message.at - last >= message.cooldown,
        };
        if due {
            delta.xp += u64::from(message.xp);
            delta.last_award = Some(delta.last_award.unwrap_or(message.at).max(message.at));
            delta.channel_id = Some(message.channel_id);
        }
    }
    delta
}

fn messages() -> impl Strategy<Value = Vec<MemberMessage>> {
    let message = (
        0..500_i64,
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
                xp,
                cooldown,
            })
            .collect()
    })
}

proptest! {
    /// Whenever the stored award becomes known (before the first message, between two, at the flush), the sum is the same.
    #[test]
    fn when_the_stored_award_is_learned_does_not_matter(
        stored in proptest::option::of(-200..400_i64),
        messages in messages(),
        learn_after in 0..50_usize,
        remembered: bool,
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
            rows.apply(KEY, *message, &awards);
        }
        let taken = rows.take(&mut awards);
        prop_assert_eq!(rows.len(), 0);
        let Some((_, pending)) = taken.first() else {
            prop_assert!(messages.is_empty());
            return Ok(());
        };
        prop_assert_eq!(pending.resolve(stored), model(stored, &messages));
    }

    /// Cutting the messages into flushes anywhere gives the same row.
    #[test]
    fn where_the_flushes_fall_does_not_matter(
        messages in messages(),
        cuts in proptest::collection::vec(0..40_usize, 0..5),
        forget_at in proptest::option::of(0..40_usize),
    ) {
        let mut awards = LastAwards::new(4);
        let mut rows = MemberRows::default();
        let mut row = MemberDelta::default();
        let mut flush = |rows: &mut MemberRows, awards: &mut LastAwards| {
            for (key, pending) in rows.take(awards) {
                let delta = pending.resolve(row.last_award);
                row = MemberDelta {
                    xp: row.xp + delta.xp,
                    messages: row.messages + delta.messages,
                    last_award: row.last_award.max(delta.last_award),
                    channel_id: delta.channel_id.or(row.channel_id),
                };
                if pending.needs_stored_award() && rows.learn(&key, row.last_award).is_none() {
                    awards.remember(key, row.last_award);
                }
            }
        };
        for (n, message) in messages.iter().enumerate() {
            if cuts.contains(&n) {
                flush(&mut rows, &mut awards);
            }
            if forget_at == Some(n) {
                flush(&mut rows, &mut awards);
                awards.clear();
            }
            rows.apply(KEY, *message, &awards);
        }
        flush(&mut rows, &mut awards);
        prop_assert_eq!(row, model(None, &messages));
    }
}
