//! `eventide demo`: a simulated Discord, a private PostgreSQL and the bot in one process.
//!
//! The displayed figures come from the metrics that an operator would scrape. The final result compares the rows in the database with the
//! simulator's oracle.

pub mod chaos;
pub mod figures;
pub mod members;
pub mod view;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use discord_simulator::{
    GatewayRules, LevelRules, MemberState, Rate, Report, Row, Simulator, SimulatorConfig,
};
use tokio::time::{Instant, interval, sleep};

use self::{chaos::Chaos, members::Members, view::View};
use crate::{
    app::{
        bot::Bot,
        cli::CliError,
        ops_http::{self, Listening},
    },
    config::{Config, Secret, ShardCount},
    discord::shards::ShardStatus,
    features::levels::rows::{leaderboard, member_xp},
    postgres::{Store, StoreError, database::Database, embedded::PrivatePostgres},
    support::{ids, shutdown::StopSignals},
    telemetry::metrics,
};

/// The time limit for processing all sent events at the end.
const CATCH_UP: Duration = Duration::from_mins(2);

/// Simulated time is faster by this factor, so that members get past their cooldowns and level up while the demo runs.
const TIME_SCALE: f64 = 60.0;

/// The interval at which the figures are updated.
const TICK: Duration = Duration::from_millis(500);

/// The options of the demo.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The duration of the traffic.
    pub duration: Duration,
    /// Events per second; 0 for as many as the bot can process.
    pub rate: f64,
    /// The number of guilds.
    pub guilds: u32,
    /// The number of memberships.
    pub members: u32,
    /// The number of shards.
    pub shards: u32,
    /// Whether to inject faults.
    pub chaos: bool,
}

/// Run the demo. Returns the reconciliation.
///
/// # Errors
///
/// Something could not be started, or the bot ended by itself.
pub async fn run(options: Options, config: &Config) -> Result<Report, CliError> {
    let mut signals = StopSignals::listen()?;
    let simulator = Simulator::start_on_own_thread(world(options, config)).await?;
    let config = demo_config(config, &simulator, options);
    let http = listen(config.http.listen).await?.serve(metrics::install()?);
    metrics::say_what_runs(&config.database.schema);
    let mut view = View::new(options, http.address);
    view.line("starting a private PostgreSQL");
    let mut database = Database::open(&config.database).await?;
    database.start_over().await?;
    database.migrate().await?;
    if options.rate > 0.0 {
        let store = database
            .store(&config.database)
            .map_err(crate::app::bot::StartError::from)?;
        let announced = members::announce(simulator.world(), &store).await;
        store.close();
        announced.map_err(crate::app::bot::StartError::from)?;
    }
    let token = config.require_token().map_err(crate::config::Problems::from)?;
    view.line("starting the bot on a simulated Discord");
    let bot = Bot::start(
        &config,
        token,
        database
            .store(&config.database)
            .map_err(crate::app::bot::StartError::from)?,
        http,
    )
    .await?;

    let played = play(
        &simulator,
        bot,
        database.private.take(),
        options,
        &config,
        &mut view,
        &mut signals,
    )
    .await?;
    let store = database
        .store(&config.database)
        .map_err(crate::app::bot::StartError::from)?;
    let report = reconcile(&simulator, &store)
        .await
        .map_err(crate::app::bot::StartError::from)?;
    show_leaderboard(&simulator, &store, &mut view).await?;
    store.close();
    view.reconciliation(&report, played.cpu_per_event);
    simulator.stop().await;
    database.private = played.private;
    database.close().await?;
    Ok(report)
}

/// The simulated world, whose sessions last for the whole demo.
fn world(options: Options, config: &Config) -> SimulatorConfig {
    let (xp_min, xp_max) = config.levels.xp_per_message;
    SimulatorConfig {
        shards: options.shards,
        guilds: options.guilds.max(options.shards),
        members: options.members.max(options.guilds),
        token: "a-token-of-the-simulated-discord".to_owned(),
        levels: LevelRules {
            xp_min: xp_min.into(),
            xp_max: xp_max.into(),
            cooldown_ms: u64::try_from(config.levels.cooldown.as_millis()).unwrap_or(u64::MAX),
        },
        time_scale: TIME_SCALE,
        gateway: GatewayRules {
            max_concurrency: options.shards.max(1),
            ..GatewayRules::default()
        },
        ..SimulatorConfig::default()
    }
}

/// The operator's configuration, with the simulator and a separate database.
fn demo_config(config: &Config, simulator: &Simulator, options: Options) -> Config {
    let mut config = config.clone();
    config.discord.token = Some(Secret::new(simulator.config().token.clone()));
    config.discord.api_url = simulator.rest_url();
    config.discord.cdn_url = simulator.rest_url();
    config.discord.gateway_url = None;
    config.gateway.shard_count = ShardCount::Fixed(options.shards);
    config.database.url = None;
    config.database.data_directory = config.database.data_directory.join("demo");
    config
}

