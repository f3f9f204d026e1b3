//! Schema migrations: refinery's files from `migrations/`, embedded in the binary, each with an undo file.
//!
//! refinery takes no lock, so of several processes that start together all but one would fail. The migrations therefore run on a dedicated
//! connection under an advisory lock whose key includes the schema:
//! <https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS>. refinery also supports neither undo nor statements that
//! cannot run in a transaction. Both are implemented here, using its history table.

mod apply;
mod catalog;
pub mod create;
mod down;
mod error;
mod files;
mod foreign;
mod history;
#[cfg(test)]
mod lint;
mod session;
mod sql;
mod verify;

pub(in crate::postgres) use self::foreign::{FoundHistory, history_of};
use self::session::Session;
pub use self::{
    catalog::Catalog,
    down::{Loss, Undoing},
    error::MigrateError,
    files::{File, Migrations},
    foreign::expect_ours,
    history::Status,
    verify::Verdict,
};
use super::connect::{Target, quoted};

/// Every migration of the binary, and whether it is applied to the database.
///
/// # Errors
///
/// [`MigrateError::TooOld`], [`MigrateError::Divergent`], [`MigrateError::OutOfOrder`] and similar errors for a history that does not
/// match.
pub async fn status(target: impl Into<Target>) -> Result<Vec<Status>, MigrateError> {
    let (all, faults) = Migrations::embedded().overview(target).await?;
    match faults.into_iter().next() {
        Some(fault) => Err(fault),
        None => Ok(all),
    }
}

/// Apply pending migrations. Returns their names.
///
/// # Errors
///
/// See [`MigrateError`]. Migrations before a failing one stay applied.
pub async fn up(target: impl Into<Target>) -> Result<Vec<String>, MigrateError> {
    Migrations::embedded().up(target, None).await
}

/// Log the migrations that a newer version has applied.
pub fn log_newer(names: &[String]) {
    if !names.is_empty() {
        tracing::info!(
            migrations = names.join(", "),
            "a newer version of Eventide has applied migrations that this one does not know but can work with"
        );
    }
}

/// Drop everything in the schema, for a demo with a private server.
pub async fn start_over(target: impl Into<Target>) -> Result<(), MigrateError> {
    let session = Session::open(target.into()).await?;
    let schema = quoted(&session.schema);
    session
        .client
        .batch_execute(&format!(
            "-- start_over\nDROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"
        ))
        .await?;
    Ok(())
}

impl Migrations {
    /// Every migration of the binary or the database, and every mismatch between the two.
    pub async fn overview(
        &self,
        target: impl Into<Target>,
    ) -> Result<(Vec<Status>, Vec<MigrateError>), MigrateError> {
        let session = Session::open(target.into()).await?;
        let history = session.history().await?;
        Ok((self.statuses(&history), self.faults(&history)))
    }

    /// The objects in the schema.
    pub async fn catalog(target: impl Into<Target>) -> Result<Catalog, MigrateError> {
        let mut session = Session::open(target.into()).await?;
        let tx = session.client.transaction().await?;
        Ok(Catalog::read(&tx, &session.schema).await?)
    }
}
