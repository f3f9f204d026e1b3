//! Effects: what follows on Discord from what was counted.
//!
//! The transaction that commits a change also adds its effects to the outbox, so neither exists without the other and a replay adds
//! none twice. Workers claim what is due and deliver it ([`delivery`]): messages with a nonce, by which Discord recognizes for some
//! minutes what was sent already, and roles as a state that is made right. Effects of one channel or member are delivered in the order
//! in which they were added. A feature implements [`kind`] for its effects.
//!
//! What cannot be promised: a worker that dies, or loses the database, between sending a message and marking it as delivered leaves
//! the message to be sent again after its lease. Discord ignores the second message while it remembers the nonce, which it does "for a
//! few minutes" (<https://discord.com/developers/docs/resources/message#create-message>). A message whose marking takes longer than
//! that because no process delivers meanwhile can appear twice rather than never.

pub mod delivery;
pub mod failures;
mod held;
pub mod kind;
pub(crate) mod lane;
pub(crate) mod message;
pub(crate) mod outcome;
pub mod pruning;
pub mod queue;
pub mod timers;
pub(crate) mod trouble;

use crate::postgres::table::{Table, guild_table, member_table};

/// The tables, in the order in which they are emptied.
pub(crate) const TABLES: &[Table] = &[
    // A message that was pending at the time of the backup has most likely been sent since. Roles are a state, and are compared and
    // corrected again.
    member_table!("outbox")
        .exported_by(queue::EXPORT)
        .erased_by(queue::ERASE)
        .reset(
            5,
            "UPDATE outbox SET failed_at = now(), failure = 'restored from a backup, by which time it may have been delivered'
             WHERE failed_at IS NULL AND kind <> 'roles'",
        ),
    guild_table!("outbox_lane").reset(5, "UPDATE outbox_lane SET due_at = now()"),
    guild_table!("effect_failure"),
    // Leases and delays after failures no longer apply. Whatever has become due since then fires now.
    guild_table!("timer").reset(
        36,
        "UPDATE timer SET ready_at = due_at, claim = NULL WHERE failed_at IS NULL",
    ),
];
