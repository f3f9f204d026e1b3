//! One bot under one load, from an empty database to the comparison with the oracle.

use std::time::Duration;

use discord_simulator::{Rate, Simulator};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use crate::{
    Failure,
    cells::{Cell, Load},
    commands, cpu,
    figures::Trial,
    probes::Prober,
    server::Server,
    subject::{Bot, Kind, Subject},
};

/// How long a bot may take to start, and to catch up with what was sent.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long an idle bot is left alone before it is measured.
const CALM: Duration = Duration::from_secs(1);
/// Between two questions whether everything is counted.
const POLL: Duration = Duration::from_millis(10);
/// Probes at full speed come as at this rate.
const FULL_RATE: f64 = 1_000.0;

/// Measure.
///
/// # Errors
///
/// Something could not be started, or the table does not hold what was sent.
pub(crate) async fn run(
    server: &Server,
    cell: &Cell,
    subject: &Subject,
    seconds: Duration,
) -> Result<Trial, Failure> {
    let database = server.fresh_database().await?;
    let discord = Simulator::start_on_own_thread(cell.world(seconds)).await?;
    let began = Instant::now();
    let mut bot = subject.start(&discord, &database, server.directory())?;
    connected(&discord, &mut bot, cell.shards).await?;
    let startup = began.elapsed();
    let stage = Stage {
        server,
        discord: &discord,
        session: server.observe().await?,
        kind: subject.kind,
    };
    let trial = stage
        .measure(&bot, cell, seconds, startup)
        .await
        .map_err(|error| bot.error(&format!("under the load {}: {error}", cell.name)))?;
    bot.lives()?;
    bot.stop().await?;
    discord.stop().await;
    Ok(trial)
}

/// Wait until every shard has a session and all its guilds.
pub(crate) async fn connected(discord: &Simulator, bot: &mut Bot, shards: u32) -> Result<(), Failure> {
    let control = discord.control();
    let deadline = Instant::now() + PATIENCE;
    while control.stats().sessions_started() < shards as usize || !control.drained() {
        bot.lives()?;
        if Instant::now() > deadline {
            return Err(bot.error("does not connect all its shards"));
        }
        sleep(POLL).await;
    }
    Ok(())
}

/// Everything that takes part.
struct Stage<'a> {
    server: &'a Server,
    discord: &'a Simulator,
    session: Client,
    kind: Kind,
}

/// Counters at one moment.
struct Snapshot {
    at: Instant,
    bot: Duration,
    server: Duration,
    log_position: String,
    sent: u64,
}

