//! Connecting to a private PostgreSQL that another Eventide process runs, without changing it.

use std::{fs::File, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    postgres::embedded::{
        Options, PrivatePostgres, blocking,
        error::Error,
        lock::{self, Lock, Taken},
        paths,
        pidfile::{self, PidFile},
        session,
    },
    support::files::Directory,
};

/// How long the other process may take to start its server, which may have to replay a lot of WAL after a crash.
const DEADLINE: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(50);

/// The private PostgreSQL of a command.
#[derive(Debug)]
pub enum Visit {
    /// No other process ran it; this one stops it.
    Host(PrivatePostgres),
    /// Another process runs it and continues to do so.
    Guest(Guest),
}

/// The private PostgreSQL of another process.
#[derive(Debug)]
pub struct Guest {
    connection: tokio_postgres::Config,
    _stay: File,
}

impl Guest {
    /// How to connect.
    pub const fn connection(&self) -> &tokio_postgres::Config {
        &self.connection
    }

    /// Connect, or return why that is not yet possible.
    async fn enter(data: &Arc<Directory>) -> Result<Result<Self, String>, Error> {
        let directory = Arc::clone(data);
        let found = blocking(move || {
            let Some(stay) = lock::stay(&directory)? else {
                return Ok(Err("it is stopping".to_owned()));
            };
            let cluster = paths::cluster(directory.path()).canonicalize();
            Ok(cluster
                .ok()
                .and_then(|cluster| match PidFile::read(&cluster) {
                    PidFile::Live(running) if pidfile::is_ready(running.pid, &cluster) => {
                        Some((stay, cluster, running.socket_directory))
                    }
                    _ => None,
                })
                .ok_or_else(|| "it is starting".to_owned()))
        })
        .await?;
        let (stay, cluster, socket) = match found {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        Ok(session::admits(&socket, &cluster).await.map(|()| Self {
            connection: session::config(&socket, session::DATABASE),
            _stay: stay,
        }))
    }
}

/// Use the server that another process runs, or else start one.
pub(super) async fn visit(options: &Options) -> Result<Visit, Error> {
    let wanted = options.data_directory.clone();
    let data = blocking(move || paths::data_directory(&wanted)).await?;
    let deadline = Instant::now() + DEADLINE;
    let mut told = Instant::now();
    loop {
        let directory = Arc::clone(&data);
        let taken = blocking(move || Lock::of_command(&directory)).await?;
        let pid = match taken {
            Taken::Ours(lock) => {
                return PrivatePostgres::start_on(data, lock, options)
                    .await
                    .map(Visit::Host);
            }
            Taken::Others(pid) => pid,
        };
        let message = match Guest::enter(&data).await? {
            Ok(guest) => {
                tracing::debug!(holder = pid, "a guest of the private PostgreSQL");
                return Ok(Visit::Guest(guest));
            }
            Err(message) => message,
        };
        if Instant::now() >= deadline {
            return Err(Error::HolderNotReady {
                path: data.path().to_owned(),
                pid,
                seconds: DEADLINE.as_secs(),
                message,
            });
        }
        if told.elapsed() >= Duration::from_secs(5) {
            told = Instant::now();
            tracing::info!(
                holder = pid,
                answer = message,
                "waiting for the private PostgreSQL of another eventide"
            );
        }
        sleep(POLL).await;
    }
}
