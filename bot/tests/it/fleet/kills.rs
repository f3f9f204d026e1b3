//! Processes are killed while others join.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::time::{Instant, sleep};

use super::{Form, Scenario, Shown, stage::Stage};

pub(super) const AT_RANDOM: &str = "SIGKILL at random, others join, for two minutes";

const PROCESSES: usize = 4;
const LASTS: Duration = Duration::from_mins(2);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new(AT_RANDOM, at_random)]
}

/// A killed process is detected after its lease, or immediately by a process that starts on the same machine.
fn at_random(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        for _ in 0..PROCESSES {
            stage.start();
        }
        stage.is_shared().await;
        stage.load();
        stage.more().await;
        let kills = match stage.form {
            Form::Short => one_by_one(stage).await,
            Form::Full => without_end(stage).await,
        };
        stage.is_shared().await;
        stage.more().await;
        Shown {
            silence: Some(stage.longest_silence()),
            words: format!("{kills} kills, lease {} s", stage.form.lease().as_secs()),
        }
    })
}

/// First the others take the shards of a process when its lease has expired, then a new process takes those of another one immediately.
async fn one_by_one(stage: &mut Stage) -> u32 {
    stage.kill_one().await;
    stage.is_shared().await;
    stage.more().await;
    for _ in 0..2 {
        stage.kill_one().await;
        stage.start();
        stage.is_shared().await;
        stage.more().await;
    }
    3
}

/// Whatever the fleet is doing. Some new processes start before the lease has expired, some after.
async fn without_end(stage: &mut Stage) -> u32 {
    let began = Instant::now();
    let mut kills = 0;
    let most = stage.form.lease() + Duration::from_secs(2);
    while began.elapsed() < LASTS {
        stage.kill_one().await;
        kills += 1;
        sleep(most.mul_f64(fastrand::f64())).await;
        stage.start();
        sleep(Duration::from_secs(2).mul_f64(fastrand::f64())).await;
    }
    kills
}
