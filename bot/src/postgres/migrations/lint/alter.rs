//! ALTER TABLE. Many of its actions block the table while it is read or rewritten.

use super::{Lint, Unverified, cursor::Cursor};

/// What a column's DEFAULT may contain to be computed once for all existing rows: types with a length, and functions that are not volatile.
/// Anything else rewrites every row.
const ONCE: [&str; 12] = [
    "now",
    "coalesce",
    "array",
    "interval",
    "make_interval",
    "to_timestamp",
    "numeric",
    "decimal",
    "varchar",
    "char",
    "timestamp",
    "timestamptz",
];

/// Changes of the catalog only, which are done as soon as the lock is acquired.
const QUICK: [&str; 11] = [
    "drop",
    "set",
    "reset",
    "enable trigger",
    "disable trigger",
    "inherit",
    "no inherit",
    "replica identity",
    "owner to",
    "enable row level security",
    "disable row level security",
];

/// Slow actions that begin like quick ones.
const SLOW: [&str; 5] = [
    "set logged",
    "set unlogged",
    "set tablespace",
    "set access",
    "set without",
];

const QUICK_OF_COLUMNS: [&str; 5] = [
    "set default",
    "drop default",
    "drop not null",
    "set statistics",
    "set storage",
];

impl Lint<'_> {
    /// Check the actions after ALTER TABLE. `dropped` is the constraint that the previous statement dropped.
    pub(super) fn alter_table(&mut self, at: &mut Cursor<'_>, dropped: Option<&str>) {
        at.take("if exists");
        at.take("only");
        let table = at.name().unwrap_or_default();
        let there = self.lock(Some(table.clone()));
        for action in at.parts() {
            let mut at = Cursor::new(action);
            self.run_twice(&at, dropped);
            if at.begins("rename") {
                self.fault("RENAME takes the old name from a process of the version before: add the new one, remove the old one later");
            } else if there {
                self.action(&table, &mut at);
            }
        }
    }

    fn run_twice(&mut self, at: &Cursor<'_>, dropped: Option<&str>) {
        let mut constraint = at.clone();
        if constraint.take("add constraint") {
            let again = constraint.name().as_deref() == dropped;
            self.repeatable(again, "DROP CONSTRAINT IF EXISTS in the statement before");
        } else if at.begins("add") {
            self.repeatable(at.has("if not exists"), "IF NOT EXISTS");
        } else if constraint.take("drop constraint if exists") {
            self.dropped = constraint.name();
        } else if at.begins("drop") {
            self.repeatable(at.has("if exists"), "IF EXISTS");
        }
    }

    fn action(&mut self, table: &str, at: &mut Cursor<'_>) {
        self.contracted(at);
        if at.take("add constraint") {
            let name = at.name().unwrap_or_default();
            self.add_constraint(table, &name, at);
        } else if [
            "add check",
            "add foreign",
            "add unique",
            "add primary",
            "add exclude",
        ]
        .iter()
        .any(|words| at.begins(words))
        {
            at.take("add");
            self.add_constraint(table, "", at);
        } else if at.take("add column") || at.take("add") {
            self.add_column(at);
        } else if at.take("validate constraint") {
            self.validate(table, at);
        } else if at.take("alter column") || at.take("alter") {
            self.alter_column(table, at);
        } else if at.begins("detach partition") {
            if !at.has("concurrently") {
                self.fault(
                    "DETACH PARTITION blocks every other session: CONCURRENTLY, in a file without a transaction",
                );
            }
        } else if SLOW.iter().any(|words| at.begins(words)) {
            self.fault("rewrites the table under a lock that blocks everything");
        } else if !QUICK.iter().any(|words| at.begins(words)) {
            self.fault("is an action of ALTER TABLE that this lint does not know: look up what it locks, and teach it");
        }
    }

    /// Report what could make a process of the previous version fail: columns that it reads are missing, or rows that it writes are
    /// rejected.
    fn contracted(&mut self, at: &Cursor<'_>) {
        let mut column = at.clone();
        if column.take("alter column") || column.take("alter") {
            column.name();
        }
        for (words, what) in [
            ("set not null", "SET NOT NULL refuses rows"),
            ("drop default", "DROP DEFAULT refuses rows"),
        ] {
            if column.begins(words) {
                self.contracts(what);
            }
        }
        if at.begins("drop") && !at.begins("drop constraint") {
            self.contracts("DROP takes away a column");
        } else if at.begins("add")
            && ["constraint", "check", "foreign", "unique", "primary", "exclude"]
                .iter()
                .any(|word| at.begins(&format!("add {word}")))
        {
            self.contracts("a constraint refuses rows");
        }
    }

    fn add_column(&mut self, at: &mut Cursor<'_>) {
        at.take("if not exists");
        let column = at.name().unwrap_or_default();
        if ["serial", "bigserial", "smallserial", "generated"]
            .iter()
            .any(|word| at.has(word))
        {
            self.fault(format!(
                "the values of {column} are worked out row by row, and the table is rewritten: add it plain, and fill it in batches"
            ));
        }
        let mut default = at.clone();
        default.skip_to("default");
        let ends = [
            "not",
            "null",
            "check",
            "unique",
            "primary",
            "references",
            "constraint",
            "collate",
        ];
        let expression = default.until(&ends);
        for call in Cursor::calls(expression) {
            if !ONCE.contains(&call) {
                self.fault(format!(
                    "the default of {column} calls {call}(), for each row if it is volatile, and the table is rewritten: add the column \
                     without, set the default afterwards"
                ));
            }
        }
        if at.has("not null") && expression.is_empty() && !at.has("generated") {
            self.fault(format!(
                "{column} is NOT NULL without a default, which no row that is there can be"
            ));
        }
        if ["check", "unique", "primary key", "references"]
            .iter()
            .any(|words| at.has(words))
        {
            self.fault(format!(
                "the constraint at {column} is verified while writes are blocked: add it by ADD CONSTRAINT … NOT VALID, and VALIDATE it in a \
                 file of its own"
            ));
        }
    }

    fn add_constraint(&mut self, table: &str, name: &str, at: &mut Cursor<'_>) {
        if let Some(other) = at.referred() {
            self.lock(Some(other));
        }
        if at.begins("check") || at.begins("foreign key") {
            if !at.has("not valid") {
                self.fault(
                    "ADD CONSTRAINT reads the whole table while writes are blocked: NOT VALID, and VALIDATE CONSTRAINT in a file of its own",
                );
            }
            let mut check = at.clone();
            let not_null = check.take("check").then(|| check.group()).and_then(|parts| {
                let mut at = Cursor::new(parts.first()?);
                at.name()
                    .filter(|_| at.take("is not null") && at.parts() == [&[]])
            });
            let unverified = Unverified {
                file: self.file.clone(),
                not_null,
                verified: false,
            };
            self.unverified
                .insert((table.to_owned(), name.to_owned()), unverified);
        } else if !at.has("using index") {
            self.fault(
                "builds an index while writes are blocked: build it by CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD \
                 CONSTRAINT … USING INDEX",
            );
        }
    }

    fn validate(&mut self, table: &str, at: &mut Cursor<'_>) {
        let key = (table.to_owned(), at.name().unwrap_or_default());
        let (file, alone) = (&self.file, self.alone);
        let Some(constraint) = self.unverified.get_mut(&key) else {
            self.fault(format!("there is no constraint {} to be verified", key.1));
            return;
        };
        constraint.verified = true;
        if constraint.file == *file && !alone {
            self.fault("VALIDATE CONSTRAINT reads the whole table under the lock that adding it took: put it into a file of its own");
        }
    }

    fn alter_column(&mut self, table: &str, at: &mut Cursor<'_>) {
        let column = at.name().unwrap_or_default();
        if at.begins("type") || at.begins("set data type") {
            self.fault(format!(
                "TYPE rewrites the table under a lock that blocks everything: add another column, fill it in batches, and drop {column} later"
            ));
        } else if at.begins("set not null") {
            let verified = self.unverified.iter().any(|((of, _), constraint)| {
                of == table && constraint.verified && constraint.not_null.as_ref() == Some(&column)
            });
            if !verified {
                self.fault(format!(
                    "SET NOT NULL reads the whole table under a lock that blocks everything, unless a CHECK ({column} IS NOT NULL) was added NOT \
                     VALID and verified before"
                ));
            }
        } else if !QUICK_OF_COLUMNS.iter().any(|words| at.begins(words)) {
            self.fault("is an action of ALTER COLUMN that this lint does not know: look up what it locks, and teach it");
        }
    }
}
