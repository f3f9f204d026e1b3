//! Timers: each fires once, by one of several processes, whatever breaks.

mod failures;
mod jobs;

use std::time::Duration;

use eventide::{
    outbox::timers::{Registry, TimerKind, Timers},
    postgres::{
        Statement, Store, StoreError, Tx,
        timer::{
            self, Due, NewTimer,
            claim::{self, Firing, Wanted},
        },
    },
    telemetry::task::{Task, spawn},
};
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio_postgres::types::Type;
use twilight_model::id::Id;

use crate::support::{
    Scene,
    commit_cutter::{CommitCutter, Cut},
    full_counts,
    session::Session,
    until,
};

const KIND: &str = "test";

/// The number of guilds that a worker serves concurrently.
const GUILDS: usize = 4;

/// Records what fires in the table `fired`, which accepts duplicates, and does what the timer's body says.
struct Noted;

impl TimerKind for Noted {
    fn name(&self) -> &'static str {
        KIND
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, timer: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        const NOTE: Statement = Statement::new(
            "test_note",
            &[Type::INT8, Type::INT8],
            "INSERT INTO fired VALUES ($1, $2)",
        );
        const WAIT: Statement = Statement::new("test_wait", &[], "SELECT pg_advisory_xact_lock(1)");
        Box::pin(async move {
            let guild = timer.guild_id.map_or(0, |id| id.get().cast_signed());
            tx.execute(NOTE, &[&guild, &timer.timer_id]).await?;
            match timer.body.as_str() {
                "\"wait\"" => tx.query(WAIT, &[]).await.map(drop),
                "\"reject\"" => Err(StoreError::Rejected("the role is gone".to_owned())),
                "\"panic\"" => unreachable!("on purpose"),
                _ => Ok(()),
            }
        })
    }
}

/// The timers of one process, with separate connections.
struct Worker {
    store: Store,
    stop: watch::Sender<bool>,
    task: Task<()>,
}

impl Worker {
    fn start(store: Store, registry: Registry) -> Self {
        let (stop, stopped) = watch::channel(false);
        let timers = Timers::new(store.clone(), registry, GUILDS);
        let task = spawn("timers", timers.run(stopped));
        Self { store, stop, task }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.task.join().await.expect("it ends");
        self.store.close();
    }

    /// As when its process is killed: in the middle of whatever it does.
    fn kill(self) {
        drop(self.task);
        self.store.close();
    }
}

fn noting() -> Registry {
    Registry::default().with(Noted)
}

fn new(guild: u64, timer_id: i64, due: Duration, body: &str) -> NewTimer {
    NewTimer {
        guild_id: Id::new(guild),
        kind: KIND,
        timer_id,
        due: Due::In(due),
        body: format!("{body:?}"),
    }
}

async fn arm(store: &Store, timers: Vec<NewTimer>) {
    let armed = store.transaction("test", |tx| {
        Box::pin(async move { timer::arm(tx, &timers).await })
    });
    armed.await.expect("armed");
}

async fn cancel(store: &Store, guild: u64, timer_id: i64) -> Result<bool, StoreError> {
    store
        .transaction("test", move |tx| {
            Box::pin(async move { timer::cancel(tx, Id::new(guild), KIND, timer_id).await })
        })
        .await
}

async fn scene() -> (Scene, Session) {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    session
        .execute("CREATE TABLE fired (guild_id BIGINT, timer_id BIGINT)")
        .await;
    (scene, session)
}

async fn number(session: &Session, sql: &str) -> i64 {
    session.client.query_one(sql, &[]).await.expect(sql).get(0)
}

/// Wait until this many have fired, and see that each did once and no timer is left.
async fn each_has_fired_once(session: &Session, timers: i64) {
    until("every timer has fired", async || {
        let left = number(session, "SELECT count(*) FROM timer WHERE kind = 'test'").await;
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(number(session, "SELECT count(*) FROM fired").await, timers);
    let distinct = "SELECT count(*) FROM (SELECT DISTINCT guild_id, timer_id FROM fired) AS f";
    assert_eq!(number(session, distinct).await, timers);
}

/// Four workers, of which one is killed again and again, and COMMITs whose answers are lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fires_once_whatever_ends() {
    let (scene, session) = scene().await;
    let store = scene.store();
    let timers: i64 = if full_counts() { 10_000 } else { 1_000 };
    let due = |id: i64| Duration::from_millis(id.unsigned_abs() % 3_000);
    let all: Vec<NewTimer> = (1..=timers)
        .map(|id| new(1 + id.unsigned_abs() % 40, id, due(id), "ok"))
        .collect();
    for some in all.chunks(500) {
        arm(&store, some.to_vec()).await;
    }
    let cutter = CommitCutter::start(scene.postgres.socket_directory());
    let through = cutter.connection(&scene.postgres.connection());
    let database = eventide::config::Config::defaults().database;
    let start = |cut: bool| {
        let store = if cut {
            Store::new(through.clone(), &database).expect("a pool")
        } else {
            scene.store()
        };
        Worker::start(store, noting())
    };
    let mut workers: Vec<Worker> = (0..4).map(|number| start(number < 2)).collect();
    let cuts = [Cut::Before, Cut::AnswerSwallowed, Cut::During];
    for (round, cut) in cuts.into_iter().cycle().take(9).enumerate() {
        let goal = timers * (i64::try_from(round).expect("few") + 1) / 12;
        cutter.cut(cut);
        until("some more have fired", async || {
            (number(&session, "SELECT count(*) FROM fired").await >= goal).then_some(())
        })
        .await;
        workers.remove(0).kill();
        workers.push(start(round % 2 == 0));
    }
    each_has_fired_once(&session, timers).await;
    for worker in workers {
        worker.stop().await;
    }
    session.close().await;
    store.close();
    scene.stop().await;
}

/// Timers that are due while PostgreSQL is unavailable fire afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_makes_them_late_and_nothing_else() {
    let (scene, session) = scene().await;
    let store = scene.store();
    let soon =
        (1..=200_u64).map(|id| new(1 + id % 7, id.cast_signed(), Duration::from_millis(id * 10), "ok"));
    arm(&store, soon.collect()).await;
    let workers = [
        Worker::start(scene.store(), noting()),
        Worker::start(scene.store(), noting()),
    ];
    until("some have fired", async || {
        (number(&session, "SELECT count(*) FROM fired").await > 0).then_some(())
    })
    .await;
    session.close().await;
    let scene = scene.while_stopped(|| ()).await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    each_has_fired_once(&session, 200).await;
    for worker in workers {
        worker.stop().await;
    }
    session.close().await;
    store.close();
    scene.stop().await;
}

