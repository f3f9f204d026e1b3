//! The fault matrix: the real binary, a real PostgreSQL and the simulator under load, and what each fault cost.
//!
//! `make chaos` runs it in full and prints the table; a short form is an ordinary test.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use discord_simulator::{
    HeartbeatAcks, LevelRules, PrunedResume, Rate, Refusal, Report, Simulator, SimulatorConfig,
};
use eventide::{
    embedded::StopMode,
    store::{Statement, Store, gap},
};
use futures_util::future::LocalBoxFuture;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::{
    process::Child,
    time::{Instant, sleep},
};

use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, compare, discord},
    commit_cutter::CommitCutter,
    until,
};

/// Messages a second while something breaks.
const RATE: f64 = 2_000.0;
const SHARDS: usize = 4;

/// How much of it.
#[derive(Clone, Copy)]
struct Extent {
    /// Times that each fault is tried.
    tries: u32,
    /// How long a lock is held.
    lock: Duration,
}

/// A row of the matrix.
struct Fault {
    name: &'static str,
    /// Whether Discord ends the sessions, so that the events between two sessions are missed, and a gap is written down.
    loses_sessions: bool,
    /// What is different about Discord.
    world: fn(&mut SimulatorConfig),
    /// What is different about the bot.
    settings: &'static [(&'static str, &'static str)],
    inject: for<'a> fn(&'a mut Stage, Extent) -> LocalBoxFuture<'a, ()>,
}

impl Fault {
    const fn new(
        name: &'static str,
        inject: for<'a> fn(&'a mut Stage, Extent) -> LocalBoxFuture<'a, ()>,
    ) -> Self {
        Self {
            name,
            loses_sessions: false,
            world: |_| {},
            settings: &[],
            inject,
        }
    }
}

/// Everything that takes part.
struct Stage {
    scene: Scene,
    discord: Simulator,
    cutter: CommitCutter,
    settings: &'static [(&'static str, &'static str)],
    bot: Child,
    store: Store,
}

impl Stage {
    async fn new(fault: &Fault) -> Self {
        let scene = Scene::new().await;
        let mut world = SimulatorConfig {
            shards: u32::try_from(SHARDS).expect("few"),
            guilds: 100,
            members: 5_000,
            levels: LevelRules {
                cooldown_ms: 60_000,
                ..LevelRules::default()
            },
            ..SimulatorConfig::default()
        };
        world.gateway.client_events_per_minute = 100_000;
        (fault.world)(&mut world);
        let discord = discord(world).await;
        let cutter = CommitCutter::start(scene.postgres.socket_directory());
        let bot = spawn(&discord, &scene, &cutter, fault.settings);
        let store = scene.store();
        Self {
            scene,
            discord,
            cutter,
            settings: fault.settings,
            bot,
            store,
        }
    }

    /// Wait until every shard is up and receives.
    async fn receives(&self) {
        let control = self.discord.control();
        until("every shard receives", async || {
            (control.stats().connections_open == SHARDS as u64).then_some(())
        })
        .await;
        self.more(300).await;
    }

    /// Wait until so many more messages were delivered.
    async fn more(&self, messages: u64) {
        let control = self.discord.control();
        let before = control.stats().delivered;
        until("more is delivered", async || {
            (control.stats().delivered >= before + messages).then_some(())
        })
        .await;
    }

    fn start_bot(&mut self) {
        self.bot = spawn(&self.discord, &self.scene, &self.cutter, self.settings);
    }

    fn resumes_or_starts(&self) -> usize {
        let stats = self.discord.control().stats();
        usize::try_from(stats.resumes).unwrap_or(usize::MAX) + stats.sessions_started()
    }

    /// Do something to every connection, and wait until every shard has another.
    async fn on_gateway(&mut self, action: impl Fn(&Simulator)) {
        let before = self.resumes_or_starts();
        action(&self.discord);
        until("every shard is back", async || {
            (self.resumes_or_starts() >= before + SHARDS
                && self.discord.control().stats().connections_open == SHARDS as u64)
                .then_some(())
        })
        .await;
    }

