//! The bots that are measured, and where each keeps what it has counted.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use discord_simulator::{Members, Report, Row, Simulator};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};
use tokio_postgres::Client;

use crate::Failure;

/// How long a bot may take to stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lines of its log that are shown when it fails.
const LAST_WORDS: usize = 5;

/// Which bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Eventide,
    Plain,
}

impl Kind {
    /// For people, and in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Eventide => "eventide",
            Self::Plain => "plain bot",
        }
    }

    const fn table(self) -> &'static str {
        match self {
            Self::Eventide => "member_xp",
            Self::Plain => "plain_level",
        }
    }

    /// The messages in the table, and its rows.
    pub(crate) async fn counted(self, session: &Client) -> Result<(u64, u64), Failure> {
        let sql = format!(
            "SELECT coalesce(sum(message_count), 0)::int8, count(*) FROM {}",
            self.table()
        );
        let row = session.query_one(&sql, &[]).await?;
        Ok((
            row.get::<_, i64>(0).cast_unsigned(),
            row.get::<_, i64>(1).cast_unsigned(),
        ))
    }

    /// Which of the members given as parallel lists of guilds and users have a row.
    pub(crate) fn visible(self) -> String {
        format!(
            "SELECT found.user_id FROM unnest($1::int8[], $2::int8[]) AS wanted (guild_id, user_id)
             JOIN {} AS found ON found.guild_id = wanted.guild_id AND found.user_id = wanted.user_id",
            self.table()
        )
    }

    /// Hold the table against the oracle, but for the probes, of whom each must have one message. The plain bot draws its XP, as tutorials do,
    /// so only its messages can be compared.
    pub(crate) async fn compare(
        self,
        session: &Client,
        expected: &Members,
        probes: &[u64],
    ) -> Result<Report, Failure> {
        let sql = format!(
            "SELECT guild_id, user_id, xp, message_count,
                    (extract(epoch FROM last_award_at) * 1000)::int8 FROM {}",
            self.table()
        );
        let mut probes: Vec<u64> = probes.to_vec();
        probes.sort_unstable();
        let (mut rows, mut right_probes) = (Vec::new(), 0);
        for row in session.query(&sql, &[]).await? {
            let number = |column: usize| row.get::<_, i64>(column).cast_unsigned();
            let (guild_id, user_id, message_count) = (number(0), number(1), number(3));
            if probes.binary_search(&user_id).is_ok() {
                right_probes += usize::from(message_count == 1);
                continue;
            }
            let mut state = expected.get(&(guild_id, user_id)).copied().unwrap_or_default();
            state.message_count = message_count;
            if self == Self::Eventide {
                state.xp = number(2);
                state.last_award_ms = row.get::<_, Option<i64>>(4).map(i64::cast_unsigned);
            }
            rows.push(Row {
                guild_id,
                user_id,
                state,
            });
        }
        if right_probes != probes.len() {
            return Err(format!("of {} probes, {right_probes} were counted once", probes.len()).into());
        }
        Ok(Report::new(expected, rows))
    }
}

/// A bot's program.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) program: PathBuf,
    /// Whether Eventide serves its website, which is off by default.
    pub(crate) has_website: bool,
}

impl Subject {
    pub(crate) const fn new(kind: Kind, program: PathBuf) -> Self {
        Self {
            kind,
            program,
            has_website: false,
        }
    }

    /// Start it, with nothing of this machine's configuration.
    pub(crate) fn start(
        &self,
        discord: &Simulator,
        database: &str,
        directory: &Path,
    ) -> Result<Bot, Failure> {
        let log = directory.join("bot.log");
        let file = fs::File::create(&log)?;
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true);
        // Ports that are free now.
        let free = || TcpListener::bind("127.0.0.1:0")?.local_addr();
        let (http, website) = (free()?, free()?);
        match self.kind {
            Kind::Eventide => {
                let cooldown_s = discord.config().levels.cooldown_ms / 1_000;
                command
                    .arg("run")
                    .env("DISCORD_TOKEN", &discord.config().token)
                    .env("DATABASE_URL", database)
                    .env("EVENTIDE__DISCORD__API_URL", discord.rest_url())
                    .env("EVENTIDE__DISCORD__CDN_URL", discord.rest_url())
                    .env("EVENTIDE__LEVELS__COOLDOWN_SECONDS", cooldown_s.to_string())
                    .env("EVENTIDE__HTTP__LISTEN", http.to_string())
            }
            Kind::Plain => {
                let rest = discord.rest_url();
                command
                    .args(["--token", &discord.config().token])
                    .args(["--rest", rest.trim_start_matches("http://")])
                    .args(["--database", database])
            }
        };
        if self.has_website {
            command
                .env("EVENTIDE__WEB__LISTEN", website.to_string())
                .env("EVENTIDE__WEB__URL", format!("http://{website}"))
                .env("EVENTIDE__WEB__REQUESTS_PER_MINUTE", "1000000");
        }
        let process = command
            .spawn()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        let pid = process.id().ok_or("the bot has ended at once")?;
        Ok(Bot {
            kind: self.kind,
            process,
            pid,
            http,
            website,
            log,
        })
    }
}

/// A bot that runs. It is killed when it is dropped.
pub(crate) struct Bot {
    kind: Kind,
    process: Child,
    pub(crate) pid: u32,
    http: SocketAddr,
    /// Where Eventide serves its website, if it does.
    pub(crate) website: SocketAddr,
    log: PathBuf,
}

impl Bot {
    /// An error if it has ended.
    pub(crate) fn lives(&mut self) -> Result<(), Failure> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(self.error(&format!("has ended with {status}"))),
        }
    }

    /// A failure of this bot's, with the end of its log.
    pub(crate) fn error(&self, what: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n");
        format!("{} {what}; the end of its log:\n{last}", self.kind.name()).into()
    }

    /// What it measures of itself; nothing of the plain bot.
    pub(crate) async fn metrics(&self) -> Result<String, Failure> {
        if self.kind == Kind::Plain {
            return Ok(String::new());
        }
        let mut stream = TcpStream::connect(self.http).await?;
        stream
            .write_all(b"GET /metrics HTTP/1.0\r\nHost: bot\r\n\r\n")
            .await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    }

    /// End it at once, as SIGKILL does.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        Ok(self.process.kill().await?)
    }

    /// Have it stop, and wait for that.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        kill(Pid::from_raw(i32::try_from(self.pid)?), Signal::SIGTERM)?;
        let status = timeout(PATIENCE, self.process.wait())
            .await
            .map_err(|_elapsed| self.error("does not stop"))??;
        // The plain bot knows no signals.
        if self.kind == Kind::Eventide && !status.success() {
            return Err(self.error(&format!("has stopped with {status}")));
        }
        Ok(())
    }
}
