//! Healthy files pass and rounded ones do not, regardless of the tool that rounded them.

use proptest::prelude::*;

use super::{Cell, Ids, Reason, Rounding, Whose, is_shortest, read, spacing};

/// A time in 2026.
const NOW_MS: i64 = 1_795_000_000_000;

fn verdict(ids: &[u64]) -> Option<String> {
    let mut rounding = Rounding::default();
    for (index, id) in ids.iter().enumerate() {
        rounding.see(*id, || format!("row {index}"));
    }
    rounding.verdict().map(|rounded| rounded.at)
}

#[expect(clippy::cast_precision_loss, reason = "this is the rounding in question")]
fn as_javascript(id: u64) -> u64 {
    (id as f64).to_string().parse().expect("whole")
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "this is the rounding in question"
)]
const fn as_exact(id: u64) -> u64 {
    id as f64 as u64
}

/// 15 digits, then zeros.
const fn as_spreadsheet(id: u64) -> u64 {
    let zeros = 10_u64.pow(id.ilog10() + 1 - 15);
    id / zeros * zeros
}

/// An ID of 2015 to 2026, with worker, process and increment.
fn id() -> impl Strategy<Value = u64> {
    (4_000_000_000_u64..370_000_000_000, 0..1024_u64, 0..4096_u64)
        .prop_map(|(ms, worker, increment)| (ms << 22) | (worker << 12) | increment)
}

/// The form of many IDs: the first of their millisecond, from any worker.
fn id_without_increment() -> impl Strategy<Value = u64> {
    (4_000_000_000_u64..370_000_000_000, 0..1024_u64).prop_map(|(ms, worker)| (ms << 22) | (worker << 12))
}

#[test]
fn known_roundings() {
    // The output of Node.js for Number("…").
    assert_eq!(as_javascript(175_928_847_299_117_063), 175_928_847_299_117_060);
    assert_eq!(
        as_javascript(1_098_765_432_109_876_543),
        1_098_765_432_109_876_500
    );
    assert_eq!(as_exact(175_928_847_299_117_063), 175_928_847_299_117_056);
    assert_eq!(as_spreadsheet(175_928_847_299_117_063), 175_928_847_299_117_000);
    assert!(is_shortest(175_928_847_299_117_060) && !is_shortest(175_928_847_299_117_063));
    assert_eq!(spacing(175_928_847_299_117_063), 32);
    assert_eq!(spacing(1_098_765_432_109_876_543), 128);
}

#[test]
fn one_is_an_accident_and_said_to_be_one() {
    let mut rounding = Rounding::default();
    rounding.see(1_098_765_432_109_876_500, || "line 2".to_owned());
    assert_eq!(rounding.verdict(), None);
    assert_eq!(rounding.suspicion(), Some(("line 2".to_owned(), 25)));
    rounding.see(1_098_765_432_109_876_543, || "line 3".to_owned());
    assert_eq!(rounding.suspicion(), None);
}

#[test]
fn exponents_are_rounded_for_certain() {
    let mut rounding = Rounding::default();
    for row in 0..3 {
        assert_eq!(rounding.verdict(), None, "{row}");
        rounding.see_real(|| format!("row {row}"));
    }
    assert_eq!(rounding.verdict().expect("refused").at, "row 0");
    for text in [
        "1.23457E+17",
        "1,23457E+17",
        "123456789012345680.0",
        "1.2345678901234568e+17",
    ] {
        let cell = Cell::Text(text.to_owned());
        assert!(
            matches!(read(&cell, Whose::User, NOW_MS), Err(Reason::Rounded { .. })),
            "{text}"
        );
    }
    assert!(matches!(
        read(&Cell::Real(1.234_567_890_123_456_8e17), Whose::User, NOW_MS),
        Err(Reason::Rounded { .. })
    ));
}

#[test]
fn what_is_an_id() {
    let text = |text: &str| read(&Cell::Text(text.to_owned()), Whose::User, NOW_MS);
    let one = Ok(Ids::One(175_928_847_299_117_063));
    for written in [
        "175928847299117063",
        " 175928847299117063 ",
        "=\"175928847299117063\"",
        "'175928847299117063",
    ] {
        assert_eq!(text(written), one, "{written}");
    }
    for key in [
        "197038439483310086-175928847299117063",
        "xp_197038439483310086_175928847299117063",
    ] {
        assert_eq!(
            text(key),
            Ok(Ids::Pair(197_038_439_483_310_086, 175_928_847_299_117_063)),
            "{key}"
        );
    }
    for (written, why) in [
        ("0", "0 is no id"),
        ("-5", "an id is not negative"),
        ("12345", "ids have 17 digits or more"),
        ("9223372036854775807", "it lies in the future"),
        ("99999999999999999999999", "it has too many digits"),
        ("Nelly#1337", "it is no number"),
        ("12.5", "it is no number"),
    ] {
        let reason = text(written).expect_err(written).to_string();
        assert!(reason.ends_with(why), "{reason}");
    }
}

#[test]
fn the_run_of_rounded_ids_is_found_behind_healthy_ones() {
    let healthy = (0..5_000_u64).map(|n| ((200_000_000_000 + n * 7_919) << 22) | ((n * 37) % (1 << 22)));
    let rounded = (0..40_u64).map(|n| as_javascript(((210_000_000_000 + n * 104_729) << 22) | (n * 271 + 5)));
    let ids: Vec<u64> = healthy.chain(rounded).collect();
    assert_eq!(verdict(&ids[..5_000]), None);
    assert!(verdict(&ids).is_some());
}

proptest! {
    #[test]
    fn healthy_files_are_believed(ids in prop::collection::hash_set(id(), 1..300)) {
        prop_assert_eq!(verdict(&ids.into_iter().collect::<Vec<_>>()), None);
    }

    #[test]
    fn ids_with_empty_lower_bits_are_believed(ids in prop::collection::hash_set(id_without_increment(), 1..300)) {
        prop_assert_eq!(verdict(&ids.into_iter().collect::<Vec<_>>()), None);
    }

    #[test]
    fn rounded_files_are_not(ids in prop::collection::hash_set(id(), 40..100)) {
        let rounded = |by: fn(u64) -> u64| verdict(&ids.iter().copied().map(by).collect::<Vec<_>>());
        prop_assert!(rounded(as_javascript).is_some());
        prop_assert!(rounded(as_spreadsheet).is_some());
        prop_assert!(rounded(as_exact).is_some());
    }

    #[test]
    fn small_files_of_recent_ids_are_found_out(
        ids in prop::collection::hash_set((300_000_000_000_u64..370_000_000_000).prop_map(|ms| (ms << 22) | 0x1092), 5..9),
    ) {
        prop_assert!(verdict(&ids.iter().copied().map(as_javascript).collect::<Vec<_>>()).is_some());
    }

    #[test]
    fn any_text_is_an_id_or_none(text in ".*") {
        drop(read(&Cell::Text(text), Whose::User, NOW_MS));
    }
}
