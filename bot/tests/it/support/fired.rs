//! Which timers have fired, how often, and how late.

use std::time::Duration;

use eventide::postgres::{
    Store,
    timer::{self, Due, NewTimer},
};
use twilight_model::id::Id;

use super::{session::Session, until};

/// A timer's row is deleted in the transaction that does its work, and in no other here. A trigger notes each time that one is committed.
const NOTING: &str = "
    CREATE TABLE IF NOT EXISTS timer_fired (guild_id BIGINT, timer_id BIGINT, late FLOAT8);
    CREATE OR REPLACE FUNCTION note_timer() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO timer_fired VALUES (OLD.guild_id, OLD.timer_id, extract(epoch FROM clock_timestamp() - OLD.due_at));
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER note_timer AFTER DELETE ON timer FOR EACH ROW WHEN (OLD.guild_id <> 0)
    EXECUTE FUNCTION note_timer();
    TRUNCATE timer_fired;";

/// Every second timer is one of the first guild, the others are of as many.
const GUILDS: u64 = 200;

/// The timers that have fired since this was opened.
pub(crate) struct Fired(Session);

impl Fired {
    pub(crate) async fn open(session: Session) -> Self {
        session.execute(NOTING).await;
        Self(session)
    }

    pub(crate) async fn count(&self) -> i64 {
        let sql = "SELECT count(*) FROM timer_fired";
        self.0.client.query_one(sql, &[]).await.expect("counted").get(0)
    }

    pub(crate) async fn reaches(&self, goal: i64) {
        until("more have fired", async || {
            (self.count().await >= goal).then_some(())
        })
        .await;
    }

    /// Check that each of these has fired once, and none is left. Returns how late they were: the median, the 99th percentile, and the
    /// latest.
    pub(crate) async fn each_once(self, timers: i64) -> [Duration; 3] {
        let sql = "SELECT (SELECT count(*) FROM timer WHERE guild_id <> 0),
                          (SELECT count(*) FROM (SELECT DISTINCT guild_id, timer_id FROM timer_fired) AS f),
                          percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY late)
                   FROM timer_fired";
        let row = self.0.client.query_one(sql, &[]).await.expect("read");
        assert_eq!(
            (row.get::<_, i64>(0), row.get::<_, i64>(1)),
            (0, timers),
            "left, and fired"
        );
        assert_eq!(self.count().await, timers, "each once");
        let late: Vec<f64> = row.get(2);
        self.0.close().await;
        [0, 1, 2].map(|at| Duration::try_from_secs_f64(late[at]).unwrap_or_default())
    }
}

/// Arm this number of timers of many guilds, which are due at random within a time.
pub(crate) async fn arm(store: &Store, timers: i64, within: Duration) {
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
        let armed = store.transaction("test", |tx| Box::pin(async move { timer::arm(tx, &some).await }));
        armed.await.expect("armed");
    }
}
