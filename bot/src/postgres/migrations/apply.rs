//! Applying pending migrations.

use std::time::Duration;

use refinery::Target;

use super::{
    error::{self, MigrateError},
    files::{Migrations, Step},
    session::Session,
    sql::{Kind, Sql, Statement},
};
use crate::{
    postgres::{
        connect::{self, quoted},
        error::one_line,
    },
    support::backoff::Backoff,
};

/// How often a migration is tried if it does not get a lock: for about two minutes.
const LOCK_TRIES: u32 = 30;

/// The delay before the next attempt, in which other sessions can work.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The error of a migration.
struct Failure {
    error: MigrateError,
    /// Whether the only reason was a lock held by another session.
    locked: bool,
}

impl Migrations {
    /// Apply pending migrations, up to a version or all. Returns their names.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`]. Migrations before a failing one stay applied.
    pub async fn up(
        &self,
        target: impl Into<connect::Target>,
        to: Option<i32>,
    ) -> Result<Vec<String>, MigrateError> {
        let mut session = Session::open(target.into()).await?;
        session.lock().await?;
        session.ensure_schema().await?;
        let history = session.history().await?;
        self.check(&history)?;
        super::log_newer(&self.newer(&history));
        let pending = self.pending(&history, to)?;
        if pending.is_empty() {
            // A role that only runs the bot may lack the privileges for migrations.
            return Ok(Vec::new());
        }
        if history.rows.is_empty() {
            session.expect_room_for(&pending).await?;
        }
        session.may_create().await?;
        let mut names = Vec::new();
        for step in pending {
            self.apply_patiently(&mut session, step).await?;
            tracing::info!(migration = step.name(), "migration applied");
            names.push(step.name());
        }
        Ok(names)
    }

    async fn apply_patiently(&self, session: &mut Session, step: &Step) -> Result<(), MigrateError> {
        let mut backoff = Backoff::between(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let failure = match self.apply(session, step).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            let pause = backoff.pause();
            if !failure.locked || backoff.tries() >= LOCK_TRIES {
                return Err(failure.error);
            }
            if backoff.is_worth_a_line() {
                tracing::warn!(
                    migration = step.name(),
                    "another session holds a lock on one of the migration's tables; retrying"
                );
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn apply(&self, session: &mut Session, step: &Step) -> Result<(), Failure> {
        let target = match step.outside_of_transaction() {
            Some(sql) => {
                for statement in &sql.statements {
                    outside_of_transaction(session, step, statement).await?;
                }
                // The migration is done, except for its row in the history.
                Target::FakeVersion(step.version())
            }
            None => Target::Version(step.version()),
        };
        let done = self.runner(target).run_async(&mut session.client).await;
        done.map(drop).map_err(|error| Failure {
            locked: error::postgres_error(&error).is_some_and(error::is_locked),
            error: MigrateError::Failed {
                name: step.name(),
                reason: error::reason(&error, step.sql()),
            },
        })
    }
}

/// Run a statement in such a way that it can be run again if it, or a later one, fails.
async fn outside_of_transaction(
    session: &Session,
    step: &Step,
    statement: &Statement,
) -> Result<(), Failure> {
    let done = async {
        if !statement.has("concurrently") {
            return Ok(session.client.batch_execute(&statement.text).await?);
        }
        if let Some(index) = created_index(statement) {
            drop_if_invalid(session, index).await?;
        }
        session.execute_patiently(&statement.text).await
    };
    done.await.map_err(|error: MigrateError| Failure {
        locked: matches!(&error, MigrateError::Postgres(error) if error::is_locked(error)),
        error: match error {
            MigrateError::Postgres(error) => MigrateError::Interrupted {
                name: step.name(),
                line: statement.line,
                reason: one_line(&error),
            },
            other => other,
        },
    })
}

/// An index whose creation was interrupted exists and is maintained, but is not used, and IF NOT EXISTS accepts it.
async fn drop_if_invalid(session: &Session, index: &str) -> Result<(), MigrateError> {
    let invalid = session
        .client
        .query_one(
            "-- migrate_invalid_index
             SELECT EXISTS (
                 SELECT FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = $2 AND NOT x.indisvalid
             )",
            &[&session.schema, &index],
        )
        .await?;
    if invalid.get(0) {
        tracing::warn!(index, "dropping an index whose creation was interrupted");
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", quoted(index));
        session.execute_patiently(&drop).await?;
    }
    Ok(())
}

/// The name in `CREATE [UNIQUE] INDEX [CONCURRENTLY] [IF NOT EXISTS] name ON …`.
fn created_index(statement: &Statement) -> Option<&str> {
    let mut words = statement.tokens.iter();
    let begins = words.next()?.is("create") && {
        let mut second = words.next()?;
        if second.is("unique") {
            second = words.next()?;
        }
        second.is("index")
    };
    let name = words.find(|token| {
        !["concurrently", "if", "not", "exists"]
            .iter()
            .any(|word| token.is(word))
    })?;
    match &name.kind {
        Kind::Word(name) | Kind::Quoted(name) if begins && name != "on" => Some(name),
        _ => None,
    }
}

/// A migration's statements without CONCURRENTLY, to run in a transaction on tables that no other session uses.
pub(super) fn in_a_transaction(step: &Step) -> String {
    match step.outside_of_transaction() {
        None => step.sql().to_owned(),
        Some(Sql { statements, .. }) => statements
            .iter()
            .map(|statement| statement.without("concurrently") + ";\n")
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::created_index;
    use crate::postgres::migrations::sql::Sql;

    #[test]
    fn the_index_of_a_statement() {
        for (sql, index) in [
            (
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS One ON t (a)",
                Some("one"),
            ),
            ("create unique index concurrently \"A b\" on t (a)", Some("A b")),
            ("CREATE INDEX a ON t (b)", Some("a")),
            ("CREATE INDEX CONCURRENTLY ON t (b)", None),
            ("CREATE TABLE a (b int)", None),
            ("DROP INDEX CONCURRENTLY a", None),
        ] {
            let sql = Sql::read(sql);
            assert_eq!(created_index(&sql.statements[0]), index);
        }
    }
}
