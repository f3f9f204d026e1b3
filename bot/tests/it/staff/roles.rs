//! `/role` and `/nick`.

use discord_simulator::{LimitScope, RestFaultKind};
use serde_json::{Value, json};

use super::stage::{BOT_MAY, MANAGE_NICKNAMES, MANAGE_ROLES, RANK, Stage, of_type};
use crate::support::{asking::text, until};

const PUT: &str = "PUT /guilds/{id}/members/{id}/roles/{id}";
const DELETE: &str = "DELETE /guilds/{id}/members/{id}/roles/{id}";
const PATCH: &str = "PATCH /guilds/{id}/members/{id}";

fn about(user: u64, role: u64, duration: Option<&str>) -> Value {
    let duration = duration.map(|duration| of_type(3, "duration", duration));
    [
        of_type(6, "member", user.to_string()),
        of_type(8, "role", role.to_string()),
    ]
    .into_iter()
    .chain(duration)
    .collect()
}

impl Stage {
    fn low_role(&self) -> u64 {
        let role = self.control().create_role(self.here.guild(), "low", 2);
        role.expect("a role")
    }

    fn has(&self, user: u64, role: u64) -> bool {
        let roles = self.control().member_roles(self.here.guild(), user);
        roles.is_some_and(|roles| roles.contains(&role))
    }

