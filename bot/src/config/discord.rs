//! `[discord]`: the bot's identity and Discord's addresses.

use std::time::Duration;

use crate::config::{
    Secret, address,
    guarded::Guarded,
    reader::{Reader, Text, Whole},
};

/// The allowed form of a token, for error messages.
pub(super) const TOKEN_ALLOWED: &str = "the bot's token as the Developer Portal shows it (Bot, Reset Token)";

/// The bot's token and Discord's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discord {
    /// The bot's token, from `token`, `token_file` or `DISCORD_TOKEN`. See
    /// [`Config::require_token`](crate::config::Config::require_token).
    pub token: Option<Secret>,
    /// Base URL of the REST API: `scheme://host[:port]`, without a path or a trailing slash.
    pub api_url: String,
    /// The URL of the gateway, `ws://` or `wss://`, without a path or a trailing slash; `None` uses the answer of `GET /gateway/bot`.
    pub gateway_url: Option<String>,
    /// Base URL of a proxy that enforces Discord's rate limits for all its users, such as twilight's http-proxy. REST requests go there
    /// instead of to `api_url`, and of the limits only a 429 is observed here. With `None`, the limits are kept here.
    pub proxy_url: Option<String>,
    /// Base URL of the server that has the images: `scheme://host[:port]`, without a path or a trailing slash.
    pub cdn_url: String,
    /// The maximum duration of one attempt at a request, including connecting and the answer's body. If it is too short, requests that
    /// Discord carried out are taken for failed; if it is too long, one request delays all others of its bucket.
    pub request_timeout: Duration,
    /// The maximum number of requests per second for the whole bot, except responses to interactions.
    pub requests_per_second: u32,
    /// The number of invalid requests (401, 403, 429) in 10 minutes at which all requests but those for interactions stop. At 10,000
    /// Discord bans the address, and requests by other programs at that address count too.
    pub invalid_requests_limit: u32,
    /// Whether the bot receives joins and leaves, which requires the [Server Members
    /// Intent](https://docs.discord.com/developers/events/gateway#privileged-intents).
    pub member_events: bool,
    /// Whether the bot receives the content of messages, which requires the Message Content Intent. It is read for commands and never
    /// stored.
    pub message_content: bool,
}

impl Discord {
    /// The base URL for REST requests: the proxy's, or else the API's.
    pub fn rest_url(&self) -> &str {
        self.proxy_url.as_ref().unwrap_or(&self.api_url)
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("discord", "The bot's identity and Discord's addresses.");
        Self {
            token: section.secret(&Guarded {
                name: "token",
                file: "token_file",
                variable: "DISCORD_TOKEN",
                allowed: TOKEN_ALLOWED,
                why: "The bot's token; a file (token_file) is safer than this line.",
                fault: token_fault,
            }),
            api_url: section.text(
                &Text {
                    name: "api_url",
                    default: "https://discord.com",
                    allowed: "http:// or https://, host and port, without a path",
                    why: "Address of the REST API; change it only for a simulator.",
                },
                |text| address::base(text, &["http", "https"]),
            ),
            gateway_url: section.optional_text(
                &Text {
                    name: "gateway_url",
                    default: "",
                    allowed: "ws:// or wss://, host and port, without a path",
                    why: "Address of the gateway; normally empty, so that Discord supplies it.",
                },
                |text| address::base(text, &["ws", "wss"]),
            ),
            proxy_url: section.optional_text(
                &Text {
                    name: "proxy_url",
                    default: "",
                    allowed: "http:// or https://, host and port, without a path",
                    why: "A rate-limiting proxy shared by several programs with one token; it replaces the bot's own limits.",
                },
                |text| address::base(text, &["http", "https"]),
            ),
            cdn_url: section.text(
                &Text {
                    name: "cdn_url",
                    default: "https://cdn.discordapp.com",
                    allowed: "http:// or https://, host and port, without a path",
                    why: "Where avatars for rank cards are downloaded; without an avatar a card shows a letter.",
                },
                |text| address::base(text, &["http", "https"]),
            ),
            request_timeout: section.seconds(Whole {
                name: "request_timeout_seconds",
                default: 10,
                range: 1..=120,
                unit: "seconds",
                why: "Timeout of each attempt at a REST request; Discord may have carried out a request that timed out.",
            }),
            requests_per_second: section.whole(Whole {
                name: "requests_per_second",
                default: 50,
                range: 1..=10_000,
                unit: "requests a second",
                why: "Global rate limit of the whole bot; Discord allows 50, and more only to very large bots.",
            }),
            invalid_requests_limit: section.whole(Whole {
                name: "invalid_requests_limit",
                default: 5_000,
                range: 100..=9_000,
                unit: "requests",
                why: "This many refused requests (401, 403, 429) in 10 minutes stop all but interactions; Discord bans at 10,000.",
            }),
            member_events: section.boolean(
                "member_events",
                false,
                "Welcome messages and handling of leaving members; needs the Server Members Intent in the Developer Portal.",
            ),
            message_content: section.boolean(
                "message_content",
                false,
                "Commands written as messages (!rank); needs the Message Content Intent in the Developer Portal.",
            ),
        }
    }
}

/// Why `text` cannot be a token. Only Discord knows whether a token is valid; this check finds typing errors.
fn token_fault(text: &str) -> Option<String> {
    let token = text.strip_prefix("Bot ").unwrap_or(text);
    if token.is_empty() {
        Some("nothing".to_owned())
    } else if token.chars().any(|character| !character.is_ascii_graphic()) {
        Some("text with spaces or other characters that no token has (not shown)".to_owned())
    } else {
        None
    }
}
