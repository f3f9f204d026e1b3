//! A fleet: real processes between one PostgreSQL and one simulated Discord, and the conditions to wait for between two events.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::PathBuf,
    process::Stdio,
    time::{Duration, SystemTime},
};

use discord_simulator::{LevelRules, Rate, Report, Simulator, SimulatorConfig};
use eventide::postgres::{Statement, Store};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    process::Child,
    time::{Instant, sleep},
};
use tokio_postgres::types::Type;

use super::{Form, Scenario};
use crate::support::{
    PATIENCE, Scene,
    bot::{command_on, compare, discord},
    scrape,
    session::Session,
    unsteady::Unsteady,
    until,
};

/// Everything that takes part.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) discord: Simulator,
    pub(super) store: Store,
    pub(super) form: Form,
    /// How many shards there are to be.
    pub(super) shards: u32,
    /// How many sessions all this may cost.
    pub(super) sessions: u32,
    /// Those that were started and neither stopped nor killed.
    pub(super) processes: Vec<Process>,
    /// The ways that some of them have to PostgreSQL.
    pub(super) ways: Vec<Unsteady>,
    /// Every process's log.
    directory: TempDir,
    settings: &'static [(&'static str, &'static str)],
    started: u32,
}

/// How it was when everything had stopped.
pub(super) struct End {
    pub(super) shards: u32,
    pub(super) sessions: u32,
    pub(super) report: Report,
    pub(super) gaps: i64,
    pub(super) identifies: usize,
    /// Further errors.
    pub(super) wrong: Vec<String>,
}

/// The real binary.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn pid(&self) -> i32 {
        i32::try_from(self.child.id().expect("it runs")).expect("a pid")
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("a signal");
    }

    /// The sum of all its metrics whose line begins so.
    pub(super) async fn metric(&self, beginning: &str) -> f64 {
        let log = fs::read_to_string(&self.log).expect("the process's log");
        scrape::metric(&log, beginning).await
    }

    /// How many batches of it were refused because the shard was another's.
    pub(super) async fn refused(&self) -> f64 {
        self.metric("eventide_flush_fenced_total").await
    }
}

impl Stage {
    pub(super) async fn new(scenario: &Scenario, form: Form) -> Self {
        let mut world = SimulatorConfig {
            shards: form.shards(),
            guilds: 10 * form.shards(),
            members: 500 * form.shards(),
            levels: LevelRules {
                cooldown_ms: 60_000,
                ..LevelRules::default()
            },
            ..SimulatorConfig::default()
        };
        world.gateway.client_events_per_minute = 100_000;
        (scenario.world)(&mut world, form);
        let shards = world.shards;
        let scene = Scene::new().await;
        let discord = discord(world).await;
        let store = scene.store();
        Self {
            scene,
            discord,
            store,
            form,
            shards,
            sessions: shards,
            processes: Vec::new(),
            ways: Vec::new(),
            directory: TempDir::new().expect("a temporary directory"),
            settings: scenario.settings,
            started: 0,
        }
    }

    /// Start one more.
    pub(super) fn start(&mut self) {
        let connection = self.scene.postgres.connection();
        self.spawn(&connection);
    }

    /// Start another process with its own connection to PostgreSQL.
    pub(super) fn start_with_a_way(&mut self) {
        let way = Unsteady::start(self.scene.postgres.socket_directory());
        let connection = way.lead(&self.scene.postgres.connection());
        self.ways.push(way);
        self.spawn(&connection);
    }

    fn spawn(&mut self, connection: &tokio_postgres::Config) {
        self.started += 1;
        let log = self.directory.path().join(format!("{}.log", self.started));
        let child = command_on(&self.discord, connection)
            .env(
                "EVENTIDE__FLEET__LEASE_SECONDS",
                self.form.lease().as_secs().to_string(),
            )
            .env("EVENTIDE__LOG__FORMAT", "json")
            .envs(self.settings.iter().copied())
            .stderr(Stdio::from(File::create(&log).expect("a log")))
            .spawn()
            .expect("the binary starts");
        self.processes.push(Process { child, log });
    }

