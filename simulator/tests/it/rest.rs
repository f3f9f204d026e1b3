//! REST: authorization, limits, faults, messages, members, commands.

use std::{collections::BTreeSet, time::Duration};

use discord_simulator::{Limit, LimitScope, RestFault, RestFaultKind, RestRules, SimulatorConfig};
use serde_json::{Value, json};

use super::{
    PATIENCE,
    client::{Client, MESSAGES},
    http::{call, call_as},
    small, start,
};

fn unlimited() -> SimulatorConfig {
    SimulatorConfig {
        rest: RestRules {
            enforce: false,
            ..RestRules::default()
        },
        ..small()
    }
}

#[tokio::test]
async fn the_token_is_checked() {
    let simulator = start(small()).await;
    let base = simulator.rest_url();
    for token in [None, Some("Bot wrong"), Some("sim-token")] {
        let answer = call_as(&base, "GET", "/api/v10/users/@me", None, token).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json(), json!({"message": "401: Unauthorized", "code": 0}));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    for path in ["/api/v10/users/@me", "/api/users/@me"] {
        let answer = call(&base, "GET", path, None).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("application/json"))
        );
        assert_eq!(answer.json()["id"], simulator.world().bot_id().to_string());
    }
    let answer = call(&base, "GET", "/api/v10/gateway/bot", None).await.json();
    assert_eq!(
        (&answer["url"], &answer["shards"]),
        (&json!(simulator.gateway_url()), &json!(1))
    );
    assert_eq!(call(&base, "GET", "/api/v10/nothing", None).await.status, 404);
    let stats = simulator.control().stats();
    assert_eq!((stats.rest_requests, stats.rest_invalid), (7, 3));
    simulator.stop().await;
}

