//! What a simulator is made with: one plain struct, every field with a default.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::Value;

/// The intent for member events; privileged.
pub const INTENT_GUILD_MEMBERS: u64 = 1 << 1;
/// The intent for presences; privileged.
pub const INTENT_GUILD_PRESENCES: u64 = 1 << 8;
/// The intent for the content of messages; privileged.
pub const INTENT_MESSAGE_CONTENT: u64 = 1 << 15;

/// Everything that can be chosen before the simulator starts.
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Where the gateway listens; port 0 takes a free one.
    pub gateway_addr: SocketAddr,
    /// Where REST and the controls listen; port 0 takes a free one.
    pub rest_addr: SocketAddr,
    /// The only token that is accepted, without the word `Bot`.
    pub token: String,
    /// The world and the traffic follow from this number.
    pub seed: u64,
    /// How many shards `GET /gateway/bot` recommends; guilds are spread so that each of them has some.
    pub shards: u32,
    /// How many guilds there are.
    pub guilds: u32,
    /// How many channels and roles each guild has, besides @everyone and the bot's role; `None` for a few, as in most guilds.
    pub guild_size: Option<GuildSize>,
    /// How many memberships there are in all guilds together; a person may be a member of several.
    pub members: u32,
    /// The rate of traffic from the start on.
    pub rate: Rate,
    /// How much faster than the wall clock the simulated time runs, which snowflakes and timestamps show.
    pub time_scale: f64,
    /// Simulated Unix time at the start, in milliseconds; `None` is the wall clock's.
    pub start_time_ms: Option<u64>,
    /// How far one event of [`Control::generate`](crate::Control::generate) moves the simulated time on, in
    /// milliseconds, before `time_scale`. It does not depend on the speed of the machine, so that a test of
    /// cooldowns repeats exactly.
    pub generate_gap_ms: f64,
    /// What the traffic is made of.
    pub traffic: Traffic,
    /// The rules that the oracle applies.
    pub levels: LevelRules,
    /// How the gateway behaves.
    pub gateway: GatewayRules,
    /// How REST behaves.
    pub rest: RestRules,
    /// How people sign in with the bot's application.
    pub oauth: OAuthRules,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            gateway_addr: loopback,
            rest_addr: loopback,
            token: "sim-token".to_owned(),
            seed: 1,
            shards: 1,
            guilds: 20,
            guild_size: None,
            members: 2_000,
            rate: Rate::Paused,
            time_scale: 1.0,
            start_time_ms: None,
            generate_gap_ms: 5.0,
            traffic: Traffic::default(),
            levels: LevelRules::default(),
            gateway: GatewayRules::default(),
            rest: RestRules::default(),
            oauth: OAuthRules::default(),
        }
    }
}

/// The channels and roles of each guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuildSize {
    /// Text channels.
    pub channels: u16,
    /// Roles besides @everyone and the bot's.
    pub roles: u16,
}

/// How fast the world produces events.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rate {
    /// Nothing happens by itself.
    #[default]
    Paused,
    /// So many events a second over all shards, whether or not anybody reads them.
    PerSecond(f64),
    /// As fast as the connected clients read; a shard without a connection gets nothing.
    Full,
}

/// What the traffic is made of. The shares of messages are of all messages, each between 0 and 1; what they leave
/// over is plain messages by humans.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Share of events that are no new messages: typing, edits, deletions, reactions, member, presence and channel
    /// updates.
    pub other: f64,
    /// Share of replies (type 19).
    pub replies: f64,
    /// Share by bots.
    pub bots: f64,
    /// Share by webhooks.
    pub webhooks: f64,
    /// Share of system messages (joins, boosts, pins).
    pub system: f64,
    /// Share of direct messages to the bot.
    pub direct: f64,
    /// Share of messages that are followed by another of the same member in the same millisecond.
    pub same_millisecond: f64,
    /// Exponent of the Zipf distribution of traffic and members over guilds; 0 spreads evenly.
    pub guild_skew: f64,
    /// Exponent of the Zipf distribution of a guild's messages over its members.
    pub member_skew: f64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            other: 0.1,
            replies: 0.12,
            bots: 0.05,
            webhooks: 0.02,
            system: 0.01,
            direct: 0.005,
            same_millisecond: 0.005,
            guild_skew: 0.8,
            member_skew: 0.9,
        }
    }
}

/// The level rules that the oracle applies, written independently of any bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelRules {
    /// The least XP of one award.
    pub xp_min: u64,
    /// The most XP of one award.
    pub xp_max: u64,
    /// How long after an award the next one may come, in milliseconds of message time; 0 awards every message.
    pub cooldown_ms: u64,
}

impl Default for LevelRules {
    fn default() -> Self {
        Self {
            xp_min: 15,
            xp_max: 25,
            cooldown_ms: 60_000,
        }
    }
}