    /// SIGTERM, and wait for a clean end.
    pub(super) async fn stop(&mut self, index: usize) {
        self.processes[index].signal(Signal::SIGTERM);
        self.ends(index).await;
    }

    /// Wait for the clean end of one that was asked to stop.
    pub(super) async fn ends(&mut self, index: usize) {
        let mut process = self.processes.remove(index);
        let status = process.child.wait().await.expect("an end");
        assert!(
            status.success(),
            "a clean stop, not {status}: {}",
            last_words(&process.log)
        );
    }

    /// SIGKILL for any of them.
    pub(super) async fn kill_one(&mut self) {
        let mut process = self.processes.remove(fastrand::usize(..self.processes.len()));
        process.child.kill().await.expect("SIGKILL");
    }

    /// Members write from now on.
    pub(super) fn load(&self) {
        let rate = Rate::PerSecond(self.form.rate());
        self.discord.control().set_rate(rate);
    }

    /// Wait until some more is delivered.
    pub(super) async fn more(&self) {
        let control = self.discord.control();
        let before = control.stats().delivered;
        until("more is delivered", async || {
            (control.stats().delivered > before + 500).then_some(())
        })
        .await;
    }

    /// Whose each shard is, by number of process.
    async fn leases(&self) -> BTreeMap<i64, BTreeSet<u32>> {
        let statement = Statement::new(
            "leases",
            &[],
            "SELECT p.pid, l.shard_id FROM shard_lease AS l JOIN fleet AS f USING (shard_count)
                  JOIN fleet_process AS p USING (process_id)",
        );
        let mut leases = BTreeMap::<i64, BTreeSet<u32>>::new();
        for row in self.store.query(statement, &[]).await.expect("leases") {
            let shard = u32::try_from(row.get::<_, i64>(1)).expect("a shard");
            leases.entry(row.get(0)).or_default().insert(shard);
        }
        leases
    }

    /// How the others call it.
    pub(super) async fn id_of(&self, process: &Process) -> String {
        let statement = Statement::new(
            "id",
            &[Type::INT8],
            "SELECT process_id FROM fleet_process WHERE pid = $1",
        );
        let pid = i64::from(process.pid());
        self.store.query(statement, &[&pid]).await.expect("a process")[0].get(0)
    }

    /// The number of identifies left today.
    pub(super) async fn identifies_left(&self) -> i64 {
        let statement = Statement::new("identifies_left", &[], "SELECT identify_remaining FROM fleet");
        self.store.query(statement, &[]).await.expect("the fleet")[0].get(0)
    }

    /// How many shards have a session that can be resumed.
    pub(super) async fn sessions_stored(&self) -> i64 {
        let statement = Statement::new(
            "sessions_stored",
            &[],
            "SELECT count(session_id) FROM shard_checkpoint",
        );
        self.store.query(statement, &[]).await.expect("checkpoints")[0].get(0)
    }

    pub(super) async fn shards_of(&self, process: &Process) -> BTreeSet<u32> {
        let mut leases = self.leases().await;
        leases.remove(&i64::from(process.pid())).unwrap_or_default()
    }

    /// Wait until exactly the processes that run share the shards evenly, and each shard has a session that can be
    /// resumed, and a connection.
    pub(super) async fn is_shared(&mut self) {
        for process in &mut self.processes {
            let ended = process.child.try_wait().expect("a status");
            assert!(
                ended.is_none(),
                "a process has ended: {}",
                last_words(&process.log)
            );
        }
        let pids: BTreeSet<i64> = self
            .processes
            .iter()
            .map(|process| i64::from(process.pid()))
            .collect();
        let (shards, control) = (self.shards as usize, self.discord.control());
        until("the processes share the shards", async || {
            let leases = self.leases().await;
            let counts = || leases.values().map(BTreeSet::len);
            let even = counts().max()? - counts().min()? <= 1 && counts().sum::<usize>() == shards;
            let all = leases.keys().copied().collect::<BTreeSet<_>>() == pids;
            let stats = control.stats();
            let up = stats.sessions_started() >= shards && stats.connections_open == shards as u64;
            let can_be_resumed =
                usize::try_from(self.sessions_stored().await).is_ok_and(|stored| stored >= shards);
            (even && all && up && can_be_resumed).then_some(())
        })
        .await;
    }

