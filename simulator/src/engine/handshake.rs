//! IDENTIFY and RESUME: giving sessions to connections.

use tokio::time::{Duration, Instant};

use super::Engine;
use crate::{
    config::{INTENT_GUILD_MEMBERS, INTENT_GUILD_PRESENCES, INTENT_MESSAGE_CONTENT, PrunedResume, Refusal},
    record::{Kind, Record},
    session::Session,
    snowflake::{mix, wall_clock_ms},
    stats::{Identify, IdentifyOutcome, Resume},
    world::World,
};

/// What a client asked to enter with is answered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It has this session now.
    Session(usize),
    /// Op 9 with `false`.
    Invalid,
    Close(u16),
}

/// A RESUME.
pub(crate) struct ResumeRequest<'a> {
    pub(crate) token: &'a str,
    pub(crate) session_id: &'a str,
    pub(crate) seq: u64,
}

/// All intents that Discord documents.
const KNOWN_INTENTS: u64 = 0b11_0011_0001_1111_1111_1111_1111;
const PRIVILEGED: u64 = INTENT_GUILD_MEMBERS | INTENT_GUILD_PRESENCES | INTENT_MESSAGE_CONTENT;
const DAY: Duration = Duration::from_hours(24);
/// No bot has more shards than this; a larger number would only cost memory.
const MOST_SHARDS: u32 = 16_384;

impl Engine {
    /// Whether a token as sent by a client is the right one. Libraries differ in whether they put `Bot` before it.
    pub(crate) fn token_is_right(&self, token: &str) -> bool {
        token.strip_prefix("Bot ").unwrap_or(token) == self.token
    }

    /// An IDENTIFY.
    pub(crate) fn identify(
        &mut self,
        world: &World,
        connection: u64,
        token: &str,
        intents: u64,
        shard: [u32; 2],
    ) -> Entry {
        let outcome = self.judge_identify(world, token, intents, shard);
        self.stats.identifies.push(Identify {
            shard: shard[0],
            shards: shard[1],
            at_ms: wall_clock_ms(),
            outcome,
        });
        match outcome {
            IdentifyOutcome::Closed(code) => Entry::Close(code),
            IdentifyOutcome::TooSoon | IdentifyOutcome::BudgetUsedUp => Entry::Invalid,
            IdentifyOutcome::Ready => Entry::Session(self.begin(world, connection, intents, shard)),
        }
    }

    fn judge_identify(
        &mut self,
        world: &World,
        token: &str,
        intents: u64,
        shard: [u32; 2],
    ) -> IdentifyOutcome {
        use IdentifyOutcome::{BudgetUsedUp, Closed, Ready, TooSoon};
        if !self.token_is_right(token) {
            return Closed(4004);
        }
        if shard[1] == 0 || shard[1] > MOST_SHARDS || shard[0] >= shard[1] {
            return Closed(4010);
        }
        let guilds = self.sampler(world, shard[0], shard[1]).1.len();
        if guilds > self.rules.guilds_per_shard as usize {
            return Closed(4011);
        }
        if intents & !KNOWN_INTENTS != 0 {
            return Closed(4013);
        }
        if intents & PRIVILEGED & !self.rules.privileged_intents != 0 {
            return Closed(4014);
        }
        while self
            .identifies_today
            .front()
            .is_some_and(|at| at.elapsed() >= DAY)
        {
            self.identifies_today.pop_front();
        }
        if self.identifies_left() == 0 {
            return BudgetUsedUp;
        }
        self.identifies_today.push_back(Instant::now());
        let bucket = shard[0] % self.rules.max_concurrency.max(1);
        let now = Instant::now();
        let before = self.identified_at.get(&bucket);
        if before.is_some_and(|&before| now - before < self.rules.identify_window) {
            return TooSoon;
        }
        self.identified_at.insert(bucket, now);
        Ready
    }

    /// How many IDENTIFYs are left today.
    pub(crate) fn identifies_left(&self) -> u32 {
        let used = u32::try_from(self.identifies_today.len()).unwrap_or(u32::MAX);
        self.rules.identify_total.saturating_sub(used)
    }

