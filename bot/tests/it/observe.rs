//! Dashboards and alerts on a real Prometheus: each query returns data, and each alert fires when it should.
//!
//! `make observe` is the long form, with tables; the short one, without faults, is an ordinary test.

mod faults;
mod prometheus;
mod queries;

use std::{fmt::Write as _, process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout},
    time::{Instant, timeout},
};

use self::{
    prometheus::{Pace, Prometheus, a_scrape, promtool},
    queries::Query,
};
use crate::support::{PATIENCE, bot::command};

/// The real demo.
struct Demo {
    child: Child,
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
    address: String,
    _directory: TempDir,
}

impl Demo {
    async fn start() -> Self {
        let directory = TempDir::new().expect("a directory");
        let arguments = [
            "demo",
            "--seconds",
            "3600",
            "--rate",
            "1000",
            "--guilds",
            "40",
            "--members",
            "4000",
        ];
        let mut child = command(&arguments)
            .current_dir(directory.path())
            .env("EVENTIDE__HTTP__LISTEN", "127.0.0.1:0")
            .env("EVENTIDE__WEB__LISTEN", "127.0.0.1:0")
            .env("EVENTIDE__WEB__URL", "http://localhost:8080")
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let address = loop {
            let line = timeout(PATIENCE, lines.next_line()).await.expect("in time");
            let line = line.expect("text").expect("the demo shows where its metrics are");
            if let Some((_, rest)) = line.split_once("metrics http://") {
                break rest.split('/').next().expect("an address").to_owned();
            }
        };
        Self {
            child,
            lines,
            address,
            _directory: directory,
        }
    }

    /// Stop it, and see that it counted everything once.
    async fn end(mut self) {
        let pid = i32::try_from(self.child.id().expect("it runs")).expect("a pid");
        kill(Pid::from_raw(pid), Signal::SIGTERM).expect("a signal");
        let mut rest = String::new();
        while let Some(line) = self.lines.next_line().await.expect("text") {
            rest.push_str(&line);
            rest.push('\n');
        }
        let status = self.child.wait().await.expect("an end");
        assert!(status.success(), "{status}: {rest}");
        assert!(rest.contains("every message counted exactly once"), "{rest}");
    }
}

/// A query with its result.
struct Found {
    query: Query,
    result: Result<Vec<Value>, String>,
}

impl Found {
    fn series(&self) -> usize {
        self.result.as_ref().map_or(0, Vec::len)
    }

    /// Series of which there is no observation at the moment, such as the quantile of nothing.
    fn without_value(&self) -> usize {
        let series = self.result.as_deref().unwrap_or_default();
        series
            .iter()
            .filter(|series| series["value"][1] == "NaN" || series[1] == "NaN")
            .count()
    }
}

/// This series exists with `database.read_url` only, which the demo does not set; its alert has a fault of its own.
const WITH_A_REPLICA: &str = "eventide_replica_usable";

/// The alerts' expressions as queries that always return data: `> 1` filters, `> bool 1` does not. Each of their selectors is queried
/// separately as well, since an `or` hides missing series.
async fn of_alerts(prometheus: &Prometheus) -> Vec<Query> {
    let rules = prometheus.rules().await;
    assert!(rules.len() > 10, "{rules:?}");
    let mut queries = Vec::new();
    for rule in rules {
        if rule.query.contains(WITH_A_REPLICA) {
            continue;
        }
        let text = [" > ", " < ", " == "]
            .iter()
            .fold(rule.query.clone(), |text, compares| {
                text.replace(compares, &format!("{compares}bool "))
            });
        queries.push(Query {
            place: format!("alert {}", rule.name),
            text,
        });
        for selector in queries::selectors_as_written(&rule.query) {
            queries.push(Query {
                place: format!("alert {}, a part", rule.name),
                text: format!("count({selector})"),
            });
        }
    }
    queries
}

/// Ask until every query finds something, but not for ever.
async fn ask(prometheus: &Prometheus, queries: Vec<Query>, patience: Duration) -> Vec<Found> {
    let deadline = Instant::now() + patience;
    let mut found: Vec<Found> = Vec::new();
    let mut open = queries;
    loop {
        let mut still_open = Vec::new();
        for query in open {
            let result = prometheus.query(&query.text).await;
            let one = Found { query, result };
            if one.series() > 0 || Instant::now() > deadline {
                found.push(one);
            } else {
                still_open.push(one.query);
            }
        }
        if still_open.is_empty() {
            return found;
        }
        open = still_open;
        a_scrape().await;
    }
}

