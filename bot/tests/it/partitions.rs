//! `member_xp` partitioned by hash of `guild_id`: the bot works on it unchanged, and the leaderboards are correct.

use std::{cmp::Reverse, fmt::Write as _};

use discord_simulator::{LevelRules, Rate, SimulatorConfig};
use eventide::features::levels::rows::{
    leaderboard::{self, Order},
    member_xp, rank_buckets,
};
use twilight_model::id::{Id, marker::GuildMarker};

use crate::support::{
    PATIENCE, Scene,
    boards::assert_counted,
    bot::{config_for, discord, settle_exactly, start, up},
    session::Session,
    until,
};

const PARTITIONS: u32 = 4;

/// Put a partitioned table of the same definition, with its indexes and triggers, in the place of `member_xp`.
async fn partition(session: &Session) {
    let triggers = session.client.query(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'member_xp'::regclass AND NOT tgisinternal",
        &[],
    );
    let triggers: Vec<String> = triggers
        .await
        .expect("read")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert!(!triggers.is_empty());
    let options = session.client.query_one(
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'member_xp'::regclass",
        &[],
    );
    let options: String = options.await.expect("read").get(0);
    let mut sql = "ALTER TABLE member_xp RENAME TO member_xp_whole;
         CREATE TABLE member_xp (LIKE member_xp_whole INCLUDING ALL) PARTITION BY HASH (guild_id);"
        .to_owned();
    for partition in 0..PARTITIONS {
        write!(
            sql,
            "CREATE TABLE member_xp_{partition} PARTITION OF member_xp
             FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {partition}) WITH ({options});"
        )
        .expect("a String takes any text");
    }
    // Before the triggers, since the copied rows are already counted.
    sql += "INSERT INTO member_xp SELECT * FROM member_xp_whole; DROP TABLE member_xp_whole;";
    for trigger in triggers {
        sql += &trigger;
        sql += ";";
    }
    session
        .execute(&format!("BEGIN; {sql} COMMIT; ANALYZE member_xp;"))
        .await;
}

/// Every page of the board by XP is that of a plain sort.
async fn assert_board(scene: &Scene, guild_id: Id<GuildMarker>) -> u64 {
    const LIMIT: u32 = 100;
    let store = scene.store();
    let rows = member_xp::all(&store).await.expect("rows");
    let mut sorted: Vec<(u64, u64)> = rows
        .iter()
        .filter(|(key, row)| key.guild_id == guild_id && row.xp > 0)
        .map(|(key, row)| (key.user_id.get(), row.xp))
        .collect();
    sorted.sort_by_key(|(user, xp)| (Reverse(*xp), *user));
    let total = sorted.len() as u64;
    let mut shown = Vec::new();
    for skip in (0..total).step_by(LIMIT as usize) {
        let page = leaderboard::page(&store, guild_id, Order::Xp, skip, LIMIT)
            .await
            .expect("a page");
        assert_eq!((page.skipped, page.members), (skip, total));
        let lines = page.lines.iter();
        shown.extend(lines.map(|line| (line.standing.user_id.get(), line.value)));
    }
    assert_eq!(shown, sorted);
    store.close();
    total
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_runs_on_partitions_by_guild() {
    let scene = Scene::new().await;
    let session = Session::open(&scene.postgres.connection().into()).await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        guilds: 12,
        members: 3_000,
        levels: LevelRules {
            cooldown_ms: 0,
            ..LevelRules::default()
        },
        ..SimulatorConfig::default()
    })
    .await;
    let control = discord.control();
    let store = scene.store();
    let guilds: Vec<_> = discord
        .world()
        .guilds()
        .iter()
        .map(|guild| Id::new(guild.id()))
        .collect();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    up(&discord, 2).await;
    control.generate(2_000);
    until("there are members", async || {
        (discord.oracle().sent() > 1_000).then_some(())
    })
    .await;
    settle_exactly(&discord, &store).await;
    // One guild in buckets before, with counts that stay, and one after.
    rank_buckets::tend(&store, guilds[0]).await.expect("ranked");
    bot.drain(PATIENCE).await.expect("a clean end");
    partition(&session).await;
    assert_counted(&session.client).await;

    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    control.set_rate(Rate::PerSecond(1_000.0));
    rank_buckets::tend(&store, guilds[1]).await.expect("ranked");
    let sent = discord.oracle().sent();
    until("much is written", async || {
        (discord.oracle().sent() > sent + 5_000).then_some(())
    })
    .await;
    settle_exactly(&discord, &store).await;
    bot.drain(PATIENCE).await.expect("a clean end");

    let mut members = 0;
    for guild in &guilds {
        members += assert_board(&scene, *guild).await;
    }
    assert!(members > 500, "{members}");
    assert_counted(&session.client).await;
    let used = session
        .client
        .query("SELECT DISTINCT tableoid::regclass::text FROM member_xp", &[]);
    assert_eq!(used.await.expect("read").len(), PARTITIONS as usize);
    let placed = session
        .client
        .query_one("SELECT count(*) FROM ranked_guild WHERE placed", &[]);
    assert_eq!(placed.await.expect("read").get::<_, i64>(0), 2);
    store.close();
    session.close().await;
    scene.stop().await;
}
