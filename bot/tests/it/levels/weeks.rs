//! The XP of members at the beginning of each week, in guilds that are in the database only.

use std::ops::RangeInclusive;

use discord_simulator::SimulatorConfig;

use crate::support::{
    Scene,
    asking::here,
    bot::{discord, spawn},
    session::Session,
    until,
};

/// The running week in SQL.
const WEEK: &str = "floor((extract(epoch FROM now()) / 86400 + 3) / 7)::int4";

/// A guild's choice about statistics.
async fn choose(session: &Session, guild: i64, enabled: bool, days: u32) {
    session
        .execute(&format!(
            "INSERT INTO guild_section (guild_id, section, settings)
             VALUES ({guild}, 'statistics', jsonb_build_object('enabled', {enabled}, 'days', {days}))"
        ))
        .await;
}

async fn make_due(session: &Session) {
    until("the job has a timer", async || {
        (session.make_due("member_weeks").await == 1).then_some(())
    })
    .await;
}

async fn has_run(session: &Session) {
    until("the job has run", async || {
        let sql = "SELECT count(*) FROM timer WHERE kind = 'member_weeks' AND due_at > now() + interval '30 minutes'";
        (session.client.query_one(sql, &[]).await.ok()?.get::<_, i64>(0) == 1).then_some(())
    })
    .await;
}

async fn run(session: &Session) {
    make_due(session).await;
    has_run(session).await;
}

