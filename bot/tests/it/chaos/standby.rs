//! An asynchronous standby without the last commits takes over: rows and checkpoints move back in time together, and Discord replays the
//! rest.

use std::time::Duration;

use discord_simulator::{Rate, SimulatorConfig};
use eventide::{config::Config, postgres::Store};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::Instant;

use super::{RATE, SHARDS, table::say};
use crate::support::{
    PATIENCE,
    bot::{command_on, compare, discord},
    session::{Session, every_session_is_stored},
    stock::Stock,
    until,
};

pub(super) const NAME: &str = "an asynchronous standby is promoted that lacks the last commits";

/// Messages that the standby lacks.
const LACKING: i64 = 2_000;

async fn number<T: for<'a> tokio_postgres::types::FromSql<'a>>(session: &Session, sql: &str) -> T {
    session.client.query_one(sql, &[]).await.expect(sql).get(0)
}

async fn counted(session: &Session) -> i64 {
    number(
        session,
        "SELECT coalesce(sum(message_count), 0)::int8 FROM member_xp",
    )
    .await
}

pub(super) async fn promoted() {
    let mut world = SimulatorConfig {
        shards: u32::try_from(SHARDS).expect("few"),
        guilds: 100,
        members: 5_000,
        ..SimulatorConfig::default()
    };
    world.gateway.client_events_per_minute = 100_000;
    let discord = discord(world).await;
    let control = discord.control();
    let primary = Stock::start().await;
    let standby = primary.standby().await;
    let hosts = [&primary, &standby].map(|server| server.socket_directory().display().to_string());
    let mut bot = command_on(&discord, &primary.connection())
        .env(
            "DATABASE_URL",
            format!(
                "host={} user=bot dbname=bot target_session_attrs=read-write",
                hosts.join(",")
            ),
        )
        .spawn()
        .expect("the binary starts");
    until("every shard has a connection", async || {
        (control.stats().connections_open == SHARDS as u64).then_some(())
    })
    .await;
    control.set_rate(Rate::PerSecond(RATE));
    let there = Store::new(primary.connection(), &Config::defaults().database).expect("a pool");
    every_session_is_stored(&discord, &there).await;
    there.close();

    // The standby receives nothing more, and commits do not wait for it.
    let (first, second) = (primary.session_in_bot().await, standby.session_in_bot().await);
    until("the standby follows", async || {
        (counted(&second).await > 0).then_some(())
    })
    .await;
    let sender: i32 = number(&first, "SELECT pid FROM pg_stat_replication").await;
    kill(Pid::from_raw(sender), Signal::SIGSTOP).expect("a signal");
    let heard = counted(&first).await;
    until("more is committed", async || {
        (counted(&first).await > heard + LACKING).then_some(())
    })
    .await;
    let before = control.stats();
    let committed = counted(&first).await;
    drop(first);
    let stopped = primary.stop();
    let killed = async {
        // It takes no other signal.
        kill(Pid::from_raw(sender), Signal::SIGKILL).expect("a signal");
    };
    tokio::join!(stopped, killed);
    let lacking = committed - counted(&second).await;
    assert!(lacking >= LACKING, "{lacking}");
    assert!(number::<bool>(&second, "SELECT pg_promote()").await);
    let promoted = Instant::now();
    until("every shard has resumed", async || {
        (control.stats().resumes >= before.resumes + SHARDS as u64).then_some(())
    })
    .await;
    control.set_rate(Rate::Paused);
    let store = Store::new(standby.connection(), &Config::defaults().database).expect("a pool");
    let report = loop {
        let report = compare(&discord, &store).await;
        if (report.counted >= report.sent && control.drained()) || promoted.elapsed() > PATIENCE {
            break report;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let caught_up = promoted.elapsed();
    let stats = control.stats();
    say(&format!(
        "\n{NAME}: {lacking} committed messages lacked; lost {}, doubled {}, sessions {}, replayed {}; caught up {:.1} s after the promotion",
        report.lost,
        report.doubled,
        stats.sessions_started(),
        stats.replayed - before.replayed,
        caught_up.as_secs_f64(),
    ));
    assert!(
        report.is_exact() && report.sent > 0,
        "{report}: {:?}",
        report.examples
    );
    assert_eq!(stats.sessions_started(), SHARDS, "no session is lost");
    assert!(
        stats.replayed - before.replayed >= lacking.cast_unsigned(),
        "each shard resumes at the older checkpoint: {stats:?}"
    );
    assert_eq!(number::<i64>(&second, "SELECT count(*) FROM gap").await, 0);
    bot.kill().await.expect("SIGKILL");
    store.close();
    drop(second);
    standby.stop().await;
}
