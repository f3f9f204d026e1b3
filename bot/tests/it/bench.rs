//! The driver of `make bench`: a short run of one load, so that it keeps working.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

#[tokio::test]
async fn a_load_is_measured_and_exact() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("bench.json");
    let output = Command::new(env!("CARGO_BIN_EXE_eventide-bench"))
        .args(["--only", "shards-16", "--seconds", "1", "--no-plain", "--json"])
        .arg(&file)
        .kill_on_drop(true)
        .output()
        .await
        .expect("the driver runs");
    // It compares every row with the simulator's oracle, and a difference is a failure.
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let measured: Value = serde_json::from_slice(&fs::read(file).expect("the figures")).expect("JSON");
    let bot = &measured["loads"][0]["bots"]["eventide"];
    for figure in [
        "messages_per_second",
        "bot_cpu_us",
        "postgresql_cpu_us",
        "wal_bytes",
        "peak_memory_mib",
        "commit_ms_p99",
    ] {
        assert!(
            bot[figure].as_f64().is_some_and(|value| value > 0.0),
            "{figure}: {bot}"
        );
    }
}
