//! Timeouts, kicks and bans by REST, and what an interaction tells of the members that it names.

use discord_simulator::{InteractionRequest, RestRules, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use super::{
    client::{Client, MESSAGES},
    http::call,
    small, start,
};

const KICK: u64 = 1 << 1;
const BAN: u64 = 1 << 2;
const MANAGE_SERVER: u64 = 1 << 5;
const SEE_AUDIT_LOG: u64 = 1 << 7;
const MODERATE: u64 = 1 << 40;
/// The events of bans and of the audit log.
const MODERATION: u64 = 1 << 2;
const ADMINISTRATOR: u64 = 1 << 3;

async fn begin() -> Simulator {
    let rest = RestRules {
        enforce: false,
        ..RestRules::default()
    };
    start(SimulatorConfig { rest, ..small() }).await
}

fn ids(simulator: &Simulator, rank: u32) -> (u64, u64) {
    let guild = simulator.world().guilds()[0].id();
    (guild, simulator.world().member_id(guild, rank).unwrap())
}

async fn time_out(simulator: &Simulator, rank: u32, until: Value) -> (u16, u64) {
    let (guild, user) = ids(simulator, rank);
    let path = format!("/api/v10/guilds/{guild}/members/{user}");
    let body = json!({"communication_disabled_until": until});
    let answer = call(&simulator.rest_url(), "PATCH", &path, Some(body)).await;
    (answer.status, answer.json()["code"].as_u64().unwrap_or(0))
}

#[tokio::test]
async fn a_timeout_needs_the_permission_and_a_time_that_is_near() {
    let simulator = begin().await;
    let control = simulator.control();
    let (guild, user) = ids(&simulator, 3);
    // The world begins on 2026-09-21 by its clock.
    let soon = json!("2026-09-25T00:00:00.000000+00:00");
    assert_eq!(time_out(&simulator, 3, soon.clone()).await, (403, 50_013));
    assert!(control.set_bot_permissions(guild, MODERATE));
    assert_eq!(
        time_out(&simulator, 0, soon.clone()).await,
        (403, 50_013),
        "the owner"
    );
    assert_eq!(time_out(&simulator, 3, soon.clone()).await, (200, 0));
    assert_eq!(control.timeout_of(guild, user).as_deref(), soon.as_str());
    for bad in [
        json!("2026-12-24T00:00:00+00:00"),
        json!("tomorrow"),
        json!(1_790_000_000),
    ] {
        assert_eq!(time_out(&simulator, 3, bad.clone()).await, (400, 50_035), "{bad}");
    }
    assert_eq!(time_out(&simulator, 3, Value::Null).await, (200, 0));
    assert_eq!(control.timeout_of(guild, user), None);
    let high = control.create_role(guild, "high", 900).unwrap();
    assert!(control.set_member_roles(guild, user, &[high]));
    assert_eq!(
        time_out(&simulator, 3, soon.clone()).await,
        (403, 50_013),
        "above the bot"
    );
    let low = control.create_role(guild, "low", 1).unwrap();
    assert!(control.set_role_permissions(guild, low, ADMINISTRATOR));
    assert!(control.set_member_roles(guild, user, &[low]));
    assert_eq!(
        time_out(&simulator, 3, soon).await,
        (403, 50_013),
        "an administrator"
    );
    simulator.stop().await;
}

#[tokio::test]
async fn kicks_and_bans_end_a_membership() {
    let simulator = begin().await;
    let (base, control) = (simulator.rest_url(), simulator.control());
    let (guild, user) = ids(&simulator, 3);
    let (_, other) = ids(&simulator, 4);
    let member = format!("/api/v10/guilds/{guild}/members/{user}");
    let ban = format!("/api/v10/guilds/{guild}/bans/{other}");
    assert_eq!(call(&base, "DELETE", &member, None).await.status, 403);
    assert_eq!(
        call(&base, "PUT", &ban, Some(json!({}))).await.json()["code"],
        50_013
    );
    assert!(control.set_bot_permissions(guild, KICK | BAN));
    assert_eq!(call(&base, "DELETE", &member, None).await.status, 204);
    assert_eq!(call(&base, "DELETE", &member, None).await.json()["code"], 10_007);
    assert_eq!(control.has_left(guild, user), Some(true));
    let too_long = json!({"delete_message_seconds": 604_801});
    assert_eq!(call(&base, "PUT", &ban, Some(too_long)).await.status, 400);
    for _ in 0..2 {
        assert_eq!(call(&base, "PUT", &ban, Some(json!({}))).await.status, 204);
    }
    assert!(control.is_banned(guild, other));
    assert_eq!(control.has_left(guild, other), Some(true));
    assert_eq!(
        call(&base, "GET", &ban, None).await.json()["user"]["id"],
        other.to_string()
    );
    assert_eq!(call(&base, "DELETE", &ban, None).await.status, 204);
    assert_eq!(call(&base, "GET", &ban, None).await.json()["code"], 10_026);
    simulator.stop().await;
}

#[tokio::test]
async fn a_bulk_ban_names_those_who_were_not_banned() {
    let simulator = begin().await;
    let (base, control) = (simulator.rest_url(), simulator.control());
    let guild = simulator.world().guilds()[0].id();
    let path = format!("/api/v10/guilds/{guild}/bulk-ban");
    let ban = async |body: Value| {
        let answer = call(&base, "POST", &path, Some(body)).await;
        (answer.status, answer.json())
    };
    let user = |rank| ids(&simulator, rank).1;
    let users = |ids: &[u64]| json!({"user_ids": ids.iter().map(u64::to_string).collect::<Vec<_>>()});
    // Both permissions are needed.
    for permissions in [0, BAN, MANAGE_SERVER] {
        assert!(control.set_bot_permissions(guild, permissions));
        let (status, answer) = ban(users(&[user(3)])).await;
        assert_eq!((status, &answer["code"]), (403, &json!(50_013)), "{permissions}");
    }
    assert!(control.set_bot_permissions(guild, BAN | MANAGE_SERVER | SEE_AUDIT_LOG));
    let many: Vec<u64> = (1..=201).collect();
    let mut too_long = users(&[user(3)]);
    too_long["delete_message_seconds"] = 604_801.into();
    for (bad, field) in [
        (users(&[]), "user_ids"),
        (users(&many), "user_ids"),
        (json!({}), "user_ids"),
        (too_long, "delete_message_seconds"),
    ] {
        let (status, answer) = ban(bad).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50_035)), "{answer}");
        assert!(answer["errors"][field]["_errors"].is_array(), "{answer}");
    }
    assert!(!control.is_banned(guild, user(3)));

    let mut client = Client::login(&simulator, MESSAGES | MODERATION, [0, 1]).await;
    let high = control.create_role(guild, "high", 900).unwrap();
    assert!(control.set_member_roles(guild, user(4), &[high]));
    assert!(control.set_banned(guild, user(5), true));
    assert!(control.set_member_left(guild, user(6), true));
    let unknown = 100_000_000_000_000_017;
    let asked = [user(3), user(0), user(4), user(5), unknown, user(6)];
    let (status, answer) = ban(users(&asked)).await;
    assert_eq!(status, 200, "{answer}");
    let texts = |ids: &[u64]| -> Value { ids.iter().map(u64::to_string).collect() };
    assert_eq!(answer["banned_users"], texts(&[user(3), user(6)]));
    assert_eq!(
        answer["failed_users"],
        texts(&[user(0), user(4), user(5), unknown])
    );
    assert!(control.is_banned(guild, user(3)) && control.is_banned(guild, user(6)));
    assert!(!control.is_banned(guild, user(0)) && !control.is_banned(guild, user(4)));
    assert_eq!(control.has_left(guild, user(3)), Some(true));
    let before = user(5).to_string();
    let mut told = Vec::new();
    while told.len() < 2 {
        let event = client.dispatch().await;
        if event.event == "GUILD_BAN_ADD" && event.data["user"]["id"] != before {
            told.push(event.data["user"]["id"].clone());
        }
    }
    assert_eq!(Value::from(told), texts(&[user(3), user(6)]), "each once");
    // All of them are banned already.
    let (status, answer) = ban(users(&[user(3), user(6)])).await;
    assert_eq!((status, &answer["code"]), (400, &json!(500_000)), "{answer}");
    simulator.stop().await;
}

#[tokio::test]
async fn named_members_are_resolved_and_interactions_repeat() {
    let simulator = begin().await;
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let (guild, asker) = ids(&simulator, 1);
    let (_, here) = ids(&simulator, 3);
    let (_, gone) = ids(&simulator, 4);
    assert!(control.set_member_left(guild, gone, true));
    let member = |name: &str, id: u64| json!({"name": name, "type": 6, "value": id.to_string()});
    let options = json!([{"name": "sub", "type": 1, "options": [member("a", here), member("b", gone)]}]);
    let request = InteractionRequest::command(guild, asker, "x", &options);
    let id = control.interact(&request).unwrap();
    let first = client.dispatch().await.data;
    let resolved = &first["data"]["resolved"];
    assert_eq!(resolved["users"][here.to_string()]["id"], here.to_string());
    assert!(resolved["members"][here.to_string()]["roles"].is_array());
    assert!(resolved["members"][here.to_string()]["user"].is_null());
    assert!(resolved["users"][gone.to_string()].is_object());
    assert!(resolved["members"][gone.to_string()].is_null());
    assert!(control.interact_again(id) && !control.interact_again(1));
    assert_eq!(client.dispatch().await.data, first);
    simulator.stop().await;
}
