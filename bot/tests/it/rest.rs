//! Requests against a Discord that enforces its limits and records every call.

use std::{collections::BTreeMap, net::TcpListener, time::Duration};

use discord_simulator::{
    Guild, InteractionRequest, Limit, LimitScope, RestCall, RestFault, RestFaultKind, RestRules, Simulator,
    SimulatorConfig,
};
use eventide::{
    discord::rest::{Answer, Priority, Rest, RestError, Retry},
    telemetry::metrics,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use twilight_model::{
    channel::Message,
    http::{
        attachment::Attachment,
        interaction::{InteractionResponse, InteractionResponseType},
    },
    id::{Id, marker::ChannelMarker},
};

use crate::support::{
    bot::{config_for, discord},
    until,
};

const MESSAGES: &str = "POST /channels/{id}/messages";

/// A Discord whose buckets are reset quickly, for the tests' sake.
async fn quick() -> Simulator {
    discord(SimulatorConfig {
        rest: RestRules {
            messages: Limit {
                requests: 5,
                per: Duration::from_millis(400),
            },
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await
}

fn rest(discord: &Simulator) -> Rest {
    let config = config_for(discord);
    Rest::new(&config.discord, config.require_token().expect("a token"))
}

fn channels(discord: &Simulator, count: usize) -> Vec<Id<ChannelMarker>> {
    let guilds = discord.world().guilds().iter();
    let ids = guilds.flat_map(Guild::channels).map(|it| Id::new(it.id));
    let channels: Vec<_> = ids.take(count).collect();
    assert_eq!(channels.len(), count);
    channels
}

/// How many answers with a limit of this scope the bot has read. What it sends before that is not held.
fn limits_read(scope: &str) -> u64 {
    let page = metrics::page(metrics::install().expect("a recorder"));
    let name = format!("eventide_rest_rate_limited_total{{scope=\"{scope}\"}} ");
    let count = page
        .lines()
        .find_map(|line| line.strip_prefix(&name)?.parse().ok());
    count.unwrap_or(0)
}

#[expect(clippy::disallowed_methods, reason = "the texts are short")]
async fn say(rest: &Rest, channel: Id<ChannelMarker>, text: &str) -> Result<Answer, RestError> {
    let message = rest.builders().create_message(channel).content(text);
    rest.send(Priority::Command, message).await
}

fn fault(count: u64, kind: RestFaultKind) -> RestFault {
    RestFault {
        route: MESSAGES.to_owned(),
        count: Some(count),
        delay_ms: 0,
        kind,
    }
}

/// The calls of each channel, in their order.
fn by_channel(calls: Vec<RestCall>) -> BTreeMap<String, Vec<RestCall>> {
    let mut channels: BTreeMap<String, Vec<RestCall>> = BTreeMap::new();
    for call in calls {
        channels.entry(call.path.clone()).or_default().push(call);
    }
    channels
}

/// An interaction that Discord waits for the answer to: its id and token.
fn interaction(discord: &Simulator) -> (u64, String) {
    let world = discord.world();
    let guild = world.guilds()[0].id();
    let user = world.member_id(guild, 3).expect("a member");
    let request = InteractionRequest::command(guild, user, "ping", &json!([]));
    let id = discord.control().interact(&request).expect("an interaction");
    let state = discord.control().interaction(id).expect("an interaction");
    (id, state.token)
}

#[expect(clippy::disallowed_methods, reason = "the texts are short")]
async fn answer(rest: &Rest, id: u64, token: &str) -> Result<Answer, RestError> {
    let response = InteractionResponse {
        kind: InteractionResponseType::DeferredChannelMessageWithSource,
        data: None,
    };
    let client = rest.builders().interaction(Id::new(1));
    let callback = client.create_response(Id::new(id), token, &response);
    rest.send(Priority::Interaction, callback).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_messages_meet_no_limit_and_keep_their_order() {
    let discord = quick().await;
    let rest = rest(&discord);
    let tasks = channels(&discord, 10).into_iter().map(|channel| {
        let rest = rest.clone();
        eventide::telemetry::task::spawn("channel", async move {
            let texts: Vec<String> = (0..20).map(|number| number.to_string()).collect();
            let sent = texts.iter().map(|text| say(&rest, channel, text));
            join_all(sent).await.into_iter().flatten().count()
        })
        .join()
    });
    let sent: usize = join_all(tasks).await.into_iter().flatten().sum();
    assert_eq!(sent, 200);
    let stats = discord.control().stats();
    assert_eq!((stats.rest_requests, stats.rest_rate_limited), (200, 0));
    let expected: Vec<Value> = (0..20).map(|number| number.to_string().into()).collect();
    for (path, calls) in by_channel(discord.control().rest_calls(MESSAGES)) {
        let texts: Vec<Value> = calls
            .into_iter()
            .map(|call| call.body["content"].clone())
            .collect();
        assert_eq!(texts, expected, "{path}");
    }
    discord.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_buckets_wait_for_a_global_limit_and_for_cloudflare() {
    let discord = quick().await;
    let rest = rest(&discord);
    let channels = channels(&discord, 8);
    let global = RestFaultKind::RateLimit {
        scope: LimitScope::Global,
        retry_after: 0.7,
    };
    for (kind, scope, wait_ms) in [
        (global, "global", 700),
        (RestFaultKind::Cloudflare { retry_after: 1 }, "cloudflare", 1_000),
    ] {
        let read_before = limits_read(scope);
        let before = discord.control().rest_calls(MESSAGES).len();
        discord.control().add_fault(fault(1, kind));
        let (first, rest_of_them) = channels.split_first().expect("8");
        let limited = say(&rest, *first, "first");
        let others = async {
            until("the bot has read of the limit", async || {
                (limits_read(scope) > read_before).then_some(())
            })
            .await;
            join_all(rest_of_them.iter().map(|channel| say(&rest, *channel, "other"))).await
        };
        let (limited, others) = tokio::join!(limited, others);
        limited.expect("it is tried again");
        assert!(others.iter().all(Result::is_ok), "{others:?}");
        let calls = discord.control().rest_calls(MESSAGES).split_off(before);
        assert_eq!((calls.len(), calls[0].status), (9, 429));
        for call in &calls[1..] {
            assert_eq!(call.status, 200);
            assert!(
                call.at_ms >= calls[0].at_ms + wait_ms,
                "{call:?} after {:?}",
                calls[0]
            );
        }
    }
    discord.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_in_one_bucket_holds_up_no_other_and_keeps_the_order() {
    let discord = quick().await;
    let rest = rest(&discord);
    let channels = channels(&discord, 2);
    say(&rest, channels[1], "the route is known").await.expect("sent");
    discord.control().add_fault(fault(
        1,
        RestFaultKind::RateLimit {
            scope: LimitScope::Shared,
            retry_after: 1.0,
        },
    ));
    let limited = join_all(["a", "b", "c"].map(|text| say(&rest, channels[0], text)));
    let other = async {
        until("the limit is known", async || {
            (discord.control().stats().rest_rate_limited > 0).then_some(())
        })
        .await;
        say(&rest, channels[1], "passes").await
    };
    let (limited, other) = tokio::join!(limited, other);
    other.expect("sent");
    assert!(limited.iter().all(Result::is_ok), "{limited:?}");
    let calls = discord.control().rest_calls(MESSAGES);
    let texts: Vec<&Value> = calls
        .iter()
        .filter(|call| call.status == 200)
        .map(|call| &call.body["content"])
        .collect();
    assert_eq!(texts, ["the route is known", "passes", "a", "b", "c"]);
    discord.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interaction_is_answered_while_effects_wait() {
    let discord = quick().await;
    let rest = rest(&discord);
    let channels = channels(&discord, 10);
    discord.control().add_fault(fault(
        1,
        RestFaultKind::RateLimit {
            scope: LimitScope::Global,
            retry_after: 5.0,
        },
    ));
    let effects = join_all(channels.iter().map(|channel| say(&rest, *channel, "effect")));
    let interaction = async {
        until("the limit is known", async || {
            (discord.control().stats().rest_rate_limited > 0).then_some(())
        })
        .await;
        let (id, token) = interaction(&discord);
        answer(&rest, id, &token).await.expect("answered");
        discord.control().rest_calls(MESSAGES).len()
    };
    let (effects, calls_then) = tokio::join!(effects, interaction);
    assert_eq!(calls_then, 1, "the effects waited still");
    assert!(effects.iter().all(Result::is_ok), "{effects:?}");
    discord.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_distinguished() {
    let discord = quick().await;
    let mut config = config_for(&discord);
    config.discord.request_timeout = Duration::from_secs(1);
    let rest = Rest::new(&config.discord, config.require_token().expect("a token"));
    let channel = channels(&discord, 1)[0];
    for (kind, may_have_happened) in [
        (RestFaultKind::Silence, true),
        (RestFaultKind::Status(500), true),
        (RestFaultKind::StatusAfter(502), true),
    ] {
        let before = discord.control().rest_calls(MESSAGES).len();
        discord.control().add_fault(fault(1, kind.clone()));
        let error = say(&rest, channel, "once").await.expect_err("a fault");
        assert_eq!(error.retry(), Retry::Later, "{kind:?}: {error}");
        assert_eq!(error.may_have_happened(), may_have_happened, "{error}");
        let calls = discord.control().rest_calls(MESSAGES).len() - before;
        assert_eq!(calls, 1, "{kind:?}: nothing ambiguous is tried again");
    }
    // The request was carried out, which is sufficient if the response is not used.
    discord.control().add_fault(fault(1, RestFaultKind::HalfBody));
    let sent = say(&rest, channel, "once").await.expect("it is done");
    let error = sent.model::<Message>().expect_err("half an answer");
    assert!(matches!(error, RestError::Broken { .. }), "{error}");
    let without_id = RestFaultKind::WithoutField("id".to_owned());
    discord.control().add_fault(fault(1, without_id));
    let sent = say(&rest, channel, "once").await.expect("it is done");
    let error = sent.model::<Message>().expect_err("a field is missing");
    assert_eq!((error.retry(), error.may_have_happened()), (Retry::Later, true));
    assert!(error.to_string().contains("the field `id` is missing"), "{error}");
    discord.control().add_fault(fault(1, RestFaultKind::Status(403)));
    let error = say(&rest, channel, "once").await.expect_err("a fault");
    let never = |status, code| Retry::Never {
        status: Some(status),
        code,
    };
    assert_eq!(error.retry(), never(403, None));
    let error = say(&rest, Id::new(123_456_789_012_345_678), "once")
        .await
        .expect_err("no such channel");
    assert_eq!(error.retry(), never(404, Some(10_003)));
    assert_eq!(
        error.to_string(),
        "POST channels/{id}/messages: refused with status 404, code 10003"
    );
    let error = say(&rest, channel, &"x".repeat(2_001))
        .await
        .expect_err("too long");
    assert!(matches!(error, RestError::Invalid { .. }), "{error}");
    let wrong: Result<Vec<Message>, _> = say(&rest, channel, "a message is no list")
        .await
        .and_then(|answer| answer.model());
    let error = wrong.expect_err("not a list");
    assert!(matches!(error, RestError::Unreadable { .. }), "{error}");
    assert!(!error.to_string().contains("a message is no list"), "{error}");
    let error = answer(&rest, 1, "a-secret")
        .await
        .expect_err("no such interaction");
    assert_eq!(error.retry(), never(404, Some(10_062)));
    assert!(!format!("{error} {error:?}").contains("a-secret"));
    discord.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_connection_means_not_done() {
    let discord = quick().await;
    let mut config = config_for(&discord);
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    config.discord.api_url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let rest = Rest::new(&config.discord, config.require_token().expect("a token"));
    let error = say(&rest, Id::new(1), "hello").await.expect_err("nobody");
    assert_eq!(
        (error.retry(), error.may_have_happened()),
        (Retry::Later, false),
        "{error}"
    );
    discord.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_brake_stops_all_but_interactions() {
    let discord = quick().await;
    let mut config = config_for(&discord);
    config.discord.invalid_requests_limit = 20;
    let rest = Rest::new(&config.discord, config.require_token().expect("a token"));
    discord
        .control()
        .add_fault(fault(100, RestFaultKind::Status(403)));
    for channel in channels(&discord, 40) {
        let error = say(&rest, channel, "refused").await.expect_err("a fault");
        let refused = matches!(error, RestError::Refused { status: 403, .. });
        let braked = matches!(error, RestError::Braked { .. });
        let made = discord.control().rest_calls(MESSAGES).len();
        assert!(
            if made < 20 { refused } else { refused || braked },
            "{made}: {error}"
        );
    }
    assert_eq!(discord.control().rest_calls(MESSAGES).len(), 20);
    let (id, token) = interaction(&discord);
    answer(&rest, id, &token).await.expect("answered");
    discord.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_used_by_no_other_request() {
    let discord = quick().await;
    let config = config_for(&discord);
    let rest = Rest::new(&config.discord, &eventide::config::Secret::new("wrong"));
    for channel in channels(&discord, 3) {
        assert_eq!(
            say(&rest, channel, "hello").await.expect_err("401"),
            RestError::TokenRefused
        );
    }
    let calls = discord.control().rest_calls(MESSAGES);
    assert_eq!(calls.len(), 1, "{calls:?}");
    discord.stop().await;
}

/// Interactions carry a token of their own, and the block ends when Discord accepts the bot's again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_stops_no_interaction_and_a_probe_lifts_the_block() {
    let discord = quick().await;
    let rest = rest(&discord);
    let channel = channels(&discord, 1)[0];
    for route in [MESSAGES, "GET /users/@me"] {
        discord.control().add_fault(RestFault {
            route: route.to_owned(),
            ..fault(1, RestFaultKind::Status(401))
        });
    }
    let refused = say(&rest, channel, "refused").await;
    assert_eq!(refused.expect_err("401"), RestError::TokenRefused);
    assert!(rest.is_token_refused());
    let (id, token) = interaction(&discord);
    answer(&rest, id, &token).await.expect("answered");
    until("a probe lifts the block", async || {
        (!rest.is_token_refused()).then_some(())
    })
    .await;
    say(&rest, channel, "accepted").await.expect("sent");
    let probes = discord.control().rest_calls("GET /users/@me");
    let statuses: Vec<u16> = probes.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [401, 200]);
    discord.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the texts are short")]
async fn files_and_the_proxy_pass() {
    let discord = quick().await;
    let mut config = config_for(&discord);
    config.discord.proxy_url = Some(discord.rest_url());
    config.discord.api_url = "http://elsewhere.invalid".to_owned();
    let rest = Rest::new(&config.discord, config.require_token().expect("a token"));
    let channel = channels(&discord, 1)[0];
    let files = [Attachment::from_bytes("card.png".to_owned(), vec![1, 2, 0xff], 1)];
    let message = rest
        .builders()
        .create_message(channel)
        .content("a card")
        .attachments(&files);
    let answer = rest.send(Priority::Command, message).await.expect("sent");
    let message: Message = answer.model().expect("a message");
    assert_eq!(message.content, "a card");
    let calls = discord.control().rest_calls(MESSAGES);
    assert_eq!(calls[0].body["_files"], json!([{"name": "card.png", "size": 3}]));
    assert_eq!(calls[0].body["allowed_mentions"]["parse"], json!([]));
    // The proxy enforces the limits: a 429 that it passes on is waited for.
    let texts: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let sent = join_all(texts.iter().map(|text| say(&rest, channel, text))).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    assert!(discord.control().stats().rest_rate_limited > 0);
    discord.stop().await;
}
