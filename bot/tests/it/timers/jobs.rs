//! Jobs of the whole fleet, and timers in the real bot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use eventide::{
    outbox::timers::{Job, Registry},
    postgres::timer,
};
use serde_json::json;
use tokio::sync::watch;

use super::{Worker, noting, number, scene};
use crate::support::{asking::here, session::Session, until};

/// The database's clock was ahead while a process claimed a timer and ended. Now the lease, and a job's next time, are far in the future.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_clock_left_behind_that_was_set_back_fires() {
    let (scene, session) = scene().await;
    let store = scene.store();
    session
        .execute(
            "INSERT INTO timer (guild_id, kind, timer_id, due_at, ready_at, claim) VALUES
             (0, 'job', 0, now() + interval '1 year', now() + interval '1 year', NULL),
             (1, 'test', 1, now(), now() + interval '1 year', 5),
             (1, 'test', 2, now() + interval '2 years', now() + interval '2 years', NULL)",
        )
        .await;
    let longest = Duration::from_mins(10);
    assert_eq!(timer::bring_forward(&store, longest).await.expect("done"), 1);
    let job = Job::new("job", (Duration::ZERO, Duration::from_hours(1)), || async {
        Ok(())
    });
    let worker = Worker::start(scene.store(), noting().with_job(job));
    until("it has fired", async || {
        (number(&session, "SELECT count(*) FROM fired").await == 1).then_some(())
    })
    .await;
    until("the job is due after one period", async || {
        let soon = "SELECT count(*) FROM timer WHERE kind = 'job' AND due_at < now() + interval '2 hours'";
        (number(&session, soon).await == 1).then_some(())
    })
    .await;
    worker.stop().await;
    session.close().await;
    store.close();
    scene.stop().await;
}

/// A job runs in one process at a time. One that is stopped leaves it to another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_runs_in_one_process_at_a_time() {
    let (scene, session) = scene().await;
    let (running, runs) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (go_on, waits) = watch::channel(false);
    let registry = || {
        let (running, runs, waits) = (Arc::clone(&running), Arc::clone(&runs), waits.clone());
        let schedule = (Duration::ZERO, Duration::from_millis(20));
        Registry::default().with_job(Job::new("job", schedule, move || {
            let (running, runs, mut waits) = (Arc::clone(&running), Arc::clone(&runs), waits.clone());
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "at a time");
                let run = Run(running);
                if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                    waits.wait_for(|go_on| *go_on).await?;
                }
                drop(run);
                if runs.load(Ordering::SeqCst) >= 3 {
                    Err("on purpose".into())
                } else {
                    Ok(())
                }
            }
        }))
    };
    let workers = [
        Worker::start(scene.store(), registry()),
        Worker::start(scene.store(), registry()),
        Worker::start(scene.store(), registry()),
    ];
    until("one is at it", async || {
        (runs.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;
    let holder = "SELECT count(*) FROM timer WHERE kind = 'job' AND claim IS NOT NULL";
    assert_eq!(number(&session, holder).await, 1);
    // Stopping all but one leaves the job to that one, whichever had it.
    let [first, second, third] = workers;
    first.stop().await;
    second.stop().await;
    go_on.send_replace(true);
    until("it runs again", async || {
        (runs.load(Ordering::SeqCst) >= 3).then_some(())
    })
    .await;
    until("its failure is noted", async || {
        let failed =
            "SELECT count(*) FROM timer WHERE kind = 'job' AND attempts > 0 AND failure = 'on purpose'";
        (number(&session, failed).await == 1).then_some(())
    })
    .await;
    third.stop().await;
    assert_eq!(running.load(Ordering::SeqCst), 0);
    session.close().await;
    scene.stop().await;
}

/// A run of the job, also one that is dropped in its middle.
struct Run(Arc<AtomicU32>);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// In the real bot: armed by the command, announced to the worker, fired.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_boost_is_deleted_a_month_after_its_end() {
    let here = here().await;
    let session = Session::open(&here.scene.postgres.connection().into()).await;
    let boost =
        json!([{"name": "factor", "type": 10, "value": 2.5}, {"name": "hours", "type": 4, "value": 24}]);
    here.manage("levels", "boost", boost, json!({})).await;
    let planned = "SELECT count(*) FROM timer AS t JOIN xp_boost AS b ON b.guild_id = t.guild_id AND b.boost_id = t.timer_id
                   WHERE t.kind = 'boost_removal' AND t.due_at = b.ends_at + interval '720 hours'";
    assert_eq!(number(&session, planned).await, 1);
    session
        .execute("UPDATE xp_boost SET ends_at = ends_at - interval '745 hours'")
        .await;
    session.make_due("boost_removal").await;
    until("the boost is deleted", async || {
        (number(&session, "SELECT count(*) FROM xp_boost").await == 0).then_some(())
    })
    .await;
    assert_eq!(
        number(&session, "SELECT count(*) FROM timer WHERE guild_id <> 0").await,
        0
    );
    session.close().await;
    here.end().await;
}
