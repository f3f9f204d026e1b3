//! `make bench ARGS=--fleet`: many shards over many processes, while one is killed and another one is added.

use std::{fs, time::Duration};

use discord_simulator::{Rate, Simulator, SimulatorConfig};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use crate::{
    Failure, cpu, scale,
    server::Server,
    subject::{Bot, Kind, Subject},
};

const SHARDS: u32 = 1_000;
/// Messages a second, to all shards together.
const RATE: u32 = 2_000;
/// How long each stretch is measured.
const STRETCH: Duration = Duration::from_secs(20);
/// How long the shards may take to be where they belong.
const PATIENCE: Duration = Duration::from_mins(5);
const POLL: Duration = Duration::from_millis(20);

/// Measure a fleet of this many processes. Returns the result as text.
pub(crate) async fn run(server: &Server, subject: &Subject, processes: u32) -> Result<String, Failure> {
    let database = server.fresh_database().await?;
    let discord = Simulator::start_on_own_thread(SimulatorConfig {
        guilds: SHARDS,
        members: 100_000,
        ..scale::unlimited(SHARDS)
    })
    .await?;
    let mut fleet = Fleet {
        server,
        subject,
        discord: &discord,
        session: server.observe().await?,
        database,
        bots: Vec::new(),
        started: 0,
    };
    let told = fleet.measure(processes).await?;
    for bot in fleet.bots {
        bot.stop().await?;
    }
    discord.stop().await;
    Ok(told)
}

struct Fleet<'a> {
    server: &'a Server,
    subject: &'a Subject,
    discord: &'a Simulator,
    session: Client,
    database: String,
    bots: Vec<Bot>,
    /// How many processes were started.
    started: u32,
}

impl Fleet<'_> {
    async fn measure(&mut self, processes: u32) -> Result<String, Failure> {
        let control = self.discord.control();
        let began = Instant::now();
        for _ in 0..processes {
            self.add()?;
        }
        self.balanced().await?;
        let mut told = vec![format!(
            "{SHARDS} shards over {processes} processes: all up and balanced after {:.1} s",
            began.elapsed().as_secs_f64()
        )];
        told.push(self.stretch("no messages").await?);
        control.set_rate(Rate::PerSecond(RATE.into()));
        told.push(self.stretch(&format!("{RATE} messages/s")).await?);
        let before = control.stats();

        let began = Instant::now();
        self.bots.swap_remove(0).kill().await?;
        self.balanced().await?;
        told.push(format!(
            "a process killed: all shards up and balanced over {} after {:.1} s",
            self.bots.len(),
            began.elapsed().as_secs_f64()
        ));
        let began = Instant::now();
        self.add()?;
        self.balanced().await?;
        told.push(format!(
            "a process added: balanced over {} after {:.1} s",
            self.bots.len(),
            began.elapsed().as_secs_f64()
        ));
        let after = control.stats();
        told.push(format!(
            "meanwhile {} shards resumed and {} identified",
            after.resumes - before.resumes,
            after.identifies.len() - before.identifies.len()
        ));

        control.pause();
        let deadline = Instant::now() + PATIENCE;
        while !control.drained()
            || Kind::Eventide.counted(&self.session).await?.0 != self.discord.oracle().sent()
        {
            self.check(deadline, "do not count everything")?;
            sleep(Duration::from_millis(100)).await;
        }
        let expected = self.discord.oracle().expected();
        let report = Kind::Eventide.compare(&self.session, &expected, &[]).await?;
        if !report.is_exact() {
            return Err(format!("NOT EXACT: {report}; {:?}", report.examples).into());
        }
        told.push(format!(
            "{} messages, each counted once",
            self.discord.oracle().sent()
        ));
        Ok(told.join("\n") + "\n")
    }

    /// Start one more process.
    fn add(&mut self) -> Result<(), Failure> {
        self.started += 1;
        let directory = self.server.directory().join(format!("bot-{}", self.started));
        fs::create_dir(&directory)?;
        let bot = self.subject.start(self.discord, &self.database, &directory)?;
        self.bots.push(bot);
        Ok(())
    }

    /// Wait until each shard is connected, has received its guilds, and belongs to a process that has its fair part of them.
    async fn balanced(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        let fair = f64::from(SHARDS) / f64::from(u32::try_from(self.bots.len())?);
        loop {
            self.check(deadline, "do not balance their shards")?;
            let mut is_balanced = self.discord.control().stats().sessions_live >= u64::from(SHARDS);
            for bot in &self.bots {
                // A process that has just started does not listen yet.
                let metrics = bot.metrics().await.unwrap_or_default();
                let shards = metrics
                    .lines()
                    .find_map(|line| line.strip_prefix("eventide_fleet_shards ")?.parse::<f64>().ok());
                is_balanced &= shards.is_some_and(|shards| (shards - fair).abs() < 1.0);
            }
            let stats = self.discord.control().stats();
            if is_balanced && stats.connections_open == u64::from(SHARDS) {
                return Ok(());
            }
            sleep(POLL).await;
        }
    }

    /// What a stretch of time costs.
    async fn stretch(&mut self, name: &str) -> Result<String, Failure> {
        let before = self.spent().await?;
        let began = Instant::now();
        sleep(STRETCH).await;
        let after = self.spent().await?;
        let seconds = began.elapsed().as_secs_f64();
        self.check(Instant::now() + PATIENCE, "")?;
        let memory = self
            .bots
            .iter()
            .map(|bot| cpu::memory_bytes(bot.pid))
            .sum::<Result<u64, _>>()?;
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let connections: i64 = self.session.query_one(sql, &[]).await?.get(0);
        Ok(format!(
            "{name}: {:.1} transactions/s, {connections} connections; CPU of all bots {:.1} % of a core, of PostgreSQL {:.1} %; {} MiB in all bots",
            count(after.transactions - before.transactions) / seconds,
            after.bots.saturating_sub(before.bots).as_secs_f64() / seconds * 100.0,
            after.server.saturating_sub(before.server).as_secs_f64() / seconds * 100.0,
            memory >> 20,
        ))
    }

    async fn spent(&self) -> Result<Spent, Failure> {
        let sql =
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
        let row = self.session.query_one(sql, &[]).await?;
        let bots = self
            .bots
            .iter()
            .map(|bot| cpu::of_process(bot.pid))
            .sum::<Result<Duration, _>>()?;
        Ok(Spent {
            transactions: row.get::<_, i64>(0).cast_unsigned(),
            bots,
            server: cpu::of_server(self.server.pid)?,
        })
    }

    /// An error if a process has ended or the time is over.
    fn check(&mut self, deadline: Instant, what: &str) -> Result<(), Failure> {
        for bot in &mut self.bots {
            bot.lives()?;
        }
        match self.bots.first() {
            Some(bot) if Instant::now() > deadline => Err(bot.error(what)),
            _ => Ok(()),
        }
    }
}

/// What was used so far.
struct Spent {
    transactions: u64,
    bots: Duration,
    server: Duration,
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn count(number: u64) -> f64 {
    number as f64
}
