//! The bot on servers without tuning: as a package creates them, and as an operator can misconfigure them.

use std::{collections::HashMap, time::Duration};

use discord_simulator::{InteractionRequest, Rate, Simulator, SimulatorConfig};
use eventide::{
    app::bot::Bot,
    config::Config,
    features::levels::rows::rank_buckets,
    postgres::{Statement, Store, connect::Target, migrations, pins::unpinned},
};
use serde_json::json;
use twilight_model::id::Id;

use crate::support::{
    PATIENCE,
    boards::assert_counted,
    bot::{config_for, discord, page, settle_exactly, start},
    pgbouncer::PgBouncer,
    stock::Stock,
    until,
};

/// Let members write until this many more messages have been sent.
async fn write(discord: &Simulator, messages: u64) {
    let before = discord.oracle().sent();
    discord.control().set_rate(Rate::PerSecond(3_000.0));
    until("members have written", async || {
        (discord.oracle().sent() >= before + messages).then_some(())
    })
    .await;
    discord.control().set_rate(Rate::Paused);
}

/// The leaderboards are shown to members.
async fn boards_are_shown(discord: &Simulator) {
    let guild = discord.world().guilds()[0].id();
    let user = discord.world().member_id(guild, 0).expect("a member");
    for by in ["xp", "messages", "week"] {
        let options = json!([{"name": "by", "type": 3, "value": by}]);
        let request = InteractionRequest::command(guild, user, "leaderboard", &options);
        let shown = discord
            .control()
            .ask(&request, Duration::from_secs(10))
            .await
            .expect("an answer");
        let reply = shown.reply().expect("a reply").to_string();
        assert!(reply.contains("#1"), "{by}: {reply}");
    }
    let request = InteractionRequest::command(
        guild,
        user,
        "rank",
        &json!([{"name": "text", "type": 5, "value": true}]),
    );
    let shown = discord
        .control()
        .ask(&request, Duration::from_secs(10))
        .await
        .expect("an answer");
    assert!(shown.reply().is_some());
}

/// Rank the first guild, so that the rest of the messages keep its buckets.
async fn rank(discord: &Simulator, store: &Store) {
    let guild = Id::new(discord.world().guilds()[0].id());
    rank_buckets::tend(store, guild).await.expect("ranked");
}

async fn stopped(bot: Bot) {
    bot.drain(PATIENCE).await.expect("a clean end");
}

/// The plans of statements in the server's log.
fn plans(log: &str) -> impl Iterator<Item = &str> {
    log.split("duration: ").filter(|entry| entry.contains("plan:"))
}

/// A flush costs PostgreSQL the same whether it carries one shard's changes or those of all, so the shards of a process share it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_of_a_process_share_their_transactions() {
    let stock = Stock::start().await;
    migrations::up(stock.connection()).await.expect("migrated");
    let discord = discord(SimulatorConfig {
        guilds: 64,
        shards: 16,
        rate: Rate::PerSecond(800.0),
        ..SimulatorConfig::default()
    })
    .await;
    let bot = start(&config_for(&discord), stock.connection()).await;
    let store = Store::new(stock.connection(), &Config::defaults().database).expect("a pool");
    let admin = stock.session_in_bot().await;
    // Each batch raises the revision of its shard by one.
    let counted = async || {
        let metrics = page(&bot, "/metrics").await;
        let transactions: f64 = metrics
            .lines()
            .find_map(|line| line.strip_prefix("eventide_flush_seconds_count "))
            .and_then(|count| count.parse().ok())
            .unwrap_or(0.0);
        let row = admin
            .client
            .query_one("SELECT sum(revision)::float8 FROM shard_checkpoint", &[])
            .await
            .expect("revisions");
        (transactions, row.get::<_, Option<f64>>(0).unwrap_or(0.0))
    };
    until("every shard has a session", async || {
        (discord.control().stats().connections_open == 16).then_some(())
    })
    .await;
    let before = counted().await;
    let sent = discord.oracle().sent();
    until("members have written for some ticks", async || {
        (discord.oracle().sent() >= sent + 3_000).then_some(())
    })
    .await;
    settle_exactly(&discord, &store).await;
    let after = counted().await;
    let (transactions, batches) = (after.0 - before.0, after.1 - before.1);
    assert!(
        batches >= 3.0 * transactions && transactions > 0.0,
        "{batches} batches in {transactions} transactions"
    );
    stopped(bot).await;
}

/// JIT would compile everything here, and the statements are planned while the tables are empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_is_compiled_and_no_flush_reads_the_whole_table() {
    let stock = Stock::start().await;
    let admin = stock.session_in_bot().await;
    for setting in [
        "session_preload_libraries = auto_explain",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_nested_statements = on",
        "jit_above_cost = 0",
    ] {
        admin.execute(&format!("ALTER DATABASE bot SET {setting}")).await;
    }
    migrations::up(stock.connection()).await.expect("migrated");
    let discord = discord(SimulatorConfig {
        guilds: 4,
        members: 2_000,
        ..SimulatorConfig::default()
    })
    .await;
    let bot = start(&config_for(&discord), stock.connection()).await;
    let store = Store::new(stock.connection(), &Config::defaults().database).expect("a pool");
    write(&discord, 2_000).await;
    settle_exactly(&discord, &store).await;
    rank(&discord, &store).await;
    admin
        .execute(
            "INSERT INTO member_xp (guild_id, user_id, xp) SELECT 1 + n % 9, n, n FROM generate_series(1, 100000) AS n; -- test",
        )
        .await;
    let before = stock.log().len();
    write(&discord, 4_000).await;
    boards_are_shown(&discord).await;
    admin
        .execute("DELETE FROM member_xp WHERE guild_id < 10; -- test")
        .await;
    settle_exactly(&discord, &store).await;
    assert_counted(&admin.client).await;
    stopped(bot).await;

    let log = stock.log();
    for plan in plans(&log) {
        assert!(!plan.contains("JIT:"), "{plan}");
    }
    let later = log.get(before..).expect("it only grows");
    let of_flushes = [
        "-- member_xp_stored",
        "-- member_xp_update",
        "-- shard_checkpoint_advance",
        "INSERT INTO bucket_count",
    ];
    for statement in of_flushes {
        let plans: Vec<&str> = plans(later).filter(|plan| plan.contains(statement)).collect();
        assert!(!plans.is_empty(), "{statement} was run");
        for plan in plans {
            assert!(!plan.contains("Seq Scan on member_xp"), "{plan}");
        }
    }
    admin.close().await;
    store.close();
    stock.stop().await;
}

