//! A host whose clock is wrong.

use std::time::Duration;

use discord_simulator::{InteractionRequest, RestRules, SimulatorConfig};
use serde_json::json;

use crate::support::{
    PATIENCE, Scene,
    asking::{IN_TIME, text},
    bot::{config_for, discord, page, start},
    until,
};

/// Discord dates interactions by its own clock. On a host whose clock is ahead each of them seems too old to be answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_answered_on_a_host_whose_clock_is_ahead() {
    const AHEAD_S: u64 = 60;
    let scene = Scene::new().await;
    let now = eventide::support::clock::host_time()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .expect("after 1970");
    let discord = discord(SimulatorConfig {
        start_time_ms: u64::try_from(now.saturating_sub(Duration::from_secs(AHEAD_S)).as_millis()).ok(),
        rest: RestRules {
            date_offset: -60,
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await;
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    until("the commands are registered", async || {
        (discord.control().stats().sessions_started() == 1 && !discord.control().commands(None).is_empty())
            .then_some(())
    })
    .await;
    let guild = discord.world().guilds()[0].id();
    let member = discord.world().member_id(guild, 1).expect("a member");
    let request = InteractionRequest::command(guild, member, "help", &json!([]));
    let answer = discord.control().ask(&request, IN_TIME).await.expect("an answer");
    assert!(!text(&answer).is_empty(), "{answer:?}");
    let metrics = page(&bot, "/metrics").await;
    let offset = metrics
        .lines()
        .find_map(|line| line.strip_prefix("eventide_clock_offset_seconds{source=\"discord\"} "))
        .and_then(|value| value.parse::<f64>().ok())
        .expect("the offset is shown");
    assert!((-62.0..-50.0).contains(&offset), "{offset}");
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}
