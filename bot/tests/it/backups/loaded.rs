//! Backups and restores while a bot is running.

use std::collections::HashMap;

use discord_simulator::{MemberState, Rate, Report, Row, SimulatorConfig};
use eventide::postgres::connect::Target;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{Session, backup, ended, restore};
use crate::support::{
    PATIENCE, Scene,
    bot::{config_for, discord, spawn, start},
    until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_checkpoints_belong_together_while_the_bot_is_loaded() {
    let scene = Scene::new().await;
    let directory = TempDir::new().expect("a directory");
    let discord = discord(SimulatorConfig {
        shards: 2,
        guilds: 50,
        members: 5_000,
        ..SimulatorConfig::default()
    })
    .await;
    let control = discord.control();
    let bot = start(&config_for(&discord), scene.postgres.connection()).await;
    control.set_rate(Rate::PerSecond(5_000.0));
    let owner = Session::open(&scene.postgres, "public").await;
    for round in 0..3 {
        let sent = control.stats().delivered;
        until("more is sent, and some of it committed", async || {
            let rows = owner.client.query_one("SELECT count(*) FROM member_xp", &[]);
            let committed = rows.await.expect("counted").get::<_, i64>(0) > 0;
            (committed && control.stats().delivered > sent + 2_000).then_some(())
        })
        .await;
        let file = directory.path().join(format!("{round}.dump"));
        let manifest = backup(&scene.postgres, "public", &file).await;

        // With pg_restore itself, which can read the file: nothing is reset.
        let copy = format!("copy{round}");
        owner.execute(&format!("CREATE DATABASE {copy}")).await;
        let there = Target::from(scene.postgres.connection()).with(|config| {
            config.dbname(&copy);
        });
        let session = Session::of(there).await;
        session.execute("DROP SCHEMA public").await;
        let connection = scene.postgres.connection();
        let output = Command::new("pg_restore")
            .args(["--exit-on-error", "--no-owner", "--jobs=2", "--dbname", &copy])
            .args(["--username", connection.get_user().expect("a user"), "--host"])
            .arg(scene.postgres.socket_directory())
            .arg(&file)
            .output()
            .await
            .expect("pg_restore runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let rows = session
            .client
            .query(
                "SELECT guild_id, user_id, xp, message_count, (extract(epoch FROM last_award_at) * 1000)::int8 FROM member_xp",
                &[],
            )
            .await
            .expect("rows");
        let rows: Vec<Row> = rows
            .iter()
            .map(|row| Row {
                guild_id: row.get::<_, i64>(0).cast_unsigned(),
                user_id: row.get::<_, i64>(1).cast_unsigned(),
                state: MemberState {
                    xp: row.get::<_, i64>(2).cast_unsigned(),
                    message_count: row.get::<_, i64>(3).cast_unsigned(),
                    last_award_ms: row.get::<_, Option<i64>>(4).map(i64::cast_unsigned),
                },
            })
            .collect();
        assert_eq!(manifest.rows["member_xp"], rows.len() as u64);
        let checkpoints = session
            .client
            .query("SELECT session_id, sequence FROM shard_checkpoint", &[])
            .await
            .expect("rows");
        let limits: HashMap<String, u64> = checkpoints
            .iter()
            .map(|row| (row.get(0), row.get::<_, i64>(1).cast_unsigned()))
            .collect();
        assert_eq!(limits.len(), 2);
        let expected = discord.oracle().expected_at(&limits).expect("its history");
        let report = Report::new(&expected, rows);
        assert!(
            report.is_exact() && report.sent > 0,
            "{report}: {:?}",
            report.examples
        );
        session.close().await;
    }
    control.set_rate(Rate::Paused);
    bot.drain(PATIENCE).await.expect("a clean end");
    owner.close().await;
    scene.stop().await;
}

async fn stop(bot: &mut Child) {
    let pid = Pid::from_raw(bot.id().expect("a running bot").cast_signed());
    kill(pid, Signal::SIGTERM).expect("a signal");
    assert_eq!(bot.wait().await.expect("an end").code(), Some(0));
}

/// A backup of yesterday: the shards identify again, and counting continues from the state of the backup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_bot_does_not_take_up_its_old_sessions() {
    let scene = Scene::new().await;
    let directory = TempDir::new().expect("a directory");
    let discord = discord(SimulatorConfig {
        shards: 2,
        ..SimulatorConfig::default()
    })
    .await;
    let control = discord.control();
    let owner = Session::open(&scene.postgres, "public").await;
    let counted = "SELECT coalesce(sum(message_count), 0)::int8 FROM member_xp";
    let mut bot = spawn(&discord, &scene.postgres.connection());
    let more = async |events: u64| {
        let sent = control.stats().delivered;
        control.set_rate(Rate::PerSecond(1_000.0));
        until("more is sent", async || {
            (control.stats().delivered > sent + events).then_some(())
        })
        .await;
        control.set_rate(Rate::Paused);
    };
    more(1_000).await;
    let file = directory.path().join("yesterday.dump");
    backup(&scene.postgres, "public", &file).await;
    more(1_000).await;
    until("all was sent", async || control.drained().then_some(())).await;

    let again = ["--replace", "--yes"];
    ended(restore(&scene.postgres, "public", &file, &again))
        .await
        .refused(1, &["Eventide is connected to the schema \"public\"", "stop it"]);
    stop(&mut bot).await;
    let today = owner.number(counted).await;
    ended(restore(&scene.postgres, "public", &file, &again))
        .await
        .well();
    let yesterday = owner.number(counted).await;
    assert!(0 < yesterday && yesterday < today, "{yesterday} {today}");

    let before = control.stats();
    let sent = discord.oracle().sent();
    let mut bot = spawn(&discord, &scene.postgres.connection());
    until("both shards have identified anew", async || {
        (control.stats().sessions_started() == before.sessions_started() + 2).then_some(())
    })
    .await;
    more(1_000).await;
    stop(&mut bot).await;
    let after = control.stats();
    assert_eq!((after.resumes, after.replayed), (before.resumes, before.replayed));
    let since = i64::try_from(discord.oracle().sent() - sent).expect("few");
    assert!(since > 0);
    assert_eq!(owner.number(counted).await, yesterday + since);
    owner.close().await;
    scene.stop().await;
}
