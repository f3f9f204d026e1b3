//! Changes of many members: in steps that hold up nobody, each once, whatever ends in their middle.

use std::{collections::BTreeSet, time::Duration};

use eventide::{
    config::Config,
    grants::{Grant, Granted, Mass, grant, reset, take_back},
    guilds::authority::XpPermit,
    settings::Settings,
    store::{Statement, Store, audit_log::Entry, rank_buckets},
};
use tokio::{sync::watch, time::timeout};
use twilight_model::id::Id;

use crate::support::{PATIENCE, Scene, session::Session, until};

const MEMBERS: u64 = 9_000;
const PERMIT: XpPermit = XpPermit::of_operator();

fn entry(interaction: u64, action: &'static str) -> Entry {
    Entry {
        guild_id: Id::new(1),
        interaction_id: Id::new(interaction << 22),
        actor_id: Id::new(9),
        action,
        details: "{}".to_owned(),
    }
}

async fn fill(session: &Session) {
    session
        .execute(&format!(
            "INSERT INTO member_xp (guild_id, user_id, xp, by_xp)
             SELECT 1, u, u, xp_place(u) FROM generate_series(1, {MEMBERS}) AS u"
        ))
        .await;
}

/// Members with XP, all XP, and members noted for the audit log.
async fn seen(session: &Session) -> (i64, i64, i64) {
    let sql = "SELECT count(*) FILTER (WHERE xp > 0), sum(xp)::int8, (SELECT count(*) FROM audit_xp) FROM member_xp";
    let row = session.client.query_one(sql, &[]).await.expect("read");
    (row.get(0), row.get(1), row.get(2))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_was_interrupted_goes_on_where_it_was() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    fill(&session).await;
    let (members, all, _) = seen(&session).await;
    let store = scene.store();
    rank_buckets::tend(&store, Id::new(1)).await.expect("ranked");
    let settings = Settings::new(&Config::defaults().levels);
    // As when the process is killed after the first step.
    let (told, mut hears) = watch::channel(0);
    tokio::select! {
        done = reset(&store, &settings, entry(1, "levels_reset"), &told) => unreachable!("{done:?} in one step"),
        step = hears.changed() => step.expect("a step"),
    }
    let (left, _, noted) = seen(&session).await;
    assert!(left > 0 && left < members, "{left}");
    assert!(noted > 0, "{noted}");
    // The interaction is replayed.
    let again = reset(&store, &settings, entry(1, "levels_reset"), &told).await;
    assert_eq!(again.expect("done"), Mass::Done(MEMBERS));
    assert_eq!(seen(&session).await, (0, 0, members));
    let done = reset(&store, &settings, entry(1, "levels_reset"), &told).await;
    assert_eq!(done.expect("done"), Mass::Before);
    // The same for taking it back; and then nobody replays it, but somebody finds it.
    let (told, mut hears) = watch::channel(0);
    tokio::select! {
        done = take_back(&store, &settings, entry(2, "levels_undo"), entry(1, "").interaction_id, PERMIT, &told) => {
            unreachable!("{done:?} in one step")
        }
        step = hears.changed() => step.expect("a step"),
    }
    session
        .execute("UPDATE mass_change SET touched_at = now() - interval '1 hour'")
        .await;
    let (stop, stopped) = watch::channel(false);
    let keeping = eventide::task::spawn(
        "keep",
        eventide::grants::mass::keep(store.clone(), settings.clone(), stopped),
    );
    until("the change is finished", async || {
        let (_, sum, _) = seen(&session).await;
        (sum == all).then_some(())
    })
    .await;
    stop.send_replace(true);
    keeping.join().await.expect("it stops");
    let wrong = "SELECT count(*) FROM member_xp WHERE xp <> user_id OR by_xp <> xp_place(xp)";
    let wrong: i64 = session.client.query_one(wrong, &[]).await.expect("read").get(0);
    assert_eq!(wrong, 0);
    session.close().await;
    scene.stop().await;
}

/// What is taken back while it still goes on is finished first, so that nothing of it comes after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_finished_before_it_is_taken_back() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let store = scene.store();
    let settings = Settings::new(&Config::defaults().levels);
    let users: BTreeSet<_> = (1..=MEMBERS).map(Id::new).collect();
    let given = grant(
        &store,
        &settings,
        entry(1, "xp_give"),
        users.clone(),
        Grant::Give(PERMIT, 5),
    );
    // Too short for all of it.
    drop(timeout(Duration::from_millis(150), given).await);
    let told = watch::Sender::new(0);
    let given = grant(
        &store,
        &settings,
        entry(1, "xp_give"),
        users,
        Grant::Give(PERMIT, 5),
    )
    .await;
    assert!(
        matches!(given.expect("done"), Granted::Many(MEMBERS) | Granted::Before),
        "each once"
    );
    let (members, sum, _) = seen(&session).await;
    assert_eq!((members, sum), (9_000, 45_000));
    let (begun, mut hears) = watch::channel(0);
    tokio::select! {
        done = reset(&store, &settings, entry(2, "levels_reset"), &begun) => unreachable!("{done:?} in one step"),
        step = hears.changed() => step.expect("a step"),
    }
    let back = take_back(
        &store,
        &settings,
        entry(3, "levels_undo"),
        entry(2, "").interaction_id,
        PERMIT,
        &told,
    );
    assert_eq!(back.await.expect("done"), Mass::Done(MEMBERS));
    let (members, sum, _) = seen(&session).await;
    assert_eq!((members, sum), (9_000, 45_000));
    let rows = "SELECT count(*) FROM mass_change";
    let left: i64 = session.client.query_one(rows, &[]).await.expect("read").get(0);
    assert_eq!(left, 0);
    session.close().await;
    scene.stop().await;
}

/// Whoever gives up on a statement has the server give it up too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_given_up_is_cancelled_on_the_server() {
    const SLOW: Statement = Statement {
        name: "slow",
        types: &[],
        sql: "-- slow\nSELECT pg_sleep(300)",
    };
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let running = async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '-- slow%' AND state = 'active'";
        let count: i64 = session.client.query_one(sql, &[]).await.expect("read").get(0);
        count
    };
    let mut database = Config::defaults().database;
    database.statement_timeout = Duration::from_mins(10);
    let store = Store::new(scene.postgres.connection(), &database).expect("a pool");
    tokio::select! {
        done = store.query(SLOW, &[]) => unreachable!("{done:?}"),
        () = until("it runs", async || (running().await == 1).then_some(())) => {}
    }
    timeout(
        PATIENCE,
        until("it is cancelled", async || (running().await == 0).then_some(())),
    )
    .await
    .expect("in time");
    store.close();
    session.close().await;
    scene.stop().await;
}
