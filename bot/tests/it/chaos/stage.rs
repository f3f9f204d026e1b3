//! Everything that takes part in a fault, and the conditions to wait for between two of them.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    process::Stdio,
    time::Duration,
};

use discord_simulator::{
    LevelRules, Limit, MemberState, Oracle, Rate, Report, RestRules, Row as MemberRow, Simulator,
    SimulatorConfig,
};
use eventide::{
    features::levels::rows::member_xp,
    outbox::queue,
    postgres::{Statement, Store, StoreError},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    process::Child,
    time::{Instant, sleep},
};

use super::{Fault, SHARDS, disk::SmallDisk};
use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, discord},
    commit_cutter::CommitCutter,
    effects::TEMPLATE,
    scrape,
    session::{Session, every_session_is_stored},
    standby::REPLICATED,
    until,
};

/// Everything that takes part.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) discord: Simulator,
    pub(super) proxy: CommitCutter,
    pub(super) store: Store,
    pub(super) bot: Child,
    /// A disk that PostgreSQL writes to, and that can be filled.
    pub(super) disk: Option<SmallDisk>,
    /// When the fault was over, if that was not its function's end.
    pub(super) over: Option<Instant>,
    /// The bot's log, and files for its settings.
    pub(super) directory: TempDir,
    settings: Vec<(&'static str, String)>,
}

/// Levels are announced, and quickly enough for the load.
const ANNOUNCING: [(&str, &str); 6] = [
    ("EVENTIDE__LEVELS__XP_PER_MESSAGE", "[100, 120]"),
    ("EVENTIDE__LEVELS__ANNOUNCE", "same_channel"),
    ("EVENTIDE__LEVELS__ANNOUNCE_TEMPLATE", TEMPLATE),
    ("EVENTIDE__DISCORD__REQUESTS_PER_SECOND", "1000"),
    ("EVENTIDE__DISCORD__REQUEST_TIMEOUT_SECONDS", "2"),
    ("EVENTIDE__EFFECTS__LEASE_SECONDS", "5"),
];

/// How it was when everything had stopped.
pub(super) struct End {
    /// The comparison with the expected rows, without the events of gaps.
    pub(super) report: Report,
    pub(super) gaps: usize,
    /// Messages that fell into gaps.
    pub(super) missed: u64,
    pub(super) identifies: usize,
    /// Further errors.
    pub(super) wrong: Vec<String>,
}

impl Stage {
    pub(super) async fn new(fault: &Fault) -> Self {
        let mut world = SimulatorConfig {
            shards: u32::try_from(SHARDS).expect("few"),
            guilds: 100,
            members: 5_000,
            // Awards often enough for members to pass levels while something breaks.
            levels: LevelRules {
                cooldown_ms: 2_000,
                xp_min: 100,
                xp_max: 120,
            },
            rest: RestRules {
                messages: Limit {
                    requests: 1_000,
                    per: Duration::from_secs(1),
                },
                global_per_second: 1_000,
                ..RestRules::default()
            },
            ..SimulatorConfig::default()
        };
        (fault.world)(&mut world);
        Self::in_world(world, fault.settings, &ANNOUNCING).await
    }