/// The rows of a guild: member, weeks from now on, XP.
async fn copied(session: &Session, guild: i64) -> Vec<(i64, i32, i64)> {
    let sql = format!(
        "SELECT user_id, week - {WEEK}, xp FROM member_week WHERE guild_id = $1 ORDER BY user_id, week"
    );
    let rows = session.client.query(&sql, &[&guild]).await.expect("rows");
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

/// The weeks of a guild from now on, and whether each is complete.
async fn weeks(session: &Session, guild: i64) -> Vec<(i32, bool)> {
    let sql =
        format!("SELECT week - {WEEK}, after_user IS NULL FROM guild_week WHERE guild_id = $1 ORDER BY week");
    let rows = session.client.query(&sql, &[&guild]).await.expect("rows");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_week_is_copied_once_where_statistics_are_on() {
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    choose(&session, 71, true, 0).await;
    choose(&session, 72, false, 0).await;
    session
        .execute(&format!(
            "INSERT INTO member_xp (guild_id, user_id, xp, week, week_base)
             SELECT g, m.* FROM generate_series(71, 73) AS g,
                    (VALUES (1, 100, {WEEK} - 1, 60), (2, 100, {WEEK}, 70), (3, 40, {WEEK} - 3, 0), (4, 0, 0, 0), (5, 8, 0, 0)) AS m"
        ))
        .await;
    run(&session).await;
    let first = [(1, 0, 100), (2, 0, 70), (3, 0, 40), (5, 0, 8)];
    assert_eq!(copied(&session, 71).await, first);
    assert_eq!(weeks(&session, 71).await, [(0, true)]);
    // Not again in this week.
    session
        .execute("UPDATE member_xp SET xp = xp + 1000 WHERE user_id = 3")
        .await;
    run(&session).await;
    assert_eq!(copied(&session, 71).await, first);

    // A week later: the first member has gained 30 and begun the week, the second has lost everything, and one is new.
    session
        .execute(&format!(
            "UPDATE guild_week SET week = week - 1;
             UPDATE member_week SET week = week - 1;
             UPDATE member_xp SET week = week - 1 WHERE week > 0;
             UPDATE member_xp SET xp = 150, week = {WEEK}, week_base = 130 WHERE user_id = 1;
             UPDATE member_xp SET xp = 0, week_base = 0 WHERE user_id = 2;
             INSERT INTO member_xp (guild_id, user_id, xp, week, week_base) VALUES (71, 6, 9, {WEEK}, 4)"
        ))
        .await;
    run(&session).await;
    let expected = [
        (1, -1, 100),
        (1, 0, 130),
        (2, -1, 70),
        (2, 0, 0),
        (3, -1, 40),
        (3, 0, 1_040),
        (5, -1, 8),
        (6, 0, 4),
    ];
    assert_eq!(copied(&session, 71).await, expected);
    assert_eq!(weeks(&session, 71).await, [(-1, true), (0, true)]);
    for guild in [72, 73] {
        assert_eq!(copied(&session, guild).await, []);
        assert_eq!(weeks(&session, guild).await, []);
    }
    session.close().await;
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_goes_on_after_a_kill() {
    let scene = Scene::new().await;
    let discord = discord(SimulatorConfig::default()).await;
    let connection = scene.postgres.connection();
    let session = Session::open(&connection.clone().into()).await;
    let holding = Session::open(&connection.clone().into()).await;
    choose(&session, 71, true, 0).await;
    session
        .execute("INSERT INTO member_xp (guild_id, user_id, xp) SELECT 71, u, 7 FROM generate_series(1, 5000) AS u")
        .await;
    // The second transaction waits for this member.
    holding
        .execute("BEGIN; SELECT FROM member_xp WHERE guild_id = 71 AND user_id = 3000 FOR UPDATE")
        .await;
    let mut bot = spawn(&discord, &connection);
    make_due(&session).await;
    let done = until("some members are copied", async || {
        let sql = "SELECT after_user FROM guild_week WHERE guild_id = 71 AND after_user > 0";
        Some(session.client.query_opt(sql, &[]).await.ok()??.get::<_, i64>(0))
    })
    .await;
    bot.kill().await.expect("SIGKILL");
    holding.execute("COMMIT").await;
    assert!(done < 3_000, "{done}");
    assert_eq!(weeks(&session, 71).await, [(0, false)]);
    session
        .execute("UPDATE member_xp SET xp = 8 WHERE guild_id = 71 AND user_id IN (1, 5000)")
        .await;
    let mut bot = spawn(&discord, &connection);
    run(&session).await;
    let copied = copied(&session, 71).await;
    let expected: Vec<_> = (1..=5_000)
        .map(|user| (user, 0, if user == 5_000 { 8 } else { 7 }))
        .collect();
    assert!(copied == expected, "{} rows", copied.len());
    assert_eq!(weeks(&session, 71).await, [(0, true)]);
    bot.kill().await.expect("an end");
    holding.close().await;
    session.close().await;
    scene.stop().await;
}

/// What is deleted while the job runs does not come back: a member who is erased, and the data of a server that is purged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_copied_that_is_being_deleted() {
    let here = here().await;
    let connection = here.scene.postgres.connection();
    let session = Session::open(&connection.clone().into()).await;
    let (erasing, purging) = (
        Session::open(&connection.clone().into()).await,
        Session::open(&connection.into()).await,
    );
    for guild in [71, 72] {
        choose(&session, guild, true, 0).await;
    }
    session
        .execute(
            "INSERT INTO member_xp (guild_id, user_id, xp) SELECT g, u, 7 FROM generate_series(71, 72) AS g, generate_series(1, 3) AS u",
        )
        .await;
    erasing
        .execute("BEGIN; DELETE FROM member_xp WHERE guild_id = 71 AND user_id = 2")
        .await;
    purging
        .execute("BEGIN; DELETE FROM guild_section WHERE guild_id = 72")
        .await;
    let waits = async || {
        until("the job waits for a lock", async || {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%member_week_%'";
            (session.client.query_one(sql, &[]).await.ok()?.get::<_, i64>(0) > 0).then_some(())
        })
        .await;
    };
    make_due(&session).await;
    waits().await;
    erasing.execute("COMMIT").await;
    until("the first guild is copied", async || {
        (weeks(&session, 71).await == [(0, true)]).then_some(())
    })
    .await;
    waits().await;
    purging.execute("COMMIT").await;
    has_run(&session).await;
    assert_eq!(copied(&session, 71).await, [(1, 0, 7), (3, 0, 7)]);
    assert_eq!(copied(&session, 72).await, []);
    assert_eq!(weeks(&session, 72).await, []);
    for session in [erasing, purging, session] {
        session.close().await;
    }
    here.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weeks_are_kept_as_long_as_the_server_wants() {
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    choose(&session, 71, true, 21).await;
    choose(&session, 72, true, 0).await;
    choose(&session, 73, false, 21).await;
    session
        .execute(&format!(
            "INSERT INTO guild_week (guild_id, week) SELECT g, {WEEK} + w FROM generate_series(71, 73) AS g, generate_series(-6, -1) AS w;
             INSERT INTO member_xp (guild_id, user_id, xp) SELECT g, m.* FROM generate_series(71, 73) AS g, (VALUES (1, 40), (2, 5)) AS m;
             INSERT INTO member_week (guild_id, user_id, week, xp)
             SELECT g, m.user_id, {WEEK} + m.week, m.xp FROM generate_series(71, 73) AS g,
                    (VALUES (1, -6, 10), (1, -5, 20), (1, -4, 30), (1, -1, 40), (2, -6, 5)) AS m (user_id, week, xp)"
        ))
        .await;
    run(&session).await;
    let all = [(1, -6, 10), (1, -5, 20), (1, -4, 30), (1, -1, 40), (2, -6, 5)];
    // What the first kept week begins with stays, however old.
    let kept = [(1, -4, 30), (1, -1, 40), (2, -6, 5)];
    let complete = |weeks: RangeInclusive<i32>| weeks.map(|week| (week, true)).collect::<Vec<_>>();
    assert_eq!(copied(&session, 71).await, kept);
    assert_eq!(weeks(&session, 71).await, complete(-2..=0));
    assert_eq!(copied(&session, 72).await, all);
    assert_eq!(weeks(&session, 72).await, complete(-6..=0));
    assert_eq!(copied(&session, 73).await, kept);
    assert_eq!(weeks(&session, 73).await, complete(-2..=-1));
    // Nothing is left once the last week has expired.
    session
        .execute(
            "UPDATE guild_week SET week = week - 5 WHERE guild_id = 73;
             UPDATE member_week SET week = week - 5 WHERE guild_id = 73",
        )
        .await;
    run(&session).await;
    assert_eq!(copied(&session, 73).await, []);
    assert_eq!(weeks(&session, 73).await, []);
    session.close().await;
    here.end().await;
}
