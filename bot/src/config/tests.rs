use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Config, LogFormat, Problems, ShardCount};
use crate::{app::documents, config::Announce};

mod database;
mod document;
mod secrets;

const TOKEN: &str = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs";

fn read(file: &str, environment: &[(&str, &str)]) -> Result<Config, Problems> {
    let environment: BTreeMap<String, String> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::read(Some((Path::new("config.toml"), file.as_bytes())), &environment)
}

fn lines(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let problems = read(file, environment).expect_err("a mistake");
    assert_eq!(
        problems.iter().count(),
        problems.to_string().lines().count(),
        "one line each"
    );
    problems.to_string().lines().map(str::to_owned).collect()
}

/// The line of a configuration with exactly one mistake.
fn line(file: &str, environment: &[(&str, &str)]) -> String {
    let lines = lines(file, environment);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines[0].clone()
}

fn example_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.example.toml")
}

#[test]
fn defaults_are_those_of_the_struct_docs() {
    let config = Config::defaults();
    assert_eq!(config.discord.token, None);
    assert_eq!(config.discord.api_url, "https://discord.com");
    assert_eq!(config.discord.gateway_url, None);
    assert_eq!(config.gateway.shard_count, ShardCount::Auto);
    assert_eq!(config.gateway.max_backoff, Duration::from_mins(1));
    assert_eq!(config.levels.xp_per_message, (15, 25));
    assert_eq!(config.levels.cooldown, Duration::from_mins(1));
    assert_eq!(config.levels.announce, Announce::Off);
    assert_eq!(config.ledger.flush_interval, Duration::from_millis(250));
    assert_eq!(config.ledger.max_memory_bytes, 64 * 1024 * 1024);
    assert!(config.database.embedded());
    assert_eq!(config.database.data_directory, Path::new("data"));
    assert!(config.database.pool_size > config.ledger.writers);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9464");
    assert_eq!(config.log.format, LogFormat::Auto);
    assert_eq!(config.process.shutdown_timeout, Duration::from_secs(25));
    assert_eq!(read("", &[]).expect("an empty file is right"), config);
}

/// `BLESS=1 cargo test example_file` rewrites the file.
#[test]
fn example_file_is_what_the_code_says() {
    documents::assert_written("config.example.toml", &Config::example());
}

#[test]
fn example_file_with_every_key_in_force_is_the_defaults() {
    let file = fs::read_to_string(example_path()).expect("config.example.toml is in the repository");
    let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line.len() > 1;
    let in_force: Vec<&str> = file
        .lines()
        .map(|line| {
            if is_key(line) {
                line.trim_start_matches('#')
            } else {
                line
            }
        })
        .collect();
    let keys = in_force
        .iter()
        .filter(|line| line.contains(" = ") && !line.starts_with('#'))
        .count();
    let mut reader = super::Reader::new(super::Sources::default(), Vec::new());
    Config::build(&mut reader);
    assert_eq!(keys, reader.declared.len(), "one line a key");
    assert_eq!(
        read(&in_force.join("\n"), &[]).expect("the example is right"),
        Config::defaults()
    );
}

#[test]
fn announcements() {
    let config = read(
        "[levels]\nannounce = \"same_channel\"\nannounce_template = \"{user}: {level}\"\n",
        &[],
    )
    .expect("right");
    assert_eq!(config.levels.announce, Announce::SameChannel);
    assert_eq!(config.levels.announce_template.as_str(), "{user}: {level}");
    // A channel belongs to one server.
    let told = line("[levels]\nannounce = \"channel\"\n", &[]);
    assert!(
        told.ends_with("found \"channel\"; allowed: \"off\", \"same_channel\" or \"direct\""),
        "{told}"
    );
    let told = line("[levels]\nannounce_template = \"GG {usr}\"\n", &[]);
    assert!(
        told.ends_with("; here, there is no placeholder {usr} (character 4): did you mean {user}?"),
        "{told}"
    );
}

#[test]
fn every_key_names_its_unit_and_takes_its_variable() {
    let mut reader = super::Reader::new(super::Sources::default(), Vec::new());
    Config::build(&mut reader);
    let mut names = BTreeSet::new();
    for key in &reader.declared {
        assert!(
            names.insert((key.section, key.name)),
            "{} is declared twice",
            key.name
        );
        assert!(
            key.why.ends_with('.') && key.why.len() < 120,
            "one sentence: {}",
            key.why
        );
        for (unit, suffix) in [
            ("of seconds", "_seconds"),
            ("of milliseconds", "_ms"),
            ("of MiB", "_mib"),
        ] {
            assert_eq!(
                key.allowed.contains(unit),
                key.name.ends_with(suffix),
                "{}",
                key.name
            );
        }
        let variable = format!(
            "EVENTIDE__{}__{}",
            key.section.to_uppercase(),
            key.name.to_uppercase()
        );
        read("", &[(&variable, &key.default)]).expect("the default is allowed");
    }
}