/// Listen on the configured port, or on a free one if it is in use, for example by a running bot.
async fn listen(address: SocketAddr) -> Result<Listening, ops_http::ListenError> {
    match ops_http::listen(address).await {
        Err(_) => ops_http::listen(SocketAddr::new(address.ip(), 0)).await,
        listening => listening,
    }
}

/// What is still running after the traffic.
struct Played {
    private: Option<PrivatePostgres>,
    cpu_per_event: Option<Duration>,
}

async fn play(
    simulator: &Simulator,
    mut bot: Bot,
    private: Option<PrivatePostgres>,
    options: Options,
    config: &Config,
    view: &mut View,
    signals: &mut StopSignals,
) -> Result<Played, CliError> {
    let control = simulator.control();
    control.set_rate(if options.rate > 0.0 {
        Rate::PerSecond(options.rate)
    } else {
        Rate::Full
    });
    let mut chaos = Chaos::start(options.chaos, control.clone(), private);
    let cpu = Cpu::now(simulator);
    let begun = Instant::now();
    let mut ticks = interval(TICK);
    let mut members = Members::new(simulator);
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => {
                view.line(&format!("{signal}: no more traffic; what was sent is still counted"));
                break;
            }
            error = bot.failed() => {
                drop(bot.drain(config.process.shutdown_timeout).await);
                return Err(error.into());
            }
            _ = ticks.tick() => {
                if begun.elapsed() >= options.duration {
                    break;
                }
                // At full speed, only messages are measured.
                if options.rate > 0.0 {
                    members.ask();
                }
                view.tick(&bot, &control, begun.elapsed());
            }
            done = chaos.next() => view.chaos(done?),
        }
    }
    control.set_rate(Rate::Paused);
    let private = chaos.end().await;
    caught_up(&control, &bot.shards.list(), view).await;
    let cpu_per_event = cpu.per_event(
        simulator,
        bot.shards.list().iter().map(|shard| shard.events()).sum(),
    );
    view.end(&bot, &control, begun.elapsed());
    bot.drain(config.process.shutdown_timeout).await?;
    Ok(Played {
        private,
        cpu_per_event,
    })
}

/// Wait until the bot has committed everything that was sent.
async fn caught_up(control: &discord_simulator::Control, shards: &[Arc<ShardStatus>], view: &mut View) {
    let deadline = Instant::now() + CATCH_UP;
    loop {
        let behind = !control.drained()
            || control
                .sessions()
                .iter()
                .filter(|session| session.alive)
                .any(|session| {
                    let [id, _] = session.shard;
                    let shard = shards.iter().find(|shard| shard.key().id == id);
                    shard.is_none_or(|shard| {
                        shard.sequence() < session.last_seq || shard.dirty_since().is_some()
                    })
                });
        if !behind {
            return;
        }
        if Instant::now() >= deadline {
            view.line("the bot did not catch up in time; see below for what is missing");
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Compare the rows in the database with the simulator's oracle.
///
/// # Errors
///
/// The rows cannot be read.
pub async fn reconcile(simulator: &Simulator, store: &Store) -> Result<Report, StoreError> {
    Ok(simulator.oracle().compare(rows(store).await?))
}

/// The rows in the simulator's format.
///
/// # Errors
///
/// They cannot be read.
pub async fn rows(store: &Store) -> Result<impl Iterator<Item = Row>, StoreError> {
    let rows = member_xp::all(store).await?;
    Ok(rows.into_iter().map(|(key, total)| Row {
        guild_id: key.guild_id.get(),
        user_id: key.user_id.get(),
        state: MemberState {
            xp: total.xp,
            message_count: total.messages,
            last_award_ms: total.last_award.map(i64::cast_unsigned),
        },
    }))
}

/// Show the top members of the busiest guild.
async fn show_leaderboard(simulator: &Simulator, store: &Store, view: &mut View) -> Result<(), CliError> {
    let world = simulator.world();
    let Some(guild) = world.guilds().first() else {
        return Ok(());
    };
    let Some(guild_id) = ids::from_db(guild.id().cast_signed()) else {
        return Ok(());
    };
    let standings = leaderboard::top(store, guild_id, 5)
        .await
        .map_err(crate::app::bot::StartError::from)?;
    view.leaderboard(guild.name(), &standings, |user| {
        world.member_name(guild.id(), user).unwrap_or_default()
    });
    Ok(())
}

/// The CPU time of this process without the simulator.
struct Cpu {
    bot: Option<Duration>,
}

impl Cpu {
    fn now(simulator: &Simulator) -> Self {
        let process = metrics::process::cpu_time();
        Self {
            bot: process
                .zip(simulator.cpu_time())
                .map(|(process, simulator)| process.saturating_sub(simulator)),
        }
    }

    fn per_event(&self, simulator: &Simulator, events: u64) -> Option<Duration> {
        let spent = Self::now(simulator).bot?.saturating_sub(self.bot?);
        Some(spent / u32::try_from(events.max(1)).ok()?)
    }
}

/// The metrics as Prometheus would scrape them.
fn figures() -> figures::Figures {
    metrics::install().map_or_else(
        |_| figures::Figures::default(),
        |handle| figures::Figures::parse(&handle.render()),
    )
}
