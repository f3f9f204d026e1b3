//! Interactions, from the dispatch to the follow-up.

use discord_simulator::{InteractionRequest, RestRules, SimulatorConfig};
use serde_json::{Value, json};

use super::{
    PATIENCE,
    client::{Client, MESSAGES},
    http::call_as,
    small, start,
};

fn config() -> SimulatorConfig {
    SimulatorConfig {
        rest: RestRules {
            enforce: false,
            ..RestRules::default()
        },
        ..small()
    }
}

fn callback(event: &Value) -> String {
    format!(
        "/api/v10/interactions/{}/{}/callback",
        event["id"].as_str().unwrap(),
        event["token"].as_str().unwrap()
    )
}

#[tokio::test]
async fn a_command_is_answered_once() {
    let simulator = start(config()).await;
    let (base, control, world) = (simulator.rest_url(), simulator.control(), simulator.world());
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let guild = world.guilds()[0].id();
    let user = world.member_id(guild, 3).unwrap();
    let options = json!([{"name": "member", "type": 6, "value": user.to_string()}]);
    let id = control
        .interact(&InteractionRequest::command(guild, user, "rank", &options))
        .unwrap();
    let event = client.dispatch().await;
    assert_eq!(
        (event.event.as_str(), &event.data["type"]),
        ("INTERACTION_CREATE", &json!(2))
    );
    assert_eq!(event.data["id"], id.to_string());
    assert_eq!(event.data["data"]["options"], options);
    assert_eq!(event.data["member"]["user"]["id"], user.to_string());

    let answer = json!({"type": 4, "data": {"content": "Level 3"}});
    let path = callback(&event.data);
    assert_eq!(
        call_as(&base, "POST", &path, Some(answer.clone()), None)
            .await
            .status,
        204
    );
    let again = call_as(&base, "POST", &path, Some(answer), None).await;
    assert_eq!((again.status, again.json()["code"].as_u64()), (400, Some(40_060)));
    let state = control.interaction(id).unwrap();
    assert_eq!(state.reply().unwrap()["content"], "Level 3");
    assert_eq!(state.refused_callbacks, 1);
    assert!(state.answered_after_ms.unwrap() < 3_000);
    let wrong = path.replace("/callback", "x/callback");
    assert_eq!(
        call_as(&base, "POST", &wrong, Some(json!({"type": 5})), None)
            .await
            .json()["code"],
        10_062
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_deferred_answer_is_awaited() {
    let simulator = start(config()).await;
    let (base, control, world) = (simulator.rest_url(), simulator.control(), simulator.world());
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let guild = world.guilds()[1].id();
    let user = world.member_id(guild, 0).unwrap();
    let asked = InteractionRequest::command(guild, user, "leaderboard", &Value::Null);
    let answering = async {
        let event = client.dispatch().await;
        let deferred = call_as(
            &base,
            "POST",
            &format!("{}?with_response=true", callback(&event.data)),
            Some(json!({"type": 5})),
            None,
        )
        .await;
        assert_eq!(deferred.status, 200);
        assert_eq!(deferred.json()["interaction"]["response_message_loading"], true);
        let webhook = format!(
            "/api/v10/webhooks/{}/{}",
            world.bot_id(),
            event.data["token"].as_str().unwrap()
        );
        let original = format!("{webhook}/messages/@original");
        let edited = call_as(
            &base,
            "PATCH",
            &original,
            Some(json!({"content": "1. Mira"})),
            None,
        )
        .await;
        assert_eq!(
            (edited.status, &edited.json()["content"]),
            (200, &json!("1. Mira"))
        );
        // A file is added, and goes with an edit that names no attachment.
        let with_file = json!({"_files": [{"name": "card.png", "size": 3}]});
        let edited = call_as(&base, "PATCH", &original, Some(with_file), None).await;
        assert_eq!(edited.json()["attachments"][0]["filename"], "card.png");
        let without = json!({"attachments": []});
        let edited = call_as(&base, "PATCH", &original, Some(without), None).await;
        assert_eq!(
            (&edited.json()["attachments"], &edited.json()["content"]),
            (&json!([]), &json!("1. Mira"))
        );
        (webhook, original)
    };
    let (state, (webhook, original)) = tokio::join!(control.ask(&asked, PATIENCE), answering);
    let state = state.expect("the answer came");
    assert_eq!(state.reply().unwrap()["content"], "1. Mira");
    let more = call_as(
        &base,
        "POST",
        &webhook,
        Some(json!({"content": "and more"})),
        None,
    )
    .await;
    assert_eq!(more.status, 200);
    assert_eq!(control.interaction(state.id).unwrap().follow_ups.len(), 1);
    assert_eq!(call_as(&base, "DELETE", &original, None, None).await.status, 204);
    assert_eq!(
        call_as(&base, "GET", &original, None, None).await.json()["code"],
        10_008
    );
    let unknown = format!("/api/v10/webhooks/{}/nothing/messages/@original", world.bot_id());
    assert_eq!(
        call_as(&base, "GET", &unknown, None, None).await.json()["code"],
        50_027
    );
    simulator.stop().await;
}

#[tokio::test]
async fn the_other_kinds_have_their_data() {
    let simulator = start(config()).await;
    let (control, world) = (simulator.control(), simulator.world());
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let guild = world.guilds()[0].id();
    let user = world.member_id(guild, 1).unwrap();
    let message = json!({"id": "1234567890123456789", "content": "page 1"});
    let focused = json!([{"name": "q", "type": 3, "value": "mi", "focused": true}]);
    for request in [
        InteractionRequest::component(guild, user, "next", &[], message.clone()),
        InteractionRequest::component(guild, user, "menu", &["a", "b"], message),
        InteractionRequest::autocomplete(guild, user, "rank", &focused),
        InteractionRequest::modal(guild, user, "form", &json!([])),
    ] {
        assert!(control.interact(&request).is_some());
        let event = client.dispatch().await.data;
        assert_eq!(event["type"], request.kind);
        assert_eq!(event["data"]["custom_id"], request.data["custom_id"]);
        assert_eq!(event["data"]["values"], request.data["values"]);
        assert_eq!(event["message"], request.message.unwrap_or(Value::Null));
    }
    assert_eq!(
        control.interact(&InteractionRequest::modal(guild, 1, "form", &json!([]))),
        None
    );
    simulator.stop().await;
}
