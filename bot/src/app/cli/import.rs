//! `eventide import`: imports data of other bots.

use std::{io::Write as _, path::PathBuf};

use clap::{ArgAction, Args};
use twilight_model::id::{Id, marker::GuildMarker};

use super::CliError;
use crate::{
    config::Config,
    features::levels::{
        import::{
            self, Progress,
            fields::{Field, Format, parse_map},
            report::Report,
            validation::XpMeaning,
        },
        rows::member_xp::moving::Mode,
    },
    postgres::{Store, database::Database},
    settings::Settings,
    telemetry::logging,
};

/// What to import, and how.
#[derive(Clone, Debug, Args)]
pub struct Import {
    /// SQLite database, JSON or CSV
    file: PathBuf,
    /// The bot that wrote the file, or its type
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Guild of rows without one; rows of other guilds are skipped
    #[arg(long, value_name = "ID", value_parser = guild)]
    guild: Option<Id<GuildMarker>>,
    /// What to do with members who already have XP
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// Table of a SQLite database
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Names of the columns or keys, such as `user_id=member,xp=points,guild_id=server`
    #[arg(long, value_name = "FIELD=COLUMN,…", value_parser = Map::parse)]
    map: Option<Map>,
    /// Meaning of XP in the file
    #[arg(long, value_enum, default_value_t)]
    xp: XpMeaning,
    /// Show what would change, without writing to the database
    #[arg(long)]
    dry_run: bool,
    /// File for rejected rows, which can be corrected and imported [default: FILE.rejects.jsonl]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Rows per transaction
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = batch)]
    batch: usize,
    /// Import a file again that has already been imported
    #[arg(long, action = ArgAction::SetTrue)]
    again: bool,
    /// Accept IDs even if they look rounded
    #[arg(long, action = ArgAction::SetTrue)]
    trust_ids: bool,
}

#[derive(Clone, Debug)]
struct Map(Vec<(Field, String)>);

impl Map {
    fn parse(text: &str) -> Result<Self, String> {
        parse_map(text).map(Self).map_err(|error| error.to_string())
    }
}

/// Parse a guild ID.
pub(super) fn guild(text: &str) -> Result<Id<GuildMarker>, String> {
    // `parse` would accept a sign.
    text.parse()
        .ok()
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| "a guild's id is a number of 17 to 19 digits".to_owned())
}

fn batch(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|rows| (1..=50_000).contains(rows))
        .ok_or_else(|| "1 to 50000".to_owned())
}

/// Run the import.
///
/// # Errors
///
/// The file cannot be imported, or only in part.
pub async fn import(arguments: Import, config: &Config) -> Result<(), CliError> {
    logging::install(&config.log);
    let database = Database::visit(&config.database).await?;
    let done = on(&database, arguments, config).await;
    database.close().await?;
    done
}

async fn on(database: &Database, arguments: Import, config: &Config) -> Result<(), CliError> {
    if config.database.migrate_on_start && !arguments.dry_run {
        for name in database.migrate().await? {
            tracing::info!(migration = name, "migration applied");
        }
    }
    // A dry run works before the tables exist.
    let store = if arguments.dry_run {
        database.store(&config.database)
    } else {
        database.own_store(&config.database).await
    };
    let store = store.map_err(import::ImportError::from)?;
    store.name_for("import");
    let options = import::Options {
        file: arguments.file,
        format: arguments.format,
        table: arguments.table,
        mapped: arguments.map.map(|map| map.0).unwrap_or_default(),
        guild: arguments.guild,
        mode: arguments.mode,
        xp: arguments.xp,
        dry_run: arguments.dry_run,
        rejects: arguments.rejects,
        batch: arguments.batch,
        again: arguments.again,
        trust_ids: arguments.trust_ids,
    };
    let imported = reported(&store, &options, config).await;
    store.close();
    told(&imported?, options.dry_run)
}

/// Run the import, and add the curves of the guilds shown in the report.
async fn reported(
    store: &Store,
    options: &import::Options,
    config: &Config,
) -> Result<Report, import::ImportError> {
    let settings = Settings::new(&config.levels);
    let mut report = import::run(store, &settings, options, &mut Progress::new()).await?;
    let chosen = settings.of_all(store, report.shown_guilds()).await?;
    report.curves = chosen
        .iter()
        .map(|(guild_id, settings)| (*guild_id, settings.curve))
        .collect();
    Ok(report)
}

fn told(report: &Report, dry_run: bool) -> Result<(), CliError> {
    let mut out = std::io::stdout();
    write!(out, "{}", report.summary(dry_run))?;
    if dry_run {
        writeln!(out, "nothing was written to the database (--dry-run)")?;
    }
    match report.rejects() {
        0 => Ok(()),
        rejected => Err(CliError::SomeRejected {
            rejected,
            rows: report.rows,
        }),
    }
}

#[cfg(test)]
mod tests;
