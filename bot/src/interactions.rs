//! Interactions: what members ask by commands, from the shard's loop to an answer in Discord's 3 seconds.
//!
//! The loop hands over what was asked and goes on. A task of its own finds the command and answers: at once if the command is
//! quick, otherwise with a promise first. Whatever goes wrong, who asked gets a line about it.
//!
//! An interaction that is replayed after a resume is either too old to be answered, or Discord refuses the second answer (40060);
//! one that this process has had already is skipped.

mod answering;
pub mod command;
pub(crate) mod current_settings;
pub(crate) mod define;
pub(crate) mod feature;
mod flood;
pub mod payload;
mod progress;
pub mod registration;
pub mod reply;
pub mod written;

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use hyper::http::Extensions;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, timeout},
};
use tracing::{Instrument as _, Span};
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, InteractionMarker},
    },
};

pub use self::progress::Progress;
use self::{
    answering::{Answer, Found, To, answer},
    command::Commands,
    flood::Flood,
    payload::{BadOption, InteractionPayload},
    reply::Reply,
};
use crate::{
    discord::{
        clock::Clock,
        guilds::{
            Guilds,
            authority::{Authority, Denial, XpPermit},
        },
        rest::{Priority, Rest, RestError},
        shards::Shards,
    },
    postgres::{Store, StoreError},
    settings::{Settings, audit_log::Entry},
    support::{
        i18n::Language,
        ids::{self, ShardKey},
        shutdown::stopped,
    },
    telemetry::{metrics, task, traces},
};

/// Interactions that wait to be begun.
const WAITING: usize = 1_024;
/// Interactions that are answered at the same time.
const AT_ONCE: usize = 512;
/// After that a promised answer is given up.
const LIMIT: Duration = Duration::from_secs(20);
/// Discord takes no first answer to something that was asked longer ago; some of it may be the difference between clocks.
const TOO_OLD: Duration = Duration::from_secs(10);
/// How long a command waits for what was written before it to be committed.
const COMMIT_PATIENCE: Duration = Duration::from_secs(1);
/// Ids that are remembered, so that a replay is not begun again.
const REMEMBERED: usize = 4_096;

/// What commands work with.
#[derive(Clone, Debug)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// Discord's REST API.
    pub rest: Rest,
    /// What guilds chose.
    pub settings: Settings,
    /// What is known of guilds.
    pub guilds: Guilds,
    /// What features keep in the process, by type.
    pub state: Extensions,
    /// Every command.
    pub commands: &'static Commands,
    /// The shards of this process.
    pub shards: Shards,
    /// Since when the process runs.
    pub since: SystemTime,
}

/// Where the shards hand interactions over. A clone is another handle to the same.
#[derive(Clone, Debug)]
pub struct Interactions(mpsc::Sender<Received>);

/// An interaction as the shard had it.
#[derive(Debug)]
struct Received {
    payload: InteractionPayload,
    shard: ShardKey,
    /// Tells when everything that the shard received before is committed.
    committed: oneshot::Receiver<()>,
    is_pending: bool,
    at: Instant,
}

/// An interaction on its way to a command.
pub struct CommandContext {
    /// What was asked.
    pub payload: InteractionPayload,
    /// By which shard it came.
    pub shard: ShardKey,
    language: Language,
    committed: Option<oneshot::Receiver<()>>,
    deferred: Deferred,
    is_pending: bool,
}

/// What goes on after the answer, and tells of itself by changing it.
pub type Job = Box<dyn FnOnce(Progress) -> BoxFuture<'static, Reply> + Send>;

/// Where a command leaves it.
type Deferred = Arc<Mutex<Option<Job>>>;

