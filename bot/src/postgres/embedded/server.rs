//! The server's process: starting, adopting, waiting and stopping.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tokio::{
    process::Child,
    time::{Instant, sleep, timeout},
};

use crate::{
    postgres::embedded::{
        StopMode,
        account::Account,
        binaries::Binaries,
        blocking,
        diagnostics::{log_lengths, why_it_ended},
        error::Error,
        paths::Place,
        pidfile::{self, PidFile, Running},
        session::{self, Answer},
    },
    support::files,
};

/// A server that has to replay a lot of WAL after a crash takes long; one that ends is detected immediately.
const READY_DEADLINE: Duration = Duration::from_mins(5);

/// A server that was already running should answer soon; otherwise it is stopped.
const ADOPT_DEADLINE: Duration = Duration::from_secs(10);

/// A fast stop writes a checkpoint, which can take long on a slow disk.
const FAST_DEADLINE: Duration = Duration::from_mins(1);

/// An immediate stop writes nothing; after 5 seconds PostgreSQL itself kills the remaining processes.
const IMMEDIATE_DEADLINE: Duration = Duration::from_secs(15);

/// The processes of a killed server keep its shared memory for a moment.
const LEFTOVER_DEADLINE: Duration = Duration::from_secs(10);

const POLL: Duration = Duration::from_millis(20);

/// A running server, started or adopted.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) pid: i32,
    /// The process if it is a child of this one, which has to wait for it.
    child: Option<Child>,
    cluster: PathBuf,
}

impl Server {
    /// Start the server and wait until it accepts connections.
    pub(super) async fn start(place: &Place, account: &Account, binaries: &Binaries) -> Result<Self, Error> {
        let deadline = Instant::now() + LEFTOVER_DEADLINE;
        loop {
            match Self::start_once(place, account, binaries).await {
                Err(Error::Start { message, .. })
                    if message.contains("shared memory block") && Instant::now() < deadline =>
                {
                    tracing::info!(reason = message, "processes of a killed server are still ending");
                    sleep(Duration::from_millis(200)).await;
                }
                result => return result,
            }
        }
    }

    async fn start_once(place: &Place, account: &Account, binaries: &Binaries) -> Result<Self, Error> {
        let said = place.home.at("start.log");
        let (path, cluster) = (said.clone(), place.cluster.clone());
        let shown = place.home.path().join("start.log");
        let leftovers = place.socket_files();
        let (file, before) = blocking(move || {
            // The file is new each time: the last one may belong to another user, who ran a command.
            let file = files::replace(&path).map_err(Error::io("write", shown))?;
            for leftover in leftovers {
                remove(&leftover)?;
            }
            Ok((file, log_lengths(&cluster)))
        })
        .await?;
        let program = binaries.program("postgres");
        let mut command = account.command(&program, Path::new("/"));
        command.arg("-D").arg(&place.cluster);
        for (setting, file) in [
            ("config_file", "postgresql.conf"),
            ("hba_file", "pg_hba.conf"),
            ("ident_file", "pg_ident.conf"),
        ] {
            command
                .arg("-c")
                .arg(setting_argument(setting, &place.home.path().join(file)));
        }
        command.arg("-k").arg(quoted_directory(&place.socket));
        command.stderr(Stdio::from(file));
        let child = command.spawn().map_err(Error::io("run", program))?;
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .unwrap_or_default();
        let mut server = Self {
            pid,
            child: Some(child),
            cluster: place.cluster.clone(),
        };
        match server.ready(place, READY_DEADLINE).await {
            Ok(()) => Ok(server),
            Err(Error::Start { path, .. }) => {
                let cluster = place.cluster.clone();
                let message = blocking(move || Ok(why_it_ended(&said, &cluster, &before))).await?;
                Err(Error::Start { path, message })
            }
            Err(error) => {
                server.stop(StopMode::Immediate).await?;
                Err(error)
            }
        }
    }

    /// Adopt a server that a bot left running, or stop it if `wanted` is false for it. Returns `None` if no server is left. The caller
    /// holds the lock, so no other bot uses it.
    pub(super) async fn adopt(
        place: &Place,
        binaries: &Binaries,
        wanted: bool,
    ) -> Result<Option<Self>, Error> {
        let cluster = place.cluster.clone();
        let running = match blocking(move || Ok(PidFile::read(&cluster))).await? {
            PidFile::None => return Ok(None),
            PidFile::Stale => {
                // PostgreSQL's own check of shared memory still protects it from processes of the dead server.
                let path = pidfile::path(&place.cluster);
                blocking(move || remove(&path)).await?;
                return Ok(None);
            }
            PidFile::Live(running) => running,
        };
        let Running {
            pid,
            socket_directory,
        } = running;
        let mut server = Self {
            pid,
            child: None,
            cluster: place.cluster.clone(),
        };
        if wanted && socket_directory == place.socket {
            match server.ready(place, ADOPT_DEADLINE).await {
                Ok(()) if session::is_server(place, &binaries.version).await => {
                    tracing::info!(
                        postgres.pid = pid,
                        "found the private PostgreSQL running, left behind by a bot"
                    );
                    return Ok(Some(server));
                }
                Ok(()) => tracing::info!(postgres.pid = pid, "the running server has another version"),
                Err(error) => {
                    tracing::warn!(postgres.pid = pid, %error, "the running server does not work");
                }
            }
        }
        tracing::info!(postgres.pid = pid, "stopping the running server");
        server.stop(StopMode::Fast).await?;
        Ok(None)
    }

