//! One schema per instance: several in one database, on a real PostgreSQL.

use std::time::Duration;

use discord_simulator::SimulatorConfig;
use eventide::{
    config::{Config, Secret},
    postgres::{
        Statement, Store,
        connect::{Target, quoted},
        embedded::StopMode,
        migrations,
    },
    telemetry::task,
};
use tempfile::TempDir;

use crate::support::{
    bot::{command, discord, url},
    session::Session,
    start_postgres, until,
};

/// Common and unusual names.
const NAMES: [&str; 7] = [
    "public",
    "eventide_two",
    "Capital Letters",
    "it's; DROP SCHEMA public CASCADE; --",
    "\"quoted\", public, \"$user\"",
    "back\\slash -c search_path=public\ttab\u{b}\n",
    "schöne_grüße_🦀",
];

fn store(target: &Target) -> Store {
    Store::new(target, &Config::defaults().database).expect("a pool")
}

async fn checkpoints(store: &Store) -> i64 {
    let count = Statement::new("count", &[], "SELECT count(*) FROM shard_checkpoint");
    store.query(count, &[]).await.expect("counted")[0].get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_in_one_database_do_not_see_each_other() {
    let directory = TempDir::new().expect("a directory");
    let postgres = start_postgres(directory.path()).await;
    let targets = NAMES.map(|name| Target::from(postgres.connection()).in_schema(name));
    let insert = Statement::new(
        "insert",
        &[],
        "INSERT INTO shard_checkpoint (shard_count, shard_id) VALUES (1, 0)",
    );
    let mut stores = Vec::new();
    for target in &targets {
        // Each has its own history, so each gets every migration.
        let pending = migrations::status(target).await.expect("a status");
        assert!(
            pending.iter().all(|migration| migration.applied_on.is_none()),
            "{target:?}"
        );
        let applied = migrations::up(target).await.expect("migrated");
        assert_eq!(applied.len(), pending.len(), "{target:?}");
        let store = store(target);
        assert_eq!(checkpoints(&store).await, 0, "{target:?}");
        store.query(insert, &[]).await.expect("inserted");
        assert_eq!(checkpoints(&store).await, 1, "{target:?}");
        stores.push(store);
    }
    let owner = Session::open(&targets[0]).await;
    for name in NAMES {
        let rows = owner
            .client
            .query(
                "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND relkind = 'r'",
                &[&name],
            )
            .await
            .expect("read");
        assert!(
            rows.iter()
                .any(|row| row.get::<_, &str>(0) == "refinery_schema_history"),
            "{name}"
        );
    }

    // One that starts over leaves the others alone.
    migrations::start_over(&targets[3]).await.expect("emptied");
    let gone = migrations::status(&targets[3]).await.expect("a status");
    assert!(gone.iter().all(|migration| migration.applied_on.is_none()));
    for (index, store) in stores.iter().enumerate().filter(|(index, _)| *index != 3) {
        assert_eq!(checkpoints(store).await, 1, "{}", NAMES[index]);
    }

    // The search path in the address is ignored.
    let address = url(&postgres.connection());
    let mut database = Config::defaults().database;
    "eventide_two".clone_into(&mut database.schema);
    let target = Target::open(
        &Secret::new(format!(
            "{address}?options=-c%20search_path%3Dpublic%20-c%20work_mem%3D7MB"
        )),
        &database,
    )
    .expect("a target");
    let session = Session::open(&target).await;
    let row = session
        .client
        .query_one("SELECT current_schema()::text, current_setting('work_mem')", &[])
        .await
        .expect("read");
    assert_eq!((row.get(0), row.get(1)), ("eventide_two", "7MB"));
    session.close().await;
    owner.close().await;
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}

/// Two processes on one schema wait for each other, two on different ones do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_migration_lock_is_the_schema_s_own() {
    let directory = TempDir::new().expect("a directory");
    let postgres = start_postgres(directory.path()).await;
    let [one, two] = ["one", "two"].map(|name| Target::from(postgres.connection()).in_schema(name));
    let holder = Session::open(&one).await;
    holder
        .execute("SELECT pg_advisory_lock(hashtextextended('eventide migrate one', 0))")
        .await;
    migrations::up(&two).await.expect("not held up");
    let waiting = {
        let one = one.clone();
        task::spawn("waiting", async move { migrations::up(&one).await })
    };
    until("the other process waits for the lock", async || {
        let row = holder
            .client
            .query_one(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'eventide %migrate' AND query LIKE '%migrate_try_lock%'",
                &[],
            )
            .await
            .expect("read");
        (row.get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    assert!(!waiting.is_finished());
    holder.execute("SELECT pg_advisory_unlock_all()").await;
    let applied = tokio::time::timeout(Duration::from_secs(30), waiting.join()).await;
    assert!(
        !applied
            .expect("in time")
            .expect("joined")
            .expect("migrated")
            .is_empty()
    );
    holder.close().await;
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}

/// One role migrates, and one runs the bot; a missing privilege is reported with its GRANT.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_with_few_rights() {
    let directory = TempDir::new().expect("a directory");
    let postgres = start_postgres(directory.path()).await;
    let owner = Session::open(&Target::from(postgres.connection())).await;
    let role = |role: &str, schema: &str| {
        Target::from(postgres.connection())
            .with(|config| {
                config.options(format!("-c role={role}"));
            })
            .in_schema(schema)
    };
    owner.execute("CREATE ROLE migrator; CREATE ROLE runner").await;

    let denied = migrations::up(&role("migrator", "an \"instance\""))
        .await
        .expect_err("no right")
        .to_string();
    let grant = "GRANT CREATE ON DATABASE \"eventide\" TO \"migrator\";";
    assert!(denied.contains(grant) && denied.lines().count() == 1, "{denied}");
    let denied = migrations::up(&role("migrator", "public"))
        .await
        .expect_err("no right")
        .to_string();
    assert!(
        denied.contains("GRANT USAGE, CREATE ON SCHEMA \"public\" TO \"migrator\";"),
        "{denied}"
    );

    owner.execute(grant).await;
    let schema = "an \"instance\"";
    migrations::up(&role("migrator", schema)).await.expect("migrated");

    let denied = migrations::up(&role("runner", schema))
        .await
        .expect_err("no right")
        .to_string();
    let usage = format!("GRANT USAGE ON SCHEMA {} TO \"runner\";", quoted(schema));
    assert!(denied.contains(&usage), "{denied}");
    owner.execute(&usage).await;
    let denied = migrations::up(&role("runner", schema))
        .await
        .expect_err("no right")
        .to_string();
    let tables = format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {} TO \"runner\";",
        quoted(schema)
    );
    assert!(denied.contains(&tables), "{denied}");
    owner.execute(&tables).await;
    // Nothing is left to be done, so it needs no right to do it.
    assert!(
        migrations::up(&role("runner", schema))
            .await
            .expect("up to date")
            .is_empty()
    );
    let runner = store(&role("runner", schema));
    assert_eq!(checkpoints(&runner).await, 0);
    // The triggers need no right of their own.
    let settings = Statement::new(
        "settings",
        &[],
        "INSERT INTO guild_settings (guild_id) VALUES (1)",
    );
    runner.query(settings, &[]).await.expect("inserted");
    owner.close().await;
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}

/// The real binary with its own schema, by the conventional variable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_binary_in_a_schema_of_its_own() {
    let directory = TempDir::new().expect("a directory");
    let postgres = start_postgres(directory.path()).await;
    let migrate = |schema: &str| {
        let mut command = command(&["migrate", "up"]);
        command
            .current_dir(directory.path())
            .env("DATABASE_URL", url(&postgres.connection()))
            .env("DB_SCHEMA", schema);
        command
    };
    let output = migrate("bot \"x\"").output().await.expect("the binary runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = migrate("pg_mine").output().await.expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("DB_SCHEMA: database.schema"), "{text}");

    // And a bot there is ready with nothing in public.
    let discord = discord(SimulatorConfig::default()).await;
    let config = crate::support::bot::config_for(&discord);
    let target = Target::from(postgres.connection()).in_schema("bot \"x\"");
    let bot = crate::support::bot::start(&config, &target).await;
    discord
        .control()
        .set_rate(discord_simulator::Rate::PerSecond(200.0));
    let store = store(&target);
    until("a member has earned something", async || {
        let all = eventide::features::levels::rows::member_xp::all(&store)
            .await
            .expect("read");
        (!all.is_empty()).then_some(())
    })
    .await;
    bot.drain(Duration::from_secs(20)).await.expect("drained");
    let tables = Session::open(&Target::from(postgres.connection())).await;
    let row = tables
        .client
        .query_one("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", &[])
        .await
        .expect("read");
    assert_eq!(row.get::<_, i64>(0), 0);
    tables.close().await;
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}
