//! `[database]`: an existing PostgreSQL, or a private one.

pub(crate) mod conninfo;
mod routes;
mod ssl;

use std::{path::PathBuf, time::Duration};

pub use self::{
    routes::{Pooler, Routes},
    ssl::{Ssl, SslMode},
};
use crate::config::{
    Ledger, Secret,
    database::conninfo::{Conninfo, Fault},
    guarded::Guarded,
    reader::{Reader, Text, Whole, path},
};

/// The private PostgreSQL accepts 50 connections. The rest are for psql, backups and PostgreSQL's own reserve.
const EMBEDDED_POOL_SIZE: usize = 40;

/// PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The address of PostgreSQL, from `url`, `url_file` or `DATABASE_URL`; `None` for the private one.
    pub url: Option<Secret>,
    /// libpq's password file, from `PGPASSFILE` or in `HOME`. It is not a key, and the file need not exist.
    pub password_file: Option<PathBuf>,
    /// Addresses past a pooler, and of a replica.
    pub routes: Routes,
    /// TLS to PostgreSQL.
    pub ssl: Ssl,
    /// The schema that holds this instance's tables.
    pub schema: String,
    /// The data directory of the private PostgreSQL. A relative path starts at the working directory.
    pub data_directory: PathBuf,
    /// The directory of `initdb` and `postgres`; `None` searches `search_path`, then the directories that Debian uses.
    pub binaries_directory: Option<PathBuf>,
    /// The directories of `PATH`. It is not a key.
    pub search_path: Vec<PathBuf>,
    /// The number of connections in the pool. It is always greater than `ledger.writers`, which leaves connections for commands and health
    /// checks.
    pub pool_size: usize,
    /// The number of connections that are reserved for flushes: `ledger.writers`. It is not a key.
    pub flush_connections: usize,
    /// A connection that is idle for this long is closed; zero keeps all of them.
    pub idle_timeout: Duration,
    /// The maximum wait for a connection from the pool, and for connecting.
    pub connection_timeout: Duration,
    /// The maximum duration of the check before a connection is reused.
    pub recycle_timeout: Duration,
    /// PostgreSQL cancels a statement that runs longer.
    pub statement_timeout: Duration,
    /// A statement slower than this is logged and counted.
    pub slow_query: Duration,
    /// Whether pending migrations are applied at startup.
    pub migrate_on_start: bool,
}

impl Database {
    /// Whether the bot runs its private PostgreSQL, which it does if and only if there is no URL.
    pub const fn embedded(&self) -> bool {
        self.url.is_none()
    }

    pub(super) fn read(reader: &mut Reader, ledger: &Ledger) -> Self {
        let search_path = reader.sources().search_path();
        let password_file = reader.sources().password_file();
        let mut section = reader.section(
            "database",
            "PostgreSQL: your own server, or a private one that the bot runs.",
        );
        let url = section.secret(&Guarded {
            name: "url",
            file: "url_file",
            variable: "DATABASE_URL",
            allowed: "postgresql://user:password@host:port/database or libpq's key=value form",
            why: "Address of an existing PostgreSQL; if empty, the bot runs a private one.",
            fault: url_fault,
        });
        let embedded = section.optional_boolean(
            "embedded",
            true,
            "Run a private PostgreSQL: unset, if there is no URL; `false` refuses to start without a URL, and `true` with one.",
        );
        let routes = Routes::read(&mut section);
        let ssl = Ssl::read(&mut section);
        let schema = section.also("DB_SCHEMA").text(
            &Text {
                name: "schema",
                default: "public",
                allowed: "a name of 1 to 63 bytes that PostgreSQL does not reserve (pg_..., information_schema, $user)",
                why: "Schema of this instance's tables, created at startup; several instances can share a database.",
            },
            schema_name,
        );
        let (data_directory, binaries_directory) = directories(&mut section);
        let database = Self {
            url,
            password_file,
            routes,
            ssl,
            schema,
            data_directory,
            binaries_directory,
            search_path,
            pool_size: section.also("PG_POOL_SIZE").count(Whole {
                name: "pool_size",
                default: 5,
                range: 2..=500,
                unit: "connections",
                why: "Connections to PostgreSQL; one for each of ledger.writers is reserved for flushes.",
            }),
            flush_connections: ledger.writers,
            idle_timeout: section.also("PG_IDLE_TIMEOUT_MS").milliseconds(Whole {
                name: "idle_timeout_ms",
                default: 30_000,
                range: 0..=86_400_000,
                unit: "milliseconds",
                why: "A connection that is idle for this long is closed; 0 keeps all of them.",
            }),
            connection_timeout: section.also("PG_CONNECTION_TIMEOUT_MS").milliseconds(Whole {
                name: "connection_timeout_ms",
                default: 10_000,
                range: 100..=300_000,
                unit: "milliseconds",
                why: "Longest wait for a connection; after it the caller gets an error and tries again.",
            }),
            recycle_timeout: section.milliseconds(Whole {
                name: "recycle_timeout_ms",
                default: 5000,
                range: 100..=60_000,
                unit: "milliseconds",
                why: "Timeout of the check of a connection before it is reused; one that fails it is closed.",
            }),
            statement_timeout: section.milliseconds(Whole {
                name: "statement_timeout_ms",
                default: 30_000,
                range: 100..=3_600_000,
                unit: "milliseconds",
                why: "PostgreSQL cancels a statement that runs longer; without an answer 5 s later, the connection is closed.",
            }),
            slow_query: section.also("PG_SLOW_QUERY_MS").milliseconds(Whole {
                name: "slow_query_ms",
                default: 100,
                range: 1..=600_000,
                unit: "milliseconds",
                why: "A slower statement is counted and logged with its name and duration, never with its values.",
            }),
            migrate_on_start: section.boolean(
                "migrate_on_start",
                true,
                "Apply pending migrations at startup; with false, run `eventide migrate up` after an upgrade.",
            ),
        };
        database.check_combinations(reader, ledger, embedded);
        database
    }

