//! `eventide export`: exports a guild's members.

use std::{
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use twilight_model::id::{Id, marker::GuildMarker};

use super::{CliError, import::guild};
use crate::{
    config::Config,
    features::levels::export::{self, ExportError, Format},
    postgres::{Store, database::Database},
    settings::{Settings, values::curve::Curve},
    support::files,
    telemetry::logging,
};

/// What to export, and where to.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// The guild to export
    #[arg(long, value_name = "ID", value_parser = guild)]
    guild: Id<GuildMarker>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Output file; - for standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
}

/// Run the export.
///
/// # Errors
///
/// The guild has no members, or the export cannot be read or written.
pub async fn export(arguments: Export, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let done = on(&database, arguments, config).await;
    database.close().await?;
    done
}

async fn on(database: &Database, arguments: Export, config: &Config) -> Result<(), CliError> {
    let store = database
        .own_store(&config.database)
        .await
        .map_err(ExportError::from)?;
    store.name_for("export");
    let Export { guild, format, out } = arguments;
    let settings = Settings::new(&config.levels).of(&store, guild).await;
    let guild = (guild, settings.map_err(ExportError::from)?.curve);
    let exported = if out == Path::new("-") {
        export::write(&store, guild, format, BufWriter::new(std::io::stdout())).await
    } else {
        to_file(&store, guild, format, &out).await
    };
    store.close();
    // Standard output may contain the export itself.
    writeln!(std::io::stderr(), "{} members exported", exported?)?;
    Ok(())
}

/// Write to a temporary name first, so that a file called `out` is always complete.
async fn to_file(
    store: &Store,
    guild: (Id<GuildMarker>, Curve),
    format: Format,
    out: &Path,
) -> Result<u64, ExportError> {
    let mut part = out.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = export::write(store, guild, format, BufWriter::new(files::replace(&part)?)).await;
    match written {
        Ok(count) => {
            fs::rename(&part, out)?;
            Ok(count)
        }
        Err(error) => {
            // The first error is the relevant one.
            drop(fs::remove_file(&part));
            Err(error)
        }
    }
}
