//! A shard's ledger without its shard.

use std::sync::Arc;

use eventide::{
    config::Config,
    features::levels::policy::XpPolicy,
    pipeline::{
        ledger::{Ledger, memory::Memory},
        parts::Pending,
    },
    settings::Settings,
};

/// An empty ledger that caches the last awards of about `cache_entries` members.
pub(crate) fn ledger(memory: &Arc<Memory>, cache_entries: usize) -> Ledger {
    let policy = XpPolicy::new(Settings::new(&Config::defaults().levels));
    Ledger::new(Arc::clone(memory), Pending::new(cache_entries, policy, None))
}

/// An empty ledger with a memory of its own.
pub(crate) fn small_ledger() -> Ledger {
    ledger(&Arc::new(Memory::new(1 << 20)), 16)
}
