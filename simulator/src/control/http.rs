//! The controls over HTTP, below `/simulator`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Control, Oracle, Shard};
use crate::{
    config::{Consent, PrunedResume, Rate, Refusal},
    engine::HeartbeatAcks,
    hub::Hub,
    interaction::{InteractionRequest, InteractionState},
    oracle::{Report, Row},
    rest::{RestCall, RestFault},
    stats::{SessionInfo, Stats},
};

/// The largest table that can be compared over HTTP; a row is about 130 bytes of JSON.
const COMPARE_BYTES: usize = 256 << 20;

/// The routes of the controls.
pub(crate) fn routes() -> Router<Arc<Hub>> {
    Router::new()
        .route("/simulator", get(about))
        .route("/simulator/stats", get(stats))
        .route("/simulator/sessions", get(sessions))
        .route("/simulator/world", get(world))
        .route("/simulator/rate", post(rate))
        .route("/simulator/pause", post(pause))
        .route("/simulator/generate", post(generate))
        .route("/simulator/time", post(time))
        .route("/simulator/drained", get(drained))
        .route("/simulator/connections/{action}", post(connections))
        .route("/simulator/sessions/kill", post(kill_sessions))
        .route("/simulator/gateway", post(gateway))
        .route("/simulator/rest", post(rest))
        .route("/simulator/oauth", post(oauth))
        .route("/simulator/faults", post(add_fault).delete(clear_faults))
        .route("/simulator/calls", get(calls))
        .route("/simulator/dispatch", post(dispatch))
        .route("/simulator/bans", post(ban))
        .route("/simulator/interactions", post(interact))
        .route("/simulator/interactions/{id}", get(interaction))
        .route(
            "/simulator/compare",
            post(compare).layer(DefaultBodyLimit::max(COMPARE_BYTES)),
        )
}

type Hubbed = State<Arc<Hub>>;
type Refused = (StatusCode, String);

fn control(hub: Arc<Hub>) -> Control {
    Control::new(hub)
}

fn bad(message: impl Into<String>) -> Refused {
    (StatusCode::BAD_REQUEST, message.into())
}

async fn about(State(hub): Hubbed) -> Json<Value> {
    Json(json!({
        "gateway_url": hub.gateway_url(), "rest_url": hub.rest_url.get(), "shards": hub.config.shards,
        "guilds": hub.world.guilds().len(), "seed": hub.config.seed, "now_ms": control(hub).now_ms(),
    }))
}

async fn stats(State(hub): Hubbed) -> Json<Stats> {
    Json(control(hub).stats())
}

async fn sessions(State(hub): Hubbed) -> Json<Vec<SessionInfo>> {
    Json(control(hub).sessions())
}

async fn drained(State(hub): Hubbed) -> Json<bool> {
    Json(control(hub).drained())
}

