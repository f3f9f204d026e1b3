//! XP rules: pure functions of an event and the stored state.
//!
//! They use no clock, random numbers, database or Discord, so a replayed event gives the same result.

pub mod award;
pub mod week;
