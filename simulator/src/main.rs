//! The simulator as a program: prints its addresses, and runs until it receives a signal.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use discord_simulator::{GatewayRules, LevelRules, OAuthRules, Rate, RestRules, Simulator, SimulatorConfig};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

/// A local Discord that real client libraries accept.
#[derive(Parser)]
#[command(version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Arguments {
    /// Where the gateway listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4480")]
    gateway: SocketAddr,
    /// Where REST and the controls listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4481")]
    rest: SocketAddr,
    /// The least severe messages that are logged: error, warn, info, debug or trace.
    #[arg(long, default_value = "info")]
    log: LevelFilter,
    /// The token that bots must show.
    #[arg(long, default_value = "sim-token")]
    token: String,
    /// The secret of the bot's application, for signing in.
    #[arg(long, default_value = "sim-secret")]
    client_secret: String,
    /// The world and its traffic follow from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many shards are recommended.
    #[arg(long, default_value_t = 1)]
    shards: u32,
    /// How many guilds there are.
    #[arg(long, default_value_t = 20)]
    guilds: u32,
    /// How many memberships there are in all guilds together.
    #[arg(long, default_value_t = 2_000)]
    members: u32,
    /// Events a second over all shards.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Makes events as fast as clients read them.
    #[arg(long, conflicts_with = "rate")]
    full: bool,
    /// How much faster than the wall clock the simulated time runs.
    #[arg(long, default_value_t = 1.0)]
    time_scale: f64,
    /// IDENTIFYs allowed in 5 seconds.
    #[arg(long, default_value_t = 16)]
    max_concurrency: u32,
    /// The heartbeat interval that clients receive, in milliseconds.
    #[arg(long, default_value_t = 41_250)]
    heartbeat_interval_ms: u64,
    /// How long a session without a connection can be resumed, in seconds.
    #[arg(long, default_value_t = 120)]
    session_ttl_seconds: u64,
    /// Lets a heartbeat's sequence make its session forget older events.
    #[arg(long)]
    heartbeat_prunes: bool,
    /// Sends plain text whatever compression clients ask for.
    #[arg(long)]
    plain_text: bool,
    /// Answers no REST request with 429 on its own account.
    #[arg(long)]
    no_rate_limits: bool,
    /// The cooldown that the oracle applies, in milliseconds.
    #[arg(long, default_value_t = 60_000)]
    cooldown_ms: u64,
}

impl Arguments {
    fn config(self) -> SimulatorConfig {
        SimulatorConfig {
            gateway_addr: self.gateway,
            rest_addr: self.rest,
            token: self.token,
            seed: self.seed,
            shards: self.shards,
            guilds: self.guilds,
            members: self.members,
            rate: match (self.full, self.rate) {
                (true, _) => Rate::Full,
                (false, rate) if rate > 0.0 => Rate::PerSecond(rate),
                _ => Rate::Paused,
            },
            time_scale: self.time_scale,
            levels: LevelRules {
                cooldown_ms: self.cooldown_ms,
                ..LevelRules::default()
            },
            gateway: GatewayRules {
                max_concurrency: self.max_concurrency,
                heartbeat_interval: Duration::from_millis(self.heartbeat_interval_ms),
                session_ttl: Duration::from_secs(self.session_ttl_seconds),
                heartbeat_prunes: self.heartbeat_prunes,
                plain_text: self.plain_text,
                ..GatewayRules::default()
            },
            rest: RestRules {
                enforce: !self.no_rate_limits,
                ..RestRules::default()
            },
            oauth: OAuthRules {
                client_secret: self.client_secret,
                ..OAuthRules::default()
            },
            ..SimulatorConfig::default()
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_max_level(arguments.log)
        .with_writer(io::stderr)
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the simulator cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (token, secret) = (arguments.token.clone(), arguments.client_secret.clone());
    let simulator = Simulator::start(arguments.config()).await?;
    let (rest, gateway) = (simulator.rest_url(), simulator.gateway_url());
    let client = simulator.world().bot_id();
    let host = rest.trim_start_matches("http://");
    writeln!(
        io::stdout(),
        "gateway   {gateway}\n\
         REST      {rest}/api/v10\n\
         controls  {rest}/simulator\n\
         token     {token}\n\
         OAuth2    {rest}/oauth2/authorize, client {client}, secret {secret}\n\
         \n\
         eventide    DISCORD_TOKEN={token} EVENTIDE__DISCORD__API_URL={rest}\n\
         twilight    Client::builder().proxy(\"{host}\", true), ConfigBuilder::proxy_url(\"{gateway}\")\n\
         discord.py  Route.BASE = \"{rest}/api/v10\", DiscordWebSocket.DEFAULT_GATEWAY = URL(\"{gateway}\")\n\
         discord.js  new Client({{ rest: {{ api: \"{rest}/api\" }} }})"
    )?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    simulator.stop().await;
    Ok(())
}
