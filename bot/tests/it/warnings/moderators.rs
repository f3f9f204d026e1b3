//! Whether members see who warned them: one rule for the message, the list and the export.

use discord_simulator::InteractionRequest;
use eventide::{features::privacy::rows::member, support::ids::MemberKey};
use serde_json::json;
use twilight_model::id::Id;

use super::stage::{Stage, member, of_type};
use crate::support::effects::member_data;

/// Whether a member sees who warned them, in the message, the list and the export.
async fn learned(stage: &Stage, user: u64, moderator: u64) -> [bool; 3] {
    let options = json!([member(user), of_type(3, "reason", "x")]);
    stage.asked(moderator, "warn", options).await;
    stage.delivered().await;
    let named = format!("<@{moderator}>");
    let direct = stage.sent("You were warned in **");
    let mut asked = InteractionRequest::command(stage.guild(), user, "warnings", &json!([]));
    asked.member_permissions = Some("0".to_owned());
    let reply = stage.ask(&asked).await.reply().expect("a reply").clone();
    let list = reply["embeds"][0]["description"]
        .as_str()
        .expect("a list")
        .to_owned();
    let store = stage.scene.store();
    let key = MemberKey {
        guild_id: Id::new(stage.guild()),
        user_id: Id::new(user),
    };
    let told = member::export(&store, key, &member_data()).await.expect("told");
    store.close();
    [
        direct.last().expect("a message").contains(&named),
        list.contains(&named),
        told.contains(&moderator.to_string()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_learn_who_warned_them_if_the_server_wants_it() {
    let stage = Stage::new().await;
    let (user, moderator) = (stage.user(30), stage.moderator());
    assert_eq!(learned(&stage, user, moderator).await, [false; 3]);
    for (press, expected) in [("show", true), ("hide", false)] {
        let button = format!("settings:moderators:{press}");
        let pressed =
            InteractionRequest::component(stage.guild(), stage.moderator(), &button, &[], json!({"id": "1"}));
        let answer = stage.ask(&pressed).await.callback.expect("an answer");
        let panel = answer["data"]["content"].as_str().expect("a panel");
        let shown = if expected {
            "the member sees it"
        } else {
            "only moderators see it"
        };
        assert!(panel.contains(shown), "{panel}");
        let other = stage.user(if expected { 31 } else { 32 });
        assert_eq!(
            learned(&stage, other, stage.moderator()).await,
            [expected; 3],
            "{press}"
        );
    }
    stage.end().await;
}
