//! Connections to an HTTP port. Their number, their duration and the size of their headers are limited, so that other hosts can neither
//! use up the file descriptors that PostgreSQL and Discord need, nor keep others out.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    pin::pin,
    time::Duration,
};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    support::{backoff::Backoff, shutdown::stopped},
    telemetry::{
        metrics::Counter,
        task::{self, Task},
    },
};

/// The time limit for the head of a request, and for an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum duration of a connection, even of one that does not read its response.
const LIFETIME: Duration = Duration::from_mins(2);
/// How long requests in progress may take after the end of the duration, or after a stop.
const GRACE: Duration = Duration::from_secs(5);
/// The maximum size of the head of a request, in bytes. hyper's minimum for this setting is 8 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The delays after a connection could not be accepted, due to a lack of file descriptors or memory.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// The limits of a port.
pub(crate) struct Limits {
    /// The key of its address in the configuration.
    pub(crate) key: &'static str,
    /// The maximum number of connections. A further one closes the oldest, which is idle or sends nothing if everyone sends their
    /// requests at once; so a flood of silent connections does not delay others.
    pub(crate) connections: usize,
    /// The same for the connections of one address.
    pub(crate) per_address: usize,
    /// Whether an address is exempt from the latter, since it is a proxy for many clients.
    pub(crate) is_proxy: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Counts connections that were closed for others.
    pub(crate) closed: Counter,
}

/// An open connection.
type Open = (IpAddr, Task<()>);

/// Accept connections until `stop` is true, and then wait a moment for requests in progress.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let mut open: VecDeque<Open> = VecDeque::with_capacity(limits.connections);
    let mut backoff = Backoff::between(PAUSE.0, PAUSE.1);
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        open.retain(|(_, connection)| !connection.is_finished());
        match accepted {
            Ok((stream, peer)) => {
                backoff = Backoff::between(PAUSE.0, PAUSE.1);
                limits.make_room(&mut open, peer.ip());
                let router = router.clone().layer(Extension(ConnectInfo(peer)));
                let answering = answer(stream, peer, router, limits.key, stop.clone());
                open.push_back((peer.ip(), task::spawn("http connection", answering)));
            }
            Err(error) => {
                // Its file descriptor may be the one that is needed.
                limits.close(&mut open, |_| true);
                let pause = backoff.pause();
                if backoff.is_worth_a_line() {
                    tracing::warn!(%error, "cannot accept a connection to {}; retrying", limits.key);
                }
                sleep(pause).await;
            }
        }
    }
    drop(listener);
    for (_, connection) in open {
        connection.join().await;
    }
}

impl Limits {
    fn make_room(&self, open: &mut VecDeque<Open>, peer: IpAddr) {
        let of_peer = open.iter().filter(|(address, _)| *address == peer).count();
        if of_peer >= self.per_address && !(self.is_proxy)(peer) {
            self.close(open, |address| address == peer);
        }
        if open.len() >= self.connections {
            self.close(open, |_| true);
        }
    }

    /// Close the oldest connection of such an address.
    fn close(&self, open: &mut VecDeque<Open>, is_of: impl Fn(IpAddr) -> bool) {
        let oldest = open.iter().position(|(address, _)| is_of(*address));
        if oldest.and_then(|oldest| open.remove(oldest)).is_some() {
            self.closed.increment(1);
        }
    }
}

async fn answer(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    key: &'static str,
    mut stop: watch::Receiver<bool>,
) {
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stopped(&mut stop) => None,
        () = sleep(LIFETIME) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        let Ok(ended) = timeout(GRACE, connection).await else {
            return;
        };
        ended
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection to {key} failed");
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        future::pending,
        net::{IpAddr, Ipv4Addr},
    };

    use super::{Limits, Open, task};
    use crate::telemetry::metrics;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    /// Let connections from these addresses arrive. Returns those that are left.
    fn left(arriving: &[u8]) -> Vec<u8> {
        const PROXY: u8 = 9;
        let limits = Limits {
            key: "http.listen",
            connections: 4,
            per_address: 2,
            is_proxy: Box::new(|peer| peer == address(PROXY)),
            closed: metrics::http_connections_closed_total(),
        };
        let mut open: VecDeque<Open> = VecDeque::new();
        for last in arriving {
            limits.make_room(&mut open, address(*last));
            open.push_back((address(*last), task::spawn("http connection", pending())));
        }
        let of_open = |last: &u8, at: &IpAddr| *at == address(*last);
        open.iter()
            .filter_map(|(at, _)| arriving.iter().find(|last| of_open(last, at)).copied())
            .collect()
    }

    #[tokio::test]
    async fn the_oldest_one_makes_room() {
        assert_eq!(left(&[1, 2, 3, 4]), [1, 2, 3, 4]);
        assert_eq!(left(&[1, 2, 3, 4, 5]), [2, 3, 4, 5], "of all");
        assert_eq!(left(&[1, 2, 1, 1]), [2, 1, 1], "of its address");
        assert_eq!(left(&[9, 9, 9, 1]), [9, 9, 9, 1], "a proxy has many clients");
        assert_eq!(left(&[9, 9, 9, 1, 9]), [9, 9, 1, 9]);
    }
}
