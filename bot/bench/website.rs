//! `make bench ARGS=--website`: pages of a leaderboard of a million members, requested while its members write.
//!
//! The same load of messages is measured without requests first, so that their effect on messages and on PostgreSQL is seen.

use std::{
    cell::Cell,
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use discord_simulator::{GatewayRules, Rate, RestRules, Simulator, SimulatorConfig, Traffic};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tokio_postgres::Client;

use crate::{
    Failure, cpu,
    figures::quantile,
    probes::Prober,
    server::Server,
    subject::{Bot, Kind, Subject},
    trial,
};

const MEMBERS: u32 = 1_000_000;
/// Messages a second.
const RATE: u32 = 1_000;
/// Connections, of which a free one sends the next request, as a proxy in front of the website does it.
const CONNECTIONS: u32 = 30;
/// How far visitors go, and whose pages they open.
const VISITED: u32 = 10_000;
/// How long the bot may take to give all members their rank buckets.
const PATIENCE: Duration = Duration::from_mins(5);
/// How late the last request may be; the others are left out then.
const OVERDUE: Duration = Duration::from_secs(5);
/// How long what was not measured before settles: names, plans and connections.
const WARM_UP: Duration = Duration::from_secs(3);

/// The pages, in turn. Those further down begin at any of the first [`VISITED`] members, whose names nobody has read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    First,
    Further,
    Member,
}

/// What was measured in one of the two times.
struct Measured {
    bot: f64,
    server: f64,
    commit_ms: Vec<f64>,
}

/// Measure, and say it in words.
pub(crate) async fn run(
    server: &Server,
    subject: &Subject,
    requests: u32,
    seconds: Duration,
) -> Result<String, Failure> {
    let database = server.fresh_database().await?;
    let discord = Simulator::start_on_own_thread(world()).await?;
    let mut bot = subject.start(&discord, &database, server.directory())?;
    trial::connected(&discord, &mut bot, 1).await?;
    let stage = Stage {
        server,
        session: server.observe().await?,
        discord: &discord,
        guild: discord.world().guilds()[0].id(),
        probed: Cell::new(0),
    };
    let told = stage
        .measure(&bot, requests, seconds)
        .await
        .map_err(|error| bot.error(&error.to_string()))?;
    bot.lives()?;
    bot.stop().await?;
    discord.stop().await;
    Ok(told)
}

fn world() -> SimulatorConfig {
    SimulatorConfig {
        guilds: 1,
        members: MEMBERS,
        traffic: Traffic {
            other: 0.0,
            bots: 0.0,
            webhooks: 0.0,
            system: 0.0,
            direct: 0.0,
            ..Traffic::default()
        },
        gateway: GatewayRules::default(),
        rest: RestRules {
            enforce: false,
            ..RestRules::default()
        },
        ..SimulatorConfig::default()
    }
}

struct Stage<'a> {
    server: &'a Server,
    session: Client,
    discord: &'a Simulator,
    guild: u64,
    /// Members that probes had before.
    probed: Cell<u64>,
}

