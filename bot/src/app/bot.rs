//! The running bot: it is built in the order of the flow of data, and shut down in the same order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::sync::{Notify, watch};
use twilight_model::id::{Id, marker::ApplicationMarker};

use crate::{
    app::{
        database_clock,
        features::{self, COMMANDS},
        notifications::Notifications,
        operators,
        ops_http::{LONGEST_COMMIT, Server, Watched},
    },
    config::{Config, Secret, ShardCount},
    discord::{guilds::Guilds, rest::Rest, shards::Shards},
    features::levels::{policy::XpPolicy, rows::rank_buckets},
    interactions::{self, Interactions, registration},
    outbox::{delivery::Deliverer, timers::Timers},
    pipeline::{
        application,
        fleet::{Fleet, FleetEnd, lease},
        gateway::{self, Gateway, guard::Fatal},
        ledger::memory::Memory,
        writer::{Lanes, Writer, isolate},
    },
    postgres::{Store, StoreError, backup, database::despite_lost_connections},
    settings::Settings,
    telemetry::task::{self, Task},
    web::{
        Site,
        server::{ListenError, Port, Website},
        servers,
    },
};

/// How long a command waits for each answer from PostgreSQL. Discord waits 3 s for a command's response.
const COMMAND_PATIENCE: Duration = Duration::from_millis(2_500);

/// Why the bot could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The pool could not be created, or the database does not answer.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// The gateway could not be started.
    #[error("{0}")]
    Gateway(#[from] gateway::StartError),
    /// The port of the website is in use.
    #[error("{0}")]
    Web(#[from] ListenError),
}

/// Why the bot ended by itself.
#[derive(Debug, Error)]
pub enum BotError {
    /// Discord refuses the bot.
    #[error("{0}")]
    Fatal(Fatal),
    /// A part of the bot ended unexpectedly.
    #[error("a part of the bot ended unexpectedly; this is a bug, please report it with the log")]
    Broken,
    /// An essential task panicked.
    #[error(
        "the task \"{0}\" panicked, so the process ends to be started again; this is a bug, please report it with the log"
    )]
    Panicked(&'static str),
    /// The shutdown took longer than `process.shutdown_timeout_seconds`.
    #[error(
        "the drain did not end within process.shutdown_timeout_seconds ({} s); what was not committed is replayed at the next start",
        .0.as_secs()
    )]
    DrainTimeout(Duration),
}

/// Everything that runs between Discord and the database.
#[derive(Debug)]
pub struct Bot {
    fleet: Option<Task<FleetEnd>>,
    lanes: Lanes,
    stop: watch::Sender<bool>,
    http: Server,
    website: Option<Website>,
    idle: Task<()>,
    deliverer: Task<()>,
    timers: Task<()>,
    answering: Task<()>,
    listening: Task<()>,
    _background: Vec<Task<()>>,
    /// The store, for reading the tables.
    pub store: Store,
    /// The state of the shards.
    pub shards: Shards,
    /// The memory budget of the ledgers.
    pub memory: Arc<Memory>,
    /// The client for Discord's REST API.
    pub rest: Rest,
    /// The settings of guilds.
    pub settings: Settings,
    /// The cached data of guilds.
    pub guilds: Guilds,
}

