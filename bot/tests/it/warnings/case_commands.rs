//! `/case`, `/history` and `/modlog`: what moderators see of cases, and what they change.

use std::time::Duration;

use discord_simulator::{InteractionRequest, InteractionState};
use serde_json::{Value, json};

use super::{Stage, member, of_type, text};
use crate::support::until;

fn sub(name: &str, options: impl Into<Value>) -> Value {
    json!([{"name": name, "type": 1, "options": options.into()}])
}

fn case(number: i64) -> Value {
    of_type(4, "case", number)
}

/// What the answer's embed says.
fn embed(state: &InteractionState) -> String {
    let embed = &state.reply().expect("a reply")["embeds"][0];
    format!(
        "{} {}",
        embed["title"].as_str().unwrap_or_default(),
        embed["description"].as_str().unwrap_or_default()
    )
}

/// The `custom_id` of a button of an answer, and whether it can be pressed.
fn button(state: &InteractionState, place: usize) -> (String, bool) {
    let reply = state.reply().expect("a reply");
    let button = &reply["components"][0]["components"][place];
    let id = button["custom_id"].as_str().expect("a button");
    (id.to_owned(), button["disabled"] != true)
}

impl Stage {
    async fn case(&self, name: &str, options: Value) -> InteractionState {
        self.asked(self.moderator(), "case", sub(name, options)).await
    }

