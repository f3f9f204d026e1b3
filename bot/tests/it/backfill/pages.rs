//! Pages that cannot be read, that contain more than Discord announced, or whose record PostgreSQL rejects.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use discord_simulator::{Rate, RestFaultKind, Simulator};

use super::stage::{MESSAGES, Stage, everything, terminate, world};
use crate::support::{
    session::{Session, every_session_is_stored},
    until,
};

/// A page that cannot be read is requested again, as often as it takes: that is not the channel's fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_cannot_be_read() {
    let stage = Stage::new(world(60_000)).await;
    let control = stage.control();
    let bot = stage.start().await;
    stage.lose_sessions(3_000).await;
    for field in ["author", "id", "channel_id"] {
        stage.fail_pages(Some(6), RestFaultKind::WithoutField(field.to_owned()));
    }
    control.reset(None);
    stage.up(4).await;
    stage.settle(everything).await;
    assert!(stage.every_channel_was_read().await);
    stage.end_with(bot).await;
}

/// Discord announces the last but one message of each channel, and no session receives the last one: it is in the page. Messages that the
/// gateway delivers meanwhile count once, even after a kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_above_the_last_one_that_discord_announced() {
    let mut world = world(0);
    world.gateway.late_last_messages = true;
    world.gateway.heartbeat_interval = Duration::from_secs(2);
    let stage = Stage::new(world).await;
    let control = stage.control();
    let mut bot = stage.spawn();
    stage.lose_sessions(3_000).await;
    control.set_rate(Rate::PerSecond(500.0));
    control.reset(None);
    until("messages wait for what is read", async || {
        let waits = stage
            .number("SELECT count(*) FROM backfill_message WHERE only_read")
            .await;
        (stage.read_back().await > 0 && waits > 0).then_some(())
    })
    .await;
    every_session_is_stored(&stage.discord, &stage.store).await;
    bot.kill().await.expect("SIGKILL");
    let resumes = control.stats().resumes;
    let mut bot = stage.spawn();
    stage.resumed(resumes).await;
    stage.traffic(500).await;
    control.set_rate(Rate::Paused);
    until("nothing waits any more", async || {
        (control.drained() && stage.left().await == 0).then_some(())
    })
    .await;
    // A channel without announced messages is not read.
    let calls = control.rest_calls(MESSAGES);
    let asked: BTreeSet<u64> = calls
        .iter()
        .filter_map(|call| call.path.split('/').nth(4)?.parse().ok())
        .collect();
    let planned = |discord: &Simulator| {
        discord
            .oracle()
            .expected_with_missed_in(&HashMap::new(), |channel| asked.contains(&channel))
            .expect("nothing is forgotten")
    };
    stage.settle(planned).await;
    assert!(stage.every_channel_was_read().await);
    assert!(asked.len() > 8, "{asked:?}");
    terminate(&mut bot).await;
    stage.end().await;
}

/// The progress of one shard cannot be recorded: that shard waits, and another one in the same lane continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_postgresql_refuses_stop_only_their_shard() {
    let mut stage = Stage::new(world(60_000)).await;
    stage.config.ledger.writers = 1;
    let control = stage.control();
    let bot = stage.start().await;
    stage.lose_sessions(4_000).await;
    let session = Session::open(&stage.scene.postgres.connection().into()).await;
    session
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF (NEW.guild_id >> 22) % 2 = 1 THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON backfill_channel FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    control.reset(None);
    stage.up(4).await;
    control.set_rate(Rate::PerSecond(300.0));
    until("one shard reads back all that it missed", async || {
        let gaps = stage.gaps().await;
        let read = gaps.iter().any(|gap| gap.shard_id == 0 && gap.read_back > 0);
        (read && stage.left().await == 0).then_some(())
    })
    .await;
    let others = "SELECT count(*) FROM gap WHERE shard_id = 1 AND ended_at IS NOT NULL";
    assert_eq!(stage.number(others).await, 0);
    session.execute("DROP TRIGGER refuse ON backfill_channel").await;
    stage.settle(everything).await;
    assert!(stage.every_channel_was_read().await);
    assert_eq!(control.stats().sessions_started(), 4, "no session was lost");
    session.close().await;
    stage.end_with(bot).await;
}
