//! Read-only sessions are closed, because their settings last as long as the session.

use discord_simulator::{Rate, SimulatorConfig};

use crate::support::{
    PATIENCE, Scene,
    bot::{config_for, discord, settle_exactly, start, up},
    session::Session,
    until,
};

/// How an operator, or a failover tool, makes a server read-only, and writable again.
const WAYS: [(&str, &str); 3] = [
    (
        "ALTER DATABASE {database} SET default_transaction_read_only = on",
        "ALTER DATABASE {database} RESET default_transaction_read_only",
    ),
    (
        "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on",
        "ALTER ROLE CURRENT_USER RESET default_transaction_read_only",
    ),
    (
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "ALTER SYSTEM RESET default_transaction_read_only",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_outlives_a_time_in_which_the_server_is_read_only() {
    let scene = Scene::new().await;
    let connection = scene.postgres.connection();
    let database = connection.get_dbname().expect("a database").to_owned();
    // Its own session began before, and may write.
    let session = Session::open(&(&connection).into()).await;
    let discord = discord(SimulatorConfig {
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    let control = discord.control();
    let store = scene.store();
    let bot = start(&config_for(&discord), connection).await;
    up(&discord, 2).await;
    for (begins, ends) in WAYS {
        session.execute(&begins.replace("{database}", &database)).await;
        session
            .execute(
                "SELECT pg_reload_conf();
                 SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        control.set_rate(Rate::PerSecond(200.0));
        until("the bot has connections that can only read", async || {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'eventide%' AND pid <> pg_backend_pid()";
            let open: i64 = session.client.query_one(sql, &[]).await.expect("counted").get(0);
            (open > 2).then_some(())
        })
        .await;
        let sent = discord.oracle().sent();
        until("something is sent meanwhile", async || {
            (discord.oracle().sent() > sent + 100).then_some(())
        })
        .await;
        session.execute("SET default_transaction_read_only = off").await;
        session.execute(&ends.replace("{database}", &database)).await;
        session.execute("SELECT pg_reload_conf()").await;
        settle_exactly(&discord, &store).await;
    }
    bot.drain(PATIENCE).await.expect("a clean end");
    session.close().await;
    scene.stop().await;
}