    /// Wait until each of these shards was resumed after that time. Returns how long the last of them took.
    pub(super) async fn back_since(&self, since_ms: u64, shards: &BTreeSet<u32>) -> Duration {
        assert!(!shards.is_empty(), "there is something to take");
        let control = self.discord.control();
        let deadline = Instant::now() + PATIENCE;
        until("every shard is back", async || {
            if Instant::now() + Duration::from_secs(1) > deadline {
                let words: Vec<String> = self
                    .processes
                    .iter()
                    .map(|process| last_words(&process.log))
                    .collect();
                assert!(
                    shards.is_empty(),
                    "{shards:?} are not back: {:?}, {:?}, {:?}, {}",
                    control.resumes(),
                    control.stats(),
                    self.leases().await,
                    words.join("\n---\n")
                );
            }
            let mut back = BTreeMap::<u32, u64>::new();
            for resume in control.resumes().iter().filter(|resume| resume.at_ms >= since_ms) {
                back.entry(resume.shard).or_insert(resume.at_ms);
            }
            let last = shards
                .iter()
                .map(|shard| back.get(shard))
                .collect::<Option<Vec<_>>>()?;
            let last = last.into_iter().max()?;
            Some(Duration::from_millis(last - since_ms))
        })
        .await
    }

    /// The longest that any session was without a connection before it was resumed.
    pub(super) fn longest_silence(&self) -> Duration {
        let resumes = self.discord.control().resumes();
        let longest = resumes.iter().map(|resume| resume.away_ms).max();
        Duration::from_millis(longest.expect("something was resumed"))
    }

    /// A session that is none of the processes'.
    pub(super) async fn session(&self) -> Session {
        Session::open(&self.scene.postgres.connection().into()).await
    }

    /// Wait until everything sent is counted, stop every process, examine the final state, and take everything down.
    pub(super) async fn end(mut self) -> End {
        let control = self.discord.control();
        control.set_rate(Rate::Paused);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let report = compare(&self.discord, &self.store).await;
            if report.is_exact() && control.drained() {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        while !self.processes.is_empty() {
            self.stop(0).await;
        }
        let gaps = Statement::new("gaps", &[], "SELECT count(*) FROM gap");
        let gaps = self.store.query(gaps, &[]).await.expect("gaps")[0].get(0);
        let stats = control.stats();
        let mut wrong = self.panics();
        if stats.identify_violations() > 0 {
            wrong.push(format!("{} IDENTIFYs too soon", stats.identify_violations()));
        }
        let end = End {
            shards: self.shards,
            sessions: self.sessions,
            report: compare(&self.discord, &self.store).await,
            gaps,
            identifies: stats.identifies.len(),
            wrong,
        };
        self.store.close();
        self.scene.stop().await;
        end
    }

    /// Every process's log, in the order in which they were started.
    fn panics(&self) -> Vec<String> {
        let logs = (1..=self.started).map(|number| self.directory.path().join(format!("{number}.log")));
        logs.flat_map(|log| {
            let log = fs::read_to_string(log).expect("a log");
            let panics = log.lines().filter(|line| line.contains("panicked at"));
            panics.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
    }
}

fn last_words(log: &PathBuf) -> String {
    let log = fs::read_to_string(log).expect("the process's log");
    let mut lines: Vec<&str> = log.lines().rev().take(5).collect();
    lines.reverse();
    lines.join("\n")
}

/// As the simulator notes it.
pub(super) fn wall_clock_ms() -> u64 {
    let since = eventide::support::clock::host_time().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.expect("after 1970").as_millis()).expect("before the end of time")
}
