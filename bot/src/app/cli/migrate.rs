//! `eventide migrate`: manages the database schema.

use std::io::{self, IsTerminal as _, Write};

use clap::Subcommand;

use super::CliError;
use crate::{
    config::Config,
    postgres::{
        database::{Database, DatabaseError},
        migrations::{self, MigrateError, Migrations, Status},
    },
    telemetry::logging,
};

/// What to do with the schema.
#[derive(Clone, Debug, Subcommand)]
pub enum Migrate {
    /// Show every migration, when it was applied, and whether it can be undone
    Status,
    /// Apply pending migrations
    Up {
        /// Stop after this version
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
        to: Option<i32>,
    },
    /// Undo the newest migration
    ///
    /// Shows which tables, columns and rows are lost, asks for confirmation, and undoes it in one transaction. Refused while Eventide runs
    /// on the schema.
    Down {
        /// Number of migrations to undo, all or none
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        steps: u16,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Create the files of a new migration, in a checkout of the source code
    Create {
        /// Name of the migration, such as `add_guild_settings`
        name: String,
    },
    /// Check that the history and the schema match this binary's migrations
    ///
    /// Compares tables, columns, indexes, constraints, views, triggers and functions with what the migrations create.
    Verify,
}

/// Run the subcommand.
///
/// # Errors
///
/// The database cannot be reached, its history does not match this binary's migrations, or a check failed.
pub async fn migrate(what: Migrate, config: &Config) -> Result<(), CliError> {
    if matches!(what, Migrate::Down { yes: false, .. }) && !io::stdin().is_terminal() {
        return Err(CliError::NobodyToAsk);
    }
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let done = on(&database, what).await;
    database.close().await?;
    done
}

/// Create the files of a new migration in the working directory.
///
/// # Errors
///
/// The name is invalid, or there is no checkout.
pub fn create(name: &str) -> Result<(), CliError> {
    for path in migrations::create::create(&std::env::current_dir()?, name)? {
        writeln!(io::stdout(), "{}", path.display())?;
    }
    Ok(())
}

async fn on(database: &Database, what: Migrate) -> Result<(), CliError> {
    match what {
        Migrate::Status => status(database).await,
        Migrate::Up { to } => up(database, to).await,
        Migrate::Down { steps, yes } => down(database, steps.into(), yes).await,
        Migrate::Create { name } => create(&name),
        Migrate::Verify => verify(database).await,
    }
}

async fn status(database: &Database) -> Result<(), CliError> {
    let (all, faults) = Migrations::embedded().overview(&database.direct).await?;
    io::stdout().write_all(table(&all).as_bytes())?;
    found(faults.iter().map(ToString::to_string).collect())
}

fn table(all: &[Status]) -> String {
    let width = all
        .iter()
        .map(|status| status.name.len())
        .max()
        .unwrap_or_default();
    let row = |name: &str, applied: &str, undo: &str| format!("{name:<width$}  {applied:<19}  {undo}\n");
    let mut text = row("MIGRATION", "APPLIED (UTC)", "UNDO");
    for status in all {
        let applied = status.applied_on.as_deref().unwrap_or("pending");
        text += &row(&status.name, applied, if status.undo { "yes" } else { "no" });
    }
    let pending = all.iter().filter(|status| status.applied_on.is_none()).count();
    if pending > 0 {
        let line = format!(
            "{pending} of {} pending: `eventide migrate up` applies them\n",
            all.len()
        );
        text.push_str(&line);
    }
    let newer = all.iter().filter(|status| status.newer).count();
    if newer > 0 {
        let line = format!(
            "{newer} of {} applied by a newer version than this binary\n",
            all.len()
        );
        text.push_str(&line);
    }
    text
}

async fn up(database: &Database, to: Option<i32>) -> Result<(), CliError> {
    let applied = database.migrate_to(to).await?;
    let mut out = io::stdout();
    // Each migration was logged.
    match applied.last() {
        Some(newest) => writeln!(out, "{} applied: the schema is at {newest}", applied.len())?,
        None => writeln!(out, "nothing to apply")?,
    }
    Ok(())
}

async fn down(database: &Database, steps: usize, yes: bool) -> Result<(), CliError> {
    let embedded = Migrations::embedded();
    let undoing = embedded.undoing(&database.direct, steps).await?;
    let names = undoing.names();
    let mut out = io::stdout();
    if names.is_empty() {
        writeln!(out, "no migration is applied")?;
        return Ok(());
    }
    let list = names.join(", then ");
    if undoing.loss().is_nothing() {
        writeln!(out, "undoing {list}: no data is dropped")?;
    } else {
        write!(out, "undoing {list} permanently drops:\n{}", undoing.loss())?;
    }
    if !yes && !agreed()? {
        return Err(CliError::Declined);
    }
    undoing.run().await?;
    for name in names {
        writeln!(out, "undid {name}")?;
    }
    Ok(())
}

/// Ask on the terminal. Blocking is fine: nothing else is in progress.
fn agreed() -> Result<bool, io::Error> {
    let mut terminal = io::stderr();
    write!(terminal, "Continue? Type yes: ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

async fn verify(database: &Database) -> Result<(), CliError> {
    let embedded = Migrations::embedded();
    let verdict = embedded.verify(&database.direct).await?;
    let mut out = io::stdout();
    for note in &verdict.notes {
        writeln!(out, "{note}")?;
    }
    if verdict.findings.is_empty() {
        let what = if verdict.compared {
            "history and tables are"
        } else {
            "the history is"
        };
        writeln!(out, "{what} what the migrations make")?;
    }
    found(verdict.findings)
}

fn found(findings: Vec<String>) -> Result<(), CliError> {
    if findings.is_empty() {
        Ok(())
    } else {
        Err(CliError::Schema(findings))
    }
}

impl From<MigrateError> for CliError {
    fn from(error: MigrateError) -> Self {
        Self::Database(DatabaseError::from(error))
    }
}

#[cfg(test)]
mod tests {
    use super::{Status, table};

    #[test]
    fn the_table_is_aligned() {
        let status = |name: &str, applied_on: Option<&str>, undo| Status {
            name: name.to_owned(),
            applied_on: applied_on.map(str::to_owned),
            undo,
            newer: name == "V11__c",
        };
        let text = table(&[
            status("V1__member_xp", Some("2026-11-21 12:00:00"), true),
            status("V10__b", None, false),
            status("V11__c", Some("2026-11-21 12:00:01"), false),
        ]);
        assert_eq!(
            text,
            "MIGRATION      APPLIED (UTC)        UNDO\n\
             V1__member_xp  2026-11-21 12:00:00  yes\n\
             V10__b         pending              no\n\
             V11__c         2026-11-21 12:00:01  no\n\
             1 of 3 pending: `eventide migrate up` applies them\n\
             1 of 3 applied by a newer version than this binary\n"
        );
    }
}
