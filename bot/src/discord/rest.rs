//! Discord's REST API: every request of the bot is sent here.
//!
//! twilight-http builds the requests and knows the routes. They are sent by a client of our own, because twilight's ignores the rate limits
//! in successful responses, and repeats a request immediately after a 429 without telling the caller. Here, a request waits for its bucket,
//! for the global limit and for more urgent requests. The caller gets the response, or an error that says when to retry.

mod brake;
mod budget;
mod error;
mod explain;
pub(crate) mod file;
mod lane;
mod limits;
mod probe;
mod route;
mod schedule;
mod sender;
mod single_flight;
mod turns;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use hyper::header::DATE;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::Instrument as _;
use twilight_http::request::{Request, TryIntoRequest};
use twilight_model::channel::message::AllowedMentions;

pub use self::{
    error::{RestError, Retry},
    single_flight::SingleFlight,
};
use self::{
    explain::Explanation,
    file::{Files, NoFile},
    limits::{Scope, Seen},
    route::Route,
    schedule::{Refusal, Rules},
    sender::{Failure, Parcel, Reply, Sender},
    turns::Turns,
};
use crate::{
    config::{Discord, Secret},
    discord::clock::Clock,
    support::{backoff::Backoff, clock::host_time, error_chain::in_one_line},
    telemetry::{
        metrics,
        task::{self, Task},
        traces,
    },
};

/// The number of attempts for a request that was certainly not carried out: it was rate-limited, or never sent.
const TRIES: u32 = 3;
/// The number of unreadable responses, of which fewer and fewer are logged.
static UNREADABLE: AtomicU64 = AtomicU64::new(0);
/// The delays between attempts to connect.
const CONNECT_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// The urgency of a request. More urgent requests go first, both in their bucket and within the global limit. A tenth of that limit is not
/// available to effects, and half of it is not available to background requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A user is waiting for the response to an interaction, for which Discord allows 3 seconds.
    Interaction,
    /// A user is waiting.
    Command,
    /// A consequence of an event: an announcement, a role.
    Effect,
    /// Not urgent: backfill, synchronization.
    Background,
}

impl Priority {
    const COUNT: usize = 4;
    const ALL: [Self; Self::COUNT] = [Self::Interaction, Self::Command, Self::Effect, Self::Background];

    /// The label in metrics and texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interaction => "interaction",
            Self::Command => "command",
            Self::Effect => "effect",
            Self::Background => "background",
        }
    }
}

/// A successful response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// The body, empty with 204, or the error that interrupted it. The request was carried out in either case.
    body: Result<Bytes, String>,
    route: Arc<str>,
}

impl Answer {
    /// Deserialize the response.
    ///
    /// # Errors
    ///
    /// [`RestError::Broken`] if the body is incomplete, and [`RestError::Unreadable`] with the field that is missing or has a wrong type.
    /// Neither contains any of the values.
    pub fn model<T: DeserializeOwned>(&self) -> Result<T, RestError> {
        let route = Arc::clone(&self.route);
        let body = match &self.body {
            Ok(body) => body,
            Err(reason) => {
                let reason = reason.clone();
                return Err(RestError::Broken { route, reason });
            }
        };
        // `increase()` only counts the first one if the counter existed before it, at 0.
        let unreadable = metrics::rest_unreadable_total(Arc::clone(&route));
        unreadable.increment(0);
        explain::read(body).map_err(|reason| {
            unreadable.increment(1);
            // The resulting failures are reported elsewhere, and can be numerous.
            if UNREADABLE.fetch_add(1, Ordering::Relaxed).wrapping_add(1).is_power_of_two() {
                tracing::error!(
                    rest.route = %route,
                    reason,
                    "an answer from Discord cannot be read; Discord may have changed its API, so look for a newer version of Eventide"
                );
            }
            RestError::Unreadable { route, reason }
        })
    }
}

/// The client for Discord's REST API. It is cheap to clone. All clones share the limits, so there is only one per process.
#[derive(Clone, Debug)]
pub struct Rest {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    builders: Arc<twilight_http::Client>,
    sender: Arc<Sender>,
    turns: Arc<Turns>,
    clock: Clock,
    files: Files,
    _turns: Task<()>,
    _probe: Task<()>,
}

