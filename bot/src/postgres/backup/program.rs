//! PostgreSQL's client programs: finding a suitable version, running it, and reading its messages.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::Command,
};

use super::BackupError;
use crate::{
    config::Database,
    postgres::{connect::libpq::Environment, embedded},
};

/// A directory with programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    directory: PathBuf,
    major: u32,
    minor: Option<u32>,
    /// The version in the program's own words, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub(super) version: String,
}

/// The first minor version of each major version that writes `\\restrict`, without which a manipulated dump can have psql run programs on
/// this machine (CVE-2025-8714): <https://www.postgresql.org/support/security/CVE-2025-8714/>. All later major versions write it.
const RESTRICTED_SINCE: [(u32, u32); 3] = [(15, 14), (16, 10), (17, 6)];

/// The requirements on the programs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The names of programs that have to be in the same directory.
    pub(super) names: &'a [&'static str],
    /// The server's major version.
    pub(super) server: u32,
    /// The oldest suitable major version.
    pub(super) oldest: u32,
    /// What requires that version, as text before its number.
    pub(super) who: &'static str,
    /// Whether psql runs their output.
    pub(super) restricted: bool,
}

impl Programs {
    /// Find the first suitable directory that contains all of the programs: `database.binaries_directory` is preferred, then the server's
    /// own version, then the newest.
    pub(super) async fn find(database: &Database, wanted: Wanted<'_>) -> Result<Self, BackupError> {
        let Wanted {
            names,
            server,
            oldest,
            who,
            restricted,
        } = wanted;
        let name = names.first().copied().unwrap_or_default();
        let given = database.binaries_directory.clone();
        let directories = given
            .iter()
            .cloned()
            .chain(embedded::debian())
            .chain(database.search_path.iter().cloned());
        let mut found: Vec<Self> = Vec::new();
        for directory in directories {
            let all = names.iter().all(|name| directory.join(name).is_file());
            if all && let Some(programs) = version(&directory, name).await {
                found.push(programs);
            }
        }
        let is_new = |programs: &&Self| programs.major >= oldest;
        let fits = |programs: &&Self| is_new(programs) && (!restricted || programs.restricts());
        let best = found
            .iter()
            .filter(fits)
            // `max_by_key` returns the last of equal elements, and the first is wanted.
            .rev()
            .max_by_key(|programs| {
                let own = given.as_ref() == Some(&programs.directory);
                (own, programs.major == server, programs.major)
            })
            .cloned();
        best.ok_or_else(|| {
            let install = format!(
                "type: {} (or name the directory of newer programs in database.binaries_directory)",
                embedded::packages::install("postgresql-client", oldest)
            );
            if let Some(unsafe_ones) = found.iter().find(is_new) {
                return BackupError::NoProgram(format!(
                    "{name} {} (in {}) lets a manipulated backup run programs on this machine (CVE-2025-8714): update it to {}",
                    unsafe_ones.version,
                    unsafe_ones.directory.display(),
                    fixed()
                ));
            }
            BackupError::NoProgram(match found.iter().rev().max_by_key(|programs| programs.major) {
                Some(newest) => format!(
                    "{who} {oldest}, and the newest {name} found is {} (in {}): {install}",
                    newest.version,
                    newest.directory.display()
                ),
                None => format!(
                    "found no {} in database.binaries_directory, /usr/lib/postgresql/*/bin and PATH: {install}",
                    names.join(" and ")
                ),
            })
        })
    }

    /// Whether the output of this `pg_restore` cannot have psql run programs.
    fn restricts(&self) -> bool {
        match RESTRICTED_SINCE.iter().find(|(major, _)| *major == self.major) {
            Some((_, since)) => self.minor.is_some_and(|minor| minor >= *since),
            None => self.major > RESTRICTED_SINCE[2].0,
        }
    }

    /// A command without the environment of this process. It never prompts for a password, and ends when this process ends.
    pub(super) fn command(&self, name: &str, environment: Option<&Environment>) -> Command {
        let mut command = plain(&self.directory, name);
        if let Some(environment) = environment {
            command.envs(environment.variables());
        }
        command
    }
}

fn plain(directory: &Path, name: &str) -> Command {
    let mut command = Command::new(directory.join(name));
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        // Ctrl-C in a terminal is meant for this process, which then stops the program.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn version(directory: &Path, name: &str) -> Option<Programs> {
    let mut command = plain(directory, name);
    let output = command
        .arg("--version")
        .stdout(Stdio::piped())
        .output()
        .await
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`
    let version = text.trim().split_once(") ")?.1;
    Some(Programs {
        directory: directory.to_owned(),
        major: major(version)?,
        minor: minor(version),
        version: version.to_owned(),
    })
}

fn fixed() -> String {
    let versions = RESTRICTED_SINCE.map(|(major, minor)| format!("{major}.{minor}"));
    format!("{} or later", versions.join(", "))
}

/// The minor version in the text of a version; `None` before the first release.
fn minor(version: &str) -> Option<u32> {
    let (_, rest) = version.split_once('.')?;
    major(rest)
}

/// The major version in the text of a version.
pub(super) fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Pass each line of a program's messages to `heard` until it ends. Returns the line that best explains a failure.
pub(super) async fn listen(said: impl AsyncRead + Unpin, mut heard: impl FnMut(&str)) -> Option<String> {
    let mut reader = BufReader::new(said);
    let (mut line, mut first, mut last) = (Vec::new(), None, None);
    while let Ok(1..) = reader.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        heard(&text);
        if let Some(error) = error_in(&text) {
            first.get_or_insert(error);
        } else if !text.is_empty() {
            last = Some(text);
        }
        line.clear();
    }
    first.or(last)
}

/// The text after the keyword with which a program or the server marks an error.
fn error_in(line: &str) -> Option<String> {
    ["error: ", "ERROR:  ", "FATAL:  "]
        .iter()
        .find_map(|word| line.split_once(word))
        .map(|(_, message)| message.to_owned())
}

#[cfg(test)]
mod tests;
