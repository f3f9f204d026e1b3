//! Moderation without the bot's commands: entries of Discord's audit log, each of which counts once.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use twilight_model::id::{Id, marker::AuditLogEntryMarker};

use super::{ALL, Stage, accepted, lasting, of_type, settled, timers, until};
use crate::support::{bot::printed, moderators::member};

const KICK: u8 = 20;
const BAN: u8 = 22;
const UNBAN: u8 = 23;
const UPDATE: u8 = 24;

const VIEW_AUDIT_LOG: u64 = 1 << 7;

/// A server whose bot sees the audit log.
async fn watched() -> Stage {
    let stage = Stage::new().await;
    assert!(
        stage
            .control()
            .set_bot_permissions(stage.guild(), ALL | VIEW_AUDIT_LOG)
    );
    stage
}

/// What was done in Discord, by whom and to whom.
struct Done<'a> {
    stage: &'a Stage,
    by: u64,
    to: u64,
}

impl Done<'_> {
    /// Add an entry to the audit log, which is dispatched. Returns its ID.
    fn now(&self, action: u8, reason: Option<&str>, changes: &Value) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let ms = i64::try_from(self.stage.control().now_ms()).expect("a time");
        let first: Id<AuditLogEntryMarker> = eventide::support::ids::at_millis(ms).expect("an ID");
        let id = first.get() + NEXT.fetch_add(1, Ordering::Relaxed);
        self.again(id, action, reason, changes);
        id
    }

    fn again(&self, id: u64, action: u8, reason: Option<&str>, changes: &Value) {
        let guild = self.stage.guild();
        let mut entry = json!({
            "id": id.to_string(), "guild_id": guild.to_string(), "user_id": self.by.to_string(), "target_id": self.to.to_string(),
            "action_type": action, "changes": changes,
        });
        if let Some(reason) = reason {
            entry["reason"] = reason.into();
        }
        let control = self.stage.control();
        control.dispatch(Some(guild), "GUILD_AUDIT_LOG_ENTRY_CREATE", &entry.to_string());
    }
}

fn timeout(until: Option<&str>) -> Value {
    json!([{"key": "communication_disabled_until", "new_value": until}])
}

/// The cases that have an entry, in their order.
async fn cases(stage: &Stage) -> String {
    stage
        .text_of(
            "SELECT COALESCE(string_agg(format('%s %s %s %s', kind, user_id, moderator_id, reason), E'\\n' ORDER BY case_id), '')
             FROM mod_case WHERE audit_entry_id IS NOT NULL",
        )
        .await
}

async fn recorded(stage: &Stage, entry: u64) {
    until("the entry is recorded", async || {
        let sql = format!("SELECT count(*) FROM mod_case WHERE audit_entry_id = {entry}");
        (stage.number(&sql).await == 1).then_some(())
    })
    .await;
}

/// Every action becomes a case with its moderator and reason, once, however often its entry arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_action_becomes_a_case() {
    let mut stage = Stage::new().await;
    let log = stage.log_to(1).await;
    let (by, to) = (stage.user(2), stage.user(30));
    let resumes = stage.control().stats().resumes;
    let done = Done {
        stage: &stage,
        by,
        to,
    };
    let first = done.now(BAN, Some("spam"), &json!([]));
    done.now(UNBAN, None, &json!([]));
    done.now(KICK, Some("again"), &json!([]));
    done.now(UPDATE, None, &timeout(Some("2100-01-01T00:00:00+00:00")));
    done.now(UPDATE, None, &timeout(None));
    // Neither is moderation.
    done.now(UPDATE, None, &json!([{"key": "nick", "new_value": "x"}]));
    done.now(30, None, &json!([]));
    // Another copy of the first, and one that shows that it was processed.
    done.again(first, BAN, Some("spam"), &json!([]));
    let last = done.now(KICK, None, &json!([]));
    recorded(&stage, last).await;
    let expected = [
        "ban {to} {by} spam",
        "unban {to} {by} ",
        "kick {to} {by} again",
        "timeout {to} {by} ",
        "untimeout {to} {by} ",
        "kick {to} {by} ",
    ];
    let expected = expected.map(|case| {
        case.replace("{to}", &to.to_string())
            .replace("{by}", &by.to_string())
    });
    assert_eq!(cases(&stage).await, expected.join("\n"));
    let named = "SELECT count(*) FROM mod_case WHERE user_name <> '' AND moderator_name <> user_name";
    assert_eq!(stage.number(named).await, 6, "with the names of that time");
    // Each replaces what runs.
    let ended = "SELECT count(*) FROM mod_case WHERE end_outcome = 'replaced' AND kind IN ('ban', 'timeout')";
    assert_eq!(stage.number(ended).await, 2);
    let entry = stage.logged(log, "Case #1").await;
    assert!(
        entry.contains(&format!("<@{by}>")) && entry.contains("> spam"),
        "{entry}"
    );
    stage.logged(log, "Case #6").await;
    // Whatever a new process has replayed was recorded before.
    stage.restart(resumes).await;
    let done = Done {
        stage: &stage,
        by,
        to,
    };
    let last = done.now(KICK, Some("the end"), &json!([]));
    recorded(&stage, last).await;
    assert_eq!(
        cases(&stage).await,
        format!("{}\nkick {to} {by} the end", expected.join("\n"))
    );
    stage.end().await;
}