#[test]
fn variables_are_stronger_than_the_file() {
    let file = "[levels]\ncooldown_seconds = 5\n[gateway]\nshard_count = 3\n[discord]\ntoken = \"file\"\n";
    let config = read(file, &[]).expect("right");
    assert_eq!(config.levels.cooldown, Duration::from_secs(5));
    assert_eq!(config.gateway.shard_count, ShardCount::Fixed(3));
    assert_eq!(config.require_token().expect("a token").expose(), "file");
    let environment = [
        ("EVENTIDE__LEVELS__COOLDOWN_SECONDS", "7"),
        ("EVENTIDE__levels__Xp_Per_Message", "[1, 2]"),
        ("EVENTIDE__GATEWAY__SHARD_COUNT", "auto"),
        ("EVENTIDE__LOG__LEVEL", "warn,eventide=debug"),
        ("EVENTIDE__LOG__FORMAT", "\"json\""),
        ("EVENTIDE__DATABASE__DATA_DIRECTORY", "2026"),
        ("EVENTIDE__DATABASE__MIGRATE_ON_START", "false"),
        ("EVENTIDE__HTTP__LISTEN", ""),
        ("DISCORD_TOKEN", " conventional\n"),
        ("PATH", "/a:/b"),
    ];
    let config = read(file, &environment).expect("right");
    assert_eq!(config.levels.cooldown, Duration::from_secs(7));
    assert_eq!(config.levels.xp_per_message, (1, 2));
    assert_eq!(config.gateway.shard_count, ShardCount::Auto);
    assert_eq!(config.log.level, "warn,eventide=debug");
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.database.data_directory, Path::new("2026"));
    assert!(!config.database.migrate_on_start);
    assert_eq!(config.http.listen.port(), 9464, "an empty variable is not set");
    assert_eq!(config.require_token().expect("a token").expose(), "conventional");
    assert_eq!(config.database.search_path, [Path::new("/a"), Path::new("/b")]);
    let environment = [
        ("DISCORD_TOKEN", "conventional"),
        ("EVENTIDE__DISCORD__TOKEN", "ours"),
    ];
    assert_eq!(
        read(file, &environment)
            .expect("right")
            .require_token()
            .expect("a token")
            .expose(),
        "ours"
    );
}

#[test]
fn secrets_come_from_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("token");
    fs::write(&path, format!("{TOKEN}\n")).expect("a file");
    let file = format!("[discord]\ntoken_file = {path:?}\n");
    assert_eq!(
        read(&file, &[])
            .expect("right")
            .require_token()
            .expect("a token")
            .expose(),
        TOKEN
    );
    // A token with higher precedence makes the file unnecessary, so it may be missing.
    fs::remove_file(&path).expect("removed");
    read(&file, &[("DISCORD_TOKEN", "conventional")]).expect("right");
    assert!(
        line(&file, &[]).starts_with("config.toml:2: discord.token_file: found a file that cannot be read")
    );
    fs::write(&path, "\n").expect("a file");
    assert!(line(&file, &[]).contains("found nothing, in the file"));
    let both = format!("{file}token = \"x\"\n");
    assert!(
        line(&both, &[])
            .contains("config.toml:3: discord.token: found both token and token_file; allowed: one")
    );
}

#[test]
fn a_missing_token_is_reported_when_it_is_needed() {
    let problem = Config::defaults().require_token().expect_err("none is given");
    assert_eq!(problem.key(), "discord.token");
    assert!(problem.to_string().contains("DISCORD_TOKEN"));
    assert!(
        read("[discord]\ntoken = \"\"", &[])
            .expect("as if left out")
            .require_token()
            .is_err()
    );
}

