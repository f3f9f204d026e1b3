//! The statements before and after the output of `pg_restore`.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Restoring, place::Way};
use crate::postgres::connect::quoted;

/// Data that must not be restored unchanged, because it describes a state outside of the database which has changed since the backup.
struct Reset {
    table: &'static str,
    /// The migration that added what the statement changes.
    since: u32,
    sql: &'static str,
}

/// Every table with such data. An entry takes effect in all later restores, including those of older backups.
const RESETS: [Reset; 9] = [
    // Events after the backup are missing until each shard starts a new session.
    Reset {
        table: "gap",
        since: 3,
        sql: "INSERT INTO gap (shard_count, shard_id, reason, session_id, last_sequence, began_at)
              SELECT shard_count, shard_id, 'restore', session_id, sequence, updated_at
              FROM shard_checkpoint WHERE session_id IS NOT NULL",
    },
    Reset {
        table: "shard_checkpoint",
        since: 1,
        // Discord has forgotten the session, or would replay the events since the backup, which brings back only some of the lost rows. The
        // fence exceeds all earlier ones, so that a process that still has a shard cannot write.
        sql: "UPDATE shard_checkpoint SET session_id = NULL, resume_url = NULL, sequence = 0,
          fence = greatest(fence, current_setting('eventide.fence')::bigint) + 1",
    },
    // The processes of that time have ended, or join again. Their leases end with them.
    Reset {
        table: "fleet_process",
        since: 7,
        sql: "DELETE FROM fleet_process",
    },
    // A message that was pending at the time of the backup has most likely been sent since. Roles are a state, and are compared and
    // corrected again.
    Reset {
        table: "outbox",
        since: 5,
        sql: "UPDATE outbox SET failed_at = now(), failure = 'restored from a backup, by which time it may have been delivered'
              WHERE failed_at IS NULL AND kind <> 'roles'",
    },
    Reset {
        table: "outbox_lane",
        since: 5,
        sql: "UPDATE outbox_lane SET due_at = now()",
    },
    // Leases and delays after failures no longer apply. Whatever has become due since then fires now.
    Reset {
        table: "timer",
        since: 36,
        sql: "UPDATE timer SET ready_at = due_at, claim = NULL WHERE failed_at IS NULL",
    },
    // A user may have signed out since.
    Reset {
        table: "web_session",
        since: 45,
        sql: "DELETE FROM web_session",
    },
    Reset {
        table: "web_sign_in",
        since: 45,
        sql: "DELETE FROM web_sign_in",
    },
    // A token may have been revoked since.
    Reset {
        table: "api_token",
        since: 49,
        sql: "DELETE FROM api_token",
    },
];

/// Whether erasures survive a restore that replaces these tables, which requires a temporary table.
pub(super) fn remembers(replaced: &BTreeMap<String, u64>) -> bool {
    replaced.contains_key("erased")
}

impl Restoring {
    /// The statements before those of `pg_restore`.
    pub fn before(&self, aside: &str) -> String {
        let (schema, source) = (quoted(self.session.target.schema()), quoted(&self.source));
        let mut sql = format!(
            "BEGIN;
             SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
             SET LOCAL lock_timeout = '10s'; SET LOCAL search_path = {schema};
             SELECT set_config('eventide.fence', '0', true);\n"
        );
        if self.rows.contains_key("shard_checkpoint") {
            sql.push_str(
                "LOCK TABLE shard_checkpoint IN ACCESS EXCLUSIVE MODE;
                 SELECT set_config('eventide.fence', coalesce(max(fence), 0)::text, true) FROM shard_checkpoint;\n",
            );
        }
        if remembers(&self.rows) {
            line(&mut sql, format_args!("{}", (self.erasure.remember)(&schema)));
        }
        for drop in &self.drops {
            sql.push_str(drop);
            sql.push_str(";\n");
        }
        if self.steps_aside() {
            line(
                &mut sql,
                format_args!("ALTER SCHEMA {source} RENAME TO {}", quoted(aside)),
            );
        }
        if !self.exists {
            line(
                &mut sql,
                format_args!("CREATE SCHEMA {}", quoted(self.name_meanwhile())),
            );
        } else if self.is_renamed() {
            line(&mut sql, format_args!("ALTER SCHEMA {schema} RENAME TO {source}"));
        }
        sql
    }

    fn is_renamed(&self) -> bool {
        matches!(self.way, Way::Renamed { .. })
    }

    fn steps_aside(&self) -> bool {
        self.way == Way::Renamed { aside: true }
    }

    /// The name of the schema within the transaction.
    fn name_meanwhile(&self) -> &str {
        if self.is_renamed() {
            &self.source
        } else {
            self.session.target.schema()
        }
    }

    /// The statements after those of `pg_restore`. The transaction is only committed if the contents match the manifest.
    pub fn after(&self, aside: &str, version: u32, rows: &BTreeMap<String, u64>) -> String {
        let (schema, source) = (quoted(self.session.target.schema()), quoted(&self.source));
        let meanwhile = self.name_meanwhile();
        let mut sql = format!("SET LOCAL search_path = {};\n", quoted(meanwhile));
        sql.push_str(&check(meanwhile, version, rows));
        for reset in RESETS.iter().filter(|reset| reset.since <= version) {
            if rows.contains_key(reset.table) {
                line(&mut sql, format_args!("{}", reset.sql));
            }
        }
        if remembers(&self.rows) {
            for statement in (self.erasure.erase_again)(version, &|table| rows.contains_key(table)) {
                line(&mut sql, format_args!("{statement}"));
            }
        }
        if self.is_renamed() {
            line(&mut sql, format_args!("ALTER SCHEMA {source} RENAME TO {schema}"));
        }
        if self.steps_aside() {
            line(
                &mut sql,
                format_args!("ALTER SCHEMA {} RENAME TO {source}", quoted(aside)),
            );
        }
        // The tables' triggers were created after their rows, so they have sent no notification.
        line(
            &mut sql,
            format_args!(
                "SELECT pg_notify('eventide_guild_settings', {} || ' *')",
                literal(self.session.target.schema())
            ),
        );
        sql.push_str("COMMIT;\n");
        sql
    }
}

fn line(sql: &mut String, statement: std::fmt::Arguments<'_>) {
    writeln!(sql, "{statement};").expect("a String takes any text");
}

/// A block that fails unless the tables, their rows and the history match the manifest.
fn check(schema: &str, version: u32, rows: &BTreeMap<String, u64>) -> String {
    let mut body = String::from("DECLARE found bigint; BEGIN\n");
    line(
        &mut body,
        format_args!(
            "SELECT count(*) INTO found FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = {}::regnamespace
             AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                             AND d.deptype = 'e');
             IF found <> {count} THEN RAISE EXCEPTION 'the dump holds % tables, and its manifest says {count}', found; END IF",
            literal(&quoted(schema)),
            count = rows.len(),
        ),
    );
    for (table, wanted) in rows {
        line(
            &mut body,
            format_args!(
                "SELECT count(*) INTO found FROM ONLY {};
                 IF found <> {wanted} THEN
                     RAISE EXCEPTION 'the table % holds % rows, and the manifest says {wanted}', {}, found;
                 END IF",
                quoted(table),
                literal(table)
            ),
        );
    }
    line(
        &mut body,
        format_args!(
            "SELECT coalesce(max(version), 0) INTO found FROM refinery_schema_history;
             IF found <> {version} THEN
                 RAISE EXCEPTION 'the dump is of schema version %, and its manifest says {version}', found;
             END IF"
        ),
    );
    body.push_str("END");
    format!("DO {};\n", literal(&body))
}

/// A string literal with any content.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