    /// Keep flushes waiting for a lock.
    async fn lock(&self, during: Duration) {
        let lock = Statement {
            name: "lock",
            types: &[],
            sql: "LOCK TABLE member_xp IN EXCLUSIVE MODE",
        };
        let held = self.store.transaction("lock", |tx| {
            Box::pin(async move {
                tx.execute(lock, &[]).await?;
                sleep(during).await;
                Ok(())
            })
        });
        held.await.expect("the lock");
    }

    /// No more messages; wait until the table holds all that it can hold, and compare.
    async fn settled(&self, loses_sessions: bool) -> Report {
        let control = self.discord.control();
        control.set_rate(Rate::Paused);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let report = compare(&self.discord, &self.store).await;
            let complete = report.counted >= report.sent || loses_sessions;
            let committed = control.drained() && complete && self.nothing_waits().await;
            if committed || Instant::now() > deadline {
                return report;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether every shard's checkpoint has stopped moving, and every gap is over.
    async fn nothing_waits(&self) -> bool {
        let sequences = Statement {
            name: "sequences",
            types: &[],
            sql: "SELECT (SELECT sum(message_count)::int8 FROM member_xp), (SELECT count(*) FROM gap WHERE ended_at IS NULL)",
        };
        let before = self.store.query(sequences, &[]).await.expect("rows");
        sleep(Duration::from_millis(600)).await;
        let after = self.store.query(sequences, &[]).await.expect("rows");
        before[0].get::<_, Option<i64>>(0) == after[0].get::<_, Option<i64>>(0)
            && after[0].get::<_, i64>(1) == 0
    }

    async fn end(mut self) {
        signal(&self.bot, Signal::SIGTERM);
        let status = self.bot.wait().await.expect("an end");
        assert!(status.success(), "a clean stop");
        self.store.close();
        self.scene.stop().await;
    }
}

fn spawn(
    discord: &Simulator,
    scene: &Scene,
    cutter: &CommitCutter,
    settings: &[(&'static str, &'static str)],
) -> Child {
    let server = scene.postgres.connection();
    let mut connection = tokio_postgres::Config::new();
    connection
        .host_path(cutter.socket_directory())
        .user(server.get_user().expect("a user"))
        .dbname(server.get_dbname().expect("a database"));
    command_on(discord, &connection)
        .envs(settings.iter().copied())
        .spawn()
        .expect("the binary starts")
}

fn signal(bot: &Child, signal: Signal) {
    let pid = i32::try_from(bot.id().expect("a running bot")).expect("a pid");
    kill(Pid::from_raw(pid), signal).expect("a signal");
}

/// Heartbeats as Discord's but often, and a Discord that forgets what they acknowledge.
fn forgetful(world: &mut SimulatorConfig) {
    world.gateway.heartbeat_interval = Duration::from_secs(2);
    world.gateway.heartbeat_prunes = true;
    world.gateway.pruned_resume = PrunedResume::Omit;
}

fn killed(stage: &mut Stage, _extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        sleep(Duration::from_millis(fastrand::u64(0..700))).await;
        stage.bot.kill().await.expect("SIGKILL");
        stage.start_bot();
    })
}

fn locked(stage: &mut Stage, extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move { stage.lock(extent.lock).await })
}

/// An action on the gateway as a row.
macro_rules! gateway {
    ($name:literal, $action:expr) => {
        Fault::new($name, |stage, _| {
            Box::pin(stage.on_gateway(|discord| {
                let action: fn(&Simulator) -> usize = $action;
                action(discord);
            }))
        })
    };
}

fn faults() -> Vec<Fault> {
    let mut all = of_processes();
    all.extend(of_the_database());
    all.extend(of_the_gateway());
    all.extend(of_sessions());
    all
}

fn of_processes() -> Vec<Fault> {
    vec![
        Fault::new("SIGKILL of the bot", killed),
        Fault {
            world: forgetful,
            ..Fault::new(
                "SIGKILL, and Discord forgets what heartbeats acknowledged",
                killed,
            )
        },
        Fault::new("SIGTERM of the bot", |stage, _| {
            Box::pin(async move {
                signal(&stage.bot, Signal::SIGTERM);
                let status = stage.bot.wait().await.expect("an end");
                assert!(status.success(), "a clean stop");
                stage.start_bot();
            })
        }),
    ]
}

