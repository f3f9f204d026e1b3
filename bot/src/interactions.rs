//! Interactions: from the shard's loop to a command's response within Discord's 3 seconds.
//!
//! The loop hands an interaction over and continues. A separate task finds the command and responds: immediately if the command is fast,
//! otherwise with a deferred response first. If anything goes wrong, the user gets a message about it.
//!
//! If an interaction is replayed after a resume, either it is too old for a response, or Discord rejects the second response (40060). One
//! that this process has already handled is skipped.

mod answering;
pub mod command;
pub mod commit;
pub(crate) mod current_settings;
pub(crate) mod define;
pub(crate) mod feature;
pub(crate) mod form;
pub(crate) mod form_page;
pub mod menu;
pub(crate) mod options;
pub(crate) mod page;
pub mod payload;
mod progress;
mod rate_limit;
pub mod registration;
pub mod reply;
pub(crate) mod scheduled;
pub(crate) mod settings_changes;
pub(crate) mod settings_tabs;
pub mod text_command;
pub(crate) mod undoing;
pub(crate) mod web_form;

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use hyper::http::Extensions;
use tokio::{
    sync::{mpsc, watch},
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
    commit::Commit,
    payload::{BadOption, InteractionPayload},
    rate_limit::RateLimit,
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
    postgres::{
        Store, StoreError,
        request::{Actor, Request},
        table::Table,
    },
    settings::Settings,
    support::{
        i18n::Language,
        ids::{self, ShardKey},
        shutdown::stopped,
    },
    telemetry::{metrics, task, traces},
};

/// The maximum number of queued interactions.
const WAITING: usize = 1_024;
/// The maximum number of interactions handled concurrently.
const AT_ONCE: usize = 512;
/// After this time a deferred response is abandoned.
const LIMIT: Duration = Duration::from_secs(20);
/// Discord accepts no first response to an interaction older than this. The limit allows for a difference between the clocks.
const TOO_OLD: Duration = Duration::from_secs(10);
/// How long a command waits until earlier messages are committed.
const COMMIT_PATIENCE: Duration = Duration::from_secs(1);
/// The number of IDs that are remembered to detect replays.
const REMEMBERED: usize = 4_096;

/// The services available to commands.
#[derive(Clone, Debug)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// Discord's REST API.
    pub rest: Rest,
    /// The settings of guilds.
    pub settings: Settings,
    /// The cached data of guilds.
    pub guilds: Guilds,
    /// The state that features keep in the process, by type.
    pub state: Extensions,
    /// All commands.
    pub commands: &'static Commands,
    /// The shards of this process.
    pub shards: Shards,
    /// The start time of the process.
    pub since: SystemTime,
}

/// The tables.
pub(crate) const TABLES: &[Table] = &[Table::plain("command_registration")];

/// The handle through which shards hand interactions over. Clones share the same queue.
#[derive(Clone, Debug)]
pub struct Interactions(mpsc::Sender<Received>);

/// An interaction as received by a shard.
#[derive(Debug)]
struct Received {
    payload: InteractionPayload,
    shard: ShardKey,
    committed: Commit,
    is_pending: bool,
    at: Instant,
}

/// An interaction with its context, for a command.
pub struct CommandContext {
    /// The interaction.
    pub payload: InteractionPayload,
    /// The shard that received it.
    pub shard: ShardKey,
    language: Language,
    committed: Option<Commit>,
    deferred: Deferred,
    is_pending: bool,
    /// Whether it is a form of the website.
    is_form: bool,
}

/// Work that continues after the response and reports its progress by editing it.
pub type Job = Box<dyn FnOnce(Progress) -> BoxFuture<'static, Reply> + Send>;

/// Where a command stores such work.
type Deferred = Arc<Mutex<Option<Job>>>;

/// Why a command failed. Each error has a text for the user.
#[derive(Debug)]
pub enum CommandError {
    /// The database returned an error.
    Store(StoreError),
    /// Discord returned an error.
    Rest(RestError),
    /// The command only works in servers.
    ServerOnly,
    /// An option is invalid.
    Option(BadOption),
    /// The user lacks one of these permissions.
    Permission(Permissions),
    /// The button, menu or modal is no longer known.
    Stale,
    /// The user's permissions or rank are insufficient.
    Denied(Denial),
    /// Another reason, as a text in the user's language.
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
    /// Wait until everything that the shard received before this interaction is committed. If the database is slow, the wait ends early and
    /// the answer may be slightly out of date. Returns whether everything is committed.
    pub async fn wait_for_commit(&mut self) -> bool {
        match self.committed.take() {
            Some(committed) => timeout(COMMIT_PATIENCE, committed.done()).await.unwrap_or(false),
            None => false,
        }
    }

    /// The same for messages of the members that the interaction is about: if all of them are already committed, there is no wait.
    pub async fn wait_for_members(&mut self) {
        if self.is_pending {
            self.wait_for_commit().await;
        }
    }

