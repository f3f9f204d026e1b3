//! Bans, kicks and timeouts: what moderators order by commands, and what follows on Discord.

mod automod;
mod bans;
mod behalf;
mod by_hand;
mod end_changes;
mod evidence;
mod failures;
mod log_messages;
mod lost_permissions;
mod massban;
mod menus;
mod policy;
mod punishment_timers;
mod refused;
mod rejoins;
mod removals;
mod reports;

use discord_simulator::{InteractionRequest, InteractionState, RestFault, RestFaultKind};
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    moderators::{Stage, of_type, text},
    until,
};

const KICK: u64 = 1 << 1;
const BAN: u64 = 1 << 2;
const MANAGE_SERVER: u64 = 1 << 5;
const SEE: u64 = 1 << 10;
const SEND: u64 = 1 << 11;
const TIMEOUT: u64 = 1 << 40;

/// What the bot and the moderators may do here.
const ALL: u64 = SEE | SEND | KICK | BAN | TIMEOUT | MANAGE_SERVER;

/// A server whose bot may do everything that moderation needs.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    assert!(stage.control().set_bot_permissions(stage.guild(), ALL));
    stage
}

/// A command of a moderator with every permission, about a user.
fn command(stage: &Stage, name: &str, user: u64, more: &Value) -> InteractionRequest {
    let option = if matches!(name, "kick" | "timeout" | "untimeout") {
        "member"
    } else {
        "user"
    };
    let mut options = vec![of_type(6, option, user.to_string())];
    options.extend(more.as_array().into_iter().flatten().cloned());
    InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), name, &options.into())
    }
}

/// Use a command, and return its first answer.
async fn order(stage: &Stage, name: &str, user: u64, more: Value) -> InteractionState {
    stage.ask(&command(stage, name, user, &more)).await
}

/// The same, as text.
async fn said(stage: &Stage, name: &str, user: u64, more: Value) -> String {
    text(&order(stage, name, user, more).await)
}

/// Use a command, and return the answer that says what became of it.
async fn settled(stage: &Stage, name: &str, user: u64, more: Value) -> String {
    let asked = order(stage, name, user, more).await;
    became(stage, &asked).await
}

/// The answer that says what became of a command.
async fn became(stage: &Stage, asked: &InteractionState) -> String {
    let edited = stage
        .control()
        .wait_interaction(asked.id, |asked| last_line(asked).is_some(), PATIENCE)
        .await;
    edited
        .as_ref()
        .and_then(last_line)
        .expect("an answer of two lines")
}

/// The answer, if it says more than what was ordered.
fn last_line(asked: &InteractionState) -> Option<String> {
    let text = asked.edits.last()?["content"].as_str()?;
    text.contains('\n').then(|| text.to_owned())
}

/// A column of a case as text; empty for NULL.
async fn of_case(stage: &Stage, case: i64, column: &str) -> String {
    let sql = format!(
        "SELECT coalesce({column}::text, '') FROM mod_case WHERE guild_id = {} AND case_id = {case}",
        stage.guild()
    );
    stage.text_of(&sql).await
}

/// Wait until a column of a case has this value.
async fn case_is(stage: &Stage, case: i64, column: &str, value: &str) {
    until(&format!("{column} of case {case} is {value:?}"), async || {
        (of_case(stage, case, column).await == value).then_some(())
    })
    .await;
}

async fn timers(stage: &Stage, kind: &str) -> i64 {
    stage
        .number(&format!("SELECT count(*) FROM timer WHERE kind = '{kind}'"))
        .await
}

/// Requests that Discord has accepted.
fn accepted(stage: &Stage, route: &str) -> usize {
    let calls = stage.control().rest_calls(route);
    calls
        .iter()
        .filter(|call| (200..300).contains(&call.status))
        .count()
}

fn fault(stage: &Stage, route: &str, count: Option<u64>, kind: RestFaultKind) {
    stage.control().add_fault(RestFault {
        route: route.to_owned(),
        count,
        delay_ms: 0,
        kind,
    });
}

fn reason(text: &str) -> Value {
    json!([of_type(3, "reason", text)])
}

fn lasting(duration: &str) -> Value {
    json!([of_type(3, "duration", duration)])
}
