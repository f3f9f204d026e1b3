//! The rules of the game: pure functions of an event and the stored state.
//!
//! Nothing here knows a clock, a random generator, a database or Discord, so a replayed event gives the same result.

pub mod award;
pub mod week;