    /// Wait until the server accepts connections or has ended.
    async fn ready(&mut self, place: &Place, patience: Duration) -> Result<(), Error> {
        let started = Instant::now();
        let mut told = started;
        loop {
            let (pid, cluster) = (self.pid, self.cluster.clone());
            let message = if blocking(move || Ok(pidfile::is_ready(pid, &cluster))).await? {
                match session::ask(place).await {
                    Answer::Ready => return Ok(()),
                    Answer::NotYet(message) => message,
                }
            } else {
                "it is starting".to_owned()
            };
            if !self.lives().await {
                return Err(Error::Start {
                    path: self.cluster.clone(),
                    message,
                });
            }
            if started.elapsed() >= patience {
                let log = self.cluster.join("log");
                return Err(Error::NotReady {
                    pid: self.pid,
                    seconds: patience.as_secs(),
                    message,
                    log,
                });
            }
            if told.elapsed() >= Duration::from_secs(10) {
                told = Instant::now();
                tracing::info!(
                    postgres.pid = self.pid,
                    answer = message,
                    "still waiting for the private PostgreSQL"
                );
            }
            sleep(POLL).await;
        }
    }

    /// Whether the process exists.
    pub(super) async fn lives(&mut self) -> bool {
        if let Some(child) = &mut self.child {
            return matches!(child.try_wait(), Ok(None));
        }
        let (pid, cluster) = (self.pid, self.cluster.clone());
        blocking(move || Ok(pidfile::serves(pid, &cluster)))
            .await
            .unwrap_or(false)
    }

    /// Signal the server to stop, without waiting.
    pub(super) fn signal(&self, mode: StopMode) -> Result<(), Errno> {
        // The ID of a process that has ended may already belong to another process.
        let there = match &self.child {
            Some(child) => child.id().is_some(),
            None => pidfile::serves(self.pid, &self.cluster),
        };
        if !there {
            return Ok(());
        }
        let signal = match mode {
            StopMode::Fast => Signal::SIGINT,
            StopMode::Immediate => Signal::SIGQUIT,
        };
        match signal::kill(Pid::from_raw(self.pid), signal) {
            Err(Errno::ESRCH) => Ok(()),
            result => result,
        }
    }

    /// Stop the server and wait until it has ended. A fast stop that takes too long becomes an immediate one.
    pub(super) async fn stop(&mut self, mode: StopMode) -> Result<(), Error> {
        let steps: &[_] = match mode {
            StopMode::Fast => &[
                (StopMode::Fast, FAST_DEADLINE),
                (StopMode::Immediate, IMMEDIATE_DEADLINE),
            ],
            StopMode::Immediate => &[(StopMode::Immediate, IMMEDIATE_DEADLINE)],
        };
        for (step, patience) in steps {
            if !self.lives().await {
                return Ok(());
            }
            if let Err(errno) = self.signal(*step) {
                tracing::warn!(postgres.pid = self.pid, %errno, "cannot signal the private PostgreSQL");
            }
            if timeout(*patience, self.ended()).await.is_ok() {
                return Ok(());
            }
            tracing::warn!(postgres.pid = self.pid, mode = ?step, "the private PostgreSQL takes too long to stop");
        }
        Err(Error::NotStopped { pid: self.pid })
    }

    async fn ended(&mut self) {
        while self.lives().await {
            match &mut self.child {
                // An error would mean that the process has already been waited for, which `lives` detects.
                Some(child) => drop(child.wait().await),
                None => sleep(POLL).await,
            }
        }
    }
}

/// Remove the files that a server left if it did not stop properly. PostgreSQL itself would refuse to start if the process ID in a lock
/// file now belonged to another process of its account. This is only called while no server is running and this process holds the lock.
fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Ok(()) => {
            tracing::info!(file = %path.display(), "removed a file of a server that did not stop cleanly");
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("remove", path)(error)),
    }
}

/// `name=path` as one argument, with any bytes in the path.
fn setting_argument(name: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(format!("{name}="));
    argument.push(path);
    argument
}

/// The option takes a list of directories, so a comma or a space in the name has to be quoted.
fn quoted_directory(path: &Path) -> std::ffi::OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let bytes = path.as_os_str().as_bytes();
    let inner = bytes.iter().flat_map(|byte| {
        if *byte == b'"' {
            vec![b'"', b'"']
        } else {
            vec![*byte]
        }
    });
    std::ffi::OsString::from_vec(
        std::iter::once(b'"')
            .chain(inner)
            .chain(std::iter::once(b'"'))
            .collect(),
    )
}
