//! A real Prometheus with the repository's configuration; the test only changes its targets and the pace of its clock.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::sleep,
};

use crate::support::until;

/// How the times in the rules are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// As they are written.
    Written,
    /// Every `for` is 2 s and every range 60 s, so that alerts can fire during the test. The thresholds are unchanged.
    Hurried,
}

/// It runs until it is dropped.
pub(super) struct Prometheus {
    _child: Child,
    _directory: TempDir,
    port: u16,
}

/// A rule that it has loaded.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) query: String,
    /// `inactive`, `pending` or `firing`.
    pub(super) state: String,
}

pub(super) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

impl Prometheus {
    /// Start one that scrapes `targets` every second.
    pub(super) async fn start(targets: &[String], pace: Pace) -> Self {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path();
        let read = |name: &str| fs::read_to_string(repository(name)).expect("in the repository");
        let quoted: Vec<String> = targets.iter().map(|target| format!("{target:?}")).collect();
        let config = read("deploy/prometheus/prometheus.yml");
        assert_eq!(config.matches("10s").count(), 2, "{config}");
        let config = config
            .replace("10s", "1s")
            .replace("\"127.0.0.1:9464\"", &quoted.join(", "));
        assert!(config.contains(&quoted.join(", ")), "{config}");
        fs::write(path.join("prometheus.yml"), config).expect("written");
        let rules = read("deploy/prometheus/alerts.yml");
        let rules = if pace == Pace::Hurried {
            hurried(&rules)
        } else {
            rules
        };
        fs::write(path.join("alerts.yml"), rules).expect("written");

        let port = {
            // It is released immediately, because Prometheus cannot choose a port and report it.
            let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            free.local_addr().expect("an address").port()
        };
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", path.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus is installed: sh deploy/scripts/need.sh prometheus");
        let prometheus = Self {
            _child: child,
            _directory: directory,
            port,
        };
        until("Prometheus is ready", async || {
            let (status, _) = prometheus.get("/-/ready").await?;
            (status == 200).then_some(())
        })
        .await;
        prometheus
    }

    /// The result of a query: its series, or the error.
    pub(super) async fn query(&self, text: &str) -> Result<Vec<Value>, String> {
        let answer = self
            .api(&format!("/api/v1/query?query={}", encoded(text)))
            .await?;
        if answer["data"]["resultType"] == "scalar" {
            return Ok(vec![answer["data"]["result"].clone()]);
        }
        let series = answer["data"]["result"].as_array();
        Ok(series.cloned().unwrap_or_default())
    }

    /// Its rules.
    pub(super) async fn rules(&self) -> Vec<Rule> {
        let answer = self.api("/api/v1/rules").await.expect("rules");
        let groups = answer["data"]["groups"].as_array().expect("groups");
        let rules = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().expect("rules"));
        let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or_default().to_owned();
        rules
            .map(|rule| Rule {
                name: text(rule, "name"),
                query: text(rule, "query"),
                state: text(rule, "state"),
            })
            .collect()
    }

    async fn api(&self, path: &str) -> Result<Value, String> {
        let (_, body) = self.get(path).await.ok_or("no answer")?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
        if answer["status"] == "success" {
            Ok(answer)
        } else {
            Err(answer["error"].as_str().unwrap_or(&body).to_owned())
        }
    }

    async fn get(&self, path: &str) -> Option<(u16, String)> {
        get(&format!("127.0.0.1:{}", self.port), path).await
    }
}

/// With HTTP 1.0, whose response is in one piece and ends with the connection.
async fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// The rules with another pace.
fn hurried(rules: &str) -> String {
    let lines = rules.lines().map(|line| {
        if line.trim_start().starts_with("for: ") {
            return format!("{}for: 2s", " ".repeat(line.len() - line.trim_start().len()));
        }
        ["[5m]", "[10m]", "[15m]"]
            .iter()
            .fold(line.to_owned(), |line, range| line.replace(range, "[60s]"))
    });
    let lines: Vec<String> = lines.collect();
    lines.join("\n")
}

/// As a part of an address.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes any text");
        }
        encoded
    })
}

/// Hold a page of metrics against Prometheus' own conventions.
pub(super) async fn lint(address: &str) {
    let (_, page) = get(address, "/metrics").await.expect("a page");
    assert!(page.contains("process_cpu_seconds_total") && page.contains("eventide_shard_up"));
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("page");
    fs::write(&file, page).expect("written");
    let file = fs::File::open(&file).expect("a file");
    run(&["check", "metrics"], file.into()).await;
}

/// Run promtool, and fail with its message.
pub(super) async fn promtool(arguments: &[&str]) {
    run(arguments, Stdio::null()).await;
}

async fn run(arguments: &[&str], input: Stdio) {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(repository(""))
        .stdin(input)
        .output()
        .await
        .expect("promtool is installed with prometheus");
    assert!(
        output.status.success(),
        "promtool {}: {}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The pause between two checks: as long as the scrape interval.
pub(super) async fn a_scrape() {
    sleep(Duration::from_millis(500)).await;
}
