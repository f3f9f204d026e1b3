//! File descriptors: raises the limit, and warns if it is low.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{app::ops_http, config::Config, web};

/// Descriptors needed besides connections to PostgreSQL and to the HTTP port: connections of shards and to Discord's API, files, pipes.
const RESERVE: u64 = 256;
/// More than a process ever uses. The private PostgreSQL and other child processes inherit the limit, and some of them do work for each
/// descriptor that they could have.
const ENOUGH: u64 = 65_536;

/// Raise this process's limit as far as the system permits, and warn if that is too low.
pub(super) fn reserve(config: &Config) {
    match raise() {
        Ok(limit) => {
            let needed = needed(config);
            if limit < needed {
                tracing::warn!(
                    process.max_fds = limit,
                    process.needed_fds = needed,
                    "too few file descriptors: under load, connections to PostgreSQL or Discord may fail; raise the hard limit \
                     (systemd: LimitNOFILE=, Docker: --ulimit nofile=, a shell: ulimit -Hn)"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "the limit on file descriptors cannot be read or raised"),
    }
}

/// Raise the limit and return the new one.
fn raise() -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = hard.min(ENOUGH);
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok(soft.max(wanted))
}

fn needed(config: &Config) -> u64 {
    let website = config.web.listen.map_or(0, |_| web::server::MAX_CONNECTIONS);
    let connections = config.database.pool_size + ops_http::MAX_CONNECTIONS + website;
    RESERVE + u64::try_from(connections).unwrap_or(u64::MAX - RESERVE)
}