impl Stage<'_> {
    async fn measure(&self, bot: &Bot, requests: u32, seconds: Duration) -> Result<String, Failure> {
        self.fill().await?;
        self.ranked(bot.website).await?;
        let control = self.discord.control();
        control.set_rate(Rate::PerSecond(RATE.into()));
        sleep(WARM_UP).await;
        let (alone, _) = self.during(bot, 0, seconds).await?;
        drop(self.during(bot, requests, WARM_UP).await?);
        let (with, took) = self.during(bot, requests, seconds).await?;
        control.pause();
        let mut told = vec![format!(
            "{RATE} messages a second in a server of {MEMBERS} members, for {} s without and with {requests} requests a second",
            seconds.as_secs()
        )];
        for (name, measured) in [("without", &alone), ("with", &with)] {
            told.push(format!(
                "{name:>8}: bot {:.1} % of a core, PostgreSQL {:.1} %; messages to commit p50 {:.0} ms, p99 {:.0} ms",
                measured.bot * 100.0,
                measured.server * 100.0,
                quantile(&measured.commit_ms, 0.5).unwrap_or(f64::NAN),
                quantile(&measured.commit_ms, 0.99).unwrap_or(f64::NAN)
            ));
        }
        for (name, kinds) in [
            ("all pages", &[Kept::First, Kept::Further, Kept::Member][..]),
            ("first page", &[Kept::First]),
            ("further page", &[Kept::Further]),
            ("member", &[Kept::Member]),
        ] {
            let took: Vec<f64> = took
                .iter()
                .filter(|(of, _)| kinds.contains(of))
                .map(|(_, took)| *took)
                .collect();
            told.push(format!(
                "{name:>12}: {} requests, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
                took.len(),
                quantile(&took, 0.5).unwrap_or(f64::NAN),
                quantile(&took, 0.99).unwrap_or(f64::NAN),
                quantile(&took, 1.0).unwrap_or(f64::NAN)
            ));
        }
        Ok(told.join("\n") + "\n")
    }

    /// Give every member a row, and show the leaderboard to everyone.
    async fn fill(&self) -> Result<(), Failure> {
        const AT_ONCE: u32 = 20_000;
        let sql = "INSERT INTO member_xp (guild_id, user_id, xp, message_count)
                   SELECT $1, user_id, xp, 1 + xp / 20 FROM unnest($2::int8[], $3::int8[]) AS given (user_id, xp)
                   ON CONFLICT DO NOTHING";
        let guild = self.guild.cast_signed();
        for first in (0..MEMBERS).step_by(AT_ONCE as usize) {
            let members = (first..MEMBERS.min(first + AT_ONCE)).filter_map(|rank| {
                let member = self.discord.world().member_id(self.guild, rank)?;
                Some((member.cast_signed(), xp_of(rank)))
            });
            let (ids, xp): (Vec<i64>, Vec<i64>) = members.unzip();
            self.session.execute(sql, &[&guild, &ids, &xp]).await?;
        }
        let show = format!(
            "INSERT INTO guild_section (guild_id, section, settings) VALUES ({guild}, 'levels', '{{\"leaderboard\": \"public\"}}');
             ANALYZE"
        );
        self.session.batch_execute(&show).await?;
        Ok(())
    }

    /// Wait until the bot has given all members their rank buckets, as it does when a page had to sort them.
    async fn ranked(&self, website: SocketAddr) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        let mut visitor = Visitor::connect(website).await?;
        let placed = "SELECT FROM ranked_guild WHERE placed";
        while self.session.query(placed, &[]).await?.is_empty() {
            if Instant::now() > deadline {
                return Err("the members got no rank buckets in time".into());
            }
            visitor.get(&self.first()).await?;
            sleep(Duration::from_millis(500)).await;
        }
        for sql in ["VACUUM (ANALYZE) member_xp", "CHECKPOINT"] {
            self.session.batch_execute(sql).await?;
        }
        Ok(())
    }

    fn first(&self) -> String {
        format!("/servers/{}/leaderboard", self.guild)
    }

    async fn during(
        &self,
        bot: &Bot,
        requests: u32,
        seconds: Duration,
    ) -> Result<(Measured, Vec<(Kept, f64)>), Failure> {
        let probing = self.server.observe().await?;
        let prober = Prober::new(self.discord, &probing, Kind::Eventide, RATE.into()).await?;
        let mut prober = prober.starting_at(self.probed.get());
        let (began, bot_before, server_before) = (
            Instant::now(),
            cpu::of_process(bot.pid)?,
            cpu::of_server(self.server.pid)?,
        );
        let end = began + seconds;
        let mut visitors = JoinSet::new();
        let next = Arc::new(AtomicU32::new(0));
        for _ in 0..CONNECTIONS.min(requests) {
            let world = self.discord.world();
            let members: Vec<(u64, i64)> = (0..1_000)
                .filter_map(|_| {
                    let rank = fastrand::u32(..VISITED);
                    Some((world.member_id(self.guild, rank)?, xp_of(rank)))
                })
                .collect();
            let every = Duration::from_secs(1) / requests;
            let next = Arc::clone(&next);
            visitors.spawn(visit(bot.website, self.guild, members, (next, every), began..end));
        }
        prober.run(|| Instant::now() >= end).await?;
        prober.wait(Instant::now() + PATIENCE).await?;
        let mut took = Vec::new();
        while let Some(visited) = visitors.join_next().await {
            took.extend(visited??);
        }
        let spent = |before: Duration, after: Duration| {
            after.saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64()
        };
        let (bot_share, server_share) = (
            spent(bot_before, cpu::of_process(bot.pid)?),
            spent(server_before, cpu::of_server(self.server.pid)?),
        );
        let more = u64::try_from(prober.members().len())?;
        self.probed.set(self.probed.get() + more);
        let commit_ms = prober
            .took()
            .iter()
            .map(|took| took.as_secs_f64() * 1_000.0)
            .collect();
        let measured = Measured {
            bot: bot_share,
            server: server_share,
            commit_ms,
        };
        Ok((measured, took))
    }
}

/// Send over one connection what is next, and so on. The times, in milliseconds, are from when a request should have been sent, so they
/// include the wait for a free connection.
async fn visit(
    website: SocketAddr,
    guild: u64,
    members: Vec<(u64, i64)>,
    (next, every): (Arc<AtomicU32>, Duration),
    during: Range<Instant>,
) -> Result<Vec<(Kept, f64)>, Failure> {
    let mut visitor = Visitor::connect(website).await?;
    let mut took = Vec::new();
    for (member, xp) in members.iter().cycle() {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let at = during.start + every * number;
        if at >= during.end || Instant::now() >= during.end + OVERDUE {
            break;
        }
        sleep_until(at).await;
        let (kind, path) = match number % 10 {
            0..7 => (Kept::First, format!("/servers/{guild}/leaderboard")),
            7..9 => (
                Kept::Further,
                format!("/servers/{guild}/leaderboard?after={xp}-{member}"),
            ),
            _ => (Kept::Member, format!("/servers/{guild}/members/{member}")),
        };
        visitor.get(&path).await?;
        took.push((kind, at.elapsed().as_secs_f64() * 1_000.0));
    }
    Ok(took)
}

/// The XP of a member before anything is measured: few have much, and most have little.
#[expect(clippy::cast_possible_truncation, reason = "far below 2^63")]
fn xp_of(rank: u32) -> i64 {
    15 + (2_000_000.0 / f64::from(1 + rank).powf(0.8)) as i64
}

/// A connection to the website.
struct Visitor(BufReader<TcpStream>);

impl Visitor {
    async fn connect(website: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(website).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Read a page, which must be there.
    async fn get(&mut self, path: &str) -> Result<(), Failure> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes()).await?;
        let (mut length, mut line) = (0, String::new());
        self.0.read_line(&mut line).await?;
        let status = line.clone();
        loop {
            line.clear();
            self.0.read_line(&mut line).await?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse()?;
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        if status.starts_with("HTTP/1.1 200") {
            Ok(())
        } else {
            Err(format!("{path}: {}", status.trim_end()).into())
        }
    }
}
