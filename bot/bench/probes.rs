//! Probes: messages by members who are in no table, of which it is seen when each was sent and when its row can be read.
//!
//! The row is looked for on a session of its own, whose CPU time the caller takes out of the server's. A time is exact to one look,
//! [`LOOK`], plus the time of a query by primary key.

use std::time::Duration;

use discord_simulator::{Control, Simulator, at_ms};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, Statement};

use crate::{Failure, subject::Kind};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);
/// Probes a second, at most; and as a part of the messages.
const MOST_A_SECOND: f64 = 20.0;
const PART: f64 = 0.05;
/// Ids of members that no world has: accounts made in January 2026.
const FIRST_MEMBER: u64 = at_ms(1_767_225_600_000);
/// The bits of an id's process, which are none of the simulator's own.
const PROCESS: u64 = 5 << 12;

/// Sends probes and waits for them.
pub(crate) struct Prober<'a> {
    discord: &'a Simulator,
    control: Control,
    session: &'a Client,
    statement: Statement,
    interval: Duration,
    next_at: Instant,
    first: u64,
    members: Vec<u64>,
    /// Those that were not seen yet.
    waiting: Vec<Probe>,
    took: Vec<Duration>,
}

struct Probe {
    guild: u64,
    member: u64,
    /// The session that gets it, and the least sequence at which it has.
    session: String,
    sequence: u64,
    sent: Option<Instant>,
}

impl<'a> Prober<'a> {
    /// One for a load of so many messages a second.
    pub(crate) async fn new(
        discord: &'a Simulator,
        session: &'a Client,
        kind: Kind,
        rate: f64,
    ) -> Result<Self, Failure> {
        // By primary key, whatever the planner thinks of tables that nobody has analysed.
        session
            .batch_execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off")
            .await?;
        Ok(Self {
            discord,
            control: discord.control(),
            session,
            statement: session.prepare(&kind.visible()).await?,
            interval: Duration::from_secs_f64(1.0 / (rate * PART).clamp(1.0, MOST_A_SECOND)),
            next_at: Instant::now(),
            first: FIRST_MEMBER,
            members: Vec::new(),
            waiting: Vec::new(),
            took: Vec::new(),
        })
    }

    /// Begin with another member than the first.
    pub(crate) fn starting_at(mut self, number: u64) -> Self {
        self.first = FIRST_MEMBER + number;
        self
    }

    /// Probe until `over`.
    pub(crate) async fn run(&mut self, over: impl Fn() -> bool) -> Result<(), Failure> {
        while !over() {
            if Instant::now() >= self.next_at {
                // Not in step with a bot's flushes.
                self.next_at = Instant::now() + self.interval.mul_f64(0.5 + fastrand::f64());
                self.send()?;
            }
            self.look().await?;
        }
        Ok(())
    }

    /// Wait for those that are under way.
    pub(crate) async fn wait(&mut self, until: Instant) -> Result<(), Failure> {
        while !self.waiting.is_empty() {
            if Instant::now() > until {
                return Err(format!("{} probes were not counted in time", self.waiting.len()).into());
            }
            self.look().await?;
        }
        Ok(())
    }

    /// The members of all probes.
    pub(crate) fn members(&self) -> &[u64] {
        &self.members
    }

    /// From when each was sent to when its row could be read.
    pub(crate) fn took(self) -> Vec<Duration> {
        self.took
    }

    fn send(&mut self) -> Result<(), Failure> {
        let guilds = self.discord.world().guilds();
        let guild = &guilds[self.members.len() % guilds.len()];
        let number = self.members.len() as u64;
        let member = self.first + number;
        let id = at_ms(self.control.now_ms()) | PROCESS | number & 0xfff;
        let message = message(guild.id(), guild.channels()[0].id, member, id);
        self.control
            .dispatch(Some(guild.id()), "MESSAGE_CREATE", &message);
        let sessions = self.control.sessions();
        let session = sessions
            .into_iter()
            .find(|session| {
                let [shard, count] = session.shard.map(u64::from);
                session.alive && (guild.id() >> 22) % count == shard
            })
            .ok_or("a shard has no session")?;
        self.members.push(member);
        self.waiting.push(Probe {
            guild: guild.id(),
            member,
            session: session.id,
            sequence: session.last_seq,
            sent: None,
        });
        Ok(())
    }

    /// See which were sent, and which can be read.
    async fn look(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        if self.waiting.iter().any(|probe| probe.sent.is_none()) {
            let sessions = self.control.sessions();
            for probe in self.waiting.iter_mut().filter(|probe| probe.sent.is_none()) {
                let is_sent = sessions
                    .iter()
                    .any(|session| session.id == probe.session && session.sent_seq >= probe.sequence);
                probe.sent = is_sent.then(Instant::now);
            }
        }
        let sent = self.waiting.iter().filter(|probe| probe.sent.is_some());
        let (guilds, members): (Vec<i64>, Vec<i64>) = sent
            .map(|probe| (probe.guild.cast_signed(), probe.member.cast_signed()))
            .unzip();
        if !members.is_empty() {
            let rows = self.session.query(&self.statement, &[&guilds, &members]).await?;
            let now = Instant::now();
            let seen: Vec<u64> = rows
                .iter()
                .map(|row| row.get::<_, i64>(0).cast_unsigned())
                .collect();
            for probe in self.waiting.extract_if(.., |probe| seen.contains(&probe.member)) {
                self.took.extend(probe.sent.map(|sent| now - sent));
            }
        }
        // Where many wait, looking must not become the load.
        sleep(LOOK.max(began.elapsed() * 4)).await;
        Ok(())
    }
}

/// A message as Discord sends it to a bot without the intent for content.
fn message(guild: u64, channel: u64, member: u64, id: u64) -> String {
    json!({
        "type": 0, "tts": false, "timestamp": "2026-11-21T10:15:30.123000+00:00", "pinned": false, "mentions": [],
        "mention_roles": [], "mention_everyone": false, "flags": 0, "embeds": [], "edited_timestamp": null,
        "content": "", "components": [], "attachments": [], "channel_type": 0,
        "id": id.to_string(), "channel_id": channel.to_string(), "guild_id": guild.to_string(),
        "author": {
            "id": member.to_string(), "username": "probe", "global_name": null, "discriminator": "0",
            "avatar": null, "public_flags": 0,
        },
        "member": {
            "roles": [], "nick": null, "avatar": null, "joined_at": "2026-02-03T04:05:06.789000+00:00",
            "premium_since": null, "deaf": false, "mute": false, "pending": false, "flags": 0,
            "communication_disabled_until": null,
        },
    })
    .to_string()
}
