//! `[http]`: metrics and health.

use std::net::SocketAddr;

use crate::config::reader::{Reader, Text};

/// Metrics and health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// The address of `/metrics`, `/livez` and `/readyz`. With port 0, the system chooses a free one.
    pub listen: SocketAddr,
}

impl Http {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("http", "Metrics and health.");
        Self {
            listen: section.text(
                &Text {
                    name: "listen",
                    default: "127.0.0.1:9464",
                    allowed: "an IP address and a port, as in 127.0.0.1:9464 or [::]:9464",
                    why: "Address of /metrics, /livez and /readyz; 0.0.0.0 makes them reachable from other machines.",
                },
                |text| text.parse().ok(),
            ),
        }
    }
}