impl Bot {
    /// Start everything. The schema of `store` has to be up to date; `http` serves this process's port.
    pub async fn start(
        config: &Config,
        token: &Secret,
        store: Store,
        http: Server,
    ) -> Result<Self, StartError> {
        let port = web_port(config).await?;
        store.ping().await?;
        let memory = Arc::new(Memory::new(config.ledger.max_memory_bytes));
        let rest = Rest::new(&config.discord, token);
        let application_id = Box::pin(claimed(config, &rest, &store)).await?;
        let directions = Box::pin(gateway::directions(config, &rest, &store)).await?;
        store.name_shards(
            0,
            directions.shard_count.saturating_sub(1),
            directions.shard_count,
        );
        despite_lost_connections(async || store.open_for_flushes().await).await?;
        let settings = Settings::new(&config.levels);
        let guilds = guilds(config, &rest);
        let policy = XpPolicy::new(settings.clone()).asking(guilds.clone());
        let (writer, lanes) = Writer::start(
            &store.for_flushes(),
            config.ledger.writers,
            config.fleet.lease / 3,
            &settings,
        );
        let (stop, stopped) = watch::channel(false);
        let idle = task::spawn_essential("idle connections", store.clone().close_idle(stopped.clone()));
        let (deliverer, timers) = outbox(config, &store, &rest, &settings, &guilds, &stopped);
        let fleet_news = Arc::new(Notify::new());
        let news = Arc::new(Notifications {
            settings: settings.clone(),
            fleet: Arc::clone(&fleet_news),
            timers: store.timers_armed(),
        });
        let listening = task::spawn_essential("news", store.listen(news, stopped.clone()));
        let (granted, lease_guard) = lease::pair(config.fleet.lease);
        let shards = Shards::default();
        let around = interactions::Services {
            store: store.clone().answering_within(COMMAND_PATIENCE),
            rest: rest.clone(),
            settings: settings.clone(),
            guilds: guilds.clone(),
            commands: &COMMANDS,
            state: features::state(config, &settings),
            shards: shards.clone(),
            since: rest.clock().now(),
        };
        let website = port.map(|port| port.serve(site(config, application_id, &around), stopped.clone()));
        let (interactions, answering) = Interactions::new(around, stopped.clone());
        let answering = task::spawn_essential("interactions", answering);
        let around = gateway::ShardDeps {
            rest: rest.clone(),
            interactions,
            guilds: guilds.clone(),
            policy,
            writer,
            memory: Arc::clone(&memory),
            lease_guard,
        };
        let gateway = Gateway::new(config, token, &directions, around, shards.clone());
        let mut fleet = Fleet::new(
            store.clone(),
            gateway,
            granted,
            fleet_news,
            directions.shard_count,
            config,
        );
        let entered = async || {
            fleet.enter().await?;
            application::expect(&store, config, application_id).await
        };
        Box::pin(despite_lost_connections(entered)).await?;
        let background = background(config, &store, (&rest, &guilds), &shards, &stopped);
        let fleet = task::spawn("fleet", fleet.run(stopped));
        http.show(Watched {
            store: store.clone(),
            shards: shards.clone(),
            memory: Arc::clone(&memory),
            commit_within: LONGEST_COMMIT + config.ledger.checkpoint_interval,
            rest: rest.clone(),
        });
        tracing::info!(gateway.shards = directions.shard_count, "started");
        Ok(Self {
            fleet: Some(fleet),
            lanes,
            stop,
            http,
            website,
            idle,
            deliverer,
            timers,
            answering,
            listening,
            _background: background,
            store,
            shards,
            memory,
            rest,
            settings,
            guilds,
        })
    }

    /// The address of `/metrics` and the health checks.
    pub const fn http_address(&self) -> SocketAddr {
        self.http.address
    }

    /// The address of the website, if this process serves it.
    pub fn web_address(&self) -> Option<SocketAddr> {
        self.website.as_ref().map(|website| website.address)
    }

    /// Wait until this process's membership in the fleet ends unexpectedly, or another part panics.
    pub async fn failed(&mut self) -> BotError {
        let Some(fleet) = &mut self.fleet else {
            return std::future::pending().await;
        };
        // The task is only taken out after it has ended: this future may be dropped and called again, and dropping a task aborts it.
        let end = tokio::select! {
            end = std::future::poll_fn(|cx| fleet.poll_join(cx)) => end,
            name = task::essential_failure() => return BotError::Panicked(name),
        };
        self.fleet = None;
        end.and_then(error_of).unwrap_or(BotError::Broken)
    }

