//! Eventide: a self-hosted Discord bot for communities that have outgrown one process.
//!
//! Events arrive through the [`pipeline`], which counts each exactly once; [`features`] define what an event means; the resulting effects
//! on Discord go through the [`outbox`].
//!
//! The modules are layers. Each imports only those above it in this list, and features do not import each other; a test enforces this.

pub mod support;

pub mod config;

pub mod telemetry;

pub mod postgres;

pub mod discord;

pub mod outbox;

pub mod settings;

pub mod flush;

pub mod web;

pub mod interactions;

pub mod features;

pub mod pipeline;

pub mod app;
