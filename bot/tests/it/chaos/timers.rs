//! Timers that become due while the process is killed.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::{Extent, Fault, stage::Stage, table::say};
use crate::support::{
    fired::{Fired, arm},
    session::Session,
};

const TIMERS: i64 = 500;
const WITHIN: Duration = Duration::from_secs(2);

pub(super) fn faults() -> Vec<Fault> {
    vec![Fault::new("SIGKILL of the bot while 500 timers are due", killed)]
}

fn killed(stage: &mut Stage, _extent: Extent) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let fired = Fired::open(Session::open(&stage.scene.postgres.connection().into()).await).await;
        arm(&stage.store, TIMERS, WITHIN).await;
        fired.reaches(TIMERS / 5).await;
        stage.bot.kill().await.expect("SIGKILL");
        stage.start_bot();
        fired.reaches(TIMERS).await;
        let [median, most, latest] = fired.each_once(TIMERS).await;
        say(&format!(
            "{TIMERS} timers, each once: late p50 {median:.2?}, p99 {most:.2?}, max {latest:.2?}"
        ));
    })
}
