//! Backfill after lost sessions: each message counts once and in order, and what could not be read is recorded.

mod ends;
mod faults;
mod pages;
mod stage;

use std::sync::Arc;

use discord_simulator::{Rate, Refusal, RestFaultKind};
use eventide::{
    config::ShardCount,
    discord::shards::{ShardState, ShardStatus},
};

use self::stage::{Stage, delivered, everything, terminate, world};
use crate::support::{PATIENCE, session::every_session_is_stored, until};

/// Sessions that Discord ends under load, in all its ways.
async fn lost_under_load(cooldown_ms: u64) {
    let stage = Stage::new(world(cooldown_ms)).await;
    let control = stage.control();
    let bot = stage.start().await;
    control.set_rate(Rate::PerSecond(2_000.0));
    let mut sessions = 2;
    let ways: [&dyn Fn(); 3] = [
        &|| {
            control.invalidate(None, false);
        },
        &|| {
            control.change_gateway(|rules| rules.lost_session = Refusal::Close(4009));
            control.kill_sessions(None);
            control.reset(None);
        },
        // Only one shard, while the other continues.
        &|| {
            control.invalidate(Some(1), false);
        },
    ];
    for (way, lost) in ways.iter().zip([2, 2, 1]) {
        stage.up(sessions).await;
        stage.traffic(1_000).await;
        way();
        stage.missed(1_000).await;
        sessions += lost;
    }
    stage.up(sessions).await;
    stage.traffic(500).await;
    stage.settle(everything).await;
    let gaps = stage.gaps().await;
    assert_eq!(gaps.len(), 5);
    // What a gap misses in a channel that is still being read counts for the earlier gap.
    for shard_id in [0, 1] {
        let of_shard = gaps.iter().filter(|gap| gap.shard_id == shard_id);
        assert!(of_shard.map(|gap| gap.read_back).sum::<i64>() > 0, "{gaps:?}");
    }
    assert!(gaps.iter().all(|gap| gap.unread_channels == 0), "{gaps:?}");
    assert_eq!(control.stats().rest_rate_limited, 0);
    assert_eq!(control.stats().sessions_started(), sessions);
    stage.end_with(bot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_lost_under_load_with_a_cooldown() {
    lost_under_load(60_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_lost_under_load_without_a_cooldown() {
    lost_under_load(0).await;
}

/// Killed, offline for too long, and killed repeatedly during the backfill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_reads_back() {
    let stage = Stage::new(world(60_000)).await;
    let control = stage.control();
    control.set_rate(Rate::PerSecond(1_000.0));
    let mut bot = stage.spawn();
    stage.up(2).await;
    stage.traffic(1_000).await;
    every_session_is_stored(&stage.discord, &stage.store).await;
    bot.kill().await.expect("SIGKILL");
    control.kill_sessions(None);
    stage.missed(4_000).await;
    // Slow enough to be killed in the middle, four times, on a busy machine as well.
    stage.delay_pages(500);
    for kills in 0..4 {
        let before = stage.read_back().await;
        let mut bot = stage.spawn();
        until("a part is read back", async || {
            (stage.read_back().await > before).then_some(())
        })
        .await;
        assert!(
            stage.left().await > 0,
            "there is nothing left after {kills} kills"
        );
        if kills == 2 {
            // The session is lost meanwhile: another gap over the one that is not read yet.
            control.invalidate(None, false);
            stage.missed(500).await;
        }
        bot.kill().await.expect("SIGKILL");
    }
    control.clear_faults();
    let mut bot = stage.spawn();
    until("the bot is there", async || {
        (control.stats().connections_open == 2).then_some(())
    })
    .await;
    stage.settle(everything).await;
    assert!(stage.every_channel_was_read().await);
    terminate(&mut bot).await;
    stage.end().await;
}

/// Held messages fill the memory, and nothing can be read: the backfill is abandoned, but not the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_fills_the_memory() {
    let mut stage = Stage::new(world(60_000)).await;
    stage.config.ledger.max_memory_bytes = 1 << 18;
    let control = stage.control();
    let bot = stage.start().await;
    stage.lose_sessions(2_000).await;
    stage.fail_pages(None, RestFaultKind::Status(500));
    control.reset(None);
    stage.up(4).await;
    control.set_rate(Rate::PerSecond(3_000.0));
    until("the shards have closed", async || {
        (control.stats().connections_open == 0).then_some(())
    })
    .await;
    // What one shard abandons makes room for the other, which then continues until the memory is full again.
    control.set_rate(Rate::PerSecond(500.0));
    until("each shard has given up what it reads", async || {
        let gaps = stage.gaps().await;
        (gaps.len() == 2 && gaps.iter().all(|gap| gap.unread_channels > 0)).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    stage.settle(delivered).await;
    let others = stage
        .number("SELECT count(*) FROM gap_unread WHERE reason <> 'memory'")
        .await;
    assert!(others == 0 && stage.gaps().await.iter().all(|gap| gap.unread_channels > 0));
    assert_eq!(control.stats().sessions_started(), 4, "the sessions were resumed");
    stage.end_with(bot).await;
}

/// The number of shards changes back and forth while the bot is stopped, each time with the old sessions, which have died meanwhile, and
/// what they missed in addition to the new ones. A shard does not read back from what it saw before other shards had its guilds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_number_of_shards_and_back() {
    let mut stage = Stage::new(world(60_000)).await;
    let control = stage.control();
    control.set_rate(Rate::PerSecond(1_000.0));
    for (before, count) in [(2, 2), (2, 1), (1, 2)] {
        // There are no sessions, and nothing happens, while the number changes.
        control.set_rate(Rate::Paused);
        control.kill_sessions(None);
        stage.config.gateway.shard_count = ShardCount::Fixed(count);
        let bot = stage.start().await;
        until("there are sessions again, of each number", async || {
            let shards = bot.shards.list();
            let up = |shard: &Arc<ShardStatus>| shard.state() == ShardState::Up;
            (shards.iter().any(|shard| shard.key().count == count) && shards.iter().all(up)).then_some(())
        })
        .await;
        control.set_rate(Rate::PerSecond(1_000.0));
        until("there are as many shards, and each is up", async || {
            let shards = bot.shards.list();
            let up = |shard: &Arc<ShardStatus>| shard.key().count == count && shard.state() == ShardState::Up;
            (bot.shards.are_counted(count) && shards.len() == count as usize && shards.iter().all(up))
                .then_some(())
        })
        .await;
        if before != count {
            // Messages that the old sessions did not receive are not delivered to any.
            control.kill_unconnected_sessions(before);
        }
        stage.traffic(700).await;
        stage.settle(everything).await;
        bot.drain(PATIENCE).await.expect("a clean end");
    }
    assert_eq!(stage.read_back().await, 0);
    stage.end().await;
}
