//! Values of labels that are known beforehand, so that their series exist before anything has happened.

/// Every reason for which events can be missed: the values of the gaps' label.
pub const GAP_REASONS: &[&str] = &[
    "sequence",
    "reshard",
    "protocol",
    "invalid_session",
    "invalid_sequence",
    "session_timed_out",
    "resume_failed",
];

/// The codes with which Discord closes connections, and what stands for none and for any other: the values of the closes' label.
///
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>
pub const CLOSE_CODES: &[&str] = &[
    "none", "other", "1000", "1001", "1006", "1011", "1012", "4000", "4001", "4002", "4003", "4004", "4005",
    "4007", "4008", "4009", "4010", "4011", "4012", "4013", "4014",
];

/// Every class of an error: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
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

/// Why a read goes to the primary although there is a replica.
pub const READ_FALLBACKS: &[&str] = &[
    "unreachable",
    "behind",
    "unknown",
    "promoted",
    "foreign",
    "diverged",
];

/// Kinds of changes in quarantine: the values of a label, and of `quarantine.kind`.
pub const QUARANTINED_KINDS: &[&str] = &["member", "joined", "left", "guild", "gap", "effect"];

/// Clocks that this host's is compared with.
pub const CLOCK_SOURCES: &[&str] = &["discord", "database"];

/// Kinds of effects. A test holds them to the features.
pub const EFFECT_KINDS: &[&str] = &[
    "level_up",
    "roles",
    "notice",
    "punishment",
    "timeout_lift",
    "warned",
    "mod_log",
    "welcome",
];

/// What can become of a wish for an avatar, as a label.
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
