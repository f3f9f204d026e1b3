//! Every query of the dashboards, as Grafana would send it, and the names in it.

use std::{collections::BTreeSet, fs};

use eventide::telemetry::metrics::{self, Kind};
use serde_json::Value;

use super::prometheus::repository;

/// A query and its place.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) place: String,
    /// With every variable replaced.
    pub(super) text: String,
}

/// Series that are not the bot's: Prometheus' own series of targets and alerts.
const FOREIGN: [&str; 2] = ["up", "ALERTS"];

/// Keywords of the language that can be in the place of a metric without being a call.
const WORDS: [&str; 16] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "and",
    "or",
    "unless",
    "offset",
    "inf",
    "nan",
    "atan2",
    "start",
    "end",
];

/// The files of the dashboards.
fn dashboards() -> Vec<(String, Value)> {
    let mut files: Vec<_> = fs::read_dir(repository("dashboards"))
        .expect("dashboards")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a dashboard");
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .collect()
}

/// All queries of all panels and variables, with all instances, schemas and shards chosen.
pub(super) fn of_dashboards() -> Vec<Query> {
    let mut queries = Vec::new();
    for (name, dashboard) in dashboards() {
        for variable in dashboard["templating"]["list"].as_array().expect("variables") {
            if let Some(label_values) = variable["query"]["query"].as_str() {
                let inner = label_values
                    .strip_prefix("label_values(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .and_then(|rest| rest.rsplit_once(','));
                let (series, label) = inner.expect("label_values(series, label)");
                queries.push(Query {
                    place: format!("{name} / ${}", variable["name"].as_str().expect("a name")),
                    text: replaced(&format!("count by ({}) ({series})", label.trim())),
                });
            }
        }
        for panel in dashboard["panels"].as_array().expect("panels") {
            let title = panel["title"].as_str().expect("a title");
            for target in panel["targets"].as_array().into_iter().flatten() {
                queries.push(Query {
                    place: format!("{name} / {title}"),
                    text: replaced(target["expr"].as_str().expect("a query")),
                });
            }
        }
    }
    queries
}

/// Replace variables as Grafana does. A second of the test stands for ten of an operator's.
fn replaced(text: &str) -> String {
    let text = text
        .replace("$__rate_interval", "10s")
        .replace("$__range", "60s")
        .replace("$instance", ".*")
        .replace("$schema", ".*")
        .replace("${shards:pipe}", ".*");
    assert!(!text.contains('$'), "a variable that nobody knows: {text}");
    text
}

/// Invalid names in a query: metrics that are not in the registry, and labels that the metric does not have.
pub(super) fn unknown_names(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, labels, _) in selectors(text) {
        if FOREIGN.contains(&name.as_str()) {
            continue;
        }
        let found = metrics::all().find(|metric| {
            let rest = name.strip_prefix(metric.name);
            rest.is_some_and(|rest| match metric.kind {
                Kind::Histogram => ["_bucket", "_count", "_sum"].contains(&rest),
                Kind::Counter | Kind::Gauge => rest.is_empty(),
            })
        });
        let Some(metric) = found else {
            wrong.push(format!("{name} is not in the registry"));
            continue;
        };
        for label in labels {
            let has = metric.labels.iter().any(|known| known.name == label);
            if !has && !["instance", "job"].contains(&label.as_str()) {
                wrong.push(format!("{name} has no label {label}"));
            }
        }
    }
    wrong
}

/// The selectors in a query, without their ranges.
pub(super) fn selectors_as_written(text: &str) -> Vec<String> {
    let selectors = selectors(text).into_iter();
    selectors
        .map(|(name, _, braces)| format!("{name}{braces}"))
        .collect()
}

/// The selectors of a query: a metric's name, the labels in its braces, and these.
fn selectors(text: &str) -> Vec<(String, BTreeSet<String>, String)> {
    let mut selectors = Vec::new();
    let mut rest = text;
    // After this name there are only labels until the bracket closes.
    let mut listing = false;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_alphabetic() || first == '_' {
            let end = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':');
            let length = rest.find(end).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(length);
            let behind = behind.trim_start();
            if ["by", "without", "on", "ignoring", "group_left", "group_right"].contains(&word) {
                listing = behind.starts_with('(');
            } else if !listing && !is_called(behind) && !WORDS.contains(&word) {
                let braces = if behind.starts_with('{') {
                    behind.get(..braces_length(behind)).expect("whole characters")
                } else {
                    ""
                };
                selectors.push((word.to_owned(), labels_in(braces), braces.to_owned()));
            }
            length
        } else {
            match first {
                '"' => quoted_length(rest),
                // Durations are no names, and labels were read with the name before them.
                '[' => rest.find(']').expect("a closed range") + 1,
                '{' => braces_length(rest),
                '0'..='9' => rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
                    .unwrap_or(rest.len()),
                ')' => {
                    listing = false;
                    1
                }
                other => other.len_utf8(),
            }
        };
        rest = rest.get(length..).expect("whole characters");
    }
    selectors
}

/// Whether the word before this is a function: `rate(…)`, `sum by (…) (…)`.
fn is_called(behind: &str) -> bool {
    ["(", "by ", "without "]
        .iter()
        .any(|call| behind.starts_with(call))
}

fn quoted_length(text: &str) -> usize {
    text.get(1..)
        .and_then(|rest| rest.find('"'))
        .expect("a closed text")
        + 2
}

fn braces_length(text: &str) -> usize {
    let mut length = 1;
    loop {
        let rest = text.get(length..).expect("whole characters");
        match rest.chars().next().expect("braces that are closed") {
            '}' => return length + 1,
            '"' => length += quoted_length(rest),
            other => length += other.len_utf8(),
        }
    }
}

/// The labels in braces.
fn labels_in(braces: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    let mut rest = braces;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_alphabetic() || first == '_' {
            let length = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            labels.insert(rest.get(..length).expect("a word").to_owned());
            length
        } else if first == '"' {
            quoted_length(rest)
        } else {
            first.len_utf8()
        };
        rest = rest.get(length..).expect("whole characters");
    }
    labels
}

#[test]
fn names_and_labels_are_found_in_queries() {
    let text = r#"histogram_quantile(0.9, sum by (job, le) (rate(a_bucket{instance=~".*", share="x}"}[5m]))) / on (job) b > 1.5e3 or vector(0)"#;
    let found: Vec<_> = selectors(text)
        .into_iter()
        .map(|(name, labels, _)| (name, labels.into_iter().collect::<Vec<_>>().join(" ")))
        .collect();
    assert_eq!(
        found,
        [
            ("a_bucket".to_owned(), "instance share".to_owned()),
            ("b".to_owned(), String::new())
        ]
    );
    assert_eq!(
        unknown_names(r#"rate(eventide_flush_seconds[1m]) + eventide_shard_up{guild="1", shard="2"} + up"#),
        [
            "eventide_flush_seconds is not in the registry",
            "eventide_shard_up has no label guild"
        ]
    );
}
