use serde_json::{Value as Json, json};
use twilight_model::{
    application::command::{CommandOption, CommandOptionType as Type},
    id::Id,
};

use super::entered::value;
use crate::{
    discord::guilds::listing::Listing,
    interactions::define::Opt,
    support::{i18n::Language, text::names::Name},
};

fn opt(kind: Type) -> Opt {
    Opt::new(kind, "levels-option", "step")
}

fn read(option: impl Into<CommandOption>, written: &str) -> Option<Json> {
    let listing = Listing {
        roles: vec![(Id::new(7), Name::first([Some("helpers")], 7))],
        channels: vec![(Id::new(8), Name::first([Some("rules")], 8))],
        others: vec![(Id::new(9), Name::first([Some("voice")], 9))],
    };
    let mut resolved = json!({"roles": {}, "channels": {}});
    let value = value(&option.into(), written, &listing, &mut resolved)?;
    // Whatever is named is resolved, as Discord does.
    if let Some(id) = value.as_str().filter(|id| ["7", "8", "9"].contains(id)) {
        let is_in = |kind: &str| u8::from(resolved[kind][id].is_object());
        assert_eq!(is_in("roles") + is_in("channels"), 1, "{id}");
    }
    Some(value)
}

#[test]
fn only_what_discord_would_send_is_read() {
    let integer = || opt(Type::Integer).between(1, 10);
    let number = || opt(Type::Number).within(0.0, 10.0);
    let text = || opt(Type::String).at_most(3);
    let word = || opt(Type::String).choices([("a", "settings-on"), ("b", "settings-off")]);
    for (option, written, expected) in [
        (integer(), "10", Some(json!(10))),
        (integer(), "0", None),
        (integer(), "11", None),
        (integer(), "1.5", None),
        (integer(), "99999999999999999999", None),
        (number(), "1,5", Some(json!(1.5))),
        (number(), "10.01", None),
        (number(), "NaN", None),
        (number(), "inf", None),
        (text(), "äöü", Some(json!("äöü"))),
        (text(), "abcd", None),
        (text(), "a\0", None),
        (text(), "", None),
        (word(), "b", Some(json!("b"))),
        (word(), "c", None),
        (opt(Type::Boolean), "on", Some(json!(true))),
        (opt(Type::Boolean), "off", Some(json!(false))),
        (opt(Type::Boolean), "", None),
        (opt(Type::Role), "7", Some(json!("7"))),
        (opt(Type::Role), "8", None),
        (opt(Type::Role), "x", None),
        (opt(Type::Channel), "8", Some(json!("8"))),
        (opt(Type::Channel), "9", Some(json!("9"))),
        (opt(Type::Channel), "7", None),
        (
            opt(Type::Channel).channels(crate::interactions::define::TEXT_CHANNELS),
            "9",
            None,
        ),
        (opt(Type::Attachment), "7", None),
    ] {
        let option: CommandOption = option.into();
        let shown = format!("{:?} {written}", option.kind);
        assert_eq!(read(option, written), expected, "{shown}");
    }
}

#[test]
fn texts_are_in_the_visitor_s_language() {
    let option: CommandOption = opt(Type::Number).into();
    let texts = Language::ALL.map(|language| super::inputs::text(&option, language));
    assert_eq!(
        texts,
        Language::ALL.map(|language| language.text("levels-option-step-description"))
    );
    assert_ne!(texts[0], texts[1]);
}
