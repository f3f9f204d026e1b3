use serde_json::{Value as Json, json};
use twilight_model::id::Id;

use super::{SECTIONS, Section, Stored};
use crate::{
    config::Config,
    settings::{GuildSettings, history::snapshot},
};

/// Each column accepts its default and keeps what is written; without a value it has its default again.
#[test]
fn a_column_is_a_setting_like_any_other() {
    let usual = GuildSettings::of(&Stored::nothing(Id::new(1)), &Config::defaults().levels);
    let sample = |name: &str| match name {
        "server.language" => json!("de"),
        "server.log_channel" | "server.welcome_channel" | "announcements.channel" => json!(7),
        "server.welcome_text" | "announcements.text" => json!("Hello {user}"),
        "server.prefix" => json!("?"),
        "server.moderators_shown" | "announcements.ping" => json!(true),
        "announcements.departed" => json!("reset"),
        other => panic!("a sample for {other}"),
    };
    for setting in SECTIONS.into_iter().flat_map(Section::settings) {
        let name = setting.to_string();
        let default = setting.usual(&usual);
        assert!(setting.field.kind.accepts(&default), "{name}: {default}");
        let mut stored = Stored::nothing(Id::new(1));
        let value = sample(&name);
        setting.change(Some(value.clone())).apply(&mut stored);
        assert_eq!(setting.chosen_in(&snapshot(&stored)), Some(value), "{name}");
        setting.change(None).apply(&mut stored);
        let chosen = setting.chosen_in(&snapshot(&stored));
        assert!(chosen.is_none_or(|chosen| chosen == default), "{name}");
    }
}

#[test]
fn a_welcome_has_a_text_when_it_has_a_channel() {
    let setting = |name: &str| SECTIONS[0].setting(name).expect("a setting");
    let mut stored = Stored::nothing(Id::new(1));
    let choose = |stored: &mut Stored, name: &str, value: Json| {
        setting(name).change(Some(value)).apply(stored);
    };
    choose(&mut stored, "welcome_text", "Hello {user}".into());
    choose(&mut stored, "welcome_channel", 7.into());
    choose(&mut stored, "welcome_channel", Json::Null);
    choose(&mut stored, "welcome_channel", 8.into());
    assert_eq!(stored.welcome_template.as_deref(), Some("Hello {user}"));
    setting("welcome_text").change(None).apply(&mut stored);
    assert!(
        stored
            .welcome_template
            .is_some_and(|text| text.contains("{server}"))
    );
}
