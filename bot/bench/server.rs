//! A PostgreSQL with stock settings: `initdb`'s configuration untouched, only places and the port on the command line.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid, User},
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};
use tokio_postgres::NoTls;

use crate::Failure;

/// Where Debian's packages put the programs, a directory a version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The superuser, and the database that every run gets anew.
const ROLE: &str = "bench";
/// How long the server may take to start, or to stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server, which is removed with its cluster when it is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    directory: Directory,
    process: Child,
    /// The postmaster.
    pub(crate) pid: u32,
    port: u16,
}

/// What a stretch of the write-ahead log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// Of it, bytes of full-page images.
    pub(crate) page_image_bytes: u64,
    /// Transactions that wrote something.
    pub(crate) commits: u64,
}

impl Server {
    /// Make a cluster and start it.
    pub(crate) async fn start(
        programs: Option<&Path>,
        scratch: Option<&Path>,
        settings: &[&str],
    ) -> Result<Self, Failure> {
        let programs = find(programs)?;
        let directory = Directory::make(scratch)?;
        let cluster = directory.path.join("cluster");
        let mut initdb = directory.command(&programs.join("initdb"));
        initdb
            .arg("-D")
            .arg(&cluster)
            .args([
                "--username",
                ROLE,
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--locale",
                "C",
            ])
            .stdout(Stdio::null());
        succeed("initdb", &initdb.output().await?)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = fs::File::create(directory.path.join("postgres.log"))?;
        let mut postgres = directory.command(&programs.join("postgres"));
        postgres
            .arg("-D")
            .arg(&cluster)
            .arg("-k")
            .arg(&directory.path)
            .args(["-p", &port.to_string()])
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let process = postgres.spawn()?;
        let pid = process.id().ok_or("PostgreSQL has ended at once")?;
        let mut server = Self {
            programs,
            directory,
            process,
            pid,
            port,
        };
        server.answers().await?;
        Ok(server)
    }

    async fn answers(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while self.connect("postgres").await.is_err() {
            if self.process.try_wait()?.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self.directory.path.join("postgres.log"))?;
                return Err(format!("PostgreSQL does not start: {}", log.trim_end()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// A session of the superuser's. The connection ends with the client.
    #[expect(
        clippy::disallowed_methods,
        reason = "ends with its client, which the caller holds"
    )]
    pub(crate) async fn connect(&self, database: &str) -> Result<tokio_postgres::Client, Failure> {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(&self.directory.path)
            .port(self.port)
            .user(ROLE)
            .dbname(database);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// A database with nothing in it, in place of the one before. Returns its URL.
    pub(crate) async fn fresh_database(&self) -> Result<String, Failure> {
        let session = self.connect("postgres").await?;
        session
            .batch_execute(&format!("DROP DATABASE IF EXISTS {ROLE} WITH (FORCE)"))
            .await?;
        session.batch_execute(&format!("CREATE DATABASE {ROLE}")).await?;
        let directory = self.directory.path.display().to_string().replace('/', "%2F");
        Ok(format!("postgresql://{ROLE}@{directory}:{}/{ROLE}", self.port))
    }

    /// A session on that database.
    pub(crate) async fn observe(&self) -> Result<tokio_postgres::Client, Failure> {
        self.connect(ROLE).await
    }

    /// What is in the log from one position to another, read by the server's own program. `None` where that is not installed: some
    /// packages leave it out.
    pub(crate) async fn log_between(&self, start: &str, end: &str) -> Result<Option<Log>, Failure> {
        if start == end {
            return Ok(Some(Log::default()));
        }
        let reader = self.programs.join("pg_waldump");
        if !reader.exists() {
            return Ok(None);
        }
        // pg_waldump learns the size of segments from the first file of its directory that it finds, unless it is given one. That may be
        // a segment that the server is just preparing. Given the first one only, it reads no other.
        let (first, last) =
            segments(start, end).ok_or_else(|| format!("{start} to {end} is no part of the log"))?;
        let log = self.directory.path.join("cluster/pg_wal");
        // After a long load the server has removed the beginning of its log.
        if !log.join(&first).exists() {
            return Ok(None);
        }
        let output = self
            .directory
            .command(&reader)
            .arg("--stats=record")
            .arg("--path")
            .arg(log)
            .args(["--start", start, "--end", end, &first, &last])
            .output()
            .await?;
        if String::from_utf8_lossy(&output.stderr).contains("could not find file") {
            return Ok(None);
        }
        succeed("pg_waldump", &output)?;
        let text = String::from_utf8_lossy(&output.stdout);
        match parse(&text) {
            Some(log) => Ok(Some(log)),
            None => Err(format!("what pg_waldump says cannot be read:\n{text}").into()),
        }
    }

    /// Stop it, and remove the cluster.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        kill(Pid::from_raw(i32::try_from(self.pid)?), Signal::SIGINT)?;
        timeout(PATIENCE, self.process.wait())
            .await
            .map_err(|_elapsed| "PostgreSQL does not stop")??;
        Ok(())
    }

    /// A directory of this run's, for logs.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory.path
    }
}

