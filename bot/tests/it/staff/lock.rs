//! `/lock` and `/unlock`.

use discord_simulator::{LimitScope, Overwrite, RestFaultKind};
use serde_json::json;

use super::stage::{
    BOT_MAY, CONNECT, MANAGE_ROLES, SEND_MESSAGES, Stage, VIEW_CHANNEL, WRITING, in_channel, of_type,
};
use crate::support::{asking::text, until};

const PUT: &str = "PUT /channels/{id}/permissions/{id}";

fn of_role(id: u64, allow: u64, deny: u64) -> Overwrite {
    Overwrite {
        id,
        kind: 0,
        allow,
        deny,
    }
}

fn sorted(mut overwrites: Vec<Overwrite>) -> Vec<Overwrite> {
    overwrites.sort_unstable_by_key(|overwrite| overwrite.id);
    overwrites
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_and_its_end_restore_every_permission() {
    let stage = Stage::new().await;
    let (control, guild, channel) = (stage.control(), stage.here.guild(), stage.channel(0));
    let members = control.create_role(guild, "members", 1).expect("a role");
    let before = sorted(vec![
        of_role(guild, SEND_MESSAGES, 1 << 6),
        of_role(members, SEND_MESSAGES | VIEW_CHANNEL, 0),
        of_role(stage.role, SEND_MESSAGES, 0),
    ]);
    for overwrite in &before {
        assert!(control.set_overwrite(channel, *overwrite));
    }
    let options = json!([of_type(3, "reason", "A *raid*")]);
    let said = stage.asked("lock", options).await;
    assert!(said.contains("is locked, until it is changed"), "{said}");
    let locked = sorted(vec![
        of_role(guild, 0, 1 << 6 | WRITING),
        of_role(members, VIEW_CHANNEL, 0),
        of_role(stage.role, SEND_MESSAGES, 0),
    ]);
    assert_eq!(control.overwrites_of(channel), locked, "staff can go on writing");
    let entry = stage.logged("was locked by").await;
    assert!(entry.contains("> A \\*raid\\*"), "{entry}");
    let call = control.rest_calls(PUT).pop().expect("a call");
    assert!(call.reason.expect("a reason").ends_with(": A *raid*"));

    let said = stage.asked("lock", json!([])).await;
    assert!(said.contains("is already locked"), "{said}");
    let said = stage.asked("unlock", json!([in_channel(channel)])).await;
    assert!(said.contains("is open again"), "{said}");
    assert_eq!(control.overwrites_of(channel), before);
    stage.logged("was unlocked by").await;
    let said = stage.asked("unlock", json!([])).await;
    assert!(said.contains("I have not locked"), "{said}");
    assert_eq!(stage.number("SELECT count(*) FROM channel_lock").await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_category_stays_synced_with_its_channels() {
    let stage = Stage::new().await;
    let (control, guild) = (stage.control(), stage.here.guild());
    let [category, synced, apart] = [0, 1, 2].map(|at| stage.channel(at));
    assert!(control.set_channel_kind(category, 4));
    for channel in [synced, apart] {
        assert!(control.move_channel(channel, Some(category)));
    }
    let own = of_role(guild, 0, 1 << 6);
    assert!(control.set_overwrite(apart, own));
    let said = stage.asked("lock", json!([in_channel(category)])).await;
    assert!(said.contains("is locked"), "{said}");
    let locked = [of_role(guild, 0, WRITING | CONNECT)];
    assert_eq!(control.overwrites_of(category), locked);
    assert_eq!(control.overwrites_of(synced), locked);
    assert_eq!(
        control.overwrites_of(apart),
        [own],
        "it has permissions of its own"
    );
    let said = stage.asked("unlock", json!([in_channel(category)])).await;
    assert!(said.contains("is open again"), "{said}");
    assert!(
        control.overwrites_of(category).is_empty(),
        "nothing is left behind"
    );
    assert!(control.overwrites_of(synced).is_empty());
    assert_eq!(control.overwrites_of(apart), [own]);
    stage.end().await;
}

/// The time of a lock is over although its moderator has left and its process was killed. What staff changed by hand stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_ends_at_its_time_whatever_happened_since() {
    let stage = Stage::new().await;
    let (control, guild) = (stage.control(), stage.here.guild());
    let [locked, opened] = [0, 1].map(|at| stage.channel(at));
    assert!(control.set_overwrite(opened, of_role(guild, SEND_MESSAGES, 0)));
    let moderator = stage.user(7);
    for channel in [locked, opened] {
        let options = json!([in_channel(channel), of_type(3, "duration", "30m")]);
        let said = text(&stage.done(&stage.request_by(moderator, "lock", options)).await);
        assert!(said.contains("is locked, until <t:"), "{said}");
    }
    // By hand: neutral, where it was allowed before.
    assert!(control.set_overwrite(opened, of_role(guild, 0, WRITING & !SEND_MESSAGES)));
    assert!(control.set_member_left(guild, moderator, true));
    let stage = stage.killed().await;
    stage.fire("channel_lock_end").await;
    assert!(control.overwrites_of(locked).is_empty());
    assert!(
        control.overwrites_of(opened).is_empty(),
        "what was denied is neutral again"
    );
    assert_eq!(stage.in_log("the time of its lock is over").len(), 2);
    assert_eq!(stage.number("SELECT count(*) FROM channel_lock").await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_lifted_earlier_has_no_timer() {
    let stage = Stage::new().await;
    let options = json!([of_type(3, "duration", "2h")]);
    stage.asked("lock", options).await;
    assert_eq!(
        stage
            .number("SELECT count(*) FROM timer WHERE guild_id <> 0")
            .await,
        1
    );
    stage.asked("unlock", json!([])).await;
    assert_eq!(
        stage
            .number("SELECT count(*) FROM timer WHERE guild_id <> 0")
            .await,
        0
    );
    let said = stage.asked("lock", json!([of_type(3, "duration", "soon")])).await;
    assert!(said.contains("is not a duration"), "{said}");
    let said = stage.asked("lock", json!([of_type(3, "duration", "5s")])).await;
    assert!(said.contains("between 1m and 365d"), "{said}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_takes_the_permission_of_the_moderator_and_of_the_bot() {
    let stage = Stage::new().await;
    let (control, guild, channel) = (stage.control(), stage.here.guild(), stage.channel(0));
    // By the roles, whatever Discord says for the channel of the command.
    let plain = stage.user(30);
    let said = text(&stage.done(&stage.request_by(plain, "lock", json!([]))).await);
    assert!(said.contains("You need the **Manage Roles**"), "{said}");
    // In another channel only its own overwrites count.
    let other = stage.channel(1);
    assert!(control.set_overwrite(other, of_role(stage.role, 0, MANAGE_ROLES)));
    let said = stage.asked("lock", json!([in_channel(other)])).await;
    assert!(said.contains("You need the **Manage Roles**"), "{said}");

    assert!(control.set_bot_permissions(guild, BOT_MAY & !(1 << 35)));
    let said = stage.asked("lock", json!([])).await;
    assert!(said.contains("I lack the **Create Public Threads**"), "{said}");
    assert!(control.set_bot_permissions(guild, BOT_MAY));

    assert!(control.set_overwrite(channel, of_role(guild, 0, WRITING)));
    let said = stage.asked("lock", json!([])).await;
    assert!(said.contains("Members cannot write there anyway"), "{said}");
    assert_eq!(stage.calls(PUT), 0);
    assert_eq!(stage.number("SELECT count(*) FROM channel_lock").await, 0);
    stage.end().await;
}

/// The moderator loses the permission before the lock is carried out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_are_checked_again_when_it_is_carried_out() {
    let stage = Stage::new().await;
    let (control, guild) = (stage.control(), stage.here.guild());
    let moderator = stage.user(9);
    stage.fault("GET /channels/{id}", None, RestFaultKind::Status(500));
    let request = stage.request_by(moderator, "lock", json!([of_type(3, "duration", "1h")]));
    let id = control.interact(&request).expect("asked");
    until("it was tried", async || {
        (stage.calls("GET /channels/{id}") > 0).then_some(())
    })
    .await;
    assert!(control.set_member_roles(guild, moderator, &[]));
    control.clear_faults();
    let said = text(&stage.last_word(id).await);
    assert!(
        said.contains("The moderator lacks the **Manage Roles**"),
        "{said}"
    );
    stage.delivered().await;
    assert_eq!(stage.calls(PUT), 0);
    let left =
        "SELECT (SELECT count(*) FROM channel_lock) + (SELECT count(*) FROM timer WHERE guild_id <> 0)";
    assert_eq!(stage.number(left).await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_discord_does_not_take() {
    let stage = Stage::new().await;
    let (control, channel) = (stage.control(), stage.channel(0));
    // Limits and errors of Discord are waited out.
    let scope = LimitScope::Shared;
    stage.fault(
        PUT,
        Some(1),
        RestFaultKind::RateLimit {
            scope,
            retry_after: 0.2,
        },
    );
    stage.fault(PUT, Some(1), RestFaultKind::Status(502));
    stage.fault(PUT, Some(1), RestFaultKind::StatusAfter(502));
    let said = stage.asked("lock", json!([])).await;
    assert!(said.contains("is locked"), "{said}");
    stage.asked("unlock", json!([])).await;
    assert!(control.overwrites_of(channel).is_empty());
    // A refusal is final. What was stored is kept, so that what was changed can be taken back.
    stage.fault(PUT, Some(1), RestFaultKind::Status(403));
    let said = stage.asked("lock", json!([])).await;
    assert!(said.contains("was not changed. Discord refused it."), "{said}");
    let said = stage.asked("unlock", json!([])).await;
    assert!(said.contains("is open again"), "{said}");
    // A channel that is deleted takes its lock with it.
    stage.asked("lock", json!([])).await;
    assert!(control.delete_channel(channel));
    let said = stage.asked("unlock", json!([])).await;
    assert!(
        said.contains("You need the") || said.contains("is open again"),
        "{said}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_lock_changes_nothing() {
    let stage = Stage::new().await;
    stage.ask_later();
    let mut asked = Vec::new();
    for command in ["lock", "unlock"] {
        asked.push(stage.done(&stage.request(command, json!([]))).await.id);
    }
    stage.delivered().await;
    let before = (
        stage.calls(PUT),
        stage.calls("DELETE /channels/{id}/permissions/{id}"),
    );
    let stage = stage.killed().await;
    stage.replay(asked).await;
    let after = (
        stage.calls(PUT),
        stage.calls("DELETE /channels/{id}/permissions/{id}"),
    );
    assert_eq!(before, after);
    assert_eq!(stage.number("SELECT count(*) FROM channel_lock").await, 0);
    stage.end().await;
}
