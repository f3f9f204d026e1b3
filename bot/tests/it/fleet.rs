//! Several processes share the shards: nothing is lost, nothing counts twice, and no session starts again.
//!
//! `make fleet` plays every scenario in full and prints the table; a short form of each is an ordinary test. Each family of scenarios is in
//! a file of its own: real processes, one PostgreSQL, one simulator under load.

mod handover;
mod identifies;
mod kills;
mod leases;
mod operators;
mod partition;
mod pauses;
mod reshard;
mod stage;
mod table;
mod timers;

use std::{panic::AssertUnwindSafe, time::Duration};

use discord_simulator::SimulatorConfig;
use futures_util::{FutureExt as _, future::LocalBoxFuture};

use self::{
    stage::Stage,
    table::{Row, Table},
};

/// How much of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// For `make test`: once, and fast.
    Short,
    /// For `make fleet`: as often as promised.
    Full,
}

impl Form {
    const fn shards(self) -> u32 {
        match self {
            Self::Short => 8,
            Self::Full => 16,
        }
    }

    const fn lease(self) -> Duration {
        Duration::from_secs(match self {
            Self::Short => 3,
            Self::Full => 5,
        })
    }

    /// Events a second.
    const fn rate(self) -> f64 {
        match self {
            Self::Short => 1_000.0,
            Self::Full => 2_000.0,
        }
    }
}

/// Something that happens to a fleet.
struct Scenario {
    name: &'static str,
    /// Differences in the simulated Discord.
    world: fn(&mut SimulatorConfig, Form),
    /// Differences in the processes' settings.
    settings: &'static [(&'static str, &'static str)],
    play: Play,
}

type Play = for<'a> fn(&'a mut Stage) -> LocalBoxFuture<'a, Shown>;

/// What a scenario shows in addition to the comparison.
#[derive(Debug, Default)]
struct Shown {
    /// The longest that a shard was silent.
    silence: Option<Duration>,
    words: String,
}

impl Scenario {
    const fn new(name: &'static str, play: Play) -> Self {
        Self {
            name,
            world: |_, _| {},
            settings: &[],
            play,
        }
    }
}

fn scenarios() -> Vec<Scenario> {
    [
        handover::scenarios(),
        kills::scenarios(),
        pauses::scenarios(),
        partition::scenarios(),
        identifies::scenarios(),
        operators::scenarios(),
        reshard::scenarios(),
        timers::scenarios(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn played(scenario: &Scenario, form: Form) -> Row {
    let mut stage = Stage::new(scenario, form).await;
    let shown = (scenario.play)(&mut stage).await;
    let end = stage.end().await;
    Row::new(scenario.name, &end, &shown)
}

async fn all(form: Form, wanted: impl Fn(&Scenario) -> bool) -> Table {
    let mut table = Table::default();
    for scenario in scenarios().iter().filter(|scenario| wanted(scenario)) {
        // One that fails does not keep the others from being played.
        let row = match AssertUnwindSafe(played(scenario, form)).catch_unwind().await {
            Ok(row) => row,
            Err(panic) => Row::failed(scenario.name, &*panic),
        };
        table.add(row);
    }
    table
}

/// It takes a quarter of an hour; `make fleet`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour: make fleet"]
async fn in_full() {
    let row = std::env::var_os("EVENTIDE_FLEET_ROW").unwrap_or_default();
    let row = row.into_string().expect("UTF-8").to_lowercase();
    let is_asked_for = |name: &str| name.to_lowercase().contains(&row);
    let names: Vec<&str> = scenarios().iter().map(|scenario| scenario.name).collect();
    assert!(
        names.iter().any(|name| is_asked_for(name)),
        "no row's name has {row:?} in it; there are: {}",
        names.join(", ")
    );
    let table = all(Form::Full, |scenario| is_asked_for(scenario.name)).await;
    table.assert_right();
}

async fn in_short(name: &str) {
    let table = all(Form::Short, |scenario| scenario.name == name).await;
    assert_eq!(table.rows(), 1, "{name} is a scenario's name");
    table.assert_right();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_four_two_one() {
    in_short(handover::ONE_FOUR_TWO_ONE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_are_replaced() {
    in_short(kills::AT_RANDOM).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_fire_once_while_processes_are_killed() {
    in_short(timers::KILLED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_process_comes_back_to_nothing() {
    in_short(pauses::PAUSED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_paused_with_locks_does_not_hold_up_the_others() {
    in_short(pauses::IN_A_TRANSACTION).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_cut_off_from_postgresql_writes_nothing_late() {
    in_short(partition::LOST).await;
    in_short(partition::LATE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identifies_of_all_processes_keep_their_distance() {
    in_short(identifies::ONE_AT_A_TIME).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_begins_while_the_process_stops_is_resumed() {
    in_short(identifies::STOPPED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_moves_shards() {
    in_short(operators::MOVED).await;
}
