//! The configuration: plain data, one struct per subsystem.
//!
//! The value of a key comes from the first of these that sets it: `EVENTIDE__SECTION__KEY`, its conventional variable (`DISCORD_TOKEN`,
//! `DATABASE_URL`), the file, its default. A key is declared once, where its field is filled in; `config.example.toml` and the hints for
//! unknown keys come from the same declarations. The only side effect of this module is reading files, and no other module reads the
//! environment.

mod address;
mod commands;
pub(crate) mod database;
mod discord;
mod effects;
mod example;
mod fleet;
mod gateway;
mod guarded;
mod http;
mod input;
mod ledger;
mod levels;
mod log;
mod privacy;
mod problem;
mod process;
mod reader;
mod secret;
mod sources;
#[cfg(test)]
mod tests;
mod traces;
mod unknown;
mod web;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

pub use self::{
    commands::Commands,
    database::{Database, Pooler, Routes, Ssl, SslMode},
    discord::Discord,
    effects::Effects,
    fleet::Fleet,
    gateway::{Gateway, ShardCount},
    http::Http,
    ledger::Ledger,
    levels::{Announce, Levels},
    log::{Log, LogFormat},
    privacy::Privacy,
    problem::{Problem, Problems},
    process::Process,
    secret::Secret,
    traces::Traces,
    web::{Network, Web},
};
use self::{problem::Place, reader::Reader, sources::Sources};

/// The file that is read without `--config`, if it exists in the working directory.
pub const DEFAULT_FILE: &str = "config.toml";

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The bot's token and Discord's addresses.
    pub discord: Discord,
    /// Connections to the gateway.
    pub gateway: Gateway,
    /// How several processes share the shards.
    pub fleet: Fleet,
    /// XP and levels.
    pub levels: Levels,
    /// Changes collected in memory between two transactions.
    pub ledger: Ledger,
    /// Delivery of effects on Discord.
    pub effects: Effects,
    /// Slash commands.
    pub commands: Commands,
    /// Data retention.
    pub privacy: Privacy,
    /// PostgreSQL.
    pub database: Database,
    /// Metrics and health.
    pub http: Http,
    /// The website.
    pub web: Web,
    /// The level and format of the logs.
    pub log: Log,
    /// Traces sent to an OpenTelemetry collector.
    pub traces: Traces,
    /// The lifetime of the process.
    pub process: Process,
}

impl Config {
    /// Read this process's environment and the file given on the command line, or else `config.toml`.
    ///
    /// # Errors
    ///
    /// All mistakes at once. The binary prints them and exits with status 64.
    pub fn from_process(cli_file: Option<&Path>) -> Result<Self, Problems> {
        // A variable that is not Unicode is converted lossily. If it is one of the bot's, its key then rejects the value.
        let environment = std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect();
        Self::load(cli_file, &environment)
    }

    /// Read the variables in `environment` and the file `cli_file`, or else `config.toml` in the working directory if it exists.
    ///
    /// # Errors
    ///
    /// All mistakes at once.
    pub fn load(cli_file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Problems> {
        let path = cli_file.unwrap_or(Path::new(DEFAULT_FILE));
        match fs::read(path) {
            Ok(bytes) => Self::read(Some((path, &bytes)), environment),
            Err(error) if cli_file.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Self::read(None, environment)
            }
            Err(error) => {
                // The variables are checked nevertheless, so that one start reports every mistake.
                let mut problems = vec![Problem {
                    place: Place::File(path.to_owned()),
                    key: "--config".to_owned(),
                    found: format!("a file that cannot be read ({error})"),
                    allowed: "a TOML file, see config.example.toml".to_owned(),
                }];
                problems.extend(
                    Self::read(None, environment)
                        .err()
                        .into_iter()
                        .flat_map(|problems| problems.0),
                );
                Err(Problems(problems))
            }
        }
    }

    /// The configuration without a file and without variables.
    pub fn defaults() -> Self {
        Self::build(&mut Reader::new(Sources::default(), Vec::new()))
    }

    /// The text of `config.example.toml`: for each key its default, the allowed values, and a reason to change it.
    pub fn example() -> String {
        let mut reader = Reader::new(Sources::default(), Vec::new());
        Self::build(&mut reader);
        example::render(&reader)
    }

    /// The bot's token.
    ///
    /// # Errors
    ///
    /// No token was given. `demo` and `migrate` work without one.
    pub fn require_token(&self) -> Result<&Secret, Problem> {
        self.discord.token.as_ref().ok_or_else(|| Problem {
            place: Place::Unset,
            key: "discord.token".to_owned(),
            found: "nothing in DISCORD_TOKEN, discord.token or discord.token_file".to_owned(),
            allowed: discord::TOKEN_ALLOWED.to_owned(),
        })
    }

    fn read(file: Option<(&Path, &[u8])>, environment: &BTreeMap<String, String>) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut sources = Sources::new(environment, &mut problems);
        if let Some((path, bytes)) = file {
            // Some editors write a byte order mark, which is allowed.
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            match str::from_utf8(bytes) {
                Ok(text) => sources.add_file(path, text, &mut problems),
                Err(error) => problems.push(Problem {
                    place: Place::File(PathBuf::from(path)),
                    key: "syntax".to_owned(),
                    found: format!("bytes that are not UTF-8 at {}", error.valid_up_to()),
                    allowed: "TOML in UTF-8".to_owned(),
                }),
            }
        }
        let mut reader = Reader::new(sources, problems);
        let config = Self::build(&mut reader);
        unknown::refuse(&mut reader);
        let mut problems = reader.problems;
        problems.sort_by_key(Problem::order);
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(Problems(problems))
        }
    }

    fn build(reader: &mut Reader) -> Self {
        let (discord, gateway) = (Discord::read(reader), Gateway::read(reader));
        let (fleet, levels) = (Fleet::read(reader), Levels::read(reader));
        let ledger = Ledger::read(reader);
        let effects = Effects::read(reader);
        let commands = Commands::read(reader);
        let privacy = Privacy::read(reader);
        let database = Database::read(reader, &ledger);
        let (http, web) = (Http::read(reader), Web::read(reader));
        let (log, traces) = (Log::read(reader), Traces::read(reader));
        let process = Process::read(reader);
        Self {
            discord,
            gateway,
            fleet,
            levels,
            ledger,
            effects,
            commands,
            privacy,
            database,
            http,
            web,
            log,
            traces,
            process,
        }
    }
}
