//! The kinds of effects of moderation, each with what leads to it.

use discord_simulator::SentFile;
use serde_json::{Value, json};

use super::{Case, End, LOG, REPORTS, Try};
use crate::support::{moderators::of_type, until};

/// Discord's codes: <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>.
pub(super) const UNKNOWN_CHANNEL: u64 = 10_003;
pub(super) const UNKNOWN_GUILD: u64 = 10_004;
pub(super) const UNKNOWN_MEMBER: u64 = 10_007;
pub(super) const UNKNOWN_MESSAGE: u64 = 10_008;
pub(super) const UNKNOWN_OVERWRITE: u64 = 10_009;
pub(super) const UNKNOWN_ROLE: u64 = 10_011;
pub(super) const UNKNOWN_USER: u64 = 10_013;
pub(super) const UNKNOWN_BAN: u64 = 10_026;
pub(super) const MISSING_ACCESS: u64 = 50_001;
pub(super) const CLOSED: u64 = 50_007;
pub(super) const MISSING_PERMISSIONS: u64 = 50_013;

const NOT_CARRIED_OUT: End = End::Told("was not carried out");

fn quiet() -> Value {
    of_type(5, "dm", false)
}

fn reason() -> Value {
    of_type(3, "reason", "spam")
}

/// A warning, with points that lead to a timeout if there are enough.
async fn warn(it: &Try<'_>, points: i64, dm: bool) {
    let options = json!([
        it.member("member"),
        reason(),
        of_type(4, "points", points),
        of_type(5, "dm", dm)
    ]);
    it.command("warn", options).await;
}

/// A report of the member about another one.
async fn report(it: &Try<'_>) {
    let other = of_type(6, "member", it.stage.user(26).to_string());
    it.command_by(it.user, "report", json!([other, reason()])).await;
}

/// The report of the member in the staff's channel.
fn reported(it: &Try<'_>) -> Option<Value> {
    let by = format!("By <@{}>", it.user);
    it.messages(it.channel(REPORTS), &[&by]).pop()
}

fn in_timeout(it: &Try<'_>) -> bool {
    it.stage.control().timeout_of(it.guild(), it.user).is_some()
}

fn is_banned(it: &Try<'_>) -> bool {
    it.stage.control().is_banned(it.guild(), it.user)
}

pub(super) fn post(channel: u64) -> String {
    format!("POST /channels/{channel}/messages")
}

pub(super) fn member_route(it: &Try<'_>) -> String {
    format!("PATCH /guilds/{}/members/{}", it.guild(), it.user)
}

fn ban_route(it: &Try<'_>, method: &str) -> String {
    format!("{method} /guilds/{}/bans/{}", it.guild(), it.user)
}

