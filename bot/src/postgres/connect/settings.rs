//! The settings of a server other than TLS: libpq's defaults, its password file, and keepalives that detect a server that has vanished.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_postgres::{
    Config,
    config::{ChannelBinding, LoadBalanceHosts, SslNegotiation, TargetSessionAttrs},
};

use super::passfile::{self, Wanted};
use crate::config::{
    self,
    database::conninfo::{Conninfo, Place},
};

/// The default directories of PostgreSQL's socket: Debian's, then PostgreSQL's own.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The idle time before a connection is probed.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);

/// The time between two probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);

/// The number of unanswered probes after which a connection is closed.
const KEEPALIVE_RETRIES: u32 = 3;

/// How long sent data may stay unacknowledged before the connection is closed. It is a third of the default `fleet.lease_seconds`, which
/// leaves time for a second connection before other processes take the shards.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(5);

/// A server with libpq's default host filled in.
pub(super) fn resolved(place: &Place) -> Place {
    let mut place = place.clone();
    if !place.host.is_empty() {
        return place;
    }
    if let Some(address) = place.address {
        place.host = address.to_string();
        return place;
    }
    let socket = |directory: &&&str| {
        Path::new(directory)
            .join(format!(".s.PGSQL.{}", place.port))
            .exists()
    };
    let directory = SOCKET_DIRECTORIES
        .iter()
        .find(socket)
        .unwrap_or(&SOCKET_DIRECTORIES[0]);
    (*directory).clone_into(&mut place.host);
    place
}

/// The required kinds of session, in the order in which they are tried.
pub(super) fn session_attributes(info: &Conninfo) -> &'static [TargetSessionAttrs] {
    use TargetSessionAttrs::{Any, ReadOnly, ReadWrite};
    match info.get("target_session_attrs") {
        Some("read-write" | "primary") => &[ReadWrite],
        Some("read-only" | "standby") => &[ReadOnly],
        Some("prefer-standby") => &[ReadOnly, Any],
        _ => &[Any],
    }
}

/// All settings except TLS. The servers share the connection timeout, which is divided by `places`.
pub(super) fn settings(info: &Conninfo, database: &config::Database, place: &Place, places: usize) -> Config {
    let mut config = Config::new();
    config.host(&place.host).port(place.port);
    if let Some(address) = place.address {
        config.hostaddr(address);
    }
    let user = info.get("user").map_or_else(account, str::to_owned);
    let name = info.get("dbname").unwrap_or(&user).to_owned();
    let password = info.get("password").map(str::to_owned).or_else(|| {
        let path = info
            .get("passfile")
            .map(PathBuf::from)
            .or_else(|| database.password_file.clone())?;
        let host = if SOCKET_DIRECTORIES.contains(&place.host.as_str()) {
            "localhost"
        } else {
            &place.host
        };
        path.exists().then_some(())?;
        passfile::password(
            &path,
            Wanted {
                host,
                port: place.port,
                database: &name,
                user: &user,
            },
        )
    });
    if let Some(password) = password {
        config.password(password);
    }
    config.user(user).dbname(name);
    if let Some(options) = info.get("options") {
        config.options(options);
    }
    if let Some(name) = info
        .get("application_name")
        .or_else(|| info.get("fallback_application_name"))
    {
        config.application_name(name);
    }
    let share = database.connection_timeout / u32::try_from(places.max(1)).unwrap_or(u32::MAX);
    let asked = info
        .number("connect_timeout")
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs);
    config.connect_timeout(asked.map_or(share, |asked| asked.min(share)));
    keepalive(&mut config, info);
    config.channel_binding(match info.get("channel_binding") {
        Some("disable") => ChannelBinding::Disable,
        Some("require") => ChannelBinding::Require,
        _ => ChannelBinding::Prefer,
    });
    if info.get("sslnegotiation") == Some("direct") {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    if info.get("load_balance_hosts") == Some("random") {
        config.load_balance_hosts(LoadBalanceHosts::Random);
    }
    config
}

/// Without these, it takes two hours to detect a server that has vanished.
fn keepalive(config: &mut Config, info: &Conninfo) {
    let seconds = |key: &str, default| {
        info.number(key)
            .filter(|seconds| *seconds > 0)
            .map_or(default, Duration::from_secs)
    };
    let retries = info
        .number("keepalives_count")
        .or_else(|| info.number("keepalives_retries"));
    config
        .keepalives(info.number("keepalives") != Some(0))
        .keepalives_idle(seconds("keepalives_idle", KEEPALIVE_IDLE))
        .keepalives_interval(seconds("keepalives_interval", KEEPALIVE_INTERVAL))
        .keepalives_retries(
            retries
                .and_then(|retries| u32::try_from(retries).ok())
                .filter(|retries| *retries > 0)
                .unwrap_or(KEEPALIVE_RETRIES),
        )
        .tcp_user_timeout(
            info.number("tcp_user_timeout")
                .map_or(TCP_USER_TIMEOUT, Duration::from_millis),
        );
}

/// The operating system's user, which is libpq's default role.
fn account() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
    user.ok()
        .flatten()
        .map_or_else(|| "postgres".to_owned(), |user| user.name)
}
