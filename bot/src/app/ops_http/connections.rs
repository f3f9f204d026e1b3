//! Connections to the HTTP port. Their number, their time and the size of their headers are bounded, so whoever reaches the port
//! can neither take the file descriptors that PostgreSQL and Discord need, nor keep probes out.

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

/// Connections at a time. One more closes the oldest: a probe sends its request at once, so what is old is idle or does not send
/// anything, and a flood of connections that stay silent does not delay a probe.
pub(crate) const MAX_CONNECTIONS: usize = 64;
/// Time for the head of a request. Also how long a connection stays open without one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Lifetime of a connection, whatever it does: one that does not read its answer ends as well.
const LIFETIME: Duration = Duration::from_mins(2);
/// Size of the head of a request, in bytes. hyper takes no smaller limit than 8 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Pauses after a connection that could not be accepted, which is a lack of file descriptors or memory.
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
                // Its descriptor may be the one that is missing.
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
