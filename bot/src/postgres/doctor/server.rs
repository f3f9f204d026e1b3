//! The server: version, connection, clock, sessions, and harmful settings.

use std::collections::HashMap;

use super::finding::{Finding, size};
use crate::{
    config::Database,
    postgres::{
        catalog::{Server, Sessions},
        pins::unpinned,
    },
};

/// The oldest version covered by tests.
const OLDEST_VERSION: i32 = 150_000;

/// With a larger difference, timestamps of the two machines are hard to compare.
const CLOCK_S: f64 = 0.5;

/// Above this, every flush and every command becomes noticeably slower.
const ROUND_TRIP_MS: f64 = 10.0;

/// VACUUM keeps every row version that is visible to the oldest transaction.
const LONG_TRANSACTION_S: f64 = 300.0;

/// Half of the age at which the server stops writing; autovacuum should have frozen rows long before.
const TRANSACTION_AGE: i64 = 1_000_000_000;

/// A quarter of PostgreSQL's default, in kB.
const SMALL_MAINTENANCE_KB: i64 = 16 * 1_024;

/// Five times PostgreSQL's default.
const LONG_NAP_S: i64 = 300;

pub(super) fn version(server: &Server) -> Finding {
    let (major, minor) = (server.version / 10_000, server.version % 10_000);
    let found = format!(
        "PostgreSQL {major}.{minor}, database {} of {}",
        server.database,
        size(server.bytes)
    );
    if server.version < OLDEST_VERSION {
        return Finding::bad(
            "server",
            found,
            "Eventide is tested on version 15 and later: upgrade the server",
        );
    }
    if server.in_recovery {
        return Finding::bad(
            "server",
            format!("{found}, a standby: nothing can be written here"),
            "set DATABASE_URL to the primary's address, or several hosts with target_session_attrs=read-write",
        );
    }
    Finding::good("server", found)
}

pub(super) fn connection(server: &Server, private: bool) -> Vec<Finding> {
    let way = match (server.local, server.encrypted) {
        (true, _) => "a socket of this machine",
        (false, true) => "TLS",
        (false, false) => "plain text",
    };
    let milliseconds = server.round_trip.as_secs_f64() * 1_000.0;
    let found = format!(
        "{way}, {milliseconds:.2} ms per round trip, as the role {}",
        server.role
    );
    let mut findings = vec![if milliseconds > ROUND_TRIP_MS {
        Finding::warning(
            "connection",
            found,
            "run the bot closer to its database: every flush takes several round trips",
        )
    } else {
        Finding::good("connection", found)
    }];
    if server.superuser && !private {
        findings.push(Finding::warning(
            "role",
            format!("{} is a superuser", server.role),
            "use a separate role with privileges on its schema only (docs/operations.md)",
        ));
    }
    let ahead = server.clock_ahead_s;
    let found = format!("the server's is {:+.0} ms from this machine's", ahead * 1_000.0);
    findings.push(if ahead.abs() > CLOCK_S + server.round_trip.as_secs_f64() / 2.0 {
        Finding::warning(
            "clock",
            found,
            "synchronize both machines by NTP (chrony, systemd-timesyncd)",
        )
    } else {
        Finding::good("clock", found)
    });
    findings
}

/// `processes` is the number of processes in the fleet. Each of them has its own pool.
pub(super) fn sessions(
    sessions: &Sessions,
    settings: &HashMap<String, String>,
    database: &Database,
    processes: i64,
) -> Vec<Finding> {
    let number = |name| number(settings, name).unwrap_or_default();
    let allowed =
        number("max_connections") - number("superuser_reserved_connections") - number("reserved_connections");
    let processes = processes.max(1);
    // One more connection listens for notifications.
    let each = i64::try_from(database.pool_size)
        .unwrap_or(i64::MAX)
        .saturating_add(1);
    let wanted = each.saturating_mul(processes);
    let mut found = format!(
        "{} of {allowed} in use, {} by Eventide; {processes} of its processes may open {wanted}",
        sessions.all, sessions.eventide
    );
    let limited = sessions.connection_limit.filter(|limit| *limit < wanted);
    if let Some(limit) = limited {
        found = format!("{found}, and the CONNECTION LIMIT of the role or database is {limit}");
    }
    let full = limited.is_some() || sessions.all - sessions.eventide + wanted > allowed;
    let mut findings = vec![if full {
        Finding::bad(
            "connections",
            found,
            "raise max_connections (or the CONNECTION LIMIT), lower database.pool_size (PG_POOL_SIZE), or put PgBouncer in between",
        )
    } else if sessions.all * 10 > allowed * 8 {
        Finding::warning(
            "connections",
            found,
            "nearly all are in use: raise max_connections, or put PgBouncer in between",
        )
    } else {
        Finding::good("connections", found)
    }];
    if let Some((age, application)) = &sessions.oldest_transaction
        && *age > LONG_TRANSACTION_S
    {
        findings.push(Finding::warning(
            "transactions",
            format!("one of {application:?} has been open for {age:.0} s"),
            "VACUUM cannot remove anything newer meanwhile: end it (pg_stat_activity, pg_terminate_backend)",
        ));
    }
    if let Some(age) = sessions.oldest_prepared
        && age > LONG_TRANSACTION_S
    {
        findings.push(Finding::warning(
            "transactions",
            format!("a prepared transaction has been waiting for {age:.0} s"),
            "VACUUM cannot remove anything newer meanwhile: COMMIT PREPARED or ROLLBACK PREPARED it (pg_prepared_xacts)",
        ));
    }
    let synchronous = settings
        .get("synchronous_standby_names")
        .filter(|names| !names.is_empty());
    if let (Some(names), 0) = (synchronous, sessions.standbys) {
        findings.push(Finding::bad(
            "replication",
            format!("synchronous_standby_names = {names}, and no standby is connected"),
            "every commit waits for a standby that is not there: start it, or set synchronous_standby_names to '' and reload",
        ));
    }
    for limit in &sessions.time_limits {
        findings.push(Finding::warning(
            "settings",
            format!("{limit} for the role or the database"),
            "it ends sessions that take their time, such as psql's. Eventide's own set their limits themselves; RESET it with ALTER ROLE \
             or ALTER DATABASE unless it is wanted",
        ));
    }
    for (slot, bytes) in &sessions.idle_slots {
        findings.push(Finding::warning(
            "replication",
            format!(
                "the replication slot {slot} has no reader and retains {} of WAL",
                size(*bytes)
            ),
            "start its reader, or pg_drop_replication_slot it before the disk is full",
        ));
    }
    findings
}

