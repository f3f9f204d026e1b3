//! What a request is, as far as limits, labels and log lines are concerned: never its ids, never its token.

use std::{
    hash::{BuildHasher as _, Hash},
    sync::Arc,
};

use rustc_hash::FxBuildHasher;

/// Every word that stands in a route of API v10. What is none of them is an id, a token, a code or an emoji, so a template can
/// hold neither, and there are only as many as Discord has routes.
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
    /// Method and path without ids, tokens, codes and query: `POST channels/{id}/messages`.
    pub(super) template: Arc<str>,
    /// The template as a number.
    pub(super) key: u64,
    /// Discord limits each channel, guild, webhook and interaction by itself; its id (with its token) as a number, 0 without.
    /// <https://discord.com/developers/docs/topics/rate-limits>
    pub(super) major: u64,
    /// Whether it is an interaction's or webhook's own, with its token in the path: neither the bot's global limit nor its
    /// brake is for these.
    pub(super) exempt: bool,
    /// Whether it finds out if Discord accepts the token, and is sent although Discord refused it.
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
                // An emoji can be called like anything.
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

    /// The route of a request that finds out whether Discord accepts the token.
    pub(super) fn probe(method: &str, path: &str) -> Self {
        Self {
            probes_token: true,
            ..Self::of(method, path)
        }
    }

    /// Whether it is held while Discord refuses the token. Exempt routes carry a token of their own.
    pub(super) const fn needs_accepted_token(&self) -> bool {
        !self.exempt && !self.probes_token
    }
}

fn is_id(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// Anything as a number: keys of maps then hold no tokens and are as small as can be.
pub(super) fn number<T: Hash + ?Sized>(value: &T) -> u64 {
    FxBuildHasher.hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn a_template_holds_no_ids_tokens_codes_or_queries() {
        for (method, path, template) in [
            ("POST", "channels/7/messages", "POST channels/{id}/messages"),
            (
                "GET",
                "channels/7/messages?limit=5&after=9",
                "GET channels/{id}/messages",
            ),
            (
                "PUT",
                "guilds/1/members/2/roles/3",
                "PUT guilds/{id}/members/{id}/roles/{id}",
            ),
            ("GET", "guilds/1/members/@me", "GET guilds/{id}/members/@me"),
            (
                "PUT",
                "channels/1/messages/2/reactions/%E2%AD%90/@me",
                "PUT channels/{id}/messages/{id}/reactions/{emoji}/@me",
            ),
            (
                "POST",
                "interactions/5/aW50ZXJh/callback",
                "POST interactions/{id}/{text}/callback",
            ),
            (
                "PATCH",
                "webhooks/5/aW50ZXJh/messages/@original",
                "PATCH webhooks/{id}/{text}/messages/@original",
            ),
            ("GET", "invites/rust-lang", "GET invites/{text}"),
            ("GET", "gateway/bot", "GET gateway/bot"),
        ] {
            assert_eq!(&*Route::of(method, path).template, template);
        }
    }

    #[test]
    fn majors_are_what_discord_limits_by_itself() {
        let major = |path: &str| Route::of("GET", path).major;
        assert_eq!(major("channels/1/messages/2"), major("channels/1/pins"));
        assert_ne!(major("channels/1/messages/2"), major("channels/2/messages/2"));
        assert_ne!(major("channels/1"), major("guilds/1"));
        assert_ne!(
            major("interactions/1/a/callback"),
            major("interactions/1/b/callback")
        );
        assert_eq!((major("users/1"), major("guilds/templates/abc")), (0, 0));
    }

    #[test]
    fn only_what_has_a_token_of_its_own_is_exempt() {
        let exempt = |path: &str| Route::of("POST", path).exempt;
        assert!(exempt("interactions/1/token/callback"));
        assert!(exempt("webhooks/1/token") && exempt("webhooks/1/token/messages/@original"));
        assert!(!exempt("webhooks/1") && !exempt("channels/1/webhooks") && !exempt("channels/1/messages"));
    }
}
