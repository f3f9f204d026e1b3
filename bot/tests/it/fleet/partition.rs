//! A process that cannot reach PostgreSQL while all others can. Its connections to Discord survive.

use futures_util::future::LocalBoxFuture;
use tokio::time::{Instant, sleep_until};

use super::{
    Scenario, Shown,
    stage::{Stage, wall_clock_ms},
};
use crate::support::unsteady::Way;

pub(super) const LOST: &str = "no way to PostgreSQL for 2 leases, packets get lost";
pub(super) const LATE: &str = "no way to PostgreSQL for 2 leases, packets come late";

pub(super) fn scenarios() -> Vec<Scenario> {
    // Unanswered statements are abandoned 5 s after this, and the test finally waits for the process.
    let settings = &[("EVENTIDE__DATABASE__STATEMENT_TIMEOUT_MS", "1000")];
    let of = |name, play| Scenario {
        settings,
        ..Scenario::new(name, play)
    };
    vec![
        of(LOST, |stage| cut_off(stage, Way::Swallowing)),
        of(LATE, |stage| cut_off(stage, Way::Holding)),
    ]
}

fn cut_off(stage: &mut Stage, way: Way) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        stage.start();
        stage.start_with_a_way();
        stage.is_shared().await;
        stage.load();
        stage.more().await;
        let shards = stage.shards_of(&stage.processes[1]).await;
        let (began, began_ms) = (Instant::now(), wall_clock_ms());
        stage.ways[0].be(way);
        let back = stage.back_since(began_ms, &shards).await;
        sleep_until(began + stage.form.lease() * 2).await;
        stage.ways[0].be(Way::Open);
        stage.is_shared().await;
        stage.more().await;
        let cut_off = &stage.processes[1];
        Shown {
            silence: Some(back),
            words: format!(
                "lease {} s: {} late writes refused, {} shards lost by the one cut off",
                stage.form.lease().as_secs(),
                cut_off.refused().await,
                cut_off.metric("eventide_fleet_shards_lost_total").await,
            ),
        }
    })
}
