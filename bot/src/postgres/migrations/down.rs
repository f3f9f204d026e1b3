//! Undoing migrations.

use std::fmt;

use tokio_postgres::Transaction;

use super::{
    catalog::Catalog,
    error::{self, MigrateError},
    files::{Migrations, Step},
    session::Session,
};
use crate::postgres::connect::{self, quoted};

/// Migrations that are about to be undone. No other process can migrate the schema until this is dropped.
pub struct Undoing {
    session: Session,
    /// The migrations, newest first.
    steps: Vec<Step>,
    loss: Loss,
}

/// The data that is lost with what a migration created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Dropped tables, with their number of rows.
    pub tables: Vec<(String, i64)>,
    /// Columns dropped from tables that remain, as `table.column`, with the number of rows that have a value.
    pub columns: Vec<(String, i64)>,
    /// Columns whose type changes, as `table.column`, with the new type.
    pub altered: Vec<(String, String)>,
    /// Tables that remain, with the number of rows that are deleted and of those that are changed.
    pub rows: Vec<(String, i64, i64)>,
}

impl Loss {
    /// Whether nothing is lost.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Loss {
    /// One line each.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (table, rows) in &self.tables {
            writeln!(formatter, "  the table {table} with {}", counted(*rows, "row"))?;
        }
        for (column, values) in &self.columns {
            writeln!(
                formatter,
                "  the column {column} with {}",
                counted(*values, "value")
            )?;
        }
        for (column, becomes) in &self.altered {
            writeln!(formatter, "  what the column {column} cannot hold as {becomes}")?;
        }
        for (table, deleted, changed) in &self.rows {
            if *deleted > 0 {
                writeln!(formatter, "  {} of {table}", counted(*deleted, "row"))?;
            }
            if *changed > 0 {
                writeln!(
                    formatter,
                    "  what was in {} of {table}, which are changed",
                    counted(*changed, "row")
                )?;
            }
        }
        Ok(())
    }
}

fn counted(count: i64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

impl Migrations {
    /// Prepare to undo the newest `steps` migrations: run the undo files in a transaction that is rolled back, to find out what is lost.
    /// Until [`Undoing::run`], only other migrations are locked out.
    ///
    /// # Errors
    ///
    /// [`MigrateError::InUse`] if a process uses the schema, [`MigrateError::NoUndo`], [`MigrateError::Foreign`],
    /// [`MigrateError::UndoFailed`], or a history that does not match.
    pub async fn undoing(
        &self,
        target: impl Into<connect::Target>,
        steps: usize,
    ) -> Result<Undoing, MigrateError> {
        let mut session = Session::open(target.into()).await?;
        session.lock().await?;
        let history = session.history().await?;
        self.check(&history)?;
        if let Some(name) = self.newer(&history).pop() {
            return Err(MigrateError::Foreign { name });
        }
        let newest = history.rows.iter().rev().take(steps);
        let steps: Vec<Step> = newest
            .filter_map(|row| self.steps.iter().find(|step| step.version() == row.version))
            .cloned()
            .collect();
        if let Some(step) = steps.iter().find(|step| step.undo().is_none()) {
            return Err(MigrateError::NoUndo { name: step.name() });
        }
        nobody_else(&session).await?;
        let loss = loss(&mut session, &steps).await?;
        Ok(Undoing { session, steps, loss })
    }
}

impl Undoing {
    /// The names of the migrations, newest first, which is the order of undoing.
    pub fn names(&self) -> Vec<String> {
        self.steps.iter().map(Step::name).collect()
    }

    /// The data that is lost.
    pub const fn loss(&self) -> &Loss {
        &self.loss
    }

    /// Undo all of them or none.
    pub async fn run(mut self) -> Result<(), MigrateError> {
        nobody_else(&self.session).await?;
        let tx = self.session.client.transaction().await?;
        undo(&tx, &self.steps).await?;
        Ok(tx.commit().await?)
    }
}

async fn nobody_else(session: &Session) -> Result<(), MigrateError> {
    match session.others().await? {
        others if others.is_empty() => Ok(()),
        others => Err(MigrateError::InUse(others)),
    }
}

/// Run the undo files, and delete the versions from the history.
async fn undo(tx: &Transaction<'_>, steps: &[Step]) -> Result<(), MigrateError> {
    for step in steps {
        let sql = step.undo().unwrap_or_default();
        tx.batch_execute(sql)
            .await
            .map_err(|error| MigrateError::UndoFailed {
                name: step.name(),
                reason: error::reason(&error, sql),
            })?;
        tx.execute(
            "-- migrate_undone\nDELETE FROM refinery_schema_history WHERE version = $1",
            &[&step.version()],
        )
        .await?;
    }
    Ok(())
}

async fn loss(session: &mut Session, steps: &[Step]) -> Result<Loss, MigrateError> {
    let tx = session.client.transaction().await?;
    let before = Catalog::read(&tx, &session.schema).await?;
    undo(&tx, steps).await?;
    let after = Catalog::read(&tx, &session.schema).await?;
    let mut loss = Loss {
        rows: changed_rows(&tx, &session.schema).await?,
        ..Loss::default()
    };
    tx.rollback().await?;
    for (object, _, becomes) in before.differing(&after) {
        if let Some(table) = object.table.as_ref().filter(|_| object.kind == "column") {
            let column = format!("{table}.{}", object.name);
            loss.altered.push((column, becomes.to_owned()));
        }
    }
    for object in before.without(&after) {
        let (name, schema) = (quoted(&object.name), quoted(&session.schema));
        let count =
            |what: &str, table: &str| format!("-- migrate_loss\nSELECT count({what}) FROM {schema}.{table}");
        match (object.kind.as_str(), &object.table) {
            ("table", _) => {
                let row = session.client.query_one(&count("*", &name), &[]).await?;
                loss.tables.push((object.name.clone(), row.get(0)));
            }
            ("column", Some(table)) => {
                let row = session
                    .client
                    .query_one(&count(&name, &quoted(table)), &[])
                    .await?;
                loss.columns
                    .push((format!("{table}.{}", object.name), row.get(0)));
            }
            _ => {}
        }
    }
    Ok(loss)
}

/// The rows that the transaction deleted or changed in tables that still exist.
async fn changed_rows(tx: &Transaction<'_>, schema: &str) -> Result<Vec<(String, i64, i64)>, MigrateError> {
    let rows = tx
        .query(
            "-- migrate_changed_rows
             SELECT relname, n_tup_del, n_tup_upd FROM pg_stat_xact_user_tables
             WHERE schemaname = $1 AND n_tup_del + n_tup_upd > 0 AND relname NOT IN ('refinery_schema_history', 'schema_minimum')
             ORDER BY relname",
            &[&schema],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect())
}