#[tokio::test]
async fn buckets_are_announced_and_enforced() {
    let messages = Limit {
        requests: 3,
        per: Duration::from_millis(700),
    };
    let rest = RestRules {
        messages,
        ..RestRules::default()
    };
    let simulator = start(SimulatorConfig { rest, ..small() }).await;
    let base = simulator.rest_url();
    let channels = simulator.world().guilds()[0].channels();
    let path = |at: usize| format!("/api/v10/channels/{}/messages", channels[at].id);
    let body = || Some(json!({"content": "hello"}));
    for remaining in ["2", "1", "0"] {
        let answer = call(&base, "POST", &path(0), body()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-limit"), Some("3"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(remaining));
        assert!(
            answer
                .header("x-ratelimit-bucket")
                .is_some_and(|bucket| bucket.len() == 32)
        );
        let after: f64 = answer.header("x-ratelimit-reset-after").unwrap().parse().unwrap();
        assert!((0.0..=0.7).contains(&after));
        let reset_at: f64 = answer.header("x-ratelimit-reset").unwrap().parse().unwrap();
        assert!(reset_at > 1.7e9);
        assert_eq!(
            answer.header("x-ratelimit-scope"),
            None,
            "only a 429 tells its scope"
        );
    }
    let answer = call(&base, "POST", &path(0), body()).await;
    assert_eq!(
        (answer.status, answer.header("x-ratelimit-scope")),
        (429, Some("user"))
    );
    assert_eq!(answer.header("x-ratelimit-global"), None);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let wait = answer.json()["retry_after"].as_f64().unwrap();
    // Another channel has a bucket of its own.
    assert_eq!(call(&base, "POST", &path(1), body()).await.status, 200);
    let since = tokio::time::Instant::now();
    while call(&base, "POST", &path(0), body()).await.status == 429 {
        assert!(since.elapsed() < PATIENCE);
    }
    assert!(since.elapsed().as_secs_f64() > wait - 0.2);
    assert!(simulator.control().stats().rest_rate_limited >= 1);
    simulator.stop().await;
}

#[tokio::test]
async fn the_global_limit_holds_over_all_buckets() {
    let rest = RestRules {
        global_per_second: 4,
        ..RestRules::default()
    };
    let simulator = start(SimulatorConfig { rest, ..small() }).await;
    let base = simulator.rest_url();
    let mut last = None;
    for _ in 0..40 {
        let answer = call(&base, "GET", "/api/v10/users/@me", None).await;
        if answer.status == 429 {
            last = Some(answer);
            break;
        }
    }
    let answer = last.expect("more than four requests are made in a second");
    assert_eq!(answer.header("x-ratelimit-global"), Some("true"));
    assert_eq!(answer.header("x-ratelimit-scope"), Some("global"));
    assert_eq!(answer.json()["global"], true);
    simulator.stop().await;
}

#[tokio::test]
async fn faults_come_as_often_as_asked() {
    let simulator = start(unlimited()).await;
    let (base, control) = (simulator.rest_url(), simulator.control());
    let fault = |kind| RestFault {
        route: "GET /users/*".to_owned(),
        count: Some(1),
        delay_ms: 0,
        kind,
    };
    let get = || call(&base, "GET", "/api/v10/users/@me", None);
    control.add_fault(RestFault {
        count: Some(2),
        ..fault(RestFaultKind::Status(503))
    });
    assert_eq!(
        (get().await.status, get().await.status, get().await.status),
        (503, 503, 200)
    );

    control.add_fault(fault(RestFaultKind::RateLimit {
        scope: LimitScope::Shared,
        retry_after: 0.5,
    }));
    let answer = get().await;
    assert_eq!(
        (answer.status, answer.header("x-ratelimit-scope")),
        (429, Some("shared"))
    );
    assert_eq!(
        control.stats().rest_invalid,
        0,
        "shared limits are nobody's fault"
    );

    control.add_fault(fault(RestFaultKind::Cloudflare { retry_after: 3 }));
    let answer = get().await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("3")));
    assert_eq!(answer.header("x-ratelimit-scope"), None);

    control.add_fault(fault(RestFaultKind::HalfBody));
    assert!(!get().await.complete);

    control.add_fault(RestFault {
        delay_ms: 120,
        ..fault(RestFaultKind::None)
    });
    let asked = tokio::time::Instant::now();
    assert_eq!(get().await.status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(120));

    control.add_fault(fault(RestFaultKind::WithoutField("username".to_owned())));
    let answer = get().await;
    assert_eq!((answer.status, &answer.json()["username"]), (200, &Value::Null));
    assert!(!get().await.json()["username"].is_null());

    // Done, and not said so: the case in which a careless retry does it twice.
    let path = format!(
        "/api/v10/channels/{}/messages",
        simulator.world().guilds()[0].channels()[0].id
    );
    control.add_fault(RestFault {
        route: "POST *".to_owned(),
        ..fault(RestFaultKind::StatusAfter(500))
    });
    assert_eq!(
        call(&base, "POST", &path, Some(json!({"content": "once"})))
            .await
            .status,
        500
    );
    assert_eq!(call(&base, "GET", &path, None).await.json()[0]["content"], "once");

    control.add_fault(RestFault {
        count: None,
        ..fault(RestFaultKind::Status(500))
    });
    assert_eq!(get().await.status, 500);
    control.clear_faults();
    assert_eq!(get().await.status, 200);

    // One channel alone, with Discord's code for the reason.
    control.add_fault(RestFault {
        route: format!("POST {}", path.trim_start_matches("/api/v10")),
        ..fault(RestFaultKind::Refused {
            status: 404,
            code: 10_003,
        })
    });
    let other = simulator.world().guilds()[0].channels()[1].id;
    let other = format!("/api/v10/channels/{other}/messages");
    let post = async |path: &str| {
        let answer = call(&base, "POST", path, Some(json!({"content": "x"}))).await;
        (answer.status, answer.json()["code"].clone())
    };
    assert_eq!(post(&other).await.0, 200);
    assert_eq!(post(&path).await, (404, json!(10_003)));
    assert_eq!(post(&path).await.0, 200);
    simulator.stop().await;
}

