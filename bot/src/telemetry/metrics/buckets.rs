//! Buckets, one set for each kind of measurement: fine in the usual range, and up to the timeout.

/// Statements and transactions, in seconds: from a lookup by primary key to `database.statement_timeout_ms`.
pub(super) const QUERY: &[f64] = &[
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Flushes, in seconds: a flush can take as long as an outage.
pub(super) const FLUSH: &[f64] = &[
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];
/// Waits for a connection, in seconds: almost always none, up to `database.connection_timeout_ms`.
pub(super) const POOL: &[f64] = &[
    0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Pauses before a heartbeat, in seconds: 4 s at most.
pub(super) const HOLD: &[f64] = &[
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0,
];
/// Answers to interactions, in seconds: the bot defers after 1.5 s, and Discord waits for 3.
pub(super) const ANSWER: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 15.0,
];
/// Drawing, in seconds.
pub(super) const DRAWING: &[f64] = &[
    0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0,
];
/// Requests to Discord, in seconds, up to `discord.request_timeout_seconds`.
pub(super) const REQUEST: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0,
];
/// Waits for Discord's limits, in seconds: up to 15 s, after which the request is refused.
pub(super) const LIMIT: &[f64] = &[
    0.000_5, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0,
];
/// From a cause to its effect on Discord, in seconds: up to `effects.max_age_hours`.
pub(super) const DELIVERY: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0,
];
/// From the due time of a timer to its completion, in seconds: up to the duration of an outage.
pub(super) const LATENESS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0,
];
/// Rows in a flush.
pub(super) const ROWS: &[f64] = &[
    0.0, 1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 25_000.0, 100_000.0,
];
