//! Whether the schema is Eventide's. Other programs can also have a `refinery_schema_history`, and tables with the same names.

use tokio_postgres::Client;

use super::{
    error::MigrateError,
    files::{Migrations, Step},
    session::Session,
    sql::{Kind, Sql, Statement as Read},
};
use crate::postgres::{Statement, Store, StoreError, connect::quoted, statement::statement};

/// The number of columns of the history, and how many of those that are read have the expected types.
const COLUMNS: Statement = statement!(
    "history_columns",
    [],
    "SELECT count(*),
            count(*) FILTER (WHERE attname = 'version' AND atttypid = 'int4'::regtype
                             OR attname IN ('name', 'applied_on', 'checksum')
                                AND atttypid IN ('varchar'::regtype, 'text'::regtype))
     FROM pg_attribute WHERE attrelid = to_regclass('refinery_schema_history') AND attnum > 0 AND NOT attisdropped"
);

const NAMES: Statement = statement!(
    "history_names",
    [],
    "SELECT format('V%s__%s', version, name) FROM refinery_schema_history"
);

/// The kinds of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::postgres) enum FoundHistory {
    None,
    /// It has refinery's columns.
    Readable,
    /// Another program created it.
    Foreign,
}

impl FoundHistory {
    const fn of(columns: i64, fitting: i64) -> Self {
        match (columns, fitting) {
            (0, _) => Self::None,
            (_, 4) => Self::Readable,
            _ => Self::Foreign,
        }
    }
}

/// The history in the session's schema.
pub(in crate::postgres) async fn history_of(client: &Client) -> Result<FoundHistory, tokio_postgres::Error> {
    let row = client.query_typed_one(COLUMNS.sql, &[]).await?;
    Ok(FoundHistory::of(row.get(0), row.get(1)))
}

/// Check that the schema has Eventide's tables, before a command reads them.
///
/// # Errors
///
/// [`StoreError::Unfit`], or a query failed.
pub async fn expect_ours(store: &Store, schema: &str) -> Result<(), StoreError> {
    let rows = store.query(COLUMNS, &[]).await?;
    let found = rows
        .first()
        .map_or(FoundHistory::None, |row| FoundHistory::of(row.get(0), row.get(1)));
    let what = match found {
        FoundHistory::None => {
            return Err(StoreError::Unfit(format!(
                "the schema {} has none of Eventide's tables: start the bot, type `eventide migrate up`, or set database.schema \
                 (DB_SCHEMA)",
                quoted(schema)
            )));
        }
        FoundHistory::Foreign => other_columns(),
        FoundHistory::Readable => {
            let known = Migrations::embedded().names();
            let applied = store.query(NAMES, &[]).await?;
            let mut names = applied.iter().map(|row| row.get::<_, String>(0));
            if names.any(|name| known.contains(&name)) {
                return Ok(());
            }
            "it has other migrations".to_owned()
        }
    };
    let error = MigrateError::ForeignSchema {
        schema: quoted(schema),
        what,
    };
    Err(StoreError::Unfit(error.to_string()))
}

fn other_columns() -> String {
    "its refinery_schema_history has other columns".to_owned()
}

impl Session {
    /// Return an error for a history that cannot be read.
    pub(super) async fn expect_readable_history(&self) -> Result<(), MigrateError> {
        match history_of(&self.client).await? {
            FoundHistory::None | FoundHistory::Readable => Ok(()),
            FoundHistory::Foreign => Err(self.is_foreign(other_columns())),
        }
    }

    /// Return an error for a schema without a history if it contains a table that `steps` would create.
    pub(super) async fn expect_room_for(&self, steps: &[&Step]) -> Result<(), MigrateError> {
        let tables: Vec<String> = steps
            .iter()
            .flat_map(|step| Sql::read(step.sql()).statements)
            .filter_map(|statement| created_table(&statement).map(str::to_owned))
            .collect();
        let row = self
            .client
            .query_opt(
                "-- migrate_taken
                 SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = ANY ($2::text[]) ORDER BY 1 LIMIT 1",
                &[&self.schema, &tables],
            )
            .await?;
        match row {
            None => Ok(()),
            Some(row) => Err(self.is_foreign(format!("it has a table {} already", quoted(row.get(0))))),
        }
    }

    fn is_foreign(&self, what: String) -> MigrateError {
        MigrateError::ForeignSchema {
            schema: quoted(&self.schema),
            what,
        }
    }
}

/// The name in a CREATE TABLE.
fn created_table(statement: &Read) -> Option<&str> {
    let mut tokens = statement.tokens.iter();
    if !tokens.next()?.is("create") {
        return None;
    }
    let kind = tokens.next()?;
    if !(kind.is("table") || kind.is("unlogged") && tokens.next()?.is("table")) {
        return None;
    }
    let name = tokens.find(|token| !["if", "not", "exists"].iter().any(|word| token.is(word)))?;
    match &name.kind {
        Kind::Word(name) | Kind::Quoted(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Sql, created_table};

    #[test]
    fn the_table_of_a_statement() {
        for (sql, table) in [
            ("CREATE TABLE One (a int)", Some("one")),
            ("create unlogged table if not exists \"A b\" (a int)", Some("A b")),
            ("CREATE INDEX t ON u (a)", None),
            ("CREATE FUNCTION t() RETURNS table (a int)", None),
            ("ALTER TABLE t ADD a int", None),
        ] {
            assert_eq!(created_table(&Sql::read(sql).statements[0]), table, "{sql}");
        }
    }
}
