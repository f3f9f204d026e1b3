//! Lanes of the outbox: their order, rows that cannot be delivered, and claims.

use std::time::Duration;

use discord_simulator::RestFaultKind;
use eventide::{
    config::Config,
    outbox::queue::{self, NewEffect},
    postgres::Store,
};
use twilight_model::id::Id;

use super::{Stage, fault, level_up};
use crate::support::{bot::printed, commit_cutter::CommitCutter, effects::Courier, until};

/// Two processes share the work: each effect once, those of a channel in their order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_deliverers_and_writers_at_once() {
    let stage = Stage::new().await;
    let second = stage.scene.store();
    let couriers = [stage.courier(), Courier::start(&stage.config, &second)];
    let guild = stage.guild();
    let channels: Vec<u64> = guild.channels().iter().map(|channel| channel.id).collect();
    for level in 1..=60_u32 {
        let effects = channels
            .iter()
            .map(|channel| level_up(guild, *channel, *channel, level));
        stage.add(effects.collect()).await;
    }
    stage.delivered().await;
    let announced = stage.announced();
    for channel in &channels {
        let levels: Vec<u32> = announced
            .iter()
            .filter(|it| it.channel_id == *channel)
            .map(|it| it.level)
            .collect();
        assert_eq!(levels, (1..=60).collect::<Vec<_>>(), "in their order, each once");
    }
    until("the lanes are gone", async || {
        (stage.count("SELECT count(*) FROM outbox_lane").await == 0).then_some(())
    })
    .await;
    for courier in couriers {
        courier.stop().await;
    }
    second.close();
    stage.end().await;
}

/// A row that cannot be delivered or parsed, or that fails forever, does not block others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisoned_row_blocks_no_other() {
    let stage = Stage::new().await;
    let guild = stage.guild();
    let channel = guild.channels()[0].id;
    let of_a_later_version = NewEffect {
        kind: "confetti",
        ..level_up(guild, channel, 1, 1)
    };
    let unreadable = NewEffect {
        body: "[]".to_owned(),
        ..level_up(guild, channel, 2, 1)
    };
    let unknown_channel = NewEffect {
        channel_id: Some(Id::new(4)),
        ..level_up(guild, channel, 3, 1)
    };
    stage
        .add(vec![
            of_a_later_version,
            unreadable,
            unknown_channel,
            level_up(guild, channel, 9, 1),
        ])
        .await;
    let courier = stage.courier();
    until("the last is delivered", async || {
        (!stage.announced().is_empty()).then_some(())
    })
    .await;
    assert_eq!(stage.announced()[0].user_id, 9);
    until(
        "both failures are written, and what was delivered is deleted",
        async || {
            let failed = stage
                .count("SELECT count(*) FROM outbox WHERE failed_at IS NOT NULL")
                .await;
            (failed == 2 && stage.count("SELECT count(*) FROM outbox").await == 3).then_some(())
        },
    )
    .await;
    let waiting = printed(&stage.scene, &["effects", "--json"]).await;
    assert!(
        waiting.contains("confetti") && waiting.lines().count() == 1,
        "{waiting}"
    );
    let failed = printed(&stage.scene, &["effects", "--failed"]).await;
    assert!(
        failed.contains("code 10003") && failed.contains("outbox.body"),
        "{failed}"
    );
    courier.stop().await;
    // A version that knows the word gets it: it is due in its own lane.
    stage
        .run_sql("UPDATE outbox SET kind = 'level_up' WHERE kind = 'confetti'")
        .await;
    stage.run_sql("UPDATE outbox_lane SET due_at = now()").await;
    let courier = stage.courier();
    stage.delivered().await;
    assert_eq!(stage.announced().last().map(|it| it.user_id), Some(1));
    courier.stop().await;
    stage.end().await;
}

/// There is no server at the other end of its connections: a claim is abandoned after a third of the lease, whatever the limit of a
/// statement is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_on_connections_that_swallow_everything() {
    let stage = Stage::new().await;
    let mut database = Config::defaults().database;
    database.statement_timeout = Duration::from_hours(1);
    let proxy = CommitCutter::start(stage.scene.postgres.socket_directory());
    let swallowed =
        Store::new(proxy.connection(&stage.scene.postgres.connection()), &database).expect("a pool");
    let courier = Courier::start(&stage.config, &swallowed);
    let guild = stage.guild();
    let channel = guild.channels()[0].id;
    for user in [1, 2] {
        stage.add(vec![level_up(guild, channel, user, 1)]).await;
        stage.delivered().await;
        let before = proxy.swallowed();
        proxy.swallow(false);
        until("the connections are swallowed", async || {
            (proxy.swallowed() > before).then_some(())
        })
        .await;
    }
    stage.add(vec![level_up(guild, channel, 3, 1)]).await;
    stage.delivered().await;
    let users: Vec<u64> = stage.announced().iter().map(|it| it.user_id).collect();
    assert_eq!(users, [1, 2, 3]);
    courier.stop().await;
    swallowed.close();
    stage.end().await;
}

/// Old failures are deleted, and effects that are too old are abandoned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_rows_go() {
    let stage = Stage::new().await;
    let guild = stage.guild();
    let channel = guild.channels()[0].id;
    stage
        .add(vec![
            level_up(guild, channel, 1, 1),
            level_up(guild, channel, 2, 1),
        ])
        .await;
    stage
        .run_sql("UPDATE outbox SET created_at = now() - interval '2 days'")
        .await;
    stage
        .control()
        .add_fault(fault(RestFaultKind::Status(500), Some(1)));
    let courier = stage.courier();
    stage.delivered().await;
    let expired = "SELECT count(*) FROM outbox WHERE failure LIKE 'too old;%'";
    assert_eq!(stage.count(expired).await, 1);
    assert_eq!(
        stage.announced().len(),
        1,
        "the other was delivered: late is better than never"
    );
    courier.stop().await;
    stage
        .run_sql("UPDATE outbox SET failed_at = now() - interval '8 days'")
        .await;
    let keep = stage.config.effects.keep_failed;
    assert_eq!(queue::prune(&stage.store, keep, 1_000).await.expect("pruned"), 1);
    assert_eq!(stage.count("SELECT count(*) FROM outbox").await, 0);
    stage.end().await;
}
