//! The instance's tables and indexes.

use super::finding::{Finding, size};
use crate::postgres::catalog::{Index, Table};

/// The table that every flush writes.
const HOT_TABLE: &str = "member_xp";

/// Smaller tables are not examined.
const SMALL_BYTES: i64 = 32 * 1024 * 1024;

/// The minimum number of updates for a meaningful ratio.
const ENOUGH_UPDATES: i64 = 10_000;

/// The minimum percentage of updates that touch no index.
const HOT_PERCENT: i64 = 80;

pub(super) fn tables(tables: &[Table]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in tables {
        if table.autovacuum_off {
            findings.push(Finding::bad(
                "tables",
                format!("{}: autovacuum is off", table.name),
                format!("ALTER TABLE {} RESET (autovacuum_enabled)", table.name),
            ));
        }
        if table.bytes > SMALL_BYTES && table.dead > table.live / 2 {
            findings.push(Finding::warning(
                "tables",
                format!("{}: {} dead row versions beside {} rows", table.name, table.dead, table.live),
                "autovacuum does not keep up: look for long transactions, then raise autovacuum_max_workers or lower \
                 autovacuum_vacuum_cost_delay",
            ));
        }
        if table.bytes > SMALL_BYTES && table.expected_bytes > 0 && table.bytes > table.expected_bytes * 2 {
            findings.push(Finding::warning(
                "tables",
                format!(
                    "{}: {} for rows that need about {}",
                    table.name,
                    size(table.bytes),
                    size(table.expected_bytes)
                ),
                format!(
                    "pg_repack --table {0}, or VACUUM FULL {0} while the bot is stopped",
                    table.name
                ),
            ));
        }
    }
    let Some(hot) = tables.iter().find(|table| table.name == HOT_TABLE) else {
        return findings;
    };
    let percent = (hot.hot_updates * 100).checked_div(hot.updates).unwrap_or(100);
    let found = format!(
        "{HOT_TABLE}: {} rows in {}, {} dead, {percent} % of {} updates HOT",
        hot.live,
        size(hot.bytes),
        hot.dead,
        hot.updates
    );
    findings.push(if hot.updates > ENOUGH_UPDATES && percent < HOT_PERCENT {
        Finding::warning(
            "tables",
            found,
            "updates that touch indexes cost more WAL: has an index on xp or message_count been added, the fillfactor \
             changed, or does a long transaction keep pages full?",
        )
    } else {
        Finding::good("tables", found)
    });
    findings
}

pub(super) fn indexes(indexes: &[Index]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for index in indexes {
        if !index.valid {
            findings.push(Finding::bad(
                "indexes",
                format!("{} on {} is not valid", index.name, index.table),
                format!("REINDEX INDEX CONCURRENTLY {}", index.name),
            ));
        }
        if index.bytes > SMALL_BYTES && index.expected_bytes > 0 && index.bytes > index.expected_bytes * 3 {
            findings.push(Finding::warning(
                "indexes",
                format!(
                    "{} on {}: {} for entries that need about {}",
                    index.name,
                    index.table,
                    size(index.bytes),
                    size(index.expected_bytes)
                ),
                format!("REINDEX INDEX CONCURRENTLY {}", index.name),
            ));
        }
    }
    if findings.is_empty() {
        let bytes = indexes.iter().map(|index| index.bytes).sum();
        findings.push(Finding::good(
            "indexes",
            format!("{} of {}, all valid", indexes.len(), size(bytes)),
        ));
    }
    findings
}