pub(super) fn settings(server: &Server, settings: &HashMap<String, String>) -> Vec<Finding> {
    let is = |name: &str, value: &str| settings.get(name).is_some_and(|found| found == value);
    let mut findings = Vec::new();
    let mut bad = |name: &str, why: &str| {
        findings.push(Finding::bad("settings", format!("{name} = off"), why));
    };
    if is("fsync", "off") {
        bad("fsync", "a power failure can destroy the database: set it to on");
    }
    if is("full_page_writes", "off") {
        bad("full_page_writes", "a power failure can tear pages: set it to on");
    }
    if is("autovacuum", "off") || is("track_counts", "off") {
        bad(
            if is("autovacuum", "off") {
                "autovacuum"
            } else {
                "track_counts"
            },
            "updated rows are never cleaned up, and tables grow without limit: set it to on",
        );
    }
    let mut warn = |found: String, advice: &str| findings.push(Finding::warning("settings", found, advice));
    for (name, found) in unpinned(|name| settings.get(name).map(String::as_str)) {
        warn(
            format!("{name} = {found} in the bot's own session"),
            "each session sets another value, so a pooler in front of PostgreSQL shares sessions: set database.pooler = \
             \"transaction\" and database.direct_url",
        );
    }
    if is("default_transaction_read_only", "on") {
        warn(
            "default_transaction_read_only = on".to_owned(),
            "nothing can be written: ALTER ROLE … RESET default_transaction_read_only",
        );
    }
    if is("log_statement", "all") || is("log_statement", "mod") {
        warn(
            format!("log_statement = {}", settings["log_statement"]),
            "the server logs every flush with user IDs: set it to none or ddl",
        );
    }
    // The base units of these settings are pages of 8 kB and megabytes.
    if let Some(buffers) = number(settings, "shared_buffers")
        && buffers < 16_384
    {
        warn(
            format!("shared_buffers = {}", size(buffers * 8_192)),
            "set it to a quarter of the server's memory, at least 128MB",
        );
    }
    if let Some(wal) = number(settings, "max_wal_size")
        && wal < 1_024
    {
        warn(
            format!("max_wal_size = {wal}MB"),
            "checkpoints follow each other too closely under load: set it to 1GB or more",
        );
    }
    if let Some(memory) = number(settings, "maintenance_work_mem")
        && memory < SMALL_MAINTENANCE_KB
    {
        warn(
            format!("maintenance_work_mem = {}", size(memory * 1_024)),
            "VACUUM reads the indexes several times, and migrations build indexes slowly: set it to 64MB or more",
        );
    }
    if let Some(pause) = number(settings, "autovacuum_naptime")
        && pause > LONG_NAP_S
    {
        warn(
            format!("autovacuum_naptime = {pause}s"),
            "updated rows are cleaned up so rarely that tables grow: set it to 1min",
        );
    }
    if server.transaction_age > TRANSACTION_AGE {
        findings.push(Finding::bad(
            "wraparound",
            format!("the oldest row is {} transactions old", server.transaction_age),
            "run VACUUM (FREEZE) and find what blocks autovacuum; at 2,000,000,000 the server stops writing",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::good("settings", "no problems"));
    }
    findings
}

fn number(settings: &HashMap<String, String>, name: &str) -> Option<i64> {
    settings.get(name)?.parse().ok()
}
