//! Timers that become due while processes are killed.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::{Form, Scenario, Shown, stage::Stage, table::seconds};
use crate::support::{
    fired::{Fired, arm},
    session::Session,
};

pub(super) const KILLED: &str = "SIGKILL at random while timers are due";

const PROCESSES: usize = 4;

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
        let fired = Fired::open(Session::open(&stage.scene.postgres.connection().into()).await).await;
        for _ in 0..PROCESSES {
            stage.start();
        }
        stage.is_shared().await;
        stage.load();
        let (timers, within) = extent(stage.form);
        arm(&stage.store, timers, within).await;
        let mut kills = 0;
        while fired.count().await < timers * 3 / 4 {
            stage.kill_one().await;
            stage.start();
            kills += 1;
            let goal = fired.count().await + timers / 6;
            fired.reaches(goal.min(timers)).await;
        }
        fired.reaches(timers).await;
        stage.is_shared().await;
        stage.more().await;
        let late = fired.each_once(timers).await.map(seconds);
        Shown {
            silence: Some(stage.longest_silence()),
            words: format!(
                "{kills} kills, {timers} timers each once, late p50 {}, p99 {}, max {}",
                late[0], late[1], late[2]
            ),
        }
    })
}
