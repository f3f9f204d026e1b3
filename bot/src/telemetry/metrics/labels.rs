//! Values of labels that are known in advance, so that their series exist from the start.

/// The reasons for missed events.
pub const GAP_REASONS: &[&str] = &[
    "sequence",
    "reshard",
    "protocol",
    "invalid_session",
    "invalid_sequence",
    "session_timed_out",
    "resume_failed",
];

/// The close codes of gateway connections, with values for none and for any other.
///
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>
pub const CLOSE_CODES: &[&str] = &[
    "none", "other", "1000", "1001", "1006", "1011", "1012", "4000", "4001", "4002", "4003", "4004", "4005",
    "4007", "4008", "4009", "4010", "4011", "4012", "4013", "4014",
];

/// The classes of errors: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
pub const ERROR_CLASSES: &[&str] = &[
    "pool",
    "connection",
    "silence",
    "tls",
    "08 connection exception",
    "22 data exception",
    "23 integrity constraint violation",
    "25 invalid transaction state",
    "28 invalid authorization",
    "40 transaction rollback",
    "42 syntax error or access rule violation",
    "53 insufficient resources",
    "54 program limit exceeded",
    "55 object not in prerequisite state",
    "57 operator intervention",
    "58 system error",
    "P0 PL/pgSQL error",
    "XX internal error",
    "other",
];

/// The reasons for reading from the primary although there is a replica.
pub const READ_FALLBACKS: &[&str] = &[
    "unreachable",
    "behind",
    "unknown",
    "promoted",
    "foreign",
    "diverged",
];

/// The clocks with which this host's clock is compared.
pub const CLOCK_SOURCES: &[&str] = &["discord", "database"];

/// Outcomes of getting an avatar.
pub const AVATAR_OUTCOMES: &[&str] = &[
    "cached",
    "fetched",
    "unconnected",
    "timeout",
    "status",
    "type",
    "too_large",
    "unreadable",
    "busy",
    "failed_before",
];

/// Outcomes of drawing a rank card.
pub const CARD_OUTCOMES: &[&str] = &["drawn", "cached", "busy", "failed"];

/// Outcomes of requests to Discord.
pub const REST_OUTCOMES: &[&str] = &[
    "2xx",
    "3xx",
    "401",
    "403",
    "429",
    "4xx",
    "5xx",
    "timeout",
    "unconnected",
    "broken",
];
