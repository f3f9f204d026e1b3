//! Checks for every command, subcommand, entry of a menu and button, derived from the registered definitions and from what answers show, so
//! that new ones are tested as well. Here: a replay, a missing permission, options of another type, and a database that is away. Below:
//! what each leads to (`success`), the ranks of members (`authority`), a Discord that refuses, limits or fails (`refused`), the longest
//! texts (`longest`), and options that are completed (`typing`). Buttons are those that answers of these tests show; commands without a line in `lines` are used with their required
//! options. Effects on Discord against the same faults are the matter of `every_effect`.

mod asked;
mod authority;
mod lines;
mod longest;
mod refused;
mod server;
mod success;
mod typing;

use std::{collections::BTreeSet, time::Duration};

use eventide::postgres::embedded::StopMode;
use futures_util::{StreamExt as _, stream};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use self::asked::{Roles, answered, choices, controls, given, leaves, said, stored, submitted, wrong};
use crate::support::{asking::here, effects::delivered, gone, session::Session, until};

/// Asked at the same time, fewer than the bot takes.
const AT_ONCE: usize = 8;

/// An interaction that is sent again to a process that has not handled it, as Discord does after a resume, changes nothing, even if the
/// same data has changed since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_replayed_changes_nothing() {
    let here = here().await;
    // Interactions in the future are not too old after a restart, however long that takes.
    here.discord.control().advance_time(Duration::from_hours(1));
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let roles = Roles::of(&here);
    let (mut had, mut found, mut changing) = (Vec::new(), Vec::new(), BTreeSet::new());
    for leaf in leaves(&here) {
        for request in [
            leaf.in_full(&here, roles),
            leaf.about(&here, roles, 6),
            leaf.about(&here, roles, 8),
            leaf.in_short(&here, roles),
        ] {
            let before = stored(&session).await;
            let state = answered(&here, &request).await;
            if before != stored(&session).await {
                changing.insert(format!("{} {}", leaf.command, leaf.path));
            }
            found.extend(controls(&state, request.user_id));
            let callback = state.callback.clone().expect("an answer");
            if callback["type"] == 9 {
                let form = submitted(&here, request.user_id, (&callback["data"], None));
                let state = answered(&here, &form).await;
                had.push((form, state.id));
            }
            had.push((request, state.id));
        }
        for option in leaf.completed() {
            let request = leaf.typing(&here, option, "");
            let state = answered(&here, &request).await;
            had.push((request, state.id));
        }
    }
    // Otherwise this could not notice that anything is done twice.
    assert!(changing.len() > 20, "{changing:?}");
    let (mut pressed, mut forms) = (BTreeSet::new(), 0);
    for control in found {
        let request = control.press(&here, roles);
        if !pressed.insert(request.data.to_string()) {
            continue;
        }
        let state = answered(&here, &request).await;
        let callback = state.callback.clone().expect("an answer");
        had.push((request, state.id));
        if callback["type"] == 9 {
            forms += 1;
            let form = submitted(&here, control.asker, (&callback["data"], Some(&control.message)));
            let state = answered(&here, &form).await;
            had.push((form, state.id));
        }
    }
    assert!(pressed.len() > 8 && forms > 0, "{pressed:?}, {forms} forms");

    let here = Box::pin(here.restarted()).await;
    let control = here.discord.control();
    let after = stored(&session).await;
    for (request, id) in had {
        let before = control.interaction(id).expect("known");
        assert!(control.interact_again(id));
        until(&format!("the replay of {} is over", request.data), async || {
            let now = control.interaction(id).expect("known");
            (now.refused_callbacks > before.refused_callbacks).then_some(())
        })
        .await;
        assert_eq!(stored(&session).await, after, "{}", request.data);
        let now = control.interaction(id).expect("known");
        assert_eq!(now.original, before.original, "{}", request.data);
        assert_eq!(now.follow_ups, before.follow_ups, "{}", request.data);
    }
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lacks_the_permission_changes_nothing() {
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let roles = Roles::of(&here);
    let mut found = Vec::new();
    let before = stored(&session).await;
    let (needing, free): (Vec<_>, Vec<_>) = leaves(&here).into_iter().partition(|leaf| leaf.needs.is_some());
    assert!(!free.is_empty());
    for leaf in &needing {
        let mut request = leaf.in_full(&here, roles);
        request.member_permissions = Some("0".to_owned());
        let state = answered(&here, &request).await;
        assert!(
            said(&state).contains("You need the **"),
            "{leaf:?}: {}",
            said(&state)
        );
        assert_eq!(
            state.reply().expect("a reply")["flags"],
            64,
            "seen by the asker alone"
        );
        // A button below a reply to another member.
        let request = leaf.in_short(&here, roles);
        let state = answered(&here, &request).await;
        found.extend(controls(&state, request.user_id));
    }
    assert!(needing.len() > 20, "{}", needing.len());
    let between = stored(&session).await;
    assert_ne!(before, between, "those with the permission do change something");
    assert!(!found.is_empty());
    for control in found {
        let mut request = control.press(&here, roles);
        request.user_id = here.next_member();
        request.member_permissions = Some("0".to_owned());
        let state = answered(&here, &request).await;
        assert_eq!(
            state.callback.as_ref().expect("an answer")["data"]["flags"],
            64,
            "{request:?}"
        );
        assert!(
            said(&state).contains("You need the **"),
            "{request:?}: {}",
            said(&state)
        );
    }
    assert_eq!(stored(&session).await, between);
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_another_type_are_told() {
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let roles = Roles::of(&here);
    let before = stored(&session).await;
    let mut tried = 0;
    for leaf in leaves(&here) {
        for (at, option) in leaf.options.iter().enumerate() {
            let options = leaf.options.iter().enumerate().map(|(index, other)| {
                if index == at {
                    wrong(option)
                } else {
                    given(&here, roles, other)
                }
            });
            let request = leaf.ask(&here, options);
            let state = answered(&here, &request).await;
            let told = said(&state);
            assert!(told.contains("is not valid"), "{}: {told}", request.data);
            assert!(told.contains(option["name"].as_str().expect("a name")), "{told}");
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    assert_eq!(stored(&session).await, before);
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_answered_while_the_database_is_away() {
    let mut here = here().await;
    let control = here.discord.control();
    let roles = Roles::of(&here);
    let leaves = leaves(&here);
    let mut questions = Vec::new();
    for leaf in &leaves {
        let request = leaf.in_short(&here, roles);
        let state = answered(&here, &request).await;
        questions.extend(
            controls(&state, request.user_id)
                .iter()
                .map(|control| control.press(&here, roles)),
        );
    }
    let presses = questions.len();
    assert!(presses > 8, "{presses}");
    for leaf in &leaves {
        questions.push(leaf.in_full(&here, roles));
        questions.extend(leaf.completed().map(|option| leaf.typing(&here, option, "1")));
    }
    let store = here.scene.store();
    delivered(&store).await;
    store.close();
    let postmaster = Pid::from_raw(here.scene.postgres.pid());
    kill(postmaster, Signal::SIGQUIT).expect("a signal");
    gone(&here.scene.postgres.connection()).await;
    let before = control.newest_rest_call();
    let asked = stream::iter(&questions).map(async |request| (request, answered(&here, request).await));
    let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    let away = answers
        .iter()
        .filter(|(_, state)| said(state).contains("The database is not responding"));
    assert!(away.count() > leaves.len() / 2, "most need the database");
    // There are no choices, except the names of settings.
    for (request, state) in answers.iter().filter(|(request, _)| request.kind == 4) {
        let is_known = request.data["name"] == "settings";
        assert!(is_known || choices(state).is_empty(), "{}", request.data);
    }
    // What could not be kept does not happen: besides the answers, Discord was only read.
    let changes = control.rest_calls_after(before).into_iter().filter(|call| {
        let is_answer = ["POST /interactions/", "PATCH /webhooks/", "POST /webhooks/"];
        call.method != "GET" && !is_answer.iter().any(|route| call.route.starts_with(route))
    });
    let changes: Vec<String> = changes.map(|call| call.route).collect();
    assert!(changes.is_empty(), "{changes:?}");
    here.scene
        .postgres
        .restart(StopMode::Immediate)
        .await
        .expect("a restart");
    here.end().await;
}
