//! Payloads that Discord should never send, and events out of order.

use std::{sync::Arc, time::SystemTime};

use proptest::prelude::*;
use tokio::time::{Instant, sleep_until};

use super::{Intake, Session, Signal, order::MAX_GAP};
use crate::{
    config::Config,
    discord::events::payloads::{MESSAGE_CREATE, OTHERS, READ, damage},
    features::levels::policy::XpPolicy,
    pipeline::{
        dispatch::Dispatcher,
        gateway::violation::Violation,
        ledger::{Changes, Ledger, gap::GapChange, memory::Memory},
        parts::Pending,
        rows::shard_checkpoint::SessionPoint,
    },
    settings::Settings,
    support::ids::ShardKey,
};

/// An intake in the middle of a session.
fn intake() -> Intake {
    let config = Config::defaults();
    let policy = XpPolicy::new(Settings::new(&config.levels));
    let mut intake = Intake::new(
        ShardKey { count: 1, id: 0 },
        Dispatcher::new(policy.clone(), &config.discord),
        Ledger::new(Arc::new(Memory::new(1 << 20)), Pending::new(64, policy, None)),
        Some(SessionPoint {
            session_id: "session".to_owned(),
            resume_url: None,
            sequence: 0,
        }),
        SystemTime::UNIX_EPOCH,
    );
    intake.connecting();
    assert_eq!(
        intake.on_text(r#"{"t":"RESUMED","s":1,"op":0,"d":{}}"#),
        Some(Signal::Resumed)
    );
    intake
}

/// A payload with a part replaced by anything.
fn damaged() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => damage::in_text(MESSAGE_CREATE),
        3 => prop::sample::select(&OTHERS[..]).prop_flat_map(damage::in_text),
        2 => prop::sample::select(&READ[..]).prop_flat_map(damage::in_fields),
        1 => damage::in_fields(MESSAGE_CREATE),
        1 => damage::in_text(r#"{"t":"SOMETHING_NEW","s":12,"op":0,"d":{"deep":[[[[{}]]]]}}"#),
    ]
}

/// A message whose sequence number and ID are this number, by one of three members.
fn message(sequence: u64) -> String {
    format!(
        r#"{{"t":"MESSAGE_CREATE","s":{sequence},"op":0,"d":{{"id":"{}","channel_id":"7","guild_id":"9","author":{{"id":"{}"}},"type":0}}}}"#,
        (1_300_000_000_000_u64 + sequence % (1 << 20) * 20_000) << 22,
        sequence % 3 + 1,
    )
}

/// Process everything that can be processed.
fn release(intake: &mut Intake, now: Instant) {
    while intake.release_early(Some(now)).is_some() {}
}

fn counted(changes: &Changes) -> Vec<String> {
    let mut members: Vec<String> = changes
        .parts
        .members
        .entries
        .iter()
        .map(|member| format!("{member:?}"))
        .collect();
    members.sort();
    members
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic_or_count_twice(texts in proptest::collection::vec(damaged(), 1..40)) {
        let mut intake = intake();
        let mut taken = Vec::new();
        for text in &texts {
            let before = intake.sequence();
            let signal = intake.on_text(text);
            // Only READY starts from the beginning.
            prop_assert!(intake.sequence() >= before || text.contains("READY"), "{text}");
            if matches!(signal, Some(Signal::Violation(_))) {
                // The connection ends here.
                break;
            }
            taken.push(text);
        }
        intake.release_all();
        let rows = intake.ledger.rows();
        // Replaying everything counts nothing again.
        if !texts.iter().any(|text| text.contains("READY")) {
            let changes = intake.ledger.take();
            prop_assert!(changes.parts.changes() <= rows);
            for text in taken {
                let _signal = intake.on_text(text);
            }
            intake.release_all();
            prop_assert_eq!(intake.ledger.rows(), 0);
        }
    }

    /// Events out of order count as if they were in order. If the process ends at any time, the resume at the checkpoint replays the rest.
    #[test]
    fn each_event_counts_once_and_in_its_order(
        keys in proptest::collection::vec(0..8_u64, 1..60),
        dies_after in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let last = keys.len() as u64 + 1;
        let mut wanted = intake();
        for sequence in 2..=last {
            prop_assert_eq!(wanted.on_text(&message(sequence)), None);
        }

        // Each is at most eight positions away from its own.
        let mut order: Vec<u64> = (2..=last).collect();
        order.sort_by_key(|sequence| {
            let at = usize::try_from(*sequence).expect("small") - 2;
            (sequence + keys[at], *sequence)
        });
        let dies_after = dies_after.map_or(order.len(), |index| index.index(order.len()));
        let mut intake = intake();
        for sequence in &order[..dies_after] {
            prop_assert_eq!(intake.on_text(&message(*sequence)), None);
            release(&mut intake, Instant::now());
        }
        // What a flush commits now, and where the resume continues.
        let (committed, checkpoint) = (intake.ledger.take(), intake.sequence());
        intake.connecting();
        for sequence in checkpoint + 1..=last {
            prop_assert_eq!(intake.on_text(&message(sequence)), None);
        }
        prop_assert!(!intake.waits_for_order());
        prop_assert_eq!(intake.sequence(), last);
        prop_assert!(committed.gaps.is_empty());

        // Both flushes together equal the one in the right order, if the messages of each member are in only one of them.
        let after = intake.ledger.take();
        if dies_after == order.len() {
            prop_assert_eq!(counted(&committed), counted(&wanted.ledger.take()));
            prop_assert!(after.parts.changes() == 0);
        }
    }
}

