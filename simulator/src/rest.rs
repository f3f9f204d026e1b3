//! REST v10: every request is recorded, meets the faults asked for, is checked against the token and the limits, and
//! is then carried out.

mod answer;
mod applications;
mod body;
mod cdn;
mod channel_changes;
mod channels;
mod deletion;
mod fault;
mod files;
mod form;
mod guilds;
mod interactions;
mod limit;
mod moderation;
mod oauth;
pub(crate) mod route;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) use answer::Answer;
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    response::Response,
};
use fault::Faults;
pub use fault::{LimitScope, RestFault, RestFaultKind};
use files::Files;
pub use files::SentFile;
use futures_util::{StreamExt as _, stream};
use limit::{Limiter, Verdict};
use route::Route;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    config::{OAuthRules, RestRules, SimulatorConfig},
    hub::Hub,
    snowflake::wall_clock_ms,
};

const HALF_BODY_PAUSE: Duration = Duration::from_millis(50);
/// How many calls are remembered.
const MOST_CALLS: usize = 200_000;
/// <https://docs.discord.com/developers/resources/audit-log>
const AUDIT_LOG_REASON: HeaderName = HeaderName::from_static("x-audit-log-reason");
/// In characters.
const LONGEST_REASON: usize = 512;
/// Discord allows 25 MiB of files in a message.
const LARGEST_BODY: usize = 26 << 20;

/// One REST call, as it was recorded.
#[derive(Clone, Debug, Serialize)]
pub struct RestCall {
    /// A number that only rises.
    pub number: u64,
    /// When it came, as Unix time in milliseconds by the wall clock.
    pub at_ms: u64,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// Method and path with ids and tokens replaced, for example `POST /channels/{id}/messages`.
    pub route: String,
    /// What was answered; 0 when no answer was sent.
    pub status: u16,
    /// The JSON that came with it, null when there was none.
    pub body: Value,
    /// What is to stand in the server's audit log, without its percent-encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The name and value of a header of an answer.
type Header = (&'static str, String);

/// An answer and its headers.
type Answered = (Answer, Vec<Header>);

/// What REST remembers.
pub(crate) struct RestState {
    pub(crate) rules: RestRules,
    pub(crate) calls: VecDeque<RestCall>,
    pub(crate) files: Files,
    pub(crate) faults: Faults,
    pub(crate) oauth_rules: OAuthRules,
    oauth: oauth::Issued,
    next_call: u64,
    limiter: Limiter,
    /// Messages that came over REST, by channel and id.
    messages: FxHashMap<u64, BTreeMap<u64, Value>>,
    /// Messages of members that came by the controls, in the same way.
    pub(crate) written: FxHashMap<u64, BTreeMap<u64, Value>>,
    /// Files that users gave as options, by the IDs of their attachments.
    pub(crate) uploads: BTreeMap<u64, SentFile>,
    /// Messages of the traffic that were deleted.
    gone: FxHashSet<u64>,
    nonces: FxHashMap<(u64, String), (u64, Instant)>,
    /// Registered commands by scope: empty for the global ones, else the guild's id.
    commands: BTreeMap<String, Vec<Value>>,
}

impl RestState {
    pub(crate) fn new(config: &SimulatorConfig) -> Self {
        Self {
            rules: config.rest.clone(),
            oauth_rules: config.oauth.clone(),
            oauth: oauth::Issued::default(),
            calls: VecDeque::new(),
            files: Files::default(),
            faults: Faults::default(),
            next_call: 0,
            limiter: Limiter::default(),
            messages: FxHashMap::default(),
            written: FxHashMap::default(),
            uploads: BTreeMap::new(),
            gone: FxHashSet::default(),
            nonces: FxHashMap::default(),
            commands: BTreeMap::new(),
        }
    }

    fn record(&mut self, mut call: RestCall) {
        call.number = self.next_call;
        self.next_call += 1;
        if self.calls.len() == MOST_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    pub(crate) fn bot_messages(&self) -> Vec<Value> {
        let by_id: BTreeMap<u64, &Value> = self
            .messages
            .values()
            .flatten()
            .map(|(id, message)| (*id, message))
            .collect();
        by_id.into_values().cloned().collect()
    }

    /// A message that was written in a channel, or came over REST.
    pub(crate) fn message(&self, channel: u64, id: u64) -> Option<&Value> {
        let kept = [&self.messages, &self.written];
        kept.into_iter().find_map(|kept| kept.get(&channel)?.get(&id))
    }

    /// The commands registered for all guilds, or for one.
    pub(crate) fn commands(&self, guild: Option<u64>) -> &[Value] {
        let scope = guild.map(|guild| guild.to_string()).unwrap_or_default();
        self.commands.get(&scope).map_or(&[], Vec::as_slice)
    }

    /// Add a command for all guilds.
    pub(crate) fn add_command(&mut self, command: Value) {
        self.commands.entry(String::new()).or_default().push(command);
    }
}

/// A request on its way to what carries it out.
pub(crate) struct Asked<'a> {
    pub(crate) hub: &'a Hub,
    pub(crate) method: &'a str,
    pub(crate) segments: &'a [&'a str],
    pub(crate) query: &'a str,
    pub(crate) body: &'a Value,
    pub(crate) headers: &'a HeaderMap,
    /// The person whose access token came with the request, if it is not the bot's own.
    pub(crate) user: Option<u64>,
    /// For the server's audit log.
    pub(crate) reason: Option<&'a str>,
}

impl Asked<'_> {
    /// A parameter of the query, not decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
            .map(|it| it.1)
    }

    /// A yes or no of the query, which libraries write in different ways.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), Some("true" | "True" | "1"))
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.parameter(name)?.parse().ok()
    }
}