impl Stage<'_> {
    async fn measure(
        &self,
        bot: &Bot,
        cell: &Cell,
        seconds: Duration,
        startup: Duration,
    ) -> Result<Trial, Failure> {
        let control = self.discord.control();
        if let Some((rate, messages)) = cell.warm_up() {
            control.set_rate(Rate::PerSecond(rate.into()));
            self.sent(messages.into()).await?;
            control.pause();
            self.counted(0).await?;
        } else {
            sleep(CALM).await;
        }
        let rows_before = self.rows().await?;
        // Images of pages are written by the first change after a checkpoint: none here, so that each run has the same.
        self.session.batch_execute("CHECKPOINT").await?;
        let mut prober = Prober::new(self.discord, &self.session, self.kind, rate_of(cell.load)).await?;
        let before = self.snapshot(bot.pid).await?;
        match cell.load {
            Load::Idle => sleep(seconds).await,
            Load::Steady(rate) => {
                control.set_rate(Rate::PerSecond(rate.into()));
                let end = Instant::now() + seconds;
                prober.run(|| Instant::now() >= end).await?;
            }
            Load::Full(messages) => {
                control.set_rate(Rate::Full);
                let oracle = self.discord.oracle();
                let (end, deadline) = (before.sent + u64::from(messages), Instant::now() + PATIENCE);
                prober
                    .run(|| oracle.sent() >= end || Instant::now() > deadline)
                    .await?;
            }
        }
        control.pause();
        prober.wait(Instant::now() + PATIENCE).await?;
        let sent_probes = prober.members().to_vec();
        self.counted(sent_probes.len()).await?;
        let after = self.snapshot(bot.pid).await?;
        let peak_memory_bytes = cpu::peak_memory_bytes(bot.pid)?;
        let rows = self.rows().await? - rows_before;
        let log = self
            .server
            .log_between(&before.log_position, &after.log_position)
            .await?;
        let wal_bytes = self.log_bytes(&before.log_position, &after.log_position).await?;
        let answers = if cell.commands && !self.would_drown(cell.load) {
            control.set_rate(match cell.load {
                Load::Steady(rate) => Rate::PerSecond(rate.into()),
                Load::Full(_) => Rate::Full,
                Load::Idle => Rate::Paused,
            });
            let answers = commands::ask(self.discord, bot).await?;
            control.pause();
            self.counted(sent_probes.len()).await?;
            Some(answers)
        } else {
            None
        };
        let report = self
            .kind
            .compare(&self.session, &self.discord.oracle().expected(), &sent_probes)
            .await?;
        if !report.is_exact() {
            return Err(format!("NOT EXACT: {report}; {:?}", report.examples).into());
        }
        Ok(Trial {
            messages: after.sent - before.sent + sent_probes.len() as u64,
            seconds: (after.at - before.at).as_secs_f64(),
            bot_cpu_seconds: after.bot.saturating_sub(before.bot).as_secs_f64(),
            server_cpu_seconds: after.server.saturating_sub(before.server).as_secs_f64(),
            wal_bytes,
            log,
            peak_memory_bytes,
            new_rows: rows,
            startup_seconds: startup.as_secs_f64(),
            commit_ms: prober
                .took()
                .iter()
                .map(|took| took.as_secs_f64() * 1_000.0)
                .collect(),
            answers,
        })
    }

    /// Whether three more seconds of the load would keep the bot busy for a minute: a plain bot takes in everything that it can read.
    fn would_drown(&self, load: Load) -> bool {
        self.kind == Kind::Plain && matches!(load, Load::Full(_))
    }

    /// Wait until so many messages were sent in all.
    async fn sent(&self, messages: u64) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while self.discord.oracle().sent() < messages {
            if Instant::now() > deadline {
                return Err("the simulator does not send".into());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Wait until everything that was sent is in the table, with so many probes.
    async fn counted(&self, probes: usize) -> Result<(), Failure> {
        let control = self.discord.control();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let began = Instant::now();
            let sent = self.discord.oracle().sent() + probes as u64;
            if control.drained() {
                let (counted, _) = self.kind.counted(&self.session).await?;
                if counted == sent {
                    return Ok(());
                }
                if counted > sent {
                    return Err(format!("NOT EXACT: {sent} messages were sent and {counted} counted").into());
                }
                if began > deadline {
                    return Err(format!("of {sent} messages, {counted} were counted in time").into());
                }
            } else if began > deadline {
                return Err("the messages were not read in time".into());
            }
            // A sum over a large table must not become the load.
            sleep(POLL.max(began.elapsed() * 4)).await;
        }
    }

    async fn rows(&self) -> Result<u64, Failure> {
        Ok(self.kind.counted(&self.session).await?.1)
    }

    async fn snapshot(&self, pid: u32) -> Result<Snapshot, Failure> {
        let row = self
            .session
            .query_one("SELECT pg_current_wal_lsn()::text, pg_backend_pid()", &[])
            .await?;
        let own = cpu::of_thread(row.get::<_, i32>(1).cast_unsigned())?;
        Ok(Snapshot {
            at: Instant::now(),
            bot: cpu::of_process(pid)?,
            server: cpu::of_server(self.server.pid)?.saturating_sub(own),
            log_position: row.get(0),
            sent: self.discord.oracle().sent(),
        })
    }

    async fn log_bytes(&self, start: &str, end: &str) -> Result<u64, Failure> {
        let sql = "SELECT pg_wal_lsn_diff($1::text::pg_lsn, $2::text::pg_lsn)::int8";
        let row = self.session.query_one(sql, &[&end, &start]).await?;
        Ok(row.get::<_, i64>(0).cast_unsigned())
    }
}

fn rate_of(load: Load) -> f64 {
    match load {
        Load::Idle => 0.0,
        Load::Steady(rate) => rate.into(),
        Load::Full(_) => FULL_RATE,
    }
}