fn of_the_database() -> Vec<Fault> {
    vec![
        Fault::new("PostgreSQL restarted (fast)", |stage, _| {
            Box::pin(async move {
                stage
                    .scene
                    .postgres
                    .restart(StopMode::Fast)
                    .await
                    .expect("restarted");
            })
        }),
        Fault::new("PostgreSQL restarted (immediate)", |stage, _| {
            Box::pin(async move {
                stage
                    .scene
                    .postgres
                    .restart(StopMode::Immediate)
                    .await
                    .expect("restarted");
            })
        }),
        Fault::new("PostgreSQL killed, away for 2 s", |stage, _| {
            Box::pin(async move {
                kill(Pid::from_raw(stage.scene.postgres.pid()), Signal::SIGKILL).expect("a signal");
                sleep(Duration::from_secs(2)).await;
                stage
                    .scene
                    .postgres
                    .restart(StopMode::Immediate)
                    .await
                    .expect("restarted");
            })
        }),
        Fault::new("all connections of the bot terminated", |stage, _| {
            Box::pin(async move {
                let terminate = Statement {
                    name: "terminate",
                    types: &[],
                    sql: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                          WHERE application_name LIKE 'eventide %' AND pid <> pg_backend_pid() AND application_name LIKE '% shards %'",
                };
                let ended = stage.store.query(terminate, &[]).await.expect("ended").len();
                assert!(ended > 0, "the bot has connections");
            })
        }),
        Fault::new("connection cut before, in and after COMMIT", |stage, _| {
            Box::pin(async move {
                for _ in 0..3 {
                    stage.cutter.cut_next();
                    until("a COMMIT is cut", async || {
                        (stage.cutter.outstanding() == 0).then_some(())
                    })
                    .await;
                }
            })
        }),
        Fault::new("member_xp locked", locked),
        Fault {
            settings: &[("EVENTIDE__DATABASE__STATEMENT_TIMEOUT_MS", "200")],
            ..Fault::new("member_xp locked, statements time out", locked)
        },
    ]
}

fn of_the_gateway() -> Vec<Fault> {
    vec![
        gateway!("gateway drops without close frame", |d| d
            .control()
            .drop_connections(None)),
        gateway!("gateway resets", |d| d.control().reset(None)),
        gateway!("op 7", |d| d.control().reconnect(None)),
        gateway!("op 9 true", |d| d.control().invalidate(None, true)),
        gateway!("close 4000", |d| d.control().close(None, 4000)),
        gateway!("close 4001", |d| d.control().close(None, 4001)),
        gateway!("close 4002", |d| d.control().close(None, 4002)),
        gateway!("close 4003", |d| d.control().close(None, 4003)),
        gateway!("close 4005", |d| d.control().close(None, 4005)),
        gateway!("close 4008", |d| d.control().close(None, 4008)),
        Fault {
            world: |world| world.gateway.heartbeat_interval = Duration::from_millis(500),
            ..Fault::new("no heartbeat is acknowledged", |stage, _| {
                Box::pin(async move {
                    let before = stage.discord.control().stats().resumes;
                    stage.discord.control().set_heartbeat_acks(HeartbeatAcks::Never);
                    until("the shards gave up", async || {
                        (stage.discord.control().stats().resumes > before).then_some(())
                    })
                    .await;
                    stage.discord.control().set_heartbeat_acks(HeartbeatAcks::Prompt);
                })
            })
        },
        Fault::new("payloads that are none", |stage, _| {
            Box::pin(async move {
                let control = stage.discord.control();
                for text in [
                    "",
                    "{",
                    "[]",
                    "null",
                    "{\"op\":99}",
                    "{\"t\":\"NEW_EVENT\",\"s\":null,\"op\":0,\"d\":{}}",
                    "\u{0}",
                ] {
                    control.send_text(None, text);
                }
                control.send_text(None, &format!("{{\"op\":11,\"d\":\"{}\"}}", "x".repeat(1 << 20)));
            })
        }),
    ]
}