/// A header as text, empty if there is none.
fn text_of(headers: &HeaderMap, name: HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or("")
}

/// Answers every request that is not for the controls.
pub(crate) async fn handle(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    if request.method() == Method::GET
        && let Some(picture) = cdn::answer(request.uri().path(), request.uri().query().unwrap_or(""))
    {
        return picture;
    }
    if request.method() == Method::GET
        && let Some(file) = cdn::upload(&hub, request.uri().path())
    {
        return file;
    }
    if oauth::authorize::is_page(request.uri().path()) {
        return oauth::authorize::page(hub, request).await;
    }
    carry_out(hub, request).await
}

async fn carry_out(hub: Arc<Hub>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let asked = parts.uri.path_and_query();
    let path_and_query = asked.map_or_else(|| "/".to_owned(), ToString::to_string);
    let decoded = route::decode(parts.uri.path());
    let Some(path) = route::api_path(&decoded) else {
        return Answer::error(404, 0, "404: Not Found").into_response();
    };
    let method = parts.method.as_str();
    let route = route::of(method, path);
    let header = |name| text_of(&parts.headers, name);
    let bytes = axum::body::to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let parsed = body::parse(header(header::CONTENT_TYPE), &bytes);
    let files = body::files(header(header::CONTENT_TYPE), &bytes);
    let mut call = RestCall {
        number: 0,
        at_ms: wall_clock_ms(),
        method: method.to_owned(),
        path: path_and_query,
        route: route.name.clone(),
        status: 0,
        body: parsed.as_ref().map_or(Value::Null, Clone::clone),
        reason: reason_of(header(AUDIT_LOG_REASON)),
    };
    let (delay, kind) = hub.rest().faults.meet(&route, (method, path));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let authorization = header(header::AUTHORIZATION);
    let user = oauth::bearer(&hub, authorization, method, path);
    let authorized = route.open || user.is_some() || is_authorized(&hub, authorization);
    let query = parts.uri.query().unwrap_or("");
    let work = || match &parsed {
        _ if !authorized => (Answer::error(401, 0, "401: Unauthorized"), Vec::new()),
        Err(_) => (
            Answer::error(400, 50_109, "The request body contains invalid JSON."),
            Vec::new(),
        ),
        Ok(body) => {
            let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
            limited(
                &hub,
                &route,
                &Asked {
                    hub: &hub,
                    method,
                    segments: &segments,
                    query,
                    body,
                    headers: &parts.headers,
                    user,
                    reason: call.reason.as_deref(),
                },
            )
        }
    };
    let act = || {
        let (answer, headers) = work();
        if answer.status < 300 {
            hub.rest().files.keep(files);
        }
        (answer, headers)
    };
    let (answer, headers) = {
        let _recorded = hub.carrying_out();
        let (answer, headers) = with_fault(&kind, act);
        let answered = kind != RestFaultKind::Silence;
        call.status = if answered { answer.status } else { 0 };
        count(&hub, call, answered && is_invalid(&answer, &headers));
        (answer, headers)
    };
    match kind {
        RestFaultKind::Silence => return std::future::pending().await,
        RestFaultKind::Cloudflare { retry_after } => return cloudflare(retry_after),
        _ => {}
    }
    let mut response = with_headers(answer, headers);
    set_date(&hub, &mut response);
    if kind == RestFaultKind::HalfBody {
        half(response).await
    } else {
        response
    }
}

/// What is answered, after what happens in spite of the fault.
fn with_fault(kind: &RestFaultKind, act: impl FnOnce() -> Answered) -> Answered {
    match kind {
        RestFaultKind::Status(status) => (asked_for(*status, 0), Vec::new()),
        RestFaultKind::Refused { status, code } => (asked_for(*status, *code), Vec::new()),
        RestFaultKind::StatusAfter(status) => {
            drop(act());
            (asked_for(*status, 0), Vec::new())
        }
        RestFaultKind::RateLimit { scope, retry_after } => too_many(*scope, *retry_after),
        RestFaultKind::Cloudflare { .. } => (asked_for(429, 0), Vec::new()),
        RestFaultKind::WithoutField(field) => {
            let (mut answer, headers) = act();
            answer.body.iter_mut().for_each(|body| without(body, field));
            (answer, headers)
        }
        RestFaultKind::None | RestFaultKind::HalfBody | RestFaultKind::Silence => act(),
    }
}