#[tokio::test]
async fn a_nonce_is_sent_once() {
    let simulator = start(unlimited()).await;
    let base = simulator.rest_url();
    let path = format!(
        "/api/v10/channels/{}/messages",
        simulator.world().guilds()[0].channels()[0].id
    );
    let send = async |nonce: &str, enforce: bool| {
        let body = json!({"content": "level up", "nonce": nonce, "enforce_nonce": enforce});
        call(&base, "POST", &path, Some(body)).await.json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let first = send("a", true).await;
    assert_eq!(send("a", true).await, first);
    assert_ne!(send("b", true).await, first);
    assert_ne!(send("a", false).await, first);
    // Three messages exist, and the gateway told of three.
    assert_eq!(
        call(&base, "GET", &path, None)
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let told: BTreeSet<String> = client
        .dispatches(3)
        .await
        .into_iter()
        .map(|event| event.data["id"].to_string())
        .collect();
    assert_eq!(told.len(), 3);
    let calls = simulator.control().rest_calls("POST /channels/{id}/messages");
    assert_eq!(calls.iter().filter(|call| call.body["nonce"] == "a").count(), 3);
    simulator.stop().await;
}

#[tokio::test]
async fn bad_messages_are_refused_with_discords_codes() {
    let simulator = start(unlimited()).await;
    let base = simulator.rest_url();
    let path = format!(
        "/api/v10/channels/{}/messages",
        simulator.world().guilds()[0].channels()[0].id
    );
    for (body, status, code) in [
        (json!({}), 400, 50_006),
        (json!({"content": "x".repeat(2_001)}), 400, 50_035),
        (json!({"content": "x", "nonce": "n".repeat(26)}), 400, 50_035),
    ] {
        let answer = call(&base, "POST", &path, Some(body)).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_u64()),
            (status, Some(code))
        );
    }
    let nowhere = "/api/v10/channels/123456789012345678/messages";
    assert_eq!(call(&base, "GET", nowhere, None).await.json()["code"], 10_003);
    simulator.stop().await;
}