/// What the bot did by a command has a case already, to which the entry is linked. What is done without one replaces it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_has_one_case_and_gives_way() {
    let stage = watched().await;
    let by = stage.user(2);
    for (action, user, kind) in [(UNBAN, stage.user(30), "unban"), (BAN, stage.user(31), "ban")] {
        settled(&stage, "tempban", user, lasting("7d")).await;
        let linked =
            format!("SELECT count(*) FROM mod_case WHERE user_id = {user} AND audit_entry_id IS NOT NULL");
        until("the entry of the bot is linked", async || {
            (stage.number(&linked).await == 1).then_some(())
        })
        .await;
        assert_eq!(timers(&stage, "tempban_end").await, 1);
        let done = Done {
            stage: &stage,
            by,
            to: user,
        };
        recorded(&stage, done.now(action, None, &json!([]))).await;
        assert_eq!(timers(&stage, "tempban_end").await, 0);
        let kinds = format!(
            "SELECT string_agg(kind || ' ' || COALESCE(end_outcome, ''), ', ' ORDER BY case_id) FROM mod_case WHERE user_id = {user}"
        );
        assert_eq!(stage.text_of(&kinds).await, format!("tempban replaced, {kind} "));
    }
    // A ban that is lifted at once has two entries and one case.
    let user = stage.user(32);
    settled(&stage, "softban", user, json!([])).await;
    stage.delivered().await;
    assert_eq!(accepted(&stage, "DELETE /guilds/{id}/bans/{id}"), 1);
    let last = Done {
        stage: &stage,
        by,
        to: user,
    }
    .now(KICK, None, &json!([]));
    recorded(&stage, last).await;
    let cases = format!("SELECT count(*) FROM mod_case WHERE user_id = {user}");
    assert_eq!(stage.number(&cases).await, 2, "the softban and the kick");
    stage.end().await;
}

/// The simulated Discord records what the bot does to members, as the real one does: a warning's ban makes no second case.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_punishment_of_a_warning_makes_no_case() {
    let stage = watched().await;
    let options = json!([of_type(4, "points", 1), of_type(3, "action", "ban")]);
    let options = json!([{"name": "threshold", "type": 2, "options": [{"name": "add", "type": 1, "options": options}]}]);
    stage.asked(stage.moderator(), "warning", options).await;
    let (by, to, other) = (stage.user(2), stage.user(30), stage.user(31));
    stage
        .asked(
            by,
            "warn",
            json!([member(to), of_type(3, "reason", "x"), of_type(4, "points", 1)]),
        )
        .await;
    stage.delivered().await;
    assert_eq!(accepted(&stage, "PUT /guilds/{id}/bans/{id}"), 1);
    let last = Done {
        stage: &stage,
        by,
        to: other,
    }
    .now(KICK, None, &json!([]));
    recorded(&stage, last).await;
    assert_eq!(
        stage.number("SELECT count(*) FROM mod_case").await,
        2,
        "the warning and the kick"
    );
    stage.end().await;
}

/// What PostgreSQL refuses is kept, and becomes a case when it is applied, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_entry_becomes_a_case_later() {
    let stage = watched().await;
    let (by, to, other) = (stage.user(2), stage.user(30), stage.user(31));
    stage
        .execute(&format!(
            "ALTER TABLE mod_case ADD CONSTRAINT odd CHECK (user_id <> {to}) NOT VALID"
        ))
        .await;
    let done = |to| Done {
        stage: &stage,
        by,
        to,
    };
    let refused = done(to).now(BAN, Some("spam"), &json!([]));
    let kept = "SELECT count(*) FROM quarantine WHERE kind = 'audit_entry'";
    until("it is in quarantine", async || {
        (stage.number(kept).await == 1).then_some(())
    })
    .await;
    recorded(&stage, done(other).now(KICK, None, &json!([]))).await;
    stage.execute("ALTER TABLE mod_case DROP CONSTRAINT odd").await;
    printed(&stage.scene, &["quarantine", "retry", "--all"]).await;
    recorded(&stage, refused).await;
    assert_eq!(stage.number(kept).await, 0);
    // Discord sends it once more.
    done(to).again(refused, BAN, Some("spam"), &json!([]));
    recorded(&stage, done(other).now(KICK, None, &json!([]))).await;
    let banned =
        format!("SELECT count(*) FROM mod_case WHERE user_id = {to} AND kind = 'ban' AND reason = 'spam'");
    assert_eq!(stage.number(&banned).await, 1);
    stage.end().await;
}
