//! Rate limits in responses: <https://discord.com/developers/docs/topics/rate-limits#header-format>.

use std::time::Duration;

use hyper::HeaderMap;
use serde::Deserialize;

use super::route::number;

/// The headers are rounded to milliseconds.
const ROUNDING: Duration = Duration::from_millis(1);
/// The minimum wait after a 429, whatever it says, so that an error cannot cause a busy loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// The wait after a 429 without a time.
const UNKNOWN_WAIT: Duration = Duration::from_secs(5);
/// A longer wait would be an error; a day exceeds all of Discord's limits.
const LONGEST: Duration = Duration::from_hours(24);

/// The relevant parts of a response.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// The status; `None` without a response.
    pub(super) status: Option<u16>,
    /// The state of the bucket, if there is one.
    pub(super) bucket: Option<Standing>,
    /// For a 429, its scope and duration.
    pub(super) limited: Option<Limited>,
    /// Whether the token was refused.
    pub(super) token_refused: bool,
}

/// The state of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    /// A hash of the bucket's name.
    pub(super) bucket: u64,
    /// The number of requests that it accepts before its reset.
    pub(super) remaining: u32,
    /// The time until its reset.
    pub(super) reset_after: Duration,
}

/// A 429.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limited {
    pub(super) scope: Scope,
    pub(super) retry_after: Duration,
}

/// The scope of a 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The bot's limit for one bucket.
    User,
    /// The limit of the resource, which all bots share. It does not count as an invalid request.
    Shared,
    /// The bot's global limit.
    Global,
    /// The limit of the address. Cloudflare answers instead of Discord, and each request makes it worse.
    Cloudflare,
}

impl Scope {
    pub(super) const ALL: [Self; 4] = [Self::User, Self::Shared, Self::Global, Self::Cloudflare];

    /// The label in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shared => "shared",
            Self::Global => "global",
            Self::Cloudflare => "cloudflare",
        }
    }
}

/// The body of a 429.
#[derive(Deserialize)]
struct Body {
    retry_after: f64,
    #[serde(default)]
    global: bool,
}

impl Seen {
    /// Read a response.
    pub(super) fn in_answer(status: u16, headers: &HeaderMap, body: &[u8], with_token: bool) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bucket = text("x-ratelimit-bucket").zip(text("x-ratelimit-remaining"));
        let reset_after = text("x-ratelimit-reset-after").and_then(seconds);
        Self {
            status: Some(status),
            bucket: bucket
                .zip(reset_after)
                .and_then(|((bucket, remaining), reset_after)| {
                    Some(Standing {
                        bucket: number(bucket),
                        remaining: remaining.parse().ok()?,
                        reset_after,
                    })
                }),
            limited: (status == 429).then(|| limited(headers, body)),
            token_refused: status == 401 && with_token,
        }
    }

    /// Whether the response to a request with the bot's token shows that Discord accepts it.
    pub(super) fn proves_token(&self) -> bool {
        matches!(self.status, Some(200..=299))
    }

    /// Whether Discord counts it as an invalid request.
    pub(super) fn is_invalid(&self) -> bool {
        match self.status {
            Some(401 | 403) => true,
            Some(429) => self.limited.is_none_or(|limited| limited.scope != Scope::Shared),
            _ => false,
        }
    }
}

fn limited(headers: &HeaderMap, body: &[u8]) -> Limited {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let body: Option<Body> = serde_json::from_slice(body).ok();
    let scope = match text("x-ratelimit-scope") {
        Some("global") => Scope::Global,
        Some("shared") => Scope::Shared,
        _ if headers.contains_key("x-ratelimit-global") => Scope::Global,
        Some(_) => Scope::User,
        None => match &body {
            Some(body) if body.global => Scope::Global,
            Some(_) => Scope::User,
            None if headers.contains_key("x-ratelimit-bucket") => Scope::User,
            None => Scope::Cloudflare,
        },
    };
    // The body is exact; the header is in whole seconds.
    let exact = body.and_then(|body| of_seconds(body.retry_after));
    Limited {
        scope,
        retry_after: exact
            .or_else(|| text("retry-after").and_then(seconds))
            .unwrap_or(UNKNOWN_WAIT)
            .max(SHORTEST_WAIT),
    }
}

fn seconds(text: &str) -> Option<Duration> {
    of_seconds(text.trim().parse().ok()?)
}

fn of_seconds(seconds: f64) -> Option<Duration> {
    if seconds.is_nan() {
        return None;
    }
    let duration = Duration::try_from_secs_f64(seconds.max(0.0)).ok()?;
    Some(duration.min(LONGEST) + ROUNDING)
}

#[cfg(test)]
mod tests;
