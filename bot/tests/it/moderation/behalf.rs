//! Cases on behalf of another moderator, and evidence.

use discord_simulator::InteractionRequest;
use serde_json::{Value, json};

use super::{ALL, MANAGE_SERVER, Stage, command, of_case, of_type, said, settled, stage, text};

fn edit(stage: &Stage, by: u64, moderator: u64) -> InteractionRequest {
    let options = [
        of_type(4, "case", 1),
        of_type(6, "moderator", moderator.to_string()),
    ];
    case(stage, by, "edit", &options)
}

fn case(stage: &Stage, by: u64, sub: &str, options: &[Value]) -> InteractionRequest {
    let options = json!([{"name": sub, "type": 1, "options": options}]);
    InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::command(stage.guild(), by, "case", &options)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_given_to_the_moderator_on_whose_behalf_it_was_made() {
    let stage = stage().await;
    let log = stage.log_to(0).await;
    let user = stage.user(30);
    stage.set("bans_per_hour", "1").await;
    settled(&stage, "ban", user, json!([])).await;
    let maker = stage.number("SELECT moderator_id FROM mod_case").await;
    let maker = u64::try_from(maker).expect("an ID");
    let (other, plain) = (stage.user(24), stage.user(31));
    let by = stage.user(25);
    for (moderator, words) in [
        (plain, "lacks the **Ban Members** permission"),
        (user, "lacks the **Ban Members** permission"),
    ] {
        let reply = text(&stage.ask(&edit(&stage, by, moderator)).await);
        assert!(reply.contains(words), "{reply}");
    }
    let mut unpermitted = edit(&stage, by, other);
    unpermitted.member_permissions = Some((ALL & !MANAGE_SERVER).to_string());
    let reply = text(&stage.ask(&unpermitted).await);
    assert!(reply.contains("**Manage Server**"), "{reply}");
    assert_eq!(of_case(&stage, 1, "acted_by").await, "");

    let reply = text(&stage.ask(&edit(&stage, by, other)).await);
    assert!(reply.contains(&format!("now a case of <@{other}>")), "{reply}");
    assert_eq!(of_case(&stage, 1, "moderator_id").await, other.to_string());
    assert_eq!(of_case(&stage, 1, "acted_by").await, maker.to_string());
    let entry = stage.logged(log, "gave **case #1**").await;
    assert!(entry.contains(&format!("to <@{other}>")), "{entry}");
    let kept = format!(
        "SELECT count(*) FROM request WHERE action = 'case_edit' AND actor_id = {by} AND before->>'moderator_id' = '{maker}'"
    );
    assert_eq!(stage.number(&kept).await, 1);
    let view = stage
        .ask(&case(&stage, stage.user(23), "view", &[of_type(4, "case", 1)]))
        .await;
    let view = view.reply().expect("a reply")["embeds"][0]["description"].to_string();
    assert!(view.contains(&format!("Made by:** <@{maker}>")), "{view}");

    // It does not give the one who made it another ban in this hour.
    let more = InteractionRequest {
        user_id: maker,
        ..command(&stage, "ban", stage.user(32), &json!([]))
    };
    let reply = text(&stage.ask(&more).await);
    assert!(reply.contains("limit for an hour (1)"), "{reply}");
    // And back.
    stage.ask(&edit(&stage, by, maker)).await;
    assert_eq!(of_case(&stage, 1, "acted_by").await, "");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_that_would_expire_is_refused() {
    let stage = stage().await;
    said(&stage, "ban", stage.user(30), json!([])).await;
    let note = |text: &str| {
        let options = [of_type(4, "case", 1), of_type(3, "note", text)];
        case(&stage, stage.moderator(), "note", &options)
    };
    let file = "see https://cdn.discordapp.com/attachments/1/2/proof.png?ex=1";
    let reply = text(&stage.ask(&note(file)).await);
    assert!(reply.contains("stop working after about a day"), "{reply}");
    assert_eq!(stage.number("SELECT count(*) FROM case_note").await, 0);
    let message = "see https://discord.com/channels/1/2/3";
    let reply = text(&stage.ask(&note(message)).await);
    assert!(reply.contains("was added"), "{reply}");
    stage.end().await;
}