/// Why a command has no answer. Each has a text for people.
#[derive(Debug)]
pub enum CommandError {
    /// The database does not answer.
    Store(StoreError),
    /// Discord does not.
    Rest(RestError),
    /// It is for servers only.
    ServerOnly,
    /// An option that cannot be used.
    Option(BadOption),
    /// Who asks lacks one of these.
    Permission(Permissions),
    /// A button, a menu or a modal of which nothing is known any more.
    Stale,
    /// Who asks may not cause this, for their permissions or their rank.
    Denied(Denial),
    /// For another reason, which is this text in the asker's language.
    Said(String),
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RestError> for CommandError {
    fn from(error: RestError) -> Self {
        Self::Rest(error)
    }
}

impl From<Denial> for CommandError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<BadOption> for CommandError {
    fn from(bad: BadOption) -> Self {
        Self::Option(bad)
    }
}

impl CommandContext {
    /// Wait until what the shard received before this is in the tables. A database that is slow is not waited for long: what it answers is
    /// then a little old. Returns whether it is known to be there.
    pub async fn wait_for_commit(&mut self) -> bool {
        match self.committed.take() {
            Some(committed) => matches!(timeout(COMMIT_PATIENCE, committed).await, Ok(Ok(()))),
            None => false,
        }
    }

    /// The same for the messages of those whom the question is about: if all of them are committed, there is nothing to wait for.
    pub async fn wait_for_members(&mut self) {
        if self.is_pending {
            self.wait_for_commit().await;
        }
    }

    /// The language to answer in.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The guild that it was asked in.
    ///
    /// # Errors
    ///
    /// It was a direct message.
    pub fn guild(&self) -> Result<Id<GuildMarker>, CommandError> {
        self.payload.guild_id.ok_or(CommandError::ServerOnly)
    }

    /// See that who asks has these permissions, as Discord computed them for this interaction. Administrators have all.
    ///
    /// # Errors
    ///
    /// They do not.
    pub fn require_permissions(&self, permissions: Permissions) -> Result<(), CommandError> {
        let has = self.payload.permissions();
        if has.contains(permissions) || has.contains(Permissions::ADMINISTRATOR) {
            Ok(())
        } else {
            Err(CommandError::Permission(permissions))
        }
    }

    /// What who asks is entitled to cause in the server.
    ///
    /// # Errors
    ///
    /// It was not asked in a server, or Discord does not say what the server's roles are.
    pub async fn authority(&self, services: &Services) -> Result<Authority, CommandError> {
        let user_id = self.payload.user().ok_or(CommandError::ServerOnly)?.id;
        let who = (user_id, self.payload.roles());
        let guild_id = self.guild()?;
        Ok(services
            .guilds
            .authority(guild_id, who, Priority::Interaction)
            .await?)
    }

    /// Permission for who asks to change XP, or what earns it.
    ///
    /// # Errors
    ///
    /// Levels give roles in the server that who asks could not give by hand; or that is not known.
    pub async fn xp_permit(&self, services: &Services) -> Result<XpPermit, CommandError> {
        let settings = services.settings.of(&services.store, self.guild()?).await?;
        let roles = settings.rewards.roles().iter().map(|(_, role_id)| *role_id);
        Ok(self.authority(services).await?.xp_permit(roles)?)
    }

    /// Go on with this once the answer is sent; what it comes to takes the answer's place. Discord takes that for 15 minutes.
    pub fn defer<F>(&self, job: impl FnOnce(Progress) -> F + Send + 'static)
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let job: Job = Box::new(move |progress| Box::pin(job(progress)));
        *self.deferred.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
    }

    /// An entry of the audit log for what is asked. `details` is JSON.
    ///
    /// # Errors
    ///
    /// It was not asked in a guild.
    pub fn entry(&self, action: &'static str, details: &serde_json::Value) -> Result<Entry, CommandError> {
        Ok(Entry {
            guild_id: self.guild()?,
            interaction_id: self.payload.id,
            actor_id: self.payload.user().ok_or(CommandError::ServerOnly)?.id,
            action,
            details: details.to_string(),
        })
    }

