//! Permission overwrites, slow mode and the deletion of messages by REST, as Discord limits them.

use std::time::Duration;

use discord_simulator::{Overwrite, RestRules, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use super::{http::call, small, start};

const MANAGE_CHANNELS: u64 = 1 << 4;
const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;
const MANAGE_MESSAGES: u64 = 1 << 13;
const MANAGE_ROLES: u64 = 1 << 28;
const CREATE_PUBLIC_THREADS: u64 = 1 << 35;

async fn begin() -> Simulator {
    let rest = RestRules {
        enforce: false,
        ..RestRules::default()
    };
    start(SimulatorConfig { rest, ..small() }).await
}

/// Status and Discord's code; 0 where there is none.
async fn outcome(simulator: &Simulator, method: &str, path: &str, body: Option<Value>) -> (u16, u64) {
    let path = format!("/api/v10/channels/{path}");
    let answer = call(&simulator.rest_url(), method, &path, body).await;
    (answer.status, answer.json()["code"].as_u64().unwrap_or(0))
}

#[tokio::test]
async fn an_overwrite_is_of_what_the_bot_has_itself() {
    let simulator = begin().await;
    let (control, guild) = (simulator.control(), &simulator.world().guilds()[0]);
    let (channel, everyone) = (guild.channels()[0].id, guild.id());
    let path = format!("{channel}/permissions/{everyone}");
    let deny = |bits: u64| Some(json!({"type": 0, "allow": "0", "deny": bits.to_string()}));
    assert_eq!(outcome(&simulator, "DELETE", &path, None).await, (404, 10_009));
    assert_eq!(
        outcome(&simulator, "PUT", &path, deny(SEND_MESSAGES)).await,
        (204, 0)
    );
    let written = Overwrite {
        id: everyone,
        kind: 0,
        allow: 0,
        deny: SEND_MESSAGES,
    };
    assert_eq!(control.overwrites_of(channel), [written]);
    assert_eq!(
        outcome(
            &simulator,
            "PUT",
            &path,
            deny(SEND_MESSAGES | CREATE_PUBLIC_THREADS)
        )
        .await,
        (403, 50_013)
    );
    assert_eq!(
        outcome(&simulator, "PUT", &path, Some(json!({"deny": "2048"}))).await,
        (400, 50_035)
    );
    let unknown = format!("{channel}/permissions/1");
    assert_eq!(
        outcome(&simulator, "PUT", &unknown, deny(2_048)).await,
        (404, 10_009)
    );
    assert_eq!(outcome(&simulator, "DELETE", &path, None).await, (204, 0));
    assert!(control.overwrites_of(channel).is_empty());
    assert!(control.set_bot_permissions(guild.id(), VIEW_CHANNEL));
    assert_eq!(
        outcome(&simulator, "PUT", &path, deny(2_048)).await,
        (403, 50_013)
    );
    simulator.stop().await;
}

#[tokio::test]
async fn channels_that_are_synced_follow_their_category() {
    let simulator = begin().await;
    let (control, guild) = (simulator.control(), &simulator.world().guilds()[0]);
    let [category, synced, apart] = [0, 1, 2].map(|at| guild.channels()[at].id);
    assert!(control.set_channel_kind(category, 4));
    for channel in [synced, apart] {
        assert!(control.move_channel(channel, Some(category)));
    }
    assert!(control.deny_in_channel(apart, MANAGE_ROLES));
    let path = format!("{category}/permissions/{}", guild.id());
    let body = json!({"type": 0, "deny": SEND_MESSAGES.to_string()});
    assert_eq!(outcome(&simulator, "PUT", &path, Some(body)).await, (204, 0));
    assert_eq!(control.overwrites_of(synced), control.overwrites_of(category));
    assert_eq!(control.overwrites_of(apart)[0].deny, MANAGE_ROLES);
    simulator.stop().await;
}

#[tokio::test]
async fn slow_mode_has_a_longest_time() {
    let simulator = begin().await;
    let (control, guild) = (simulator.control(), &simulator.world().guilds()[0]);
    let path = guild.channels()[0].id.to_string();
    let body = |seconds: u64| Some(json!({"rate_limit_per_user": seconds}));
    assert_eq!(outcome(&simulator, "PATCH", &path, body(5)).await, (403, 50_013));
    assert!(control.set_bot_permissions(guild.id(), VIEW_CHANNEL | MANAGE_CHANNELS));
    assert_eq!(
        outcome(&simulator, "PATCH", &path, body(21_601)).await,
        (400, 50_035)
    );
    assert_eq!(outcome(&simulator, "PATCH", &path, body(21_600)).await, (200, 0));
    assert_eq!(control.slowmode_of(guild.channels()[0].id), Some(21_600));
    simulator.stop().await;
}

#[tokio::test]
async fn messages_are_deleted_in_bulk_for_two_weeks() {
    let simulator = begin().await;
    let (control, guild) = (simulator.control(), &simulator.world().guilds()[0]);
    let channel = guild.channels()[0].id;
    let user = simulator.world().member_id(guild.id(), 3).unwrap();
    let write = || control.write_message(channel, user, "hello", &json!({})).unwrap();
    let old = write();
    control.advance_time(Duration::from_hours(24 * 15));
    let [first, second, third] = [write(), write(), write()];
    let path = format!("{channel}/messages/bulk-delete");
    let of = |ids: &[u64]| {
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        Some(json!({"messages": ids}))
    };
    let bulk = async |ids: &[u64]| outcome(&simulator, "POST", &path, of(ids)).await;
    assert_eq!(bulk(&[first, second]).await, (403, 50_013));
    assert!(control.set_bot_permissions(guild.id(), VIEW_CHANNEL | MANAGE_MESSAGES));
    assert_eq!(bulk(&[first]).await, (400, 50_016));
    assert_eq!(bulk(&[first, first]).await, (400, 50_035));
    assert_eq!(bulk(&[first, old]).await, (400, 50_034));
    assert_eq!(bulk(&[first, second]).await, (204, 0));
    assert_eq!(control.written_messages(channel), [old, third]);
    let single = format!("{channel}/messages/{old}");
    assert_eq!(outcome(&simulator, "DELETE", &single, None).await, (204, 0));
    assert_eq!(outcome(&simulator, "DELETE", &single, None).await, (404, 10_008));
    simulator.stop().await;
}
