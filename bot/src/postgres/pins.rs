//! Settings that are pinned in every session of the bot, whatever an operator has set for the role, the database or the server.
//!
//! <https://www.postgresql.org/docs/current/runtime-config-client.html>. Not pinned are settings about the machine (costs, memory, parallel
//! workers, tablespaces), those that protect the operator (`default_transaction_read_only`, `role`), and the search path and time limits,
//! which [`Target`](super::connect::Target) and `Session` set.

use tokio_postgres::Client;

use super::{Params, Statement, statement::statement};

/// Names and values. The values have the format of `current_setting`, so that a session that already has them is not changed. Names that
/// the server does not know are skipped.
const PINS: [(&str, &str); 57] = [
    // The statements are short and frequent: compiling one costs a thousand times what it saves.
    ("jit", "off"),
    // Committed data must survive a crash of the server. A stronger setting is kept, see `PIN`.
    ("synchronous_commit", "on"),
    // The statements are written for READ COMMITTED: each sees what was committed before it started, and a row that another transaction has
    // changed meanwhile is read again instead of causing an error.
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    // The triggers maintain counts and notify other processes.
    ("session_replication_role", "origin"),
    // The pool closes sessions, and `statement_timeout` ends transactions.
    ("idle_session_timeout", "0"),
    ("lock_timeout", "0"),
    ("transaction_timeout", "0"),
    ("exit_on_error", "off"),
    // The formats of text input and output.
    ("client_encoding", "UTF8"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    ("escape_string_warning", "on"),
    ("backslash_quote", "safe_encoding"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    ("row_security", "on"),
    ("client_min_messages", "notice"),
    // Where a migration creates tables, and which checks it makes.
    ("default_table_access_method", "heap"),
    ("check_function_bodies", "on"),
    // The planner.
    ("plan_cache_mode", "auto"),
    ("constraint_exclusion", "partition"),
    ("cursor_tuple_fraction", "0.1"),
    ("from_collapse_limit", "8"),
    ("join_collapse_limit", "8"),
    ("geqo", "on"),
    ("geqo_threshold", "12"),
    ("debug_parallel_query", "off"),
    ("force_parallel_mode", "off"),
    ("enable_async_append", "on"),
    ("enable_bitmapscan", "on"),
    ("enable_distinct_reordering", "on"),
    ("enable_gathermerge", "on"),
    ("enable_group_by_reordering", "on"),
    ("enable_hashagg", "on"),
    ("enable_hashjoin", "on"),
    ("enable_incremental_sort", "on"),
    ("enable_indexonlyscan", "on"),
    ("enable_indexscan", "on"),
    ("enable_material", "on"),
    ("enable_memoize", "on"),
    ("enable_mergejoin", "on"),
    ("enable_nestloop", "on"),
    ("enable_parallel_append", "on"),
    ("enable_parallel_hash", "on"),
    ("enable_partition_pruning", "on"),
    ("enable_partitionwise_aggregate", "off"),
    ("enable_partitionwise_join", "off"),
    ("enable_presorted_aggregate", "on"),
    ("enable_self_join_elimination", "on"),
    ("enable_seqscan", "on"),
    ("enable_sort", "on"),
    ("enable_tidscan", "on"),
];

/// The differences for sessions that flush. Their statements find rows by key, even if the tables were small when the statement was
/// planned: a plan with a sequential scan of an almost empty table would be kept while the table grows to millions of rows.
const FLUSH_PINS: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
];

/// Names are qualified, because not every session has the bot's search path yet.
const PIN: Statement = statement!(
    "session_pins",
    [TEXT_ARRAY, TEXT_ARRAY, BOOL],
    "SELECT pg_catalog.set_config(p.name, p.value, $3)
     FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS p (name, value)
     WHERE pg_catalog.current_setting(p.name, true) OPERATOR(pg_catalog.<>) p.value
       AND (p.name OPERATOR(pg_catalog.<>) 'synchronous_commit'
            OR pg_catalog.current_setting(p.name, true) OPERATOR(pg_catalog.=) 'off')"
);

/// The settings pinned in one kind of session.
#[derive(Clone, Debug)]
pub(super) struct Pins {
    names: Vec<String>,
    values: Vec<String>,
}

impl Pins {
    /// The settings for every session.
    pub(super) fn of_any() -> Self {
        Self::of(PINS.into_iter())
    }

    /// The settings for sessions that flush.
    pub(super) fn of_flushes() -> Self {
        let other = PINS
            .into_iter()
            .filter(|(name, _)| FLUSH_PINS.iter().all(|(flush, _)| flush != name));
        Self::of(other.chain(FLUSH_PINS))
    }

    fn of(pins: impl Iterator<Item = (&'static str, &'static str)>) -> Self {
        let (names, values) = pins
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .unzip();
        Self { names, values }
    }

    /// Add a setting.
    #[must_use]
    pub(super) fn and(mut self, name: &str, value: String) -> Self {
        self.names.push(name.to_owned());
        self.values.push(value);
        self
    }

    /// Pin the settings until the session ends.
    ///
    /// # Errors
    ///
    /// 42501 if a different value can only be set by a superuser: `session_replication_role`.
    pub(super) async fn for_session(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        self.pin(client, false).await
    }

    /// Pin the settings until the transaction ends.
    ///
    /// # Errors
    ///
    /// As above.
    pub(super) async fn for_transaction(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        self.pin(client, true).await
    }

    async fn pin(&self, client: &Client, until_transaction_ends: bool) -> Result<(), tokio_postgres::Error> {
        let params: Params<'_> = &[&self.names, &self.values, &until_transaction_ends];
        client.query_typed(PIN.sql, &PIN.typed(params)).await.map(drop)
    }
}

/// The pinned settings that a session does not have, with their actual values. `setting` returns a session's setting.
pub fn unpinned<'a>(
    setting: impl Fn(&str) -> Option<&'a str>,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let differing = move |(name, wanted): (&'static str, &str)| {
        let found = setting(name).filter(|found| *found != wanted)?;
        let is_stronger = name == "synchronous_commit" && found != "off";
        (!is_stronger).then_some((name, found))
    };
    PINS.into_iter().filter_map(differing)
}
