//! `/metrics`, `/livez` and `/readyz` for monitoring, and `/log` for changing the log level.

#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header, uri::Authority},
    response::IntoResponse,
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use thiserror::Error;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    discord::{
        rest::Rest,
        shards::{ShardState, Shards},
    },
    pipeline::{gateway, ledger::memory::Memory},
    postgres::Store,
    telemetry::{
        logging::{self, LevelError},
        metrics,
        task::{self, Task},
    },
    web::connections::{self, Limits},
};

/// The maximum number of connections.
pub(crate) const MAX_CONNECTIONS: usize = 64;

/// The time limit for the database in a readiness check.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an event may take to be committed, beyond `ledger.checkpoint_interval_ms`, before the process is not ready.
pub const LONGEST_COMMIT: Duration = Duration::from_secs(15);

/// How often histograms are compacted, so that their memory does not grow without scrapes, and dropped log lines are reported.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The maximum size of a request body, in bytes.
const LONGEST_BODY: usize = 4_096;

/// Why listening on the port failed.
#[derive(Debug, Error)]
#[error("cannot listen on {address} (http.listen): {source}")]
pub struct ListenError {
    address: SocketAddr,
    source: std::io::Error,
}

/// The sources of the pages once the bot is running.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The pool.
    pub store: Store,
    /// The shards.
    pub shards: Shards,
    /// The memory budget of the ledgers.
    pub memory: Arc<Memory>,
    /// The process is not ready while an event has not been committed for longer than this.
    pub commit_within: Duration,
    /// The client for Discord's REST API.
    pub rest: Rest,
}

/// The server. It answers from the start, so that a slow start is not mistaken for a dead process.
#[derive(Debug)]
pub struct Server {
    /// The address that it listens on.
    pub address: SocketAddr,
    watched: watch::Sender<Option<Watched>>,
    _stop: watch::Sender<bool>,
    _task: Task<()>,
}

impl Server {
    /// Show the running bot on the pages.
    pub fn show(&self, watched: Watched) {
        self.watched.send_replace(Some(watched));
    }
}

/// The state of the pages.
#[derive(Clone)]
struct Pages {
    metrics: &'static PrometheusHandle,
    watched: watch::Receiver<Option<Watched>>,
    address: SocketAddr,
}

/// A port that is bound, before anything is served on it.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    /// The address, with the chosen port if port 0 was requested.
    pub address: SocketAddr,
}

/// Bind the port first, so that a port in use is reported before anything else starts.
pub async fn listen(address: SocketAddr) -> Result<Listening, ListenError> {
    let failed = |source| ListenError { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening { listener, address })
}

impl Listening {
    /// Serve until the server is dropped.
    pub fn serve(self, metrics: &'static PrometheusHandle) -> Server {
        let (watched, seen) = watch::channel(None);
        let router = Router::new()
            .route("/metrics", get(show_metrics))
            .route("/livez", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/log", get(show_level).put(set_level))
            .layer(DefaultBodyLimit::max(LONGEST_BODY))
            .with_state(Pages {
                metrics,
                watched: seen,
                address: self.address,
            });
        let (listener, address) = (self.listener, self.address);
        let (stop, stopped) = watch::channel(false);
        let limits = Limits {
            key: "http.listen",
            connections: MAX_CONNECTIONS,
            per_address: MAX_CONNECTIONS,
            is_proxy: Box::new(|_| false),
            closed: metrics::http_connections_closed_total(),
        };
        let task = task::spawn_essential("http", async move {
            let upkeep = async {
                loop {
                    tokio::time::sleep(UPKEEP_INTERVAL).await;
                    metrics.run_upkeep();
                    logging::report_dropped();
                }
            };
            tokio::select! {
                () = connections::serve(listener, router, limits, stopped) => {}
                () = upkeep => {}
            }
        });
        Server {
            address,
            watched,
            _stop: stop,
            _task: task,
        }
    }
}

async fn show_metrics(State(pages): State<Pages>) -> impl IntoResponse {
    if let Some(watched) = &*pages.watched.borrow() {
        watched.store.observe();
        gateway::observe(&watched.shards, &watched.memory);
    }
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, metrics::page(pages.metrics))
}

async fn show_level() -> (StatusCode, String) {
    told(logging::level())
}

/// This is only allowed from the machine, or the container, of the process: a reader of the metrics must not be able to fill a disk. It
/// also requires a local host name: a browser on that machine sends requests of any page to any address, but with the page's own host name
/// (DNS rebinding).
async fn set_level(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    directives: String,
) -> (StatusCode, String) {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let own = pages.address.ip();
    let is_near = peer.ip().to_canonical().is_loopback() || peer.ip() == own;
    if !is_near || !host.is_some_and(|host| is_local(host, own)) {
        let text = "the level is changed from the process's own machine only\n";
        return (StatusCode::FORBIDDEN, text.to_owned());
    }
    told(logging::set_level(directives.trim()).map(|(before, now)| {
        tracing::info!(log.level = now, log.before = before, "log level changed");
        now
    }))
}

/// Whether a `Host` header names this machine: a loopback name or address, or the address `own` of the listener.
fn is_local(host: &str, own: IpAddr) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match bare.unwrap_or(name).parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback() || ip == own,
        Err(_no_address) => name.eq_ignore_ascii_case("localhost"),
    }
}

fn told(level: Result<String, LevelError>) -> (StatusCode, String) {
    match level {
        Ok(level) => (StatusCode::OK, format!("{level}\n")),
        Err(error @ LevelError::Unreadable(_)) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
        Err(error @ LevelError::NoLog) => (StatusCode::NOT_FOUND, format!("{error}\n")),
    }
}

/// The process is ready if it has its share of the shards, they have sessions, the database answers and has the tables, events are
/// committed in time, and Discord accepts the token.
async fn ready(State(pages): State<Pages>) -> (StatusCode, String) {
    let watched = pages.watched.borrow().clone();
    let Some(watched) = watched else {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting\n".to_owned());
    };
    let mut shards = watched.shards.list();
    // Shards of a different number than the fleet's do not serve any guilds yet.
    shards.retain(|shard| watched.shards.are_counted(shard.key().count));
    let total = shards.len();
    let up = shards
        .iter()
        .filter(|shard| shard.state() == ShardState::Up)
        .count();
    let share = if watched.shards.has_share() {
        "ok"
    } else {
        "shards are changing hands"
    };
    let database = match tokio::time::timeout(PING_TIMEOUT, watched.store.check_tables()).await {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_elapsed) => format!("no answer within {} s", PING_TIMEOUT.as_secs()),
    };
    let oldest = shards.iter().filter_map(|shard| shard.dirty_since()).min();
    let waits = oldest.map(|since| since.elapsed()).unwrap_or_default();
    let committed = if waits <= watched.commit_within {
        "ok".to_owned()
    } else {
        format!(
            "the oldest event has not been committed for {} s",
            waits.as_secs()
        )
    };
    let token = if watched.rest.is_token_refused() {
        "refused by Discord (401)"
    } else {
        "ok"
    };
    let is_ready = up == total
        && [share, database.as_str(), committed.as_str(), token]
            .iter()
            .all(|part| *part == "ok");
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        format!(
            "shards up: {up} of {total}\nshare of the fleet: {share}\ndatabase: {database}\ncommits: {committed}\ntoken: {token}\n"
        ),
    )
}
