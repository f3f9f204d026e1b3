//! The simulator against independent clients: tokio-websockets, a bare HTTP client, and twilight.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail like tests; clippy only knows the functions marked as tests"
)]

mod client;
mod http;

mod channels;
mod compression;
mod controls;
mod gateway;
mod identify;
mod interactions;
mod menus;
mod moderation;
mod oauth;
mod oracle;
mod rest;
mod resume;
mod standing;
mod twilight;

use std::time::Duration;

use discord_simulator::{GatewayRules, Simulator, SimulatorConfig};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A small world with fixed time, where a shard may log in as often as it likes.
fn small() -> SimulatorConfig {
    SimulatorConfig {
        guilds: 8,
        members: 400,
        seed: 42,
        start_time_ms: Some(1_790_000_000_000),
        gateway: rules(),
        ..SimulatorConfig::default()
    }
}

/// The default rules without the limit of IDENTIFYs.
fn rules() -> GatewayRules {
    GatewayRules {
        identify_window: Duration::ZERO,
        ..GatewayRules::default()
    }
}

async fn start(config: SimulatorConfig) -> Simulator {
    Simulator::start(config).await.expect("loopback has free ports")
}
