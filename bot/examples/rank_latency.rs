//! Asks `/rank` as text and as a picture while messages come in, and prints how long the answers took.
//!
//! `cargo run --release --package eventide --example rank_latency -- [messages a second] [questions of each kind]`
//!
//! Everything is on this machine: the simulated Discord, its CDN, a private PostgreSQL and the bot, which share the processors. The time is
//! Discord's: from the dispatch of the interaction to the end of the callback's request.

use std::{error::Error, io::Write as _, time::Duration};

use discord_simulator::{GatewayRules, InteractionRequest, Rate, Simulator, SimulatorConfig, Traffic};
use eventide::{
    app::{bot::Bot, demo::reconcile, ops_http},
    config::{Config, Secret, ShardCount},
    postgres::database::Database,
    telemetry::metrics,
};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

const SHARDS: u32 = 2;
/// A question each so often, so that they fall into every moment of a flush.
const EVERY: Duration = Duration::from_millis(97);
/// How long messages come in before the first question.
const WARM_UP: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rate: f64 = arguments.next().map_or(Ok(10_000.0), |text| text.parse())?;
    let questions: u32 = arguments.next().map_or(Ok(500), |text| text.parse())?;
    drop(rustls::crypto::ring::default_provider().install_default());
    let discord = Simulator::start_on_own_thread(SimulatorConfig {
        shards: SHARDS,
        guilds: 100,
        members: 50_000,
        traffic: Traffic {
            other: 0.0,
            ..Traffic::default()
        },
        gateway: GatewayRules {
            max_concurrency: SHARDS,
            history_limit: 10_000_000,
            ..GatewayRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await?;
    let directory = tempfile::tempdir()?;
    let mut config = Config::defaults();
    config.discord.token = Some(Secret::new(discord.config().token.clone()));
    config.discord.api_url = discord.rest_url();
    config.discord.cdn_url = discord.rest_url();
    config.gateway.shard_count = ShardCount::Fixed(SHARDS);
    config.http.listen = "127.0.0.1:0".parse()?;
    config.levels.cooldown = Duration::from_millis(discord.config().levels.cooldown_ms);
    config.database.data_directory = directory.path().join("postgres");
    let database = Database::open(&config.database).await?;
    database.migrate().await?;
    let listening = ops_http::listen(config.http.listen).await?;
    let bot = Bot::start(
        &config,
        config.require_token().map_err(eventide::config::Problems::from)?,
        database.store(&config.database)?,
        listening.serve(metrics::install()?),
    )
    .await?;
    let control = discord.control();
    control
        .wait_until(|stats| stats.sessions_started() == SHARDS as usize, PATIENCE)
        .await;
    control.set_rate(Rate::PerSecond(rate));
    sleep(WARM_UP).await;
    let mut out = std::io::stdout();
    for (kind, text) in [("text", true), ("picture", false)] {
        let (before, began) = (discord.oracle().sent(), Instant::now());
        let (mut took, instead) = ask(&discord, questions, text).await?;
        let sent = discord.oracle().sent() - before;
        took.sort_unstable();
        let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or(0);
        let longest = took.last().copied().unwrap_or(0);
        writeln!(
            out,
            "/rank as {kind}, {} answers while {:.0} messages a second came in: p50 {} ms, p90 {} ms, p99 {} ms, longest {longest} ms; {instead} as text because too many were drawn",
            took.len(),
            f64::from(u32::try_from(sent)?) / began.elapsed().as_secs_f64(),
            at(50),
            at(90),
            at(99)
        )?;
    }
    control.set_rate(Rate::Paused);
    control.wait_drained(PATIENCE).await;
    bot.drain(PATIENCE).await?;
    let store = database.store(&config.database)?;
    let report = reconcile(&discord, &store).await?;
    writeln!(out, "{report}")?;
    store.close();
    discord.stop().await;
    database.close().await?;
    Ok(())
}

/// How long each answer took, in milliseconds; and how many of the pictures asked for were text instead.
async fn ask(discord: &Simulator, questions: u32, text: bool) -> Result<(Vec<u64>, usize), Box<dyn Error>> {
    let control = discord.control();
    let guilds = discord.world().guilds();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asked = Vec::new();
    for number in 0..questions {
        ticks.tick().await;
        let guild = guilds[number as usize % guilds.len()].id();
        // Another member each time: none asks too often, and no card is drawn already.
        let member = number / u32::try_from(guilds.len())?;
        let Some(user) = discord.world().member_id(guild, member) else {
            continue;
        };
        let options = if text {
            json!([{"name": "text", "type": 5, "value": true}])
        } else {
            json!([])
        };
        let request = InteractionRequest::command(guild, user, "rank", &options);
        asked.extend(control.interact(&request));
    }
    let (mut took, mut instead) = (Vec::new(), 0);
    for id in asked {
        let state = control
            .wait_interaction(id, |state| state.reply().is_some(), PATIENCE)
            .await
            .ok_or("a question was not answered")?;
        let reply = state.reply().ok_or("no reply")?;
        let sent = state
            .callback
            .as_ref()
            .map(|callback| &callback["data"]["attachments"]);
        let has_picture = sent
            .and_then(serde_json::Value::as_array)
            .is_some_and(|list| !list.is_empty());
        let has_nothing = reply["content"]
            .as_str()
            .is_some_and(|text| text.contains("no XP"));
        // Who has written nothing has no card.
        if has_nothing {
            continue;
        }
        if text && has_picture {
            return Err("text was asked for".into());
        }
        instead += usize::from(!text && !has_picture);
        took.push(state.answered_after_ms.ok_or("not answered in time")?);
    }
    Ok((took, instead))
}
