//! Errors of requests, and what the caller should do.

use std::{sync::Arc, time::Duration};

use thiserror::Error;

use super::Priority;
use crate::support::i18n::Language;

/// A request that failed. The text contains the route without IDs, and nothing of the token, the body or the response.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RestError {
    /// Discord limits the request (429) for too long to wait here, or has done so repeatedly.
    #[error("{route}: limited by Discord for {} ms", .retry_after.as_millis())]
    Limited {
        /// The route's template.
        route: Arc<str>,
        /// The time until a retry is allowed.
        retry_after: Duration,
    },
    /// Too many requests were refused, so the brake stops all but interactions.
    #[error("{route}: held for {} s, because too many requests were refused", .retry_after.as_secs())]
    Braked {
        /// The route's template.
        route: Arc<str>,
        /// The time until a retry is allowed.
        retry_after: Duration,
    },
    /// Discord refused the request, and would refuse it again.
    #[error("{route}: refused with status {status}{}", .code.map(|code| format!(", code {code}")).unwrap_or_default())]
    Refused {
        /// The route's template.
        route: Arc<str>,
        /// The HTTP status, such as 403.
        status: u16,
        /// Discord's error code, if there is one: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>.
        code: Option<u64>,
    },
    /// Discord has a problem (5xx).
    #[error("{route}: Discord answered with status {status}")]
    Unavailable {
        /// The route's template.
        route: Arc<str>,
        /// The HTTP status.
        status: u16,
    },
    /// There was no complete response within `discord.request_timeout_seconds`.
    #[error("{route}: no answer within {} s", .after.as_secs())]
    Timeout {
        /// The route's template.
        route: Arc<str>,
        /// The time limit.
        after: Duration,
    },
    /// There was no connection, so the request was never sent.
    #[error("{route}: no connection: {reason}")]
    Unconnected {
        /// The route's template.
        route: Arc<str>,
        /// The description of the error.
        reason: String,
    },
    /// The connection broke before the response was complete.
    #[error("{route}: the connection broke: {reason}")]
    Broken {
        /// The route's template.
        route: Arc<str>,
        /// The description of the error.
        reason: String,
    },
    /// The request succeeded, and its response does not have the expected form.
    #[error("{route}: the answer cannot be read: {reason}")]
    Unreadable {
        /// The route's template.
        route: Arc<str>,
        /// What is wrong with it, without quoting it.
        reason: String,
    },
    /// The request could not be built, because it breaks one of Discord's rules that is known here.
    #[error("the request is not valid: {reason}")]
    Invalid {
        /// The description of the error.
        reason: String,
    },
    /// Discord refused the token (401). No request with the token is sent until a probe finds that Discord accepts it again.
    #[error("Discord refused the token (401)")]
    TokenRefused,
    /// Too many requests are already waiting.
    #[error("{route}: too many requests of priority {} wait already", .priority.as_str())]
    Full {
        /// The route's template.
        route: Arc<str>,
        /// The priority of the request.
        priority: Priority,
    },
}

/// When a failed request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// After this time.
    After(Duration),
    /// With increasing delays: Discord or the connection to it has a problem, or the bot does not understand the response. The server is
    /// not the cause. See [`RestError::may_have_happened`].
    Later,
    /// Never, because it would be refused again.
    Never {
        /// The HTTP status, if the request was sent.
        status: Option<u16>,
        /// Discord's error code, if there is one.
        code: Option<u64>,
    },
    /// When Discord accepts the token again, which may never happen.
    TokenRefused,
    /// When fewer requests are waiting.
    Full,
}

impl RestError {
    /// When to send the request again.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Limited { retry_after, .. } | Self::Braked { retry_after, .. } => {
                Retry::After(*retry_after)
            }
            Self::Refused { status, code, .. } => Retry::Never {
                status: Some(*status),
                code: *code,
            },
            Self::Unavailable { .. }
            | Self::Timeout { .. }
            | Self::Unconnected { .. }
            | Self::Broken { .. }
            | Self::Unreadable { .. } => Retry::Later,
            Self::Invalid { .. } => Retry::Never {
                status: None,
                code: None,
            },
            Self::TokenRefused => Retry::TokenRefused,
            Self::Full { .. } => Retry::Full,
        }
    }

    /// What to tell a user whose command needed this request.
    pub(crate) fn in_words(&self, language: Language) -> String {
        let key = match self {
            Self::Limited { .. }
            | Self::Braked { .. }
            | Self::Unavailable { .. }
            | Self::Timeout { .. }
            | Self::Unconnected { .. }
            | Self::Broken { .. } => "error-discord-away",
            Self::Refused { status: 403, .. } => "error-discord-refused",
            Self::Refused { status: 404, .. } => "error-discord-gone",
            Self::Full { .. } => "error-busy",
            // Only the operator can do something about it.
            Self::Refused { .. } | Self::Unreadable { .. } | Self::Invalid { .. } | Self::TokenRefused => {
                "error-broken"
            }
        };
        language.text(key)
    }

    /// Whether Discord may have carried out the request, so that sending it again could repeat its effect.
    pub const fn may_have_happened(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Timeout { .. } | Self::Broken { .. } | Self::Unreadable { .. }
        )
    }
}
