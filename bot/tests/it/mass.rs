//! Changes of many members: in steps that do not block others, each once, whatever interrupts them.

use std::{collections::BTreeSet, time::Duration};

use eventide::{
    config::Config,
    discord::guilds::authority::XpPermit,
    features::levels::{
        adjust::{Granted, Mass, XpAdjustment, grant, mass, reset, take_back},
        pending::MemberDelta,
        rows::{
            member_xp::{self, Addition, Making},
            rank_buckets,
        },
    },
    outbox::timers::{Registry, Timers},
    postgres::{
        Statement, Store,
        request::{Actor, Request},
    },
    settings::Settings,
    support::ids::MemberKey,
    telemetry::task::spawn,
};
use tokio::{sync::watch, time::timeout};
use twilight_model::id::Id;

use crate::support::{PATIENCE, Scene, boards::assert_counted, session::Session, until};

const MEMBERS: u64 = 9_000;
const PERMIT: XpPermit = XpPermit::of_operator();

fn request(interaction: u64, action: &'static str) -> Request {
    Request {
        guild_id: Id::new(1),
        request_id: Id::new(interaction << 22),
        actor: Actor::Member(Id::new(9)),
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
        done = reset(&store, &settings, request(1, "levels_reset"), &told) => unreachable!("{done:?} in one step"),
        step = hears.changed() => step.expect("a step"),
    }
    let (left, _, noted) = seen(&session).await;
    assert!(left > 0 && left < members, "{left}");
    assert!(noted > 0, "{noted}");
    // The interaction is replayed.
    let again = reset(&store, &settings, request(1, "levels_reset"), &told).await;
    assert_eq!(again.expect("done"), Mass::Done(MEMBERS));
    assert_eq!(seen(&session).await, (0, 0, members));
    let done = reset(&store, &settings, request(1, "levels_reset"), &told).await;
    assert_eq!(done.expect("done"), Mass::Before);
    // The same for the undo; it is not replayed this time, but found by the job.
    let (told, mut hears) = watch::channel(0);
    tokio::select! {
        done = take_back(&store, &settings, request(2, "levels_undo"), request(1, "").request_id, PERMIT, &told) => {
            unreachable!("{done:?} in one step")
        }
        step = hears.changed() => step.expect("a step"),
    }
    session
        .execute("UPDATE mass_change SET touched_at = now() - interval '1 hour'")
        .await;
    let (stop, stopped) = watch::channel(false);
    let jobs = Registry::default().with_job(mass::job(&store, &settings));
    let timers = spawn("timers", Timers::new(store.clone(), jobs, 1).run(stopped));
    until("the change is finished", async || {
        let (_, sum, _) = seen(&session).await;
        (sum == all).then_some(())
    })
    .await;
    stop.send_replace(true);
    timers.join().await.expect("it stops");
    let wrong = "SELECT count(*) FROM member_xp WHERE xp <> user_id OR by_xp <> xp_place(xp)";
    let wrong: i64 = session.client.query_one(wrong, &[]).await.expect("read").get(0);
    assert_eq!(wrong, 0);
    session.close().await;
    scene.stop().await;
}

