//! Entries of the menus of users and messages: how they are registered, and what an interaction says of what was chosen.

use discord_simulator::{InteractionRequest, RestRules, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use super::{
    client::{Client, MESSAGES},
    http::call,
    small, start,
};

async fn begin() -> Simulator {
    let rest = RestRules {
        enforce: false,
        ..RestRules::default()
    };
    start(SimulatorConfig { rest, ..small() }).await
}

#[tokio::test]
async fn entries_are_registered_without_descriptions_and_up_to_a_number() {
    let simulator = begin().await;
    let (base, application) = (simulator.rest_url(), simulator.world().bot_id());
    let path = format!("/api/v10/applications/{application}/commands");
    let put = async |commands: Value| {
        let answer = call(&base, "PUT", &path, Some(commands)).await;
        (answer.status, answer.json())
    };
    let entry = |kind: u8, name: &str| json!({"type": kind, "name": name});
    let (status, registered) = put(json!([entry(2, "Show History"), entry(3, "Show History")])).await;
    assert_eq!(status, 200, "names are free in each kind: {registered}");
    assert_eq!(registered[0]["type"], 2);
    let mut described = entry(2, "Warn");
    described["description"] = "Warns".into();
    for (bad, field) in [
        (json!([described]), "description"),
        (json!([entry(3, &"x".repeat(33))]), "name"),
        (json!([entry(2, "")]), "name"),
    ] {
        let (status, answer) = put(bad).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50_035)), "{answer}");
        assert!(answer["errors"]["0"][field]["_errors"].is_array(), "{answer}");
    }
    let (status, answer) = put(json!([entry(2, "Warn"), entry(2, "Warn")])).await;
    assert_eq!((status, &answer["code"]), (400, &json!(50_035)), "{answer}");
    let many = |kind, number: u32| -> Value {
        let names = (0..number).map(|n| n.to_string());
        names.map(|name| entry(kind, &name)).collect()
    };
    for kind in [2, 3] {
        assert_eq!(put(many(kind, 15)).await.0, 200);
        let (status, answer) = put(many(kind, 16)).await;
        assert_eq!((status, &answer["code"]), (400, &json!(30_032)), "{answer}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn a_user_is_resolved_with_the_membership() {
    let simulator = begin().await;
    let (control, world) = (simulator.control(), simulator.world());
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let guild = world.guilds()[0].id();
    let [asker, here, gone] = [1, 3, 4].map(|rank| world.member_id(guild, rank).unwrap());
    assert!(control.set_member_left(guild, gone, true));
    for (target, is_member) in [(here, true), (gone, false)] {
        let request = InteractionRequest::user_menu(guild, asker, "Warn", target);
        control.interact(&request).unwrap();
        let event = client.dispatch().await.data;
        let (id, data) = (target.to_string(), &event["data"]);
        assert_eq!((&event["type"], &data["type"]), (&json!(2), &json!(2)));
        assert_eq!((&data["name"], &data["target_id"]), (&json!("Warn"), &json!(id)));
        assert_eq!(event["member"]["user"]["id"], asker.to_string());
        let resolved = &data["resolved"];
        assert_eq!(resolved["users"][&id]["id"], id);
        assert_eq!(
            resolved["members"][&id]["roles"].is_array(),
            is_member,
            "{resolved}"
        );
        assert!(resolved["members"][&id]["user"].is_null());
    }
    simulator.stop().await;
}

#[tokio::test]
async fn a_message_is_resolved_as_it_is_in_its_channel() {
    let simulator = begin().await;
    let (control, world) = (simulator.control(), simulator.world());
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let guild = &world.guilds()[0];
    let [channel, other] = [0, 1].map(|at| guild.channels()[at].id);
    let [asker, author] = [1, 3].map(|rank| world.member_id(guild.id(), rank).unwrap());
    let file = json!({"attachments": [{"id": "7", "filename": "a.png", "size": 3, "url": "https://example.org/a.png"}]});
    let message = control.write_message(channel, author, "rude", &file).unwrap();
    let mut request = InteractionRequest::message_menu(guild.id(), asker, "Report", message);
    control.interact(&request).unwrap();
    let event = client.dispatch().await.data;
    assert_eq!(event["channel_id"], channel.to_string());
    let resolved = &event["data"]["resolved"]["messages"][message.to_string()];
    assert_eq!(resolved["author"]["id"], author.to_string());
    assert_eq!(
        (&resolved["content"], &resolved["channel_id"]),
        (&json!("rude"), &json!(channel.to_string()))
    );
    assert_eq!(resolved["attachments"], file["attachments"]);
    // In another channel there is no such message.
    request.channel_id = Some(other);
    control.interact(&request).unwrap();
    assert!(client.dispatch().await.data["data"]["resolved"].is_null());
    simulator.stop().await;
}
