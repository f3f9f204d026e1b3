//! The values of settings.

pub mod colour;
pub mod curve;
pub mod earning;
pub mod leaving;
pub mod rewards;