    async fn timers(&self) -> i64 {
        self.number("SELECT count(*) FROM timer WHERE guild_id <> 0")
            .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_given_and_taken() {
    let stage = Stage::new().await;
    let (user, role) = (stage.user(30), stage.low_role());
    let said = stage.asked("role add", about(user, role, None)).await;
    assert!(said.contains("has the role"), "{said}");
    assert!(stage.has(user, role));
    stage.logged("gave").await;
    let said = stage.asked("role remove", about(user, role, None)).await;
    assert!(said.contains("no longer has the role"), "{said}");
    assert!(!stage.has(user, role));
    stage.logged("took the role").await;
    for call in stage.control().rest_calls("POST /channels/{id}/messages") {
        assert_eq!(call.body["allowed_mentions"]["parse"], json!([]), "pings nobody");
    }
    stage.end().await;
}

/// The end comes in another process, although the moderator has left. Another duration replaces the first one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_for_some_time() {
    let stage = Stage::new().await;
    let (control, guild) = (stage.control(), stage.here.guild());
    let (user, role) = (stage.user(30), stage.low_role());
    let moderator = stage.user(7);
    for duration in ["1h", "7d"] {
        let request = stage.request_by(moderator, "role temp", about(user, role, Some(duration)));
        let said = text(&stage.done(&request).await);
        assert!(said.contains("until <t:"), "{said}");
        assert_eq!(stage.timers().await, 1);
    }
    let days =
        "SELECT round(extract(epoch FROM min(due_at) - now()) / 86400)::int8 FROM timer WHERE guild_id <> 0";
    assert_eq!(stage.number(days).await, 7);
    assert!(control.set_member_left(guild, moderator, true));
    let stage = stage.killed().await;
    stage.fire("role_end").await;
    assert!(!stage.has(user, role));
    assert_eq!(stage.number("SELECT count(*) FROM temp_role").await, 0);

    // For good, and taken before its time: nothing ends any more.
    for command in ["role add", "role remove"] {
        stage.asked("role temp", about(user, role, Some("1h"))).await;
        assert_eq!(stage.timers().await, 1);
        stage.asked(command, about(user, role, None)).await;
        assert_eq!(stage.timers().await, 0);
        assert_eq!(stage.has(user, role), command == "role add");
    }

    // What cannot be taken is told.
    stage.asked("role temp", about(user, role, Some("1h"))).await;
    assert!(control.set_bot_permissions(guild, BOT_MAY & !MANAGE_ROLES));
    stage.fire("role_end").await;
    let entry = stage.logged("still has the role").await;
    assert!(entry.contains("I lack the **Manage Roles**"), "{entry}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_out_of_reach_are_refused() {
    let stage = Stage::new().await;
    let (control, guild, user) = (stage.control(), stage.here.guild(), stage.user(30));
    let role = |name: &str, position| control.create_role(guild, name, position).expect("a role");
    let add = async |role: u64| stage.asked("role add", about(user, role, None)).await;
    let said = add(role("the moderators' rank", RANK + 1)).await;
    assert!(said.contains("Your highest role must be above"), "{said}");
    let managed = role("managed", 2);
    assert!(control.set_role_managed(guild, managed, true));
    let said = add(managed).await;
    assert!(said.contains("belongs to an integration"), "{said}");
    let said = add(guild).await;
    assert!(
        said.contains("Everyone has this role") || said.contains("is not valid"),
        "{said}"
    );
    let low = stage.low_role();
    assert!(control.set_bot_position(guild, 1));
    let said = add(low).await;
    assert!(said.contains("My highest role is not above it"), "{said}");
    assert!(control.set_bot_position(guild, 50));
    assert!(control.set_bot_permissions(guild, BOT_MAY & !MANAGE_ROLES));
    let said = add(low).await;
    assert!(said.contains("I lack the **Manage Roles**"), "{said}");
    assert!(control.set_bot_permissions(guild, BOT_MAY));
    let plain = stage.request_by(stage.user(31), "role add", about(user, low, None));
    let said = text(&stage.done(&plain).await);
    assert!(said.contains("You need the **Manage Roles**"), "{said}");
    assert!(control.set_member_left(guild, user, true));
    let said = add(low).await;
    assert!(said.contains("not a member"), "{said}");
    assert_eq!(stage.calls(PUT), 0);
    assert_eq!(stage.timers().await, 0);
    stage.end().await;
}

/// Whoever loses the rank before it is carried out has asked in vain, and nothing is taken later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranks_are_checked_again_when_it_is_carried_out() {
    let stage = Stage::new().await;
    let (control, guild) = (stage.control(), stage.here.guild());
    let (moderator, user, role) = (stage.user(9), stage.user(30), stage.low_role());
    stage.fault(PUT, None, RestFaultKind::Status(500));
    let request = stage.request_by(moderator, "role temp", about(user, role, Some("1h")));
    let id = control.interact(&request).expect("asked");
    until("it was tried", async || (stage.calls(PUT) > 0).then_some(())).await;
    assert!(control.set_member_roles(guild, moderator, &[]));
    control.clear_faults();
    let said = text(&stage.last_word(id).await);
    assert!(
        said.contains("The moderator lacks the **Manage Roles**"),
        "{said}"
    );
    stage.logged("did not get the role").await;
    assert!(!stage.has(user, role));
    assert_eq!(stage.timers().await, 0);
    assert_eq!(stage.number("SELECT count(*) FROM temp_role").await, 0);
    stage.end().await;
}

/// Discord refuses what should replace an end: the end before stays, and comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_stays_if_the_change_that_replaces_it_is_refused() {
    let stage = Stage::new().await;
    let (user, role) = (stage.user(30), stage.low_role());
    for (command, duration, route) in [
        ("role temp", Some("7d"), PUT),
        ("role add", None, PUT),
        ("role remove", None, DELETE),
    ] {
        stage.asked("role temp", about(user, role, Some("1h"))).await;
        stage.fault(route, Some(1), RestFaultKind::Status(403));
        let said = stage.asked(command, about(user, role, duration)).await;
        assert!(said.contains("Discord refused it"), "{said}");
        assert_eq!(stage.timers().await, 1, "{command}");
        let hours = "SELECT round(extract(epoch FROM t.due_at - now()) / 3600)::int8 FROM timer AS t
                     JOIN temp_role AS r ON r.guild_id = t.guild_id AND r.request_id = t.timer_id AND r.ends_at = t.due_at";
        assert_eq!(stage.number(hours).await, 1, "{command}");
        assert!(stage.has(user, role));
        stage.fire("role_end").await;
        assert!(!stage.has(user, role), "{command}");
        assert_eq!(stage.number("SELECT count(*) FROM temp_role").await, 0);
    }
    stage.end().await;
}

