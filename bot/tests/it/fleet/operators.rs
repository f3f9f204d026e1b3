//! The operator's view of the fleet, and requests: `eventide fleet`.

use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use tempfile::TempDir;

use super::{Scenario, Shown, stage::Stage};
use crate::support::{
    Scene,
    bot::{command, url},
    start_postgres, until,
};

pub(super) const MOVED: &str = "shards moved, a process drained, by an operator";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new(MOVED, moved)]
}

/// The result of the binary: its exit code and its output.
async fn fleet(connection: &tokio_postgres::Config, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(&[&["fleet"], arguments].concat())
        .env("DATABASE_URL", url(connection))
        .output()
        .await
        .expect("ran");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn done(stage: &Stage, arguments: &[&str]) -> String {
    let (code, said, complaint) = fleet(&stage.scene.postgres.connection(), arguments).await;
    assert_eq!((code, complaint.as_str()), (Some(0), ""), "{arguments:?}");
    said
}

async fn refused(connection: &tokio_postgres::Config, arguments: &[&str]) -> String {
    let (code, said, complaint) = fleet(connection, arguments).await;
    assert_eq!(
        (code, said.as_str()),
        (Some(64), ""),
        "{arguments:?}: {complaint}"
    );
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

async fn status(stage: &Stage) -> Value {
    let said = done(stage, &["status", "--json"]).await;
    serde_json::from_str(&said).expect("JSON")
}

fn process<'a>(status: &'a Value, id: &str) -> &'a Value {
    let processes = status["processes"].as_array().expect("a list");
    processes
        .iter()
        .find(|process| process["process_id"] == id)
        .expect("the process is there")
}

fn moved(stage: &mut Stage) -> LocalBoxFuture<'_, Shown> {
    Box::pin(async move {
        stage.start();
        stage.start();
        stage.is_shared().await;
        stage.load();
        stage.more().await;
        let shards = stage.shards;
        let (first, second) = (
            stage.id_of(&stage.processes[0]).await,
            stage.id_of(&stage.processes[1]).await,
        );
        shows_everything(stage, &first).await;

        done(stage, &["drain", &first]).await;
        until("the other one has all shards", async || {
            (stage.shards_of(&stage.processes[1]).await.len() == shards as usize).then_some(())
        })
        .await;
        assert_eq!(process(&status(stage).await, &first)["draining"], true);
        let table = done(stage, &["status"]).await;
        assert!(table.contains("draining\n  no shards"), "{table}");
        let complaint = refused(&stage.scene.postgres.connection(), &["move", "0", &first]).await;
        assert!(
            complaint.contains("is draining") && complaint.contains("--undo"),
            "{complaint}"
        );
        done(stage, &["drain", &first, "--undo"]).await;
        stage.is_shared().await;
        stage.more().await;

        let shard = *stage
            .shards_of(&stage.processes[0])
            .await
            .first()
            .expect("it has some");
        let number = shard.to_string();
        done(stage, &["move", &number, &second]).await;
        until("the shard is where it was put", async || {
            stage
                .shards_of(&stage.processes[1])
                .await
                .contains(&shard)
                .then_some(())
        })
        .await;
        stage.is_shared().await;
        let here = |status: &Value, put: bool| {
            let shards = process(status, &second)["shards"].as_array().expect("a list");
            let found = shards.iter().find(|other| other["shard_id"] == shard);
            found.is_some_and(|found| found["put_here"] == put)
        };
        assert!(here(&status(stage).await, true));
        assert!(done(stage, &["status"]).await.contains("  put here\n"));
        // The balance is already even, and moves nothing unnecessarily.
        done(stage, &["move", &number]).await;
        assert!(here(&status(stage).await, false));
        stage.is_shared().await;
        stage.more().await;

        refuses_what_is_not_there(stage, shards).await;
        Shown {
            silence: Some(stage.longest_silence()),
            words: format!("{} shards handed over", stage.discord.control().resumes().len()),
        }
    })
}