/// Errors: names that are not in the registry, and queries without data.
fn wrong(found: &[Found]) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in found {
        let Query { place, text } = &one.query;
        wrong.extend(
            queries::unknown_names(text)
                .iter()
                .map(|what| format!("{place}: {what}: {text}")),
        );
        match &one.result {
            Err(error) => wrong.push(format!("{place}: {error}: {text}")),
            Ok(series) if series.is_empty() => wrong.push(format!("{place}: finds nothing: {text}")),
            Ok(_) => {}
        }
    }
    wrong
}

fn table(found: &[Found]) -> String {
    let mut text = format!("{:<58} {:>6} {:>8}  QUERY\n", "STANDS IN", "SERIES", "NO VALUE");
    for one in found {
        let Query { place, text: query } = &one.query;
        writeln!(
            text,
            "{place:<58} {:>6} {:>8}  {query}",
            one.series(),
            one.without_value()
        )
        .expect("a String takes any text");
    }
    text
}

/// The configuration, the rules and their own tests, by Prometheus' own tool.
#[tokio::test]
async fn the_rules_pass_their_own_tests() {
    promtool(&["check", "config", "deploy/prometheus/prometheus.yml"]).await;
    promtool(&["check", "rules", "deploy/prometheus/alerts.yml"]).await;
    promtool(&["test", "rules", "deploy/prometheus/alerts.test.yml"]).await;
}

/// Each alert has a test for firing and for not firing, and the section of the runbook to which it links.
#[test]
fn every_alert_has_a_test_and_a_section() {
    let read = |path| std::fs::read_to_string(prometheus::repository(path)).expect("in the repository");
    let (rules, tests, runbook) = (
        read("deploy/prometheus/alerts.yml"),
        read("deploy/prometheus/alerts.test.yml"),
        read("deploy/README.md"),
    );
    let names: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    for name in &names {
        assert!(
            runbook.contains(&format!("\n### {name}\n")),
            "deploy/README.md tells of {name}"
        );
        let link = format!("runbook_url: deploy/README.md#{}\n", name.to_lowercase());
        assert_eq!(rules.matches(&link).count(), 1, "{name} points to its section");
        assert!(tests.contains(name), "alerts.test.yml tests {name}");
    }
    for what in ["summary: ", "description: ", "severity: "] {
        assert_eq!(
            rules.matches(what).count(),
            names.len(),
            "each alert has a {what}"
        );
    }
    assert_eq!(
        runbook.matches("\n### Eventide").count(),
        names.len(),
        "each section has its alert"
    );
}

/// The files are up to date with `dashboards/make.py`.
#[tokio::test]
async fn dashboards_are_what_their_source_says() {
    let output = tokio::process::Command::new("python3")
        .arg(prometheus::repository("dashboards/make.py"))
        .arg("--check")
        .output()
        .await
        .expect("python3 is installed: sh deploy/scripts/need.sh python");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Half a minute of the real demo, scraped: every query of a dashboard or an alert returns data, and only names existing metrics.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_finds_something() {
    let demo = Demo::start().await;
    let prometheus = Prometheus::start(std::slice::from_ref(&demo.address), Pace::Written).await;
    let mut queries = queries::of_dashboards();
    assert!(queries.len() > 100, "all dashboards are read");
    queries.extend(of_alerts(&prometheus).await);
    let found = ask(&prometheus, queries, PATIENCE).await;
    let wrong = wrong(&found);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    prometheus::lint(&demo.address).await;
    demo.end().await;
}

/// It takes some minutes; `make observe`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes some minutes: make observe"]
async fn in_full() {
    let only = std::env::var_os("EVENTIDE_OBSERVE_ROW").unwrap_or_default();
    let only = only.into_string().expect("UTF-8").to_lowercase();
    if only.is_empty() {
        let demo = Demo::start().await;
        let prometheus = Prometheus::start(std::slice::from_ref(&demo.address), Pace::Hurried).await;
        let mut queries = queries::of_dashboards();
        queries.extend(of_alerts(&prometheus).await);
        let count = queries.len();
        // Once to wait for all of them, and once more later for the values that are shown.
        drop(ask(&prometheus, queries.clone(), PATIENCE).await);
        for _ in 0..60 {
            a_scrape().await;
        }
        let found = ask(&prometheus, queries, PATIENCE).await;
        say(&table(&found));
        let wrong = wrong(&found);
        say(&format!(
            "{count} queries on Prometheus, {} of them found nothing or named what is not there\n",
            wrong.len()
        ));
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        let firing = prometheus
            .rules()
            .await
            .into_iter()
            .filter(|rule| rule.state == "firing");
        let firing: Vec<String> = firing.map(|rule| rule.name).collect();
        assert!(
            firing.is_empty(),
            "nothing is wrong with the demo, but {firing:?} fire"
        );
        demo.end().await;
    }
    faults::all(&only).await;
}

fn say(text: &str) {
    #[expect(clippy::print_stdout, reason = "this is what `make observe` is for")]
    {
        println!("{text}");
    }
}