/// Two changes wait. If the first one alone is given up, the second one decides; if both are, the end from before them comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_comes_back_only_if_no_later_change_holds() {
    let stage = Stage::new().await;
    let (control, guild) = (stage.control(), stage.here.guild());
    let (user, role) = (stage.user(30), stage.low_role());
    for (first, second) in [(8, 8), (9, 10)] {
        stage.asked("role temp", about(user, role, Some("1h"))).await;
        let before = stage.calls(PUT);
        stage.fault(PUT, None, RestFaultKind::Status(500));
        let request = stage.request_by(stage.user(first), "role temp", about(user, role, Some("7d")));
        control.interact(&request).expect("asked");
        until("it was tried", async || (stage.calls(PUT) > before).then_some(())).await;
        let request = stage.request_by(stage.user(second), "role add", about(user, role, None));
        control.interact(&request).expect("asked");
        until("both wait", async || {
            let sql = "SELECT count(*) FROM outbox WHERE kind = 'role_change' AND failed_at IS NULL";
            (stage.number(sql).await == 2).then_some(())
        })
        .await;
        assert!(control.set_member_roles(guild, stage.user(first), &[]));
        control.clear_faults();
        stage.delivered().await;
        let holds = first != second;
        assert_eq!(stage.timers().await, i64::from(!holds));
        if !holds {
            stage.fire("role_end").await;
        }
        assert_eq!(stage.has(user, role), holds);
        assert_eq!(stage.number("SELECT count(*) FROM temp_role").await, 0);
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_discord_does_not_take_at_once_or_at_all() {
    let stage = Stage::new().await;
    let (user, role) = (stage.user(30), stage.low_role());
    let scope = LimitScope::Shared;
    stage.fault(
        PUT,
        Some(1),
        RestFaultKind::RateLimit {
            scope,
            retry_after: 0.2,
        },
    );
    stage.fault(PUT, Some(1), RestFaultKind::StatusAfter(502));
    let said = stage.asked("role add", about(user, role, None)).await;
    assert!(said.contains("has the role"), "{said}");
    stage.fault(DELETE, Some(1), RestFaultKind::Status(403));
    let said = stage.asked("role remove", about(user, role, None)).await;
    assert!(said.contains("Discord refused it"), "{said}");
    stage.logged("still has the role").await;
    stage.fault(DELETE, Some(1), RestFaultKind::Status(404));
    let said = stage.asked("role remove", about(user, role, None)).await;
    assert!(said.contains("Discord no longer knows it"), "{said}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replayed_roles_and_nicknames_change_nothing() {
    let stage = Stage::new().await;
    stage.ask_later();
    let (user, role) = (stage.user(30), stage.low_role());
    let nick = json!([
        of_type(6, "member", user.to_string()),
        of_type(3, "nickname", "Ada")
    ]);
    let mut asked = Vec::new();
    for (command, options) in [("role temp", about(user, role, Some("1h"))), ("nick", nick)] {
        asked.push(stage.done(&stage.request(command, options)).await.id);
    }
    stage.delivered().await;
    let calls = |stage: &Stage| [PUT, DELETE, PATCH].map(|route| stage.calls(route));
    let before = calls(&stage);
    let rows = "SELECT sum(request_id)::int8 FROM temp_role";
    let given = stage.number(rows).await;
    let stage = stage.killed().await;
    stage.replay(asked).await;
    assert_eq!(calls(&stage), before);
    assert_eq!(stage.number(rows).await, given);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nickname_is_changed_and_removed() {
    let stage = Stage::new().await;
    let (control, guild, user) = (stage.control(), stage.here.guild(), stage.user(30));
    let member = |user: u64| of_type(6, "member", user.to_string());
    let named = |user: u64| json!([member(user), of_type(3, "nickname", " Ada *L* ")]);
    let said = stage.asked("nick", named(user)).await;
    assert!(said.contains("is changed"), "{said}");
    assert_eq!(control.nick_of(guild, user).as_deref(), Some("Ada *L*"));
    let entry = stage.logged("changed the nickname").await;
    assert!(entry.contains("**Ada \\*L\\***"), "{entry}");
    stage.asked("nick", json!([member(user)])).await;
    assert_eq!(control.nick_of(guild, user), None);
    stage.logged("removed the nickname").await;

    let moderator = stage.user(20);
    let said = stage.asked("nick", named(moderator)).await;
    assert!(said.contains("Your highest role must be above theirs"), "{said}");
    let said = stage.asked("nick", named(stage.user(0))).await;
    assert!(
        said.contains("Your highest role must be above theirs"),
        "the owner: {said}"
    );
    let me = stage.here.discord.world().bot_id();
    let said = stage.asked("nick", named(me)).await;
    assert!(said.contains("my own nickname"), "{said}");
    // A moderator's own.
    let said = text(
        &stage
            .done(&stage.request_by(moderator, "nick", named(moderator)))
            .await,
    );
    assert!(said.contains("is changed"), "{said}");
    // Above the bot.
    assert!(control.set_bot_position(guild, 1));
    let said = text(
        &stage
            .done(&stage.request_by(moderator, "nick", named(moderator)))
            .await,
    );
    assert!(said.contains("My highest role is not above it"), "{said}");
    assert!(control.set_bot_position(guild, 50));
    assert!(control.set_bot_permissions(guild, BOT_MAY & !MANAGE_NICKNAMES));
    let said = stage.asked("nick", named(user)).await;
    assert!(said.contains("I lack the **Manage Nicknames**"), "{said}");
    assert!(control.set_bot_permissions(guild, BOT_MAY));
    stage.fault(PATCH, Some(1), RestFaultKind::Status(500));
    let said = stage.asked("nick", named(user)).await;
    assert!(said.contains("is changed"), "{said}");
    assert_eq!(stage.calls(PATCH), 5);
    stage.end().await;
}
