//! The path of an event: from Discord's socket to the committed row, and the movement of shards between processes.

pub mod application;
pub mod backfill;
pub mod dispatch;
pub mod fleet;
pub mod gateway;
pub mod ledger;
pub mod parts;
pub mod rows;
pub mod writer;

use crate::postgres::guild_table::{GuildTable, guild_tables};

/// The tables with guild data, in the order in which they are emptied.
pub(crate) const TABLES: &[GuildTable] =
    guild_tables!["backfill_message", "backfill_channel", "gap_unread", "quarantine"];
