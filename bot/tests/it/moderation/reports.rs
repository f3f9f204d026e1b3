//! `/report`, and the buttons with which the staff reacts.

use discord_simulator::{InteractionRequest, InteractionState, LimitScope, RestFaultKind};
use serde_json::{Value, json};

use super::{
    ALL, BAN, Stage, TIMEOUT, fault,
    menus::{filled, opened},
    of_type, stage, text, until,
};

const SEND: &str = "POST /channels/{id}/messages";

/// A server with a channel for reports.
async fn with_reports() -> (Stage, u64) {
    let stage = stage().await;
    let channel = stage.discord.world().guilds()[0].channels()[1].id;
    stage.set("reports", &format!("<#{channel}>")).await;
    (stage, channel)
}

fn request(stage: &Stage, reporter: u64, user: u64, link: Option<&str>) -> InteractionRequest {
    let mut options = vec![
        of_type(6, "member", user.to_string()),
        of_type(3, "reason", "rude words"),
    ];
    options.extend(link.map(|link| of_type(3, "message", link)));
    InteractionRequest {
        member_permissions: Some("0".to_owned()),
        ..InteractionRequest::command(stage.guild(), reporter, "report", &options.into())
    }
}

/// A message of a user, and its menu's entry for a reporter.
fn written(stage: &Stage, user: u64) -> (u64, String) {
    let channel = stage.discord.world().guilds()[0].channels()[0].id;
    let id = stage
        .control()
        .write_message(channel, user, "secret words", &json!({}))
        .expect("written");
    let link = format!("https://discord.com/channels/{}/{channel}/{id}", stage.guild());
    (id, link)
}

fn menu(stage: &Stage, reporter: u64, message: u64) -> InteractionRequest {
    InteractionRequest {
        member_permissions: Some("0".to_owned()),
        ..InteractionRequest::message_menu(stage.guild(), reporter, "Report message", message)
    }
}

/// The message in the staff's channel with these words.
async fn shown(stage: &Stage, channel: u64, words: &str) -> Value {
    until(words, async || {
        let messages = stage.control().bot_messages();
        let id = channel.to_string();
        messages.into_iter().find(|message| {
            let content = message["content"].as_str();
            message["channel_id"] == *id && content.is_some_and(|content| content.contains(words))
        })
    })
    .await
}

/// Press a button of the staff's message: claim, dismiss, warn, timeout, ban.
fn press(stage: &Stage, message: &Value, button: usize) -> InteractionRequest {
    let id = message["components"][0]["components"][button]["custom_id"].as_str();
    InteractionRequest {
        member_permissions: Some(ALL.to_string()),
        ..InteractionRequest::component(
            stage.guild(),
            stage.moderator(),
            id.expect("a button"),
            &[],
            message.clone(),
        )
    }
}

async fn said(stage: &Stage, request: &InteractionRequest) -> String {
    text(&stage.ask(request).await)
}

