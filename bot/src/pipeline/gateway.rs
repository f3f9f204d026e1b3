//! The gateway: one task per shard, from Discord's socket to the ledger.

mod connection;
mod flushing;
pub mod guard;
pub mod heartbeat;
pub mod identify;
pub(in crate::pipeline) mod intake;
mod orders;
mod shard;
#[doc(hidden)]
pub mod text_to_ledger;
pub(in crate::pipeline) mod violation;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use hyper::Uri;
use thiserror::Error;
use tokio::{sync::watch, time::Instant};
use twilight_gateway::{Config as ShardConfig, ConfigBuilder};
use twilight_model::{
    gateway::connection_info::BotConnectionInfo,
    id::{Id, marker::ApplicationMarker},
};

#[cfg(test)]
pub(in crate::pipeline) use self::intake::message_range::Admission;
use self::{
    flushing::Flushing,
    guard::Guard,
    identify::IdentifyQueue,
    intake::Intake,
    orders::{Ending, Orders},
    shard::ShardTask,
};
pub use self::{intake::message_range::MessageRange, shard::ShardEnd};
use crate::{
    config::{self, Config, Secret, ShardCount},
    discord::{
        guilds::Guilds,
        rest::{Priority, Rest, RestError, Retry},
        shards::{ShardStatus, Shards},
    },
    features::levels::policy::XpPolicy,
    interactions::{Interactions, registration},
    pipeline::{
        backfill::{Unread, reader::Reading, rows::Left},
        dispatch::{self, Dispatcher},
        fleet::{
            lease::LeaseGuard,
            registry::reshard::{self, Begun},
        },
        ledger::{Ledger, memory::Memory},
        parts::Pending,
        rows::shard_checkpoint::Taken,
        writer::Writer,
    },
    postgres::{
        Store, StoreError,
        database::{STARTUP_PATIENCE, despite_lost_connections},
    },
    support::{backoff::Backoff, ids::ShardKey, shutdown::stopped_within},
    telemetry::task::{self, Task},
};

/// How often Discord is asked for the recommended number of shards.
const ADVICE_INTERVAL: Duration = Duration::from_hours(6);

/// The delay before the second request.
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
    /// Discord could not be reached.
    #[error("cannot reach Discord at {url}: {reason}")]
    Unreachable {
        /// The base URL of the REST API.
        url: String,
        /// The error.
        reason: String,
    },
    /// The checkpoints could not be read.
    #[error("cannot take the shards' checkpoints: {0}")]
    Store(#[from] StoreError),
}

/// Discord's instructions for connecting.
#[derive(Clone, Debug)]
pub struct Directions {
    /// The URL of the gateway.
    pub gateway_url: String,
    /// The number of shards.
    pub shard_count: u32,
    queue: IdentifyQueue,
}

/// The dependencies of shards.
#[derive(Clone, Debug)]
pub struct ShardDeps {
    /// The REST client for backfill.
    pub rest: Rest,
    /// The cache of guilds, which is updated by events.
    pub guilds: Guilds,
    /// The rules for XP.
    pub policy: XpPolicy,
    /// The handler of interactions.
    pub interactions: Interactions,
    /// The writer.
    pub writer: Writer,
    /// The memory budget of the ledgers.
    pub memory: Arc<Memory>,
    /// Whether a shard may connect.
    pub lease_guard: LeaseGuard,
}

/// The shards of this process.
#[derive(Debug)]
pub struct Gateway {
    config: ShardConfig<IdentifyQueue>,
    dispatcher: Dispatcher,
    ledger: config::Ledger,
    levels: config::Levels,
    max_backoff: Duration,
    ready_timeout: Duration,
    deps: ShardDeps,
    running: BTreeMap<ShardKey, Running>,
    /// The state of the shards.
    pub shards: Shards,
}

#[derive(Debug)]
struct Running {
    task: Task<ShardEnd>,
    orders: watch::Sender<Orders>,
}

/// With `gateway.shard_count = "auto"`, ask Discord every few hours for the recommended number of shards, and start a reshard if it exceeds
/// the current one.
pub async fn follow_advice(rest: Rest, store: Store, shards: Shards, mut stop: watch::Receiver<bool>) {
    loop {
        if stopped_within(&mut stop, ADVICE_INTERVAL).await {
            return;
        }
        let answer = rest
            .send(Priority::Background, rest.builders().gateway().authed())
            .await;
        let advised: BotConnectionInfo = match answer.and_then(|answer| answer.model()) {
            Ok(advised) => advised,
            Err(error) => {
                tracing::debug!(%error, "Discord did not return the recommended number of shards");
                continue;
            }
        };
        if advised.shards <= shards.count() {
            continue;
        }
        tracing::info!(
            gateway.shard_count = advised.shards,
            "Discord recommends more shards"
        );
        match reshard::ask_for(&store, advised.shards).await {
            Ok(Begun::Yes | Begun::UnderWay(_) | Begun::AsItIs | Begun::NoFleet) => {}
            Ok(Begun::Identifies(left)) => tracing::warn!(
                gateway.shard_count = advised.shards,
                identifies.remaining = left,
                "too few of the day's identifies are left to change the number of shards"
            ),
            Err(error) => tracing::warn!(%error, "the number of shards cannot be changed now"),
        }
    }
}

