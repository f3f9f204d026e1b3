//! The program: the command line, the composition of the running bot, and its HTTP interface.

pub mod bot;
pub mod cli;
pub mod database_clock;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(test)]
pub(crate) mod documents;
pub mod features;
#[cfg(test)]
mod layers;
pub mod notifications;
mod operators;
pub mod ops_http;
