//! The program: the command line, the composition of the running bot, and its HTTP interface.

pub mod bot;
pub mod cli;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(test)]
pub(crate) mod documents;
pub mod features;
pub mod ops_http;
