//! What became of a delivery, and what an error of Discord's means for it.

use std::time::Duration;

use crate::{
    discord::rest::{RestError, Retry},
    postgres::StoreError,
};

/// What became of trying to deliver an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Discord has it.
    Delivered,
    /// Nobody wants it any more: the setting is off, the member has left.
    Cancelled,
    /// It is to be tried again.
    Later {
        /// The reason.
        why: String,
        /// When, where Discord or the limits say so, which is no failure of the effect.
        after: Option<Duration>,
    },
    /// It cannot be done as things are, and has to be when they change: a role that is never given is the worst.
    Blocked(Failure),
    /// The same, and that is known and counted: Discord was not asked.
    Aside {
        /// What it waits for.
        why: String,
    },
    /// It cannot be done.
    Failed(Failure),
    /// It was not tried, because the same failed there a moment ago. One refusal of Discord's counts once, however many effects wait.
    Skipped(Failure),
    /// This version does not know what it is.
    Unknown,
}

impl From<StoreError> for Outcome {
    /// The database is to be asked again.
    fn from(error: StoreError) -> Self {
        Self::Later {
            why: error.to_string(),
            after: None,
        }
    }
}

/// Why something cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A label for metrics.
    pub(crate) reason: Reason,
    /// For people: what Discord said, and about what.
    pub(crate) detail: String,
    /// The channel, role or member that it is about.
    pub(crate) target_id: i64,
}

/// A bounded set of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The bot may not.
    Forbidden,
    /// The channel, the role, the member or the guild is not there.
    Gone,
    /// The member takes no direct messages from the bot.
    Closed,
    /// Discord does not take it as it is.
    Invalid,
    /// It was too old.
    Expired,
}

impl Reason {
    /// Whether it is for the server's staff to put right. What Discord does not take is this program's fault, and who closed their
    /// direct messages or was not announced for a day is nobody's.
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

    /// Discord's status and code as a reason:
    /// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>.
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

/// What an error of a request means for the effect, at a target.
pub(crate) fn of_error(error: &RestError, target_id: i64) -> Outcome {
    let why = error.to_string();
    if matches!(error, RestError::Unreadable { .. }) {
        // This program does not understand Discord. That is no server's fault, and the next version may.
        tracing::warn!(%error, "an answer from Discord cannot be read; the effect is waiting");
        return Outcome::Later { why, after: None };
    }
    match error.retry() {
        Retry::After(after) => Outcome::Later {
            why,
            after: Some(after),
        },
        Retry::Later => Outcome::Later { why, after: None },
        Retry::Full => Outcome::Later {
            why,
            after: Some(Duration::from_secs(1)),
        },
        // A probe finds out when Discord accepts it again.
        Retry::TokenRefused => Outcome::Later {
            why,
            after: Some(Duration::from_mins(1)),
        },
        Retry::Never { status, code } => Outcome::Failed(Failure {
            reason: Reason::of(status, code),
            detail: why,
            target_id,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Reason, of_error};
    use crate::discord::rest::RestError;

    fn refused(status: u16, code: Option<u64>) -> Reason {
        let error = RestError::Refused {
            route: "POST /channels/{id}/messages".into(),
            status,
            code,
        };
        match of_error(&error, 1) {
            Outcome::Failed(failure) => failure.reason,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn discords_codes_are_reasons() {
        for (status, code, reason) in [
            (403, Some(50_001), Reason::Forbidden),
            (403, Some(50_013), Reason::Forbidden),
            (403, None, Reason::Forbidden),
            (403, Some(50_007), Reason::Closed),
            (404, Some(10_003), Reason::Gone),
            (404, Some(10_007), Reason::Gone),
            (404, Some(10_008), Reason::Gone),
            (404, Some(10_011), Reason::Gone),
            (404, None, Reason::Gone),
            (400, Some(50_035), Reason::Invalid),
        ] {
            assert_eq!(refused(status, code), reason, "{status} {code:?}");
        }
    }

    /// If Discord renames a field, no server loses anything.
    #[test]
    fn an_answer_that_cannot_be_read_is_nobodys_failure() {
        let error = RestError::Unreadable {
            route: "GET /guilds/{id}".into(),
            reason: "no field".to_owned(),
        };
        assert!(matches!(of_error(&error, 1), Outcome::Later { after: None, .. }));
    }

    #[test]
    fn what_passes_is_tried_again() {
        let error = RestError::Unavailable {
            route: "x".into(),
            status: 502,
        };
        assert!(matches!(of_error(&error, 1), Outcome::Later { after: None, .. }));
    }
}
