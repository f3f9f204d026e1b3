//! The spans received by a collector, and the log of a running bot.

use std::{
    collections::HashMap,
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use discord_simulator::{InteractionRequest, Rate, SimulatorConfig};
use eventide::telemetry::task::{self, Task};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    trace::v1::Span,
};
use prost::Message as _;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::Child,
};

use crate::support::{
    Scene,
    asking::IN_TIME,
    bot::{command, command_on, discord, up},
    until,
};

type Spans = Arc<Mutex<Vec<Span>>>;

/// A collector, as OTLP over HTTP has it.
async fn collector() -> (String, Spans, Task<()>) {
    async fn take(State(spans): State<Spans>, body: Bytes) -> Vec<u8> {
        let request = ExportTraceServiceRequest::decode(body).expect("a request of OTLP");
        let of_service = request.resource_spans.into_iter().flat_map(|of| of.scope_spans);
        spans
            .lock()
            .expect("kept")
            .extend(of_service.flat_map(|scope| scope.spans));
        ExportTraceServiceResponse::default().encode_to_vec()
    }
    let spans = Spans::default();
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(Arc::clone(&spans));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = task::spawn("collector", async move {
        axum::serve(listener, router).await.expect("it serves");
    });
    (url, spans, serving)
}

/// The names of a span and its ancestors, if all of them have arrived.
fn path(span: &Span, all: &HashMap<Vec<u8>, Span>) -> Option<Vec<String>> {
    let mut names = vec![span.name.clone()];
    let mut above = &span.parent_span_id;
    while !above.is_empty() {
        let parent = all.get(above)?;
        names.push(parent.name.clone());
        above = &parent.parent_span_id;
    }
    Some(names)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_followed_to_its_transaction_and_a_command_to_its_answer() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    let (url, spans, _serving) = collector().await;
    let mut bot = command_on(&discord, &scene.postgres.connection())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
        .spawn()
        .expect("the binary starts");
    up(&discord, 2).await;
    let control = discord.control();
    control.set_rate(Rate::PerSecond(200.0));
    let guild = &discord.world().guilds()[0];
    let member = discord.world().member_id(guild.id(), 0).expect("a member");
    let question = InteractionRequest::command(guild.id(), member, "leaderboard", &json!([]));
    control.ask(&question, IN_TIME).await.expect("an answer");
    let found = until("spans of both have come", async || {
        let spans = spans.lock().expect("kept").clone();
        let all: HashMap<Vec<u8>, Span> = spans
            .into_iter()
            .map(|span| (span.span_id.clone(), span))
            .collect();
        let paths: Vec<Vec<String>> = all.values().filter_map(|span| path(span, &all)).collect();
        let has = |path: &[&str]| paths.iter().any(|names| *names == path);
        let all_there = has(&["member_xp_add", "flush", "flush", "event"])
            && has(&["leaderboard_page_by_xp", "leaderboard"])
            && paths.iter().any(|path| {
                path[0].starts_with("POST interactions")
                    && path.last().is_some_and(|root| root == "leaderboard")
            });
        all_there.then_some(all)
    })
    .await;
    for span in found.values() {
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
        let text = format!("{span:?}");
        assert!(
            !text.contains(&discord.config().token),
            "a token is nobody's business"
        );
        assert!(!text.contains(&guild.id().to_string()), "{text}");
    }
    let outcome = found
        .values()
        .find(|span| span.name == "leaderboard" && span.parent_span_id.is_empty());
    let outcome = format!("{:?}", outcome.expect("the interaction").attributes);
    assert!(
        outcome.contains("outcome") && outcome.contains("\"ok\""),
        "{outcome}"
    );
    control.pause();
    bot.kill().await.expect("killed");
    scene.stop().await;
}

/// Reads a bot's log, line by line.
fn lines(bot: &mut Child) -> (Arc<Mutex<Vec<String>>>, Task<()>) {
    let said = Arc::<Mutex<Vec<String>>>::default();
    let (told, mut lines) = (
        Arc::clone(&said),
        BufReader::new(bot.stderr.take().expect("a pipe")).lines(),
    );
    let reading = task::spawn("log", async move {
        while let Ok(Some(line)) = lines.next_line().await {
            told.lock().expect("kept").push(line);
        }
    });
    (said, reading)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_level_changes_while_it_runs_and_secrets_stay_out() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    let mut bot = command_on(&discord, &scene.postgres.connection())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let (said, _reading) = lines(&mut bot);
    let address = until("it says where it listens", async || {
        let said = said.lock().expect("kept");
        let line = said.iter().find(|line| line.contains("http.address"))?;
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        Some(line["http.address"].as_str().expect("an address").to_owned())
    })
    .await;
    let log = async |level: &[&str]| {
        let mut log = command(&[&["log"], level].concat());
        log.env("EVENTIDE__HTTP__LISTEN", &address);
        let output = log.output().await.expect("ran");
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        (output.status.code(), out, err)
    };
    up(&discord, 2).await;
    assert_eq!(log(&[]).await.1, "info\n");
    let (code, _, wrong) = log(&["warning"]).await;
    assert_eq!(code, Some(1));
    assert!(
        wrong.contains("found \"warning\"") && wrong.lines().count() == 1,
        "{wrong}"
    );

    let is_debug =
        |line: &String| line.contains("\"level\":\"DEBUG\"") || line.contains("\"level\":\"TRACE\"");
    assert!(!said.lock().expect("kept").iter().any(is_debug));
    assert_eq!(log(&["trace"]).await.1, "trace\n");
    discord.control().set_rate(Rate::PerSecond(100.0));
    let guild = &discord.world().guilds()[0];
    let member = discord.world().member_id(guild.id(), 0).expect("a member");
    let question = InteractionRequest::command(guild.id(), member, "leaderboard", &json!([]));
    discord
        .control()
        .ask(&question, IN_TIME)
        .await
        .expect("an answer");
    until("it tells more", async || {
        said.lock().expect("kept").iter().any(is_debug).then_some(())
    })
    .await;
    discord.control().pause();
    assert_eq!(log(&["warn"]).await.1, "warn\n");
    for line in said.lock().expect("kept").iter() {
        assert!(!line.contains(&discord.config().token), "{line}");
        assert!(
            !line.contains("executing prepared statement"),
            "with its parameters: {line}"
        );
    }
    bot.kill().await.expect("killed");
    scene.stop().await;
}