/// Ask Discord for the gateway's URL, the number of shards and the identify limits. If Discord has a problem or limits the request, wait: a
/// process that ended would only be restarted and ask again sooner.
pub async fn directions(config: &Config, rest: &Rest, store: &Store) -> Result<Directions, StartError> {
    let info: BotConnectionInfo = patiently(config, "the address of the gateway", async || {
        let request = rest.builders().gateway().authed();
        rest.send(Priority::Command, request).await?.model()
    })
    .await?;
    let shard_count = match config.gateway.shard_count {
        ShardCount::Auto => info.shards.max(1),
        ShardCount::Fixed(count) => count,
    };
    let gateway_url = config.discord.gateway_url.as_ref().unwrap_or(&info.url);
    let queue = async || IdentifyQueue::new(store, &info.session_start_limit).await;
    Ok(Directions {
        // twilight appends "/?v=10", so a trailing slash would be doubled.
        gateway_url: gateway_url.trim_end_matches('/').to_owned(),
        shard_count,
        queue: despite_lost_connections(queue).await?,
    })
}

/// Ask Discord for the application of the token.
pub async fn application(config: &Config, rest: &Rest) -> Result<Id<ApplicationMarker>, StartError> {
    patiently(config, "the application of the token", async || {
        registration::application_id(rest).await
    })
    .await
}

async fn patiently<T>(
    config: &Config,
    what: &str,
    ask: impl AsyncFn() -> Result<T, RestError>,
) -> Result<T, StartError> {
    let mut backoff = Backoff::between(FIRST_PAUSE, config.gateway.max_backoff);
    let patience = patience_with(config.discord.rest_url()).map(|patience| Instant::now() + patience);
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let wait = match (&error, error.retry()) {
            (RestError::TokenRefused, _) => return Err(StartError::Unauthorized),
            (_, Retry::After(limited)) => limited.max(backoff.pause()),
            (error, Retry::Later)
                // An address with a different server behind it is more often wrong than Discord's.
                if !matches!(error, RestError::Unreadable { .. })
                    && (!matches!(error, RestError::Unconnected { .. })
                        || patience.is_none_or(|until| Instant::now() < until)) =>
            {
                backoff.pause()
            }
            _ => {
                return Err(StartError::Unreachable {
                    url: config.discord.rest_url().to_owned(),
                    reason: error.to_string(),
                });
            }
        };
        if backoff.is_worth_a_line() {
            tracing::warn!(%error, "{what} could not be read from Discord; retrying");
        }
        tokio::time::sleep(wait).await;
    }
}

/// How long to wait for a server at the address of the REST API; `None` is unlimited. Discord's own address is right, whatever the state of
/// DNS and the network. Another name may not resolve yet. An IP address without a server is probably wrong.
fn patience_with(url: &str) -> Option<Duration> {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    if host == "discord.com" {
        return None;
    }
    let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    Some(if is_address {
        Duration::ZERO
    } else {
        STARTUP_PATIENCE
    })
}

impl Gateway {
    /// A gateway without shards. Their state will be in `shards`.
    pub fn new(
        config: &Config,
        token: &Secret,
        directions: &Directions,
        deps: ShardDeps,
        shards: Shards,
    ) -> Self {
        // `increase()` only counts the first one if the counter existed before it, at 0.
        for why in Unread::ALL {
            crate::telemetry::metrics::backfill_unread_channels_total(why.as_str()).increment(0);
        }
        Self {
            config: ConfigBuilder::new(token.expose().to_owned(), dispatch::intents(&config.discord))
                .queue(directions.queue.clone())
                .proxy_url(directions.gateway_url.clone())
                .build(),
            dispatcher: Dispatcher::new(deps.policy.clone(), &config.discord)
                .with_guilds(deps.guilds.clone()),
            ledger: config.ledger.clone(),
            levels: config.levels.clone(),
            max_backoff: config.gateway.max_backoff,
            ready_timeout: config.gateway.ready_timeout,
            deps,
            running: BTreeMap::new(),
            shards,
        }
    }

