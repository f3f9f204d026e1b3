use twilight_model::id::Id;

use super::{NewEffect, PLAIN, ROLES, in_order, nonce};

#[test]
fn effects_are_in_the_order_of_lanes_and_roles_of_a_member_once() {
    let of = |guild: u64, lane: i64, kind, body: String| NewEffect {
        guild_id: Id::new(guild),
        lane_id: lane,
        kind,
        channel_id: None,
        user_id: None,
        body,
    };
    let roles = |guild, lane| of(guild, lane, ROLES, PLAIN.to_owned());
    let demotion = |guild, lane| of(guild, lane, ROLES, r#"{"demotes":true}"#.to_owned());
    let welcome = |text: &str| of(1, 9, "welcome", text.to_owned());
    let given = [
        roles(2, 5),
        welcome("first"),
        roles(1, 4),
        demotion(1, 4),
        welcome("second"),
        demotion(1, 3),
        roles(1, 3),
    ];
    let ordered: Vec<NewEffect> = in_order(&given).into_iter().cloned().collect();
    assert_eq!(
        ordered,
        [
            demotion(1, 3),
            demotion(1, 4),
            welcome("first"),
            welcome("second"),
            roles(2, 5)
        ]
    );
}

#[test]
fn a_nonce_fits_discords_limit_and_tells_restored_numbers_apart() {
    assert!(nonce(i64::MAX, 4_000_000_000.999).len() <= 25);
    assert_eq!(nonce(255, 1_763_744_400.123), nonce(255, 1_763_744_400.123));
    assert_ne!(nonce(255, 1_763_744_400.123), nonce(255, 1_763_744_401.0));
    assert_ne!(nonce(255, 1_763_744_400.123), nonce(256, 1_763_744_400.123));
}
