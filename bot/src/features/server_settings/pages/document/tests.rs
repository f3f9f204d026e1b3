use serde_json::json;
use twilight_model::id::Id;

use super::{Document, FORMAT, Kind, Mapping, imported};
use crate::settings::section::field::Words;

const WORDS: Words = Words {
    all: &["off"],
    texts: "x",
};

#[test]
fn roles_and_channels_are_replaced_and_nothing_else() {
    let mapping = Mapping {
        roles: [("1".to_owned(), Id::new(11))].into(),
        channels: [("2".to_owned(), Id::new(12))].into(),
    };
    let import = |kind, exported| imported(kind, &exported, &mapping);
    assert_eq!(import(Kind::Roles(5), json!(["1", "2"])), Some(json!([11])));
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