/// The directory with `postgres` in it: the one asked for, else the newest.
pub(crate) fn find(asked: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(directory) = asked {
        // The programs run in another directory than this one.
        return match directory.join("postgres").canonicalize() {
            Ok(postgres) => Ok(postgres.with_file_name("")),
            Err(error) => Err(format!("{}/postgres: {error}", directory.display()).into()),
        };
    }
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let major = path.file_name()?.to_str()?.parse().ok()?;
            Some((major, path.join("bin")))
        })
        .filter(|(_, programs)| programs.join("postgres").is_file())
        .collect();
    found.sort();
    found.pop().map(|(_, programs)| programs).ok_or_else(|| {
        format!("no PostgreSQL in {DEBIAN}; name its programs' directory by --postgres DIR").into()
    })
}

/// The files with the first and the last byte between two positions of the log, such as `0/16B3740`: segments of 16 MiB, which are the default,
/// of a new cluster's timeline.
fn segments(start: &str, end: &str) -> Option<(String, String)> {
    let byte = |position: &str| {
        let (high, low) = position.split_once('/')?;
        let part = |digits| u64::from_str_radix(digits, 16).ok();
        Some((part(high)? << 32) | part(low)?)
    };
    let file = |byte: u64| format!("00000001{:08X}{:08X}", byte >> 32, (byte >> 24) & 0xFF);
    Some((file(byte(start)?), file(byte(end)?.checked_sub(1)?)))
}

fn succeed(program: &str, output: &Output) -> Result<(), Failure> {
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program}: {}", error.trim_end()).into())
}

/// Read `pg_waldump --stats=record`: a line a type with the number of records, their size and that of the images in them.
fn parse(text: &str) -> Option<Log> {
    // Percentages stand in brackets: `721 (  3.00)`, in the last line `3383237 [65.18%]`.
    let numbers = |name: &str| -> Option<Vec<u64>> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let fields = line.split([' ', '(', ')', '[', ']']);
        Some(fields.filter_map(|field| field.parse().ok()).collect())
    };
    Some(Log {
        page_image_bytes: *numbers("Total ")?.get(2)?,
        commits: numbers("Transaction/COMMIT ").map_or(Some(0), |numbers| numbers.first().copied())?,
    })
}

/// A directory that is removed with everything in it.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    /// Whom the server runs as, if this process is root: PostgreSQL refuses root.
    account: Option<User>,
}

impl Directory {
    fn make(scratch: Option<&Path>) -> Result<Self, Failure> {
        let account = if Uid::effective().is_root() {
            let lent = ["postgres", "nobody"].into_iter();
            let mut lent = lent.filter_map(|name| User::from_name(name).ok().flatten());
            Some(
                lent.next()
                    .ok_or("there is no user postgres to run PostgreSQL as")?,
            )
        } else {
            None
        };
        let parent = match scratch {
            Some(directory) => directory
                .canonicalize()
                .map_err(|error| format!("{}: {error}", directory.display()))?,
            None => std::env::temp_dir(),
        };
        let path = parent.join(format!("eventide-bench-{}", std::process::id()));
        // What a run of this number that was killed has left.
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let made = Self { path, account };
        fs::set_permissions(&made.path, fs::Permissions::from_mode(0o755))?;
        if let Some(user) = &made.account {
            chown(&made.path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        Ok(made)
    }

    /// A program that runs as the server's user, with nothing of this process's environment that it could take for a setting.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.path).stdin(Stdio::null());
        if let Some(user) = &self.account {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Nobody is left to tell, and it is in a place for temporary things.
        drop(fs::remove_dir_all(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::{Log, parse, segments};

    #[test]
    fn the_files_of_a_part_of_the_log() {
        let files = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        assert_eq!(
            segments("0/16B3740", "1A/4B00C0D8"),
            files("000000010000000000000001", "000000010000001A0000004B")
        );
        // The file that begins there need not exist yet.
        assert_eq!(
            segments("0/FF000000", "1/0"),
            files("0000000100000000000000FF", "0000000100000000000000FF")
        );
        assert_eq!(segments("16B3740", "0/16B3740"), None);
    }

    #[test]
    fn the_words_of_pg_waldump() {
        let text = "\
Type                                           N      (%)          Record size      (%)             FPI size      (%)        Combined size      (%)
----                                           -      ---          -----------      ---             --------      ---        -------------      ---
Transaction/COMMIT                           721 (  3.00)               197064 (  5.82)                    0 (  0.00)               197064 (  3.80)
                                        --------                      --------                      --------                      --------
Total                                      24057                       3383237 [65.18%]              1807620 [34.82%]              5190857 [100%]
";
        let log = Log {
            page_image_bytes: 1_807_620,
            commits: 721,
        };
        assert_eq!(parse(text), Some(log));
        let idle = text.replace("Transaction/COMMIT", "Standby/RUNNING_XACTS");
        assert_eq!(parse(&idle), Some(Log { commits: 0, ..log }));
        assert_eq!(parse("nothing"), None);
    }
}