    /// Stop reading, commit everything received, and leave the sessions resumable.
    pub async fn drain(self, within: Duration) -> Result<(), BotError> {
        let Self {
            fleet,
            lanes,
            stop,
            http,
            website,
            idle,
            deliverer,
            timers,
            answering,
            listening,
            store,
            ..
        } = self;
        let drained = tokio::time::timeout(within, async {
            stop.send_replace(true);
            let end = match fleet {
                Some(fleet) => fleet.join().await,
                None => None,
            };
            lanes.drain().await;
            tracing::info!("everything received is committed");
            deliverer.join().await;
            timers.join().await;
            answering.join().await;
            if let Some(website) = website {
                website.end().await;
            }
            end
        });
        let end = drained.await.map_err(|_elapsed| BotError::DrainTimeout(within))?;
        drop(http);
        idle.join().await;
        listening.join().await;
        store.close();
        match end.and_then(error_of) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// The website's port, if this process serves it.
async fn web_port(config: &Config) -> Result<Option<Port>, ListenError> {
    match config.web.listen {
        Some(address) => Ok(Some(Port::bind(address).await?)),
        None => Ok(None),
    }
}

/// The cache of guilds, which knows the staff of servers if there is a website.
fn guilds(config: &Config, rest: &Rest) -> Guilds {
    let guilds = Guilds::new(rest.clone());
    if !config.web.url.is_empty() {
        guilds.watch_staff();
    }
    guilds
}

/// The website. Its pages use the same services as commands, with a part of the connections to the database.
fn site(config: &Config, application_id: Id<ApplicationMarker>, services: &interactions::Services) -> Site {
    let store = services.store.clone().with_half();
    let services = Arc::new(interactions::Services {
        store: store.clone(),
        ..services.clone()
    });
    let mut pages = features::pages(&services);
    pages.push(operators::route(config, &services));
    Site::new(config, application_id, (&store, &services.guilds), pages)
}

/// The application of the token, which claims the tables.
async fn claimed(config: &Config, rest: &Rest, store: &Store) -> Result<Id<ApplicationMarker>, StartError> {
    let application_id = gateway::application(config, rest).await?;
    despite_lost_connections(async || application::claim(store, config, application_id).await).await?;
    Ok(application_id)
}

/// Start the delivery of effects and the timers.
fn outbox(
    config: &Config,
    store: &Store,
    rest: &Rest,
    settings: &Settings,
    guilds: &Guilds,
    stopped: &watch::Receiver<bool>,
) -> (Task<()>, Task<()>) {
    let deliverer = Deliverer::new(
        store.clone(),
        rest.clone(),
        guilds.clone(),
        config.effects.clone(),
        features::effect_kinds(settings),
    );
    let registry = features::timers(config, store, rest, settings);
    let timers = Timers::new(store.clone(), registry, guilds_at_once(config));
    (
        task::spawn_essential("deliverer", deliverer.run(stopped.clone())),
        task::spawn_essential("timers", timers.run(stopped.clone())),
    )
}

/// The number of guilds whose timers fire concurrently: half of the connections that are not reserved for flushes, so that commands have
/// the others.
fn guilds_at_once(config: &Config) -> usize {
    let others = config
        .database
        .pool_size
        .saturating_sub(config.database.flush_connections);
    (others / 2).clamp(2, 16)
}

/// Start the background tasks, which end with the process.
fn background(
    config: &Config,
    store: &Store,
    (rest, guilds): (&Rest, &Guilds),
    shards: &Shards,
    stopped: &watch::Receiver<bool>,
) -> Vec<Task<()>> {
    let backed_up = {
        let (store, stopped) = (store.clone(), stopped.clone());
        move || backup::age::show(store.clone(), stopped.clone())
    };
    let clock = {
        let (store, stopped) = (store.clone(), stopped.clone());
        move || database_clock::watch_database(store.clone(), stopped.clone())
    };
    let quarantined = {
        let (store, stopped) = (store.clone(), stopped.clone());
        move || isolate::watch(store.clone(), stopped.clone())
    };
    let ranking = {
        let (store, stopped) = (store.clone(), stopped.clone());
        move || rank_buckets::keep(store.clone(), stopped.clone())
    };
    let replica = {
        let (store, stopped) = (store.clone(), stopped.clone());
        move || store.clone().watch_replica(stopped.clone())
    };
    let mut tasks = vec![
        task::spawn_restarted("replica", replica),
        task::spawn_restarted("rank buckets", ranking),
        task::spawn_restarted("quarantine", quarantined),
        task::spawn_restarted("backup age", backed_up),
        task::spawn_restarted("clock", clock),
    ];
    if !config.web.url.is_empty() {
        let (store, guilds, stopped) = (store.clone(), guilds.clone(), stopped.clone());
        tasks.push(task::spawn_restarted("staff", move || {
            servers::record_staff(store.clone(), guilds.clone(), stopped.clone())
        }));
    }
    if config.commands.register {
        let (store, rest, commands) = (store.clone(), rest.clone(), config.commands.clone());
        let stopped = stopped.clone();
        tasks.push(task::spawn_restarted("commands", move || {
            registration::keep(
                store.clone(),
                rest.clone(),
                &COMMANDS,
                commands.clone(),
                stopped.clone(),
            )
        }));
    }
    if config.gateway.shard_count == ShardCount::Auto {
        let (store, rest, shards, stopped) = (store.clone(), rest.clone(), shards.clone(), stopped.clone());
        tasks.push(task::spawn_restarted("advice", move || {
            gateway::follow_advice(rest.clone(), store.clone(), shards.clone(), stopped.clone())
        }));
    }
    tasks
}

fn error_of(end: FleetEnd) -> Option<BotError> {
    match end {
        FleetEnd::Stopped => None,
        FleetEnd::Fatal(fatal) => Some(BotError::Fatal(fatal)),
        FleetEnd::WriterGone => Some(BotError::Broken),
    }
}
