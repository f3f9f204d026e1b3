//! A simulated Discord and a database for these tests, and how the rows in it compare with what was sent.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use discord_simulator::{
    Control, LevelRules, Members, Rate, Report, RestFault, RestFaultKind, RestRules, Simulator,
    SimulatorConfig,
};
use eventide::{
    app::{bot::Bot, demo},
    config::Config,
    pipeline::rows::gap::{self, Recorded},
    postgres::{Statement, Store},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::Child,
    time::{Instant, sleep},
};

use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, config_for, discord, settle_exactly, start, up},
    session::every_session_is_stored,
    until,
};

pub(super) const MESSAGES: &str = "GET /channels/{id}/messages";

/// Two shards with accelerated time, so that cooldowns end, and a Discord whose limits allow a short test.
pub(super) fn world(cooldown_ms: u64) -> SimulatorConfig {
    SimulatorConfig {
        shards: 2,
        guilds: 16,
        members: 1_500,
        time_scale: 60.0,
        levels: LevelRules {
            cooldown_ms,
            ..LevelRules::default()
        },
        rest: RestRules {
            global_per_second: 1_000,
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    }
}

/// Everything that was ever sent, whether or not a session was there for it.
pub(super) fn everything(discord: &Simulator) -> Members {
    discord
        .oracle()
        .expected_with_missed(&HashMap::new())
        .expect("nothing is forgotten")
}

/// What was sent to sessions.
pub(super) fn delivered(discord: &Simulator) -> Members {
    discord.oracle().expected()
}

/// Stop the binary in order.
pub(super) async fn terminate(bot: &mut Child) {
    let pid = i32::try_from(bot.id().expect("a running bot")).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("a signal");
    assert_eq!(bot.wait().await.expect("an end").code(), Some(0));
}

pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) discord: Simulator,
    pub(super) store: Store,
    pub(super) config: Config,
}

impl Stage {
    pub(super) async fn new(world: SimulatorConfig) -> Self {
        let scene = Scene::new().await;
        let discord = discord(world).await;
        let mut config = config_for(&discord);
        config.levels.backfill = true;
        config.discord.requests_per_second = 800;
        Self {
            store: scene.store(),
            scene,
            discord,
            config,
        }
    }

    pub(super) fn control(&self) -> Control {
        self.discord.control()
    }

    /// The bot in this process.
    pub(super) async fn start(&self) -> Bot {
        start(&self.config, self.scene.postgres.connection()).await
    }

    /// The real binary.
    pub(super) fn spawn(&self) -> Child {
        command_on(&self.discord, &self.scene.postgres.connection())
            .env("EVENTIDE__LEVELS__BACKFILL", "true")
            .env("EVENTIDE__DISCORD__REQUESTS_PER_SECOND", "800")
            .spawn()
            .expect("the binary starts")
    }

    /// Wait until this many sessions have been started, and all shards are connected.
    pub(super) async fn up(&self, sessions: usize) {
        up(&self.discord, sessions).await;
    }

    /// Let requests for messages fail; `None` for all of them.
    pub(super) fn fail_pages(&self, count: Option<u64>, kind: RestFaultKind) {
        self.control().add_fault(RestFault {
            route: MESSAGES.to_owned(),
            count,
            delay_ms: 0,
            kind,
        });
    }

    /// Delay the answer to each request for messages.
    pub(super) fn delay_pages(&self, delay_ms: u64) {
        self.control().add_fault(RestFault {
            route: MESSAGES.to_owned(),
            count: None,
            delay_ms,
            kind: RestFaultKind::None,
        });
    }

    pub(super) async fn number(&self, sql: &'static str) -> i64 {
        let statement = Statement::new("number", &[], sql);
        self.store.query(statement, &[]).await.expect("counted")[0].get(0)
    }

    /// The number of rows about messages to be read and held messages.
    pub(super) async fn left(&self) -> i64 {
        self.number(
            "SELECT (SELECT count(*) FROM backfill_channel) + (SELECT count(*) FROM backfill_message)",
        )
        .await
    }