async fn world(State(hub): Hubbed) -> Json<Value> {
    const MEMBERS: u32 = 10;
    let guilds = hub.world.guilds().iter().map(|guild| {
        let members = (0..MEMBERS.min(guild.member_count()))
            .filter_map(|rank| hub.world.member_id(guild.id(), rank))
            .map(|id| json!({"id": id.to_string(), "name": hub.world.member_name(guild.id(), id)}))
            .collect::<Vec<_>>();
        let channels = guild
            .channels()
            .iter()
            .map(|channel| json!({"id": channel.id.to_string(), "name": channel.name}))
            .collect::<Vec<_>>();
        json!({
            "id": guild.id().to_string(), "name": guild.name(), "member_count": guild.member_count(),
            "channels": channels, "busiest_members": members,
        })
    });
    Json(json!({"bot_id": hub.world.bot_id().to_string(), "guilds": guilds.collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateBody {
    per_second: Option<f64>,
    #[serde(default)]
    full: bool,
}

async fn rate(State(hub): Hubbed, Json(body): Json<RateBody>) -> StatusCode {
    control(hub).set_rate(match body {
        RateBody { full: true, .. } => Rate::Full,
        RateBody {
            per_second: Some(rate),
            ..
        } => Rate::PerSecond(rate),
        RateBody { .. } => Rate::Paused,
    });
    StatusCode::NO_CONTENT
}

async fn pause(State(hub): Hubbed) -> StatusCode {
    control(hub).pause();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GenerateBody {
    events: u64,
}

async fn generate(State(hub): Hubbed, Json(body): Json<GenerateBody>) -> StatusCode {
    control(hub).generate(body.events);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeBody {
    scale: Option<f64>,
    #[serde(default)]
    advance_ms: u64,
}

async fn time(State(hub): Hubbed, Json(body): Json<TimeBody>) -> StatusCode {
    let control = control(hub);
    control.advance_time(Duration::from_millis(body.advance_ms));
    if let Some(scale) = body.scale {
        control.set_time_scale(scale);
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionsQuery {
    shard: Shard,
    code: Option<u16>,
    #[serde(default)]
    resumable: bool,
    text: Option<String>,
}

async fn connections(
    State(hub): Hubbed,
    Path(action): Path<String>,
    Query(query): Query<ConnectionsQuery>,
) -> Result<Json<Value>, Refused> {
    let control = control(hub);
    let ConnectionsQuery {
        shard,
        code,
        resumable,
        text,
    } = query;
    let told = match action.as_str() {
        "reset" => control.reset(shard),
        "drop" => control.drop_connections(shard),
        "close" => control.close(shard, code.unwrap_or(4000)),
        "reconnect" => control.reconnect(shard),
        "invalidate" => control.invalidate(shard, resumable),
        "ask-heartbeat" => control.ask_heartbeat(shard),
        "freeze" => control.freeze(shard, true),
        "thaw" => control.freeze(shard, false),
        "send" => control.send_text(shard, &text.unwrap_or_default()),
        "refuse" => {
            control.refuse_connections(true);
            0
        }
        "accept" => {
            control.refuse_connections(false);
            0
        }
        _ => {
            return Err((StatusCode::NOT_FOUND, format!("no such action: {action}")));
        }
    };
    Ok(Json(json!({"connections": told})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShardQuery {
    shard: Shard,
}

async fn kill_sessions(State(hub): Hubbed, Query(query): Query<ShardQuery>) -> Json<Value> {
    Json(json!({"sessions": control(hub).kill_sessions(query.shard)}))
}

/// The rules of the gateway that can be changed; what is not given stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GatewayBody {
    heartbeat_interval_ms: Option<u64>,
    session_ttl_ms: Option<u64>,
    heartbeat_prunes: Option<bool>,
    /// Whether a RESUME below the pruned point is refused.
    pruned_resume_refused: Option<bool>,
    replay_limit: Option<u64>,
    identify_window_ms: Option<u64>,
    identify_total: Option<u32>,
    max_concurrency: Option<u32>,
    privileged_intents: Option<u64>,
    plain_text: Option<bool>,
    /// The close code for lost sessions; 0 is op 9.
    lost_session_close: Option<u16>,
    acks: Option<Acks>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Acks {
    Prompt,
    Never,
    LateMs(u64),
}

async fn gateway(State(hub): Hubbed, Json(body): Json<GatewayBody>) -> StatusCode {
    let control = control(hub);
    if let Some(acks) = &body.acks {
        control.set_heartbeat_acks(match acks {
            Acks::Prompt => HeartbeatAcks::Prompt,
            Acks::Never => HeartbeatAcks::Never,
            Acks::LateMs(late) => HeartbeatAcks::Late(Duration::from_millis(*late)),
        });
    }
    control.change_gateway(|rules| {
        set(
            &mut rules.heartbeat_interval,
            body.heartbeat_interval_ms.map(Duration::from_millis),
        );
        set(
            &mut rules.session_ttl,
            body.session_ttl_ms.map(Duration::from_millis),
        );
        set(&mut rules.heartbeat_prunes, body.heartbeat_prunes);
        set(&mut rules.replay_limit, body.replay_limit);
        set(
            &mut rules.identify_window,
            body.identify_window_ms.map(Duration::from_millis),
        );
        set(&mut rules.identify_total, body.identify_total);
        set(&mut rules.max_concurrency, body.max_concurrency);
        set(&mut rules.privileged_intents, body.privileged_intents);
        set(&mut rules.plain_text, body.plain_text);
        let pruned = |refused| {
            if refused {
                PrunedResume::InvalidSession
            } else {
                PrunedResume::Omit
            }
        };
        set(&mut rules.pruned_resume, body.pruned_resume_refused.map(pruned));
        let lost = |code| {
            if code == 0 {
                Refusal::InvalidSession
            } else {
                Refusal::Close(code)
            }
        };
        set(&mut rules.lost_session, body.lost_session_close.map(lost));
    });
    StatusCode::NO_CONTENT
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// The rules of REST that can be changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestBody {
    enforce: Option<bool>,
    global_per_second: Option<u32>,
    message_requests: Option<u32>,
    message_per_ms: Option<u64>,
    other_requests: Option<u32>,
    other_per_ms: Option<u64>,
}

async fn rest(State(hub): Hubbed, Json(body): Json<RestBody>) -> StatusCode {
    control(hub).change_rest(|rules| {
        set(&mut rules.enforce, body.enforce);
        set(&mut rules.global_per_second, body.global_per_second);
        set(&mut rules.messages.requests, body.message_requests);
        set(
            &mut rules.messages.per,
            body.message_per_ms.map(Duration::from_millis),
        );
        set(&mut rules.other.requests, body.other_requests);
        set(&mut rules.other.per, body.other_per_ms.map(Duration::from_millis));
    });
    StatusCode::NO_CONTENT
}

/// How people sign in. Without a user and `deny`, the page asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OAuthBody {
    user_id: Option<String>,
    #[serde(default)]
    deny: bool,
    client_secret: Option<String>,
    redirect_uris: Option<Vec<String>>,
    code_ttl_ms: Option<u64>,
    token_ttl_ms: Option<u64>,
}

async fn oauth(State(hub): Hubbed, Json(body): Json<OAuthBody>) -> Result<StatusCode, Refused> {
    let consent = match (body.user_id, body.deny) {
        (Some(user), false) => match user.parse() {
            Ok(id) if hub.world.person(id).is_some() => Consent::As(id),
            _ => return Err(bad("no such user")),
        },
        (None, true) => Consent::Deny,
        (None, false) => Consent::Ask,
        (Some(_), true) => return Err(bad("user_id and deny exclude each other")),
    };
    control(hub).change_oauth(|rules| {
        rules.consent = consent;
        set(&mut rules.client_secret, body.client_secret);
        set(&mut rules.redirect_uris, body.redirect_uris);
        set(&mut rules.code_ttl, body.code_ttl_ms.map(Duration::from_millis));
        set(&mut rules.token_ttl, body.token_ttl_ms.map(Duration::from_millis));
    });
    Ok(StatusCode::NO_CONTENT)
}

async fn add_fault(State(hub): Hubbed, Json(fault): Json<RestFault>) -> StatusCode {
    control(hub).add_fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(hub): Hubbed) -> StatusCode {
    control(hub).clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallsQuery {
    route: Option<String>,
}

async fn calls(State(hub): Hubbed, Query(query): Query<CallsQuery>) -> Json<Vec<RestCall>> {
    Json(control(hub).rest_calls(query.route.as_deref().unwrap_or("*")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DispatchBody {
    guild_id: Option<String>,
    event: String,
    data: Value,
}

async fn dispatch(State(hub): Hubbed, Json(body): Json<DispatchBody>) -> Result<StatusCode, Refused> {
    let guild = match body.guild_id.as_deref().map(str::parse) {
        None => None,
        Some(Ok(id)) if hub.world.guild(id).is_some() => Some(id),
        Some(_) => return Err(bad("no such guild")),
    };
    control(hub).dispatch(guild, &body.event, &body.data.to_string());
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BanBody {
    guild_id: String,
    user_id: String,
    banned: bool,
}

async fn ban(State(hub): Hubbed, Json(body): Json<BanBody>) -> Result<StatusCode, Refused> {
    let (Ok(guild), Ok(user)) = (body.guild_id.parse(), body.user_id.parse()) else {
        return Err(bad("no IDs"));
    };
    if control(hub).set_banned(guild, user, body.banned) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(bad("no such guild or user"))
    }
}

/// As [`InteractionRequest`], with the ids as strings: JavaScript's numbers do not hold them.
#[derive(Deserialize)]
struct InteractBody {
    guild_id: String,
    user_id: String,
    channel_id: Option<String>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

async fn interact(State(hub): Hubbed, Json(body): Json<InteractBody>) -> Result<Json<Value>, Refused> {
    let id = |text: &str| {
        text.parse::<u64>()
            .map_err(|error| bad(format!("{text} is no id: {error}")))
    };
    let mut rest = body.rest;
    rest.insert("guild_id".to_owned(), id(&body.guild_id)?.into());
    rest.insert("user_id".to_owned(), id(&body.user_id)?.into());
    if let Some(channel) = &body.channel_id {
        rest.insert("channel_id".to_owned(), id(channel)?.into());
    }
    let request: InteractionRequest =
        serde_json::from_value(rest.into()).map_err(|error| bad(error.to_string()))?;
    let id = control(hub)
        .interact(&request)
        .ok_or_else(|| bad("no such guild, member or channel"))?;
    Ok(Json(json!({"id": id.to_string()})))
}

async fn interaction(State(hub): Hubbed, Path(id): Path<u64>) -> Result<Json<InteractionState>, Refused> {
    let state = control(hub).interaction(id);
    state
        .map(Json)
        .ok_or_else(|| (StatusCode::NOT_FOUND, "no such interaction".to_owned()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompareBody {
    /// Session ids and the last sequence of each that counts.
    #[serde(default)]
    limits: HashMap<String, u64>,
    rows: Vec<Row>,
}

async fn compare(State(hub): Hubbed, Json(body): Json<CompareBody>) -> Result<Json<Report>, Refused> {
    let oracle = Oracle::new(hub);
    if body.limits.is_empty() {
        return Ok(Json(oracle.compare(body.rows)));
    }
    let expected = oracle
        .expected_at(&body.limits)
        .map_err(|error| (StatusCode::CONFLICT, error.to_string()))?;
    Ok(Json(Report::new(&expected, body.rows)))
}
