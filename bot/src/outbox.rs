//! Effects: what follows on Discord from what was counted.
//!
//! The flush that commits a change adds its effects to the outbox in the same transaction ([`cause`]), so there is neither without
//! the other, and a replay causes none twice. Workers claim what is due and deliver it ([`delivery`]): messages with a nonce, by
//! which Discord recognizes for some minutes what was sent already, and roles as a state that is made right. Effects of one channel
//! or member are delivered in the order of their causes.
//!
//! What cannot be promised: a worker that dies, or loses the database, between sending a message and marking it as delivered
//! sends it again when its lease is over. Discord takes the second for the first while it remembers the nonce, which it does "for a
//! few minutes" (<https://discord.com/developers/docs/resources/message#create-message>). A message whose marking takes longer than
//! that because nobody delivers meanwhile can show twice rather than never.

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

use crate::postgres::guild_table::{GuildTable, guild_tables};

/// The tables with guild data, in the order in which they are emptied.
pub(crate) const TABLES: &[GuildTable] = guild_tables!["outbox", "outbox_lane", "effect_failure", "timer"];