async fn shows_everything(stage: &Stage, first: &str) {
    let shards = stage.shards;
    let status = until("what the processes show of their shards is there", async || {
        let status = status(stage).await;
        let lists = status["processes"]
            .as_array()?
            .iter()
            .map(|process| process["shards"].as_array());
        let all: Vec<Value> = lists
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let up = |shard: &Value| shard["shown"]["state"] == "up" && shard["guilds"].as_u64() > Some(0);
        (all.len() == shards as usize && all.iter().all(up)).then_some(status)
    })
    .await;
    assert_eq!(status["shard_count"], shards);
    assert_eq!(status["free_shards"], Value::Array(Vec::new()));
    assert_eq!(status["identifies_remaining"], stage.identifies_left().await);
    assert_eq!(status["processes"].as_array().map(Vec::len), Some(2));
    let process = process(&status, first);
    assert_eq!(process["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        process["silent_seconds"]
            .as_f64()
            .is_some_and(|silent| silent < 60.0)
    );
    let shard = &process["shards"][0];
    assert!(
        shard["held_seconds"].is_u64() && shard["put_here"] == false,
        "{shard}"
    );
    for what in ["events", "sequence", "lag_ms", "session_s"] {
        assert!(shard["shown"][what].is_u64(), "{what}: {shard}");
    }

    let table = done(stage, &["status"]).await;
    assert!(
        table.starts_with(&format!(
            "2 processes, {shards} shards, 0 of them without a process; "
        )),
        "{table}"
    );
    assert!(table.contains(&format!("\n{first} on ")), "{table}");
    assert_eq!(
        table.matches("  SHARD  STATE       GUILDS ").count(),
        2,
        "{table}"
    );
    assert_eq!(table.matches("  up  ").count(), shards as usize, "{table}");
}

async fn refuses_what_is_not_there(stage: &Stage, shards: u32) {
    let connection = stage.scene.postgres.connection();
    for arguments in [
        &["drain", "nobody"][..],
        &["drain", "nobody", "--undo"],
        &["move", "0", "nobody"],
    ] {
        assert_eq!(
            refused(&connection, arguments).await,
            "eventide: there is no process \"nobody\": see `eventide fleet status`\n"
        );
    }
    let beyond = shards.to_string();
    assert_eq!(
        refused(&connection, &["move", &beyond]).await,
        format!(
            "eventide: there is no shard {shards}: shards are numbered 0 to {}\n",
            shards - 1
        )
    );
    for number in ["-1", "first", "4294967296"] {
        let (code, _, complaint) = fleet(&connection, &["move", number]).await;
        assert_eq!(code, Some(64), "{complaint}");
    }
}

/// Before any process has run, and without a schema.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_runs() {
    let scene = Scene::new().await;
    let connection = scene.postgres.connection();
    let (code, said, complaint) = fleet(&connection, &["status"]).await;
    assert_eq!(
        (code, said.as_str(), complaint.as_str()),
        (Some(0), "no process has run on this database yet\n", "")
    );
    let (_, said, _) = fleet(&connection, &["status", "--json"]).await;
    let status: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (&status["shard_count"], &status["processes"]),
        (&Value::Null, &Value::Array(Vec::new()))
    );
    let complaint = refused(&connection, &["move", "0"]).await;
    assert!(complaint.contains("there are no shards yet"), "{complaint}");
    let complaint = refused(&connection, &["drain", "somebody"]).await;
    assert!(complaint.contains("no process \"somebody\""), "{complaint}");
    scene.stop().await;

    let directory = TempDir::new().expect("a temporary directory");
    let postgres = start_postgres(directory.path()).await;
    let (code, said, complaint) = fleet(&postgres.connection(), &["status"]).await;
    assert_eq!(
        (code, said.as_str(), complaint.lines().count()),
        (Some(1), "", 1),
        "{complaint}"
    );
    postgres
        .stop(eventide::postgres::embedded::StopMode::Immediate)
        .await
        .expect("PostgreSQL stops");
}
