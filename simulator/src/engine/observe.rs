//! What the controls and the oracle read out of the engine.

use std::collections::HashMap;

use super::Engine;
use crate::{
    oracle::{Ledger, Members, OracleError},
    record::{Kind, Record},
    stats::{SessionInfo, Stats},
    world::World,
};

impl Engine {
    /// The counters now.
    pub(crate) fn snapshot(&self) -> Stats {
        let mut stats = self.stats.clone();
        for kind in Kind::ALL {
            let delivered = self.delivered_by_kind[kind as usize];
            if delivered > 0 {
                *stats
                    .delivered_by_type
                    .entry(kind.event_name().to_owned())
                    .or_default() += delivered;
            }
        }
        for (name, &delivered) in &self.delivered_raws {
            *stats.delivered_by_type.entry(name.clone()).or_default() += delivered;
        }
        stats.connections_open = self.connections.len() as u64;
        stats.sessions_live = self.live_sessions().count() as u64;
        stats.history = self.history.end() - self.history.start();
        stats
    }

    /// All sessions, those that are over included.
    pub(crate) fn session_infos(&self) -> Vec<SessionInfo> {
        self.sessions
            .iter()
            .map(|session| SessionInfo {
                id: session.id.clone(),
                shard: session.shard,
                intents: session.intents,
                last_seq: session.last_seq(),
                sent_seq: session.high,
                alive: session.alive,
                connected: session.connection.is_some(),
            })
            .collect()
    }

    /// What is expected after everything that sessions got.
    pub(crate) fn expected(&self, world: &World) -> Members {
        members(world, &self.oracle)
    }

    /// What is expected when each session counts up to its limit only; sessions without a limit count whole.
    pub(crate) fn expected_at(
        &self,
        world: &World,
        fresh: Ledger,
        limits: &HashMap<String, u64>,
        with_missed: bool,
    ) -> Result<Members, OracleError> {
        if self.history.start() > 0 {
            return Err(OracleError::HistoryForgotten);
        }
        let length = usize::try_from(self.history.end()).unwrap_or(usize::MAX);
        let mut taken = vec![false; length];
        let mut offered = vec![false; length];
        for session in &self.sessions {
            let limit = limits.get(&session.id).copied().unwrap_or(u64::MAX);
            for index in session
                .indexes_up_to(u64::MAX)
                .filter_map(|index| usize::try_from(index).ok())
            {
                offered[index] = true;
            }
            for index in session
                .indexes_up_to(limit)
                .filter_map(|index| usize::try_from(index).ok())
            {
                taken[index] = true;
            }
        }
        let mut ledger = fresh;
        for ((_, record), (taken, offered)) in self.history.iter_from(0).zip(taken.into_iter().zip(offered)) {
            if taken || (with_missed && !offered) {
                ledger.apply(&record);
            }
        }
        Ok(members(world, &ledger))
    }

    /// Messages of a channel between two ids, both exclusive: the newest `limit` of them, newest first; or the oldest,
    /// newest first as well, where only `after` is given.
    pub(crate) fn channel_messages(&self, range: MessageRange, place: Place) -> Vec<u64> {
        let matches = |record: &Record| {
            record.id > range.after
                && record.id < range.before
                && match place {
                    Place::Guild { guild, channel } => {
                        record.kind.is_guild_message() && record.guild == guild && record.channel == channel
                    }
                    Place::Direct { person } => {
                        record.kind == Kind::Direct && u64::from(record.member) == person
                    }
                }
        };
        // Events lie in the order of their ids, so the range is a stretch of the history.
        let first = self.first_index_after(range.after);
        let end = self.first_index_after(range.before.saturating_sub(1));
        let indexes = |index: &u64| self.history.get(*index).is_some_and(|record| matches(&record));
        if range.oldest {
            (first..end).filter(indexes).take(range.limit).collect()
        } else {
            let mut found: Vec<u64> = (first..end).rev().filter(indexes).take(range.limit).collect();
            found.reverse();
            found
        }
    }

    fn first_index_after(&self, id: u64) -> u64 {
        let (mut low, mut high) = (self.history.start(), self.history.end());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.history.get(middle).is_some_and(|record| record.id > id) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

/// Which messages are wanted.
#[derive(Clone, Copy)]
pub(crate) struct MessageRange {
    pub(crate) after: u64,
    pub(crate) before: u64,
    pub(crate) limit: usize,
    /// Whether the oldest of the range are wanted and not the newest.
    pub(crate) oldest: bool,
}

/// Where messages are looked for.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Guild { guild: u32, channel: u16 },
    Direct { person: u64 },
}

fn members(world: &World, ledger: &Ledger) -> Members {
    ledger
        .members()
        .map(|(guild, member, state)| {
            let user = world.user_id(world.person_of(guild, member));
            ((world.guild_at(guild).id(), user), state)
        })
        .collect()
}