async fn reports(stage: &Stage) -> (i64, i64) {
    let reports = stage.number("SELECT count(*) FROM report").await;
    (reports, stage.number("SELECT count(*) FROM report_entry").await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_report_and_reports_of_a_message_are_joined() {
    let (stage, channel) = with_reports().await;
    let (user, first, second) = (stage.user(30), stage.user(31), stage.user(32));
    let (message, link) = written(&stage, user);
    let chosen = menu(&stage, first, message);
    let form = opened(&stage, &chosen).await;
    let sent = stage
        .ask(&filled(&chosen, &form, &[("reason", "rude words")]))
        .await;
    assert!(text(&sent).contains("The staff has your report"), "{sent:?}");
    assert_eq!(
        sent.reply().expect("a reply")["flags"],
        64,
        "only the reporter sees it"
    );
    let seen = shown(&stage, channel, &link).await;
    let content = seen["content"].as_str().expect("text");
    assert!(
        content.contains(&format!("<@{user}>")) && content.contains("> rude words"),
        "{content}"
    );
    assert!(
        said(&stage, &request(&stage, second, user, Some(&link)))
            .await
            .contains("has your report")
    );
    let again = said(&stage, &request(&stage, second, user, Some(&link))).await;
    assert!(again.contains("already"), "{again}");
    let both = shown(&stage, channel, &format!("By <@{second}>")).await;
    assert_eq!(both["id"], seen["id"], "one message");
    assert_eq!(reports(&stage).await, (1, 2));
    // Without a message each is one of its own.
    said(&stage, &request(&stage, first, user, None)).await;
    said(&stage, &request(&stage, second, user, None)).await;
    stage.delivered().await;
    assert_eq!(reports(&stage).await, (3, 4));
    let rows = "SELECT string_agg(r::text, ' ') || (SELECT string_agg(e::text, ' ') FROM report_entry AS e)
                || (SELECT string_agg(q::text, ' ') FROM request AS q) FROM report AS r";
    let rows = stage.text_of(rows).await;
    assert!(
        !rows.contains("secret"),
        "what the message says is not stored: {rows}"
    );
    assert!(stage.sent("secret").is_empty());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_reported() {
    let stage = stage().await;
    let (user, reporter) = (stage.user(30), stage.user(31));
    let off = said(&stage, &request(&stage, reporter, user, None)).await;
    assert!(off.contains("takes no reports"), "{off}");
    let (message, _) = written(&stage, user);
    let off = said(&stage, &menu(&stage, reporter, message)).await;
    assert!(off.contains("takes no reports"), "{off}");
    let channel = stage.discord.world().guilds()[0].channels()[1].id;
    stage.set("reports", &format!("<#{channel}>")).await;
    let own = said(&stage, &request(&stage, reporter, reporter, None)).await;
    assert!(own.contains("cannot report yourself"), "{own}");
    for (rank, link) in [(60, "hello"), (61, "https://discord.com/channels/1/2/3")] {
        let bad = said(&stage, &request(&stage, stage.user(rank), user, Some(link))).await;
        assert!(bad.contains("the link of a message"), "{bad}");
    }
    // One member cannot flood the staff.
    for rank in 40..45 {
        let reporter = stage.user(rank + 10);
        said(&stage, &request(&stage, reporter, stage.user(rank), None)).await;
    }
    stage.delivered().await;
    assert_eq!(reports(&stage).await, (5, 5));
    let (message, _) = written(&stage, user);
    let chosen = menu(&stage, stage.user(33), message);
    stage
        .execute(&format!("UPDATE report_entry SET user_id = {}", stage.user(33)))
        .await;
    let form = opened(&stage, &chosen).await;
    let most = said(&stage, &filled(&chosen, &form, &[("reason", "x")])).await;
    assert!(most.contains("5 reports in an hour"), "{most}");
    assert_eq!(reports(&stage).await, (5, 5));
    // The bot cannot write to the staff.
    assert!(stage.control().deny_in_channel(channel, super::SEND));
    let mut reporters = 62..;
    until("the bot has got the change", async || {
        let reporter = stage.user(reporters.next().expect("endless"));
        let broken = said(&stage, &request(&stage, reporter, user, None)).await;
        broken.contains("do not reach the staff").then_some(())
    })
    .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_claim_dismiss_and_act_once() {
    let (stage, channel) = with_reports().await;
    stage.set("report_replies", "on").await;
    let (control, guild) = (stage.control(), stage.guild());
    let users: Vec<u64> = (30..34).map(|rank| stage.user(rank)).collect();
    for (user, rank) in users.iter().zip(35..) {
        said(&stage, &request(&stage, stage.user(rank), *user, None)).await;
    }
    let about = async |user: u64| shown(&stage, channel, &format!("about <@{user}>")).await;
    // Claimed by one, not by another.
    let first = about(users[0]).await;
    let claim = press(&stage, &first, 0);
    assert!(said(&stage, &claim).await.contains("You have claimed"));
    let other = said(&stage, &press(&stage, &first, 0)).await;
    assert!(
        other.contains(&format!("Claimed by <@{}>", claim.user_id)),
        "{other}"
    );
    // Then it can be released, also by another, and claimed again.
    let claimed = shown(&stage, channel, "Claimed by").await;
    let released = said(&stage, &press(&stage, &claimed, 0)).await;
    assert!(released.contains("no longer claimed"), "{released}");
    stage.delivered().await;
    let open = about(users[0]).await;
    assert_eq!(open["components"], first["components"]);
    assert!(
        said(&stage, &press(&stage, &open, 0))
            .await
            .contains("You have claimed")
    );
    shown(&stage, channel, "Claimed by").await;
    assert!(
        said(&stage, &press(&stage, &first, 1))
            .await
            .contains("dismissed")
    );
    let closed = shown(&stage, channel, "Dismissed by").await;
    assert_eq!((&closed["id"], &closed["components"]), (&first["id"], &json!([])));
    assert!(
        said(&stage, &press(&stage, &first, 1))
            .await
            .contains("closed already")
    );
    assert!(
        said(&stage, &press(&stage, &first, 4))
            .await
            .contains("closed already")
    );
    // The forms of the commands, each of which closes its report.
    for (user, button) in users[1..].iter().zip(2..) {
        let message = about(*user).await;
        let pressed = press(&stage, &message, button);
        let form = opened(&stage, &pressed).await;
        let fields = [("duration", "1h"), ("reason", "reported")];
        let fields = if button == 4 { &fields[1..] } else { &fields[..] };
        let sent = filled(&pressed, &form, fields);
        let answer = said(&stage, &sent).await;
        assert!(answer.contains("Case **#"), "{answer}");
        // Another moderator had the form open, too.
        let late = InteractionRequest {
            user_id: stage.moderator(),
            ..sent.clone()
        };
        assert!(said(&stage, &late).await.contains("closed already"));
    }
    stage.delivered().await;
    assert!(control.timeout_of(guild, users[2]).is_some() && control.is_banned(guild, users[3]));
    let kinds = stage
        .text_of("SELECT string_agg(c.kind, ' ' ORDER BY case_id) FROM report JOIN mod_case AS c USING (guild_id, case_id)")
        .await;
    assert_eq!(kinds, "warning timeout ban");
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 3);
    shown(&stage, channel, "with case #3").await;
    assert_eq!(stage.sent("has looked at your report").len(), 4);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buttons_need_the_permissions_and_ranks_of_the_commands() {
    let (stage, channel) = with_reports().await;
    let (user, control) = (stage.user(30), stage.control());
    said(&stage, &request(&stage, stage.user(31), user, None)).await;
    let message = shown(&stage, channel, "about").await;
    for (button, needs, words) in [
        (0, TIMEOUT, "Timeout Members"),
        (1, TIMEOUT, "Timeout Members"),
        (2, TIMEOUT, "Timeout Members"),
        (3, TIMEOUT, "Timeout Members"),
        (4, BAN, "Ban Members"),
    ] {
        let mut pressed = press(&stage, &message, button);
        pressed.member_permissions = Some((ALL & !needs).to_string());
        let refused = said(&stage, &pressed).await;
        assert!(refused.contains(words), "{button}: {refused}");
    }
    let mut own = press(&stage, &message, 1);
    own.user_id = user;
    assert!(said(&stage, &own).await.contains("This report is about you"));
    let pressed = press(&stage, &message, 4);
    let form = opened(&stage, &pressed).await;
    let higher = control.create_role(stage.guild(), "higher", 3).expect("a role");
    assert!(control.set_member_roles(stage.guild(), user, &[higher]));
    let refused = said(&stage, &filled(&pressed, &form, &[])).await;
    assert!(refused.contains("highest role is below yours"), "{refused}");
    assert_eq!(
        stage
            .number("SELECT count(*) FROM report WHERE closed_at IS NULL")
            .await,
        1
    );
    assert_eq!(stage.number("SELECT count(*) FROM mod_case").await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replays_and_failures_of_discord() {
    let (mut stage, channel) = with_reports().await;
    stage.control().advance_time(std::time::Duration::from_hours(1));
    let log = stage.log_to(0).await;
    // What passes is tried again.
    for (rank, kind) in [
        (40, RestFaultKind::Status(502)),
        (
            41,
            RestFaultKind::RateLimit {
                scope: LimitScope::User,
                retry_after: 0.5,
            },
        ),
    ] {
        fault(&stage, SEND, Some(1), kind);
        said(&stage, &request(&stage, stage.user(31), stage.user(rank), None)).await;
        shown(&stage, channel, &format!("about <@{}>", stage.user(rank))).await;
    }
    let asked = stage
        .ask(&request(&stage, stage.user(32), stage.user(42), None))
        .await;
    let message = shown(&stage, channel, &format!("about <@{}>", stage.user(42))).await;
    let claimed = stage.ask(&press(&stage, &message, 0)).await;
    stage.delivered().await;
    let before = (reports(&stage).await, stage.in_channel(channel));
    let resumes = stage.control().stats().resumes;
    stage.restart(resumes).await;
    let replay = async |state: &InteractionState| {
        let control = stage.control();
        assert!(control.interact_again(state.id));
        stage.replayed(state.id).await;
    };
    replay(&asked).await;
    replay(&claimed).await;
    stage.delivered().await;
    assert_eq!((reports(&stage).await, stage.in_channel(channel)), before);
    // What is refused is in the log.
    for (rank, status) in [(43, 404), (44, 403)] {
        let reported = stage.user(rank);
        fault(&stage, SEND, Some(1), RestFaultKind::Status(status));
        said(&stage, &request(&stage, stage.user(33), reported, None)).await;
        stage
            .logged(log, &format!("A report about <@{reported}> could not be shown"))
            .await;
    }
    stage.end().await;
}
