//! Finds the line in the output of PostgreSQL's programs that explains a failure.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// The maximum size of the part of a log that is searched for the reason.
const MAX_LOG_BYTES: u64 = 256 * 1024;

/// The last error in `text`, without time and severity, and the hint that follows it.
pub(super) fn last_error(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let is_error = |line: &&str| {
        // Rejected connections are not the reason for the end of a server.
        ["FATAL:", "PANIC:", "error:"]
            .iter()
            .any(|word| line.contains(word))
            && !line.contains("is starting up")
    };
    let Some(mut index) = lines.iter().rposition(is_error) else {
        return lines
            .last()
            .map_or_else(|| "it ended without a word".to_owned(), |line| (*line).to_owned());
    };
    // After "configuration file contains errors", the error itself is in an earlier line.
    if lines[index].contains("contains errors") {
        index = index.saturating_sub(1);
    }
    let hint = lines
        .get(index + 1)
        .and_then(|line| line.split_once("HINT:"))
        .map(|(_, hint)| hint.trim());
    let line = ["FATAL:", "PANIC:", "LOG:", "error:"]
        .iter()
        .find_map(|word| lines[index].split_once(word))
        .map_or(lines[index], |(_, message)| message)
        .trim();
    hint.map_or_else(|| line.to_owned(), |hint| format!("{line} ({hint})"))
}

/// The length of each log file.
pub(super) fn log_lengths(cluster: &Path) -> BTreeMap<PathBuf, u64> {
    let entries = fs::read_dir(cluster.join("log")).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.len())))
        .collect()
}

/// Why the server ended, from its output and its log since the start.
pub(super) fn why_it_ended(said: &Path, cluster: &Path, before: &BTreeMap<PathBuf, u64>) -> String {
    let mut text = tail(said, 0);
    for (path, length) in log_lengths(cluster) {
        let earlier = before.get(&path).copied().unwrap_or(0);
        // If it is shorter than before, the file was overwritten.
        text.push_str(&tail(&path, if length < earlier { 0 } else { earlier }));
    }
    last_error(&text)
}

/// The text of a file from `offset`, or the end of it.
fn tail(path: &Path, offset: u64) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(offset.max(length.saturating_sub(MAX_LOG_BYTES))))?;
        let mut bytes = Vec::new();
        file.take(MAX_LOG_BYTES).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::last_error;

    #[test]
    fn finds_the_line_that_tells_why() {
        for (text, expected) in [
            ("", "it ended without a word"),
            (
                "ok\nerror while loading shared libraries: libx.so\n",
                "error while loading shared libraries: libx.so",
            ),
            (
                "creating directory\ninitdb: error: invalid locale name \"x\"\ninitdb: removing data directory\n",
                "invalid locale name \"x\"",
            ),
            (
                "2026-11-21 11:12:25.615 UTC [3] FATAL:  could not extend file\n2026-11-21 11:12:25.615 UTC [3] HINT:  Check free disk space.\nchild process exited\n",
                "could not extend file (Check free disk space.)",
            ),
            (
                "x LOG:  unrecognized configuration parameter \"a\" in file \"b\" line 1\nx FATAL:  configuration file \"b\" contains errors\n",
                "unrecognized configuration parameter \"a\" in file \"b\" line 1",
            ),
            (
                "x PANIC:  could not read\nx FATAL:  the database system is starting up\nx LOG:  shutting down\n",
                "could not read",
            ),
        ] {
            assert_eq!(last_error(text), expected);
        }
    }
}