    pub(super) async fn in_world(
        mut world: SimulatorConfig,
        settings: fn(&std::path::Path) -> Vec<(&'static str, String)>,
        more: &[(&'static str, &str)],
    ) -> Self {
        world.gateway.client_events_per_minute = 100_000;
        let scene = Scene::with(REPLICATED).await;
        let discord = discord(world).await;
        let proxy = CommitCutter::start(scene.postgres.socket_directory());
        let directory = TempDir::new().expect("a temporary directory");
        let mut settings = settings(directory.path());
        for (name, value) in more {
            if settings.iter().all(|(other, _)| other != name) {
                settings.push((name, (*value).to_owned()));
            }
        }
        let bot = spawn(
            &discord,
            &proxy.connection(&scene.postgres.connection()),
            &settings,
            log_in(&directory),
        );
        let store = scene.store();
        Self {
            scene,
            discord,
            proxy,
            store,
            bot,
            disk: None,
            over: None,
            directory,
            settings,
        }
    }

    /// Wait until every shard is up, can be resumed, and receives.
    pub(super) async fn receives(&mut self) {
        let control = self.discord.control();
        until("every shard receives", async || {
            let ended = self.bot.try_wait().expect("a status");
            assert!(ended.is_none(), "the bot has ended: {}", self.last_words());
            (control.stats().connections_open == SHARDS as u64).then_some(())
        })
        .await;
        every_session_is_stored(&self.discord, &self.store).await;
        let before = control.stats().delivered;
        until("more is delivered", async || {
            (control.stats().delivered >= before + 300).then_some(())
        })
        .await;
    }

    fn last_words(&self) -> String {
        let log = self.log();
        let mut lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.reverse();
        lines.join("\n")
    }

    pub(super) fn start_bot(&mut self) {
        self.bot = self.spawn_with(&[], self.log_file());
    }

    /// A bot with additional settings, whose output goes to `log`.
    pub(super) fn spawn_with(&self, more: &[(&'static str, &str)], log: Stdio) -> Child {
        let mut settings = self.settings.clone();
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let connection = self.proxy.connection(&self.scene.postgres.connection());
        spawn(&self.discord, &connection, &settings, log)
    }

    /// The end of the bot's log.
    pub(super) fn log_file(&self) -> Stdio {
        log_in(&self.directory)
    }

    /// A second process with a separate connection to PostgreSQL. Its log goes elsewhere.
    pub(super) fn start_another(&self) -> Child {
        let connection = self.scene.postgres.connection();
        spawn(&self.discord, &connection, &self.settings, Stdio::null())
    }

    /// Processes that have a shard's lease.
    pub(super) async fn processes_with_shards(&self) -> i64 {
        let count = Statement::new(
            "processes_with_shards",
            &[],
            "SELECT count(DISTINCT process_id) FROM shard_lease",
        );
        self.store.query(count, &[]).await.expect("counted")[0].get(0)
    }

    /// Whether every shard's checkpoint has moved lately.
    pub(super) async fn commits_of_all_shards_within(&self, time: Duration) -> bool {
        let oldest = Statement::new(
            "oldest_commit",
            &[],
            "SELECT extract(epoch FROM clock_timestamp() - min(updated_at))::float8 FROM shard_checkpoint",
        );
        let rows = self.store.query(oldest, &[]).await.expect("read");
        rows[0].get::<_, f64>(0) < time.as_secs_f64()
    }

    /// SIGTERM to a further process, and wait for a clean end.
    pub(super) async fn stop_gently(process: &mut Child) {
        let pid = i32::try_from(process.id().expect("a running process")).expect("a pid");
        kill(Pid::from_raw(pid), Signal::SIGTERM).expect("a signal");
        let status = process.wait().await.expect("an end");
        assert!(status.success(), "a clean stop, not {status}");
    }

    pub(super) fn signal_bot(&self, signal: Signal) {
        let pid = i32::try_from(self.bot.id().expect("a running bot")).expect("a pid");
        kill(Pid::from_raw(pid), signal).expect("a signal");
    }

    /// SIGTERM, and wait for a clean end.
    pub(super) async fn stop_bot(&mut self) {
        self.signal_bot(Signal::SIGTERM);
        let status = self.bot.wait().await.expect("an end");
        assert!(
            status.success(),
            "a clean stop, not {status}: {}",
            self.last_words()
        );
    }

    /// The bot's output so far, over all restarts.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("bot.log")).expect("the bot's log")
    }

    fn resumes_or_starts(&self) -> usize {
        let stats = self.discord.control().stats();
        usize::try_from(stats.resumes).unwrap_or(usize::MAX) + stats.sessions_started()
    }

    /// Wait until the connections are old enough to be good ones: the guard lengthens its pauses while they end sooner.
    pub(super) async fn steady(&self) {
        sleep(Duration::from_millis(2_100)).await;
    }

    /// Do something to every connection, and wait until every shard has another. The fault is over before that wait.
    pub(super) async fn on_gateway(&mut self, action: impl Fn(&Simulator)) {
        self.steady().await;
        let before = self.resumes_or_starts();
        action(&self.discord);
        self.over = Some(Instant::now());
        until("every shard is back", async || {
            (self.resumes_or_starts() >= before + SHARDS
                && self.discord.control().stats().connections_open == SHARDS as u64)
                .then_some(())
        })
        .await;
    }

    /// A session that is not the bot's, past the proxy.
    pub(super) async fn session(&self) -> Session {
        Session::open(&self.scene.postgres.connection().into()).await
    }

    /// The sum of all metrics whose line begins so.
    pub(super) async fn metric(&self, beginning: &str) -> f64 {
        scrape::metric(&self.log(), beginning).await
    }

    /// No more messages; wait until the tables hold all that they must.
    pub(super) async fn caught_up(&self) {
        let control = self.discord.control();
        control.set_rate(Rate::Paused);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.is_exact().await.unwrap_or(false) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        // What is missing is shown in the table at the end.
    }

    async fn is_exact(&self) -> Result<bool, StoreError> {
        let seen = self.seen().await?;
        // Compare everything only when it can be equal.
        Ok(seen.open_gaps == 0
            && (seen.counted >= self.discord.oracle().sent() || seen.gaps > 0)
            && self.report(&seen).await?.is_exact()
            // This comes after comparing the rows: their effects are committed with them, so all of them are delivered.
            && queue::backlog(&self.store).await?.waiting == 0)
    }

    async fn seen(&self) -> Result<Seen, StoreError> {
        let counted = Statement::new(
            "counted",
            &[],
            "SELECT coalesce(sum(message_count), 0)::int8 FROM member_xp",
        );
        let gaps = Statement::new(
            "gaps",
            &[], // Events missing inside a session that continues are lost, and reported as such.
            "SELECT session_id, min(last_sequence) FILTER (WHERE missing IS NULL),
                         count(*), count(*) FILTER (WHERE ended_at IS NULL)
                  FROM gap GROUP BY session_id",
        );
        let mut seen = Seen {
            counted: self.store.query(counted, &[]).await?[0]
                .get::<_, i64>(0)
                .cast_unsigned(),
            ..Seen::default()
        };
        for row in self.store.query(gaps, &[]).await? {
            seen.gaps += usize::try_from(row.get::<_, i64>(2)).expect("few");
            seen.open_gaps += row.get::<_, i64>(3);
            if let Some(last_sequence) = row.get::<_, Option<i64>>(1) {
                seen.limits.insert(row.get(0), last_sequence.cast_unsigned());
            }
        }
        Ok(seen)
    }

    /// Compare the table with everything except what fell into gaps.
    async fn report(&self, seen: &Seen) -> Result<Report, StoreError> {
        let oracle: Oracle = self.discord.oracle();
        let expected = if seen.limits.is_empty() {
            oracle.expected()
        } else {
            oracle.expected_at(&seen.limits).expect("nothing is forgotten")
        };
        let rows = member_xp::all(&self.store).await?;
        Ok(Report::new(
            &expected,
            rows.into_iter().map(|(key, total)| MemberRow {
                guild_id: key.guild_id.get(),
                user_id: key.user_id.get(),
                state: MemberState {
                    xp: total.xp,
                    message_count: total.messages,
                    last_award_ms: total.last_award.map(i64::cast_unsigned),
                },
            }),
        ))
    }

    /// The number of messages that members wrote, whether or not a session could receive them.
    fn written(&self) -> u64 {
        let all = self.discord.oracle().expected_with_missed(&HashMap::new());
        let all = all.expect("nothing is forgotten");
        all.values().map(|member| member.message_count).sum()
    }

    /// Stop the bot, examine its final state, and take everything down.
    pub(super) async fn end(mut self) -> End {
        self.stop_bot().await;
        let seen = self.seen().await.expect("rows");
        let report = self.report(&seen).await.expect("rows");
        let log = self.log();
        let panics = log.lines().filter(|line| line.contains("panicked at"));
        let end = End {
            missed: self.written().saturating_sub(report.sent),
            gaps: seen.gaps,
            identifies: self.discord.control().stats().sessions_started(),
            wrong: panics.map(str::to_owned).collect(),
            report,
        };
        self.store.close();
        self.scene.stop().await;
        drop(self.disk);
        end
    }
}

/// The contents of the tables.
#[derive(Default)]
struct Seen {
    counted: u64,
    gaps: usize,
    open_gaps: i64,
    /// The last sequence of each session that ended in a gap.
    limits: HashMap<String, u64>,
}

fn spawn(
    discord: &Simulator,
    connection: &tokio_postgres::Config,
    settings: &[(&'static str, String)],
    log: Stdio,
) -> Child {
    command_on(discord, connection)
        .envs(settings.iter().map(|(name, value)| (*name, value)))
        .env("EVENTIDE__LOG__FORMAT", "json")
        .stderr(log)
        .spawn()
        .expect("the binary starts")
}

/// The end of the log of a bot in the directory.
fn log_in(directory: &TempDir) -> Stdio {
    let log: File = OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.path().join("bot.log"))
        .expect("a log");
    Stdio::from(log)
}
