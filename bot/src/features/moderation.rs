//! Moderation: warnings as numbered cases, what their points lead to, and who may give them.
//!
//! What an interaction causes is one transaction with the interaction's id in it: the case, the member's counts, and what follows on
//! Discord (a direct message, a timeout, an entry in the log channel) as effects in the outbox. A replay finds the id, changes
//! nothing, and gets the answer that the first had. All times are the interaction's, so they are the same whenever it is carried out.

pub mod cases;
pub mod commands;
pub mod duration;
pub mod effects;
pub mod lift;
pub(crate) mod log;
pub mod rows;
pub mod texts;
pub mod thresholds;

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Store, StoreError, Tx},
    settings::Settings,
    support::ids,
    telemetry::metrics,
};

/// Characters that a reason may have.
pub const LONGEST_REASON: usize = 1_000;
/// The longest quotation of a reason, in UTF-16 code units: each of its lines has two more.
pub const LONGEST_QUOTATION: usize = 1_300;
/// Points that a warning may have.
pub const MOST_POINTS: i64 = 100;
/// Thresholds that a guild may have.
pub const MOST_THRESHOLDS: usize = 20;
/// Tries of a transaction of which nobody knows whether it took effect, or that was a conflict's victim.
const TRIES: u32 = 3;

/// How bad something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// One point.
    Low,
    /// Two.
    Medium,
    /// Three.
    High,
}

/// An interaction that is to change something.
#[derive(Clone, Copy, Debug)]
pub struct Act {
    /// The server.
    pub guild_id: Id<GuildMarker>,
    /// What caused it.
    pub interaction_id: Id<InteractionMarker>,
    /// Who asked for it.
    pub moderator_id: Id<UserMarker>,
}

/// Why a change was not made, though nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// There is no case of this number in the guild.
    UnknownCase,
    /// The case does not hold any more.
    Removed,
    /// It is about who asks.
    Own,
    /// There are as many thresholds as there may be.
    TooMany,
    /// There is no threshold with these points.
    UnknownThreshold,
}

impl Severity {
    /// Every one, the least first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// What stands in the table, and is chosen on Discord.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The one of a word; `None` for words that are none.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }

    /// What it counts where nothing else is said.
    pub const fn points(self) -> i64 {
        match self {
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }
}

impl Act {
    /// When it was asked for.
    pub fn at(&self) -> SystemTime {
        ids::to_time(ids::millis(self.interaction_id))
    }
}

/// What a transaction did.
type Done<T> = Result<T, Denied>;

/// Run `work` until it is known what became of it: the interaction's id keeps a second try from doing anything twice.
async fn retry_until_committed<T, W>(
    store: &Store,
    settings: &Settings,
    name: &'static str,
    work: W,
) -> Result<Result<T, Denied>, StoreError>
where
    W: for<'t> Fn(&'t Tx<'_>, Settings) -> futures_util::future::BoxFuture<'t, Result<Done<T>, StoreError>>
        + Clone
        + Send
        + 'static,
    T: Send,
{
    let mut tries = 1;
    loop {
        let (work, settings) = (work.clone(), settings.clone());
        let done = store.transaction(name, move |tx| work(tx, settings)).await;
        match done {
            Err(error)
                if tries < TRIES
                    && (error.is_conflict()
                        || matches!(error, StoreError::Commit(_) | StoreError::SilentCommit(_))) =>
            {
                tries += 1;
                metrics::transaction_retries_total(name).increment(1);
            }
            Err(error) => return Err(error),
            Ok(Err(denied)) => return Ok(Err(denied)),
            Ok(Ok(value)) => return Ok(Ok(value)),
        }
    }
}
