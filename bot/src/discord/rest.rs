//! Discord's REST API: the one way by which the bot sends a request.
//!
//! twilight-http builds the requests and knows the routes; they are sent here, because its client ignores the limits that
//! successful answers tell, and repeats a 429 at once, unseen by the caller. Here a request waits for its bucket, for the whole
//! bot's limit and for what is more urgent; the caller gets the answer, or an error that says when to try again.

mod brake;
mod budget;
mod error;
mod explain;
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

/// Tries of a request of which it is certain that it was not done: limited, or never sent.
const TRIES: u32 = 3;
/// Answers that could not be read, to log ever fewer of them.
static UNREADABLE: AtomicU64 = AtomicU64::new(0);
/// Pauses between tries to connect.
const CONNECT_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// How urgent a request is. What is more urgent goes first, in its bucket and before the whole bot's limit, of which the last
/// tenth is kept from effects and half from the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits for it, and Discord gives 3 seconds.
    Interaction,
    /// Somebody waits for it.
    Command,
    /// Follows from what happened: an announcement, a role.
    Effect,
    /// Could as well be done later: reading back, reconciling.
    Background,
}

impl Priority {
    const COUNT: usize = 4;
    const ALL: [Self; Self::COUNT] = [Self::Interaction, Self::Command, Self::Effect, Self::Background];

    /// As a label and in texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interaction => "interaction",
            Self::Command => "command",
            Self::Effect => "effect",
            Self::Background => "background",
        }
    }
}

/// A successful answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// The body, empty with 204; or how the connection broke in the middle of it. What was asked for is done in either case.
    body: Result<Bytes, String>,
    route: Arc<str>,
}

impl Answer {
    /// The answer as what it is.
    ///
    /// # Errors
    ///
    /// [`RestError::Broken`] if it did not come as a whole, and [`RestError::Unreadable`], which names the field that is missing or
    /// of another kind, and quotes nothing.
    pub fn model<T: DeserializeOwned>(&self) -> Result<T, RestError> {
        let route = Arc::clone(&self.route);
        let body = match &self.body {
            Ok(body) => body,
            Err(reason) => {
                let reason = reason.clone();
                return Err(RestError::Broken { route, reason });
            }
        };
        // The first one is an increase only where there was a 0 before.
        let unreadable = metrics::rest_unreadable_total(Arc::clone(&route));
        unreadable.increment(0);
        explain::read(body).map_err(|reason| {
            unreadable.increment(1);
            // All that fails because of it is told at other places, and can be much.
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

/// The way to Discord's REST API. Cheap to clone; all clones share the limits, so there is one in a process.
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
    _turns: Task<()>,
    _probe: Task<()>,
}

impl Rest {
    /// A way with the limits of `config`. Nothing is sent yet.
    pub fn new(config: &Discord, token: &Secret) -> Self {
        // twilight's client, which is here for its builders, wants one of the process's. There may be one, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (turns, giving) = Turns::start(Rules {
            per_second: config.requests_per_second,
            invalid: config.invalid_requests_limit,
            proxied: config.proxy_url.is_some(),
        });
        // The first 429 is an increase only where there was a 0 before.
        for scope in Scope::ALL {
            metrics::rest_rate_limited_total(scope.as_str()).increment(0);
        }
        for priority in Priority::ALL {
            metrics::rest_full_total(priority.as_str()).increment(0);
        }
        let builders = twilight_http::Client::builder()
            // A builder that is awaited instead of sent goes nowhere, and has no token to lose.
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
                _turns: giving,
                _probe: task::spawn("REST token probe", probe),
            }),
        }
    }

    /// Where requests are built, to be given to [`send`](Self::send); a builder that is awaited fails. Messages mention nobody
    /// unless their builder's `allowed_mentions` says so.
    pub fn builders(&self) -> &twilight_http::Client {
        &self.shared.builders
    }

    /// Whether Discord refuses the token at the moment (401). Until it accepts it again, only requests that need none are sent.
    pub fn is_token_refused(&self) -> bool {
        *self.shared.turns.token_refused().borrow()
    }

    /// Discord's clock, as responses show it.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// This process's share of the whole bot's limits: `part` of `of`, as in 1 of 4 processes. At first it is all of them.
    pub fn set_share(&self, part: u32, of: u32) {
        self.shared.turns.share(part, of);
    }

    /// Send what a builder made when it is its turn. One request of a bucket is under way at a time, so those that wait for one
    /// (with the same priority) arrive in the order of these calls. Dropping the future leaves the line; dropping it after the
    /// turn was given is as ambiguous as a timeout.
    ///
    /// A request is tried again here only when it certainly was not done: it was limited (429) for a short time, or there was no
    /// connection. Everything else is the caller's to decide, by [`RestError::retry`].
    pub async fn send(&self, priority: Priority, request: impl TryIntoRequest) -> Result<Answer, RestError> {
        // Validation says which rule is broken, and nothing of what is in the request.
        let request = request.try_into_request().map_err(|error| RestError::Invalid {
            reason: in_one_line(&error),
        })?;
        self.send_raw(priority, &request).await
    }

    /// [`send`](Self::send) for a request that is built already.
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
                    // The turn is kept: what comes after it in the bucket stays after it.
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
            tell(&route, limited.scope, limited.retry_after);
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

/// One try, counted and timed.
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

/// What an answer other than 429 means.
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

/// Why Discord refused a request. A 400 is a mistake of this program's; the others follow from what servers and members choose.
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

/// A 429 in a bucket happens where others use the same token; one for the whole bot or the address is an operator's matter.
fn tell(route: &Route, scope: Scope, retry_after: Duration) {
    metrics::rest_rate_limited_total(scope.as_str()).increment(1);
    let (route, retry_ms) = (&*route.template, retry_after.as_millis());
    match scope {
        Scope::User | Scope::Shared => {
            tracing::debug!(
                rest.route = route,
                rest.retry_ms = retry_ms,
                "limited in one bucket"
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