/// Settings that an operator can make for a role or a database, each of which would break or slow down something.
const HOSTILE: [(&str, &str); 55] = [
    ("jit", "on"),
    ("jit_above_cost", "0"),
    ("synchronous_commit", "off"),
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_deferrable", "on"),
    ("idle_session_timeout", "300ms"),
    ("idle_in_transaction_session_timeout", "300ms"),
    ("statement_timeout", "20ms"),
    ("lock_timeout", "1ms"),
    ("transaction_timeout", "300ms"),
    ("exit_on_error", "on"),
    ("client_encoding", "LATIN1"),
    ("TimeZone", "Asia/Kathmandu"),
    ("DateStyle", "SQL, DMY"),
    ("IntervalStyle", "sql_standard"),
    ("bytea_output", "escape"),
    ("extra_float_digits", "-15"),
    ("standard_conforming_strings", "off"),
    ("backslash_quote", "off"),
    ("array_nulls", "off"),
    ("transform_null_equals", "on"),
    ("row_security", "off"),
    ("client_min_messages", "debug1"),
    ("check_function_bodies", "off"),
    ("search_path", "pg_catalog"),
    ("work_mem", "64kB"),
    ("plan_cache_mode", "force_custom_plan"),
    ("constraint_exclusion", "off"),
    ("cursor_tuple_fraction", "1"),
    ("from_collapse_limit", "1"),
    ("join_collapse_limit", "1"),
    ("geqo_threshold", "2"),
    ("force_parallel_mode", "on"),
    ("debug_parallel_query", "on"),
    ("enable_async_append", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_gathermerge", "off"),
    ("enable_hashagg", "off"),
    ("enable_hashjoin", "off"),
    ("enable_incremental_sort", "off"),
    ("enable_indexonlyscan", "off"),
    ("enable_indexscan", "off"),
    ("enable_material", "off"),
    ("enable_memoize", "off"),
    ("enable_mergejoin", "off"),
    ("enable_nestloop", "off"),
    ("enable_parallel_append", "off"),
    ("enable_parallel_hash", "off"),
    ("enable_partition_pruning", "off"),
    ("enable_partitionwise_join", "on"),
    ("enable_presorted_aggregate", "off"),
    ("enable_group_by_reordering", "off"),
    ("enable_seqscan", "off"),
    ("enable_sort", "off"),
    ("enable_tidscan", "off"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_the_role_and_the_database_change_nothing() {
    let stock = Stock::start().await;
    let admin = stock.session_in_bot().await;
    for (name, value) in HOSTILE {
        // Versions know different ones.
        let sql = format!("SELECT FROM pg_settings WHERE name = '{name}'");
        if !admin.client.query(&sql, &[]).await.expect("read").is_empty() {
            for whose in ["ROLE bot", "DATABASE bot"] {
                admin
                    .execute(&format!("ALTER {whose} SET {name} = '{value}'"))
                    .await;
            }
        }
    }
    let bouncer = PgBouncer::start(&stock.connection()).await;
    let direct = Target::from(stock.connection());
    let pooled = Target::from(bouncer.connection(&stock.connection())).pooled();
    migrations::up(&direct).await.expect("migrated");
    let discord = discord(SimulatorConfig {
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    let store = Store::new(&direct, &Config::defaults().database).expect("a pool");
    for target in [&direct, &pooled] {
        let settings = Statement::new("settings", &[], "SELECT name, setting FROM pg_settings");
        let watched = Store::new(target, &Config::defaults().database).expect("a pool");
        let rows = watched.query(settings, &[]).await.expect("read");
        let settings: HashMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let others: Vec<_> = unpinned(|name| settings.get(name).map(String::as_str)).collect();
        assert_eq!(others, []);
        watched.close();

        let bot = start(&config_for(&discord), target.clone()).await;
        write(&discord, 3_000).await;
        settle_exactly(&discord, &store).await;
        rank(&discord, &bot.store).await;
        write(&discord, 1_000).await;
        settle_exactly(&discord, &store).await;
        boards_are_shown(&discord).await;
        assert_counted(&admin.client).await;
        stopped(bot).await;
    }

    // This one only a superuser may change, so it is refused by its name.
    admin
        .execute("ALTER ROLE bot SET session_replication_role = replica")
        .await;
    let refused = Store::new(&direct, &Config::defaults().database).expect("a pool");
    // The server ends the connection with its reason; at times the driver sees the end first.
    until("it is refused by its name", async || {
        let error = refused.ping().await.expect_err("triggers would not fire");
        error
            .to_string()
            .contains("session_replication_role")
            .then_some(())
    })
    .await;
    refused.close();
    store.close();
    admin.close().await;
    stock.stop().await;
}