    /// The language of the response.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The guild of the interaction.
    ///
    /// # Errors
    ///
    /// The interaction comes from a direct message.
    pub fn guild(&self) -> Result<Id<GuildMarker>, CommandError> {
        self.payload.guild_id.ok_or(CommandError::ServerOnly)
    }

    /// Check that the user has these permissions, as computed by Discord for this interaction. Administrators have all permissions.
    ///
    /// # Errors
    ///
    /// A permission is missing.
    pub fn require_permissions(&self, permissions: Permissions) -> Result<(), CommandError> {
        let has = self.payload.permissions();
        if has.contains(permissions) || has.contains(Permissions::ADMINISTRATOR) {
            Ok(())
        } else {
            Err(CommandError::Permission(permissions))
        }
    }

    /// The user's authority in the server.
    ///
    /// # Errors
    ///
    /// The interaction does not come from a server, or the server's roles cannot be read from Discord.
    pub async fn authority(&self, services: &Services) -> Result<Authority, CommandError> {
        let user_id = self.payload.user().ok_or(CommandError::ServerOnly)?.id;
        let (guild_id, member) = (self.guild()?, self.payload.membership());
        Ok(services
            .guilds
            .authority(guild_id, (user_id, &member), Priority::Interaction)
            .await?)
    }

    /// A permit for the user to change XP, or the rules for earning it.
    ///
    /// # Errors
    ///
    /// The server has a reward role that the user could not give manually, or this cannot be determined.
    pub async fn xp_permit(&self, services: &Services) -> Result<XpPermit, CommandError> {
        let settings = services.settings.of(&services.store, self.guild()?).await?;
        let roles = settings.rewards.roles().iter().map(|(_, role_id)| *role_id);
        Ok(self.authority(services).await?.xp_permit(roles)?)
    }

    /// Continue with this work after the response is sent. Its result replaces the response, for which Discord allows 15 minutes.
    pub fn defer<F>(&self, job: impl FnOnce(Progress) -> F + Send + 'static)
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let job: Job = Box::new(move |progress| Box::pin(job(progress)));
        *self.deferred.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
    }

    /// This interaction as a request for a change. `details` is JSON.
    ///
    /// # Errors
    ///
    /// The interaction does not come from a guild.
    pub fn request(
        &self,
        action: &'static str,
        details: &serde_json::Value,
    ) -> Result<Request, CommandError> {
        Ok(Request {
            guild_id: self.guild()?,
            request_id: self.payload.id,
            actor: self.actor()?,
            action,
            details: details.to_string(),
        })
    }

    /// Who asks, and how.
    ///
    /// # Errors
    ///
    /// Discord omitted the user.
    pub fn actor(&self) -> Result<Actor, CommandError> {
        let user_id = self.payload.user().ok_or(CommandError::ServerOnly)?.id;
        Ok(if self.is_form {
            Actor::Web(user_id)
        } else {
            Actor::Member(user_id)
        })
    }

    /// An error with this text of the catalogue.
    pub fn refuse(&self, key: &str) -> CommandError {
        CommandError::Said(self.language.text(key))
    }
}

impl Interactions {
    /// The handle, and the future of the task, which runs until `stop` is true and all started interactions have a response.
    pub fn new(services: Services, stop: watch::Receiver<bool>) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), serve(receiver, Arc::new(services), stop))
    }

    /// Hand over an interaction received by a shard, without waiting. `is_pending` states whether a member that it is about has messages
    /// that are not committed.
    pub fn take(&self, payload: InteractionPayload, shard: ShardKey, committed: Commit, is_pending: bool) {
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

/// The interactions that this process has handled.
#[derive(Default)]
struct Had {
    ids: HashSet<Id<InteractionMarker>>,
    order: VecDeque<Id<InteractionMarker>>,
}

impl Had {
    /// Whether the interaction is new.
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
    let (mut had, mut rate_limit) = (Had::default(), RateLimit::default());
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
        if let (Some(guild_id), Some(user), true) = (
            context.payload.guild_id,
            context.payload.user(),
            context.payload.is_by_a_moderator(),
        ) {
            services.guilds.saw_staff(guild_id, user.id);
        }
        let found = Found::of(services.commands, &context.payload);
        let declined = if answering.len() >= AT_ONCE {
            Some(Answer::busy(context.language))
        } else if let (Some((command, what)), Some(user)) = (found.used(), context.payload.user()) {
            let user = rate_limit::User {
                id: user.id,
                is_moderator: context.payload.is_by_a_moderator(),
            };
            let admitted = rate_limit.admit(user, command, what, Instant::now());
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
    // Interactions in progress still get a response.
    drop(timeout(LIMIT, async { while answering.join_next().await.is_some() {} }).await);
}

/// Parse the interaction, unless it is too old or has already been handled.
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
        is_form: false,
    })
}