/// After these Discord has forgotten what was not delivered.
fn of_sessions() -> Vec<Fault> {
    vec![
        Fault {
            loses_sessions: true,
            ..gateway!("op 9 false", |d| d.control().invalidate(None, false))
        },
        Fault {
            loses_sessions: true,
            world: |world| world.gateway.lost_session = Refusal::Close(4007),
            ..gateway!("sessions expire, 4007", |d| {
                d.control().kill_sessions(None);
                d.control().reset(None)
            })
        },
        Fault {
            loses_sessions: true,
            world: |world| world.gateway.lost_session = Refusal::Close(4009),
            ..gateway!("sessions expire, 4009", |d| {
                d.control().kill_sessions(None);
                d.control().reset(None)
            })
        },
    ]
}

/// Try a fault; returns its row, and whether it cost what it may not.
async fn tried(fault: &Fault, extent: Extent) -> (String, bool) {
    let mut stage = Stage::new(fault).await;
    stage.discord.control().set_rate(Rate::PerSecond(RATE));
    let mut longest = Duration::ZERO;
    for _ in 0..extent.tries {
        stage.receives().await;
        (fault.inject)(&mut stage, extent).await;
        let over = Instant::now();
        stage.receives().await;
        stage.settled(fault.loses_sessions).await;
        longest = longest.max(over.elapsed());
        stage.discord.control().set_rate(Rate::PerSecond(RATE));
    }
    let report = stage.settled(fault.loses_sessions).await;
    let gaps = gap::list(&stage.store, SystemTime::UNIX_EPOCH, 10_000)
        .await
        .expect("gaps")
        .len();
    let identifies = stage.discord.control().stats().sessions_started();
    let tries = usize::try_from(extent.tries).expect("few");
    let right = if fault.loses_sessions {
        report.doubled == 0 && gaps == SHARDS * tries && identifies == SHARDS * (tries + 1)
    } else {
        report.is_exact() && gaps == 0 && identifies == SHARDS
    };
    let row = format!(
        "{:<62} {:>5} {:>6} {:>7} {:>5} {:>10} {:>7.1} s  {}",
        fault.name,
        extent.tries,
        report.lost,
        report.doubled,
        gaps,
        identifies,
        longest.as_secs_f64(),
        if right { "" } else { "WRONG" }
    );
    stage.end().await;
    (row.trim_end().to_owned(), right)
}

async fn matrix(extent: Extent, wanted: impl Fn(&Fault) -> bool) {
    let mut table = format!(
        "{:<62} {:>5} {:>6} {:>7} {:>5} {:>10} {:>9}\n",
        "FAULT", "TRIES", "LOST", "DOUBLED", "GAPS", "IDENTIFIES", "CAUGHT UP"
    );
    let mut all_right = true;
    for fault in faults().iter().filter(|fault| wanted(fault)) {
        let (row, right) = tried(fault, extent).await;
        writeln!(table, "{row}").expect("a String takes any text");
        #[expect(
            clippy::print_stdout,
            reason = "whoever runs it for minutes wants to see it go on"
        )]
        {
            println!("{row}");
        }
        all_right &= right;
    }
    assert!(all_right, "\n{table}");
}

/// Minutes long; `make chaos`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make chaos"]
async fn fault_matrix() {
    let tries = std::env::var_os("EVENTIDE_CHAOS_TRIES").and_then(|tries| tries.to_str()?.parse().ok());
    let extent = Extent {
        tries: tries.unwrap_or(5),
        lock: Duration::from_secs(30),
    };
    matrix(extent, |_| true).await;
}

/// What no other test does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_matrix_in_short() {
    let extent = Extent {
        tries: 1,
        lock: Duration::from_secs(1),
    };
    let names = [
        "SIGKILL of the bot",
        "PostgreSQL killed",
        "member_xp locked, statements",
        "payloads",
        "sessions expire, 4007",
    ];
    matrix(extent, |fault| {
        names.iter().any(|name| fault.name.starts_with(name))
    })
    .await;
}