    fn check_combinations(&self, reader: &mut Reader, ledger: &Ledger, embedded: Option<bool>) {
        let faulty_url = reader
            .problems
            .iter()
            .any(|problem| problem.key.starts_with("database.") && problem.key.contains("url"));
        match embedded {
            Some(true) if !self.embedded() => reader.impossible(
                [("database", "embedded"), ("database", "url")],
                "embedded = true and a URL (from url, url_file or DATABASE_URL)".to_owned(),
                "one of the two",
            ),
            Some(false) if self.embedded() && !faulty_url => reader.impossible(
                [("database", "embedded"), ("database", "url")],
                "embedded = false and no URL".to_owned(),
                "a URL in url, url_file or DATABASE_URL, or embedded = true",
            ),
            _ => {}
        }
        let pooled = self.routes.pooler == Pooler::Transaction;
        if pooled && self.routes.direct_url.is_none() && !faulty_url {
            reader.impossible(
                [("database", "pooler"), ("database", "direct_url")],
                "pooler = \"transaction\" and no direct_url".to_owned(),
                "the address of PostgreSQL itself in direct_url, direct_url_file or DATABASE_DIRECT_URL",
            );
        }
        let through_pooler = [("url", &self.url), ("read_url", &self.routes.read_url)];
        for (name, _) in through_pooler
            .iter()
            .filter(|(_, url)| pooled && url.iter().any(has_options))
        {
            reader.impossible(
                [("database", "pooler"), ("database", name)],
                format!("pooler = \"transaction\" and options= in {name}"),
                &format!(
                    "{name} without options=, which a pooler refuses or ignores (direct_url may have it)"
                ),
            );
        }
        let routed = [
            ("direct_url", &self.routes.direct_url),
            ("read_url", &self.routes.read_url),
        ];
        for (name, _) in routed
            .iter()
            .filter(|(_, url)| url.is_some() && self.embedded() && !faulty_url)
        {
            reader.impossible(
                [("database", name), ("database", "url")],
                format!("{name} and no URL"),
                "a URL in url, url_file or DATABASE_URL",
            );
        }
        let keys = [("database", "pool_size"), ("ledger", "writers")];
        if self.pool_size <= ledger.writers {
            let found = format!(
                "pool_size {} with ledger.writers {}",
                self.pool_size, ledger.writers
            );
            reader.impossible(keys, found, "pool_size above ledger.writers");
        }
        if self.embedded() && !faulty_url && self.pool_size > EMBEDDED_POOL_SIZE {
            let found = format!("pool_size {} with the private PostgreSQL", self.pool_size);
            reader.impossible(
                keys,
                found,
                &format!("at most {EMBEDDED_POOL_SIZE} connections there"),
            );
        }
    }
}

fn directories(section: &mut crate::config::reader::Section<'_>) -> (PathBuf, Option<PathBuf>) {
    let data = Text {
        name: "data_directory",
        default: "data",
        allowed: "path of a directory",
        why: "Data directory of the private PostgreSQL; a relative path starts at the working directory.",
    };
    let binaries = Text {
        name: "binaries_directory",
        default: "",
        allowed: "path of the directory that holds initdb and postgres",
        why: "Programs of the private PostgreSQL; by default searched in PATH, then in /usr/lib/postgresql/*/bin.",
    };
    (section.text(&data, path), section.optional_text(&binaries, path))
}

/// A name that a schema can have. In a search path, `"$user"` is the role's name even when it is quoted.
fn schema_name(text: &str) -> Option<String> {
    let kept = text.starts_with("pg_") || text == "information_schema" || text == "$user";
    ((1..=63).contains(&text.len()) && !kept && !text.contains('\0')).then(|| text.to_owned())
}

/// Whether an address sets options for each session.
fn has_options(url: &Secret) -> bool {
    Conninfo::parse(url.expose()).is_ok_and(|info| info.get("options").is_some())
}

/// Why `text` is not a PostgreSQL address. The answer repeats nothing of it but the names of known options.
fn url_fault(text: &str) -> Option<String> {
    Conninfo::parse(text).err().map(Fault::in_words)
}
