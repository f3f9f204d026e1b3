//! The statements before and after the output of `pg_restore`.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Restoring, place::Way};
use crate::postgres::connect::quoted;

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
        let restored = self.tables.iter().filter(|table| rows.contains_key(table.name));
        for reset in restored.filter_map(|table| table.reset) {
            if reset.since <= version {
                line(&mut sql, format_args!("{}", reset.sql));
            }
        }
        if remembers(&self.rows) {
            for statement in
                (self.erasure.erase_again)(&self.tables, version, &|table| rows.contains_key(table))
            {
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
