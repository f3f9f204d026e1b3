use std::time::Duration;

use super::{Fatal, Guard, MAX_FAILED_RESUMES, Next, close_label, is_a_fault};
use crate::telemetry::metrics::labels;

fn guard() -> Guard {
    Guard::new(Duration::from_mins(1))
}

#[test]
fn fatal_codes_end_it_and_say_what_to_change() {
    for (code, words) in [
        (4004, "token"),
        (4010, "shard_count"),
        (4011, "shard_count"),
        (4012, "newer version"),
        (4013, "newer version"),
        (4014, "Privileged Gateway Intents"),
    ] {
        let Next::Fatal(fatal) = guard().closed(Some(code), Some(Duration::from_mins(1))) else {
            panic!("{code} is fatal")
        };
        assert!(fatal.to_string().contains(words), "{code}: {fatal}");
        assert!(fatal.to_string().contains(&code.to_string()), "{fatal}");
    }
    assert_eq!(Fatal::from_code(4000), None);
}

#[test]
fn labels_of_closes_are_few() {
    for (code, label) in [(None, "none"), (Some(4004), "4004"), (Some(4242), "other")] {
        assert_eq!(close_label(code), label);
        assert!(labels::CLOSE_CODES.contains(&label));
    }
}

#[test]
fn dead_sessions_are_not_resumed() {
    for code in [4007, 4009] {
        assert!(
            matches!(
                guard().closed(Some(code), Some(Duration::from_mins(1))),
                Next::Identify { .. }
            ),
            "{code}"
        );
    }
    assert!(
        matches!(guard().invalid_session(false, None), Next::Identify { after, .. } if after >= Duration::from_secs(1))
    );
}

#[test]
fn everything_else_resumes() {
    for code in [
        None,
        Some(1000),
        Some(1001),
        Some(1006),
        Some(4000),
        Some(4001),
        Some(4002),
        Some(4003),
        Some(4005),
        Some(4008),
    ] {
        assert!(
            matches!(guard().closed(code, Some(Duration::ZERO)), Next::Reconnect { .. }),
            "{code:?}"
        );
    }
    assert!(matches!(
        guard().reconnect_requested(None),
        Next::Reconnect { .. }
    ));
}

#[test]
fn a_session_that_never_resumes_is_given_up_with_growing_pauses() {
    let mut guard = guard();
    let mut total = Duration::ZERO;
    for _ in 0..MAX_FAILED_RESUMES {
        let Next::Reconnect { after } = guard.invalid_session(true, None) else {
            panic!("given up too early")
        };
        total += after;
    }
    assert!(total >= Duration::from_mins(2), "{total:?}");
    assert!(matches!(guard.invalid_session(true, None), Next::Identify { .. }));
}

#[test]
fn a_resume_without_an_answer_is_given_up_sooner() {
    let mut guard = guard();
    for _ in 0..3 {
        assert!(matches!(guard.unanswered(), Next::Reconnect { .. }));
    }
    assert!(matches!(guard.unanswered(), Next::Identify { .. }));
    assert!(matches!(guard.unanswered(), Next::Reconnect { .. }));
}

/// A gateway that breaks each session after a while must not use up the day's identifies.
#[test]
fn broken_sessions_begin_again_after_growing_pauses() {
    let mut guard = guard();
    let pauses: Vec<Duration> = (0..10)
        .map(|_| {
            guard.established();
            match guard.violated(Some(Duration::from_mins(1))) {
                Next::Identify { after, reason } if labels::GAP_REASONS.contains(&reason) => after,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    assert!(pauses[9] >= Duration::from_secs(30), "{pauses:?}");
}

#[test]
fn several_connections_without_a_session_are_worth_a_warning() {
    let mut guard = guard();
    let warned: Vec<u32> = (0..20).filter_map(|_| guard.never_ready()).collect();
    assert_eq!(warned, [3, 4, 8, 16]);
    guard.established();
    assert_eq!(guard.never_ready(), None);
}

#[test]
fn faults_are_told_from_requests_to_come_back() {
    for code in [None, Some(1000), Some(1001), Some(1006), Some(1012), Some(4000)] {
        assert!(!is_a_fault(code), "{code:?}");
    }
    for code in [
        1002, 1007, 1009, 4001, 4002, 4003, 4004, 4005, 4007, 4008, 4009, 4014, 4242,
    ] {
        assert!(is_a_fault(Some(code)), "{code}");
    }
}

#[test]
fn an_unreachable_gateway_never_costs_the_session() {
    let mut guard = guard();
    for _ in 0..1_000 {
        assert!(
            matches!(guard.unreachable(None), Next::Reconnect { after } if after <= Duration::from_mins(1))
        );
    }
}

#[test]
fn a_connection_that_is_dropped_over_and_over_is_not_a_hot_loop() {
    let mut guard = guard();
    let total: Duration = (0..20)
        .map(
            |_| match guard.closed(Some(4000), Some(Duration::from_millis(100))) {
                Next::Reconnect { after } => after,
                other => panic!("{other:?}"),
            },
        )
        .sum();
    assert!(total > Duration::from_mins(1), "{total:?}");
    let after_a_good_one = guard.closed(Some(4000), Some(Duration::from_mins(1)));
    assert!(matches!(after_a_good_one, Next::Reconnect { after } if after <= Duration::from_millis(100)));
}

/// After a connection that was established for a while, the delays start from the beginning, whatever ended it.
#[test]
fn a_good_connection_forgives_what_was_before_it() {
    let good = Some(Duration::from_mins(1));
    for end in [
        |guard: &mut Guard, up_for| guard.closed(None, up_for),
        |guard: &mut Guard, up_for| guard.closed(Some(4009), up_for),
        |guard: &mut Guard, up_for| guard.reconnect_requested(up_for),
        |guard: &mut Guard, up_for| guard.invalid_session(true, up_for),
        |guard: &mut Guard, up_for| guard.unreachable(up_for),
    ] {
        let mut guard = guard();
        for _ in 0..8 {
            guard.unreachable(None);
        }
        let (Next::Reconnect { after } | Next::Identify { after, .. }) = end(&mut guard, good) else {
            panic!("not fatal")
        };
        assert!(after <= Duration::from_secs(1), "{after:?}");
    }
}
