//! Members who leave, and servers that remove the bot.

use std::{collections::BTreeSet, time::Duration};

use discord_simulator::{Guild, SimulatorConfig};
use eventide::{
    app::features::tables,
    discord::rest::Rest,
    features::{
        levels::rows::leaderboard,
        privacy::{
            guild_sync,
            rows::departures::{self, Step},
        },
    },
    postgres::Store,
    support::ids::MemberKey,
};
use serde_json::json;
use twilight_model::id::Id;

use crate::support::{
    Scene,
    asking::{Here, here, here_with},
    bot::{config_for, discord},
    session::Session,
    until,
};

/// Tables of which a purge leaves a server's rows, and why.
const EXEMPT: [(&str, &str); 3] = [
    ("import_job", "the operator's own record of a file"),
    ("command_registration", "test servers of the operator's"),
    (
        "guild_departed",
        "says what is to be purged; the last step deletes it",
    ),
];

async fn position(here: &Here, user: u64) -> Option<u64> {
    let key = MemberKey {
        guild_id: Id::new(here.guild()),
        user_id: Id::new(user),
    };
    let page = leaderboard::page(&here.scene.store(), key.guild_id, leaderboard::Order::Xp, 0, 100).await;
    let lines = page.expect("a page").lines;
    lines
        .iter()
        .find(|line| line.standing.user_id == key.user_id)
        .map(|line| line.rank)
}

fn tell(here: &Here, event: &str, user: u64) {
    let data = json!({"guild_id": here.guild().to_string(), "user": {"id": user.to_string(), "username": "somebody"}, "roles": []});
    here.discord
        .control()
        .dispatch(Some(here.guild()), event, &data.to_string());
}

async fn give(here: &Here, user: u64, xp: u64) {
    let id = user.to_string();
    let options = json!([
        {"name": "amount", "type": 4, "value": xp},
        {"name": "member", "type": 6, "value": id},
    ]);
    let users = json!({"users": {id.clone(): {"id": id, "username": "somebody"}}});
    let mut request = here.managing("xp", "give", options, users);
    request.user_id = here.next_member();
    here.ask(&request).await;
}

