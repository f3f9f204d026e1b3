//! The path of an event: from Discord's socket to the committed row, and the movement of shards between processes.

pub mod application;
pub mod backfill;
pub mod dispatch;
pub mod fleet;
pub mod gateway;
pub mod ledger;
pub mod rows;
pub mod writer;