/// After a hold, or on a busy machine, the missing event may be in the socket.
#[tokio::test(start_paused = true)]
async fn an_event_is_missing_only_after_everything_was_read() {
    let mut intake = intake();
    for sequence in [2, 4] {
        assert_eq!(intake.on_text(&message(sequence)), None);
    }
    sleep_until(intake.order_deadline().expect("something waits")).await;
    assert_eq!(intake.release_early(None), None);
    assert_eq!(intake.sequence(), 2);
    assert_eq!(intake.on_text(&message(3)), None);
    assert_eq!(intake.release_early(None), None);
    assert_eq!(intake.sequence(), 4);
    assert!(intake.ledger.take().gaps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_late_event_is_waited_for_and_counted() {
    let mut intake = intake();
    for sequence in [2, 4, 5] {
        assert_eq!(intake.on_text(&message(sequence)), None);
    }
    assert_eq!((intake.sequence(), intake.newest_sequence()), (2, 5));
    let deadline = intake.order_deadline().expect("something waits");
    assert_eq!(intake.release_early(Some(Instant::now())), None);
    assert_eq!(intake.sequence(), 2);
    assert_eq!(intake.on_text(&message(3)), None);
    release(&mut intake, Instant::now());
    assert_eq!(intake.sequence(), 5);
    assert_eq!(intake.order_deadline(), None);
    assert!(Instant::now() < deadline);
    // It does not count again.
    let _counted = intake.ledger.take();
    assert_eq!(intake.on_text(&message(4)), None);
    assert_eq!(intake.ledger.rows(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_a_gap() {
    let mut intake = intake();
    for sequence in [3, 4, 7] {
        assert_eq!(intake.on_text(&message(sequence)), None);
    }
    let deadline = intake.order_deadline().expect("something waits");
    release(&mut intake, deadline);
    // The second missing number has its own time limit.
    assert_eq!(intake.sequence(), 4);
    tokio::time::advance(deadline - Instant::now()).await;
    let deadline = intake.order_deadline().expect("something waits");
    assert!(deadline > Instant::now());
    release(&mut intake, deadline);
    assert_eq!(intake.sequence(), 7);
    let gaps = intake.ledger.take().gaps;
    let missing: Vec<_> = gaps
        .iter()
        .map(|change| match change {
            GapChange::Noticed(gap) => gap.missing,
            GapChange::Ended(_) => None,
        })
        .collect();
    assert_eq!(missing, [Some(1), Some(2)]);
}

#[test]
fn a_large_gap_is_not_waited_for() {
    let mut intake = intake();
    assert_eq!(intake.on_text(&message(1_000)), None);
    assert_eq!(intake.sequence(), 1_000);
    assert!(!intake.waits_for_order());
}

#[test]
fn numbers_that_are_no_sequence_end_the_session() {
    for sequence in [MAX_GAP + 3, 1 << 62, u64::MAX] {
        let mut intake = intake();
        assert_eq!(
            intake.on_text(&message(sequence)),
            Some(Signal::Violation(Violation::Sequence)),
            "{sequence}"
        );
        assert_eq!(intake.sequence(), 1);
        let ready = format!(r#"{{"t":"READY","s":{sequence},"op":0,"d":{{}}}}"#);
        assert_eq!(
            intake.on_text(&ready),
            Some(Signal::Violation(Violation::Sequence))
        );
    }
}

/// Otherwise, with a server that restarts its numbers within a session, every event would be considered a duplicate.
#[test]
fn numbers_that_begin_again_end_the_session() {
    let mut intake = intake();
    for sequence in 2..=5_000 {
        assert_eq!(intake.on_text(&message(sequence)), None);
    }
    let broken = (1..5_000).position(|sequence| intake.on_text(&message(sequence)).is_some());
    assert_eq!(broken, Some(1_000));
    // In a replay, they are only from before the checkpoint.
    intake.connecting();
    assert!((1..5_000).all(|sequence| intake.on_text(&message(sequence)).is_none()));
}

#[test]
fn events_before_ready_belong_to_no_session() {
    let mut intake = intake();
    intake.lose_session("invalid_session");
    let _lost = intake.ledger.take();
    for sequence in [1, 2, 1 << 62] {
        assert_eq!(intake.on_text(&message(sequence)), None);
    }
    assert_eq!(intake.ledger.rows(), 0);
    let ready = OTHERS[0];
    assert_eq!(intake.on_text(ready), Some(Signal::Ready));
    intake.begin_session(Session {
        id: "next".to_owned(),
        resume_url: None,
    });
    assert_eq!(intake.on_text(&message(2)), None);
    // The member's, and the channel's of that hour.
    assert_eq!(intake.ledger.rows(), 2);
}

#[test]
fn a_hello_that_asks_for_the_impossible() {
    let mut intake = intake();
    for (data, signal) in [
        ("null", Violation::Hello),
        ("{}", Violation::Hello),
        (r#"{"heartbeat_interval":-1}"#, Violation::Hello),
        (r#"{"heartbeat_interval":1.5}"#, Violation::Hello),
        (r#"{"heartbeat_interval":0}"#, Violation::HeartbeatInterval),
        (r#"{"heartbeat_interval":1}"#, Violation::HeartbeatInterval),
        (
            r#"{"heartbeat_interval":9223372036854775808}"#,
            Violation::HeartbeatInterval,
        ),
        (
            r#"{"heartbeat_interval":18446744073709551615}"#,
            Violation::HeartbeatInterval,
        ),
    ] {
        let text = format!(r#"{{"t":null,"s":null,"op":10,"d":{data}}}"#);
        assert_eq!(intake.on_text(&text), Some(Signal::Violation(signal)), "{data}");
    }
}
