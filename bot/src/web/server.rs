//! The port of the website.

use std::{net::SocketAddr, sync::Arc};

use thiserror::Error;
use tokio::{net::TcpListener, sync::watch};

use super::{
    Site,
    connections::{self, Limits},
    handling,
};
use crate::telemetry::{
    metrics,
    task::{self, Task},
};

/// The maximum number of connections, and of one client.
pub(crate) const MAX_CONNECTIONS: usize = 512;
const PER_CLIENT: usize = 32;

/// Why listening on the port failed.
#[derive(Debug, Error)]
#[error("cannot listen on {address} (web.listen): {source}")]
pub struct ListenError {
    address: SocketAddr,
    source: std::io::Error,
}

/// The website while it is served.
#[derive(Debug)]
pub(crate) struct Website {
    /// The address that it listens on.
    pub(crate) address: SocketAddr,
    task: Task<()>,
}

/// The bound port of the website.
#[derive(Debug)]
pub(crate) struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Bind the port.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let failed = |source| ListenError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Serve a website until `stop` is true.
    pub(crate) fn serve(self, site: Site, stop: watch::Receiver<bool>) -> Website {
        let proxies = site.config.trusted_proxies.clone();
        let limits = Limits {
            key: "web.listen",
            connections: MAX_CONNECTIONS,
            per_address: PER_CLIENT,
            is_proxy: Box::new(move |address| proxies.iter().any(|proxy| proxy.contains(address))),
            closed: metrics::web_connections_closed_total(),
        };
        let router = handling::router(&Arc::new(site));
        let serving = connections::serve(self.listener, router, limits, stop);
        tracing::info!(web.address = %self.address, "serving the website");
        Website {
            address: self.address,
            task: task::spawn_essential("website", serving),
        }
    }
}

impl Website {
    /// Wait until requests in progress are answered, after the stop.
    pub(crate) async fn end(self) {
        self.task.join().await;
    }
}
