//! Processes that are paused for longer than their lease, and then continue.

use std::{collections::BTreeSet, time::Duration};

use eventide::postgres::Statement;
use futures_util::future::LocalBoxFuture;
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep_until};

use super::{
    Form, Scenario, Shown,
    stage::{Stage, wall_clock_ms},
};
use crate::support::until;

pub(super) const PAUSED: &str = "SIGSTOP for 3 leases, then SIGCONT";
pub(super) const IN_A_TRANSACTION: &str = "SIGSTOP in the middle of its transactions, then SIGCONT";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(PAUSED, paused),
        Scenario::new(IN_A_TRANSACTION, in_a_transaction),
    ]
}

fn paused(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        two_under_load(stage).await;
        let mut longest = Duration::ZERO;
        for _ in 0..times(stage.form) {
            let before = stage.processes[0].refused().await;
            let pause = Pause::begin(stage).await;
            longest = longest.max(pause.until_taken(stage).await);
            sleep_until(pause.began + stage.form.lease() * 3).await;
            // It detects that its lease has expired with its next tick. This test is about what it writes before that.
            let fleet = stage.session().await;
            fleet.execute("BEGIN; SELECT FROM fleet FOR UPDATE").await;
            go_on_until_refused(stage, before).await;
            fleet.execute("COMMIT").await;
            fleet.close().await;
            stage.is_shared().await;
            stage.more().await;
        }
        shown(stage, longest).await
    })
}

/// Its sessions keep the rows locked that the next owner has to write, until PostgreSQL ends them.
fn in_a_transaction(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        const WAITING: Statement = Statement::new(
            "waiting",
            &[],
            "SELECT count(*) FROM pg_locks WHERE NOT granted
                    AND relation = 'member_xp'::regclass AND mode = 'RowExclusiveLock'",
        );
        const FREE: Statement = Statement::new(
            "free",
            &[],
            "SELECT shard_id FROM shard_checkpoint FOR UPDATE SKIP LOCKED",
        );
        two_under_load(stage).await;
        let mut longest = Duration::ZERO;
        for _ in 0..times(stage.form) {
            let before = stage.processes[0].refused().await;
            let table = stage.session().await;
            table
                .execute("BEGIN; LOCK TABLE member_xp IN SHARE ROW EXCLUSIVE MODE")
                .await;
            // Of a shard whose batch is in a transaction, the checkpoint is locked. A process may have one such transaction or several.
            until("both processes have moved checkpoints and wait", async || {
                let waiting = stage.store.query(WAITING, &[]).await.expect("locks");
                let free = stage.store.query(FREE, &[]).await.expect("checkpoints");
                let free: BTreeSet<i64> = free.iter().map(|row| row.get(0)).collect();
                for process in &stage.processes {
                    let shards = stage.shards_of(process).await;
                    shards.iter().find(|shard| !free.contains(&i64::from(**shard)))?;
                }
                (waiting[0].get::<_, i64>(0) >= 2).then_some(())
            })
            .await;
            let pause = Pause::begin(stage).await;
            table.execute("COMMIT").await;
            table.close().await;
            longest = longest.max(pause.until_taken(stage).await);
            sleep_until(pause.began + stage.form.lease() * 3).await;
            go_on_until_refused(stage, before).await;
            stage.is_shared().await;
            stage.more().await;
        }
        shown(stage, longest).await
    })
}

const fn times(form: Form) -> u32 {
    match form {
        Form::Short => 1,
        Form::Full => 3,
    }
}

async fn two_under_load(stage: &mut Stage) {
    stage.start();
    stage.start();
    stage.is_shared().await;
    stage.load();
    stage.more().await;
}

/// The first process does not run.
struct Pause {
    began: Instant,
    began_ms: u64,
    /// Its shards.
    shards: BTreeSet<u32>,
}

impl Pause {
    async fn begin(stage: &Stage) -> Self {
        let shards = stage.shards_of(&stage.processes[0]).await;
        stage.processes[0].signal(Signal::SIGSTOP);
        Self {
            began: Instant::now(),
            began_ms: wall_clock_ms(),
            shards,
        }
    }

    /// How long it took until others had its shards.
    async fn until_taken(&self, stage: &Stage) -> Duration {
        stage.back_since(self.began_ms, &self.shards).await
    }
}

async fn go_on_until_refused(stage: &Stage, before: f64) {
    stage.processes[0].signal(Signal::SIGCONT);
    until("its late writes are refused", async || {
        (stage.processes[0].refused().await > before).then_some(())
    })
    .await;
}

async fn shown(stage: &Stage, longest: Duration) -> Shown {
    Shown {
        silence: Some(longest),
        words: format!(
            "{} pauses, lease {} s: {} late writes refused, {} shards lost by the paused one",
            times(stage.form),
            stage.form.lease().as_secs(),
            stage.processes[0].refused().await,
            stage.processes[0]
                .metric("eventide_fleet_shards_lost_total")
                .await,
        ),
    }
}
