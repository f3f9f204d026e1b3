//! `eventide restore`: restores a backup into the schema.

use std::path::PathBuf;

use clap::Args;

use super::{CliError, ask};
use crate::{
    app::features,
    config::Config,
    features::privacy::rows::member,
    postgres::{
        backup::{Plan, Progress},
        database::Database,
    },
    support::shutdown::StopSignals,
    telemetry::logging,
};

/// What to restore.
#[derive(Clone, Debug, Args)]
pub struct Restore {
    /// The backup; its manifest must be next to it
    file: PathBuf,
    /// Replace the contents of the schema
    #[arg(long)]
    replace: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Print nothing unless it fails
    #[arg(long)]
    quiet: bool,
}

/// Run the restore.
///
/// # Errors
///
/// Nothing was restored, and nothing has changed; or the restored schema could not be migrated.
pub async fn restore(what: Restore, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let mut progress = Progress::new(what.quiet);
    let done = on(&database, &what, config, &mut progress).await;
    progress.clear();
    let closed = database.close().await;
    done?;
    Ok(closed?)
}

async fn on(
    database: &Database,
    what: &Restore,
    config: &Config,
    progress: &mut Progress,
) -> Result<(), CliError> {
    let plan = Plan::make(
        &database.direct,
        &config.database,
        &what.file,
        what.replace,
        features::tables(),
        member::ERASURE,
    )
    .await?;
    if let Some(losses) = plan.losses()
        && !what.yes
        && !ask::whether(&losses)?
    {
        return Err(CliError::Declined);
    }
    let mut signals = StopSignals::listen()?;
    let restored = plan.carry_out(progress, &mut signals).await?;
    for name in restored.migrated {
        progress.line(&format!("applied {name}"));
    }
    Ok(())
}
