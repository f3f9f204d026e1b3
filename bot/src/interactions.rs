//! Interactions: what members ask by commands, from the shard's loop to an answer in Discord's 3 seconds.
//!
//! The loop hands over what was asked and goes on. A task of its own finds the command and answers: at once if the command is
//! quick, otherwise with a promise first. Whatever goes wrong, who asked gets a line about it.
//!
//! An interaction that is replayed after a resume is either too old to be answered, or Discord refuses the second answer (40060);
//! one that this process has had already is skipped.

pub mod asked;
mod flood;
pub mod reply;

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, timeout},
};
use twilight_model::{
    http::interaction::InteractionResponse,
    id::{Id, marker::InteractionMarker},
};

use self::{
    asked::{Asked, BadOption, kind},
    flood::Flood,
    reply::Reply,
};
use crate::{
    commands::{self, Command},
    gateway::status::Shards,
    guilds::Guilds,
    language::{Language, Value},
    metrics,
    rest::{Priority, Rest, RestError},
    settings::Settings,
    snowflake,
    store::{Store, StoreError, shard_checkpoint::ShardKey},
};

/// Interactions that wait to be begun.
const WAITING: usize = 1_024;
/// Interactions that are answered at the same time.
const AT_ONCE: usize = 512;
/// A command that takes longer has its answer promised first. Discord waits
/// [3 seconds](https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-callback).
const PATIENCE: Duration = Duration::from_millis(1_500);
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
pub struct Around {
    /// The database.
    pub store: Store,
    /// Discord's REST API.
    pub rest: Rest,
    /// What guilds chose.
    pub settings: Settings,
    /// What is known of guilds.
    pub guilds: Guilds,
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
    asked: Asked,
    shard: ShardKey,
    /// Tells when everything that the shard received before is committed.
    committed: oneshot::Receiver<()>,
    at: Instant,
}

/// An interaction on its way to a command.
#[derive(Debug)]
pub struct Question {
    /// What was asked.
    pub asked: Asked,
    /// By which shard it came.
    pub shard: ShardKey,
    committed: Option<oneshot::Receiver<()>>,
}

/// Why a command has no answer. Each has a text for people.
#[derive(Debug)]
pub enum Refusal {
    /// The database does not answer.
    Store(StoreError),
    /// Discord does not.
    Rest(RestError),
    /// It is for servers only.
    ServerOnly,
    /// An option that cannot be used.
    Option(BadOption),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RestError> for Refusal {
    fn from(error: RestError) -> Self {
        Self::Rest(error)
    }
}

impl From<BadOption> for Refusal {
    fn from(bad: BadOption) -> Self {
        Self::Option(bad)
    }
}

impl Question {
    /// Wait until what the shard received before this is in the tables. A database that is slow is not waited for long: what it answers is
    /// then a little old.
    pub async fn settled(&mut self) {
        if let Some(committed) = self.committed.take() {
            drop(timeout(COMMIT_PATIENCE, committed).await);
        }
    }

