//! A lint for migrations: finds statements that must not be used on tables in use, before a release.
//!
//! The locks of each statement: <https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>, and those of ALTER TABLE:
//! <https://www.postgresql.org/docs/current/sql-altertable.html>. An unknown statement is an error, so that its author looks it up and adds
//! it here.

mod alter;
mod cursor;

use std::collections::{BTreeMap, BTreeSet};

use self::cursor::Cursor;
use super::{
    create,
    files::{Migrations, Step},
    sql::{Sql, Statement},
};

/// Statements that are never acceptable in a migration, and why.
const NEVER: [(&str, &str); 19] = [
    ("begin", ENDS),
    ("start transaction", ENDS),
    ("commit", ENDS),
    ("rollback", ENDS),
    ("savepoint", ENDS),
    ("set", "would last beyond the migration"),
    ("reset", "would last beyond the migration"),
    (
        "do",
        "hides from this lint what it does: write the statements down",
    ),
    ("truncate", "empties a table that may have rows"),
    ("lock", "blocks every other session"),
    (
        "cluster",
        "rewrites the table under a lock that blocks everything",
    ),
    ("vacuum", "is autovacuum's work"),
    ("create schema", FOREIGN),
    ("create database", FOREIGN),
    ("create role", FOREIGN),
    ("create extension", FOREIGN),
    ("drop schema", FOREIGN),
    ("grant", FOREIGN),
    ("revoke", FOREIGN),
];
const ENDS: &str = "interferes with the transaction that the migration runs in";
const FOREIGN: &str = "is for the operator to decide, not for a migration";

/// Statements that neither wait for other sessions nor block them.
const HARMLESS: [&str; 18] = [
    "create or replace function",
    "create function",
    "create or replace procedure",
    "create or replace view",
    "create view",
    "create type",
    "create domain",
    "create sequence",
    "alter type",
    "alter sequence",
    "comment on",
    "insert into",
    "drop function",
    "drop procedure",
    "drop view",
    "drop type",
    "drop domain",
    "drop sequence",
];

/// Those of them that can be run a second time as they are.
const REPEATABLE: [&str; 2] = ["create or replace", "comment on"];

/// The table with the minimum version of the binary. Files after the one that creates it have to maintain it.
const MINIMUM: &str = "schema_minimum";

/// A CHECK or a foreign key that was added without being validated.
struct Unverified {
    file: String,
    /// The column, if it only requires that column to be not null.
    not_null: Option<String>,
    verified: bool,
}

struct Lint<'a> {
    /// Tables whose key does not begin with `guild_id`, and why.
    keyed_otherwise: &'a [(&'a str, &'a str)],
    /// Tables from earlier files: they may be large, and are in use.
    there: BTreeSet<String>,
    /// Tables created by this file.
    new: BTreeSet<String>,
    /// Indexes with their tables.
    indexes: BTreeMap<String, String>,
    unverified: BTreeMap<(String, String), Unverified>,
    /// Existing tables that this file locks.
    locked: BTreeSet<String>,
    file: String,
    line: usize,
    /// Whether the file runs outside of a transaction.
    alone: bool,
    /// The constraint that the previous statement dropped IF EXISTS, so that it can be added again.
    dropped: Option<String>,
    /// Whether the file updates `schema_minimum`.
    says_minimum: bool,
    faults: Vec<String>,
}

/// All problems in the migrations, a line each.
fn lint(migrations: &Migrations, keyed_otherwise: &[(&str, &str)]) -> Vec<String> {
    let mut lint = Lint {
        keyed_otherwise,
        there: BTreeSet::new(),
        new: BTreeSet::new(),
        indexes: BTreeMap::new(),
        unverified: BTreeMap::new(),
        locked: BTreeSet::new(),
        file: String::new(),
        line: 1,
        alone: false,
        dropped: None,
        says_minimum: false,
        faults: Vec::new(),
    };
    for step in &migrations.steps {
        lint.migration(step);
        lint.undo(step);
    }
    lint.faults
}