#[tokio::test]
async fn history_pages_as_the_gateway_told_it() {
    let simulator = start(unlimited()).await;
    let (base, control) = (simulator.rest_url(), simulator.control());
    let mut client = Client::login(&simulator, MESSAGES, [0, 1]).await;
    let channel = simulator.world().guilds()[0].channels()[0].id.to_string();
    control.generate(3_000);
    assert!(
        control
            .wait_until(|stats| stats.generated == 3_000, PATIENCE)
            .await
    );
    let last = control.sessions()[0].last_seq;
    let told: Vec<Value> = client
        .dispatches(last - client.seq)
        .await
        .into_iter()
        .filter(|event| event.event == "MESSAGE_CREATE" && event.data["channel_id"] == channel.as_str())
        .map(|event| event.data)
        .collect();
    assert!(told.len() > 150, "{}", told.len());
    let ids = |page: &Value| -> Vec<String> {
        page.as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let expected: Vec<String> = told
        .iter()
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect();

    // Forwards from the beginning.
    let mut read = Vec::new();
    let mut after = "1".to_owned();
    loop {
        let path = format!("/api/v10/channels/{channel}/messages?limit=100&after={after}");
        let page = call(&base, "GET", &path, None).await.json();
        let mut page = ids(&page);
        let Some(newest) = page.first() else { break };
        after.clone_from(newest);
        page.reverse();
        read.extend(page);
    }
    assert_eq!(read, expected);
    // Backwards from the end.
    let path = format!(
        "/api/v10/channels/{channel}/messages?limit=100&before={}",
        expected[120]
    );
    let mut page = ids(&call(&base, "GET", &path, None).await.json());
    page.reverse();
    assert_eq!(page, expected[20..120]);
    let one = call(
        &base,
        "GET",
        &format!("/api/v10/channels/{channel}/messages/{}", expected[7]),
        None,
    )
    .await;
    assert_eq!(one.json()["content"], told[7]["content"]);
    assert_eq!(one.json()["author"], told[7]["author"]);
    simulator.stop().await;
}

#[tokio::test]
async fn roles_are_given_shown_and_told() {
    let simulator = start(unlimited()).await;
    let base = simulator.rest_url();
    let world = simulator.world();
    let guild = &world.guilds()[0];
    let user = world.member_id(guild.id(), 3).unwrap();
    let role = guild.roles()[1].id;
    let member = format!("/api/v10/guilds/{}/members/{user}", guild.id());
    let (manage_roles, manage_nicknames) = (1 << 28, 1 << 27);
    assert!(
        simulator
            .control()
            .set_bot_permissions(guild.id(), 1 << 10 | manage_roles | manage_nicknames)
    );
    let mut client = Client::login(&simulator, 1 | 1 << 1, [0, 1]).await;
    let has = async || {
        let roles = call(&base, "GET", &member, None).await.json()["roles"].clone();
        roles.as_array().unwrap().contains(&json!(role.to_string()))
    };
    assert!(!has().await);
    for _ in 0..2 {
        assert_eq!(
            call(&base, "PUT", &format!("{member}/roles/{role}"), None)
                .await
                .status,
            204
        );
    }
    assert!(has().await);
    let told = client.dispatch().await;
    assert_eq!(told.event, "GUILD_MEMBER_UPDATE");
    assert!(
        told.data["roles"]
            .as_array()
            .unwrap()
            .contains(&json!(role.to_string()))
    );
    assert_eq!(
        call(&base, "DELETE", &format!("{member}/roles/{role}"), None)
            .await
            .status,
        204
    );
    assert!(!has().await);
    let answer = call(
        &base,
        "PATCH",
        &member,
        Some(json!({"nick": "Ünï \"x\"", "roles": [role.to_string()]})),
    )
    .await;
    assert_eq!(
        (answer.status, &answer.json()["nick"]),
        (200, &json!("Ünï \"x\""))
    );
    assert_eq!(answer.json()["roles"], json!([role.to_string()]));
    assert_eq!(
        call(&base, "PUT", &format!("{member}/roles/1"), None)
            .await
            .json()["code"],
        10_011
    );
    // Only changes are told: one PUT of two, the DELETE, the PATCH.
    assert_eq!(client.dispatch().await.event, "GUILD_MEMBER_UPDATE");
    assert_eq!(client.dispatch().await.data["nick"], "Ünï \"x\"");
    assert!(simulator.control().drained());
    simulator.stop().await;
}

#[tokio::test]
async fn commands_are_registered_and_replaced() {
    let simulator = start(unlimited()).await;
    let (base, control) = (simulator.rest_url(), simulator.control());
    let bot = simulator.world().bot_id();
    let guild = simulator.world().guilds()[0].id();
    let global = format!("/api/v10/applications/{bot}/commands");
    let rank = json!({"name": "rank", "description": "Shows a rank", "type": 1});
    let made = call(&base, "POST", &global, Some(rank.clone())).await;
    assert_eq!(made.status, 201);
    assert_eq!(
        call(&base, "POST", &global, Some(rank.clone())).await.json()["id"],
        made.json()["id"]
    );
    let replaced = call(
        &base,
        "PUT",
        &global,
        Some(json!([rank, {"name": "ping", "description": "Pong"}])),
    )
    .await;
    assert_eq!((replaced.status, control.commands(None).len()), (200, 2));
    let local = format!("/api/v10/applications/{bot}/guilds/{guild}/commands");
    assert_eq!(
        call(
            &base,
            "PUT",
            &local,
            Some(json!([{"name": "x", "description": ""}]))
        )
        .await
        .status,
        400
    );
    assert_eq!(
        call(
            &base,
            "PUT",
            &local,
            Some(json!([{"name": "x", "description": "y"}]))
        )
        .await
        .status,
        200
    );
    assert_eq!(control.commands(Some(guild))[0]["guild_id"], guild.to_string());
    simulator.stop().await;
}

#[tokio::test]
async fn an_entry_point_command_survives_a_bulk_overwrite_only_if_it_is_in_it() {
    let simulator = start(unlimited()).await;
    let (base, control) = (simulator.rest_url(), simulator.control());
    let path = format!("/api/v10/applications/{}/commands", simulator.world().bot_id());
    let launch = json!({"name": "launch", "type": 4, "handler": 2});
    let launch = call(&base, "POST", &path, Some(launch)).await.json();
    let ping = json!({"name": "ping", "description": "Pong"});
    let refused = call(&base, "PUT", &path, Some(json!([ping]))).await;
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(50_240)));
    assert_eq!(control.commands(None), std::slice::from_ref(&launch));
    let replaced = call(&base, "PUT", &path, Some(json!([ping, launch]))).await;
    assert_eq!(replaced.status, 200, "{}", replaced.json());
    let ids: Vec<Value> = control.commands(None).iter().map(|it| it["id"].clone()).collect();
    assert_eq!((ids.len(), &ids[1]), (2, &launch["id"]), "it keeps its id");
    simulator.stop().await;
}
