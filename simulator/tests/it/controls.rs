//! The controls, in the library and over HTTP.

use std::time::Duration;

use discord_simulator::{Rate, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use super::{
    PATIENCE,
    client::{Client, MESSAGES},
    http::call,
    small, start,
};

#[tokio::test]
async fn the_rate_is_kept_and_full_speed_waits_for_the_reader() {
    let simulator = Simulator::start_on_own_thread(small()).await.unwrap();
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let started = tokio::time::Instant::now();
    control.set_rate(Rate::PerSecond(2_000.0));
    assert!(
        control
            .wait_until(|stats| stats.generated >= 1_000, PATIENCE)
            .await
    );
    control.pause();
    let taken = started.elapsed();
    assert!(
        taken >= Duration::from_millis(450),
        "1,000 events at 2,000 a second took {taken:?}"
    );
    let made = control.stats().generated;
    control.set_rate(Rate::Full);
    // Nobody reads now, so what the connection may hold is all that is made.
    assert!(
        control
            .wait_until(|stats| stats.generated > made + 1_000, PATIENCE)
            .await
    );
    let last = control.sessions()[0].last_seq;
    client.dispatches(last - client.seq).await;
    assert!(
        control
            .wait_until(|stats| stats.generated > made + 6_000, PATIENCE)
            .await
    );
    assert!(simulator.cpu_time().unwrap() > Duration::ZERO);
    simulator.stop().await;
}

#[tokio::test]
async fn full_speed_gives_a_disconnected_shard_nothing() {
    let simulator = start(SimulatorConfig {
        rate: Rate::Full,
        ..small()
    })
    .await;
    let control = simulator.control();
    let client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    drop(client);
    assert!(
        control
            .wait_until(|stats| stats.connections_open == 0, PATIENCE)
            .await
    );
    let made = control.stats().generated;
    let more = control.wait_until(|stats| stats.generated > made, Duration::from_millis(100));
    assert!(!more.await);
    assert_eq!(control.stats().missed, 0);
    simulator.stop().await;
}

#[tokio::test]
async fn nothing_happens_before_the_first_session() {
    let simulator = start(SimulatorConfig {
        shards: 2,
        rate: Rate::PerSecond(10_000.0),
        ..small()
    })
    .await;
    let control = simulator.control();
    control.generate(100);
    let made = control.wait_until(|stats| stats.generated > 0, Duration::from_millis(100));
    assert!(!made.await);
    control.pause();
    let mut client = Client::login(&simulator, 1 | 1 << 9, [1, 2]).await;
    assert!(control.wait_until(|stats| stats.generated >= 100, PATIENCE).await);
    let stats = control.stats();
    assert_eq!(
        (stats.missed, stats.generated),
        (0, 100),
        "the other shard's guilds are still silent"
    );
    let event = client.dispatch().await;
    assert_eq!(
        event.data["guild_id"]
            .as_str()
            .map(|id| (id.parse::<u64>().unwrap() >> 22) % 2),
        Some(1)
    );
    simulator.stop().await;
}

#[tokio::test]
async fn connections_end_as_told() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    assert_eq!(control.close(Some(0), 4321), 1);
    assert_eq!(client.closed().await, 4321);
    for abrupt in [
        |it: &discord_simulator::Control| it.reset(None),
        |it: &discord_simulator::Control| it.drop_connections(None),
    ] {
        let mut client = Client::resume(&simulator, &client.session_id, client.seq).await;
        client.dispatch().await;
        assert_eq!(abrupt(&control), 1);
        assert!(client.ends_abruptly().await);
    }
    control.refuse_connections(true);
    let host = simulator.gateway_url().trim_start_matches("ws://").to_owned();
    let refused = tokio_websockets::ClientBuilder::new()
        .uri(&format!("ws://{host}/?v=10"))
        .unwrap()
        .connect()
        .await;
    assert!(refused.is_err());
    control.refuse_connections(false);
    let mut client = Client::resume(&simulator, &client.session_id, client.seq).await;
    client.dispatch().await;
    simulator.stop().await;
    assert!(client.ends_abruptly().await, "stopping ends connections");
}

#[tokio::test]
async fn a_frozen_connection_goes_on_after_it_thaws() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    assert_eq!(control.freeze(None, true), 1);
    client.send(&json!({"op": 1, "d": null})).await;
    control.generate(100);
    assert!(control.wait_until(|stats| stats.generated == 100, PATIENCE).await);
    let heard = control.wait_until(|stats| stats.heartbeats > 0, Duration::from_millis(50));
    assert!(!heard.await);
    assert!(!control.drained());
    control.freeze(None, false);
    client.op(11).await;
    assert!(control.wait_drained(PATIENCE).await);
    simulator.stop().await;
}