impl Lint<'_> {
    fn fault(&mut self, words: impl AsRef<str>) {
        self.faults
            .push(format!("{}:{}: {}", self.file, self.line, words.as_ref()));
    }

    fn migration(&mut self, step: &Step) {
        let sql = Sql::read(step.sql());
        self.file = format!("migrations/{}.sql", step.name());
        self.line = 1;
        self.alone = step.outside_of_transaction().is_some();
        self.says_minimum = says_minimum(&sql);
        self.head(&sql, create::HEAD);
        for statement in &sql.statements {
            self.line = statement.line;
            self.qualified(statement);
            let dropped = self.dropped.take();
            self.statement(&mut Cursor::new(&statement.tokens), dropped.as_deref());
        }
        self.locks_are_told(&sql);
        self.there.append(&mut self.new);
    }

    /// Report something that a process of the previous version may still use, or a rule that it may not follow.
    fn contracts(&mut self, what: &str) {
        if self.there.contains(MINIMUM) && !self.says_minimum {
            self.fault(format!(
                "{what}, with which a process of the version before may still work: say which migration a binary has to know then, by \
                 UPDATE {MINIMUM} SET version = greatest(version, …), and in the undo, what it was before"
            ));
        }
    }

    fn head(&mut self, sql: &Sql, placeholder: &str) {
        if sql.head.iter().all(String::is_empty) {
            self.fault("begins with no comment that says what it is for");
        }
        let left = [placeholder, create::LOCKS];
        if sql
            .head
            .iter()
            .any(|line| left.iter().any(|text| line.contains(text)))
        {
            self.fault("has the words of `migrate create` where its author's should be");
        }
        if sql.statements.is_empty() {
            self.fault("does nothing");
        }
    }

    /// The head's `Locks:`, which extends to the end of the head, has to name each locked table.
    fn locks_are_told(&mut self, sql: &Sql) {
        self.line = 1;
        let told: Vec<&String> = sql
            .head
            .iter()
            .skip_while(|line| !line.starts_with("Locks:"))
            .collect();
        let between = |c: char| !c.is_alphanumeric() && c != '_';
        let tells = |line: &&String, table: &str| line.split(between).any(|word| word == table);
        for table in std::mem::take(&mut self.locked) {
            if !told.iter().any(|line| tells(line, &table)) {
                self.fault(format!(
                    "locks the table {table}, which may be large: say in the head comment how and for how long, in a line \"-- Locks: \
                     {table} …\""
                ));
            }
        }
    }

    /// The schema is the search path; a name with another schema would leave the instance.
    fn qualified(&mut self, statement: &Statement) {
        const BEFORE_A_NAME: [&str; 12] = [
            "table",
            "index",
            "into",
            "update",
            "from",
            "join",
            "references",
            "view",
            "function",
            "type",
            "sequence",
            "exists",
        ];
        for three in statement.tokens.windows(3) {
            let before = BEFORE_A_NAME.iter().any(|word| three[0].is(word));
            if before && cursor::is_name(&three[1]) && three[2].kind == cursor::DOT {
                self.fault("names a schema: the instance's own is the search path");
            }
        }
    }

    fn statement(&mut self, at: &mut Cursor<'_>, dropped: Option<&str>) {
        if let Some((words, why)) = NEVER.iter().find(|(words, _)| at.begins(words)) {
            self.fault(format!("{}: {why}", words.to_uppercase()));
        } else if at.take("alter table") {
            self.alter_table(at, dropped);
        } else if at.take("create table") || at.take("create unlogged table") {
            self.create_table(at);
        } else if at.begins("create index") || at.begins("create unique index") {
            at.take("create");
            self.create_index(at);
        } else if at.take("drop index") {
            self.drop_index(at);
        } else if at.take("drop table") {
            self.repeatable(at.take("if exists"), "IF EXISTS");
            if self.lock(at.name()) {
                self.contracts("DROP TABLE takes away a table");
            }
        } else if at.has("trigger") && (at.begins("create") || at.begins("drop")) {
            self.repeatable(
                at.has("or replace") || at.has("if exists"),
                "OR REPLACE or IF EXISTS",
            );
            let gone = at.begins("drop");
            at.skip_to("on");
            if self.lock(at.name()) && gone {
                self.contracts("DROP TRIGGER takes away a trigger");
            }
        } else if at.take("update") || at.take("delete from") {
            self.change_rows(at);
        } else if at.begins("reindex") || at.begins("refresh materialized view") {
            if !at.has("concurrently") {
                self.fault("keeps readers or writers out while it runs: CONCURRENTLY, in a file without a transaction");
            }
        } else if HARMLESS.iter().any(|words| at.begins(words)) {
            let again = ["if not exists", "if exists", "on conflict"]
                .iter()
                .any(|words| at.has(words));
            let again = again || REPEATABLE.iter().any(|words| at.begins(words));
            self.repeatable(again, "IF NOT EXISTS, IF EXISTS, OR REPLACE or ON CONFLICT");
            if at.begins("drop") {
                self.contracts("DROP takes away something");
            }
        } else {
            self.fault("is a statement that this lint does not know: look up what it locks, and teach it");
        }
    }

    /// A file outside of a transaction is run again from its start if it fails.
    fn repeatable(&mut self, is: bool, by: &str) {
        if self.alone && !is {
            self.fault(format!(
                "could not be run a second time, as files without a transaction are: {by}"
            ));
        }
    }

    /// Record that a table is locked, unless this file created it.
    fn lock(&mut self, table: Option<String>) -> bool {
        let there = table.filter(|table| !self.new.contains(table));
        let is_there = there.is_some();
        self.locked.extend(there);
        is_there
    }

    fn create_table(&mut self, at: &mut Cursor<'_>) {
        self.repeatable(at.take("if not exists"), "IF NOT EXISTS");
        let Some(table) = at.name() else {
            self.fault("is a table without a name");
            return;
        };
        self.new.insert(table.clone());
        if at.take("partition of") {
            self.lock(at.name());
            return;
        }
        let mut key = None;
        for element in at.group() {
            let mut at = Cursor::new(element);
            if let Some(other) = at.referred() {
                self.lock(Some(other));
            }
            let inline = at.clone().name();
            if at.has("primary key") {
                at.skip_to("primary key");
                let first = at.group().first().and_then(|first| Cursor::new(first).name());
                key = first.or(inline);
            }
        }
        let excused = self.keyed_otherwise.iter().any(|(name, _)| *name == table);
        if key.as_deref() != Some("guild_id") && !excused {
            self.fault(format!(
                "the primary key of {table} does not begin with guild_id, by which a table that grows is divided; if it does not grow, say \
                 why in KEYED_OTHERWISE of lint/tests.rs"
            ));
        }
    }

    fn create_index(&mut self, at: &mut Cursor<'_>) {
        let unique = at.take("unique index");
        at.take("index");
        let concurrently = at.take("concurrently");
        let repeatable = at.take("if not exists");
        let name = if at.begins("on") { None } else { at.name() };
        if !at.take("on") {
            self.fault("is an index on nothing");
        }
        at.take("only");
        let table = at.name();
        if let (Some(name), Some(table)) = (&name, &table) {
            self.indexes.insert(name.clone(), table.clone());
        }
        let there = self.lock(table);
        if there && unique {
            self.contracts("UNIQUE refuses rows");
        }
        if there && !concurrently {
            self.fault(
                "CREATE INDEX blocks writes until the table is read: CONCURRENTLY, in a file of its own with the line \
                 \"-- eventide: no-transaction\" in its head comment",
            );
        }
        if concurrently && !self.alone {
            self.fault("CONCURRENTLY needs the line \"-- eventide: no-transaction\" in the head comment");
        }
        self.repeatable(repeatable && name.is_some(), "a name and IF NOT EXISTS");
    }

    fn drop_index(&mut self, at: &mut Cursor<'_>) {
        let concurrently = at.take("concurrently");
        self.repeatable(at.take("if exists"), "IF EXISTS");
        let table = at.name().and_then(|index| self.indexes.remove(&index));
        if self.lock(table) && !concurrently {
            self.fault("DROP INDEX waits for every reader and keeps the next ones out: CONCURRENTLY, in a file without a transaction");
        }
    }

    fn change_rows(&mut self, at: &mut Cursor<'_>) {
        at.take("only");
        let table = at.name();
        if table.as_deref() == Some(MINIMUM) {
            // It has one row, which is only read at startup.
            return;
        }
        if self.lock(table) && !at.has("where") {
            self.fault(
                "writes every row of a table in one transaction: have the bot do it in batches, or say WHERE",
            );
        }
    }

    fn undo(&mut self, step: &Step) {
        let Some(undo) = step.undo() else {
            // Another test checks this.
            return;
        };
        let sql = Sql::read(undo);
        self.file = format!("migrations/{}.undo.sql", step.name());
        self.line = 1;
        if self.says_minimum && !says_minimum(&sql) {
            self.fault(format!(
                "leaves {MINIMUM} as the migration has set it: UPDATE it to what it was before"
            ));
        }
        self.head(&sql, create::UNDO_HEAD);
        for statement in &sql.statements {
            self.line = statement.line;
            self.qualified(statement);
            let at = Cursor::new(&statement.tokens);
            if let Some((words, why)) = NEVER.iter().find(|(words, _)| at.begins(words)) {
                self.fault(format!("{}: {why}", words.to_uppercase()));
            }
            for (word, why) in [
                (
                    "concurrently",
                    "is not possible in the transaction that an undo runs in",
                ),
                ("cascade", "drops what is not named, such as an operator's view"),
                ("rename", "looks like a loss: what is renamed is told as dropped"),
            ] {
                if statement.has(word) {
                    self.fault(format!("{}: {why}", word.to_uppercase()));
                }
            }
        }
    }
}

fn says_minimum(sql: &Sql) -> bool {
    sql.statements.iter().any(|statement| {
        let mut at = Cursor::new(&statement.tokens);
        at.take("update") && at.name().as_deref() == Some(MINIMUM)
    })
}

mod tests;
