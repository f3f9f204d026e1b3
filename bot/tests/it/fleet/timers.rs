//! Timers that become due while processes are killed.

use std::time::Duration;

use eventide::postgres::timer::{self, Due, NewTimer};
use futures_util::future::LocalBoxFuture;
use twilight_model::id::Id;

use super::{Form, Scenario, Shown, stage::Stage, table::seconds};
use crate::support::{session::Session, until};

pub(super) const KILLED: &str = "SIGKILL at random while timers are due";

const PROCESSES: usize = 4;
/// Every second timer is one of the first guild, the others are of as many.
const GUILDS: u64 = 200;

/// A timer's row is deleted in the transaction that does its work, and in no other here. A trigger notes each time that one is committed.
const NOTING: &str = "
    CREATE TABLE timer_fired (guild_id BIGINT, timer_id BIGINT, late FLOAT8);
    CREATE FUNCTION note_timer() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO timer_fired VALUES (OLD.guild_id, OLD.timer_id, extract(epoch FROM clock_timestamp() - OLD.due_at));
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_timer AFTER DELETE ON timer FOR EACH ROW EXECUTE FUNCTION note_timer();";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new(KILLED, killed)]
}

/// How many, and within which time they are due.
const fn extent(form: Form) -> (i64, Duration) {
    match form {
        Form::Short => (1_000, Duration::from_secs(6)),
        Form::Full => (10_000, Duration::from_mins(1)),
    }
}

fn killed(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        let session = Session::open(&stage.scene.postgres.connection().into()).await;
        session.execute(NOTING).await;
        for _ in 0..PROCESSES {
            stage.start();
        }
        stage.is_shared().await;
        stage.load();
        let (timers, within) = extent(stage.form);
        arm(stage, timers, within).await;
        let fired = async || {
            let sql = "SELECT count(*) FROM timer_fired";
            session
                .client
                .query_one(sql, &[])
                .await
                .expect("counted")
                .get::<_, i64>(0)
        };
        let mut kills = 0;
        while fired().await < timers * 3 / 4 {
            stage.kill_one().await;
            stage.start();
            kills += 1;
            let goal = fired().await + timers / 6;
            until("more have fired", async || {
                (fired().await >= goal.min(timers)).then_some(())
            })
            .await;
        }
        until("all have fired", async || (fired().await >= timers).then_some(())).await;
        stage.is_shared().await;
        stage.more().await;
        let sql = "SELECT (SELECT count(*) FROM timer WHERE guild_id <> 0),
                          (SELECT count(*) FROM (SELECT DISTINCT guild_id, timer_id FROM timer_fired) AS f),
                          percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY late)
                   FROM timer_fired";
        let row = session.client.query_one(sql, &[]).await.expect("read");
        assert_eq!(
            (row.get::<_, i64>(0), row.get::<_, i64>(1)),
            (0, timers),
            "left, and fired"
        );
        assert_eq!(fired().await, timers, "each once");
        let late: Vec<String> = row
            .get::<_, Vec<f64>>(2)
            .into_iter()
            .map(|late| seconds(Duration::try_from_secs_f64(late).unwrap_or_default()))
            .collect();
        session.close().await;
        Shown {
            silence: Some(stage.longest_silence()),
            words: format!(
                "{kills} kills, {timers} timers each once, late p50 {}, p99 {}, max {}",
                late[0], late[1], late[2]
            ),
        }
    })
}

async fn arm(stage: &Stage, timers: i64, within: Duration) {
    let all: Vec<NewTimer> = (1..=timers)
        .map(|timer_id| NewTimer {
            guild_id: Id::new(if timer_id % 2 == 0 {
                1
            } else {
                1 + timer_id.unsigned_abs() % GUILDS
            }),
            kind: "boost_removal",
            timer_id,
            due: Due::In(within.mul_f64(fastrand::f64())),
            body: "{}".to_owned(),
        })
        .collect();
    for some in all.chunks(1_000) {
        let some = some.to_vec();
        let armed = stage
            .store
            .transaction("test", |tx| Box::pin(async move { timer::arm(tx, &some).await }));
        armed.await.expect("armed");
    }
}
