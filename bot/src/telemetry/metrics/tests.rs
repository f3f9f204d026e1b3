use std::{collections::BTreeSet, fmt::Write as _};

use super::{Definition, Kind, all};
use crate::app::documents;

#[test]
fn names_follow_the_rule() {
    for metric in all() {
        assert!(
            metric.name.starts_with("eventide_") || metric.name.starts_with("process_"),
            "{}",
            metric.name
        );
        assert_eq!(
            metric.kind == Kind::Counter,
            metric.name.ends_with("_total"),
            "{}: counters, and only counters, end in _total",
            metric.name
        );
        assert_eq!(
            metric.kind == Kind::Histogram,
            !metric.buckets.is_empty(),
            "{}",
            metric.name
        );
        assert!(
            metric.buckets.is_sorted_by(|a, b| a < b),
            "{}: buckets grow",
            metric.name
        );
        assert!(
            metric.help.ends_with('.'),
            "{}: the help is a sentence",
            metric.name
        );
    }
}

#[test]
fn no_name_twice() {
    let mut names: Vec<_> = all().map(|metric| metric.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn labels_are_bounded() {
    for metric in all() {
        for label in metric.labels {
            assert!(
                ![
                    "guild", "guild_id", "user", "user_id", "channel", "message", "process"
                ]
                .contains(&label.name),
                "{}: {}",
                metric.name,
                label.name
            );
            let values: BTreeSet<_> = label.values.iter().collect();
            assert_eq!(
                values.len(),
                label.values.len(),
                "{}: no value twice",
                metric.name
            );
        }
        let by = |name| metric.labels.iter().any(|label| label.name == name);
        assert!(!(by("shard") && by("event")), "{}", metric.name);
    }
}

/// `docs/metrics.md`, generated from the registry.
fn document() -> String {
    let mut text = "# Metrics\n\n\
        Served on `http.listen` as `/metrics`. Written from `bot/src/telemetry/metrics.rs` by `make example`.\n\n\
        Sizes are in bytes and durations in seconds. Where the values of a label are known in advance they are listed, and their series \
        exist at 0 from the start, so that `increase()` sees the first event. No label names a server, member or message. Only `shard` \
        and `query` can have more than a few dozen values.\n"
        .to_owned();
    for (title, beginning, what) in SECTIONS {
        writeln!(
            text,
            "\n## {title}\n\n| Metric | Kind | Unit | Labels | |\n|---|---|---|---|---|"
        )
        .expect("a String takes any text");
        let section = all().filter(|metric| section_of(metric) == *beginning);
        for metric in section {
            line(&mut text, metric);
        }
        if !what.is_empty() {
            writeln!(text, "\n{what}").expect("a String takes any text");
        }
    }
    text.push_str("\n## Buckets\n\n| Histogram | Upper bounds |\n|---|---|\n");
    for metric in all().filter(|metric| metric.kind == Kind::Histogram) {
        let bounds: Vec<String> = metric.buckets.iter().map(f64::to_string).collect();
        writeln!(text, "| `{}` | {} |", metric.name, bounds.join(", ")).expect("a String takes any text");
    }
    text
}

/// The title, the continuations of names after `eventide_`, and a remark.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("Process", "process", ""),
    ("Build", "build", ""),
    ("Gateway", "gateway", ""),
    ("Shards", "shard", ""),
    ("Reading back and resharding", "backfill", ""),
    ("Fleet", "fleet", ""),
    ("Ledger", "ledger", ""),
    (
        "Flushes",
        "flush",
        "`eventide_flush_messages_total` divided by `eventide_flush_rows_total` is the average number of messages per row.",
    ),
    ("Pool", "pool", ""),
    (
        "Queries and transactions",
        "query",
        "The label `query` is the name of a statement, which is part of its text, so that `pg_stat_statements` and the log show it too.",
    ),
    ("Effects and outbox", "effect", ""),
    ("Timers", "timer", ""),
    ("Commands", "interaction", ""),
    ("Rank cards", "card", ""),
    ("Caches", "cache", ""),
    ("REST", "rest", ""),
    (
        "Website",
        "web",
        "The label `page` is the template of a path, such as `/servers/{guild}`, or `other`.",
    ),
    ("Backup and deletion", "backup", ""),
];

fn section_of(metric: &Definition) -> &'static str {
    let name = metric.name.trim_start_matches("eventide_");
    let word = name.split('_').next().expect("a word");
    match word {
        _ if name.contains("_cache_") => "cache",
        "http" | "log" | "clock" | "tasks" => "process",
        "reshard" => "backfill",
        "slow" | "read" | "replica" | "transaction" => "query",
        "effects" | "outbox" => "effect",
        "timers" => "timer",
        "interactions" | "levels" => "interaction",
        "cards" | "avatars" => "card",
        "settings" => "cache",
        "purged" => "backup",
        "quarantine" | "quarantined" => "flush",
        word => SECTIONS
            .iter()
            .map(|(_, beginning, _)| *beginning)
            .find(|beginning| *beginning == word)
            .unwrap_or_else(|| panic!("{} belongs to a section", metric.name)),
    }
}

fn line(text: &mut String, metric: &Definition) {
    let labels: Vec<String> = metric
        .labels
        .iter()
        .map(|label| {
            if label.values.is_empty() {
                format!("`{}`", label.name)
            } else {
                format!("`{}`: {}", label.name, label.values.join(", "))
            }
        })
        .collect();
    writeln!(
        text,
        "| `{}` | {} | {} | {} | {} |",
        metric.name,
        metric.kind.as_str(),
        metric.unit(),
        labels.join("; "),
        metric.help
    )
    .expect("a String takes any text");
}

/// `BLESS=1 cargo test metrics_md` rewrites the file.
#[test]
fn metrics_md_is_what_the_code_says() {
    let file = document();
    documents::assert_written("docs/metrics.md", &file);
    for metric in all() {
        assert_eq!(
            file.matches(&format!("| `{}` | {}", metric.name, metric.kind.as_str()))
                .count(),
            1,
            "{}",
            metric.name
        );
    }
}

/// Whether a word begins like a metric. Volumes and roles contain the bot's name, too.
fn is_like_a_metric(word: &str) -> bool {
    let first = |name: &str| {
        let rest = name.strip_prefix("eventide_")?;
        rest.split('_').next().map(str::to_owned)
    };
    first(word)
        .is_some_and(|begins| all().any(|metric| first(metric.name).is_some_and(|known| known == begins)))
}

/// All metrics named in documents exist.
#[test]
fn every_metric_that_is_written_about_is_there() {
    let known = |word: &str| {
        all().any(|metric| {
            let rest = word.strip_prefix(metric.name);
            rest.is_some_and(|rest| {
                rest.is_empty()
                    || metric.kind == Kind::Histogram && ["_bucket", "_count", "_sum"].contains(&rest)
            })
        })
    };
    // The changelog also names metrics that were removed.
    for (file, text) in documents::all()
        .into_iter()
        .filter(|(file, _)| file != "CHANGELOG.md")
    {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for word in words.filter(|word| is_like_a_metric(word)) {
            assert!(known(word), "{file} names {word}, which is no metric");
        }
    }
}