    pub(super) async fn gaps(&self) -> Vec<Recorded> {
        let gaps = gap::list(&self.store, SystemTime::UNIX_EPOCH, 100).await;
        gaps.expect("gaps")
    }

    pub(super) async fn read_back(&self) -> i64 {
        self.gaps().await.iter().map(|gap| gap.read_back).sum()
    }

    pub(super) async fn every_channel_was_read(&self) -> bool {
        self.gaps().await.iter().all(|gap| gap.unread_channels == 0)
    }

    pub(super) async fn against(&self, expected: &Members) -> Report {
        Report::new(expected, demo::rows(&self.store).await.expect("rows"))
    }

    /// Stop the traffic, wait until all is read, and see that the rows are exactly these.
    pub(super) async fn settle(&self, expected: impl Fn(&Simulator) -> Members) {
        let control = self.control();
        control.set_rate(Rate::Paused);
        let deadline = Instant::now() + PATIENCE;
        let report = loop {
            let report = self.against(&expected(&self.discord)).await;
            let over = report.counted >= report.sent && self.left().await == 0 && control.drained();
            if over || Instant::now() > deadline {
                break report;
            }
            sleep(Duration::from_millis(50)).await;
        };
        let left = self.left().await;
        assert!(
            report.is_exact() && report.sent > 0 && left == 0,
            "{report}: {:?}; {left} left; {:?}; {:?}",
            report.examples,
            self.gaps().await,
            control.stats()
        );
    }

    /// Wait until this many more messages were delivered to sessions.
    pub(super) async fn traffic(&self, messages: u64) {
        let sent = self.discord.oracle().sent();
        until("messages come", async || {
            (self.discord.oracle().sent() >= sent + messages).then_some(())
        })
        .await;
    }

    /// Wait until this many more messages were sent without a session to receive them.
    pub(super) async fn missed(&self, messages: u64) {
        let control = self.control();
        let before = control.stats().missed;
        until("messages are missed", async || {
            (control.stats().missed >= before + messages).then_some(())
        })
        .await;
    }

    /// Count some messages. Then end all sessions, and let this many events be missed.
    pub(super) async fn lose_sessions(&self, events: u64) {
        let control = self.control();
        self.up(2).await;
        control.generate(3_000);
        until("the first messages are sent", async || {
            (self.discord.oracle().sent() > 1_000).then_some(())
        })
        .await;
        settle_exactly(&self.discord, &self.store).await;
        control.kill_sessions(None);
        let before = control.stats().missed;
        control.generate(events);
        until("all of it is missed", async || {
            (control.stats().missed >= before + events).then_some(())
        })
        .await;
    }

    /// Interrupt a bot of these sessions in the middle of the backfill: a part is read back, and new messages are held.
    pub(super) async fn interrupt_backfill(&self, delay_ms: u64) {
        let control = self.control();
        self.delay_pages(delay_ms);
        control.reset(None);
        control.set_rate(Rate::PerSecond(500.0));
        until("a part is read back, and something waits", async || {
            let held = self.number("SELECT count(*) FROM backfill_message").await;
            (self.read_back().await > 0 && held > 0).then_some(())
        })
        .await;
        every_session_is_stored(&self.discord, &self.store).await;
    }

    /// Wait until both sessions were resumed once more than this.
    pub(super) async fn resumed(&self, resumes: u64) {
        let control = self.control();
        until("both sessions are resumed", async || {
            (control.stats().resumes >= resumes + 2).then_some(())
        })
        .await;
    }

    pub(super) async fn end(self) {
        self.store.close();
        self.scene.stop().await;
    }

    /// The same with a bot in this process.
    pub(super) async fn end_with(self, bot: Bot) {
        bot.drain(PATIENCE).await.expect("a clean end");
        self.end().await;
    }
}
