//! The turns to identify, which are shared by all processes.

use std::{collections::BTreeMap, time::Duration};

use discord_simulator::SimulatorConfig;
use eventide::pipeline::fleet::registry::{Turn, set_identify_budget, take_identify};
use futures_util::future::{LocalBoxFuture, join_all};
use nix::sys::signal::Signal;
use tokio::time::Instant;

use super::{Form, Scenario, Shown, stage::Stage, table::seconds};
use crate::support::{Scene, until};

pub(super) const ONE_AT_A_TIME: &str = "four start at once, max_concurrency 1";
pub(super) const STOPPED: &str = "SIGTERM between IDENTIFY and READY";
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
        Scenario {
            world: |world, _| {
                world.shards = 2;
                world.gateway.max_concurrency = 1;
            },
            settings: &[("EVENTIDE__PROCESS__SHUTDOWN_TIMEOUT_SECONDS", "25")],
            ..Scenario::new(STOPPED, stopped_while_it_identifies)
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
        for number in 1..=stage.shards as usize {
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
        let in_vain = i64::from(budget - stage.shards) - stage.identifies_left().await;
        // One can be on its way at the moment when its shard moves.
        assert!(
            (0..=1).contains(&in_vain),
            "{in_vain} turns were taken that nobody used"
        );
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

/// Discord has an unanswered IDENTIFY when the process is stopped: the session that starts then is known nevertheless.
fn stopped_while_it_identifies(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        let control = stage.discord.control();
        stage.start();
        until("one shard is up, and its session is stored", async || {
            (stage.sessions_stored().await == 1).then_some(())
        })
        .await;
        let up = control.stats().identifies[0].shard;
        control.freeze(None, true);
        let budget = i64::from(stage.discord.config().gateway.identify_total);
        until("the other is told to identify", async || {
            (stage.identifies_left().await == budget - 2).then_some(())
        })
        .await;
        stage.processes[0].signal(Signal::SIGTERM);
        until("the shard that was up has closed", async || {
            let left = stage.shards_of(&stage.processes[0]).await;
            (!left.contains(&up)).then_some(())
        })
        .await;
        control.freeze(None, false);
        stage.ends(0).await;
        stage.start();
        stage.is_shared().await;
        stage.load();
        stage.more().await;
        Shown::default()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_to_ask_gets_the_turn_until_the_budget_ends() {
    const LONG: Duration = Duration::from_hours(1);
    let scene = Scene::new().await;
    let store = scene.store();
    // As Discord says it while nothing is used: the day has not begun.
    let unused = set_identify_budget(&store, 2, 2, Duration::ZERO).await;
    assert_eq!(unused.expect("set"), 2);
    let take = async |key| take_identify(&store, key, LONG).await.expect("an answer");
    let turns = join_all((0..8).map(|_| take(0))).await;
    let now = |turn: &&Turn| matches!(turn, Turn::Now { remaining: 1 });
    let later =
        |turn: &&Turn| matches!(turn, Turn::NotYet { wait } if *wait > Duration::ZERO && *wait <= LONG);
    assert_eq!(
        (
            turns.iter().filter(now).count(),
            turns.iter().filter(later).count()
        ),
        (1, 7),
        "{turns:?}"
    );
    assert_eq!(take(1).await, Turn::Now { remaining: 0 });
    assert!(matches!(take(2).await, Turn::UsedUp { more_in } if more_in > LONG));
    // Another process enters, which asked Discord before the first identify.
    let left = set_identify_budget(&store, 2, 2, Duration::ZERO).await;
    assert_eq!(left.expect("set"), 0);
    assert!(matches!(take(2).await, Turn::UsedUp { .. }));
    store.close();
    scene.stop().await;
}
