//! `/scheduled change` and `cancel` for locks, slow modes and roles that end.

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use super::stage::{MANAGE_CHANNELS, MANAGE_ROLES, MODERATORS_MAY, RANK, Stage, in_channel, of_type};
use crate::support::asking::text;

const TIME_OUT: u64 = 1 << 40;

fn request(stage: &Stage, sub: &str, timer: &str, more: Option<&str>) -> InteractionRequest {
    let timer = of_type(3, "timer", timer);
    let duration = more.map(|duration| of_type(3, "duration", duration));
    let options: Value = std::iter::once(timer).chain(duration).collect();
    let mut request = stage.request(&format!("scheduled {sub}"), options);
    request.member_permissions = Some((MODERATORS_MAY | TIME_OUT).to_string());
    request
}

async fn change(stage: &Stage, timer: &str, duration: &str) -> String {
    text(&stage.done(&request(stage, "change", timer, Some(duration))).await)
}

async fn cancel(stage: &Stage, timer: &str) -> String {
    text(&stage.done(&request(stage, "cancel", timer, None)).await)
}

/// The name of the only timer that can be chosen.
async fn choice(stage: &Stage) -> String {
    let options = json!([{"name": "timer", "type": 3, "value": "", "focused": true}]);
    let mut request = stage.request("scheduled cancel", options);
    request.kind = 4;
    request.member_permissions = Some((MODERATORS_MAY | TIME_OUT).to_string());
    let answer = stage.here.callback(&request).await;
    let choices = answer["data"]["choices"].as_array().expect("choices");
    assert_eq!(choices.len(), 1, "{choices:?}");
    choices[0]["name"].as_str().expect("a name").to_owned()
}

/// Hours until the only timer of a kind.
async fn hours(stage: &Stage, kind: &str) -> i64 {
    let sql = format!(
        "SELECT round(extract(epoch FROM due_at - now()) / 3600)::int8 FROM timer WHERE kind = '{kind}'"
    );
    stage.number(&sql).await
}

async fn timers(stage: &Stage) -> i64 {
    stage
        .number("SELECT count(*) FROM timer WHERE guild_id <> 0")
        .await
}