    /// Start a shard that was taken for this process, with the messages that it counts.
    pub fn start(&mut self, key: ShardKey, taken: Taken, left: Left, message_range: MessageRange) {
        let status = Arc::new(ShardStatus::new(key));
        self.shards.add(Arc::clone(&status));
        let ShardDeps {
            rest,
            writer,
            memory,
            policy,
            guilds,
            lease_guard,
            ..
        } = &self.deps;
        guilds.forget_shard(key);
        let count = usize::try_from(key.count).unwrap_or(1).max(1);
        let pending = Pending::new(
            self.ledger.member_cache_entries / count,
            policy.clone(),
            Some(guilds.clone()),
        );
        let ledger = Ledger::new(Arc::clone(memory), pending);
        let flush_request = Arc::clone(&ledger.flush_request);
        let (orders, seen) = watch::channel(Orders {
            end: Ending::GoOn,
            message_range,
        });
        let flushing = Flushing::new(key, writer.clone(), &taken, &self.ledger);
        let interactions = self.deps.interactions.clone();
        let mut intake = Intake::new(
            key,
            self.dispatcher.clone().with_interactions(interactions, key),
            ledger,
            taken.session,
            taken.updated_at,
        );
        intake.take_up(self.levels.backfill, taken.last_message_id, left);
        let task = ShardTask {
            key,
            config: self.config.clone(),
            flushing,
            flush_request,
            intake,
            reading: Reading::new(rest.clone(), self.levels.backfill_limit),
            guard: Guard::new(self.max_backoff),
            memory: Arc::clone(memory),
            status,
            lease_guard: lease_guard.clone(),
            received_all: false,
            retirements: 0,
            ready_timeout: self.ready_timeout,
            closed_at: None,
            orders: seen,
        };
        let task = task::spawn("shard", task.run());
        self.running.insert(key, Running { task, orders });
        self.show();
    }

    /// Let a shard close resumably, and end when everything is committed.
    pub fn stop(&self, shard: ShardKey) {
        if let Some(running) = self.running.get(&shard) {
            running.orders.send_modify(|orders| orders.end = Ending::Stop);
        }
    }

    /// Let a shard of the old number end when it has received everything that was sent to it.
    pub fn retire(&self, shard: ShardKey) {
        if let Some(running) = self.running.get(&shard) {
            running.orders.send_if_modified(|orders| {
                let goes_on = orders.end == Ending::GoOn;
                if goes_on {
                    orders.end = Ending::Retire;
                }
                goes_on
            });
        }
    }

    /// Set the messages that the shards of a number count.
    pub fn set_message_range(&self, shard_count: u32, message_range: MessageRange) {
        for (_, running) in self.running.iter().filter(|(key, _)| key.count == shard_count) {
            running.orders.send_if_modified(|orders| {
                let changed = orders.message_range != message_range;
                orders.message_range = message_range;
                changed
            });
        }
    }

    /// End a shard immediately and drop what is not committed: it belongs to another process, where the events are replayed.
    pub fn abandon(&mut self, shard: ShardKey) {
        if let Some(running) = self.running.remove(&shard) {
            drop(running);
            self.shards.remove(shard);
            self.show();
        }
    }

    /// Discord's rate limits apply to the whole bot and are divided among the processes.
    pub fn share_rest(&self, processes: usize) {
        let processes = u32::try_from(processes).unwrap_or(u32::MAX).max(1);
        self.deps.rest.set_share(1, processes);
    }

    /// The shards that have not ended.
    pub fn running(&self) -> BTreeSet<ShardKey> {
        self.running.keys().copied().collect()
    }

    /// Wait until a shard ends, whether or not it was asked to. It is then removed from the gateway.
    pub async fn next_end(&mut self) -> (ShardKey, ShardEnd) {
        let (shard, end) = std::future::poll_fn(|cx| {
            for (shard, running) in &mut self.running {
                if let Poll::Ready(end) = running.task.poll_join(cx) {
                    return Poll::Ready((*shard, end.unwrap_or(ShardEnd::WriterGone)));
                }
            }
            Poll::Pending
        })
        .await;
        self.running.remove(&shard);
        self.shards.remove(shard);
        self.show();
        (shard, end)
    }

    fn show(&self) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        crate::telemetry::metrics::fleet_shards().set(self.running.len() as f64);
    }
}

/// Update the gauges of the shards.
pub fn observe(shards: &Shards, memory: &Memory) {
    let now = Instant::now();
    let mut rows = 0;
    let mut oldest = Duration::ZERO;
    for shard in shards.list() {
        // A shard of a number other than the fleet's has the same label as one of the fleet.
        if shards.are_counted(shard.key().count) {
            shard.observe(now);
        }
        rows += shard.rows();
        if let Some(since) = shard.dirty_since() {
            oldest = oldest.max(now.saturating_duration_since(since));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    {
        crate::telemetry::metrics::ledger_rows().set(rows as f64);
        crate::telemetry::metrics::ledger_bytes().set(memory.used() as f64);
        crate::telemetry::metrics::ledger_limit_bytes().set(memory.limit() as f64);
    }
    crate::telemetry::metrics::ledger_age_seconds().set(oldest.as_secs_f64());
}
