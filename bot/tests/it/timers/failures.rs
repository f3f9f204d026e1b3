//! Timers that fail permanently or temporarily.

use std::time::Duration;

use eventide::postgres::timer::{self, Filter, NewTimer};
use twilight_model::id::Id;

use super::{Worker, arm, each_has_fired_once, new, noting, number, scene};
use crate::support::{bot::printed, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_can_never_succeed_is_given_up_with_its_reason() {
    let (scene, session) = scene().await;
    let store = scene.store();
    session
        .execute("ALTER TABLE fired ADD CHECK (timer_id <> 3)")
        .await;
    arm(
        &store,
        vec![
            new(1, 1, Duration::ZERO, "reject"),
            new(1, 2, Duration::ZERO, "panic"),
            new(1, 3, Duration::ZERO, "ok"),
            new(1, 4, Duration::ZERO, "ok"),
            NewTimer {
                kind: "of_a_later_version",
                ..new(1, 5, Duration::ZERO, "ok")
            },
        ],
    )
    .await;
    let worker = Worker::start(scene.store(), noting());
    let failed = async || {
        let filter = Filter {
            guild_id: Some(Id::new(1)),
            failed: true,
        };
        timer::list(&store, filter, 10).await.expect("listed")
    };
    until("three are given up", async || {
        (failed().await.len() == 3).then_some(())
    })
    .await;
    until("the other has fired", async || {
        (number(&session, "SELECT count(*) FROM fired WHERE timer_id = 4").await == 1).then_some(())
    })
    .await;
    assert_eq!(
        number(&session, "SELECT count(*) FROM fired").await,
        1,
        "nothing of the others"
    );
    let mut reasons: Vec<(i64, String)> = failed()
        .await
        .into_iter()
        .map(|shown| (shown.timer_id, shown.failure.expect("a reason")))
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons[0].1, "the role is gone");
    assert!(reasons[1].1.contains("panicked"), "{reasons:?}");
    assert!(reasons[2].1.contains("fired_timer_id_check"), "{reasons:?}");
    let text = printed(&scene, &["timers", "list", "--failed", "--json"]).await;
    assert!(
        text.lines().count() == 3 && text.contains("the role is gone"),
        "{text}"
    );
    let waiting = printed(&scene, &["timers", "list", "--guild", "1"]).await;
    assert!(waiting.contains("of_a_later_version"), "{waiting}");
    let cancel = ["timers", "cancel", "1", "of_a_later_version", "5"];
    assert_eq!(printed(&scene, &cancel).await, "cancelled\n");
    assert_eq!(printed(&scene, &cancel).await, "no such timer\n");
    // Armed again, it has another chance.
    arm(&store, vec![new(1, 1, Duration::ZERO, "ok")]).await;
    until("it has fired", async || {
        (number(&session, "SELECT count(*) FROM fired WHERE timer_id = 1").await == 1).then_some(())
    })
    .await;
    assert_eq!(timer::prune(&store, Duration::ZERO, 10).await.expect("pruned"), 2);
    assert!(failed().await.is_empty());
    worker.stop().await;
    session.close().await;
    store.close();
    scene.stop().await;
}

/// Here because a table is missing, as while a migration runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_passes_is_retried() {
    let (scene, session) = scene().await;
    let store = scene.store();
    session.execute("ALTER TABLE fired RENAME TO away").await;
    arm(&store, vec![new(1, 1, Duration::ZERO, "ok")]).await;
    let worker = Worker::start(scene.store(), noting());
    until("it has failed", async || {
        (number(&session, "SELECT attempts FROM timer WHERE kind = 'test'").await > 0).then_some(())
    })
    .await;
    let shown = timer::list(&store, Filter::default(), 1).await.expect("listed");
    assert!(
        shown[0].failure.as_deref().expect("a reason").contains("fired"),
        "{shown:?}"
    );
    session.execute("ALTER TABLE away RENAME TO fired").await;
    each_has_fired_once(&session, 1).await;
    worker.stop().await;
    session.close().await;
    store.close();
    scene.stop().await;
}
