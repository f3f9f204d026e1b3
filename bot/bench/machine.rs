//! The machine, and what was measured on it.

use std::{
    fmt,
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
};

use serde_json::{Value, json};
use time::{OffsetDateTime, macros::format_description};
use tokio::time::Instant;

use crate::{Failure, server};

/// Writes by which the disk is measured.
const FLUSHES: usize = 50;

/// Where and when it was measured.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    /// The median time in milliseconds in which 8 KiB reach the disk.
    pub(crate) flush_ms: f64,
    pub(crate) postgres: String,
    /// Version and commit.
    pub(crate) bot: String,
    pub(crate) date: String,
}

impl Machine {
    /// Look at it.
    pub(crate) fn look(bot: &Path, postgres: Option<&Path>) -> Result<Self, Failure> {
        let processor = fs::read_to_string("/proc/cpuinfo")?;
        let memory = fs::read_to_string("/proc/meminfo")?;
        let kibibytes: f64 = after(&memory, "MemTotal:")
            .and_then(|text| text.trim_end_matches(" kB").parse().ok())
            .ok_or("/proc/meminfo has no MemTotal")?;
        Ok(Self {
            processor: after(&processor, "model name")
                .unwrap_or("unknown processor")
                .to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kibibytes / 1_048_576.0,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_owned(),
            flush_ms: flush_ms()?,
            postgres: version(&server::find(postgres)?.join("postgres"))?,
            bot: version(bot)?,
            date: OffsetDateTime::from(eventide::support::clock::host_time())
                .format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC"))?,
        })
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "processor": self.processor, "cores": self.cores, "memory_gib": self.memory_gib, "kernel": self.kernel,
            "flush_ms": self.flush_ms, "postgresql": self.postgres, "bot": self.bot, "date": self.date,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}, {}, {}; {} × {}, {:.0} GiB, Linux {}, 8 KiB on the disk in {:.1} ms",
            self.date,
            self.bot,
            self.postgres,
            self.cores,
            self.processor,
            self.memory_gib,
            self.kernel,
            self.flush_ms
        )
    }
}

/// The first value of a name in a text of lines `name : value`.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches([' ', '\t', ':']).trim_end())
}

fn version(program: &Path) -> Result<String, Failure> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .lines()
        .next()
        .unwrap_or_default()
        .replace("postgres (PostgreSQL)", "PostgreSQL"))
}

/// How long a flush to the disk takes that PostgreSQL's log is on.
fn flush_ms() -> Result<f64, Failure> {
    let path = std::env::temp_dir().join(format!("eventide-bench-{}.flush", std::process::id()));
    let mut file = File::create(&path)?;
    let mut took = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let began = Instant::now();
        file.write_all(&[0; 8_192])?;
        file.sync_data()?;
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    fs::remove_file(&path)?;
    took.sort_by(f64::total_cmp);
    Ok(took[FLUSHES / 2])
}
