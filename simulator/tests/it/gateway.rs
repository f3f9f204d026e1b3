//! Login, close codes, heartbeats, events.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use discord_simulator::{
    GatewayRules, HeartbeatAcks, INTENT_MESSAGE_CONTENT, RestRules, SimulatorConfig, Traffic,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    PATIENCE,
    client::{Came, Client, Dispatch, MESSAGES},
    http::call,
    rules, small, start,
};

#[tokio::test]
async fn login_gives_ready_and_the_guilds_of_the_shard() {
    let simulator = start(SimulatorConfig { shards: 2, ..small() }).await;
    let mut guilds = BTreeSet::new();
    for shard in 0..2_u32 {
        let mut client = Client::connect(&simulator).await;
        client.identify(MESSAGES, [shard, 2]).await;
        let all = client.ready().await;
        let ready = &all[0].data;
        assert_eq!(ready["v"], 10);
        assert_eq!(ready["shard"], json!([shard, 2]));
        assert_eq!(ready["resume_gateway_url"], simulator.gateway_url());
        assert_eq!(ready["user"]["bot"], true);
        assert_eq!(ready["application"]["id"], ready["user"]["id"]);
        for (stub, create) in ready["guilds"].as_array().unwrap().iter().zip(&all[1..]) {
            assert_eq!(stub["unavailable"], true);
            assert_eq!(
                (create.event.as_str(), &create.data["id"]),
                ("GUILD_CREATE", &stub["id"])
            );
            let id: u64 = create.data["id"].as_str().unwrap().parse().unwrap();
            assert_eq!((id >> 22) % 2, u64::from(shard));
            assert!(guilds.insert(id));
            assert!(create.data["member_count"].as_u64().unwrap() > 3);
            assert!(!create.data["channels"].as_array().unwrap().is_empty());
            assert_eq!(create.data["roles"][0]["id"], create.data["id"]);
        }
    }
    assert_eq!(guilds.len(), 8);
    simulator.stop().await;
}

/// The last messages are those before the session, also the ones that nobody was there for, and REST has all of them.
#[tokio::test]
async fn a_guild_tells_the_last_message_of_each_channel() {
    let rest = RestRules {
        enforce: false,
        ..RestRules::default()
    };
    let simulator = start(SimulatorConfig { rest, ..small() }).await;
    let control = simulator.control();
    let mut client = Client::connect(&simulator).await;
    client.identify(MESSAGES, [0, 1]).await;
    let ids = |all: &[Dispatch]| -> BTreeMap<u64, u64> {
        all[1..]
            .iter()
            .flat_map(|guild| guild.data["channels"].as_array().unwrap())
            .filter_map(|channel| {
                let id = |name: &str| channel[name].as_str()?.parse().ok();
                Some((id("id")?, id("last_message_id")?))
            })
            .collect()
    };
    assert_eq!(
        ids(&client.ready().await),
        BTreeMap::new(),
        "nobody has written yet"
    );
    control.generate(300);
    assert!(control.wait_until(|stats| stats.generated == 300, PATIENCE).await);
    control.kill_sessions(None);
    control.generate(2_000);
    assert!(
        control
            .wait_until(|stats| stats.generated == 2_300, PATIENCE)
            .await
    );
    let mut client = Client::connect(&simulator).await;
    client.identify(MESSAGES, [0, 1]).await;
    let newest = ids(&client.ready().await);
    assert!(newest.len() > 10);
    let mut messages = 0;
    for (channel, newest) in newest {
        let mut after = 0;
        while after < newest {
            let path = format!("/api/v10/channels/{channel}/messages?limit=100&after={after}");
            let page = call(&simulator.rest_url(), "GET", &path, None).await.json();
            let found: Vec<u64> = page
                .as_array()
                .unwrap()
                .iter()
                .rev()
                .map(|message| message["id"].as_str().unwrap().parse().unwrap())
                .collect();
            assert!(found.is_sorted() && found[0] > after, "{found:?}");
            messages += found.iter().filter(|id| **id <= newest).count();
            after = *found.last().unwrap();
        }
    }
    assert_eq!(control.stats().missed, 2_000);
    // Nine of ten events are messages, and a few of those are direct ones.
    assert!((1_900..2_200).contains(&messages), "{messages}");
    simulator.stop().await;
}

#[tokio::test]
async fn the_envelope_has_its_data_last() {
    let simulator = start(small()).await;
    let mut client = Client::connect(&simulator).await;
    client.identify(MESSAGES, [0, 1]).await;
    simulator.control().generate(20);
    for seq in 1..=20 {
        let Came::Text(text) = client.came().await else {
            panic!("a dispatch should have come")
        };
        let event = serde_json::from_str::<Value>(&text).unwrap()["t"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            text.starts_with(&format!("{{\"t\":\"{event}\",\"s\":{seq},\"op\":0,\"d\":")),
            "{text}"
        );
    }
    simulator.stop().await;
}

