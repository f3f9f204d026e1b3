//! The configuration as read by the real binary.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// Runs the binary in `directory` with nothing in its environment but `variables`.
fn eventide(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_eventide"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the binary runs")
}

#[test]
fn a_bad_configuration_ends_with_64_and_a_line_a_mistake() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = "[discord]\ntoken = [\"hunter2\"]\n[levels]\ncooldown = \"60s\"\n";
    fs::write(directory.path().join("config.toml"), file).expect("a file");
    let variables = [
        ("EVENTIDE__LEDGER__WRITERS", "9"),
        ("EVENTIDE__DATABASE__URL", "postgres://u:hunter2@h:x/d"),
    ];
    let output = eventide(directory.path(), &["run"], &variables);
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(64), "{told}");
    let keys = [
        "discord.token",
        "levels.cooldown",
        "database.url",
        "ledger.writers",
    ];
    assert_eq!(told.lines().count(), keys.len(), "{told}");
    for (line, key) in told.lines().zip(keys) {
        assert!(line.contains(&format!(": {key}: found ")), "{key}: {line}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = eventide(directory.path(), &["run", "--config", "elsewhere.toml"], &[]);
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(64), "{told}");
    assert!(
        told.contains("elsewhere.toml: --config: found a file that cannot be read"),
        "{told}"
    );
}
