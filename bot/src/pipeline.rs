//! The path of an event: from Discord's socket to the committed row, and the movement of shards between processes.

pub mod application;
pub mod backfill;
pub mod dispatch;
pub mod fleet;
pub mod gateway;
pub mod ledger;
pub mod parts;
pub mod reactions;
pub mod rows;
pub mod writer;

use crate::postgres::table::{Table, guild_table, member_table};

/// The tables, in the order in which they are emptied.
pub(crate) const TABLES: &[Table] = &[
    member_table!("quarantine").locked_first(),
    member_table!("backfill_message").locked_first(),
    guild_table!("backfill_channel"),
    guild_table!("gap_unread"),
    // Events after the backup are missing until each shard starts a new session.
    Table::plain("gap").reset(
        3,
        "INSERT INTO gap (shard_count, shard_id, reason, session_id, last_sequence, began_at)
         SELECT shard_count, shard_id, 'restore', session_id, sequence, updated_at
         FROM shard_checkpoint WHERE session_id IS NOT NULL",
    ),
    // Discord has forgotten the session, or would replay the events since the backup, which brings back only some of the lost rows. The
    // fence exceeds all earlier ones, so that a process that still has a shard cannot write.
    Table::plain("shard_checkpoint").reset(
        1,
        "UPDATE shard_checkpoint SET session_id = NULL, resume_url = NULL, sequence = 0,
         fence = greatest(fence, current_setting('eventide.fence')::bigint) + 1",
    ),
    // The processes of that time have ended, or join again. Their leases end with them.
    Table::plain("fleet_process").reset(7, "DELETE FROM fleet_process"),
    Table::plain("fleet"),
    Table::plain("shard_lease"),
    Table::plain("identify_key"),
];