/// If a change is undone while it is in progress, it is finished first, so that none of it follows the undo.
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
        request(1, "xp_give"),
        users.clone(),
        XpAdjustment::Give(PERMIT, 5),
    );
    // Too short for all of it.
    drop(timeout(Duration::from_millis(150), given).await);
    let told = watch::Sender::new(0);
    let given = grant(
        &store,
        &settings,
        request(1, "xp_give"),
        users,
        XpAdjustment::Give(PERMIT, 5),
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
        done = reset(&store, &settings, request(2, "levels_reset"), &begun) => unreachable!("{done:?} in one step"),
        step = hears.changed() => step.expect("a step"),
    }
    let back = take_back(
        &store,
        &settings,
        request(3, "levels_undo"),
        request(2, "").request_id,
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

const WEEK: i32 = 2_900;
const FEW: u64 = 2_500;

/// Members of a ranked server. Half of their XP is from this week, except for every fifth, who has not written for weeks.
async fn fill_week(store: &Store, session: &Session) {
    session
        .execute(&format!(
            "INSERT INTO member_xp (guild_id, user_id, xp, week, week_base)
             SELECT 1, u, 100 + u, {WEEK} - CASE WHEN u % 5 = 0 THEN 3 ELSE 0 END, 50 FROM generate_series(1, {FEW}) AS u"
        ))
        .await;
    rank_buckets::tend(store, Id::new(1)).await.expect("ranked");
}

/// A member's row: XP, the week, XP of the week and its bucket.
type Row = (i64, i32, i64, i32);

async fn rows(session: &Session) -> Vec<Row> {
    let sql = "SELECT xp, week, xp - week_base, by_week::int4 FROM member_xp ORDER BY user_id";
    let rows = session.client.query(sql, &[]).await.expect("read");
    let rows = rows.iter();
    rows.map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect()
}

/// A row without the bucket.
const fn seen_of(row: &Row) -> (i64, i32, i64) {
    (row.0, row.1, row.2)
}

/// The week's leaderboard follows changes of XP, and an undo restores it, in addition to what was earned in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_week_goes_with_a_reset_and_comes_back_with_an_undo() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let store = scene.store();
    fill_week(&store, &session).await;
    let settings = Settings::new(&Config::defaults().levels);
    let told = watch::Sender::new(0);
    let before = rows(&session).await;
    let done = reset(&store, &settings, request(1, "levels_reset"), &told).await;
    assert_eq!(done.expect("done"), Mass::Done(FEW));
    assert!(
        rows(&session)
            .await
            .iter()
            .all(|(xp, _, week_xp, bucket)| (*xp, *week_xp, *bucket) == (0, 0, 0)),
        "nobody is on a board"
    );
    assert_counted(&session.client).await;

    // Two write in between, one of them when the next week has begun.
    let additions: Vec<Addition> = [(1, WEEK), (2, WEEK + 1)]
        .map(|(user, week)| {
            let mut delta = MemberDelta {
                xp: 20,
                messages: 1,
                ..MemberDelta::default()
            };
            delta.earned_in(week, 20);
            Addition {
                key: MemberKey {
                    guild_id: Id::new(1),
                    user_id: Id::new(user),
                },
                delta,
                is_new: false,
                is_ranked: true,
            }
        })
        .to_vec();
    let flushes = store.for_flushes();
    let earned = flushes.transaction("test", move |tx| {
        Box::pin(async move { member_xp::write(tx, &additions, Making::Copied).await })
    });
    assert_eq!(earned.await.expect("written").len(), 2);
    let back = take_back(
        &store,
        &settings,
        request(2, "levels_undo"),
        request(1, "").request_id,
        PERMIT,
        &told,
    );
    assert_eq!(back.await.expect("done"), Mass::Done(FEW));
    let after = rows(&session).await;
    assert_eq!(after[2..], before[2..]);
    assert_eq!(
        seen_of(&after[0]),
        (121, WEEK, 71),
        "what was earned in between counts once"
    );
    assert_eq!(
        seen_of(&after[1]),
        (122, WEEK + 1, 20),
        "no week gets what is another's"
    );
    assert_counted(&session.client).await;
    store.close();
    session.close().await;
    scene.stop().await;
}

/// The same with one member: XP set to 0, which includes the week, and other changes, and their undo.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_week_goes_with_what_is_done_to_one_member() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let store = scene.store();
    fill_week(&store, &session).await;
    let settings = Settings::new(&Config::defaults().levels);
    let told = watch::Sender::new(0);
    let before = rows(&session).await;
    for (nth, (grant_, left)) in [
        (XpAdjustment::Set(PERMIT, 0), (0, WEEK, 0)),
        (XpAdjustment::Take(83), (20, WEEK, 20)),
        (XpAdjustment::Take(10), (93, WEEK, 53)),
        (XpAdjustment::Give(PERMIT, 10), (113, WEEK, 53)),
    ]
    .into_iter()
    .enumerate()
    {
        let nth = 10 + 2 * nth as u64;
        let users = BTreeSet::from([Id::new(3)]);
        let granted = grant(&store, &settings, request(nth, "xp"), users, grant_).await;
        assert!(matches!(granted.expect("done"), Granted::Now(_)));
        assert_eq!(seen_of(&rows(&session).await[2]), left, "{grant_:?}");
        assert_counted(&session.client).await;
        let back = take_back(
            &store,
            &settings,
            request(nth + 1, "levels_undo"),
            request(nth, "").request_id,
            PERMIT,
            &told,
        );
        assert_eq!(back.await.expect("done"), Mass::Done(1));
        assert_eq!(rows(&session).await[2], before[2], "{grant_:?}");
    }
    store.close();
    session.close().await;
    scene.stop().await;
}

/// A statement whose caller stops waiting is cancelled on the server, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_given_up_is_cancelled_on_the_server() {
    const SLOW: Statement = Statement::new("slow", &[], "-- slow\nSELECT pg_sleep(300)");
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
