//! `/purge`.

use std::{collections::BTreeSet, time::Duration};

use discord_simulator::{InteractionRequest, InteractionState, LimitScope, RestFault, RestFaultKind};
use serde_json::{Value, json};

use super::stage::{BOT_MAY, MANAGE_MESSAGES, MODERATORS_MAY, Stage, of_type};
use crate::support::{asking::text, until};

const BULK: &str = "POST /channels/{id}/messages/bulk-delete";
const SINGLE: &str = "DELETE /channels/{id}/messages/{id}";

impl Stage {
    /// Messages that a member writes into the first channel.
    fn write(&self, rank: u32, content: &str, number: usize) -> Vec<u64> {
        let write = |_| {
            let id = self
                .control()
                .write_message(self.channel(0), self.user(rank), content, &json!({}));
            id.expect("written")
        };
        (0..number).map(write).collect()
    }

    fn left(&self) -> Vec<u64> {
        self.control().written_messages(self.channel(0))
    }
}

/// Press a button of an answer.
fn press(request: &InteractionRequest, state: &InteractionState, button: usize) -> InteractionRequest {
    let message = state.reply().expect("a reply").clone();
    let id = message["components"][0]["components"][button]["custom_id"]
        .as_str()
        .expect("a button")
        .to_owned();
    InteractionRequest {
        member_permissions: Some(MODERATORS_MAY.to_string()),
        ..InteractionRequest::component(request.guild_id, request.user_id, &id, &[], message)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "tests write the options in place")]
