use twilight_model::{channel::ChannelType, id::Id};

use super::{BadOption, InteractionPayload};
use crate::support::i18n::Language;

fn payload(extra: &str) -> InteractionPayload {
    let text = format!(
        r#"{{"t":"INTERACTION_CREATE","s":3,"op":0,"d":{{"id":"1300000000000000000","application_id":"7","type":2,"token":"t","guild_id":"9",
            "member":{{"user":{{"id":"8","username":"ada","global_name":"Ada"}},"nick":"Countess","permissions":"32"}},"new_field":[1],{extra}}}}}"#
    );
    InteractionPayload::parse(&text).expect("an interaction")
}

#[test]
fn the_asker_is_the_default() {
    let payload = payload(r#""locale":"pt-BR","guild_locale":"de","data":{"name":"rank","type":1}"#);
    assert_eq!(payload.language(), Language::German);
    let (user, name) = payload.user_option("member").expect("who asks");
    assert_eq!((user.id.get(), name.as_plain()), (8, "Countess"));
    assert_eq!(payload.permissions().bits(), 32);
}

#[test]
fn the_members_that_it_is_about() {
    let members =
        |payload: &InteractionPayload| payload.members().map(|key| key.user_id.get()).collect::<Vec<_>>();
    assert_eq!(members(&payload(r#""data":{"name":"rank"}"#)), [8]);
    let chosen = r#""data":{"name":"rank","resolved":{"users":{"5":{"id":"5"},"x":{},"6":{"id":"6"}}}}"#;
    assert_eq!(members(&payload(chosen)), [8, 5, 6]);
}

#[test]
fn a_chosen_user() {
    let payload = payload(
        r#""data":{"name":"rank","options":[{"name":"member","type":6,"value":"5"}],
            "resolved":{"users":{"5":{"id":"5","username":"bob","bot":true}},"members":{"5":{}}}}"#,
    );
    let (user, name) = payload.user_option("member").expect("a user");
    assert!(user.bot);
    assert_eq!(name.as_plain(), "bob");
}

#[test]
fn options_of_another_type() {
    for value in ["5", "\"6\"", "null", "{}"] {
        let payload = payload(&format!(
            r#""data":{{"name":"rank","options":[{{"name":"member","type":3,"value":{value}}}]}}"#
        ));
        assert_eq!(
            payload.user_option("member").map(|(user, _)| user.id),
            Err(BadOption("member")),
            "{value}"
        );
    }
}

#[test]
fn options_of_a_subcommand() {
    let payload = payload(
        r#""data":{"name":"levels","options":[{"name":"reward","type":2,"options":[{"name":"add","type":1,"options":[
            {"name":"level","type":4,"value":5},{"name":"role","type":8,"value":"7"},{"name":"on","type":5,"value":true},
            {"name":"factor","type":10,"value":1.5},{"name":"text","type":3,"value":"x","focused":true},
            {"name":"where","type":7,"value":"11"}]}]}],
            "resolved":{"roles":{"7":{"id":"7"}},"channels":{"11":{"id":"11","type":4}}}}"#,
    );
    assert_eq!(payload.subcommand(), ["reward", "add"]);
    assert_eq!(payload.integer("level"), Ok(Some(5)));
    assert_eq!(payload.role("role").map(|role| role.map(Id::get)), Ok(Some(7)));
    assert_eq!(payload.boolean("on"), Ok(Some(true)));
    assert_eq!(payload.number("factor"), Ok(Some(1.5)));
    assert_eq!(payload.text("text"), Ok(Some("x")));
    assert_eq!(payload.text("level"), Err(BadOption("level")));
    assert_eq!(payload.text("nothing"), Ok(None));
    assert_eq!(payload.focused(), Some(("text", "x".to_owned())));
    let channel = payload.channel("where").expect("a channel").expect("it is there");
    assert_eq!(channel.kind, ChannelType::GuildCategory);
}

#[test]
fn buttons_menus_and_modals() {
    let payload = |kind: u8, data: &str| {
        let text =
            format!(r#"{{"d":{{"id":"1","application_id":"7","type":{kind},"token":"t","data":{data}}}}}"#);
        InteractionPayload::parse(&text).expect("an interaction")
    };
    let menu = payload(3, r#"{"custom_id":"settings:log:5","values":["6"]}"#);
    assert_eq!(menu.command(), "settings");
    assert_eq!(menu.custom_id_parts(), ["log", "5"]);
    assert_eq!(menu.values(), ["6"]);
    for rows in [
        r#"[{"type":1,"components":[{"type":4,"custom_id":"reason","value":"x"}]}]"#,
        r#"[{"type":18,"component":{"type":4,"custom_id":"reason","value":"x"}}]"#,
    ] {
        let modal = payload(5, &format!(r#"{{"custom_id":"warn","components":{rows}}}"#));
        assert_eq!(modal.command(), "warn");
        assert_eq!(modal.field("reason"), Some("x"));
        assert_eq!(modal.field("other"), None);
    }
}
