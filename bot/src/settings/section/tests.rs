//! Tests of sections with one of every kind of setting.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, RoleMarker},
};

use super::{
    Choices, Chosen, Section, Setting,
    field::{Field, Kind, Named, ValueFault, Words},
};
use crate::{
    config::Config,
    settings::{GuildSettings, table::Stored},
    support::{i18n::Language, text::template::Placeholder},
};

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sample {
    is_on: bool,
    most: i64,
    text: String,
    message: String,
    channel: Option<Id<ChannelMarker>>,
    roles: Vec<Id<RoleMarker>>,
    order: String,
}

impl Choices for Sample {
    const SECTION: Section = Section::of::<Self>(
        "sample",
        &[
            Field::new("is_on", Kind::Switch),
            Field::new("most", Kind::Limit(50)),
            Field::new("text", Kind::Text(10)),
            Field::new("message", Kind::Template(&Placeholder::CASES)),
            Field::new("channel", Kind::Channel),
            Field::new("roles", Kind::Roles(2)),
            Field::new("order", Kind::Choice(ORDERS)),
        ],
    );
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            is_on: true,
            most: 5,
            text: String::new(),
            message: "Case {case}".to_owned(),
            channel: None,
            roles: Vec::new(),
            order: "xp".to_owned(),
        }
    }
}

const ORDERS: Words = Words {
    all: &["xp", "messages"],
    texts: "leaderboard-by",
};

static SAMPLE: Section = Sample::SECTION;

const ROLE: &str = "223456789012345678";
const CHANNEL: &str = "<#323456789012345678>";

fn with(settings: &Json) -> GuildSettings {
    let stored = Stored {
        sections: vec![("sample".to_owned(), settings.to_string())],
        ..Stored::nothing(Id::new(1))
    };
    GuildSettings::of(&stored, &Config::defaults().levels)
}

fn setting(name: &str) -> Setting {
    SAMPLE.setting(name).expect("a setting")
}

/// Each field of the struct has a definition that accepts its default, and each definition a field.
#[test]
fn the_defaults_are_values_of_their_settings() {
    let defaults = SAMPLE.defaults();
    assert_eq!(defaults.len(), SAMPLE.fields.len());
    for setting in SAMPLE.settings() {
        assert!(
            setting.field.kind.accepts(&defaults[setting.field.name]),
            "{setting}"
        );
    }
}

#[test]
fn what_is_written_is_what_holds_and_what_is_shown_can_be_written() {
    for (name, written, again) in [
        ("is_on", "Off", "false"),
        ("most", " 7 ", "7"),
        ("most", "off", "off"),
        ("text", "ä b", "ä b"),
        ("message", "{user}: {reason}", "{user}: {reason}"),
        ("message", "", ""),
        ("channel", CHANNEL, "323456789012345678"),
        ("channel", "none", "none"),
        (
            "roles",
            "<@&223456789012345678>, 223456789012345679 223456789012345679",
            "223456789012345678,223456789012345679",
        ),
        ("roles", "none", "none"),
        ("order", " Messages", "messages"),
    ] {
        let kind = setting(name).field.kind;
        let value = kind.parse(written).expect(written);
        assert!(kind.accepts(&value), "{name}: {value}");
        assert_eq!(kind.written(&value), again);
        assert_eq!(kind.parse(again), Ok(value.clone()));
        let holds = with(&json!({name: value}));
        assert_eq!(setting(name).value(&holds), value);
        assert!(!kind.shown(&value, Language::German).is_empty());
    }
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    for (name, written, fault) in [
        ("is_on", "maybe", ValueFault::Switch),
        ("most", "51", ValueFault::Limit(50)),
        ("most", "-1", ValueFault::Limit(50)),
        ("text", "12345678901", ValueFault::Text(10)),
        ("channel", ROLE.split_at(5).0, ValueFault::Channel),
        ("roles", "everyone", ValueFault::Roles),
        (
            "roles",
            "223456789012345671 223456789012345672 223456789012345673",
            ValueFault::TooManyRoles(2),
        ),
        ("order", "gold", ValueFault::Choice(ORDERS)),
    ] {
        let refused = setting(name).field.kind.parse(written);
        assert_eq!(refused, Err(fault.clone()), "{name}={written}");
        assert_ne!(
            fault.in_words(Language::English),
            fault.in_words(Language::German)
        );
    }
    let fault = setting("message")
        .field
        .kind
        .parse("{level}")
        .expect_err("another template's");
    assert!(fault.in_words(Language::English).contains("{case}"), "{fault:?}");
}

#[test]
fn a_value_that_cannot_be_read_has_its_default_and_the_others_hold() {
    let settings = with(&json!({
        "is_on": "yes", "most": 51, "text": "kept", "message": "{nobody}", "channel": -5, "roles": [1, 2, 3], "order": "gold", "newer": {"a": 1},
    }));
    let read = settings.sections.of::<Sample>();
    assert_eq!(
        *read,
        Sample {
            text: "kept".to_owned(),
            ..Sample::default()
        }
    );
    assert_eq!(setting("most").value(&settings), 5);
    assert_eq!(setting("most").chosen(&settings), None);
    assert_eq!(*Chosen::default().of::<Sample>(), Sample::default());
}

#[test]
fn roles_and_channels_are_named() {
    let settings = with(&json!({"roles": [7, 8], "channel": 9, "text": "7"}));
    let named = |name| setting(name).named(&settings);
    assert_eq!(named("roles").roles, [Id::new(7), Id::new(8)]);
    assert_eq!(named("channel").channels, [Id::new(9)]);
    assert_eq!(named("text"), Named::default());
    assert_eq!(settings.sections.of::<Sample>().roles, [Id::new(7), Id::new(8)]);
    assert_eq!(setting("roles").field.kind.exported(&json!([7])), json!(["7"]));
}

#[test]
fn a_typo_in_a_name_is_answered_with_the_name() {
    let find = |name: &str| Setting::find(std::iter::once(&SAMPLE), name);
    assert_eq!(find("sample.is_on").expect("it").field.name, "is_on");
    let hint = |name: &str| find(name).expect_err("none").to_string();
    assert!(hint("sample.chanel").contains("did you mean sample.channel?"));
    assert!(hint("nothing").contains("there are sample.is_on, sample.most"));
}