/// More than a worker claims at once, and all of them wait for a lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guild_with_many_due_timers_delays_no_other() {
    let (scene, session) = scene().await;
    let store = scene.store();
    session.execute("SELECT pg_advisory_lock(1)").await;
    arm(
        &store,
        (1..=500).map(|id| new(1, id, Duration::ZERO, "wait")).collect(),
    )
    .await;
    let worker = Worker::start(scene.store(), noting());
    until("the first waits", async || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        (number(&session, waiting).await > 0).then_some(())
    })
    .await;
    arm(
        &store,
        (1..=50)
            .map(|guild| new(1 + guild, 1, Duration::ZERO, "ok"))
            .collect(),
    )
    .await;
    until("the others have fired", async || {
        (number(&session, "SELECT count(*) FROM fired").await == 50).then_some(())
    })
    .await;
    session.execute("SELECT pg_advisory_unlock(1)").await;
    each_has_fired_once(&session, 550).await;
    worker.stop().await;
    session.close().await;
    store.close();
    scene.stop().await;
}

/// Either it was cancelled, or it has fired.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_is_cancelled_or_fires_and_never_both() {
    let (scene, session) = scene().await;
    let store = scene.store();
    let workers = [
        Worker::start(scene.store(), noting()),
        Worker::start(scene.store(), noting()),
    ];
    let mut cancelled = 0;
    let timers: i64 = if full_counts() { 2_000 } else { 200 };
    for id in 1..=timers {
        arm(
            &store,
            vec![new(1 + id.unsigned_abs() % 3, id, Duration::ZERO, "ok")],
        )
        .await;
        for _ in 0..fastrand::u32(..200) {
            tokio::task::yield_now().await;
        }
        cancelled += i64::from(
            cancel(&store, 1 + id.unsigned_abs() % 3, id)
                .await
                .expect("asked"),
        );
    }
    each_has_fired_once(&session, timers - cancelled).await;
    for worker in workers {
        worker.stop().await;
    }
    session.close().await;
    store.close();
    scene.stop().await;
}

/// A process that has lost a timer cannot end it: it was moved to a later time, or armed again after it had fired.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_does_not_outlive_a_change() {
    let (scene, session) = scene().await;
    let store = scene.store();
    arm(&store, vec![new(1, 1, Duration::ZERO, "ok")]).await;
    let wanted = Wanted {
        kinds: &[KIND],
        guilds: 1,
        of_one_guild: 1,
        busy: &[],
        after: None,
        lease: Duration::from_hours(1),
    };
    let claimed = claim::claim(&store, &wanted).await.expect("claimed").remove(0);
    assert!(
        claim::claim(&store, &wanted).await.expect("asked").is_empty(),
        "once"
    );
    arm(&store, vec![new(1, 1, Duration::from_hours(1), "ok")]).await;
    let take = async || {
        let claimed = claimed.clone();
        let taken = store.transaction("test", move |tx| {
            Box::pin(async move { claim::take(tx, &claimed).await })
        });
        taken.await.expect("asked")
    };
    assert_eq!(take().await, None);
    assert!(
        !claim::extend(&store, &claimed, Duration::ZERO)
            .await
            .expect("asked")
    );
    assert!(
        !claim::postpone(&store, &claimed, "late", Duration::ZERO)
            .await
            .expect("asked")
    );
    assert!(!claim::give_up(&store, &claimed, "late").await.expect("asked"));
    claim::release(&store, &claimed).await.expect("asked");
    assert!(cancel(&store, 1, 1).await.expect("cancelled"));
    arm(&store, vec![new(1, 1, Duration::ZERO, "ok")]).await;
    assert_eq!(take().await, None, "of another one");
    let worker = Worker::start(scene.store(), noting());
    each_has_fired_once(&session, 1).await;
    worker.stop().await;
    session.close().await;
    store.close();
    scene.stop().await;
}