impl Rest {
    /// A client with the limits of `config`. Nothing is sent yet.
    pub fn new(config: &Discord, token: &Secret) -> Self {
        // twilight's client, which is only used for its builders, requires a process-wide provider. If one is already installed, that is
        // fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (turns, giving) = Turns::start(Rules {
            per_second: config.requests_per_second,
            invalid: config.invalid_requests_limit,
            proxied: config.proxy_url.is_some(),
        });
        // `increase()` only counts the first 429 if the counter existed before it, at 0.
        for scope in Scope::ALL {
            metrics::rest_rate_limited_total(scope.as_str()).increment(0);
        }
        for priority in Priority::ALL {
            metrics::rest_full_total(priority.as_str()).increment(0);
        }
        let builders = twilight_http::Client::builder()
            // Awaiting a builder instead of sending it fails, without revealing the token.
            .proxy("awaited-instead-of-sent.invalid".to_owned(), true)
            .ratelimiter(None)
            .default_allowed_mentions(AllowedMentions::default())
            .build();
        let builders = Arc::new(builders);
        let sender = Arc::new(Sender::new(config.rest_url(), token, config.request_timeout));
        let clock = Clock::default();
        let probe = probe::run(
            Arc::clone(&builders),
            Arc::clone(&sender),
            clock.clone(),
            Arc::clone(&turns),
        );
        Self {
            shared: Arc::new(Shared {
                builders,
                sender,
                turns,
                clock,
                files: Files::new(&config.cdn_url),
                _turns: giving,
                _probe: task::spawn("REST token probe", probe),
            }),
        }
    }

    /// The builders of requests for [`send`](Self::send). Awaiting a builder fails. Messages mention no one unless `allowed_mentions` of
    /// their builder says so.
    pub fn builders(&self) -> &twilight_http::Client {
        &self.shared.builders
    }

    /// Whether Discord currently refuses the token (401). Until it accepts the token again, only requests without it are sent.
    pub fn is_token_refused(&self) -> bool {
        *self.shared.turns.token_refused().borrow()
    }

    /// Discord's clock, according to its responses.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// A file that a user has uploaded, by its [path](file::path_of).
    pub(crate) async fn file(&self, path: &str, largest: usize) -> Result<Bytes, NoFile> {
        self.shared.files.read(path, largest).await
    }

    /// Set this process's share of the global limits: `part` of `of`, as in 1 of 4 processes. Initially it is all of them.
    pub fn set_share(&self, part: u32, of: u32) {
        self.shared.turns.share(part, of);
    }

    /// Send a built request when it is its turn. Each bucket has one request in progress at a time, so requests that wait for the same
    /// bucket with the same priority arrive in the order of these calls. Dropping the future while it waits withdraws the request; dropping
    /// it later is as ambiguous as a timeout.
    ///
    /// A request is only retried here if it was certainly not carried out: it was rate-limited (429) for a short time, or there was no
    /// connection. In all other cases the caller decides, by [`RestError::retry`].
    pub async fn send(&self, priority: Priority, request: impl TryIntoRequest) -> Result<Answer, RestError> {
        // The validation error names the violated rule, but nothing of the request.
        let request = request.try_into_request().map_err(|error| RestError::Invalid {
            reason: in_one_line(&error),
        })?;
        self.send_raw(priority, &request).await
    }

    /// [`send`](Self::send) for a request that is already built.
    pub async fn send_raw(&self, priority: Priority, request: &Request) -> Result<Answer, RestError> {
        let route = Route::of(request.method().name(), request.path());
        let span = traces::request(&route.template);
        self.send_on(route, priority, request).instrument(span).await
    }

    async fn send_on(
        &self,
        route: Route,
        priority: Priority,
        request: &Request,
    ) -> Result<Answer, RestError> {
        let Shared {
            sender, turns, clock, ..
        } = &*self.shared;
        let parcel = sender
            .pack(request)
            .map_err(|reason| RestError::Invalid { reason })?;
        let refused = |refusal| refused(&route, priority, refusal);
        let mut turn = turns.wait(&route, priority).await.map_err(refused)?;
        let mut backoff = Backoff::between(CONNECT_PAUSE.0, CONNECT_PAUSE.1);
        let mut tries = 1;
        loop {
            let reply = match exchange(sender, clock, &route, &parcel).await {
                Ok(reply) => reply,
                Err(Failure::Unconnected(_)) if tries < TRIES => {
                    tries += 1;
                    // The turn is kept, so that later requests of the bucket stay behind this one.
                    tokio::time::sleep(backoff.pause()).await;
                    continue;
                }
                Err(failure) => {
                    turn.finish(&Seen::default());
                    return Err(failed(&route, failure, sender.timeout()));
                }
            };
            let body = reply.body.as_deref().unwrap_or_default();
            let seen = Seen::in_answer(reply.status, &reply.headers, body, parcel.with_token);
            let Some(limited) = seen.limited else {
                turn.finish(&seen);
                return answered(&route, &reply, parcel.with_token);
            };
            log_limit(&route, limited.scope, limited.retry_after);
            if tries == TRIES {
                turn.finish(&seen);
                return Err(RestError::Limited {
                    route: route.template,
                    retry_after: limited.retry_after,
                });
            }
            tries += 1;
            turn = turn.again(&seen).await.map_err(refused)?;
        }
    }
}

