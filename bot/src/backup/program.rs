//! PostgreSQL's client programs: the fitting version, its environment, what it says.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::Command,
};

use super::BackupError;
use crate::{config::Database, embedded, store::connect::libpq::Environment};

/// A directory of programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    directory: PathBuf,
    major: u32,
    /// As the program itself says it, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub(super) version: String,
}

impl Programs {
    /// The first of `names` at least as new as `oldest`, with all the others in its directory: those in
    /// `database.binaries_directory` first, then those of the server's own version, then the newest. `who` says what asks for that
    /// version, before its number.
    pub(super) async fn find(
        database: &Database,
        names: &[&'static str],
        server: u32,
        oldest: u32,
        who: &str,
    ) -> Result<Self, BackupError> {
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
        let fits = |programs: &&Self| programs.major >= oldest;
        let best = found
            .iter()
            .filter(fits)
            // Of equals the last is taken, so the first shall be.
            .rev()
            .max_by_key(|programs| {
                let own = given.as_ref() == Some(&programs.directory);
                (own, programs.major == server, programs.major)
            })
            .cloned();
        best.ok_or_else(|| {
            let install = format!(
                "install postgresql-client-{oldest}, or name the directory of newer programs in database.binaries_directory"
            );
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

    /// A command with nothing of this process's environment. It never asks for a password, and ends with us.
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
        // Ctrl-C in a terminal is for us, who end it.
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
        version: version.to_owned(),
    })
}

/// The major version in a version's text.
pub(super) fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Read what a program says until it ends, telling `heard` each line; returns what tells best why it failed.
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

/// What comes after the word that a program or the server says before an error.
fn error_in(line: &str) -> Option<String> {
    ["error: ", "ERROR:  ", "FATAL:  "]
        .iter()
        .find_map(|word| line.split_once(word))
        .map(|(_, message)| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Programs, listen, major};
    use crate::config::Config;

    #[test]
    fn versions() {
        assert_eq!(major("15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("18rc1"), Some(18));
        assert_eq!(major("devel"), None);
    }

    #[tokio::test]
    async fn programs_that_are_too_old_or_not_there_are_told() {
        let database = Config::defaults().database;
        let find = |names, oldest| Programs::find(&database, names, 15, oldest, "the server is PostgreSQL");
        let programs = find(&["pg_dump"], 15).await.expect("the tests' own PostgreSQL");
        assert!(programs.major >= 15 && programs.version.starts_with(&programs.major.to_string()));
        let error = find(&["pg_dump"], 99).await.expect_err("none").to_string();
        let wanted = format!(
            "the server is PostgreSQL 99, and the newest pg_dump found is {}",
            programs.version
        );
        assert!(error.starts_with(&wanted), "{error}");
        assert!(error.contains("install postgresql-client-99"), "{error}");
        let error = find(&["pg_dump", "pg_nothing"], 15)
            .await
            .expect_err("none")
            .to_string();
        assert!(
            error.starts_with("found no pg_dump and pg_nothing in "),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1);
    }

    #[tokio::test]
    async fn the_first_error_tells() {
        let said = "pg_dump: dumping contents of table \"public.t\"\n\
                    psql:<stdin>:12: ERROR:  relation \"t\" already exists\n\
                    pg_dump: error: later\n";
        let mut lines = 0;
        let message = listen(said.as_bytes(), |_| lines += 1).await;
        assert_eq!(message.as_deref(), Some("relation \"t\" already exists"));
        assert_eq!(lines, 3);
        assert_eq!(
            listen(&b"killed\n\n"[..], |_| ()).await.as_deref(),
            Some("killed")
        );
        assert_eq!(listen(&b""[..], |_| ()).await, None);
    }
}
