//! Eventide: a self-hosted Discord bot for communities that have outgrown one process.
//!
//! The modules stand in the order in which data flows: an event comes in through the gateway, the dispatcher finds its handler,
//! the handler applies the rules, the ledger gathers the changes, the writer commits them, the store knows the tables. Around
//! them: what is configured, what is started, and what is shown.

pub mod application;

pub mod fleet;

pub mod gateway;

pub mod events;

pub mod dispatcher;

pub mod handlers;

pub mod rules;

pub mod earning;

pub mod grants;

pub mod purge;

pub mod census;

pub mod ledger;

pub mod settings;

pub mod effects;

pub mod writer;

pub mod store;

pub mod import;

pub mod export;

pub mod rest;

pub mod guilds;

pub mod clock;

pub mod interactions;

pub mod commands;

pub mod card;

pub mod moderation;

pub mod language;

pub mod text;

pub mod cli;

pub mod config;

pub mod bot;

pub mod database;

pub mod backup;

#[cfg(feature = "demo")]
pub mod demo;

pub mod doctor;

pub mod embedded;

mod files;

pub mod http;

pub mod metrics;

pub mod logging;

pub mod traces;

pub mod shutdown;

pub mod backoff;

pub mod causes;

pub mod snowflake;

pub mod task;

#[cfg(test)]
mod documents;

pub mod version;
