//! The turns to identify, which are the whole bot's.

use std::{collections::BTreeMap, time::Duration};

use discord_simulator::SimulatorConfig;
use eventide::store::Statement;
use futures_util::future::LocalBoxFuture;
use tokio::time::Instant;

use super::{Form, Scenario, Shown, stage::Stage, table::seconds};
use crate::support::until;

pub(super) const ONE_AT_A_TIME: &str = "four start at once, max_concurrency 1";
const SIXTEEN_AT_A_TIME: &str = "four start at once, max_concurrency 16";

/// Between two of a key: <https://discord.com/developers/docs/events/gateway#rate-limiting>.
const APART: Duration = Duration::from_secs(5);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            world: |world, form| keys(world, form, 1),
            ..Scenario::new(ONE_AT_A_TIME, four_at_once)
        },
        Scenario {
            world: |world, form| keys(world, form, 16),
            ..Scenario::new(SIXTEEN_AT_A_TIME, four_at_once)
        },
    ]
}

fn keys(world: &mut SimulatorConfig, form: Form, max_concurrency: u32) {
    world.shards = match form {
        Form::Short => 4 * max_concurrency,
        Form::Full => 64,
    };
    world.guilds = 10 * world.shards;
    world.members = 100 * world.shards;
    world.gateway.max_concurrency = max_concurrency;
    world.gateway.identify_window = APART;
}

fn four_at_once(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        let control = stage.discord.control();
        let began = Instant::now();
        for _ in 0..4 {
            stage.start();
        }
        for number in 1..=stage.shards() as usize {
            until("the next shard has identified", async || {
                (control.stats().sessions_started() >= number).then_some(())
            })
            .await;
        }
        let took = began.elapsed();
        stage.is_shared().await;
        stage.load();
        stage.more().await;
        let closest = closest(stage).expect("several of a key");
        assert!(closest >= APART, "two of a key are only {closest:?} apart");
        let budget = stage.discord.config().gateway.identify_total;
        let in_vain = i64::from(budget - stage.shards()) - remaining(stage).await;
        assert_eq!(in_vain, 0, "turns were taken that nobody used");
        Shown {
            silence: None,
            words: format!("{} in all, of a key {} apart", seconds(took), seconds(closest)),
        }
    })
}

/// The shortest time between two IDENTIFYs of a key, over all processes.
fn closest(stage: &Stage) -> Option<Duration> {
    let keys = stage.discord.config().gateway.max_concurrency;
    let mut last = BTreeMap::<u32, u64>::new();
    let identifies = stage.discord.control().stats().identifies;
    let apart = identifies
        .iter()
        .filter_map(|identify| Some(identify.at_ms - last.insert(identify.shard % keys, identify.at_ms)?));
    apart.min().map(Duration::from_millis)
}

/// What is left of the day's.
async fn remaining(stage: &Stage) -> i64 {
    let statement = Statement {
        name: "remaining",
        types: &[],
        sql: "SELECT identify_remaining FROM fleet",
    };
    stage.store.query(statement, &[]).await.expect("the fleet")[0].get(0)
}