fn count(number: i64, more: Value) -> Value {
    std::iter::once(of_type(4, "count", number))
        .chain(more.as_array().into_iter().flatten().cloned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_deleted_by_what_they_are() {
    let stage = Stage::with(|config| config.discord.message_content = true).await;
    let (control, channel) = (stage.control(), stage.channel(0));
    let plain = stage.write(26, "hello", 3);
    let other = stage.write(27, "Hello again", 2);
    let link = stage.write(26, "see https://example.org", 1);
    let invite = stage.write(26, "join https://discord.gg/abc", 1);
    let with = |fields: Value| {
        control
            .write_message(channel, stage.user(26), "", &fields)
            .expect("written")
    };
    let file = with(json!({"attachments": [{"id": "1"}]}));
    let embed = with(json!({"embeds": [{"title": "x"}]}));
    let pinned = with(json!({"pinned": true}));
    let system = with(json!({"type": 21}));
    let mut left: BTreeSet<u64> = stage.left().into_iter().collect();
    for (options, gone) in [
        (json!([of_type(5, "attachments", true)]), vec![file]),
        (json!([of_type(5, "embeds", true)]), vec![embed]),
        (json!([of_type(5, "invites", true)]), invite),
        (json!([of_type(5, "links", true)]), link),
        (json!([of_type(3, "contains", "AGAIN")]), other),
        (json!([of_type(3, "regex", "^h.l+o$")]), plain[1..].to_vec()),
        (
            json!([of_type(6, "user", stage.user(26).to_string())]),
            plain[..1].to_vec(),
        ),
        (json!([of_type(5, "keep_pinned", false)]), vec![pinned]),
    ] {
        let most = if gone.len() == 2 { 2 } else { 50 };
        let said = stage.asked("purge", count(most, options.clone())).await;
        let number = if gone.len() == 1 {
            "One message was"
        } else {
            "2 messages were"
        };
        assert!(said.contains(number), "{options}: {said}");
        for id in gone {
            assert!(left.remove(&id), "{options}");
        }
        assert_eq!(
            stage.left(),
            left.iter().copied().collect::<Vec<_>>(),
            "{options}"
        );
    }
    assert_eq!(stage.left(), [system]);
    let said = stage.asked("purge", count(50, json!([]))).await;
    assert!(said.contains("None of the last 1,000 messages"), "{said}");
    // One alone is not deleted in bulk.
    assert_eq!((stage.calls(BULK), stage.calls(SINGLE)), (2, 6));
    let said = stage
        .asked("purge", count(1, json!([of_type(3, "regex", "(")])))
        .await;
    assert!(said.contains("not a regular expression"), "{said}");
    stage.logged("deleted one message in").await;
    stage.end().await;
}

/// The menu of a message asks first, however few messages follow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_message_on_by_its_menu() {
    let stage = Stage::new().await;
    let ids = stage.write(26, "hello", 4);
    let chosen = InteractionRequest {
        member_permissions: Some(MODERATORS_MAY.to_string()),
        ..InteractionRequest::message_menu(stage.here.guild(), stage.user(3), "Purge from here", ids[1])
    };
    let refused = InteractionRequest {
        member_permissions: Some((MODERATORS_MAY & !MANAGE_MESSAGES).to_string()),
        ..chosen.clone()
    };
    let said = text(&stage.done(&refused).await);
    assert!(said.contains("Manage Messages"), "{said}");
    let asked = stage.done(&chosen).await;
    assert!(text(&asked).contains("3 messages match"), "{asked:?}");
    assert_eq!(stage.left(), ids);
    let said = text(&stage.done(&press(&chosen, &asked, 0)).await);
    assert!(said.contains("3 messages were deleted"), "{said}");
    assert_eq!(stage.left(), ids[..1]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_the_channel_by_ids_and_links() {
    let stage = Stage::new().await;
    let ids = stage.write(26, "hello", 6);
    let link = format!("https://discord.com/channels/1/2/{}", ids[4]);
    let options = json!([
        of_type(3, "after", ids[1].to_string()),
        of_type(3, "before", link),
    ]);
    let said = stage.asked("purge", count(100, options)).await;
    assert!(said.contains("2 messages were deleted"), "{said}");
    assert_eq!(stage.left(), [ids[0], ids[1], ids[4], ids[5]]);
    let said = stage
        .asked("purge", count(1, json!([of_type(3, "before", "yesterday")])))
        .await;
    assert!(said.contains("the ID of a message"), "{said}");
    // The newest ones.
    let said = stage.asked("purge", count(1, json!([]))).await;
    assert!(said.contains("One message was deleted"), "{said}");
    assert_eq!(stage.left(), [ids[0], ids[1], ids[4]]);
    let said = stage
        .asked("purge", count(1, json!([of_type(5, "links", true)])))
        .await;
    assert!(said.contains("Message Content Intent"), "{said}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_take_a_confirmation() {
    let stage = Stage::new().await;
    stage.write(26, "hello", 250);
    let request = stage.request("purge", count(1_000, json!([])));
    let asked = stage.done(&request).await;
    assert!(text(&asked).contains("250 messages match"), "{}", text(&asked));
    stage.delivered().await;
    assert_eq!(
        stage.left().len(),
        250,
        "nothing is deleted before it is confirmed"
    );
    // Only by the moderator who asked.
    let mut foreign = press(&request, &asked, 0);
    foreign.user_id = stage.user(20);
    let said = text(&stage.done(&foreign).await);
    assert!(said.contains("Only the person who ran this command"), "{said}");
    let said = text(&stage.done(&press(&request, &asked, 1)).await);
    assert!(said.contains("Nothing was deleted"), "{said}");
    let said = text(&stage.done(&press(&request, &asked, 0)).await);
    assert!(said.contains("250 messages were deleted"), "{said}");
    assert!(stage.left().is_empty());
    let calls = stage.control().rest_calls(BULK);
    let mut ids = BTreeSet::new();
    for call in &calls {
        for id in call.body["messages"].as_array().expect("a list") {
            assert!(ids.insert(id.as_str().expect("an ID").to_owned()), "each once");
        }
    }
    assert_eq!((calls.len(), ids.len()), (3, 250));
    // Pressed again.
    let said = text(&stage.done(&press(&request, &asked, 0)).await);
    assert!(
        said.contains("older version of the bot") || said.contains("already"),
        "{said}"
    );
    assert_eq!(stage.calls(BULK), 3);
    stage.logged("deleted 250 messages in").await;
    stage.fire("purge_forget").await;
    assert_eq!(stage.number("SELECT count(*) FROM purge").await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_older_than_two_weeks_are_skipped_and_counted() {
    let stage = Stage::new().await;
    let old = stage.write(26, "hello", 3);
    stage.control().advance_time(Duration::from_hours(24 * 15));
    stage.write(26, "hello", 2);
    let said = stage.asked("purge", count(100, json!([]))).await;
    assert!(said.contains("2 messages were deleted"), "{said}");
    assert!(said.contains("3 messages were skipped"), "{said}");
    assert_eq!(stage.left(), old);
    let said = stage.asked("purge", count(2, json!([]))).await;
    assert!(said.contains("2 messages were skipped"), "{said}");
    stage.end().await;
}

/// Also the reason of a deletion that is confirmed is in the audit log, with the moderator's name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reason_is_kept_until_the_confirmation() {
    let stage = Stage::new().await;
    stage.write(26, "hello", 150);
    let request = stage.request("purge", count(1_000, json!([of_type(3, "reason", "a raid")])));
    let asked = stage.done(&request).await;
    assert!(text(&asked).contains("150 messages match"), "{}", text(&asked));
    let said = text(&stage.done(&press(&request, &asked, 0)).await);
    assert!(said.contains("150 messages were deleted"), "{said}");
    let calls = stage.control().rest_calls(BULK);
    assert_eq!(calls.len(), 2);
    for call in calls {
        let reason = call.reason.unwrap_or_default();
        assert!(reason.ends_with(": a raid"), "{reason}");
    }
    stage.end().await;
}

/// The process is killed in the middle. Another one goes on, and a replay begins nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_goes_on_after_a_kill() {
    let stage = Stage::new().await;
    stage.ask_later();
    stage.write(26, "hello", 350);
    let request = stage.request("purge", count(1_000, json!([])));
    let asked = stage.done(&request).await;
    let pressed = press(&request, &asked, 0);
    let control = stage.control();
    control.add_fault(RestFault {
        route: BULK.to_owned(),
        count: None,
        delay_ms: 1_000,
        kind: RestFaultKind::None,
    });
    let id = control.interact(&pressed).expect("asked");
    until("the first batch is deleted", async || {
        (stage.left().len() <= 250).then_some(())
    })
    .await;
    assert!(!stage.left().is_empty());
    let stage = stage.killed().await;
    control.clear_faults();
    until("the rest is deleted", async || {
        stage.left().is_empty().then_some(())
    })
    .await;
    stage.delivered().await;
    let calls = stage.calls(BULK);
    stage.replay([asked.id, id]).await;
    assert_eq!(stage.calls(BULK), calls);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_is_refused_or_limited() {
    let stage = Stage::new().await;
    let (control, guild) = (stage.control(), stage.here.guild());
    stage.write(26, "hello", 4);
    let plain = stage.request_by(stage.user(30), "purge", count(5, json!([])));
    let said = text(&stage.done(&plain).await);
    assert!(said.contains("You need the **"), "{said}");
    assert!(control.set_bot_permissions(guild, BOT_MAY & !MANAGE_MESSAGES));
    let said = stage.asked("purge", count(5, json!([]))).await;
    assert!(said.contains("I lack the **Manage Messages**"), "{said}");
    assert!(control.set_bot_permissions(guild, BOT_MAY));
    assert_eq!((stage.calls(BULK), stage.left().len()), (0, 4));
    let scope = LimitScope::Shared;
    stage.fault(
        BULK,
        Some(1),
        RestFaultKind::RateLimit {
            scope,
            retry_after: 0.2,
        },
    );
    stage.fault(BULK, Some(1), RestFaultKind::Status(503));
    stage.fault(BULK, Some(1), RestFaultKind::StatusAfter(500));
    let said = stage.asked("purge", count(2, json!([]))).await;
    assert!(said.contains("2 messages were deleted"), "{said}");
    assert_eq!(stage.left().len(), 2);
    stage.fault(BULK, Some(1), RestFaultKind::Status(403));
    let said = stage.asked("purge", count(2, json!([]))).await;
    assert!(
        said.contains("0 messages were deleted, then it stopped. Discord refused it."),
        "{said}"
    );
    stage.logged("stopped. Discord refused it").await;
    stage.end().await;
}
