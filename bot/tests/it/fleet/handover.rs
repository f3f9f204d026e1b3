//! Processes start and stop properly.

use futures_util::future::LocalBoxFuture;

use super::{Scenario, Shown, stage::Stage};

pub(super) const ONE_FOUR_TWO_ONE: &str = "1 → 4 → 2 → 1 processes";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new(ONE_FOUR_TWO_ONE, one_four_two_one)]
}

fn one_four_two_one(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        stage.start();
        stage.is_shared().await;
        stage.load();
        stage.more().await;
        for _ in 0..3 {
            stage.start();
        }
        stage.is_shared().await;
        stage.more().await;
        for _ in 0..2 {
            stage.stop(0).await;
        }
        stage.is_shared().await;
        stage.more().await;
        stage.stop(1).await;
        stage.is_shared().await;
        stage.more().await;
        let moves = stage.discord.control().resumes().len();
        assert!(moves > 0, "shards move");
        Shown {
            silence: Some(stage.longest_silence()),
            words: format!("{moves} shards handed over"),
        }
    })
}
