//! The route of a request for limits, labels and log lines, without IDs and tokens.

use std::{
    hash::{BuildHasher as _, Hash},
    sync::Arc,
};

use rustc_hash::FxBuildHasher;

/// All words in the routes of API v10. Everything else is an ID, a token, a code or an emoji, so templates contain none of these, and their
/// number is limited by the number of Discord's routes.
const WORDS: [&str; 79] = [
    "@me",
    "@original",
    "active",
    "answers",
    "applications",
    "archived",
    "audit-logs",
    "auto-moderation",
    "bans",
    "bot",
    "bulk-ban",
    "bulk-delete",
    "callback",
    "channels",
    "commands",
    "connections",
    "consume",
    "crosspost",
    "emojis",
    "entitlements",
    "expire",
    "followers",
    "gateway",
    "github",
    "guilds",
    "incidents",
    "integrations",
    "interactions",
    "invites",
    "ids",
    "member",
    "member-counts",
    "members",
    "messages",
    "mfa",
    "nick",
    "oauth2",
    "onboarding",
    "permissions",
    "pins",
    "polls",
    "preview",
    "private",
    "prune",
    "public",
    "reactions",
    "recipients",
    "regions",
    "role-connection",
    "roles",
    "rules",
    "scheduled-events",
    "search",
    "sku",
    "skus",
    "slack",
    "soundboard-default-sounds",
    "soundboard-sounds",
    "stage-instances",
    "sticker-packs",
    "stickers",
    "subscriptions",
    "templates",
    "thread",
    "thread-members",
    "threads",
    "typing",
    "users",
    "vanity-url",
    "voice",
    "voice-states",
    "voice-status",
    "webhooks",
    "welcome-screen",
    "widget",
    "widget.json",
    "metadata",
    "join",
    "keys",
];

/// A request's route.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The method and the path without IDs, tokens, codes and query: `POST channels/{id}/messages`.
    pub(super) template: Arc<str>,
    /// A hash of the template.
    pub(super) key: u64,
    /// Discord has separate limits for each channel, guild, webhook and interaction. This is a hash of its ID (with its token), or 0.
    /// <https://discord.com/developers/docs/topics/rate-limits>
    pub(super) major: u64,
    /// Whether it belongs to an interaction or a webhook, with a token in the path. Neither the bot's global limit nor its brake applies.
    pub(super) exempt: bool,
    /// Whether it tests if Discord accepts the token, and is therefore sent although the token was refused.
    pub(super) probes_token: bool,
}

impl Route {
    /// The route of a path below `/api/v10/`.
    pub(super) fn of(method: &str, path: &str) -> Self {
        let path = path.split('?').next().unwrap_or_default();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut template = method.to_owned();
        for (at, &segment) in segments.iter().enumerate() {
            template.push(if at == 0 { ' ' } else { '/' });
            template.push_str(match () {
                () if is_id(segment) => "{id}",
                // The name of an emoji can be any word.
                () if at > 0 && segments[at - 1] == "reactions" => "{emoji}",
                () if WORDS.contains(&segment) => segment,
                () => "{text}",
            });
        }
        let (major, exempt) = match segments.as_slice() {
            [kind @ ("webhooks" | "interactions"), id, token, ..] => (number(&(kind, id, token)), true),
            [kind @ ("channels" | "guilds" | "webhooks"), id, ..] if is_id(id) => {
                (number(&(kind, id)), false)
            }
            _ => (0, false),
        };
        Self {
            key: number(&template),
            template: template.into(),
            major,
            exempt,
            probes_token: false,
        }
    }

    /// The route of a request that tests whether Discord accepts the token.
    pub(super) fn probe(method: &str, path: &str) -> Self {
        Self {
            probes_token: true,
            ..Self::of(method, path)
        }
    }

    /// Whether it is not sent while Discord refuses the token. Exempt routes have a token of their own.
    pub(super) const fn needs_accepted_token(&self) -> bool {
        !self.exempt && !self.probes_token
    }
}

fn is_id(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// A hash, so that the keys of maps are small and contain no tokens.
pub(super) fn number<T: Hash + ?Sized>(value: &T) -> u64 {
    FxBuildHasher.hash_one(value)
}

#[cfg(test)]
mod tests;