/// How the gateway behaves, above all where Discord documents nothing.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each switches one behaviour, and any may go with any"
)]
pub struct GatewayRules {
    /// The interval that HELLO asks for. A client that stays silent for twice as long is cut off.
    pub heartbeat_interval: Duration,
    /// How long a session without a connection can be resumed.
    pub session_ttl: Duration,
    /// How many events a session keeps for a RESUME; older ones are refused as `below_buffer` says.
    pub replay_limit: u64,
    /// How many events of the world are kept in all, for replays, for message history and for the oracle's
    /// `expected_at`; about 36 bytes each.
    pub history_limit: u64,
    /// How many unsent events a connection is given in [`Rate::Full`].
    pub unsent_limit: u64,
    /// Whether a heartbeat's sequence lets the session forget events up to it. Discord does not say whether it does.
    pub heartbeat_prunes: bool,
    /// What a RESUME below the forgotten point gets.
    pub pruned_resume: PrunedResume,
    /// What a RESUME of a session that is unknown or over gets.
    pub lost_session: Refusal,
    /// What a RESUME below the replay buffer gets.
    pub below_buffer: Refusal,
    /// What happens to the old connection when its session is resumed on another.
    pub duplicate: Duplicate,
    /// The close code for a client that stopped its heartbeats; `None` cuts the connection without a close frame.
    pub zombie_close: Option<u16>,
    /// How many IDENTIFYs may come in one `identify_window`, by `shard_id % max_concurrency`. Discord gives small
    /// bots 1; the default is larger, so that a start is quick.
    pub max_concurrency: u32,
    /// The time in which one IDENTIFY a bucket is allowed.
    pub identify_window: Duration,
    /// How many IDENTIFYs are allowed in 24 hours.
    pub identify_total: u32,
    /// How many events a client may send in 60 seconds before it is closed with 4008.
    pub client_events_per_minute: u32,
    /// Which of the privileged intents are switched on; asking for another is answered with 4014.
    pub privileged_intents: u64,
    /// More guilds than this on one shard are refused with 4011.
    pub guilds_per_shard: u32,
    /// Sends plain text whatever compression the client asked for.
    pub plain_text: bool,
    /// How many members a `GUILD_CREATE` lists.
    pub guild_create_members: u32,
    /// The data of HELLO, sent unchanged, valid or not; `None` for the heartbeat interval.
    pub hello: Option<String>,
    /// Fields of READY that have another value, or are left out.
    pub ready_fields: Vec<(String, Option<Value>)>,
    /// Answers neither IDENTIFY nor RESUME.
    pub silent: bool,
    /// Delivers every second event before the one that it follows.
    pub swaps_events: bool,
    /// `GUILD_CREATE` contains the last message but one of each channel.
    pub late_last_messages: bool,
}

impl Default for GatewayRules {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_millis(41_250),
            session_ttl: Duration::from_mins(2),
            replay_limit: 2_000_000,
            history_limit: 8_000_000,
            unsent_limit: 4_096,
            heartbeat_prunes: false,
            pruned_resume: PrunedResume::Omit,
            lost_session: Refusal::InvalidSession,
            below_buffer: Refusal::InvalidSession,
            duplicate: Duplicate::CloseOld(4000),
            zombie_close: Some(4009),
            max_concurrency: 16,
            identify_window: Duration::from_secs(5),
            identify_total: 1_000,
            client_events_per_minute: 120,
            privileged_intents: INTENT_GUILD_MEMBERS | INTENT_GUILD_PRESENCES | INTENT_MESSAGE_CONTENT,
            guilds_per_shard: 2_500,
            plain_text: false,
            guild_create_members: 8,
            hello: None,
            ready_fields: Vec::new(),
            silent: false,
            swaps_events: false,
            late_last_messages: false,
        }
    }
}

/// What a RESUME below the point that a heartbeat let the session forget gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrunedResume {
    /// The forgotten events are left out silently; the client sees a jump of the sequence.
    Omit,
    /// The RESUME is refused with op 9 `false`.
    InvalidSession,
}

/// How a RESUME is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Op 9 with `d: false`.
    InvalidSession,
    /// The connection is closed with this code, for example 4007 or 4009.
    Close(u16),
}

/// What happens to the old connection when its session is resumed on another. Discord does not document it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicate {
    /// The old connection stays open, gets its heartbeats acknowledged and no more events.
    LeaveOpen,
    /// The old connection is closed with this code.
    CloseOld(u16),
}

/// How REST behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct RestRules {
    /// Whether a request over a limit gets 429.
    pub enforce: bool,
    /// The limit of messages in one channel.
    pub messages: Limit,
    /// The limit of every other bucket.
    pub other: Limit,
    /// How many requests a second are allowed over all buckets; interaction answers do not count.
    pub global_per_second: u32,
    /// How long a nonce with `enforce_nonce` is remembered.
    pub nonce_memory: Duration,
    /// How long the first answer to an interaction may take: 3 s on Discord. Tests on busy machines allow more.
    pub first_answer: Duration,
    /// How many seconds the `Date` of responses is ahead of this host's clock.
    pub date_offset: i64,
}

impl Default for RestRules {
    fn default() -> Self {
        Self {
            enforce: true,
            messages: Limit {
                requests: 5,
                per: Duration::from_secs(5),
            },
            other: Limit {
                requests: 20,
                per: Duration::from_secs(5),
            },
            global_per_second: 50,
            nonce_memory: Duration::from_mins(5),
            first_answer: Duration::from_secs(3),
            date_offset: 0,
        }
    }
}

/// How people sign in with the bot's application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthRules {
    /// The application's secret. Its client ID is the bot's ID.
    pub client_secret: String,
    /// The addresses that an application may send people back to; with none, every `http` and `https` address.
    pub redirect_uris: Vec<String>,
    /// What the page for authorization does.
    pub consent: Consent,
    /// How long an authorization code can be exchanged.
    pub code_ttl: Duration,
    /// How long an access token is valid.
    pub token_ttl: Duration,
}

impl Default for OAuthRules {
    fn default() -> Self {
        Self {
            client_secret: "sim-secret".to_owned(),
            redirect_uris: Vec::new(),
            consent: Consent::Ask,
            code_ttl: Duration::from_mins(1),
            token_ttl: Duration::from_hours(168),
        }
    }
}

/// Who answers the application's question for authorization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// The person at the browser, on a page with a button for each of some users.
    #[default]
    Ask,
    /// This user agrees at once.
    As(u64),
    /// The user refuses at once.
    Deny,
}

/// So many requests in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many requests.
    pub requests: u32,
    /// In how much time, counted from the first of them.
    pub per: Duration,
}
