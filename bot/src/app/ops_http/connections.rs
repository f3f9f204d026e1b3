//! Connections to the HTTP port. Their number, their duration and the size of their headers are limited, so that other hosts can neither
//! use up the file descriptors that PostgreSQL and Discord need, nor block probes.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::{
    support::backoff::Backoff,
    telemetry::{
        metrics,
        task::{self, Task},
    },
};

/// The maximum number of connections. A further one closes the oldest: a probe sends its request immediately, so an old connection is idle
/// or sends nothing, and a flood of silent connections does not delay a probe.
pub(crate) const MAX_CONNECTIONS: usize = 64;
/// The time limit for the head of a request, and for an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum duration of a connection, even of one that does not read its response.
const LIFETIME: Duration = Duration::from_mins(2);
/// The maximum size of the head of a request, in bytes. hyper's minimum for this setting is 8 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The delays after a connection could not be accepted, due to a lack of file descriptors or memory.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Accept connections until the future is dropped, which closes all of them.
pub(super) async fn serve(listener: TcpListener, router: Router) {
    let mut open: VecDeque<Task<()>> = VecDeque::with_capacity(MAX_CONNECTIONS);
    let mut backoff = Backoff::between(PAUSE.0, PAUSE.1);
    loop {
        let accepted = listener.accept().await;
        open.retain(|connection| !connection.is_finished());
        match accepted {
            Ok((stream, peer)) => {
                backoff = Backoff::between(PAUSE.0, PAUSE.1);
                if open.len() >= MAX_CONNECTIONS {
                    close_oldest(&mut open);
                }
                let router = router.clone().layer(Extension(ConnectInfo(peer)));
                open.push_back(task::spawn("http connection", answer(stream, peer, router)));
            }
            Err(error) => {
                // Its file descriptor may be the one that is needed.
                close_oldest(&mut open);
                let pause = backoff.pause();
                if backoff.is_worth_a_line() {
                    tracing::warn!(%error, "cannot accept a connection to http.listen; retrying");
                }
                sleep(pause).await;
            }
        }
    }
}

fn close_oldest(open: &mut VecDeque<Task<()>>) {
    if open.pop_front().is_some() {
        metrics::http_connections_closed_total().increment(1);
    }
}

async fn answer(stream: TcpStream, peer: SocketAddr, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(LIFETIME, connection).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, %peer, "a connection to http.listen failed"),
    }
}