/// Without a permission of the moderator, with the words of the refusal.
async fn refused(stage: &Stage, timer: &str, (without, words): (u64, &str)) {
    let (control, guild) = (stage.control(), stage.here.guild());
    let left = (MODERATORS_MAY | TIME_OUT) & !without;
    assert!(control.set_role_permissions(guild, stage.role, left));
    for (sub, duration) in [("change", Some("1h")), ("cancel", None)] {
        let mut request = request(stage, sub, timer, duration);
        request.member_permissions = Some(left.to_string());
        let said = text(&stage.done(&request).await);
        assert!(said.contains(words), "{said}");
    }
    assert!(control.set_role_permissions(guild, stage.role, MODERATORS_MAY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_lock_is_changed_and_cancelled() {
    let stage = Stage::new().await;
    let (control, channel) = (stage.control(), stage.channel(0));
    let timer = format!("channel_lock_end:{channel}");
    stage
        .asked("lock", json!([in_channel(channel), of_type(3, "duration", "1h")]))
        .await;
    let name = choice(&stage).await;
    assert!(
        name.starts_with("end of the lock of #") && !name.contains(&channel.to_string()),
        "{name}"
    );
    refused(&stage, &timer, (MANAGE_ROLES, "Manage Roles")).await;
    let said = change(&stage, &timer, "30s").await;
    assert!(said.contains("between 1m and"), "{said}");
    let said = change(&stage, &timer, "5h").await;
    assert!(
        said.contains("Changed: end of the lock of <#") && said.contains("now <t:"),
        "{said}"
    );
    assert_eq!(hours(&stage, "channel_lock_end").await, 5);
    let same = "SELECT count(*) FROM timer AS t JOIN channel_lock AS l ON l.channel_id = t.timer_id AND l.ends_at = t.due_at";
    assert_eq!(stage.number(same).await, 1);
    stage.logged("changed: end of the lock").await;

    // Another process ends it at the new time.
    let stage = stage.killed().await;
    stage.fire("channel_lock_end").await;
    assert!(control.overwrites_of(channel).is_empty());
    let said = change(&stage, &timer, "5h").await;
    assert!(said.contains("no longer scheduled"), "{said}");

    stage
        .asked("lock", json!([in_channel(channel), of_type(3, "duration", "1h")]))
        .await;
    let said = cancel(&stage, &timer).await;
    assert!(said.contains("stays locked until `/unlock`"), "{said}");
    assert_eq!(timers(&stage).await, 0);
    assert!(!control.overwrites_of(channel).is_empty());
    let said = stage.asked("lock", json!([in_channel(channel)])).await;
    assert!(said.contains("already locked, until it is changed"), "{said}");
    stage.asked("unlock", json!([in_channel(channel)])).await;
    assert!(control.overwrites_of(channel).is_empty());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_slow_mode_is_changed_and_cancelled() {
    let stage = Stage::new().await;
    let (control, channel) = (stage.control(), stage.channel(0));
    let timer = format!("channel_slowmode_end:{channel}");
    let slow = |lasts| {
        json!([
            of_type(3, "duration", "30s"),
            of_type(3, "for", lasts),
            in_channel(channel)
        ])
    };
    assert!(control.set_slowmode(channel, 5));
    stage.asked("slowmode", slow("1h")).await;
    refused(&stage, &timer, (MANAGE_CHANNELS, "Manage Channels")).await;
    change(&stage, &timer, "3h").await;
    assert_eq!(hours(&stage, "channel_slowmode_end").await, 3);
    stage.fire("channel_slowmode_end").await;
    assert_eq!(control.slowmode_of(channel), Some(5));

    stage.asked("slowmode", slow("1h")).await;
    let said = cancel(&stage, &timer).await;
    assert!(said.contains("stays until `/slowmode` changes it"), "{said}");
    assert_eq!(control.slowmode_of(channel), Some(30));
    // A later one for some time restores the one that stays.
    let options = json!([
        of_type(3, "duration", "1m"),
        of_type(3, "for", "1h"),
        in_channel(channel)
    ]);
    stage.asked("slowmode", options).await;
    stage.fire("channel_slowmode_end").await;
    assert_eq!(control.slowmode_of(channel), Some(30));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_role_is_changed_and_cancelled() {
    let stage = Stage::new().await;
    let (control, guild, user) = (stage.control(), stage.here.guild(), stage.user(30));
    let role = control.create_role(guild, "low", 2).expect("a role");
    let options = || {
        json!([
            of_type(6, "member", user.to_string()),
            of_type(8, "role", role.to_string()),
            of_type(3, "duration", "1h")
        ])
    };
    let timer = async || {
        let sql = "SELECT timer_id FROM timer WHERE kind = 'role_end'";
        format!("role_end:{}", stage.number(sql).await)
    };
    stage.asked("role temp", options()).await;
    let lent = timer().await;
    refused(&stage, &lent, (MANAGE_ROLES, "Manage Roles")).await;
    assert!(control.set_role_position(guild, role, RANK + 1));
    let said = change(&stage, &lent, "4h").await;
    assert!(said.contains("Your highest role must be above"), "{said}");
    assert!(control.set_role_position(guild, role, 2));
    let name = choice(&stage).await;
    assert!(name.starts_with("end of the role @low of @"), "{name}");
    let said = change(&stage, &lent, "4h").await;
    assert!(
        said.contains(&format!("end of the role <@&{role}> of <@{user}>, now <t:")),
        "{said}"
    );
    assert_eq!(hours(&stage, "role_end").await, 4);
    stage.fire("role_end").await;
    assert!(
        !control
            .member_roles(guild, user)
            .expect("a member")
            .contains(&role)
    );
    let said = cancel(&stage, &lent).await;
    assert!(said.contains("no longer scheduled"), "{said}");

    stage.asked("role temp", options()).await;
    stage.ask_later();
    let asked = stage.done(&request(&stage, "cancel", &timer().await, None)).await;
    assert!(text(&asked).contains("keeps the role"), "{asked:?}");
    assert_eq!(timers(&stage).await, 0);
    assert_eq!(stage.number("SELECT count(*) FROM temp_role").await, 0);
    // Lent again: a replay does not cancel that.
    stage.asked("role temp", options()).await;
    let stage = stage.killed().await;
    stage.replay([asked.id]).await;
    assert_eq!(timers(&stage).await, 1);
    assert!(
        control
            .member_roles(guild, user)
            .expect("a member")
            .contains(&role)
    );
    stage.end().await;
}
