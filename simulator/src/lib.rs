//! A local Discord that real client libraries accept: gateway v10, REST v10, a world made from a seed, traffic, faults
//! on demand, and an oracle that knows what a bot must have counted.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use std::time::Duration;
//! use discord_simulator::{Rate, Simulator, SimulatorConfig};
//!
//! let sim = Simulator::start(SimulatorConfig { shards: 4, guilds: 200, ..SimulatorConfig::default() }).await?;
//! println!("REST {}, gateway {}", sim.rest_url(), sim.gateway_url());
//! let control = sim.control();
//! control.set_rate(Rate::PerSecond(5_000.0));
//! control.wait_until(|stats| stats.delivered >= 50_000, Duration::from_secs(60)).await;
//! sim.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Events are kept as records of 32 bytes and rendered when they are written, so that millions of them can wait for a
//! RESUME, and so that the simulator leaves the machine to what it tests.

mod config;
mod control;
mod engine;
mod gateway;
mod hub;
mod interaction;
mod oracle;
mod payload;
mod record;
mod rest;
mod session;
mod simulator;
mod snowflake;
mod stats;
mod task;
mod traffic;
mod world;

pub use config::{
    Consent, Duplicate, GatewayRules, GuildSize, INTENT_GUILD_MEMBERS, INTENT_GUILD_PRESENCES,
    INTENT_MESSAGE_CONTENT, LevelRules, Limit, OAuthRules, PrunedResume, Rate, Refusal, RestRules,
    SimulatorConfig, Traffic,
};
pub use control::{Control, Oracle, Shard};
pub use engine::HeartbeatAcks;
pub use interaction::{InteractionRequest, InteractionState};
pub use oracle::{Hours, MemberState, Members, Mismatch, OracleError, Report, Row};
pub use payload::Overwrite;
pub use rest::{LimitScope, RestCall, RestFault, RestFaultKind, SentFile};
pub use simulator::Simulator;
pub use snowflake::{EPOCH_MS, at_ms, time_ms};
pub use stats::{Identify, IdentifyOutcome, Resume, SessionInfo, Stats};
pub use world::{Channel, Guild, Role, World};