#[tokio::test]
async fn everything_can_be_done_over_http() {
    let simulator = start(small()).await;
    let base = simulator.rest_url();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let get = async |path: &str| call(&base, "GET", path, None).await.json();
    let post = async |path: &str, body: Value| call(&base, "POST", path, Some(body)).await;
    assert_eq!(
        post("/simulator/generate", json!({"events": 300})).await.status,
        204
    );
    assert!(simulator.control().wait_drained(PATIENCE).await);
    assert_eq!(get("/simulator/drained").await, true);
    let stats = get("/simulator/stats").await;
    assert_eq!(stats["generated"], 300);
    assert!(stats["delivered_by_type"]["MESSAGE_CREATE"].as_u64().unwrap() > 200);
    let session = get("/simulator/sessions").await[0].clone();
    assert_eq!(
        (session["id"].as_str(), session["connected"].as_bool()),
        (Some(client.session_id.as_str()), Some(true))
    );
    let world = get("/simulator/world").await;
    assert_eq!(
        world["guilds"][0]["id"],
        simulator.world().guilds()[0].id().to_string()
    );
    assert!(world["guilds"][0]["busiest_members"][0]["name"].is_string());

    for (path, body) in [
        ("/simulator/rate", json!({"per_second": 10.5})),
        ("/simulator/rate", json!({"full": true})),
        ("/simulator/pause", json!({})),
        ("/simulator/time", json!({"scale": 2.0, "advance_ms": 1_000})),
        (
            "/simulator/gateway",
            json!({"session_ttl_ms": 5_000, "heartbeat_prunes": true, "acks": {"late_ms": 5}}),
        ),
        (
            "/simulator/gateway",
            json!({"acks": "prompt", "lost_session_close": 4009}),
        ),
        (
            "/simulator/rest",
            json!({"enforce": false, "message_requests": 9}),
        ),
        (
            "/simulator/faults",
            json!({"route": "*", "count": 1, "kind": {"status": 502}}),
        ),
        (
            "/simulator/faults",
            json!({"route": "*", "kind": {"rate_limit": {"scope": "global", "retry_after": 1.5}}}),
        ),
        ("/simulator/faults", json!({"route": "*", "delay_ms": 5})),
        ("/simulator/dispatch", json!({"event": "NEWS", "data": {"x": 1}})),
    ] {
        let answer = post(path, body.clone()).await;
        assert_eq!(answer.status, 204, "{path} {body}: {}", answer.text);
    }
    let rules = simulator.control().gateway_rules();
    assert_eq!(
        (rules.session_ttl, rules.heartbeat_prunes),
        (Duration::from_secs(5), true)
    );
    assert_eq!(call(&base, "GET", "/api/v10/gateway", None).await.status, 502);
    assert_eq!(call(&base, "GET", "/api/v10/gateway", None).await.status, 429);
    assert_eq!(call(&base, "DELETE", "/simulator/faults", None).await.status, 204);
    assert_eq!(call(&base, "GET", "/api/v10/gateway", None).await.status, 200);
    assert_eq!(
        get("/simulator/calls?route=GET%20/gateway")
            .await
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        post("/simulator/rate", json!({"per_sekond": 1})).await.status,
        422
    );

    while client.dispatch().await.event != "NEWS" {}
    simulator.stop().await;
}

#[tokio::test]
async fn interactions_and_the_oracle_can_be_used_over_http() {
    let simulator = start(small()).await;
    let base = simulator.rest_url();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let get = async |path: &str| call(&base, "GET", path, None).await.json();
    let post = async |path: &str, body: Value| call(&base, "POST", path, Some(body)).await;
    simulator.control().generate(500);
    assert!(simulator.control().wait_drained(PATIENCE).await);
    let guild = simulator.world().guilds()[0].id();
    let user = simulator.world().member_id(guild, 0).unwrap();
    let body = json!({
        "guild_id": guild.to_string(), "user_id": user.to_string(), "type": 2, "data": {"type": 1, "name": "rank"},
    });
    let id = post("/simulator/interactions", body).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    while client.dispatch().await.event != "INTERACTION_CREATE" {}
    assert_eq!(
        get(&format!("/simulator/interactions/{id}")).await["callback"],
        Value::Null
    );

    let rows: Vec<Value> = simulator
        .oracle()
        .expected()
        .into_iter()
        .map(|((guild_id, user_id), state)| {
            json!({
                "guild_id": guild_id, "user_id": user_id, "xp": state.xp, "message_count": state.message_count,
                "last_award_ms": state.last_award_ms,
            })
        })
        .collect();
    let report = post("/simulator/compare", json!({"rows": rows})).await.json();
    assert_eq!(
        (report["lost"].as_u64(), report["xp_mismatches"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(
        call(
            &base,
            "POST",
            "/simulator/connections/close?shard=0&code=4008",
            None
        )
        .await
        .json()["connections"],
        1
    );
    assert_eq!(client.closed().await, 4008);
    simulator.stop().await;
}
