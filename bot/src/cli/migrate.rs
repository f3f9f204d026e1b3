//! `eventide migrate`: the database's schema.

use std::io::Write as _;

use clap::Subcommand;

use super::CliError;
use crate::{
    config::Config,
    database::{Database, DatabaseError},
    logging,
    store::migrations,
};

/// What to do with the schema.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Migrate {
    /// Show every migration, and whether and when it was applied
    Status,
    /// Apply what is missing
    Up,
}

/// Do it.
///
/// # Errors
///
/// The database cannot be reached, or its history does not fit this binary's migrations.
pub async fn migrate(what: Migrate, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let done = on(&database, what).await;
    database.close().await?;
    done
}

async fn on(database: &Database, what: Migrate) -> Result<(), CliError> {
    let mut out = std::io::stdout();
    match what {
        Migrate::Status => {
            let all = migrations::status(&database.direct)
                .await
                .map_err(DatabaseError::from)?;
            for migration in all {
                let applied = migration.applied_on.as_deref().unwrap_or("pending");
                writeln!(out, "{:<45} {applied}", migration.name)?;
            }
        }
        Migrate::Up => {
            let applied = database.migrate().await?;
            for name in &applied {
                writeln!(out, "applied {name}")?;
            }
            if applied.is_empty() {
                writeln!(out, "the schema is up to date")?;
            }
        }
    }
    Ok(())
}
