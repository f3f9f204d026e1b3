//! The fault matrix: the real binary, a real PostgreSQL and the simulator under load, and the cost of each fault.
//!
//! `make chaos` runs it in full and prints the table; a short form is an ordinary test. Each family of faults is in a file of its own.

mod beside;
mod clock;
mod database;
mod disk;
mod events;
mod gateway;
mod outage;
mod processes;
mod rest;
mod sessions;
mod stage;
mod standby;
mod table;
mod timers;

use std::{panic::AssertUnwindSafe, path::Path, time::Duration};

use discord_simulator::{Rate, SimulatorConfig};
use eventide::features::levels::rows::member_xp;
use futures_util::{FutureExt as _, future::LocalBoxFuture};
use tokio::time::Instant;

use self::{
    stage::Stage,
    table::{Row, Table},
};
use crate::support::effects::compared;

/// Messages a second while something breaks.
const RATE: f64 = 2_000.0;
const SHARDS: usize = 4;

/// How much of it.
#[derive(Clone, Copy)]
struct Extent {
    /// How often each fault is tried, unless it has a number of its own.
    tries: Option<u32>,
    /// The duration of faults that last a while: a lock, a host that is gone.
    while_: Duration,
}

/// How often a fault is tried by default.
const OFTEN: u32 = 20;
const ORDINARY: u32 = 5;
/// For faults that take half a minute each time.
const SELDOM: u32 = 1;

/// Somebody's way to do something to the stage.
type Inject = for<'a> fn(&'a mut Stage, Extent) -> LocalBoxFuture<'a, ()>;

/// A row of the matrix.
struct Fault {
    name: &'static str,
    tries: u32,
    /// Whether Discord ends the sessions, so that the events between two sessions are missed, and a gap is written down.
    loses_sessions: bool,
    /// Differences in the simulated Discord.
    world: fn(&mut SimulatorConfig),
    /// Differences in the bot's settings; it may have files of its own in a directory.
    settings: fn(&Path) -> Vec<(&'static str, String)>,
    /// What this machine lacks to try it.
    missing: fn() -> Option<String>,
    inject: Inject,
}

impl Fault {
    const fn new(name: &'static str, inject: Inject) -> Self {
        Self {
            name,
            tries: ORDINARY,
            loses_sessions: false,
            world: |_| {},
            settings: |_| Vec::new(),
            missing: || None,
            inject,
        }
    }
}

fn faults() -> Vec<Fault> {
    [
        processes::faults(),
        database::faults(),
        disk::faults(),
        gateway::faults(),
        sessions::faults(),
        events::faults(),
        rest::faults(),
        clock::faults(),
        beside::faults(),
        timers::faults(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Lost and doubled effects, according to the simulator's record of REST calls and the tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effects {
    pub(super) lost: u64,
    pub(super) doubled: u64,
}

/// Compare the levels announced on Discord with those that members have reached, which are separately compared with the oracle.
async fn effects(stage: &Stage) -> Option<Effects> {
    let rows = member_xp::all(&stage.store).await.expect("rows");
    let members = rows
        .iter()
        .map(|(key, total)| ((key.guild_id.get(), key.user_id.get()), total.xp));
    let report = compared(&stage.discord, members);
    assert!(
        report.owed > 0,
        "nobody has reached a level, so nothing was tried"
    );
    Some(Effects {
        lost: report.lost as u64,
        doubled: report.doubled as u64,
    })
}

/// Try a fault.
async fn tried(fault: &Fault, extent: Extent) -> Row {
    let tries = extent.tries.unwrap_or(fault.tries);
    let mut stage = Stage::new(fault).await;
    let mut longest = Duration::ZERO;
    for _ in 0..tries {
        stage.discord.control().set_rate(Rate::PerSecond(RATE));
        stage.receives().await;
        (fault.inject)(&mut stage, extent).await;
        let over = stage.over.take().unwrap_or_else(Instant::now);
        stage.receives().await;
        stage.caught_up().await;
        longest = longest.max(over.elapsed());
    }
    let effects = effects(&stage).await;
    let end = stage.end().await;
    Row::new(fault, tries, longest, &end, effects)
}

async fn matrix(extent: Extent, wanted: impl Fn(&Fault) -> bool) -> Table {
    let mut table = Table::default();
    for fault in faults().iter().filter(|fault| wanted(fault)) {
        let row = match (fault.missing)() {
            Some(missing) => Row::not_possible(fault, &missing),
            // One that fails does not keep the others from being tried.
            None => match AssertUnwindSafe(tried(fault, extent)).catch_unwind().await {
                Ok(row) => row,
                Err(panic) => Row::failed(fault, &*panic),
            },
        };
        table.add(row);
    }
    table
}

/// A variable of `make chaos`.
fn asked(variable: &str) -> Option<String> {
    let value = std::env::var_os(variable)?.into_string().expect("UTF-8");
    (!value.is_empty()).then_some(value)
}

/// It takes half an hour; `make chaos`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes half an hour: make chaos"]
async fn fault_matrix() {
    let tries = asked("EVENTIDE_CHAOS_TRIES").map(|tries| tries.parse().expect("TRIES is a number"));
    let row = asked("EVENTIDE_CHAOS_ROW").unwrap_or_default().to_lowercase();
    let is_asked_for = |name: &str| name.to_lowercase().contains(&row);
    let extent = Extent {
        tries,
        while_: Duration::from_secs(30),
    };
    let all = faults();
    assert!(
        is_asked_for(outage::NAME)
            || is_asked_for(standby::NAME)
            || all.iter().any(|fault| is_asked_for(fault.name)),
        "no row's name has {row:?} in it; there are: {}, {}, {}",
        all.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", "),
        outage::NAME,
        standby::NAME
    );
    let table = matrix(extent, |fault| is_asked_for(fault.name)).await;
    if is_asked_for(outage::NAME) {
        outage::sixty_seconds_without_the_database().await;
    }
    if is_asked_for(standby::NAME) {
        standby::promoted().await;
    }
    table.assert_right();
}

/// Some rows once, for `make test`: those that no other test covers.
async fn in_short(names: &[&str]) {
    let extent = Extent {
        tries: Some(1),
        while_: Duration::from_secs(1),
    };
    let table = matrix(extent, |fault| names.contains(&fault.name)).await;
    assert_eq!(table.rows(), names.len(), "each name is a row's");
    table.assert_right();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_matrix_in_short_process_and_database() {
    in_short(&[
        "SIGKILL of the bot",
        "PostgreSQL killed, away for 2 s",
        "PostgreSQL's connections swallow everything (500 ms a statement)",
        "member_xp locked, statements time out",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_matrix_in_short_discord() {
    in_short(&[
        "payloads that are none",
        "events that cannot be read: counted, skipped",
        "sessions expire, 4007",
        "REST at the start: 500",
        "announcements: sent, and SIGKILL before the answer",
    ])
    .await;
}
