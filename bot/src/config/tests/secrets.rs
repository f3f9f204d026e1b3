//! Random and damaged documents: each error names its key, and no message shows a secret.

use std::fs;

use proptest::prelude::*;

use super::{TOKEN, example_path, read};
use crate::config::{Config, Problems, Secret};

#[test]
fn a_secret_prints_as_stars() {
    let config = read(
        "",
        &[
            ("DISCORD_TOKEN", TOKEN),
            ("DATABASE_URL", "postgres://u:hunter2@h/db"),
        ],
    )
    .expect("right");
    assert!(!config.database.embedded());
    let printed = format!("{config:?} {:#?} {}", config.discord, Secret::new(TOKEN));
    assert!(
        !printed.contains("MTk4") && !printed.contains("hunter2") && printed.contains("***"),
        "{printed}"
    );
}

/// Ways to put a secret in the wrong place or form; `{}` stands for the secret.
const MISPLACED: [&str; 19] = [
    "[discord]\ntoken = {}",
    "[discord]\ntoken = '{}",
    "[discord]\ntoken = ['{}']",
    "[discord]\ntoken = 'Bot  {}'",
    "[discord]\ntoken = '{} '\napi_url = 5",
    "[discord]\ntoken_file = '{}'",
    "[discord]\ntoken_file = ['{}']",
    "[discord]\ntokn = '{}'",
    "[discord]\n{}",
    "{}",
    "token = '{}'",
    "[tokens]\ntoken = '{}'",
    "[discord]\napi_url = 'https://user:{}@host'",
    "[database]\nurl = 'postgres://u:{}@h:x/db'",
    "[database]\nurl = 'postgres://u:a?{}=b@h/db'",
    "[database]\nurl = 'password={} nonsense'",
    "[database]\nurl = 'postgres://u:{}@h/db'\nembedded = true",
    "[database]\nurl_file = 'postgres://u:{}@h/db'",
    "[http]\nlisten = 'u:{}@h'",
];

const KNOWN: [&str; 12] = [
    "discord",
    "levels",
    "ledger",
    "database",
    "token",
    "url_file",
    "cooldown_seconds",
    "xp_per_message",
    "shard_count",
    "listen",
    "level",
    "embedded",
];

/// A section, a key, or a word that is almost one.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(&KNOWN[..]).prop_map(str::to_owned),
        (prop::sample::select(&KNOWN[..]), "[a-z_]{0,3}").prop_map(|(word, tail)| format!("{word}{tail}")),
        "[a-zA-Z0-9_-]{1,12}",
    ]
}

/// A value that is TOML, or almost.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        "[0-9]{1,50}",
        any::<f64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| format!("{text:?}")),
        prop::collection::vec(any::<i32>(), 0..4).prop_map(|numbers| format!("{numbers:?}")),
        Just("{ a = 1 }".to_owned()),
        Just("2026-11-21T10:00:00Z".to_owned()),
        Just("true".to_owned()),
        any::<String>(),
    ]
}

fn document() -> impl Strategy<Value = String> {
    let pair = (word(), value()).prop_map(|(key, value)| format!("{key} = {value}\n"));
    let header = word().prop_map(|section| format!("[{section}]\n"));
    prop::collection::vec(prop_oneof![2 => header, 5 => pair], 0..12).prop_map(|lines| lines.concat())
}

fn assert_well_told(result: Result<Config, Problems>) {
    if let Err(problems) = result {
        assert!(problems.iter().count() > 0);
        for problem in problems.iter() {
            assert!(!problem.key().is_empty(), "{problem:?}");
            assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
        }
    }
}

proptest! {
    #[test]
    fn any_document_is_read_or_refused_by_key(document in document()) {
        assert_well_told(read(&document, &[]));
    }

    #[test]
    fn any_text_is_read_or_refused_by_key(text in any::<String>(), name in word(), key in word(), variable in any::<String>()) {
        let name = format!("EVENTIDE__{name}__{key}");
        assert_well_told(read(&text, &[(&name, &variable)]));
    }

    #[test]
    fn a_secret_never_prints(secret in "[A-Z][A-Za-z0-9]{20}", form in prop::sample::select(&MISPLACED[..]), wrong in "[ \u{e4}]") {
        let told = |file: &str, environment: &[(&str, &str)]| read(file, environment).map_or_else(
            |problems| format!("{problems} {problems:?}"),
            |config| format!("{config:?}"),
        );
        let file = told(&form.replace("{}", &secret), &[]);
        prop_assert!(!file.contains(&secret), "{}", file);
        let broken = format!("{secret}{wrong}{secret}");
        let environment = told("", &[("DISCORD_TOKEN", &broken), ("DATABASE_URL", &broken), ("EVENTIDE__DISCORD__TOKN", &secret)]);
        prop_assert!(!environment.contains(&secret), "{}", environment);
    }

    /// The example file and variables, randomly damaged: each mistake gives one line, and neither the token nor the database's password is
    /// shown.
    #[test]
    fn a_damaged_file_tells_no_secret(
        secret in "[A-Z][A-Za-z0-9]{24}",
        at in any::<prop::sample::Index>(),
        length in 0..8_usize,
        with in prop_oneof![any::<String>(), "[\\[\\]=\"'#\n_a-z0-9.]{0,12}"],
        tail in "[ -~]{0,12}",
    ) {
        let example = fs::read_to_string(example_path()).expect("config.example.toml is in the repository");
        let mut in_database = false;
        let in_force: String = example
            .lines()
            .map(|line| {
                if line.starts_with('[') {
                    in_database = line == "[database]";
                }
                (line, in_database)
            })
            .map(|(line, in_database)| match line.strip_prefix('#').filter(|key| !key.starts_with(' ') && key.contains(" = ")) {
                Some(key) if key.starts_with("token = ") => format!("token = \"{secret}\"\n"),
                Some(key) if key.starts_with("client_secret = ") => format!("client_secret = \"{secret}\"\n"),
                Some(key) if in_database && key.starts_with("url = ") => format!("url = \"postgresql://u:{secret}@h/d\"\n"),
                // It would contradict a URL.
                Some(key) if key.starts_with("embedded = ") => format!("{line}\n"),
                Some(key) => format!("{key}\n"),
                None => format!("{line}\n"),
            })
            .collect();
        prop_assert_eq!(in_force.matches(&secret).count(), 3);
        let mut characters: Vec<char> = in_force.chars().collect();
        let from = at.index(characters.len());
        let to = (from + length).min(characters.len());
        characters.splice(from..to, with.chars());
        let damaged: String = characters.into_iter().collect();
        let url = format!("postgresql://u:{secret}@h:{tail}/d?{tail}");
        for environment in [&[][..], &[("DATABASE_URL", &*url), ("DISCORD_TOKEN", &*format!("{secret}{tail}"))]] {
            let result = read(&damaged, environment);
            let told = match &result {
                Ok(config) => format!("{config:?}"),
                Err(problems) => format!("{problems} {problems:?}"),
            };
            assert_well_told(result);
            // If the secret itself was damaged, the rest of it is in a place where nothing identifies it as a secret.
            if damaged.matches(&secret).count() == in_force.matches(&secret).count() {
                prop_assert!(!told.contains(&secret), "{}", told);
            }
        }
    }
}
