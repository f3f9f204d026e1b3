//! The path of an event from text to ledger without a socket and a database.
//!
//! It is used by `bot/examples/instructions.rs`, which counts instructions: all of its code is what a shard runs, but private to this
//! module.

use std::{sync::Arc, time::SystemTime};

use twilight_model::id::{Id, marker::GuildMarker};

use super::intake::Intake;
use crate::{
    config::Config,
    features::levels::policy::XpPolicy,
    pipeline::{
        dispatch::Dispatcher,
        ledger::{Ledger, memory::Memory},
        parts::{Learned, Pending},
        rows::shard_checkpoint::SessionPoint,
    },
    settings::Settings,
    support::ids::ShardKey,
};

/// The intake and the ledger of a shard.
#[derive(Debug)]
pub struct TextToLedger {
    intake: Intake,
}

impl TextToLedger {
    /// An empty ledger with `config`'s limits. The settings of `guilds` are cached as defaults.
    pub fn new(config: &Config, guilds: impl IntoIterator<Item = Id<GuildMarker>>) -> Self {
        let settings = Settings::new(&config.levels);
        for guild_id in guilds {
            settings.pretend(guild_id);
        }
        let policy = XpPolicy::new(settings);
        let memory = Arc::new(Memory::new(config.ledger.max_memory_bytes));
        Self {
            intake: Intake::new(
                ShardKey { count: 1, id: 0 },
                Dispatcher::new(policy.clone(), &config.discord),
                Ledger::new(
                    memory,
                    Pending::new(config.ledger.member_cache_entries, policy, None),
                ),
                // Events before READY belong to no session, and are skipped.
                Some(SessionPoint {
                    session_id: "session".to_owned(),
                    resume_url: None,
                    sequence: 0,
                }),
                SystemTime::UNIX_EPOCH,
            ),
        }
    }

    /// Process a payload.
    pub fn receive(&mut self, text: &str) {
        let _signal = self.intake.on_text(text);
    }

    /// Take a batch, and settle it as if it were committed to a database without rows for any of its members. Returns its number of rows.
    pub fn flush(&mut self) -> usize {
        let changes = self.intake.ledger.take();
        self.intake.taken();
        let entries = &changes.parts.members.entries;
        let read = entries.iter().filter(|(_, pending)| pending.needs_stored_award());
        let learned = Learned {
            members: read
                .map(|(key, pending)| (*key, pending.resolve(None).last_award))
                .collect(),
            ..Learned::default()
        };
        self.intake.ledger.settle(changes.bytes, learned);
        changes.parts.changes()
    }
}
