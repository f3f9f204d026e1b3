//! Faults on demand.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::route::{Route, fits};

/// Something that goes wrong with requests of a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestFault {
    /// The routes it applies to, as in the record of calls, with `*` for any text: `POST /channels/{id}/messages`,
    /// `* /guilds/*` or `*`. A path with its IDs stands for the requests of one channel, server or member.
    pub route: String,
    /// How many requests it applies to; all until it is cleared when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How long the answer waits, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// What the answer is.
    #[serde(default)]
    pub kind: RestFaultKind,
}

/// What a fault answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestFaultKind {
    /// The ordinary answer, after the delay.
    #[default]
    None,
    /// This status with an error in Discord's form, and nothing is done.
    Status(u16),
    /// This status with Discord's code for the reason, and nothing is done: 404 with 10011 for a role that is gone.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Discord's code.
        code: u64,
    },
    /// What was asked for is done, and then this status is answered: the case in which a retry does it twice.
    StatusAfter(u16),
    /// 429 of this scope, to be tried again after this time.
    RateLimit {
        /// Whose limit it was.
        scope: LimitScope,
        /// What `Retry-After` says, in seconds.
        retry_after: f64,
    },
    /// 429 as Cloudflare sends it: HTML and `Retry-After` in seconds, no other header.
    Cloudflare {
        /// What `Retry-After` says, in seconds.
        retry_after: u64,
    },
    /// What was asked for is done, and the connection ends in the middle of the answer's body.
    HalfBody,
    /// What was asked for is done, and the answer lacks this field, in each of its objects if it is a list: a server that is
    /// not quite Discord, or a field that was renamed.
    WithoutField(String),
    /// What was asked for is done, and no answer ever comes.
    Silence,
}

/// Whose limit a 429 is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// The bot's, in one bucket.
    User,
    /// The bot's, over all buckets.
    Global,
    /// The resource's, which all bots share.
    Shared,
}

impl LimitScope {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }
}

/// The faults that wait for their requests.
#[derive(Default)]
pub(crate) struct Faults(Vec<RestFault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: RestFault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that a request of a method and a path meets, if any: delay and kind.
    pub(crate) fn meet(&mut self, route: &Route, (method, path): (&str, &str)) -> (Duration, RestFaultKind) {
        let exactly = format!("{method} {path}");
        let is_meant = |fault: &RestFault| fits(&fault.route, &route.name) || fits(&fault.route, &exactly);
        let Some(at) = self.0.iter().position(is_meant) else {
            return (Duration::ZERO, RestFaultKind::None);
        };
        let fault = &mut self.0[at];
        let met = (Duration::from_millis(fault.delay_ms), fault.kind.clone());
        if let Some(left) = &mut fault.count {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.0.remove(at);
            }
        }
        met
    }
}