#[tokio::test]
async fn misuse_is_closed_with_the_documented_codes() {
    let gateway = GatewayRules {
        privileged_intents: 0,
        guilds_per_shard: 5,
        ..rules()
    };
    let simulator = start(SimulatorConfig {
        shards: 2,
        gateway,
        ..small()
    })
    .await;
    let identify = |token: &str, intents: u64, shard: Value| {
        json!({"op": 2, "d": {"token": token, "intents": intents, "shard": shard, "properties": {}}})
            .to_string()
    };
    let shard = json!([0, 2]);
    for (text, code) in [
        (json!({"op": 77, "d": null}).to_string(), 4001),
        ("not json".to_owned(), 4002),
        (json!({"op": 3, "d": "x".repeat(4_096)}).to_string(), 4002),
        (json!({"op": 3, "d": {}}).to_string(), 4003),
        (identify("wrong", 1, shard.clone()), 4004),
        (identify("sim-token", 1, json!([2, 2])), 4010),
        (identify("sim-token", 1, json!([0, 0])), 4010),
        (identify("sim-token", 1, json!([0])), 4010),
        (identify("sim-token", 1, json!([0, 1])), 4011),
        (identify("sim-token", 1 << 40, shard.clone()), 4013),
        (
            identify("sim-token", 1 | INTENT_MESSAGE_CONTENT, shard.clone()),
            4014,
        ),
        (
            json!({"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 1}}).to_string(),
            4004,
        ),
    ] {
        let mut client = Client::connect(&simulator).await;
        client.send_text(text.clone()).await;
        assert_eq!(client.closed().await, code, "{text}");
    }
    let mut client = Client::login(&simulator, 1, [0, 2]).await;
    client.send_text(identify("sim-token", 1, shard)).await;
    assert_eq!(client.closed().await, 4005);
    let mut client = Client::open(&simulator, "?v=9&encoding=json").await;
    assert_eq!(client.closed().await, 4012);
    let mut client = Client::connect(&simulator).await;
    for _ in 0..121 {
        client.send(&json!({"op": 1, "d": null})).await;
    }
    assert_eq!(client.closed().await, 4008);
    let closes = simulator.control().stats().server_closes;
    assert_eq!((closes[&4002], closes[&4004], closes[&4010]), (2, 2, 3));
    simulator.stop().await;
}

#[tokio::test]
async fn other_encodings_are_refused_before_the_upgrade() {
    let simulator = start(small()).await;
    for query in ["?v=10&encoding=etf", "?v=10&encoding=json&compress=brotli"] {
        let mut stream = TcpStream::connect(simulator.gateway_url().trim_start_matches("ws://"))
            .await
            .unwrap();
        let request = format!(
            "GET /{query} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn heartbeats_are_acknowledged_late_or_never_as_told() {
    let simulator = start(small()).await;
    let control = simulator.control();
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let beat = json!({"op": 1, "d": 3});
    client.send(&beat).await;
    client.op(11).await;
    assert_eq!(control.ask_heartbeat(None), 1);
    client.op(1).await;

    control.set_heartbeat_acks(HeartbeatAcks::Late(Duration::from_millis(80)));
    let asked = tokio::time::Instant::now();
    client.send(&beat).await;
    client.op(11).await;
    assert!(asked.elapsed() >= Duration::from_millis(80));

    control.set_heartbeat_acks(HeartbeatAcks::Never);
    client.send(&beat).await;
    assert!(control.wait_until(|stats| stats.heartbeats == 3, PATIENCE).await);
    assert_eq!(control.stats().heartbeat_acks, 2);
    simulator.stop().await;
}

#[tokio::test]
async fn a_client_without_heartbeats_is_cut_off() {
    for (zombie_close, abrupt) in [(Some(4009), false), (None, true)] {
        let gateway = GatewayRules {
            heartbeat_interval: Duration::from_millis(60),
            zombie_close,
            ..rules()
        };
        let simulator = start(SimulatorConfig { gateway, ..small() }).await;
        let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
        assert_eq!(client.ends_abruptly().await, abrupt);
        // The session outlives it.
        assert!(simulator.control().sessions()[0].alive);
        simulator.stop().await;
    }
}

#[tokio::test]
async fn events_follow_the_intents() {
    let traffic = Traffic {
        other: 0.5,
        direct: 0.2,
        ..Traffic::default()
    };
    let simulator = start(SimulatorConfig { traffic, ..small() }).await;
    let everything = 0b11_0011_0001_1111_1111_1111_1111;
    let mut all = Client::login(&simulator, everything, [0, 1]).await;
    let mut few = Client::login(&simulator, 1 | 1 << 9, [0, 1]).await;
    let control = simulator.control();
    control.generate(2_000);
    let names = |events: &[Dispatch]| -> BTreeSet<String> {
        events.iter().map(|event| event.event.clone()).collect()
    };
    let events = all.dispatches(2_000).await;
    let expected = [
        "CHANNEL_UPDATE",
        "GUILD_MEMBER_UPDATE",
        "MESSAGE_CREATE",
        "MESSAGE_DELETE",
        "MESSAGE_REACTION_ADD",
        "MESSAGE_UPDATE",
        "PRESENCE_UPDATE",
        "TYPING_START",
    ];
    assert_eq!(names(&events), expected.map(str::to_owned).into());
    assert!(
        events
            .iter()
            .any(|event| event.event == "MESSAGE_CREATE" && event.data["guild_id"].is_null())
    );
    assert!(events.iter().any(|event| {
        event.data["content"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    }));

    let count = control.sessions()[1].last_seq - few.seq;
    let seen = few.dispatches(count).await;
    let expected = [
        "CHANNEL_UPDATE",
        "MESSAGE_CREATE",
        "MESSAGE_DELETE",
        "MESSAGE_UPDATE",
    ];
    assert_eq!(names(&seen), expected.map(str::to_owned).into());
    for event in seen.iter().filter(|event| event.event == "MESSAGE_CREATE") {
        assert_eq!(event.data["content"], "");
        assert!(event.data["guild_id"].is_string());
    }
    simulator.stop().await;
}

#[tokio::test]
async fn messages_are_of_the_kinds_that_discord_has() {
    let simulator = start(SimulatorConfig {
        traffic: Traffic {
            other: 0.0,
            webhooks: 0.1,
            system: 0.1,
            ..Traffic::default()
        },
        ..small()
    })
    .await;
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    simulator.control().generate(3_000);
    let (mut last_id, mut same_millisecond, mut bytes) = (0, 0, 0);
    let mut kinds = BTreeMap::<&str, u32>::new();
    let mut previous: Option<(u64, String)> = None;
    for event in client.dispatches(3_000).await {
        let message = event.data;
        let id: u64 = message["id"].as_str().unwrap().parse().unwrap();
        assert!(id > last_id, "ids rise");
        last_id = id;
        let author = message["author"]["id"].as_str().unwrap().to_owned();
        if previous
            .as_ref()
            .is_some_and(|(before, who)| before >> 22 == id >> 22 && *who == author)
        {
            same_millisecond += 1;
        }
        previous = Some((id, author));
        bytes += message.to_string().len();
        let human = message["author"]["bot"] != true;
        let kind = match message["type"].as_u64().unwrap() {
            _ if message["webhook_id"].is_string() => {
                assert!(message["member"].is_null());
                "webhook"
            }
            _ if message["guild_id"].is_null() => "direct",
            7 | 8 => "system",
            19 => {
                assert_eq!(
                    message["referenced_message"]["id"],
                    message["message_reference"]["message_id"]
                );
                "reply"
            }
            0 if human => "human",
            0 => "bot",
            other => panic!("type {other}"),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    assert!(same_millisecond > 0);
    let mean = bytes / 3_000;
    assert!((1_300..1_900).contains(&mean), "mean of {mean} bytes");
    simulator.stop().await;
}

#[tokio::test]
async fn members_are_sent_in_chunks() {
    let simulator = start(SimulatorConfig {
        guilds: 1,
        members: 2_500,
        ..small()
    })
    .await;
    let mut client = Client::login(&simulator, 1, [0, 1]).await;
    let guild = simulator.world().guilds()[0].id().to_string();
    client
        .send(&json!({"op": 8, "d": {"guild_id": guild, "query": "", "limit": 0, "nonce": "n"}}))
        .await;
    let mut ids = BTreeSet::new();
    for index in 0..3 {
        let chunk = client.dispatch().await;
        assert_eq!(chunk.event, "GUILD_MEMBERS_CHUNK");
        assert_eq!(
            (&chunk.data["chunk_index"], &chunk.data["chunk_count"]),
            (&json!(index), &json!(3))
        );
        assert_eq!(chunk.data["nonce"], "n");
        ids.extend(
            chunk.data["members"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["user"]["id"].to_string()),
        );
    }
    assert_eq!(ids.len(), 2_501, "all members and the bot");
    simulator.stop().await;
}
