//! The running bot: built in the data's order, drained in the same.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::sync::watch;

use crate::{
    config::{Config, Secret},
    effects::{Causes, delivery::Deliverer},
    gateway::{self, Gateway, ShardEnd, guard::Fatal, status::ShardStatus},
    guilds::Guilds,
    http::{Server, Watched},
    ledger::memory::Memory,
    rest::Rest,
    settings::Settings,
    store::{Store, StoreError, shard_checkpoint::ShardKey},
    task::{self, Task},
    writer::{Lanes, Writer},
};

/// Why the bot could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The pool could not be made, or the database does not answer.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// The gateway could not be started.
    #[error("{0}")]
    Gateway(#[from] gateway::StartError),
}

/// Why the bot ended by itself.
#[derive(Debug, Error)]
pub enum BotError {
    /// Discord refuses the bot.
    #[error("{0}")]
    Fatal(Fatal),
    /// Another process runs with the same shards.
    #[error("shard {} was taken by another Eventide process on the same database: run only one", .0.id)]
    Fenced(ShardKey),
    /// A part of the bot ended that should not have.
    #[error("the writer ended unexpectedly; this is a bug, please report it with the log")]
    Broken,
    /// The drain took longer than `process.shutdown_timeout_seconds`.
    #[error(
        "the drain did not end within process.shutdown_timeout_seconds ({} s); what was not committed is replayed at the next start",
        .0.as_secs()
    )]
    DrainTimeout(Duration),
}

/// Everything that runs between Discord and the database.
#[derive(Debug)]
pub struct Bot {
    gateway: Gateway,
    writer: Writer,
    lanes: Lanes,
    stop: watch::Sender<bool>,
    http: Server,
    idle: Task<()>,
    deliverer: Task<()>,
    listening: Task<()>,
    /// The store, for those who look at the tables.
    pub store: Store,
    /// What the shards show of themselves.
    pub shards: Arc<[Arc<ShardStatus>]>,
    /// The ledgers' budget.
    pub memory: Arc<Memory>,
    /// The one way to Discord's REST API.
    pub rest: Rest,
    /// What guilds chose.
    pub settings: Settings,
}

impl Bot {
    /// Start everything: the schema of `store` is up to date, `http` serves this process's port.
    pub async fn start(
        config: &Config,
        token: &Secret,
        store: Store,
        http: Server,
    ) -> Result<Self, StartError> {
        store.ping().await?;
        let memory = Arc::new(Memory::new(config.ledger.max_memory_bytes));
        let rest = Rest::new(&config.discord, token);
        let directions = gateway::directions(config, &rest).await?;
        store.name_shards(
            0,
            directions.shard_count.saturating_sub(1),
            directions.shard_count,
        );
        store.open_for_flushes().await?;
        let settings = Settings::new(&config.levels);
        let causes = Causes::new(settings.clone());
        let (writer, lanes) = Writer::start(&store.for_flushes(), config.ledger.writers, &causes);
        let (stop, stopped) = watch::channel(false);
        let idle = task::spawn("idle connections", store.clone().close_idle(stopped.clone()));
        let deliverer = Deliverer::new(
            store.clone(),
            rest.clone(),
            settings.clone(),
            Guilds::new(rest.clone()),
            config.effects.clone(),
            causes.wake,
        );
        let deliverer = task::spawn("deliverer", deliverer.run(stopped.clone()));
        let listening = task::spawn("settings", store.listen(settings.clone(), stopped.clone()));
        let gateway = Gateway::start(config, token, &directions, &store, &writer, &memory, &stopped).await?;
        let shards = Arc::clone(&gateway.shards);
        http.show(Watched {
            store: store.clone(),
            shards: Arc::clone(&shards),
            memory: Arc::clone(&memory),
        });
        tracing::info!(gateway.shards = directions.shard_count, "started");
        Ok(Self {
            gateway,
            writer,
            lanes,
            stop,
            http,
            idle,
            deliverer,
            listening,
            store,
            shards,
            memory,
            rest,
            settings,
        })
    }

    /// Where `/metrics` and the health checks are served.
    pub const fn http_address(&self) -> SocketAddr {
        self.http.address
    }

    /// Wait until a shard ends although nobody asked it to.
    pub async fn failed(&mut self) -> BotError {
        error_of(self.gateway.first_end().await).unwrap_or(BotError::Broken)
    }

    /// Stop reading, commit what was read, leave the sessions resumable.
    pub async fn drain(self, within: Duration) -> Result<(), BotError> {
        let Self {
            gateway,
            writer,
            lanes,
            stop,
            http,
            idle,
            deliverer,
            listening,
            store,
            ..
        } = self;
        let drained = tokio::time::timeout(within, async {
            stop.send_replace(true);
            let ends = gateway.ended().await;
            tracing::info!(
                gateway.shards = ends.len(),
                "shards closed, sessions left resumable"
            );
            drop(writer);
            lanes.drain().await;
            tracing::info!("everything received is committed");
            deliverer.join().await;
            ends
        });
        let ends = drained.await.map_err(|_elapsed| BotError::DrainTimeout(within))?;
        drop(http);
        idle.join().await;
        listening.join().await;
        store.close();
        match ends.into_iter().find_map(error_of) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

fn error_of(end: ShardEnd) -> Option<BotError> {
    match end {
        ShardEnd::Stopped => None,
        ShardEnd::Fenced(shard) => Some(BotError::Fenced(shard)),
        ShardEnd::Fatal(fatal) => Some(BotError::Fatal(fatal)),
        ShardEnd::WriterGone => Some(BotError::Broken),
    }
}