/// Make one attempt, and record its result and duration.
async fn exchange(sender: &Sender, clock: &Clock, route: &Route, parcel: &Parcel) -> Result<Reply, Failure> {
    let (began, sent) = (Instant::now(), host_time());
    let reply = sender.send(parcel).await;
    if let Ok(reply) = &reply
        && let Some(date) = reply.headers.get(DATE).and_then(|date| date.to_str().ok())
    {
        clock.learn(date, sent, host_time());
    }
    let outcome = match &reply {
        Ok(Reply { status: 401, .. }) => "401",
        Ok(Reply { status: 403, .. }) => "403",
        Ok(Reply { status: 429, .. }) => "429",
        Ok(Reply { body: Err(_), .. }) | Err(Failure::Broken(_)) => "broken",
        Ok(Reply { status, .. }) => match status / 100 {
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        },
        Err(Failure::Timeout) => "timeout",
        Err(Failure::Unconnected(_)) => "unconnected",
    };
    metrics::rest_requests_total(Arc::clone(&route.template), outcome).increment(1);
    metrics::rest_request_seconds(Arc::clone(&route.template)).record(began.elapsed());
    reply
}

/// Interpret a response other than 429.
fn answered(route: &Route, reply: &Reply, with_token: bool) -> Result<Answer, RestError> {
    let template = Arc::clone(&route.template);
    match (reply.status, &reply.body) {
        (200..=299, body) => Ok(Answer {
            status: reply.status,
            body: body.clone(),
            route: template,
        }),
        (401, _) if with_token => Err(RestError::TokenRefused),
        (status @ (408 | 500..), _) => Err(RestError::Unavailable {
            route: template,
            status,
        }),
        (status, body) => {
            let said = Explanation::of(body.as_deref().unwrap_or_default());
            log_refusal(&template, status, &said);
            Err(RestError::Refused {
                route: template,
                status,
                code: said.code,
            })
        }
    }
}

/// Log why Discord refused a request. A 400 is a bug in the bot; other statuses follow from the choices of servers and members.
fn log_refusal(route: &str, status: u16, said: &Explanation) {
    let Explanation {
        code,
        message,
        faults,
    } = said;
    let text = "Discord refused a request";
    if status == 400 {
        tracing::warn!(
            rest.route = route,
            rest.status = status,
            rest.code = code,
            rest.message = message,
            rest.faults = faults,
            "{text}"
        );
    } else {
        tracing::info!(
            rest.route = route,
            rest.status = status,
            rest.code = code,
            rest.message = message,
            "{text}"
        );
    }
}

fn failed(route: &Route, failure: Failure, timeout: Duration) -> RestError {
    let route = Arc::clone(&route.template);
    match failure {
        Failure::Unconnected(reason) => RestError::Unconnected { route, reason },
        Failure::Broken(reason) => RestError::Broken { route, reason },
        Failure::Timeout => RestError::Timeout {
            route,
            after: timeout,
        },
    }
}

fn refused(route: &Route, priority: Priority, refusal: Refusal) -> RestError {
    let route = Arc::clone(&route.template);
    match refusal {
        Refusal::After(retry_after) => RestError::Limited { route, retry_after },
        Refusal::Braked(retry_after) => RestError::Braked { route, retry_after },
        Refusal::TokenRefused => RestError::TokenRefused,
        Refusal::Full => {
            metrics::rest_full_total(priority.as_str()).increment(1);
            RestError::Full { route, priority }
        }
    }
}

/// Log a 429. For a single bucket it can happen if another program uses the same token; a global one, or one for the address, requires the
/// operator's attention.
fn log_limit(route: &Route, scope: Scope, retry_after: Duration) {
    metrics::rest_rate_limited_total(scope.as_str()).increment(1);
    let (route, retry_ms) = (&*route.template, retry_after.as_millis());
    match scope {
        Scope::User | Scope::Shared => {
            tracing::debug!(
                rest.route = route,
                rest.retry_ms = retry_ms,
                "rate limited in one bucket"
            );
        }
        Scope::Global => {
            tracing::warn!(
                rest.route = route,
                rest.retry_ms = retry_ms,
                "Discord limits the whole bot: something else uses its token, or discord.requests_per_second is too high"
            );
        }
        Scope::Cloudflare => {
            tracing::error!(
                rest.route = route,
                rest.retry_ms = retry_ms,
                "Cloudflare limits this address; nothing is sent meanwhile"
            );
        }
    }
}
