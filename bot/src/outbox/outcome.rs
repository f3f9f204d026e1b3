//! The outcome of a delivery, and what an error from Discord means for it.

use std::time::Duration;

use crate::{
    discord::rest::{RestError, Retry},
    postgres::StoreError,
};

/// Why an effect was not delivered, and whether it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undelivered {
    /// It is no longer wanted: the setting is off, or the member has left.
    Cancelled,
    /// It should be retried.
    Later {
        /// The reason.
        why: String,
        /// The delay requested by Discord or by a rate limit, which is not a failure of the effect.
        after: Option<Duration>,
    },
    /// It is impossible at present, and must be done when that changes: roles must not be lost.
    Blocked(Failure),
    /// The same, but already known and counted: no request was sent to Discord.
    Aside {
        /// The obstacle.
        why: String,
    },
    /// It is impossible.
    Failed(Failure),
    /// It was not attempted, because the target refused the same a moment ago. One refusal by Discord counts once, however many effects
    /// wait.
    Skipped(Failure),
    /// This version does not know its kind.
    Unknown,
}

impl From<StoreError> for Undelivered {
    /// A database error means a retry.
    fn from(error: StoreError) -> Self {
        Self::Later {
            why: error.to_string(),
            after: None,
        }
    }
}

/// Why an effect is impossible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A label for metrics.
    pub(crate) reason: Reason,
    /// A text for people: Discord's answer and its subject.
    pub(crate) detail: String,
    /// The channel, role or member concerned.
    pub(crate) target_id: i64,
}

/// The reason, from a bounded set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The bot lacks a permission.
    Forbidden,
    /// The channel, role, member or guild does not exist.
    Gone,
    /// The member accepts no direct messages from the bot.
    Closed,
    /// Discord rejects the request as malformed.
    Invalid,
    /// The effect was too old.
    Expired,
}

impl Reason {
    /// Whether administrators of the guild can fix it. A request that Discord rejects as malformed is a bug of this program; closed direct
    /// messages, and announcements that expired after a day, are no one's fault.
    pub(crate) const fn is_the_servers(self) -> bool {
        matches!(self, Self::Forbidden | Self::Gone)
    }

    pub(crate) const ALL: [Self; 5] = [
        Self::Forbidden,
        Self::Gone,
        Self::Closed,
        Self::Invalid,
        Self::Expired,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Gone => "gone",
            Self::Closed => "closed",
            Self::Invalid => "invalid",
            Self::Expired => "expired",
        }
    }

    /// The reason for Discord's status and code: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>.
    const fn of(status: Option<u16>, code: Option<u64>) -> Self {
        match (status, code) {
            // Unknown account, application, channel, guild, …, user: 10013.
            (_, Some(10_001..=10_099)) => Self::Gone,
            // Cannot send messages to this user; … without mutual guilds.
            (_, Some(50_007 | 50_278)) => Self::Closed,
            // Missing access, missing permissions.
            (_, Some(50_001 | 50_013)) | (Some(403), _) => Self::Forbidden,
            (Some(404), _) => Self::Gone,
            _ => Self::Invalid,
        }
    }
}

/// Why an effect is not delivered whose request to a target failed.
pub(crate) fn of_error(error: &RestError, target_id: i64) -> Undelivered {
    let why = error.to_string();
    if matches!(error, RestError::Unreadable { .. }) {
        // This program does not understand Discord's answer. That is not the guild's fault, and the next version may.
        tracing::warn!(%error, "an answer from Discord cannot be read; the effect is waiting");
        return Undelivered::Later { why, after: None };
    }
    match error.retry() {
        Retry::After(after) => Undelivered::Later {
            why,
            after: Some(after),
        },
        Retry::Later => Undelivered::Later { why, after: None },
        Retry::Full => Undelivered::Later {
            why,
            after: Some(Duration::from_secs(1)),
        },
        // A probe detects when Discord accepts the token again.
        Retry::TokenRefused => Undelivered::Later {
            why,
            after: Some(Duration::from_mins(1)),
        },
        Retry::Never { status, code } => Undelivered::Failed(Failure {
            reason: Reason::of(status, code),
            detail: why,
            target_id,
        }),
    }
}

#[cfg(test)]
mod tests;
