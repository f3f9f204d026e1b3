//! The tables of the pipeline.

pub mod application;
pub mod gap;
pub(crate) mod quarantine;
pub mod shard_checkpoint;
