//! Queries of PostgreSQL's catalogs and statistics for `eventide doctor`, which only reads.
//!
//! <https://www.postgresql.org/docs/current/monitoring-stats.html> and <https://www.postgresql.org/docs/current/catalogs.html>

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use super::{Statement, Store, StoreError, statement::statement};
use crate::support::clock::host_time;

/// The server, and this session.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Server {
    /// `server_version_num`: 150018 is 15.18.
    pub version: i32,
    /// The database.
    pub database: String,
    /// The role.
    pub role: String,
    /// Whether the role is a superuser.
    pub superuser: bool,
    /// Whether this session is encrypted.
    pub encrypted: bool,
    /// Whether the session uses a socket on this machine.
    pub local: bool,
    /// Whether the server is a standby.
    pub in_recovery: bool,
    /// The size of the database in bytes.
    pub bytes: i64,
    /// The age of the oldest row that is not frozen, in transactions. At about 2 billion the server stops writing.
    pub transaction_age: i64,
    /// Whether `pg_stat_statements` is installed in this database.
    pub has_statement_statistics: bool,
    /// The shortest of several round trips.
    pub round_trip: Duration,
    /// The server's clock minus this machine's, in seconds. The error is at most half of a round trip.
    pub clock_ahead_s: f64,
}

/// The server's sessions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sessions {
    /// All sessions that count against `max_connections`.
    pub all: i64,
    /// Eventide's sessions, in any database.
    pub eventide: i64,
    /// The age in seconds and the application name of the oldest open transaction other than this one.
    pub oldest_transaction: Option<(f64, String)>,
    /// The age of the oldest prepared transaction, in seconds.
    pub oldest_prepared: Option<f64>,
    /// The remaining `CONNECTION LIMIT` of the role or the database, whichever is less.
    pub connection_limit: Option<i64>,
    /// Connected standbys.
    pub standbys: i64,
    /// Time limits for sessions set on the role or the database, as in `ALTER ROLE` or `ALTER DATABASE`.
    pub time_limits: Vec<String>,
    /// Inactive replication slots, with the number of bytes of WAL that each retains.
    pub idle_slots: Vec<(String, i64)>,
}

/// A table of the instance's schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The estimated number of rows.
    pub live: i64,
    /// The number of dead row versions.
    pub dead: i64,
    /// The size in bytes without indexes.
    pub bytes: i64,
    /// The expected size in bytes at its fillfactor, estimated from `pg_stats`; 0 if it has never been analyzed.
    pub expected_bytes: i64,
    /// The number of updates since the statistics were reset.
    pub updates: i64,
    /// The number of updates that changed no index.
    pub hot_updates: i64,
    /// The number of sequential scans.
    pub sequential_scans: i64,
    /// Whether autovacuum is disabled for the table.
    pub autovacuum_off: bool,
}

/// An index of the instance's schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: String,
    /// Whether the index is valid; a failed CREATE INDEX CONCURRENTLY leaves an invalid one.
    pub valid: bool,
    /// The size in bytes.
    pub bytes: i64,
    /// The estimated number of entries.
    pub entries: i64,
    /// The expected size in bytes, estimated.
    pub expected_bytes: i64,
}

/// One of the most expensive statements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heavy {
    /// The name, from the comment in its text, or else the beginning of the text, which contains no values.
    pub name: String,
    /// The number of calls.
    pub calls: i64,
    /// The total time in milliseconds.
    pub total_ms: f64,
    /// The mean time in milliseconds.
    pub mean_ms: f64,
    /// The total number of rows.
    pub rows: i64,
}

/// A shard's checkpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckpointAge {
    /// The total number of shards.
    pub shard_count: i64,
    /// The shard.
    pub shard_id: i64,
    /// Whether there is a session to resume.
    pub has_session: bool,
    /// The number of seconds since it changed.
    pub age_s: f64,
}

