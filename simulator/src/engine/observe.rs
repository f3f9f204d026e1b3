//! What the controls and the oracle read out of the engine.

use std::collections::HashMap;

use super::Engine;
use crate::{
    oracle::{Hours, Ledger, Members, OracleError},
    payload::message,
    record::Kind,
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

    /// The messages that count of everything that sessions got, by channel and hour.
    pub(crate) fn hours(&self, world: &World) -> Hours {
        let hours = self.oracle.hours();
        hours
            .map(|(guild, channel, hour, messages)| {
                let guild = world.guild_at(guild);
                let channel = guild.channels()[usize::from(channel)].id;
                ((guild.id(), channel, hour), messages)
            })
            .collect()
    }

    /// What is expected when each session counts up to its limit only; sessions without a limit count whole. Of the messages
    /// for which no session was alive, those count in whose channel `missed` is true.
    pub(crate) fn expected_at(
        &self,
        world: &World,
        fresh: Ledger,
        limits: &HashMap<String, u64>,
        missed: impl Fn(u64) -> bool,
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
            let counts = || record.kind.is_guild_message() && missed(message::channel_id(world, &record));
            if taken || (!offered && counts()) {
                ledger.apply(&record);
            }
        }
        Ok(members(world, &ledger))
    }
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
