use serde_json::json;
use twilight_model::id::Id;

use super::{Document, FORMAT, Kind, Listing, Mapping, imported};
use crate::{settings::section::field::Words, support::text::names::Name};

const WORDS: Words = Words {
    all: &["off"],
    texts: "x",
};

#[test]
fn roles_and_channels_are_replaced_and_nothing_else() {
    let mapping = Mapping {
        roles: [("1".to_owned(), Id::new(11)), ("3".to_owned(), Id::new(11))].into(),
        channels: [("2".to_owned(), Id::new(12))].into(),
    };
    let import = |kind, exported| imported(kind, &exported, &mapping);
    assert_eq!(import(Kind::Roles(5), json!(["1", "2", "3"])), Some(json!([11])));
    assert_eq!(import(Kind::Channel, json!("2")), Some(json!(12)));
    assert_eq!(import(Kind::Channel, json!(null)), Some(json!(null)));
    assert_eq!(import(Kind::Channel, json!("1")), None, "left out");
    assert_eq!(import(Kind::ChannelOr(WORDS), json!("off")), Some(json!("off")));
    assert_eq!(import(Kind::ChannelOr(WORDS), json!("2")), Some(json!(12)));
    assert_eq!(import(Kind::Switch, json!(true)), Some(json!(true)));
    assert_eq!(import(Kind::Switch, json!("1")), None, "no switch");
    assert_eq!(import(Kind::Limit(5), json!(6)), None, "above the limit");
}

#[test]
fn the_same_id_is_suggested_before_the_same_name() {
    let name = |name: &str| Name::first([Some(name)], 0);
    let listing = Listing {
        roles: vec![(Id::new(11), name("members")), (Id::new(1), name("Other"))],
        channels: vec![(Id::new(13), name("general"))],
        others: vec![(Id::new(14), name("Talk"))],
    };
    let text = json!({
        "format": FORMAT,
        "settings": {"moderation.reports": "5", "xp.multiplier:channel:4": 150},
        "roles": {"1": "Members", "2": "MEMBERS", "3": "gone"},
        "channels": {"3": "General", "4": "talk", "5": "talk"},
    });
    let document = Document::parse(&text.to_string()).expect("a file");
    let suggested = document.suggestion(&listing);
    let expected = [("1".to_owned(), Id::new(1)), ("2".to_owned(), Id::new(11))];
    assert_eq!(suggested.roles, expected.into());
    // A category can have a multiplier, and nothing else.
    let expected = [("3".to_owned(), Id::new(13)), ("4".to_owned(), Id::new(14))];
    assert_eq!(suggested.channels, expected.into());
}

#[test]
fn only_files_of_this_form_are_read() {
    let text = json!({"format": FORMAT, "settings": {}}).to_string();
    assert!(Document::parse(&text).is_some());
    for wrong in [
        "",
        "{}",
        "[]",
        "{\"format\": \"other\", \"settings\": {}}",
        "{\"format\": 1, \"settings\": {}}",
    ] {
        assert!(Document::parse(wrong).is_none(), "{wrong}");
    }
}
