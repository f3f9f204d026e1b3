//! The kinds of effects on channels, roles and messages besides moderation, each with what leads to it.

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use super::{
    CHANNEL, Case, End, LOG, REPORTS, Try,
    cases::{
        MISSING_ACCESS, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, UNKNOWN_MEMBER, UNKNOWN_MESSAGE,
        UNKNOWN_OVERWRITE, UNKNOWN_ROLE, member_route, post,
    },
};
use crate::support::moderators::of_type;

fn in_channel(it: &Try<'_>) -> Value {
    of_type(7, "channel", it.channel(CHANNEL).to_string())
}

fn is_locked(it: &Try<'_>) -> bool {
    !it.stage.control().overwrites_of(it.channel(CHANNEL)).is_empty()
}

fn overwrite_route(it: &Try<'_>, method: &str) -> String {
    format!("{method} /channels/{}/permissions/*", it.channel(CHANNEL))
}

fn role_route(it: &Try<'_>) -> String {
    format!("PUT /guilds/{}/members/{}/roles/*", it.guild(), it.user)
}

fn channel_route(it: &Try<'_>) -> String {
    format!("PATCH /channels/{}", it.channel(CHANNEL))
}

/// A slow mode of half a minute, for an hour or until it is changed.
async fn slow(it: &Try<'_>, lasts: Option<&str>) {
    let mut options = vec![of_type(3, "duration", "30s"), in_channel(it)];
    options.extend(lasts.map(|lasts| of_type(3, "for", lasts)));
    it.command("slowmode", options.into()).await;
}

fn slowmode(it: &Try<'_>) -> Option<u64> {
    it.stage.control().slowmode_of(it.channel(CHANNEL))
}

/// Two messages of the member.
fn write(it: &Try<'_>) {
    let control = it.stage.control();
    let write = |_| control.write_message(it.channel(CHANNEL), it.user, "hello", &json!({}));
    it.written.borrow_mut().extend((0..2).filter_map(write));
}

/// Where this attempt welcomes.
fn greeting(it: &Try<'_>) -> u64 {
    it.channel([4, REPORTS][it.number])
}

/// Before all others: a channel that has refused any message is skipped by welcomes for some minutes.
pub(super) const WELCOMES: &[Case] = &[Case {
    kind: "welcome",
    route: |it| post(greeting(it)),
    before: |it| {
        Box::pin(async move {
            let (guild, channel) = (it.guild(), greeting(it));
            let sql = format!(
                "UPDATE guild_settings SET welcome_channel_id = {channel}, welcome_template = '{{user.id}}' WHERE guild_id = {guild}"
            );
            it.stage.execute(&sql).await;
            // The bot has read it when it knows what was changed after it.
            it.stage.log_to(REPORTS).await;
            it.stage.log_to(LOG).await;
        })
    },
    cause: |it| Box::pin(it.add("welcome", Some(greeting(it)), json!({}))),
    seen: |it| it.about(greeting(it), ""),
    refused: &[
        (404, UNKNOWN_CHANNEL, End::Abandoned),
        (403, MISSING_ACCESS, End::Abandoned),
    ],
}];

