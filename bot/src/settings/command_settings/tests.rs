use std::time::{Duration, SystemTime};

use serde_json::json;
use twilight_model::id::Id;

use super::{ALL, CommandSetting, Language, named, values};
use crate::settings::table::{Stored, StoredBoost, StoredEarning, StoredMultiplier};

/// A guild that has chosen everything.
fn stored() -> Stored {
    let multiplier = |kind: &str, target_id| StoredMultiplier {
        target_kind: kind.to_owned(),
        target_id,
        percent: 150,
    };
    let starts_at = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
    Stored {
        rewards: "replace".to_owned(),
        card_colour: Some(0x12_34_56),
        roles: vec![(5, Id::new(7))],
        earning: StoredEarning {
            xp_min: Some(1),
            xp_max: Some(2),
            cooldown_seconds: Some(60),
            role_mode: Some("sum".to_owned()),
            multipliers: vec![multiplier("role", 7), multiplier("channel", 8)],
            boosts: vec![StoredBoost {
                boost_id: 9,
                multiplier: multiplier("server", 0),
                starts_at,
                ends_at: starts_at + Duration::from_hours(1),
            }],
        },
        curve: Some("linear".to_owned()),
        curve_factors: Some(vec![250]),
        demotion: Some("always".to_owned()),
        roles_on_join: Some(false),
        ..Stored::nothing(Id::new(1))
    }
}

#[test]
fn every_setting_of_a_row_has_a_value_that_is_accepted_and_shown() {
    let found: Vec<_> = values(&stored()).collect();
    for setting in &ALL {
        let of =
            |name: &String| CommandSetting::find(name).is_some_and(|(found, _)| found.name == setting.name);
        assert!(found.iter().any(|(name, _)| of(name)), "{}", setting.name);
    }
    for (name, value) in &found {
        let (setting, key) = CommandSetting::find(name).expect("known");
        assert_eq!(setting.full_name(key), *name);
        assert!(setting.accepts(key, value), "{name}: {value}");
        assert!(!setting.accepts(key, &json!({"other": true})), "{name}");
        for language in Language::ALL {
            let shown = setting.shown(value, language);
            assert!(
                shown != language.text("settings-page-default") && !shown.is_empty(),
                "{name}: {shown}"
            );
            assert!(!setting.label(key, language).ends_with("-setting"), "{name}");
        }
    }
    assert_eq!(values(&Stored::nothing(Id::new(1))).count(), 0);
}

#[test]
fn a_change_needs_its_permit() {
    for (name, value) in values(&stored()) {
        let (setting, key) = CommandSetting::find(&name).expect("known");
        let change = setting.change(key, Some(&value), &super::Permits::default(), Id::new(1));
        assert_eq!(change.is_some(), setting.needs == super::Needs::Nothing, "{name}");
    }
}

#[test]
fn values_beyond_the_limits_of_the_commands_are_refused() {
    for (name, value) in [
        ("xp.range", json!([3, 2])),
        ("xp.range", json!([1, 10_001])),
        ("xp.cooldown", json!(28_801)),
        ("xp.curve", json!(["linear", [0]])),
        ("xp.curve", json!(["other", []])),
        ("xp.role_mode", json!("other")),
        ("xp.multiplier:role:7", json!(1_001)),
        ("xp.multiplier:server", json!(150)),
        ("rewards.level:role:7", json!(0)),
        ("rewards.level:channel:7", json!(5)),
        ("cards.colour", json!("greenish")),
    ] {
        let (setting, key) = CommandSetting::find(name).expect("known");
        assert!(!setting.accepts(key, &value), "{name}: {value}");
    }
    assert_eq!(named("role:7").roles, [Id::new(7)]);
    assert_eq!(named("channel:8").channels, [Id::new(8)]);
}