    /// A refusal with this text of the catalogue.
    pub fn refuse(&self, key: &str) -> CommandError {
        CommandError::Said(self.language.text(key))
    }
}

impl Interactions {
    /// The handle, and the task's part, which runs until `stop` is true and what was begun is answered.
    pub fn new(services: Services, stop: watch::Receiver<bool>) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), serve(receiver, Arc::new(services), stop))
    }

    /// Hand over what a shard received. Never waits. `is_pending`: whether a member that it is about has messages that are not committed.
    pub fn take(
        &self,
        payload: InteractionPayload,
        shard: ShardKey,
        committed: oneshot::Receiver<()>,
        is_pending: bool,
    ) {
        let received = Received {
            payload,
            shard,
            committed,
            is_pending,
            at: Instant::now(),
        };
        if self.0.try_send(received).is_err() {
            metrics::interactions_total("any", "overload").increment(1);
        }
    }
}

/// Interactions that this process has had.
#[derive(Default)]
struct Had {
    ids: HashSet<Id<InteractionMarker>>,
    order: VecDeque<Id<InteractionMarker>>,
}

impl Had {
    /// Whether it is new.
    fn note(&mut self, id: Id<InteractionMarker>) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

async fn serve(
    mut queue: mpsc::Receiver<Received>,
    services: Arc<Services>,
    mut stop: watch::Receiver<bool>,
) {
    let mut answering = JoinSet::new();
    let (mut had, mut flood) = (Had::default(), Flood::default());
    loop {
        let received = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_ended) = answering.join_next() => continue,
            received = queue.recv() => match received {
                Some(received) => received,
                None => break,
            },
        };
        let received_at = received.at;
        let Some(context) = read(received, &mut had, services.rest.clock()) else {
            continue;
        };
        let found = Found::of(services.commands, &context.payload);
        let declined = if answering.len() >= AT_ONCE {
            Some(Answer::busy(context.language))
        } else if let (Some((command, what)), Some(user)) = (found.used(), context.payload.user()) {
            let user = flood::User {
                id: user.id,
                is_moderator: context.payload.is_by_a_moderator(),
            };
            let admitted = flood.admit(user, command, what, Instant::now());
            admitted
                .err()
                .map(|left| Answer::flooded(services.rest.clock().now() + left, context.language))
        } else {
            None
        };
        let services = Arc::clone(&services);
        let span = traces::interaction(found.label());
        let answered = async move {
            let (deferred, to) = (
                Arc::clone(&context.deferred),
                To::of(&context.payload, found.label()),
            );
            let outcome = answer(&services, context, found, declined).await;
            metrics::interactions_total(found.label(), outcome).increment(1);
            metrics::interaction_seconds(found.label()).record(received_at.elapsed().as_secs_f64());
            Span::current().record("outcome", outcome);
            let job = deferred.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(job) = job.filter(|_| outcome == "ok") {
                let progress = Progress { services, to };
                let reply = job(progress.clone()).await;
                progress.say(&reply).await;
            }
        };
        answering.spawn(task::observed("interaction", answered.instrument(span)));
    }
    // Who asked last gets an answer still.
    drop(timeout(LIMIT, async { while answering.join_next().await.is_some() {} }).await);
}

/// Read it, unless it is one that cannot be answered or was.
fn read(received: Received, had: &mut Had, clock: &Clock) -> Option<CommandContext> {
    let skipped = |outcome| {
        metrics::interactions_total("any", outcome).increment(1);
        None
    };
    let payload = received.payload;
    let age = clock
        .now()
        .duration_since(
            SystemTime::UNIX_EPOCH + Duration::from_millis(ids::millis(payload.id).cast_unsigned()),
        )
        .unwrap_or_default();
    if age.saturating_sub(received.at.elapsed()) > TOO_OLD {
        tracing::info!(
            interaction.age_seconds = age.as_secs(),
            "an interaction is too old to be answered; this is normal after a resume"
        );
        return skipped("too_old");
    }
    if !had.note(payload.id) {
        return skipped("repeated");
    }
    Some(CommandContext {
        language: payload.language(),
        payload,
        shard: received.shard,
        committed: Some(received.committed),
        deferred: Deferred::default(),
        is_pending: received.is_pending,
    })
}
