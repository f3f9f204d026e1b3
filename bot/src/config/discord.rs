//! `[discord]`: who the bot is, and where Discord is.

use crate::config::{
    Secret, address,
    guarded::Guarded,
    reader::{Reader, Text},
};

/// What a token can be, for a problem's line.
pub(super) const TOKEN_ALLOWED: &str = "the bot's token as the Developer Portal shows it (Bot, Reset Token)";

/// Discord's addresses and the bot's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discord {
    /// The bot's token, from `token`, `token_file` or `DISCORD_TOKEN`. See
    /// [`Config::require_token`](crate::config::Config::require_token).
    pub token: Option<Secret>,
    /// Base of the REST API: `scheme://host[:port]`, without a path and without a slash at the end.
    pub api_url: String,
    /// Address of the gateway, `ws://` or `wss://`, without a path and without a slash at the end; `None`:
    /// what `GET /gateway/bot` says.
    pub gateway_url: Option<String>,
}

impl Discord {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("discord", "Who the bot is, and where Discord is.");
        Self {
            token: section.secret(&Guarded {
                name: "token",
                file: "token_file",
                variable: "DISCORD_TOKEN",
                allowed: TOKEN_ALLOWED,
                why: "The bot's password; DISCORD_TOKEN gives it too, and a file is safer than this line.",
                fault: token_fault,
            }),
            api_url: section.text(
                &Text {
                    name: "api_url",
                    default: "https://discord.com",
                    allowed: "http:// or https://, host and port, without a path",
                    why: "Where the REST API is; only a simulator or a proxy needs another address.",
                },
                |text| address::base(text, &["http", "https"]),
            ),
            gateway_url: section.optional_text(
                &Text {
                    name: "gateway_url",
                    default: "",
                    allowed: "ws:// or wss://, host and port, without a path",
                    why: "Where the gateway is; without it Discord says so itself, which is what you want.",
                },
                |text| address::base(text, &["ws", "wss"]),
            ),
        }
    }
}

/// Why `text` cannot be a token. Discord alone knows whether it is the right one; this finds slips of the
/// hand.
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