    async fn press(&self, user: u64, id: &str, state: &InteractionState) -> InteractionState {
        let message = state.reply().cloned().unwrap_or_default();
        let request = InteractionRequest::component(self.guild(), user, id, &[], message);
        self.ask(&request).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_shown_and_changed() {
    let stage = Stage::new().await;
    let log = stage.log_to(0).await;
    let user = stage.user(30);
    stage.warn(user, json!([])).await;
    let edited = stage.case(
        "edit",
        json!([case(1), of_type(3, "reason", "Spam in *all* channels")]),
    );
    assert!(text(&edited.await).contains("reason of case **#1** was changed"));
    for note in ["First", "Second"] {
        let noted = stage
            .case("note", json!([case(1), of_type(3, "note", note)]))
            .await;
        assert!(text(&noted).contains("note was added"), "{noted:?}");
    }
    let shown = embed(&stage.case("view", json!([case(1)])).await);
    assert!(shown.starts_with("Case #1 · warning"), "{shown}");
    for words in [
        "> Spam in *all* channels",
        "2 notes",
        ": First",
        ": Second",
        &format!("<@{user}> ("),
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let kept = "SELECT count(*) FROM request WHERE action = 'case_edit' AND before->>'reason' = 'x' AND subject_id = 1";
    assert_eq!(stage.number(kept).await, 1);

    // Hidden from lists, but not from those who ask for it.
    stage.case("hide", json!([case(1)])).await;
    let none = text(
        &stage
            .asked(stage.moderator(), "history", json!([member(user)]))
            .await,
    );
    assert!(none.contains("no such cases"), "{none}");
    let all = stage.case("list", json!([of_type(5, "hidden", true)])).await;
    assert!(embed(&all).contains("hidden"), "{all:?}");
    let shown = stage
        .case("hide", json!([case(1), of_type(5, "hidden", false)]))
        .await;
    assert!(text(&shown).contains("appears in lists again"), "{shown:?}");
    let listed = embed(
        &stage
            .asked(stage.moderator(), "history", json!([member(user)]))
            .await,
    );
    assert!(listed.contains("**#1** · warning"), "{listed}");
    stage.delivered().await;
    for words in [
        "changed the reason of",
        "added a note to",
        "hid **case #1**",
        "in lists again",
    ] {
        stage.logged(log, words).await;
    }

    // Nothing of a deleted case is left, and it counts no more.
    let asker = stage.moderator();
    let question = stage.asked(asker, "case", sub("delete", json!([case(1)]))).await;
    assert!(text(&question).contains("cannot be undone"), "{question:?}");
    let (delete, _) = button(&question, 0);
    let other = stage.moderator();
    let foreign = text(&stage.press(other, &delete, &question).await);
    assert!(
        foreign.contains("Only the person who ran this command"),
        "{foreign}"
    );
    assert_eq!(stage.counts(user).await, (1, 1));
    let (keep, _) = button(&question, 1);
    assert!(text(&stage.press(asker, &keep, &question).await).contains("was kept"));
    let deleted = text(&stage.press(asker, &delete, &question).await);
    assert!(deleted.contains("was deleted"), "{deleted}");
    assert_eq!(stage.counts(user).await, (0, 0));
    let left = "SELECT (SELECT count(*) FROM mod_case) + (SELECT count(*) FROM warning) + (SELECT count(*) FROM case_note)";
    assert_eq!(stage.number(left).await, 0);
    let again = text(&stage.press(asker, &delete, &question).await);
    assert!(again.contains("no case **#1**"), "{again}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_are_refused() {
    let stage = Stage::new().await;
    let user = stage.user(30);
    let note = || of_type(3, "note", "x");
    let unpermitted = |name: &str, options: Value| InteractionRequest {
        member_permissions: Some("0".to_owned()),
        ..InteractionRequest::command(stage.guild(), stage.moderator(), name, &options)
    };
    for (name, options) in [
        ("case", sub("view", json!([case(1)]))),
        ("case", sub("list", json!([]))),
        ("case", sub("edit", json!([case(1), of_type(3, "reason", "x")]))),
        ("case", sub("note", json!([case(1), note()]))),
        ("case", sub("hide", json!([case(1)]))),
        ("case", sub("delete", json!([case(1)]))),
        ("history", json!([member(user)])),
        ("modlog", json!([])),
    ] {
        let reply = text(&stage.ask(&unpermitted(name, options)).await);
        assert!(reply.contains("Timeout Members"), "{name}: {reply}");
    }
    for name in ["view", "hide", "delete"] {
        let reply = text(&stage.case(name, json!([case(7)])).await);
        assert!(reply.contains("no case **#7**"), "{name}: {reply}");
    }
    let reply = text(
        &stage
            .case("note", json!([case(1), of_type(3, "note", "  ")]))
            .await,
    );
    assert!(reply.contains("1 to 1,000 characters"), "{reply}");
    let reply = text(
        &stage
            .asked(stage.moderator(), "modlog", json!([of_type(3, "kind", "exile")]))
            .await,
    );
    assert!(reply.contains("choose one from the list"), "{reply}");
    assert_eq!(stage.number("SELECT count(*) FROM request").await, 0);

    // What is about a moderator, only others change; and the owner.
    let (owner, moderator) = (stage.user(0), stage.user(7));
    let options = json!([member(moderator), of_type(3, "reason", "x")]);
    assert!(text(&stage.asked(owner, "warn", options).await).contains("#1"));
    let hide = || sub("hide", json!([case(1)]));
    let reply = text(&stage.asked(moderator, "case", hide()).await);
    assert!(reply.contains("about yourself"), "{reply}");
    let reply = text(&stage.asked(owner, "case", hide()).await);
    assert!(reply.contains("is hidden"), "{reply}");

    // A punishment that has not ended needs its case.
    let guild = stage.guild();
    let session = crate::support::session::Session::open(&stage.scene.postgres.connection().into()).await;
    session
        .execute(&format!(
            "INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at, ends_at)
             VALUES ({guild}, 2, 'tempban', {user}, 7, '', now(), now() + interval '10 days')"
        ))
        .await;
    let asker = stage.user(8);
    let question = stage.asked(asker, "case", sub("delete", json!([case(2)]))).await;
    let (delete, _) = button(&question, 0);
    let reply = text(&stage.press(asker, &delete, &question).await);
    assert!(reply.contains("has not ended"), "{reply}");
    session
        .execute("UPDATE mod_case SET ended_at = now(), end_outcome = 'lifted' WHERE case_id = 2")
        .await;
    let reply = text(&stage.press(asker, &delete, &question).await);
    assert!(reply.contains("was deleted"), "{reply}");
    session.close().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_filters_of_cases() {
    let stage = Stage::new().await;
    let (user, other) = (stage.user(30), stage.user(31));
    for number in 0..7 {
        let whom = if number == 3 { other } else { user };
        let reply = stage.warn(whom, json!([of_type(5, "dm", false)])).await;
        assert!(reply.contains("was warned"), "{reply}");
    }
    let asker = stage.moderator();
    let first = stage.asked(asker, "modlog", json!([])).await;
    let shown = embed(&first);
    assert!(
        shown.contains("**#7**") && shown.contains("**#3**") && !shown.contains("**#2**"),
        "{shown}"
    );
    let (back, can_go_back) = button(&first, 0);
    let (on, can_go_on) = button(&first, 1);
    assert!(!can_go_back && can_go_on, "{back}, {on}");
    let foreign = text(&stage.press(stage.user(9), &on, &first).await);
    assert!(
        foreign.contains("Only the person who ran this command"),
        "{foreign}"
    );
    let second = stage.press(asker, &on, &first).await;
    let shown = embed(&second);
    assert!(
        shown.contains("**#2**") && shown.contains("**#1**") && !shown.contains("**#3**"),
        "{shown}"
    );
    let (back, can_go_back) = button(&second, 0);
    let (_, can_go_on) = button(&second, 1);
    assert!(can_go_back && !can_go_on);
    assert!(embed(&stage.press(asker, &back, &second).await).contains("**#7**"));

    let of_other = embed(
        &stage
            .asked(stage.user(10), "history", json!([member(other)]))
            .await,
    );
    assert!(
        of_other.contains("**#4**") && !of_other.contains("**#5**"),
        "{of_other}"
    );
    let moderator: i64 = stage
        .number("SELECT moderator_id FROM mod_case WHERE case_id = 4")
        .await;
    let by = json!([{"name": "moderator", "type": 6, "value": moderator.to_string()}]);
    let request = InteractionRequest::command(stage.guild(), stage.user(11), "modlog", &by);
    let of_moderator = embed(&stage.ask(&request).await);
    assert!(
        of_moderator.contains("**#4**") && !of_moderator.contains("**#5**"),
        "{of_moderator}"
    );
    let bans = stage
        .asked(stage.user(12), "modlog", json!([of_type(3, "kind", "ban")]))
        .await;
    assert!(text(&bans).contains("no such cases"), "{bans:?}");
    stage.end().await;
}

/// A process that dies with the answer sent and nothing flushed: the next one gets the interaction again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_note_is_added_once() {
    let mut stage = Stage::new().await;
    stage.control().advance_time(Duration::from_hours(1));
    stage.warn(stage.user(30), json!([])).await;
    let noted = stage
        .case("note", json!([case(1), of_type(3, "note", "Seen")]))
        .await;
    assert!(text(&noted).contains("note was added"), "{noted:?}");
    let control = stage.control();
    let resumes = control.stats().resumes;
    stage.restart(resumes).await;
    assert!(control.interact_again(noted.id));
    until("the replay was carried out, and its answer refused", async || {
        let after = control.interaction(noted.id).expect("known");
        (after.refused_callbacks > 0).then_some(())
    })
    .await;
    assert_eq!(stage.number("SELECT count(*) FROM case_note").await, 1);
    stage.end().await;
}
