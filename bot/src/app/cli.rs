//! The command line.

mod ask;
pub mod backup;
pub mod commands;
#[cfg(feature = "demo")]
pub mod demo;
mod descriptors;
pub mod doctor;
#[cfg(all(test, feature = "demo"))]
mod document;
pub mod effects;
pub mod export;
pub mod fleet;
pub mod gaps;
pub mod health;
pub mod import;
pub mod invite;
pub mod log;
pub mod migrate;
mod process;
pub mod quarantine;
pub mod restore;
pub mod run;
pub mod settings;
pub mod timers;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use thiserror::Error;

pub use self::process::main;
use crate::{
    app::{
        bot::{BotError, StartError},
        ops_http::ListenError,
    },
    config::{Config, Problems},
    features::levels::{export::ExportError, import::ImportError},
    interactions::registration::RegistrationError,
    postgres::{StoreError, backup::BackupError, database::DatabaseError, migrations::create::CreateError},
    support::version,
    telemetry::traces::TracesError,
};

/// A Discord bot for communities that have outgrown one process: every event counts exactly once.
#[derive(Debug, Parser)]
#[command(name = "eventide", version = version::TEXT, arg_required_else_help = true)]
pub struct Cli {
    /// Configuration file [default: config.toml, if it exists]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// The command to run
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of the binary.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the bot until SIGTERM or Ctrl-C
    Run,
    /// Check whether the bot on this machine is alive, or ready
    Health(health::Health),
    /// Show or change the log level of the running bot on this machine
    ///
    /// The change lasts until its next start. Example: `eventide log info,eventide::discord::rest=debug`
    Log(log::Log),
    /// Print the link that adds the bot to a server
    ///
    /// It requests the permissions that the bot uses. The reason for each is listed, and the intents to enable.
    Invite(invite::Invite),
    /// Run the bot on a simulated Discord and a private PostgreSQL
    ///
    /// Simulated time runs 60 times faster, so that members leave their cooldowns while you watch. The database is in `data/demo` and is emptied at each start. At the end it is compared with what was sent; the exit code is 0 only if they match. Released binaries do not have this command.
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    /// Inspect, upgrade or downgrade the database schema
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Show or change a server's settings
    ///
    /// Announcements, reward roles, the log channel, and the settings of sections such as moderation: docs/servers.md describes the keys. XP
    /// rules are set in Discord.
    Settings(settings::Settings),
    /// Show the periods in which events were missed, and why
    ///
    /// Also shows how many messages were read back, and which channels could not be read.
    Gaps(gaps::Gaps),
    /// Show the processes that share the shards, or move shards between them
    #[command(subcommand)]
    Fleet(fleet::Fleet),
    /// Show pending and failed deliveries to Discord
    Effects(effects::Effects),
    /// Show or cancel scheduled work, such as the end of a boost
    #[command(subcommand)]
    Timers(timers::Timers),
    /// List, apply or discard changes that PostgreSQL rejected
    ///
    /// Possible reasons are a constraint, a trigger, a missing privilege or a damaged page.
    #[command(subcommand)]
    Quarantine(quarantine::Quarantine),
    /// Register the slash commands, or compare them with those that Discord has
    #[command(subcommand)]
    Commands(commands::Commands),
    /// Check PostgreSQL for problems and suggest fixes
    ///
    /// Checks version, connections, clocks, harmful settings, dead rows and bloat, HOT ratio, invalid indexes, the age of the checkpoints,
    /// expensive statements and the replica. Changes nothing; the exit code is 1 if something is bad.
    Doctor,
    /// Back up the schema while the bot runs
    ///
    /// Needs a `pg_dump` at least as new as the server. Writes a manifest next to the dump.
    Backup(backup::Backup),
    /// Restore a backup into the schema
    ///
    /// Needs `pg_restore` and `psql`. The backup is checked against its manifest and restored in one transaction; it may be from an older
    /// version or another schema. Its sessions are discarded, and the resulting gap is recorded and its messages
    /// are read back.
    Restore(restore::Restore),
    /// Import members and XP from another bot
    Import(import::Import),
    /// Export a guild's members as CSV or JSON
    Export(export::Export),
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// The configuration has mistakes.
    #[error("{0}")]
    Config(#[from] Problems),
    /// The port is in use, or not permitted.
    #[error("{0}")]
    Listen(#[from] ListenError),
    /// The recorder for metrics could not be installed.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// Traces cannot be sent.
    #[error("{0}")]
    Traces(#[from] TracesError),
    /// There is no usable database.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// The bot could not be started.
    #[error("{0}")]
    Start(#[from] StartError),
    /// The bot ended by itself.
    #[error("{0}")]
    Bot(#[from] BotError),
    /// The files of a new migration could not be created.
    #[error("{0}")]
    Create(#[from] CreateError),
    /// The schema has mismatches, one per line.
    #[error("{}", .0.join("\n"))]
    Schema(Vec<String>),
    /// A confirmation is required, and there is no terminal.
    #[error("not a terminal; pass --yes to confirm `migrate down`")]
    NobodyToAsk,
    /// The backup or the restore failed.
    #[error("{0}")]
    Backup(#[from] BackupError),
    /// The arguments contradict each other.
    #[error("{0}")]
    Usage(String),
    /// The operator did not confirm.
    #[error("cancelled; nothing was changed")]
    Declined,
    /// An operation of the operating system failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The import failed, or was not completed.
    #[error("{0}")]
    Import(#[from] ImportError),
    /// A statement failed.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// Changes are still in quarantine.
    #[error("{0} changes are still in quarantine")]
    Quarantined(usize),
    /// Some rows were not imported.
    #[error("{rejected} of {rows} rows were rejected; the others were imported")]
    SomeRejected {
        /// The number of rejected rows.
        rejected: u64,
        /// The number of all rows.
        rows: u64,
    },
    /// The commands could not be registered or listed.
    #[error("{0}")]
    Registration(#[from] RegistrationError),
    /// The export failed.
    #[error("{0}")]
    Export(#[from] ExportError),
    /// The demo's reconciliation failed.
    #[cfg(feature = "demo")]
    #[error("the database does not match what was sent; see the reconciliation")]
    NotExact,
    /// `eventide doctor` found a serious problem.
    #[error("{0} of the findings are bad; the fix is below each")]
    Unhealthy(usize),
    /// The process is not running, or not ready.
    #[error("{0}")]
    Health(#[from] health::HealthError),
    /// A second signal arrived during the shutdown.
    #[error("stopped by a second signal; uncommitted events are replayed at the next start")]
    Forced,
}

impl CliError {
    /// The exit code of the process: 64 for invalid configuration or usage (`EX_USAGE` of sysexits.h), 2 for an import with rejected rows,
    /// 1 for everything else.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::NobodyToAsk | Self::Usage(_) => 64,
            Self::SomeRejected { .. } => 2,
            _ => 1,
        }
    }
}

impl Cli {
    /// Run the command.
    pub async fn execute(self) -> Result<(), CliError> {
        if let Command::Migrate(migrate::Migrate::Create { name }) = &self.command {
            // This command needs neither a database nor a configuration.
            return migrate::create(name);
        }
        let config = Config::from_process(self.config.as_deref())?;
        match self.command {
            Command::Run => Box::pin(run::run(&config)).await,
            Command::Health(health) => health::health(&health, &config).await,
            Command::Log(log) => log::log(log, &config).await,
            Command::Invite(invite) => invite::invite(&invite, &config),
            #[cfg(feature = "demo")]
            Command::Demo(demo) => Box::pin(demo::demo(demo, &config)).await,
            Command::Settings(settings) => settings::settings(settings, &config).await,
            Command::Gaps(gaps) => gaps::gaps(gaps, &config).await,
            Command::Fleet(fleet) => fleet::fleet(fleet, &config).await,
            Command::Commands(what) => commands::commands(what, &config).await,
            Command::Effects(effects) => effects::effects(effects, &config).await,
            Command::Timers(what) => timers::timers(what, &config).await,
            Command::Quarantine(what) => quarantine::quarantine(what, &config).await,
            Command::Doctor => doctor::doctor(&config).await,
            Command::Migrate(migrate) => migrate::migrate(migrate, &config).await,
            Command::Backup(backup) => backup::backup(backup, &config).await,
            Command::Restore(restore) => restore::restore(restore, &config).await,
            Command::Import(import) => import::import(import, &config).await,
            Command::Export(export) => export::export(export, &config).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_version_says_which_commit() {
        let text = Cli::command().render_version();
        let commit = text
            .trim_end()
            .strip_prefix(concat!("eventide ", env!("CARGO_PKG_VERSION"), " ("))
            .and_then(|rest| rest.strip_suffix(")"))
            .expect("version (commit)");
        assert_eq!(commit, crate::support::version::COMMIT);
        assert!(
            !commit.is_empty() && commit.chars().all(|c| c.is_ascii_alphanumeric()),
            "{commit}"
        );
    }
}