#[test]
fn tells_every_mistake_of_a_start_at_once() {
    let file = "\
[levels]
cooldown = \"60s\"
cooldown_ms = 5
cooldown_seconds = \"60s\"
xp_per_message = [25, 15]
[leger]
x = 1
[ledger]
flush_rws = 5
writers = 17
max_backoff_seconds = 3
checkpoint_interval_ms = 100
flush_interval_ms = 200
[http]
listen = \"localhost\"
[log]
level = \"warning\"
";
    let environment = [
        ("EVENTIDE__LEVELS__COOLDOWN", "60s"),
        ("EVENTIDE__X__Y", "secret"),
        ("EVENTIDE_LOG_LEVEL", "info"),
    ];
    let expected = [
        "config.toml:2: levels.cooldown: found an unknown key; allowed: did you mean levels.cooldown_seconds (a whole number of seconds, 0 to 86400)?",
        "config.toml:3: levels.cooldown_ms: found an unknown key; allowed: did you mean levels.cooldown_seconds (a whole number of seconds, 0 to 86400)?",
        "config.toml:4: levels.cooldown_seconds: found \"60s\"; allowed: a whole number of seconds, 0 to 86400",
        "config.toml:5: levels.xp_per_message: found [25, 15]; allowed: two whole numbers of XP, [minimum, maximum], 0 to 10000, the minimum not above the maximum",
        "config.toml:6: leger: found an unknown section; allowed: did you mean [ledger]?",
        "config.toml:9: ledger.flush_rws: found an unknown key; allowed: did you mean ledger.flush_rows (a whole number of rows, 1 to 1000000)?",
        "config.toml:10: ledger.writers: found 17; allowed: a whole number of transactions, 1 to 16",
        "config.toml:11: ledger.max_backoff_seconds: found an unknown key; allowed: did you mean gateway.max_backoff_seconds (a whole number of seconds, 1 to 3600)?",
        "config.toml:12: ledger.checkpoint_interval_ms: found checkpoint_interval_ms 100 below flush_interval_ms 200; allowed: checkpoint_interval_ms at least as long as flush_interval_ms",
        "config.toml:15: http.listen: found \"localhost\"; allowed: an IP address and a port, as in 127.0.0.1:9464 or [::]:9464",
        "config.toml:17: log.level: found \"warning\"; allowed: error, warn, info, debug, trace or off, optionally followed by target=level after commas",
        "EVENTIDE__LEVELS__COOLDOWN: levels.cooldown: found an unknown variable (the form is EVENTIDE__SECTION__KEY); allowed: did you mean levels.cooldown_seconds (a whole number of seconds, 0 to 86400)?",
        "EVENTIDE__X__Y: x.y: found an unknown variable (the form is EVENTIDE__SECTION__KEY); allowed: the sections discord, gateway, fleet, levels, ledger, effects, commands, privacy, database, http, web, log, traces, process",
        "EVENTIDE_LOG_LEVEL: log.level: found a variable with single underscores, which is not read; allowed: EVENTIDE__LOG__LEVEL",
    ];
    assert_eq!(lines(file, &environment), expected);
}

