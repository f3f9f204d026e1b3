//! The gateway: one task a shard, from Discord's socket to the ledger.

mod connection;
mod flushing;
pub mod guard;
pub mod heartbeat;
pub mod identify;
mod intake;
mod shard;
pub mod status;

use std::{sync::Arc, task::Poll, time::Duration};

use thiserror::Error;
use tokio::{sync::watch, time::Instant};
use twilight_gateway::{Config as ShardConfig, ConfigBuilder, Intents};
use twilight_model::gateway::connection_info::BotConnectionInfo;

pub use self::shard::ShardEnd;
use self::{
    flushing::Flushing, guard::Guard, identify::IdentifyQueue, intake::Intake, shard::ShardTask,
    status::ShardStatus,
};
use crate::{
    backoff::Backoff,
    config::{Config, Secret, ShardCount},
    dispatcher::{self, Dispatcher},
    ledger::{Ledger, memory::Memory},
    rest::{Priority, Rest, RestError, Retry},
    store::{
        Store, StoreError,
        shard_checkpoint::{self, ShardKey},
    },
    task::{self, Task},
    writer::Writer,
};

/// Before Discord is asked a second time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Why the gateway could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// Discord refused the token.
    #[error(
        "Discord refused the token (401): set discord.token (or DISCORD_TOKEN) to the bot's current token, from \
         https://discord.com/developers/applications → your application → Bot → Reset Token"
    )]
    Unauthorized,
    /// Discord could not be asked.
    #[error("cannot reach Discord at {url}: {reason}")]
    Unreachable {
        /// The REST base that was asked.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The checkpoints could not be taken.
    #[error("cannot take the shards' checkpoints: {0}")]
    Store(#[from] StoreError),
}

/// What Discord says about connecting.
#[derive(Clone, Debug)]
pub struct Directions {
    /// Where to connect to.
    pub gateway_url: String,
    /// How many shards to run.
    pub shard_count: u32,
    queue: IdentifyQueue,
}

/// The shards of this process.
#[derive(Debug)]
pub struct Gateway {
    tasks: Vec<Task<ShardEnd>>,
    /// What the shards show of themselves.
    pub shards: Arc<[Arc<ShardStatus>]>,
}

/// Privileged intents that are asked for, for the message that names them.
/// <https://discord.com/developers/docs/events/gateway#privileged-intents>
pub fn privileged_intents() -> String {
    let names = [
        (Intents::MESSAGE_CONTENT, "Message Content Intent"),
        (Intents::GUILD_MEMBERS, "Server Members Intent"),
        (Intents::GUILD_PRESENCES, "Presence Intent"),
    ];
    let asked: Vec<&str> = names
        .into_iter()
        .filter(|(intent, _)| dispatcher::intents().contains(*intent))
        .map(|(_, name)| name)
        .collect();
    if asked.is_empty() {
        "none".to_owned()
    } else {
        asked.join(", ")
    }
}

/// Ask Discord where to connect, with how many shards and at what pace. A Discord that is ill, or limits us, is waited for: a process
/// that ended instead would only be started again to ask sooner.
pub async fn directions(config: &Config, rest: &Rest) -> Result<Directions, StartError> {
    let mut backoff = Backoff::between(FIRST_PAUSE, config.gateway.max_backoff);
    let info: BotConnectionInfo = loop {
        let answer = rest
            .send(Priority::Command, rest.builders().gateway().authed())
            .await;
        let error = match answer.and_then(|answer| answer.model()) {
            Ok(info) => break info,
            Err(error) => error,
        };
        let wait = match (&error, error.retry()) {
            (RestError::TokenRefused, _) => return Err(StartError::Unauthorized),
            (_, Retry::After(limited)) => limited.max(backoff.pause()),
            // An address without anybody behind it is more often a wrong one than Discord's.
            (error, Retry::Later) if !matches!(error, RestError::Unconnected { .. }) => backoff.pause(),
            _ => {
                return Err(StartError::Unreachable {
                    url: config.discord.rest_url().to_owned(),
                    reason: error.to_string(),
                });
            }
        };
        if backoff.is_worth_a_line() {
            tracing::warn!(%error, "Discord does not say where its gateway is; it is asked again");
        }
        tokio::time::sleep(wait).await;
    };
    let shard_count = match config.gateway.shard_count {
        ShardCount::Auto => info.shards.max(1),
        ShardCount::Fixed(count) => count,
    };
    let gateway_url = config.discord.gateway_url.as_ref().unwrap_or(&info.url);
    Ok(Directions {
        // twilight appends "/?v=10", so a slash at the end would be doubled.
        gateway_url: gateway_url.trim_end_matches('/').to_owned(),
        shard_count,
        queue: IdentifyQueue::new(&info.session_start_limit),
    })
}

impl Gateway {
    /// Take every shard and start its task.
    pub async fn start(
        config: &Config,
        token: &Secret,
        directions: &Directions,
        store: &Store,
        writer: &Writer,
        memory: &Arc<Memory>,
        stop: &watch::Receiver<bool>,
    ) -> Result<Self, StartError> {
        let shard_config: ShardConfig<IdentifyQueue> =
            ConfigBuilder::new(token.expose().to_owned(), dispatcher::intents())
                .queue(directions.queue.clone())
                .proxy_url(directions.gateway_url.clone())
                .build();
        for reason in guard::GAP_REASONS {
            // The first gap is an increase only where there was a 0 before.
            crate::metrics::gateway_gaps_total(reason).increment(0);
        }
        let dispatcher = Dispatcher::new((&config.levels).into());
        let count = directions.shard_count;
        let cache_entries = config.ledger.member_cache_entries / usize::try_from(count).unwrap_or(1).max(1);
        let (mut tasks, mut shards) = (Vec::new(), Vec::new());
        for id in 0..count {
            let key = ShardKey { count, id };
            let checkpoint = shard_checkpoint::take(store, key).await?;
            let status = Arc::new(ShardStatus::new(key));
            shards.push(Arc::clone(&status));
            let ledger = Ledger::new(Arc::clone(memory), cache_entries);
            let task = ShardTask {
                key,
                config: shard_config.clone(),
                flushing: Flushing::new(key, writer.clone(), &checkpoint, &config.ledger),
                intake: Intake::new(key, dispatcher, ledger, checkpoint.session, checkpoint.updated_at),
                guard: Guard::new(config.gateway.max_backoff),
                memory: Arc::clone(memory),
                status,
                stop: stop.clone(),
            };
            tasks.push(task::spawn("shard", task.run()));
        }
        Ok(Self {
            tasks,
            shards: shards.into(),
        })
    }

    /// Wait until a shard ends that was not asked to. It is none of the gateway's any more then.
    pub async fn first_end(&mut self) -> ShardEnd {
        std::future::poll_fn(|cx| {
            for index in 0..self.tasks.len() {
                if let Poll::Ready(end) = self.tasks[index].poll_join(cx) {
                    drop(self.tasks.swap_remove(index));
                    return Poll::Ready(end.unwrap_or(ShardEnd::WriterGone));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Wait until every shard has ended. They were told to by the `stop` they were started with.
    pub async fn ended(self) -> Vec<ShardEnd> {
        let mut ends = Vec::new();
        for task in self.tasks {
            ends.push(task.join().await.unwrap_or(ShardEnd::WriterGone));
        }
        ends
    }
}

/// Copy the shards' states into the gauges.
pub fn observe(shards: &[Arc<ShardStatus>], memory: &Memory) {
    let now = Instant::now();
    let mut rows = 0;
    let mut oldest = Duration::ZERO;
    for shard in shards {
        shard.observe(now);
        rows += shard.rows();
        if let Some(since) = shard.dirty_since() {
            oldest = oldest.max(now.saturating_duration_since(since));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    {
        crate::metrics::ledger_rows().set(rows as f64);
        crate::metrics::ledger_bytes().set(memory.used() as f64);
        crate::metrics::ledger_limit_bytes().set(memory.limit() as f64);
    }
    crate::metrics::ledger_age_seconds().set(oldest.as_secs_f64());
}
