//! The server's settings: those of a small private server next to a bot, safe against power failures.

use std::{
    fmt::Write,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{
    postgres::embedded::{
        account::Account,
        error::Error,
        paths::{PORT, Place},
    },
    support::files,
};

/// The bot's role, which is also the name of its database.
pub(super) const ROLE: &str = "eventide";

const HEAD: &str = "\
# Written by eventide at each start of its private PostgreSQL; changes here are lost.
# Your own settings go to custom.conf beside this file.
";

/// Names and values, in the order of PostgreSQL's manual (chapter 20).
const SETTINGS: [(&str, &str); 24] = [
    // The server only listens on its socket, in a directory that only its account can enter.
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    // The pool has at most 40; the rest are for psql and backups.
    ("max_connections", "50"),
    ("shared_buffers", "128MB"),
    // These are the defaults. They are written down because the bot's guarantees depend on them: committed data survives a power failure.
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    // There is no replica and no archive of the WAL.
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("wal_compression", "on"),
    // Fewer checkpoints write fewer full pages to the WAL; at most this much is replayed after a crash.
    ("max_wal_size", "1GB"),
    ("checkpoint_timeout", "15min"),
    // The statements are short and frequent, so compiling them costs more than it saves.
    ("jit", "off"),
    // Frequent small runs instead of rare long ones.
    ("autovacuum_naptime", "20s"),
    // One file per weekday, overwritten a week later. Statements and details are not logged, because they contain users' IDs.
    ("logging_collector", "on"),
    ("log_directory", "log"),
    ("log_filename", "server-%a.log"),
    ("log_rotation_age", "1d"),
    ("log_rotation_size", "0"),
    ("log_truncate_on_rotation", "on"),
    ("log_checkpoints", "off"),
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
    ("cluster_name", "eventide"),
];

/// The files with which the server is started.
#[derive(Debug)]
pub(super) struct Settings {
    syncs: bool,
    /// The file names in the bot's directory, and the contents.
    files: [(&'static str, String); 3],
}

impl Settings {
    /// `extra` comes last, so it overrides the rest.
    pub(super) fn new(account: &Account, extra: &[(String, String)]) -> Result<Self, Error> {
        let mut settings = HEAD.to_owned();
        // initdb has determined what this machine supports, such as the type of shared memory.
        settings.push_str("include_if_exists 'cluster/postgresql.conf'\n");
        for (name, value) in SETTINGS {
            settings.push_str(&line(name, value));
        }
        settings.push_str(&line("port", &PORT.to_string()));
        settings.push_str("include_if_exists 'custom.conf'\n");
        for (name, value) in extra {
            let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
            if name.is_empty() || !name.chars().all(plain) || value.contains(['\n', '\r', '\0']) {
                return Err(Error::BadSetting { name: name.clone() });
            }
            settings.push_str(&line(name, value));
        }
        let access = format!("{HEAD}local all all peer map=eventide\n");
        let mut people = HEAD.to_owned();
        for person in account.people() {
            writeln!(people, "eventide \"{person}\" {ROLE}").expect("a String takes any text");
        }
        let off = extra
            .iter()
            .rfind(|(name, _)| name == "fsync")
            .is_some_and(|(_, value)| value == "off");
        Ok(Self {
            syncs: !off,
            files: [
                ("postgresql.conf", settings),
                ("pg_hba.conf", access),
                ("pg_ident.conf", people),
            ],
        })
    }

    /// Whether the server syncs its writes.
    pub(super) const fn syncs(&self) -> bool {
        self.syncs
    }

    /// Whether a running server was started with the same settings.
    pub(super) fn are_in(&self, place: &Place) -> bool {
        let same = |path: PathBuf, text: &str| fs::read(path).is_ok_and(|file| file == text.as_bytes());
        self.files
            .iter()
            .all(|(name, text)| same(place.home.at(name), text))
    }

    pub(super) fn write(&self, place: &Place) -> Result<(), Error> {
        for (name, text) in &self.files {
            replace(&place.home.at(name), text).map_err(Error::io("write", place.home.path().join(name)))?;
        }
        Ok(())
    }
}

/// Write a complete file or none: if the disk is full, the old one is kept.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = files::replace(&new)?;
    // If root starts the server, it reads the file as another user. The file contains no secrets.
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    fs::rename(&new, path)
}

fn line(name: &str, value: &str) -> String {
    format!("{name} = '{}'\n", value.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_synced_unless_its_server_never_syncs() {
        let account = Account {
            uid: 0,
            gid: 0,
            name: "postgres".to_owned(),
            lent: true,
        };
        let syncs = |settings: &[(&str, &str)]| {
            let settings: Vec<_> = settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            Settings::new(&account, &settings).expect("settings").syncs()
        };
        assert!(syncs(&[]));
        assert!(syncs(&[("jit", "off")]));
        assert!(!syncs(&[("fsync", "off")]));
        assert!(syncs(&[("fsync", "off"), ("fsync", "on")]));
    }
}