#[test]
fn refuses_wrong_kinds_and_ranges() {
    for (file, part) in [
        (
            "token = \"x\"",
            "config.toml:1: token: found an unknown key outside of every section; allowed: did you mean discord.token",
        ),
        ("levels = 3", "levels: found something that is not a section"),
        ("[[levels]]", "levels: found something that is not a section"),
        (
            "[levels.cooldown_seconds]",
            "levels.cooldown_seconds: found a table",
        ),
        ("[levels]\ncooldown_seconds = -1", "found -1"),
        (
            "[levels]\ncooldown_seconds = 1.5",
            "found a number with a fraction",
        ),
        ("[levels]\ncooldown_seconds = 0xFFFFFFFF", "found 4294967295"),
        ("[levels]\ncooldown_seconds = 2026-11-21", "found a date or time"),
        ("[levels]\ncooldown_seconds = true", "found true"),
        ("[levels]\nxp_per_message = 15", "found 15"),
        ("[levels]\nxp_per_message = [1, 2, 3]", "found [1, 2, 3]"),
        ("[levels]\nxp_per_message = [0, 10001]", "found [0, 10001]"),
        (
            "[levels]\ncooldown_seconds = 1\ncooldown_seconds = 2",
            "config.toml:3: cooldown_seconds: found a line that is not TOML (duplicate key)",
        ),
        (
            "[gateway]\nshard_count = 0",
            "\"auto\" or a whole number of shards, 1 to 65535",
        ),
        ("[gateway]\nshard_count = \"4\"", "found \"4\""),
        (
            "[discord]\napi_url = \"https://discord.com/api/v10\"",
            "without a path",
        ),
        (
            "[discord]\ngateway_url = \"https://discord.com\"",
            "ws:// or wss://",
        ),
        (
            "[discord]\ntoken = 5",
            "discord.token: found a number (not shown)",
        ),
        ("[discord]\ntoken = \"two words\"", "found text with spaces"),
        (
            "[database]\nurl = \"postgres://h:port/db\"",
            "database.url: found an address whose port cannot be read (not shown)",
        ),
        (
            "[database]\nurl = \"nonsense\"",
            "found text that is no such address (not shown)",
        ),
        (
            "[database]\nurl = \"postgres://h/db?sslmode=verify\"",
            "an address whose sslmode is none of disable",
        ),
        (
            "[database]\nurl = \"postgresql://bot:p@ss-w0rd@host/db\"",
            "write @ as %40, / as %2F, # as %23 (value not shown)",
        ),
        (
            "[database]\nurl = \"postgres://h/db?options=-c%20a%3Db\"\npooler = \"transaction\"\ndirect_url = \"postgres://h/db\"",
            "url without options=",
        ),
        ("[database]\nmigrate_on_start = \"yes\"", "allowed: true or false"),
        (
            "[database]\ndata_directory = \"\"",
            "allowed: path of a directory",
        ),
        ("[log]\nlevel = \"info,eventide\"", "log.level"),
        ("[log]\nlevel = \"5\"", "log.level"),
        ("[log]\nlevel = \"info,eventide=4\"", "log.level"),
        ("[log]\nlevel = \"info,eventide=\"", "log.level"),
        ("[log]\nlevel = \"=debug\"", "log.level"),
        ("[log]\nlevel = \"info,eventide[flush]=debug\"", "log.level"),
        ("[log]\nlevel = \"info,\"", "log.level"),
        ("[log]\nformat = \"a\\nb\u{202e}\"", r#"found "a\u{a}b\u{202e}""#),
    ] {
        let line = line(file, &[]);
        assert!(line.contains(part), "{file}: {line}");
    }
}

#[test]
fn refuses_impossible_combinations() {
    for (file, part) in [
        (
            "[database]\nurl = \"postgres://h/db\"\nembedded = true",
            "config.toml:3: database.embedded: found embedded = true and a URL",
        ),
        (
            "[database]\nembedded = false",
            "database.embedded: found embedded = false and no URL",
        ),
        (
            "[ledger]\nwriters = 8",
            "config.toml:2: ledger.writers: found pool_size 5 with ledger.writers 8",
        ),
        (
            "[database]\npool_size = 2",
            "config.toml:2: database.pool_size: found pool_size 2 with ledger.writers 2",
        ),
        (
            "[database]\npool_size = 41",
            "with the private PostgreSQL; allowed: at most 40",
        ),
    ] {
        assert!(line(file, &[]).contains(part), "{file}: {}", line(file, &[]));
    }
    read(
        "[database]\nurl = \"postgres://h/db\"\nembedded = false\npool_size = 41",
        &[],
    )
    .expect("right");
    let twice = [("EVENTIDE__LOG__LEVEL", "info"), ("EVENTIDE__log__level", "warn")];
    assert!(line("", &twice).contains("EVENTIDE__log__level: log.level: found also EVENTIDE__LOG__LEVEL"));
}

#[test]
fn a_file_that_cannot_be_read_is_one_line_beside_the_others() {
    let environment = BTreeMap::from([("EVENTIDE__LOG__LEVEL".to_owned(), "loud".to_owned())]);
    let problems = Config::load(Some(Path::new("/nowhere/config.toml")), &environment).expect_err("no file");
    let text = problems.to_string();
    assert!(
        text.starts_with("/nowhere/config.toml: --config: found a file that cannot be read (No such file"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 2, "{text}");
    let problems =
        Config::read(Some((Path::new("c"), b"[log]\xff")), &BTreeMap::new()).expect_err("not UTF-8");
    assert!(problems.to_string().contains("bytes that are not UTF-8 at 5"));
    Config::read(Some((Path::new("c"), b"\xef\xbb\xbf[log]")), &BTreeMap::new())
        .expect("a mark is no mistake");
}

#[test]
fn a_syntax_error_does_not_hide_the_other_mistakes() {
    let lines = lines(
        "[discord]\ntoken = abc\n[levels]\ncooldown_seconds = \"x\"\nxp_per_message = [1,\n",
        &[],
    );
    assert!(
        lines[0].starts_with("config.toml:2: token: found a line that is not TOML"),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("config.toml:4: levels.cooldown_seconds")),
        "{lines:#?}"
    );
    assert!(!lines.concat().contains("abc"), "{lines:#?}");
}

#[test]
fn other_variables_of_that_beginning_are_let_be() {
    read(
        "",
        &[
            ("EVENTIDE_SERVICE_HOST", "10.0.0.1"),
            ("EVENTIDE_PORT_9464_TCP", "x"),
            ("HOME", "/"),
        ],
    )
    .expect("right");
}
