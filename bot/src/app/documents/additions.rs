//! Tests that keep the diffs of `docs/additions` applicable, and copy their cost to CONTRIBUTING.

use std::fmt::Write as _;

use super::{assert_written, read, root};

/// An addition whose cost is promised.
struct Addition {
    /// The name of the diff.
    name: &'static str,
    title: &'static str,
    what: &'static str,
    /// The most files that it may touch, tests aside.
    most: usize,
}

const ADDITIONS: [Addition; 5] = [
    Addition {
        name: "command",
        title: "A command that changes data",
        what: "`/motto`, with its row, the record of its request, and its undo",
        most: 6,
    },
    Addition {
        name: "table",
        title: "A table about members",
        what: "`member_title`, which is also exported, erased, emptied and restored",
        most: 4,
    },
    Addition {
        name: "event",
        title: "An event that gives a role",
        what: "a role for members who react in a channel: intent, payload, rule, effect, and the settings that choose \
               channel and role. The simulator needs no change",
        most: 6,
    },
    Addition {
        name: "job",
        title: "A job",
        what: "tokens expire after a year",
        most: 3,
    },
    Addition {
        name: "setting",
        title: "A setting",
        what: "a limit of timeouts, for `/settings`, the website and the command line",
        most: 3,
    },
];

const BEGIN: &str = "<!-- Generated from docs/additions. -->\n";
const END: &str = "<!-- The end of what is generated. -->\n";
/// New files of up to this many lines are shown.
const SHOWN_LINES: usize = 32;

/// What a diff does to a file.
struct Change<'a> {
    path: &'a str,
    is_new: bool,
    hunks: Vec<Vec<&'a str>>,
}

fn changes(diff: &str) -> Vec<Change<'_>> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    let mut is_new = false;
    for line in diff.lines() {
        if let Some(path) = line.strip_prefix("+++ b/") {
            changes.push(Change {
                path,
                is_new,
                hunks: Vec::new(),
            });
        } else if line.starts_with("--- ") {
            is_new = line == "--- /dev/null";
        } else if let Some(change) = changes.last_mut() {
            if line.starts_with("@@ ") {
                change.hunks.push(Vec::new());
            } else if line.starts_with(['+', '-', ' '])
                && let Some(hunk) = change.hunks.last_mut()
            {
                hunk.push(line);
            }
        }
    }
    changes
}

impl Change<'_> {
    fn is_test(&self) -> bool {
        self.path.starts_with("bot/tests/")
    }

    /// The lines that are added or removed.
    fn lines(&self) -> usize {
        let lines = self.hunks.iter().flatten();
        lines.filter(|line| !line.starts_with(' ')).count()
    }

    fn is_shown(&self) -> bool {
        let is_text = self.path.starts_with("bot/locales/");
        let is_long = self.is_new && self.lines() > SHOWN_LINES;
        !(self.is_test() || is_text || is_long)
    }
}

/// The lines of a file that a hunk continues or replaces.
fn old<'a>(hunk: &[&'a str]) -> Vec<&'a str> {
    let lines = hunk.iter().filter(|line| !line.starts_with('+'));
    lines.map(|line| line.get(1..).unwrap_or_default()).collect()
}

#[test]
fn every_addition_can_be_applied() {
    for Addition { name, most, .. } in &ADDITIONS {
        let diff = read(&format!("docs/additions/{name}.diff"));
        let changes = changes(&diff);
        assert!(changes.iter().any(Change::is_test), "{name} has no test");
        let files = changes.iter().filter(|change| !change.is_test()).count();
        assert!((1..=*most).contains(&files), "{name} touches {files} files");
        for Change { path, is_new, hunks } in &changes {
            if *is_new {
                assert!(!root().join(path).exists(), "{name}: there is a {path} now");
                continue;
            }
            let text = read(path);
            let lines: Vec<&str> = text.lines().collect();
            for hunk in hunks {
                let old = old(hunk);
                assert!(
                    lines.windows(old.len()).any(|window| window == old),
                    "docs/additions/{name}.diff: {path} no longer has these lines:\n{}",
                    old.join("\n")
                );
            }
        }
    }
}

#[test]
fn the_cost_of_an_addition_is_what_the_code_says() {
    const DOCUMENT: &str = "CONTRIBUTING.md";
    let document = read(DOCUMENT);
    let (before, rest) = document.split_once(BEGIN).expect("the beginning");
    let (_, after) = rest.split_once(END).expect("the end");
    let costs: String = ADDITIONS.iter().map(cost).collect();
    assert_written(DOCUMENT, &format!("{before}{BEGIN}{costs}\n{END}{after}"));
}

/// The cost of an addition: each file with the number of changed lines, and the changes that are short.
fn cost(addition: &Addition) -> String {
    let Addition {
        name, title, what, ..
    } = addition;
    let diff = read(&format!("docs/additions/{name}.diff"));
    let changes = changes(&diff);
    let files: Vec<&Change<'_>> = changes.iter().filter(|change| !change.is_test()).collect();
    let widest = files.iter().map(|change| change.path.len()).max().unwrap_or(0);
    let mut text = format!(
        "\n### {title}: {} files\n\n[docs/additions/{name}.diff](docs/additions/{name}.diff): {what}.\n\n```text\n",
        files.len()
    );
    for change in &files {
        let lines = change.lines();
        writeln!(text, " {:widest$} | {lines:3}", change.path).expect("a text");
    }
    text += "```\n\n```diff\n";
    for change in files.into_iter().filter(|change| change.is_shown()) {
        let from = if change.is_new { "/dev/null" } else { change.path };
        writeln!(text, "--- {from}\n+++ {}", change.path).expect("a text");
        for hunk in &change.hunks {
            writeln!(text, "@@\n{}", hunk.join("\n")).expect("a text");
        }
    }
    text + "```\n"
}