/// The server, and the difference between its clock and this machine's.
pub async fn server(store: &Store) -> Result<Server, StoreError> {
    const SERVER: Statement = statement!(
        "catalog_server",
        [],
        "SELECT current_setting('server_version_num')::int4, current_database()::text, current_user::text,
                (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
                coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
                inet_client_addr() IS NULL,
                pg_is_in_recovery(),
                pg_database_size(current_database()),
                (SELECT age(datfrozenxid)::int8 FROM pg_database WHERE datname = current_database()),
                EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')"
    );
    let rows = store.query(SERVER, &[]).await?;
    let row = rows.first().expect("a SELECT without FROM has a row");
    let (round_trip, clock_ahead_s) = clock(store, 10).await?;
    Ok(Server {
        version: row.get(0),
        database: row.get(1),
        role: row.get(2),
        superuser: row.get::<_, Option<bool>>(3).unwrap_or_default(),
        encrypted: row.get(4),
        local: row.get(5),
        in_recovery: row.get(6),
        bytes: row.get(7),
        transaction_age: row.get(8),
        has_statement_statistics: row.get(9),
        round_trip,
        clock_ahead_s,
    })
}

/// The shortest of `tries` round trips, and by how many seconds the server's clock was ahead of this machine's during it.
pub async fn clock(store: &Store, tries: u32) -> Result<(Duration, f64), StoreError> {
    const CLOCK: Statement = statement!(
        "catalog_clock",
        [],
        "SELECT extract(epoch FROM clock_timestamp())::float8"
    );
    let mut best = (Duration::MAX, 0.0);
    for _ in 0..tries {
        let before = host_time();
        let started = Instant::now();
        let rows = store.query(CLOCK, &[]).await?;
        let taken = started.elapsed();
        let middle = before + taken / 2;
        let ours = middle
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        if taken < best.0 {
            best = (taken, rows[0].get::<_, f64>(0) - ours);
        }
    }
    Ok(best)
}

/// The settings by name, in their base units.
pub async fn settings(store: &Store) -> Result<HashMap<String, String>, StoreError> {
    const SETTINGS: Statement = statement!(
        "catalog_settings",
        [],
        "SELECT name, setting, unit FROM pg_settings"
    );
    let rows = store.query(SETTINGS, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The server's sessions.
pub async fn sessions(store: &Store) -> Result<Sessions, StoreError> {
    const SESSIONS: Statement = statement!(
        "catalog_sessions",
        [],
        "SELECT count(*) FILTER (WHERE backend_type = 'client backend'),
                count(*) FILTER (WHERE application_name LIKE 'eventide %'),
                (SELECT extract(epoch FROM clock_timestamp() - max(prepared))::float8 FROM pg_prepared_xacts),
                least((SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
                      (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()))::int8,
                (SELECT count(*) FROM pg_stat_replication)
         FROM pg_stat_activity"
    );
    const TIME_LIMITS: Statement = statement!(
        "catalog_time_limits",
        [],
        "SELECT setting
         FROM pg_db_role_setting AS s, unnest(s.setconfig) AS setting
         WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
           AND (s.setrole = 0 OR s.setrole = (SELECT oid FROM pg_roles WHERE rolname = current_user))
           AND split_part(setting, '=', 1) IN ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout',
                                               'idle_in_transaction_session_timeout')
           AND split_part(setting, '=', 2) !~ '^0[a-z]*$'
         ORDER BY 1"
    );
    const OLDEST: Statement = statement!(
        "catalog_oldest_transaction",
        [],
        "SELECT extract(epoch FROM clock_timestamp() - xact_start)::float8, coalesce(application_name, '')
         FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
         ORDER BY xact_start LIMIT 1"
    );
    const SLOTS: Statement = statement!(
        "catalog_idle_slots",
        [],
        "SELECT slot_name::text, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8
         FROM pg_replication_slots
         WHERE NOT active AND restart_lsn IS NOT NULL AND NOT pg_is_in_recovery()"
    );
    let rows = store.query(SESSIONS, &[]).await?;
    let row = rows.first().expect("an aggregate has a row");
    let oldest = store.query(OLDEST, &[]).await?;
    let slots = store.query(SLOTS, &[]).await?;
    let limits = store.query(TIME_LIMITS, &[]).await?;
    Ok(Sessions {
        all: row.get(0),
        eventide: row.get(1),
        oldest_prepared: row.get(2),
        connection_limit: row.get(3),
        standbys: row.get(4),
        time_limits: limits.iter().map(|row| row.get(0)).collect(),
        oldest_transaction: oldest.first().map(|row| (row.get(0), row.get(1))),
        idle_slots: slots.iter().map(|row| (row.get(0), row.get(1))).collect(),
    })
}

/// The tables of the instance's schema.
pub async fn tables(store: &Store) -> Result<Vec<Table>, StoreError> {
    // 28 bytes are a row's header and line pointer. Free space due to the fillfactor is expected.
    const TABLES: Statement = statement!(
        "catalog_tables",
        [],
        "SELECT s.relname::text, s.n_live_tup, s.n_dead_tup, pg_table_size(c.oid),
                coalesce((s.n_live_tup * (28 + w.width) * 100
                          / coalesce((SELECT option_value::int8 FROM pg_options_to_table(c.reloptions)
                                      WHERE option_name = 'fillfactor'), 100)), 0)::int8,
                s.n_tup_upd, s.n_tup_hot_upd, s.seq_scan,
                coalesce((SELECT NOT option_value::bool FROM pg_options_to_table(c.reloptions)
                          WHERE option_name = 'autovacuum_enabled'), false)
         FROM pg_stat_user_tables AS s
         JOIN pg_class AS c ON c.oid = s.relid
         LEFT JOIN LATERAL (SELECT sum(avg_width * (1 - null_frac))::int8 AS width FROM pg_stats AS p
                            WHERE p.schemaname = s.schemaname AND p.tablename = s.relname) AS w ON true
         WHERE s.schemaname = current_schema()
         ORDER BY s.relname"
    );
    let rows = store.query(TABLES, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| Table {
            name: row.get(0),
            live: row.get(1),
            dead: row.get(2),
            bytes: row.get(3),
            expected_bytes: row.get(4),
            updates: row.get(5),
            hot_updates: row.get(6),
            sequential_scans: row.get(7),
            autovacuum_off: row.get(8),
        })
        .collect())
}

/// The indexes of the instance's schema.
pub async fn indexes(store: &Store) -> Result<Vec<Index>, StoreError> {
    // An entry is its columns and 12 bytes. The pages of a new B-tree are 90 % full.
    const INDEXES: Statement = statement!(
        "catalog_indexes",
        [],
        "SELECT i.relname::text, t.relname::text, x.indisvalid AND x.indisready, pg_relation_size(i.oid),
                greatest(i.reltuples, 0)::int8,
                coalesce((greatest(i.reltuples, 0) * (12 + w.width) / 0.9)::int8, 0)
         FROM pg_index AS x
         JOIN pg_class AS i ON i.oid = x.indexrelid
         JOIN pg_class AS t ON t.oid = x.indrelid
         LEFT JOIN LATERAL (SELECT sum(p.avg_width)::int8 AS width
                            FROM pg_attribute AS a JOIN pg_stats AS p
                              ON p.schemaname = current_schema() AND p.tablename = t.relname AND p.attname = a.attname
                            WHERE a.attrelid = t.oid AND a.attnum = ANY (x.indkey)) AS w ON true
         WHERE t.relnamespace = quote_ident(current_schema())::regnamespace
         ORDER BY t.relname, i.relname"
    );
    let rows = store.query(INDEXES, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| Index {
            name: row.get(0),
            table: row.get(1),
            valid: row.get(2),
            bytes: row.get(3),
            entries: row.get(4),
            expected_bytes: row.get(5),
        })
        .collect())
}

/// The statements with the highest total time, if `pg_stat_statements` is installed.
pub async fn heaviest(store: &Store, limit: u32) -> Result<Vec<Heavy>, StoreError> {
    const HEAVIEST: Statement = statement!(
        "catalog_heaviest",
        [INT8],
        "SELECT coalesce(substring(query FROM '^-- ([a-z0-9_]+)\\n'), substring(query FROM '-- ([a-z0-9_]+)$'), 
                         left(regexp_replace(regexp_replace(query, '^(\\s*--[^\\n]*\\n)+', ''), '\\s+', ' ', 'g'), 40)),
                sum(calls)::int8, sum(total_exec_time)::float8, (sum(total_exec_time) / greatest(sum(calls), 1))::float8,
                sum(rows)::int8
         FROM pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
         GROUP BY 1 ORDER BY 3 DESC LIMIT $1"
    );
    let rows = store.query(HEAVIEST, &[&i64::from(limit)]).await?;
    Ok(rows
        .iter()
        .map(|row| Heavy {
            name: row.get(0),
            calls: row.get(1),
            total_ms: row.get(2),
            mean_ms: row.get(3),
            rows: row.get(4),
        })
        .collect())
}

/// The number of processes in the fleet.
pub async fn processes(store: &Store) -> Result<i64, StoreError> {
    const PROCESSES: Statement = statement!("catalog_processes", [], "SELECT count(*) FROM fleet_process");
    let rows = store.query(PROCESSES, &[]).await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// The ages of the shards' checkpoints.
pub async fn checkpoints(store: &Store) -> Result<Vec<CheckpointAge>, StoreError> {
    const CHECKPOINTS: Statement = statement!(
        "catalog_checkpoints",
        [],
        "SELECT shard_count, shard_id, session_id IS NOT NULL,
                extract(epoch FROM clock_timestamp() - updated_at)::float8
         FROM shard_checkpoint ORDER BY shard_count, shard_id"
    );
    let rows = store.query(CHECKPOINTS, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| CheckpointAge {
            shard_count: row.get(0),
            shard_id: row.get(1),
            has_session: row.get(2),
            age_s: row.get(3),
        })
        .collect())
}
