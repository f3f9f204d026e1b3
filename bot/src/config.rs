//! The configuration: plain data, one struct a subsystem.
//!
//! A key comes from `EVENTIDE__SECTION__KEY`, else from its conventional variable (`DISCORD_TOKEN`,
//! `DATABASE_URL`), else from the file, else from its default. It is declared once, where its field is
//! filled; `config.example.toml` and the hints for unknown keys come from the same declarations. Nothing here
//! has an effect but reading files, and nothing else in the bot reads the environment.

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
};
use self::{problem::Place, reader::Reader, sources::Sources};

/// The file that is read without `--config`, if there is one in the working directory.
pub const DEFAULT_FILE: &str = "config.toml";

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Discord's addresses and the bot's token.
    pub discord: Discord,
    /// Connections to the gateway.
    pub gateway: Gateway,
    /// How several processes share the shards.
    pub fleet: Fleet,
    /// XP and levels.
    pub levels: Levels,
    /// What is gathered in memory between two transactions.
    pub ledger: Ledger,
    /// How messages and roles that follow from levels are delivered.
    pub effects: Effects,
    /// Slash commands.
    pub commands: Commands,
    /// How long what is stored stays.
    pub privacy: Privacy,
    /// PostgreSQL.
    pub database: Database,
    /// Metrics and health.
    pub http: Http,
    /// What is logged, and how.
    pub log: Log,
    /// Where traces go.
    pub traces: Traces,
    /// The process's own life.
    pub process: Process,
}

impl Config {
    /// Reads the file of the command line, or else `config.toml`, and this process's environment.
    ///
    /// # Errors
    ///
    /// All mistakes at once; the binary prints them and ends with 64.
    pub fn from_process(cli_file: Option<&Path>) -> Result<Self, Problems> {
        // A variable that is no Unicode is replaced in part and then refused by its key, if it is one of
        // ours.
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

    /// Reads `cli_file`, or else `config.toml` in the working directory if there is one, and the variables
    /// `environment`.
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
                // The variables are checked all the same: every mistake of one start is told in that start.
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

    /// The configuration without any file or variable.
    pub fn defaults() -> Self {
        Self::build(&mut Reader::new(Sources::default(), Vec::new()))
    }

    /// The text of `config.example.toml`: every key, its default, what is allowed, and why one would change
    /// it.
    pub fn example() -> String {
        let mut reader = Reader::new(Sources::default(), Vec::new());
        Self::build(&mut reader);
        example::render(&reader)
    }

    /// The bot's token.
    ///
    /// # Errors
    ///
    /// When none was given; `demo` and `migrate` do without.
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
            // An editor's byte order mark is no mistake.
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
        let (http, log, traces) = (Http::read(reader), Log::read(reader), Traces::read(reader));
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
            log,
            traces,
            process,
        }
    }
}
