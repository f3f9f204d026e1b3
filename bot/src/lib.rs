//! Eventide: a self-hosted Discord bot for communities that have outgrown one process.
//!
//! An event comes in through the [`pipeline`], which counts it exactly once; [`features`] say what it means; what follows on Discord
//! goes through the [`outbox`].
//!
//! The modules are layers. Each imports only those above it in this list, and features do not import each other; a test holds the code
//! to that.

pub mod support;

pub mod config;

pub mod telemetry;

pub mod postgres;

pub mod discord;

pub mod outbox;

pub mod settings;

pub mod interactions;

pub mod features;

pub mod pipeline;

pub mod app;
