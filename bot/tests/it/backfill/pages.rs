//! Pages that cannot be read, that contain more than Discord announced, or whose record PostgreSQL rejects.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use discord_simulator::{Rate, RestFault, RestFaultKind, Simulator};
use nix::sys::signal::Signal;

use super::{
    MESSAGES, after_a_quiet_loss, binary, config, everything, gaps, left, number, read_back, settle, signal,
    traffic, world,
};
use crate::support::{
    PATIENCE, Scene,
    bot::{discord, start, up},
    session::{Session, every_session_is_stored},
    until,
};

/// A page that cannot be read is asked for again, as often as it takes: that is no fault of the channel's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_cannot_be_read() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let bot = start(&config(&discord), scene.postgres.connection()).await;
    after_a_quiet_loss(&discord, &store, 3_000).await;
    for field in ["author", "id", "channel_id"] {
        control.add_fault(RestFault {
            route: MESSAGES.to_owned(),
            count: Some(6),
            delay_ms: 0,
            kind: RestFaultKind::WithoutField(field.to_owned()),
        });
    }
    control.reset(None);
    up(&discord, 4).await;
    settle(&discord, &store, everything).await;
    assert!(gaps(&store).await.iter().all(|gap| gap.unread_channels == 0));
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}

/// Discord announces the last but one message of each channel, and no session receives the last one: it is in the page. Messages that the
/// gateway delivers meanwhile count once, even after a kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_above_the_last_one_that_discord_told_of() {
    let scene = Scene::new().await;
    let mut world = world(0);
    world.gateway.late_last_messages = true;
    world.gateway.heartbeat_interval = Duration::from_secs(2);
    let discord = discord(world).await;
    let control = discord.control();
    let store = scene.store();
    let connection = scene.postgres.connection();
    let mut bot = binary(&discord, &connection).spawn().expect("started");
    after_a_quiet_loss(&discord, &store, 3_000).await;
    control.set_rate(Rate::PerSecond(500.0));
    control.reset(None);
    until("messages wait for what is read", async || {
        let waits = number(&store, "SELECT count(*) FROM backfill_message WHERE only_read").await;
        (read_back(&store).await > 0 && waits > 0).then_some(())
    })
    .await;
    every_session_is_stored(&discord, &store).await;
    bot.kill().await.expect("SIGKILL");
    let resumes = control.stats().resumes;
    let mut bot = binary(&discord, &connection).spawn().expect("started");
    until("both sessions are resumed", async || {
        (control.stats().resumes >= resumes + 2).then_some(())
    })
    .await;
    traffic(&discord, 500).await;
    control.set_rate(Rate::Paused);
    until("nothing waits any more", async || {
        (control.drained() && left(&store).await == 0).then_some(())
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
    settle(&discord, &store, planned).await;
    assert!(gaps(&store).await.iter().all(|gap| gap.unread_channels == 0));
    assert!(asked.len() > 8, "{asked:?}");
    signal(&bot, Signal::SIGTERM);
    assert_eq!(bot.wait().await.expect("an end").code(), Some(0));
    scene.stop().await;
}

/// The progress of one shard cannot be recorded: that shard waits, and another one in the same lane continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_postgresql_refuses_stop_only_their_shard() {
    let scene = Scene::new().await;
    let discord = discord(world(60_000)).await;
    let control = discord.control();
    let store = scene.store();
    let mut config = config(&discord);
    config.ledger.writers = 1;
    let bot = start(&config, scene.postgres.connection()).await;
    after_a_quiet_loss(&discord, &store, 4_000).await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    session
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF (NEW.guild_id >> 22) % 2 = 1 THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON backfill_channel FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    control.reset(None);
    up(&discord, 4).await;
    control.set_rate(Rate::PerSecond(300.0));
    until("one shard reads back all that it missed", async || {
        let gaps = gaps(&store).await;
        let read = gaps.iter().any(|gap| gap.shard_id == 0 && gap.read_back > 0);
        (read && left(&store).await == 0).then_some(())
    })
    .await;
    let others = "SELECT count(*) FROM gap WHERE shard_id = 1 AND ended_at IS NOT NULL";
    assert_eq!(number(&store, others).await, 0);
    session.execute("DROP TRIGGER refuse ON backfill_channel").await;
    settle(&discord, &store, everything).await;
    assert!(gaps(&store).await.iter().all(|gap| gap.unread_channels == 0));
    assert_eq!(control.stats().sessions_started(), 4, "no session was lost");
    session.close().await;
    bot.drain(PATIENCE).await.expect("a clean end");
    scene.stop().await;
}
