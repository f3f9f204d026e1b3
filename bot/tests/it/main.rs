//! The integration tests: one binary, real PostgreSQL, and the simulator in place of Discord.

mod backfill;
mod backups;
mod chaos;
mod config;
mod counting;
mod demo;
mod doctor;
mod effects;
mod embedded;
mod fleet;
mod gaps;
mod guilds;
mod migrations;
mod model;
mod moving_in;
mod pool;
mod pooler;
mod rest;
mod rewards;
mod schemas;
mod sessions;
mod settings;
mod start;
mod support;
mod tls;
mod visits;
