//! `eventide backup`: a consistent copy of the schema while the bot runs.

use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::{
    config::Config,
    postgres::{
        backup::{self, Manifest, Out, Progress, last_backup},
        database::Database,
    },
    support::shutdown::StopSignals,
    telemetry::logging,
};

/// The destination, and the number of backups to keep.
#[derive(Clone, Debug, Args)]
pub struct Backup {
    /// File to write, or a directory (DIR/) for a new eventide-SCHEMA-TIME.dump each time
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Number of backups of the schema to keep in the directory; older ones are removed once the new one is complete
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Print nothing unless it fails, for cron
    #[arg(long)]
    quiet: bool,
}

/// Create a backup.
///
/// # Errors
///
/// There is no backup; no partial file remains, and no older backup was removed.
pub async fn backup(what: Backup, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let out = Out::new(what.out);
    if let (Some(_), Out::File(file)) = (what.keep, &out) {
        return Err(CliError::Usage(format!(
            "--keep needs a directory, and {} is not one: end it with a slash, and create it if necessary",
            file.display()
        )));
    }
    let mut signals = StopSignals::listen()?;
    let database = Database::visit(&config.database).await?;
    let mut progress = Progress::new(what.quiet);
    let keep = what.keep.map(|keep| keep as usize);
    let taken = backup::take(
        &database.direct,
        &config.database,
        &out,
        keep,
        &mut progress,
        &mut signals,
    )
    .await;
    progress.clear();
    if let Ok((_, manifest)) = &taken {
        note(&database, config, manifest).await;
    }
    let closed = database.close().await;
    taken?;
    Ok(closed?)
}

/// Record the backup for the bots' metrics. The backup is valid without it.
async fn note(database: &Database, config: &Config, manifest: &Manifest) {
    let noted = async {
        let store = database.store(&config.database)?;
        let noted = last_backup::note(&store, &manifest.started_at).await;
        store.close();
        noted
    };
    if let Err(error) = noted.await {
        tracing::warn!(
            %error,
            "the backup is complete, but could not be recorded in the database; eventide_backup_last_timestamp_seconds is not updated"
        );
    }
}