    /// The language to answer in.
    pub fn language(&self) -> Language {
        self.asked.language()
    }
}

impl Interactions {
    /// The handle, and the task's part, which runs until `stop` is true and what was begun is answered.
    pub fn new(around: Around, stop: watch::Receiver<bool>) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), serve(receiver, Arc::new(around), stop))
    }

    /// Hand over what a shard received. Never waits.
    pub fn take(&self, asked: Asked, shard: ShardKey, committed: oneshot::Receiver<()>) {
        let received = Received {
            asked,
            shard,
            committed,
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

async fn serve(mut queue: mpsc::Receiver<Received>, around: Arc<Around>, mut stop: watch::Receiver<bool>) {
    let mut answering = JoinSet::new();
    let (mut had, mut flood) = (Had::default(), Flood::default());
    loop {
        let received = tokio::select! {
            biased;
            stopped = stop.wait_for(|stop| *stop) => {
                drop(stopped);
                break;
            }
            Some(_ended) = answering.join_next() => continue,
            received = queue.recv() => match received {
                Some(received) => received,
                None => break,
            },
        };
        let Some(question) = read(received, &mut had) else {
            continue;
        };
        let found = find(&question.asked);
        let admitted = match (&found, question.asked.user()) {
            _ if answering.len() >= AT_ONCE => {
                Err(Answer::refused("busy", "error-busy", question.language()))
            }
            (Found::Command(command), Some(user)) => {
                let admitted = flood.admit(user.id, command.name(), Instant::now());
                admitted.map_err(|until| Answer::flooded(until, question.language()))
            }
            _ => Ok(()),
        };
        let around = Arc::clone(&around);
        answering.spawn(async move {
            let began = Instant::now();
            let label = found.label();
            let outcome = match admitted {
                Err(answer) => send_first(&around, &question.asked, answer.response(), answer.outcome).await,
                Ok(()) => answer(&around, question, found).await,
            };
            metrics::interactions_total(label, outcome).increment(1);
            metrics::interaction_seconds(label).record(began.elapsed().as_secs_f64());
        });
    }
    // Who asked last gets an answer still.
    drop(timeout(LIMIT, async { while answering.join_next().await.is_some() {} }).await);
}

/// Read it, unless it is one that cannot be answered or was.
fn read(received: Received, had: &mut Had) -> Option<Question> {
    let skipped = |outcome| {
        metrics::interactions_total("any", outcome).increment(1);
        None
    };
    let asked = received.asked;
    let age = SystemTime::now()
        .duration_since(
            SystemTime::UNIX_EPOCH + Duration::from_millis(snowflake::millis(asked.id).cast_unsigned()),
        )
        .unwrap_or_default();
    if age.saturating_sub(received.at.elapsed()) > TOO_OLD {
        return skipped("too_old");
    }
    if !had.note(asked.id) {
        return skipped("repeated");
    }
    Some(Question {
        asked,
        shard: received.shard,
        committed: Some(received.committed),
    })
}

/// What an interaction is for.
#[derive(Clone, Copy)]
enum Found {
    Command(&'static dyn Command),
    Autocomplete,
    Stale,
    Unknown,
}

fn find(asked: &Asked) -> Found {
    match asked.kind {
        kind::COMMAND => commands::find(asked.command()).map_or(Found::Unknown, Found::Command),
        kind::AUTOCOMPLETE => Found::Autocomplete,
        kind::COMPONENT | kind::MODAL => Found::Stale,
        _ => Found::Unknown,
    }
}

impl Found {
    /// As a label: of those that there are, and not what somebody sent.
    fn label(&self) -> &'static str {
        match self {
            Self::Command(command) => command.name(),
            Self::Autocomplete => "autocomplete",
            Self::Stale => "component",
            Self::Unknown => "unknown",
        }
    }
}

/// An answer, with how it is counted.
struct Answer {
    reply: Reply,
    outcome: &'static str,
}

impl Answer {
    fn refused(outcome: &'static str, key: &str, language: Language) -> Self {
        Self {
            reply: Reply::private(language.text(key)),
            outcome,
        }
    }

    fn flooded(until: SystemTime, language: Language) -> Self {
        let seconds = until
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs() + 1);
        let values = [("until", Value::from(format!("<t:{seconds}:R>")))];
        Self {
            reply: Reply::private(language.filled("error-flood", &values)),
            outcome: "flood",
        }
    }

    fn of(result: Result<Reply, Refusal>, command: &'static str, language: Language) -> Self {
        let refusal = match result {
            Ok(reply) => return Self { reply, outcome: "ok" },
            Err(refusal) => refusal,
        };
        match refusal {
            Refusal::Store(error) => {
                tracing::warn!(%error, command, "a command could not use the database");
                Self::refused("database", "error-away", language)
            }
            Refusal::Rest(error) => {
                tracing::warn!(%error, command, "a command could not use Discord's API");
                Self::refused("rest", "error-broken", language)
            }
            Refusal::ServerOnly => Self::refused("server_only", "error-server-only", language),
            Refusal::Option(BadOption(option)) => Self {
                reply: Reply::private(language.filled("error-option", &[("option", option.into())])),
                outcome: "bad_option",
            },
        }
    }

    fn response(&self) -> InteractionResponse {
        self.reply.clone().into_response()
    }
}

/// Answer, in time. Returns the outcome.
async fn answer(around: &Around, mut question: Question, found: Found) -> &'static str {
    let language = question.language();
    let command = match found {
        Found::Command(command) => command,
        Found::Autocomplete => {
            return send_first(around, &question.asked, reply::no_choices(), "ok").await;
        }
        Found::Stale => {
            let answer = Answer::refused("stale", "error-stale", language);
            return send_first(around, &question.asked, answer.response(), answer.outcome).await;
        }
        Found::Unknown => {
            let answer = Answer::refused("unknown", "error-unknown", language);
            return send_first(around, &question.asked, answer.response(), answer.outcome).await;
        }
    };
    let name = command.name();
    let (id, token) = (question.asked.id, question.asked.token.clone());
    let application_id = question.asked.application_id;
    let mut work = command.run(&mut question, around);
    if let Ok(result) = timeout(PATIENCE, &mut work).await {
        drop(work);
        let answer = Answer::of(result, name, language);
        return send_first(around, &question.asked, answer.response(), answer.outcome).await;
    }
    let client = around.rest.builders().interaction(application_id);
    let promise = reply::deferred(command.is_private());
    let promised = client.create_response(id, &token, &promise);
    if let Err(error) = around.rest.send(Priority::Interaction, promised).await {
        return failed(&error);
    }
    let answer = match timeout(LIMIT, work).await {
        Ok(result) => Answer::of(result, name, language),
        Err(_elapsed) => Answer::refused("timeout", "error-away", language),
    };
    let edit = client
        .update_response(&token)
        .content(Some(&answer.reply.content));
    match around.rest.send(Priority::Interaction, edit).await {
        Ok(_) => answer.outcome,
        Err(error) => failed(&error),
    }
}

/// Send the first answer. Returns the outcome.
async fn send_first(
    around: &Around,
    asked: &Asked,
    response: InteractionResponse,
    outcome: &'static str,
) -> &'static str {
    let client = around.rest.builders().interaction(asked.application_id);
    let request = client.create_response(asked.id, &asked.token, &response);
    match around.rest.send(Priority::Interaction, request).await {
        Ok(_) => outcome,
        Err(error) => failed(&error),
    }
}

/// Discord's number for a second first answer.
const ALREADY_ACKNOWLEDGED: u64 = 40_060;

fn failed(error: &RestError) -> &'static str {
    if matches!(
        error,
        RestError::Refused {
            code: Some(ALREADY_ACKNOWLEDGED),
            ..
        }
    ) {
        return "answered_before";
    }
    tracing::warn!(%error, "an interaction could not be answered");
    "unanswered"
}