async fn is_on_board(here: &Here, user: u64, expected: bool) {
    until("the board is as it shall be", async || {
        (position(here, user).await.is_some() == expected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_is_hidden_until_they_are_back() {
    let here = here_with(|config| config.discord.member_events = true).await;
    let (one, other) = (here.member(1), here.member(2));
    give(&here, one, 500).await;
    give(&here, other, 400).await;
    is_on_board(&here, one, true).await;
    tell(&here, "GUILD_MEMBER_REMOVE", one);
    is_on_board(&here, one, false).await;
    assert_eq!(position(&here, other).await, Some(1), "the next one is the first");
    tell(&here, "GUILD_MEMBER_ADD", one);
    is_on_board(&here, one, true).await;
    assert_eq!(position(&here, other).await, Some(2));

    let reset = json!([{"name": "fate", "type": 3, "value": "reset"}]);
    let said = here.manage("levels", "departed", reset, json!({})).await;
    assert!(said.contains("lose their XP"), "{said}");
    tell(&here, "GUILD_MEMBER_REMOVE", one);
    is_on_board(&here, one, false).await;
    tell(&here, "GUILD_MEMBER_ADD", one);
    let keep = json!([{"name": "fate", "type": 3, "value": "keep"}]);
    here.manage("levels", "departed", keep, json!({})).await;
    tell(&here, "GUILD_MEMBER_REMOVE", other);
    give(&here, one, 10).await;
    is_on_board(&here, one, true).await;
    assert_eq!(position(&here, other).await, Some(1), "kept");
    assert_eq!(position(&here, one).await, Some(2), "begun anew");
    here.end().await;
}

/// A banned member has left, even without leave events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_banned_is_hidden() {
    let here = here().await;
    let user = here.member(1);
    give(&here, user, 500).await;
    is_on_board(&here, user, true).await;
    tell(&here, "GUILD_BAN_ADD", user);
    is_on_board(&here, user, false).await;
    here.end().await;
}

/// The same applies to a member of whom Discord says that they are not in the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_unknown_to_discord_is_hidden() {
    let here = here().await;
    let (one, other) = (here.member(1), here.member(2));
    give(&here, one, 50).await;
    give(&here, other, 40).await;
    let role = here.discord.control().create_role(here.guild(), "reward", 1);
    let options = json!([
        {"name": "level", "type": 4, "value": 2},
        {"name": "role", "type": 8, "value": role.expect("a role").to_string()},
    ]);
    let said = here.manage("levels", "reward add", options, json!(null)).await;
    assert!(said.contains("<@&"), "{said}");
    assert!(here.discord.control().set_member_left(here.guild(), one, true));
    assert_eq!(position(&here, one).await, Some(1), "nobody told of it");
    give(&here, one, 500).await;
    is_on_board(&here, one, false).await;
    assert_eq!(position(&here, other).await, Some(1));
    here.end().await;
}

async fn departed(here: &Here) -> Vec<i64> {
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let rows = session
        .client
        .query("SELECT guild_id FROM guild_departed", &[])
        .await;
    let guilds = rows.expect("rows").iter().map(|row| row.get(0)).collect();
    session.close().await;
    guilds
}

/// Servers that removed the bot while it was disconnected are detected, and servers that have it again are not purged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_that_no_session_received_is_detected() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig {
        guilds: 450,
        members: 2_000,
        ..SimulatorConfig::default()
    })
    .await;
    let config = config_for(&discord);
    let rest = Rest::new(&config.discord, config.require_token().expect("a token"));
    let mut ids: Vec<u64> = discord.world().guilds().iter().map(Guild::id).collect();
    ids.sort_unstable();
    let (first, removed, last, never) = (ids[0], ids[300], ids[449], ids[10] + 1);
    let session = Session::open(&scene.postgres.connection().into()).await;
    for id in [
        first,
        removed,
        last,
        never,
        u64::try_from(i64::MAX).expect("positive"),
    ] {
        session
            .execute(&format!("INSERT INTO member_xp (guild_id, user_id, xp) SELECT {id}, u, 5 FROM generate_series(1, 3) AS u"))
            .await;
    }
    session
        .execute(&format!(
            "INSERT INTO guild_settings (guild_id) VALUES ({})",
            ids[200] + 1
        ))
        .await;
    session
        .execute(&format!(
            "INSERT INTO guild_departed (guild_id) VALUES ({last}), (7)"
        ))
        .await;
    assert!(discord.control().kick_bot(removed));
    let store = scene.store();
    assert_eq!(guild_sync::look(&store, &rest).await.expect("found out"), 4);
    let rows = session
        .client
        .query("SELECT guild_id FROM guild_departed ORDER BY 1", &[])
        .await;
    let gone: Vec<i64> = rows.expect("rows").iter().map(|row| row.get(0)).collect();
    let mut expected = [7, never, removed, ids[200] + 1]
        .map(|id| i64::try_from(id).expect("an id"))
        .to_vec();
    expected.push(i64::MAX);
    expected.sort_unstable();
    assert_eq!(gone, expected);
    assert_eq!(
        guild_sync::look(&store, &rest).await.expect("found out"),
        0,
        "nothing new"
    );
    session.close().await;
    store.close();
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_back_in_time_has_everything() {
    let here = here().await;
    let (guild, control) = (here.guild(), here.discord.control());
    give(&here, here.member(1), 500).await;
    let tell =
        |event: &str, data: &serde_json::Value| control.dispatch(Some(guild), event, &data.to_string());
    // An outage of Discord's is none of it.
    tell(
        "GUILD_DELETE",
        &json!({"id": guild.to_string(), "unavailable": true}),
    );
    tell("GUILD_DELETE", &json!({"id": guild.to_string()}));
    until("it is noted", async || {
        (departed(&here).await == [guild.cast_signed()]).then_some(())
    })
    .await;
    let store = here.scene.store();
    let due = departures::purge(&store, Duration::from_hours(1), &tables())
        .await
        .expect("looked");
    assert_eq!(due, Step::Nothing, "not yet");
    tell("GUILD_CREATE", &json!({"id": guild.to_string(), "name": "again"}));
    until("it is forgotten", async || {
        departed(&here).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(
        departures::purge(&store, Duration::ZERO, &tables())
            .await
            .expect("looked"),
        Step::Nothing
    );
    is_on_board(&here, here.member(1), true).await;
    here.end().await;
}

fn is_purged(table: &str) -> bool {
    let declared = tables().into_iter().find(|declared| declared.name == table);
    declared.is_some_and(|declared| declared.delete.is_some())
}

/// Every table is in a manifest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_is_declared_and_every_declared_one_is_there() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let rows = session
        .client
        .query(
            "SELECT table_name::text FROM information_schema.tables
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'",
            &[],
        )
        .await
        .expect("the catalog");
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let declared = tables().iter().map(|table| table.name.to_owned()).collect();
    assert_eq!(there, declared);
    session.close().await;
    scene.stop().await;
}

/// Every table with guild data is purged, or listed here with a reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_of_a_server_is_purged_and_nothing_of_others() {
    let scene = Scene::new().await;
    let store: Store = scene.store();
    let session = Session::open(&scene.postgres.connection().into()).await;
    let of_guilds = session
        .client
        .query(
            "SELECT DISTINCT table_name::text FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND column_name = 'guild_id'",
            &[],
        )
        .await
        .expect("the catalog");
    for row in &of_guilds {
        let table: String = row.get(0);
        let is_known = is_purged(&table) || EXEMPT.iter().any(|(exempt, _)| *exempt == table);
        assert!(is_known, "{table} is neither purged nor exempt");
    }
    session
        .execute(
            "INSERT INTO member_xp (guild_id, user_id, xp, by_xp)
             SELECT g, u, 5, xp_place(5) FROM generate_series(1, 2) AS g, generate_series(1, 6000) AS u;
             INSERT INTO guild_settings (guild_id) VALUES (1), (2);
             INSERT INTO level_role VALUES (1, 5, 3), (2, 5, 3);
             INSERT INTO mod_case (guild_id, case_id, kind, user_id, moderator_id, reason, created_at)
             VALUES (1, 1, 'warning', 1, 7, 'spam', now()), (2, 1, 'warning', 1, 7, 'spam', now());
             INSERT INTO warning VALUES (1, 1, 'low', 1), (2, 1, 'low', 1);
             INSERT INTO guild_departed VALUES (1, now() - interval '31 days'), (3, now())",
        )
        .await;
    let mut rows = 0;
    loop {
        match departures::purge(&store, Duration::from_hours(24 * 30), &tables())
            .await
            .expect("a step")
        {
            Step::Rows(deleted) => rows += deleted,
            Step::Done(guild_id) => assert_eq!(guild_id, Id::new(1)),
            Step::Nothing => break,
        }
    }
    assert!(rows >= 6_004, "{rows}");
    for table in tables()
        .iter()
        .map(|table| table.name)
        .filter(|table| is_purged(table))
    {
        let count = session
            .client
            .query_one(&format!("SELECT count(*) FROM {table} WHERE guild_id = 1"), &[])
            .await
            .expect("counted");
        assert_eq!(count.get::<_, i64>(0), 0, "{table}");
    }
    let others = session
        .client
        .query_one(
            "SELECT (SELECT count(*) FROM member_xp) + (SELECT count(*) FROM guild_settings) + (SELECT count(*) FROM warning)
                    + (SELECT count(*) FROM guild_departed)",
            &[],
        )
        .await
        .expect("counted");
    assert_eq!(others.get::<_, i64>(0), 6_000 + 1 + 1 + 1);
    session.close().await;
    store.close();
    scene.stop().await;
}
