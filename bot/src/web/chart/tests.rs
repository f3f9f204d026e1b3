use super::{Bar, drawing, percent, round_up, thousandths};

#[test]
fn the_axis_ends_at_a_round_number() {
    for (value, end) in [
        (0, 2),
        (1, 2),
        (3, 4),
        (99, 100),
        (100, 100),
        (101, 120),
        (12_345, 14_000),
    ] {
        assert_eq!(round_up(value), end, "{value}");
    }
    assert!(round_up(u64::MAX / 4) >= u64::MAX / 4);
}

#[test]
fn the_largest_value_is_within_the_drawing() {
    let bar = |value| Bar {
        label: "<script>".to_owned(),
        short: "&".to_owned(),
        value,
    };
    let drawn = drawing("t", &[bar(100), bar(0), bar(50)], &|number: u64| {
        number.to_string()
    })
    .into_string();
    assert_eq!(drawn.matches("<rect").count(), 2, "{drawn}");
    assert!(drawn.contains(r#"y="8.000""#), "the top of the chart: {drawn}");
    assert!(
        !drawn.contains("<script>") && drawn.contains("&lt;script&gt;: 100"),
        "{drawn}"
    );
    assert!(
        !drawn.contains("style="),
        "the policy forbids inline styles: {drawn}"
    );
}

#[test]
fn numbers_are_not_rounded_to_nothing() {
    assert_eq!(thousandths(8_050), "8.050");
    assert_eq!(
        (percent(1, 0), percent(1, 2), percent(u64::MAX, u64::MAX)),
        (0, 50, 100)
    );
}
