//! Commands, and Discord's view of the replies.

use std::time::Duration;

use discord_simulator::{InteractionRequest, Rate};
use eventide::postgres::embedded::StopMode;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;

use crate::support::{
    PATIENCE,
    asking::{Here, IN_TIME, here, here_with, text},
    bot::{command, settle_exactly, start, url},
    gone,
    session::Session,
    until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_answered() {
    let here = here().await;
    let control = here.discord.control();
    assert!(here.asked("about", json!([])).await.contains("**Eventide**"));
    let mut request = InteractionRequest::command(here.guild(), here.member(1), "help", &json!([]));
    request.member_permissions = Some("0".to_owned());
    let members = text(&here.ask(&request).await);
    let all = here.manage("help", "", json!([]), json!({})).await;
    let mut hidden = 0;
    for registered in control.commands(None) {
        let name = registered["name"].as_str().expect("a name");
        let line = if registered["type"] == 1 {
            format!("`/{name}`")
        } else {
            name.to_owned()
        };
        let is_for_all = registered["default_member_permissions"].is_null();
        assert!(all.contains(&line), "{all}");
        assert_eq!(members.contains(&line), is_for_all, "{line}: {members}");
        hidden += usize::from(!is_for_all);
    }
    assert!(hidden > 2, "{hidden}");
    let ping = here.asked("ping", json!([])).await;
    assert_eq!(
        ping.matches(" ms").count() + ping.matches("not measured yet").count(),
        3,
        "{ping}"
    );
    let german = InteractionRequest {
        locale: Some("de".to_owned()),
        ..InteractionRequest::command(here.guild(), here.member(0), "about", &json!([]))
    };
    assert!(text(&here.ask(&german).await).contains("Zählt"));
    here.end().await;
}

/// A rank includes messages sent before the command, committed or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rank_counts_the_last_message() {
    let here = here().await;
    let control = here.discord.control();
    let nobody = here.asked("rank", json!([])).await;
    assert!(nobody.contains("no XP in this server yet"), "{nobody}");
    control.set_rate(Rate::PerSecond(2_000.0));
    until("many have XP", async || {
        (here.discord.oracle().sent() > 2_000).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    let (guild, asker) = (here.guild(), here.member(0));
    for rank in 0..3 {
        let user = here.member(rank);
        let expected = here.discord.oracle().expected();
        let members = expected.iter().filter(|(key, _)| key.0 == guild);
        let mut standings: Vec<(u64, u64, u64)> = members
            .map(|(key, state)| (state.xp, key.1, state.message_count))
            .collect();
        standings.sort_unstable_by(|a, b| b.cmp(a));
        let Some((xp, _, messages)) = standings.iter().find(|(_, id, _)| *id == user).copied() else {
            continue;
        };
        let place = 1 + standings.iter().filter(|(other, ..)| *other > xp).count();
        let options = json!([
            {"name": "member", "type": 6, "value": user.to_string()},
            {"name": "text", "type": 5, "value": true},
        ]);
        let mut request = InteractionRequest::command(guild, asker, "rank", &options);
        let chosen = json!({"id": user.to_string(), "username": "somebody"});
        request.data["resolved"] = json!({"users": {user.to_string(): chosen}});
        let shown = text(&here.ask(&request).await).replace(',', "");
        assert!(shown.contains(&format!("**#{place}**")), "{place}: {shown}");
        assert!(shown.contains(&format!("{xp} XP in ")), "{xp}: {shown}");
        assert!(
            messages == 1 || shown.contains(&format!("{messages} messages")),
            "{shown}"
        );
    }
    settle_exactly(&here.discord, &here.scene.store()).await;
    here.end().await;
}

/// A command that shows rows has the shard commit what came before it, long before its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaderboard_does_not_wait_for_the_next_flush() {
    let here = here_with(|config| {
        config.ledger.flush_interval = Duration::from_hours(1);
        config.ledger.checkpoint_interval = Duration::from_hours(1);
    })
    .await;
    let control = here.discord.control();
    control.generate(500);
    until("messages are received", async || {
        (control.drained() && here.discord.oracle().sent() > 200).then_some(())
    })
    .await;
    // With something to commit, and without.
    for _ in 0..2 {
        let asker = InteractionRequest::command(here.guild(), here.member(0), "leaderboard", &json!([]));
        let state = here.ask(&asker).await;
        let shown = state.reply().expect("a reply")["embeds"][0]["description"].to_string();
        assert!(shown.contains("XP"), "{shown}");
    }
    settle_exactly(&here.discord, &here.scene.store()).await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_gets_an_answer() {
    let here = here().await;
    let (guild, asker) = (here.guild(), here.member(0));
    let mut unknown = InteractionRequest::command(guild, asker, "yesterdays", &json!([]));
    unknown.data["id"] = json!("1");
    let bad = json!([{"name": "member", "type": 3, "value": "not a member"}]);
    let bad = InteractionRequest::command(guild, asker, "rank", &bad);
    let button = InteractionRequest::component(guild, asker, "v0:gone", &[], json!({"id": "1"}));
    let modal = InteractionRequest::modal(guild, asker, "v0:gone", &json!([]));
    for (request, expected) in [
        (unknown, "no longer exists"),
        (bad, "choose one from the list"),
        (button, "older version"),
        (modal, "older version"),
    ] {
        let state = here.ask(&request).await;
        let reply = text(&state);
        assert!(reply.contains(expected), "{reply}");
        assert_eq!(
            state.callback.expect("an answer")["data"]["flags"],
            64,
            "seen by the asker alone"
        );
    }
    // A member's flood is held, another's question is not.
    let about = |user| InteractionRequest::command(guild, user, "about", &json!([]));
    let mut held = 0;
    for _ in 0..8 {
        held += usize::from(text(&here.ask(&about(asker)).await).contains("too often"));
    }
    assert_eq!(held, 3);
    let other = text(&here.ask(&about(here.member(1))).await);
    assert!(other.contains("**Eventide**"), "{other}");
    here.end().await;
}

/// If the database is unavailable there is a message in time, and messages sent meanwhile count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database() {
    let mut here = here().await;
    let control = here.discord.control();
    let postmaster = Pid::from_raw(here.scene.postgres.pid());
    kill(postmaster, Signal::SIGQUIT).expect("a signal");
    gone(&here.scene.postgres.connection()).await;
    control.set_rate(Rate::PerSecond(500.0));
    let request = InteractionRequest::command(here.guild(), here.member(0), "rank", &json!([]));
    let id = control.interact(&request).expect("asked");
    let state = control
        .wait_interaction(id, |state| state.reply().is_some(), PATIENCE)
        .await
        .expect("an answer");
    assert!(
        text(&state).contains("The database is not responding"),
        "{state:?}"
    );
    assert!(
        state.answered_after_ms.is_some_and(|after| after < 3_000),
        "{state:?}"
    );
    let ping = here.asked("ping", json!([])).await;
    assert!(ping.contains("Database: **not responding**"), "{ping}");
    here.scene
        .postgres
        .restart(StopMode::Immediate)
        .await
        .expect("a restart");
    settle_exactly(&here.discord, &here.scene.store()).await;
    here.end().await;
}

/// An interaction replayed after a resume gets no second reply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_question() {
    let here = here().await;
    let control = here.discord.control();
    let request = InteractionRequest::command(here.guild(), here.member(0), "about", &json!([]));
    let state = here.ask(&request).await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    session.has_a_checkpoint().await;
    session.close().await;
    // The process is gone before the flush that would move the checkpoint past the question: another one gets it again.
    let resumes = control.stats().resumes;
    let Here {
        scene,
        discord,
        mut config,
        bot,
        ..
    } = here;
    // Nobody of this process is dead before its lease is over.
    config.fleet.lease = Duration::from_secs(2);
    drop(bot);
    let bot = start(&config, scene.postgres.connection()).await;
    until("the session is resumed", async || {
        (control.stats().resumes > resumes).then_some(())
    })
    .await;
    let again = InteractionRequest::command(
        discord.world().guilds()[0].id(),
        request.user_id,
        "help",
        &json!([]),
    );
    discord
        .control()
        .ask(&again, IN_TIME)
        .await
        .expect("the next question is answered");
    let after = control.interaction(state.id).expect("known");
    assert_eq!(after.original, state.original);
    assert!(after.follow_ups.is_empty() && after.edits.is_empty());
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_registered_on_change_only() {
    let here = here().await;
    let control = here.discord.control();
    let puts = || control.rest_calls("PUT /applications/{id}/commands").len();
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    until("it is stored that the commands are registered", async || {
        let sql = "SELECT FROM command_registration";
        let stored = session.client.query_opt(sql, &[]).await.expect("read");
        stored.map(drop)
    })
    .await;
    session.close().await;
    assert_eq!(puts(), 1);
    let registered = control.commands(None);
    let rank = registered.iter().find(|command| command["name"] == "rank");
    let rank = rank.expect("a rank");
    assert_eq!(rank["options"][0]["type"], 6);
    assert!(rank["description_localizations"]["de"].is_string());
    let Here {
        scene,
        discord,
        config,
        bot,
        ..
    } = here;
    bot.drain(PATIENCE).await.expect("a clean end");
    let bot = start(&config, scene.postgres.connection()).await;
    let request = InteractionRequest::command(
        discord.world().guilds()[0].id(),
        discord
            .world()
            .member_id(discord.world().guilds()[0].id(), 0)
            .expect("a member"),
        "about",
        &json!([]),
    );
    control.ask(&request, IN_TIME).await.expect("an answer");
    assert_eq!(puts(), 1, "nothing has changed");
    // Discord refuses to be without its own command: <https://docs.discord.com/developers/interactions/application-commands#entry-point-commands>.
    control.add_command(
        json!({"id": "1", "type": 4, "name": "launch", "description": "", "handler": 2, "contexts": [0]}),
    );
    for (what, expected) in [
        ("list", "/rank           registered"),
        ("sync", "commands registered"),
    ] {
        let output = command(&["commands", what])
            .env("DISCORD_TOKEN", &discord.config().token)
            .env("EVENTIDE__DISCORD__API_URL", discord.rest_url())
            .env("DATABASE_URL", url(&scene.postgres.connection()))
            .output()
            .await
            .expect("ran");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && shown.contains(expected),
            "{shown} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(puts(), 2);
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}