pub(super) const CASES: &[Case] = &[
    Case {
        kind: "mod_action",
        route: |it| ban_route(it, "PUT"),
        before: |_| Box::pin(async {}),
        cause: |it| {
            Box::pin(async move { drop(it.command("ban", json!([it.member("user"), quiet()])).await) })
        },
        seen: |it| is_banned(it).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, NOT_CARRIED_OUT),
            (404, UNKNOWN_GUILD, NOT_CARRIED_OUT),
            (404, UNKNOWN_USER, End::Over),
        ],
    },
    Case {
        kind: "mod_lift",
        route: |it| ban_route(it, "DELETE"),
        before: |it| {
            Box::pin(async move { drop(it.command("ban", json!([it.member("user"), quiet()])).await) })
        },
        cause: |it| Box::pin(async move { drop(it.command("unban", json!([it.member("user")])).await) }),
        seen: |it| (!is_banned(it)).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, NOT_CARRIED_OUT),
            (404, UNKNOWN_GUILD, NOT_CARRIED_OUT),
            (404, UNKNOWN_BAN, End::Over),
        ],
    },
    // A member who cannot be reached is kicked all the same.
    Case {
        kind: "mod_message",
        route: |it| post(it.direct()),
        before: |_| Box::pin(async {}),
        cause: |it| {
            Box::pin(async move {
                let options = json!([it.member("member"), of_type(5, "dm", true)]);
                it.command("kick", options).await;
                until("the member is kicked", async || {
                    let left = it.stage.control().has_left(it.guild(), it.user);
                    (left == Some(true)).then_some(())
                })
                .await;
            })
        },
        seen: |it| it.messages(it.direct(), &[]).len(),
        refused: &[(403, CLOSED, End::Over), (404, UNKNOWN_CHANNEL, End::Over)],
    },
    Case {
        kind: "punishment",
        route: member_route,
        before: |_| Box::pin(async {}),
        cause: |it| Box::pin(warn(it, 50, false)),
        seen: |it| in_timeout(it).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, NOT_CARRIED_OUT),
            (404, UNKNOWN_MEMBER, End::Over),
        ],
    },
    Case {
        kind: "timeout_lift",
        route: member_route,
        before: |it| {
            Box::pin(async move {
                warn(it, 50, false).await;
                until("the timeout runs", async || in_timeout(it).then_some(())).await;
            })
        },
        cause: |it| {
            Box::pin(async move {
                let moderator = it.stage.moderator();
                let options = json!([of_type(4, "case", it.case().await)]);
                let removed = it.command_by(moderator, "warning remove", options).await;
                it.press(moderator, removed.reply().expect("a reply"), 0).await;
            })
        },
        seen: |it| (!in_timeout(it)).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, NOT_CARRIED_OUT),
            (404, UNKNOWN_MEMBER, End::Over),
        ],
    },
    Case {
        kind: "warned",
        route: |it| post(it.direct()),
        before: |_| Box::pin(async {}),
        cause: |it| Box::pin(warn(it, 1, true)),
        seen: |it| it.messages(it.direct(), &[]).len(),
        refused: &[(403, CLOSED, End::Over), (404, UNKNOWN_CHANNEL, End::Over)],
    },
    Case {
        kind: "mod_case_log",
        route: |it| post(it.channel(LOG)),
        before: |_| Box::pin(async {}),
        cause: |it| Box::pin(warn(it, 1, false)),
        seen: |it| it.about(it.channel(LOG), ""),
        refused: &[
            (403, MISSING_ACCESS, End::Abandoned),
            (404, UNKNOWN_CHANNEL, End::Abandoned),
        ],
    },
    Case {
        kind: "mod_case_log_edit",
        route: |it| format!("PATCH /channels/{}/messages/*", it.channel(LOG)),
        before: |it| Box::pin(warn(it, 1, false)),
        cause: |it| {
            Box::pin(async move {
                let options = json!([of_type(4, "case", it.case().await)]);
                it.command("case hide", options).await;
            })
        },
        seen: |it| it.about(it.channel(LOG), "Hidden from lists"),
        refused: &[
            (403, MISSING_ACCESS, End::Abandoned),
            (404, UNKNOWN_MESSAGE, End::Over),
            (404, UNKNOWN_CHANNEL, End::Over),
        ],
    },
    Case {
        kind: "mod_log",
        route: |it| post(it.channel(LOG)),
        before: |it| Box::pin(warn(it, 1, false)),
        cause: |it| {
            Box::pin(async move {
                let options = json!([of_type(4, "case", it.case().await), of_type(3, "note", "Seen")]);
                it.command("case note", options).await;
            })
        },
        seen: |it| it.about(it.channel(LOG), "added a note"),
        refused: &[
            (403, MISSING_ACCESS, End::Abandoned),
            (404, UNKNOWN_CHANNEL, End::Abandoned),
        ],
    },
    Case {
        kind: "mod_evidence",
        route: |it| post(it.channel(LOG)),
        before: |it| Box::pin(warn(it, 1, false)),
        cause: |it| {
            Box::pin(async move {
                let file = SentFile {
                    name: format!("{}.png", it.user),
                    content_type: "image/png".to_owned(),
                    content: vec![7; 9],
                };
                let id = it.stage.control().upload(file).to_string();
                let options = json!([of_type(4, "case", it.case().await), of_type(11, "file", id)]);
                it.command("case evidence", options).await;
            })
        },
        seen: |it| {
            let name = format!("{}.png", it.user);
            let messages = it.messages(it.channel(LOG), &["Evidence"]);
            messages
                .iter()
                .filter(|message| message["attachments"][0]["filename"] == *name)
                .count()
        },
        refused: &[
            (403, MISSING_ACCESS, End::Told("could not be kept")),
            (404, UNKNOWN_CHANNEL, End::Told("could not be kept")),
        ],
    },
    Case {
        kind: "massban",
        route: |it| format!("POST /guilds/{}/bulk-ban", it.guild()),
        before: |_| Box::pin(async {}),
        cause: |it| {
            Box::pin(async move {
                let moderator = it.stage.moderator();
                let options = json!([of_type(3, "users", it.user.to_string())]);
                let asked = it.command_by(moderator, "massban", options).await;
                let shown = until("the preview is there", async || {
                    let shown = it.stage.control().interaction(asked.id)?.reply()?.clone();
                    shown["components"][0].is_object().then_some(shown)
                })
                .await;
                it.press(moderator, &shown, 0).await;
            })
        },
        seen: |it| is_banned(it).into(),
        refused: &[
            (403, MISSING_PERMISSIONS, End::Told("0 of 1 users")),
            (404, UNKNOWN_GUILD, End::Told("0 of 1 users")),
        ],
    },
    Case {
        kind: "report",
        route: |it| post(it.channel(REPORTS)),
        before: |_| Box::pin(async {}),
        cause: |it| Box::pin(report(it)),
        seen: |it| it.about(it.channel(REPORTS), "By <@"),
        refused: &[
            (403, MISSING_ACCESS, End::Told("could not be shown")),
            (404, UNKNOWN_CHANNEL, End::Told("could not be shown")),
        ],
    },
    Case {
        kind: "report_closed",
        route: |it| post(it.direct()),
        before: |it| Box::pin(report(it)),
        cause: |it| {
            Box::pin(async move {
                let message = reported(it).expect("a report");
                it.press(it.stage.moderator(), &message, 1).await;
            })
        },
        seen: |it| it.messages(it.direct(), &[]).len(),
        refused: &[(403, CLOSED, End::Over), (404, UNKNOWN_CHANNEL, End::Over)],
    },
];