pub(super) const CASES: &[Case] = &[
    Case {
        kind: "channel_lock",
        route: |it| overwrite_route(it, "PUT"),
        before: |_| Box::pin(async {}),
        cause: |it| Box::pin(async move { drop(it.command("lock", json!([in_channel(it)])).await) }),
        seen: |it| is_locked(it).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, End::Told("could not be locked")),
            (404, UNKNOWN_CHANNEL, End::Told("could not be locked")),
        ],
    },
    Case {
        kind: "channel_unlock",
        route: |it| overwrite_route(it, "DELETE"),
        before: |it| Box::pin(async move { drop(it.command("lock", json!([in_channel(it)])).await) }),
        cause: |it| Box::pin(async move { drop(it.command("unlock", json!([in_channel(it)])).await) }),
        seen: |it| (!is_locked(it)).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, End::Told("could not be unlocked")),
            (404, UNKNOWN_CHANNEL, End::Over),
            (404, UNKNOWN_OVERWRITE, End::Over),
        ],
    },
    Case {
        kind: "channel_slowmode",
        route: channel_route,
        before: |_| Box::pin(async {}),
        cause: |it| Box::pin(slow(it, None)),
        seen: |it| (slowmode(it) == Some(30)).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, End::Told("could not be changed.")),
            (404, UNKNOWN_CHANNEL, End::Told("could not be changed.")),
        ],
    },
    Case {
        kind: "channel_slowmode_end",
        route: channel_route,
        before: |it| Box::pin(slow(it, Some("1h"))),
        cause: |it| {
            Box::pin(async move {
                it.stage.make_due("channel_slowmode_end").await;
            })
        },
        seen: |it| (slowmode(it) == Some(0)).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, End::Told("could not be changed back")),
            (404, UNKNOWN_CHANNEL, End::Over),
        ],
    },
    Case {
        kind: "purge",
        route: |it| format!("POST /channels/{}/messages/bulk-delete", it.channel(CHANNEL)),
        before: |_| Box::pin(async {}),
        cause: |it| {
            Box::pin(async move {
                write(it);
                let options = json!([of_type(4, "count", 2), it.member("user")]);
                let request = InteractionRequest {
                    channel_id: Some(it.channel(CHANNEL)),
                    ..it.request(it.stage.moderator(), "purge", options)
                };
                it.stage.ask(&request).await;
            })
        },
        seen: |it| {
            let left = it.stage.control().written_messages(it.channel(CHANNEL));
            let written = it.written.borrow();
            (!written.iter().any(|id| left.contains(id))).into()
        },
        refused: &[
            (403, MISSING_PERMISSIONS, End::Told("stopped.")),
            (404, UNKNOWN_CHANNEL, End::Told("stopped.")),
            (404, UNKNOWN_MESSAGE, End::Over),
        ],
    },
    Case {
        kind: "role_change",
        route: role_route,
        before: |_| Box::pin(async {}),
        cause: |it| {
            Box::pin(async move {
                let options = json!([it.member("member"), of_type(8, "role", it.role.to_string())]);
                it.command("role add", options).await;
            })
        },
        seen: |it| {
            let roles = it.stage.control().member_roles(it.guild(), it.user);
            roles.is_some_and(|roles| roles.contains(&it.role)).into()
        },
        refused: &[
            (403, MISSING_PERMISSIONS, End::Told("did not get the role")),
            (404, UNKNOWN_MEMBER, End::Told("did not get the role")),
            (404, UNKNOWN_ROLE, End::Told("did not get the role")),
        ],
    },
    Case {
        kind: "nick_change",
        route: member_route,
        before: |_| Box::pin(async {}),
        cause: |it| {
            Box::pin(async move {
                let options = json!([it.member("member"), of_type(3, "nickname", "Ada")]);
                it.command("nick", options).await;
            })
        },
        seen: |it| it.stage.control().nick_of(it.guild(), it.user).is_some().into(),
        refused: &[
            (403, MISSING_PERMISSIONS, End::Told("was not changed")),
            (404, UNKNOWN_MEMBER, End::Told("was not changed")),
        ],
    },
    Case {
        kind: "level_up",
        route: |it| post(it.elsewhere()),
        before: |_| Box::pin(async {}),
        cause: |it| {
            let level_up = json!({"level": 2, "before": 1, "xp": 9});
            Box::pin(it.add("level_up", Some(it.elsewhere()), level_up))
        },
        seen: |it| it.about(it.elsewhere(), " 2 9"),
        refused: &[
            (404, UNKNOWN_CHANNEL, End::Abandoned),
            (403, MISSING_ACCESS, End::Abandoned),
        ],
    },
    Case {
        kind: "notice",
        route: |it| post(it.channel(LOG)),
        before: |_| Box::pin(async {}),
        cause: |it| {
            let reason = it.user.to_string();
            let body = json!({"notice": "rewards_off", "reason": reason});
            Box::pin(it.add("notice", Some(it.channel(LOG)), body))
        },
        seen: |it| it.about(it.channel(LOG), ""),
        refused: &[
            (403, MISSING_ACCESS, End::Abandoned),
            (404, UNKNOWN_CHANNEL, End::Abandoned),
        ],
    },
    // Last: a role that cannot be given waits, and others with it.
    Case {
        kind: "roles",
        route: role_route,
        before: |it| {
            Box::pin(async move {
                let (guild, user) = (it.guild(), it.user);
                let sql =
                    format!("INSERT INTO member_xp (guild_id, user_id, xp) VALUES ({guild}, {user}, 1000)");
                it.stage.execute(&sql).await;
            })
        },
        cause: |it| Box::pin(it.add("roles", None, json!({}))),
        seen: |it| {
            let roles = it.stage.control().member_roles(it.guild(), it.user);
            roles.is_some_and(|roles| !roles.is_empty()).into()
        },
        refused: &[
            (404, UNKNOWN_MEMBER, End::Over),
            (403, MISSING_PERMISSIONS, End::Waits),
        ],
    },
];