    /// When the daily budget is whole again, in milliseconds.
    pub(crate) fn identifies_reset_after_ms(&self) -> u64 {
        self.identifies_today.front().map_or(0, |at| {
            u64::try_from(DAY.saturating_sub(at.elapsed()).as_millis()).unwrap_or(0)
        })
    }

    fn begin(&mut self, world: &World, connection: u64, intents: u64, shard: [u32; 2]) -> usize {
        let key = self.sessions.len();
        // Not the index alone: a session of an earlier run must not look like one of this run.
        let id = format!(
            "{:016x}{:016x}",
            mix(self.seed ^ wall_clock_ms()),
            mix(key as u64 + 1)
        );
        self.by_id.insert(id.clone(), key);
        self.sessions
            .push(Session::new(id, shard, intents, self.history.end(), connection));
        let [number, total] = shard;
        let route = self
            .routes
            .iter()
            .position(|&(at, _)| at == total)
            .unwrap_or_else(|| {
                self.routes.push((total, vec![Vec::new(); total as usize]));
                self.routes.len() - 1
            });
        self.routes[route].1[number as usize].push(key);
        self.attach(key, connection);
        let guilds = self.sampler(world, number, total);
        let now = self.clock.next_id();
        self.publish_to(key, Record::bare(Kind::Ready, now));
        let mut ordered = guilds.1.clone();
        ordered.sort_unstable();
        for guild in ordered {
            if intents & Kind::GuildCreate.intents() != 0 && !self.overlay.is_kicked(guild) {
                self.publish_to(
                    key,
                    Record {
                        guild,
                        ..Record::bare(Kind::GuildCreate, now)
                    },
                );
            }
            if !std::mem::replace(&mut self.opened[guild as usize], true) {
                self.opened_count += 1;
            }
        }
        self.opened_direct |= number == 0;
        self.wake_dirty();
        key
    }

    /// A RESUME.
    pub(crate) fn resume(&mut self, connection: u64, request: &ResumeRequest<'_>) -> Entry {
        let entry = self.judge_resume(request);
        let Entry::Session(key) = entry else {
            self.stats.resumes_refused += 1;
            return entry;
        };
        self.stats.resumes += 1;
        let session = &mut self.sessions[key];
        let [shard, shards] = session.shard;
        let away = session.left_at.map_or(Duration::ZERO, |left| left.elapsed());
        self.resumes.push(Resume {
            shard,
            shards,
            at_ms: wall_clock_ms(),
            away_ms: u64::try_from(away.as_millis()).unwrap_or(u64::MAX),
        });
        self.stats.pruned_and_lost += session.forgotten.saturating_sub(request.seq);
        session.sent = request.seq.max(session.forgotten);
        session.written = session.sent;
        self.attach(key, connection);
        let now = self.clock.next_id();
        self.publish_to(key, Record::bare(Kind::Resumed, now));
        self.wake_dirty();
        entry
    }

    fn judge_resume(&self, request: &ResumeRequest<'_>) -> Entry {
        let refuse = |refusal| match refusal {
            Refusal::InvalidSession => Entry::Invalid,
            Refusal::Close(code) => Entry::Close(code),
        };
        if !self.token_is_right(request.token) {
            return Entry::Close(4004);
        }
        let Some(&key) = self
            .by_id
            .get(request.session_id)
            .filter(|&&key| self.sessions[key].alive)
        else {
            return refuse(self.rules.lost_session);
        };
        let session = &self.sessions[key];
        if request.seq > session.last_seq() {
            return Entry::Close(4007);
        }
        if request.seq < session.below_buffer(self.rules.replay_limit, self.history.start()) {
            return refuse(self.rules.below_buffer);
        }
        if request.seq < session.forgotten && self.rules.pruned_resume == PrunedResume::InvalidSession {
            return Entry::Invalid;
        }
        Entry::Session(key)
    }
}

#[cfg(test)]
mod tests {
    use super::KNOWN_INTENTS;

    #[test]
    fn known_intents_are_those_of_the_documentation() {
        // 0 to 16, 20, 21, 24 and 25.
        let documented = (0..=16)
            .chain([20, 21, 24, 25])
            .fold(0_u64, |bits, bit| bits | 1 << bit);
        assert_eq!(KNOWN_INTENTS, documented);
    }
}
