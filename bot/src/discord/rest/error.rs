//! What can go wrong with a request, and what its caller should do about it.

use std::{sync::Arc, time::Duration};

use thiserror::Error;

use super::Priority;

/// A request that failed. Its text names the route without ids, and nothing of token, body or answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RestError {
    /// Discord limits it (429) for longer than is worth waiting here, or did so again and again.
    #[error("{route}: limited by Discord for {} ms", .retry_after.as_millis())]
    Limited {
        /// The route's template.
        route: Arc<str>,
        /// The time until a retry is allowed.
        retry_after: Duration,
    },
    /// Too many requests were refused: the brake holds everything but interactions.
    #[error("{route}: held for {} s, because too many requests were refused", .retry_after.as_secs())]
    Braked {
        /// The route's template.
        route: Arc<str>,
        /// The time until a retry is allowed.
        retry_after: Duration,
    },
    /// Discord refuses this request, and would refuse it again.
    #[error("{route}: refused with status {status}{}", .code.map(|code| format!(", code {code}")).unwrap_or_default())]
    Refused {
        /// The route's template.
        route: Arc<str>,
        /// The HTTP status, such as 403.
        status: u16,
        /// Discord's own code, where it gave one:
        /// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>.
        code: Option<u64>,
    },
    /// Discord is ill (5xx).
    #[error("{route}: Discord answered with status {status}")]
    Unavailable {
        /// The route's template.
        route: Arc<str>,
        /// The HTTP status.
        status: u16,
    },
    /// No whole answer came in `discord.request_timeout_seconds`.
    #[error("{route}: no answer within {} s", .after.as_secs())]
    Timeout {
        /// The route's template.
        route: Arc<str>,
        /// How long was waited.
        after: Duration,
    },
    /// No connection could be made, so the request was never sent.
    #[error("{route}: no connection: {reason}")]
    Unconnected {
        /// The route's template.
        route: Arc<str>,
        /// The description of the error.
        reason: String,
    },
    /// The connection broke before the answer was there, or in the middle of it.
    #[error("{route}: the connection broke: {reason}")]
    Broken {
        /// The route's template.
        route: Arc<str>,
        /// The description of the error.
        reason: String,
    },
    /// The request succeeded, and its answer is not what the caller takes it for.
    #[error("{route}: the answer cannot be read: {reason}")]
    Unreadable {
        /// The route's template.
        route: Arc<str>,
        /// What is wrong with it, without any of it.
        reason: String,
    },
    /// The request could not be built: it breaks a rule of Discord's that is known here.
    #[error("the request is not valid: {reason}")]
    Invalid {
        /// The description of the error.
        reason: String,
    },
    /// Discord refused the token (401). Nothing that carries it is sent until a probe finds that Discord accepts it again.
    #[error("Discord refused the token (401)")]
    TokenRefused,
    /// Too many requests wait already.
    #[error("{route}: too many requests of priority {} wait already", .priority.as_str())]
    Full {
        /// The route's template.
        route: Arc<str>,
        /// Of this priority.
        priority: Priority,
    },
}

/// When a failed request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not before this time has passed.
    After(Duration),
    /// With growing pauses: Discord, or the way to it, is ill, or this program does not understand it. Nobody's server is at fault. See
    /// [`RestError::may_have_happened`].
    Later,
    /// Never: it would be refused again.
    Never {
        /// The HTTP status, where Discord was asked.
        status: Option<u16>,
        /// Discord's own code, where it gave one.
        code: Option<u64>,
    },
    /// When Discord accepts the token again, which may be never.
    TokenRefused,
    /// When there is less to do.
    Full,
}

impl RestError {
    /// When to send it again.
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

    /// Whether Discord may have done what was asked all the same, so that sending it again could do it twice.
    pub const fn may_have_happened(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Timeout { .. } | Self::Broken { .. } | Self::Unreadable { .. }
        )
    }
}