/// Whether Discord counts the request towards its
/// [limit of invalid requests](https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
fn is_invalid(answer: &Answer, headers: &[Header]) -> bool {
    let shared = headers
        .iter()
        .any(|(name, value)| *name == "x-ratelimit-scope" && value == "shared");
    matches!(answer.status, 401 | 403) || (answer.status == 429 && !shared)
}

fn asked_for(status: u16, code: u64) -> Answer {
    Answer::error(status, code, "A fault that was asked for")
}

fn with_headers(answer: Answer, headers: Vec<Header>) -> Response {
    let mut response = answer.into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Dates a response by another clock than this host's. The server adds a right date to one that has none.
fn set_date(hub: &Hub, response: &mut Response) {
    let by = hub.rest().rules.date_offset;
    if by != 0 {
        let ms = wall_clock_ms().saturating_add_signed(by * 1_000);
        let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_millis(ms));
        if let Ok(date) = HeaderValue::from_str(&date) {
            response.headers_mut().insert(header::DATE, date);
        }
    }
}

fn count(hub: &Hub, call: RestCall, invalid: bool) {
    let limited = call.status == 429;
    hub.rest().record(call);
    let stats = &mut hub.lock().stats;
    stats.rest_requests += 1;
    stats.rest_rate_limited += u64::from(limited);
    stats.rest_invalid += u64::from(invalid);
}

fn is_authorized(hub: &Hub, header: &str) -> bool {
    header
        .strip_prefix("Bot ")
        .is_some_and(|token| hub.lock().token_is_right(token))
}

/// Carries a request out if the limits allow it.
fn limited(hub: &Hub, route: &Route, asked: &Asked<'_>) -> Answered {
    let verdict = {
        let mut rest = hub.rest();
        let rules = rest.rules.clone();
        rest.limiter.judge(&rules, route)
    };
    match verdict {
        Verdict::Pass(standing) => (
            dispatch(asked),
            standing.map(|standing| standing.headers()).unwrap_or_default(),
        ),
        Verdict::Exhausted(standing) => {
            let (answer, mut headers) = too_many(LimitScope::User, standing.reset_after.as_secs_f64());
            headers.extend(standing.headers());
            (answer, headers)
        }
        Verdict::Global(wait) => too_many(LimitScope::Global, wait.as_secs_f64()),
    }
}

fn too_many(scope: LimitScope, retry_after: f64) -> Answered {
    let global = scope == LimitScope::Global;
    let message = if scope == LimitScope::Shared {
        "The resource is being rate limited."
    } else {
        "You are being rate limited."
    };
    let answer = Answer {
        status: 429,
        body: Some(json!({"message": message, "retry_after": retry_after, "global": global})),
    };
    // The header is in whole seconds, the body is exact.
    let mut headers = vec![
        ("retry-after", format!("{:.0}", retry_after.ceil())),
        ("x-ratelimit-scope", scope.as_str().to_owned()),
    ];
    if global {
        headers.push(("x-ratelimit-global", "true".to_owned()));
    }
    (answer, headers)
}

fn cloudflare(retry_after: u64) -> Response {
    let mut response = Response::new(Body::from(
        "<html><body>error 1015: you are being rate limited</body></html>",
    ));
    *response.status_mut() = axum::http::StatusCode::TOO_MANY_REQUESTS;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=UTF-8"),
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

/// Takes a field from an object, or from each object of a list.
fn without(body: &mut Value, field: &str) {
    match body {
        Value::Array(items) => items.iter_mut().for_each(|item| without(item, field)),
        Value::Object(object) => drop(object.remove(field)),
        _ => {}
    }
}

/// The same answer, but the connection ends in the middle of its body.
async fn half(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len().max(2)));
    let first: Bytes = whole.slice(..whole.len() / 2);
    let broken = async {
        // The server throws away what it has not written yet when the body fails, so the first half gets time.
        tokio::time::sleep(HALF_BODY_PAUSE).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    let pieces = stream::once(std::future::ready(Ok(first))).chain(stream::once(broken));
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// What is to stand in the audit log, without its percent-encoding.
fn reason_of(header: &str) -> Option<String> {
    (!header.is_empty()).then(|| route::decode(header))
}

fn dispatch(asked: &Asked<'_>) -> Answer {
    if asked
        .reason
        .is_some_and(|reason| reason.chars().count() > LONGEST_REASON)
    {
        let message = "Must be 512 or fewer in length.";
        return Answer::invalid("reason", "BASE_TYPE_MAX_LENGTH", message);
    }
    let found = oauth::answer(asked)
        .or_else(|| applications::answer(asked))
        .or_else(|| guilds::answer(asked))
        .or_else(|| channels::answer(asked))
        .or_else(|| interactions::answer(asked));
    found.unwrap_or_else(|| {
        let known = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        if known.iter().any(|method| method.as_str() == asked.method) {
            Answer::error(404, 0, "404: Not Found")
        } else {
            Answer::error(405, 0, "405: Method Not Allowed")
        }
    })
}
