//! The gateway: connections are accepted, upgraded and served, each by a task of its own.

mod compress;
mod connection;
mod frame;
mod members;
mod protocol;
mod upgrade;

use std::sync::Arc;

use connection::Connection;
use tokio::{net::TcpListener, task::JoinSet};

use crate::hub::Hub;

/// Accepts connections until the simulator stops; then all of them end without a close frame.
pub(crate) async fn serve(hub: Arc<Hub>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if hub.lock().refuse_connections {
                        continue;
                    }
                    connections.spawn(Connection::serve(Arc::clone(&hub), stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "a gateway connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = hub.stopped() => return,
        }
    }
}
