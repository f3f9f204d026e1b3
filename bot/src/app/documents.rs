//! Tests that compare documents with what they describe.

mod additions;

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A generated document is up to date. With `BLESS` in the environment it is rewritten.
pub(crate) fn assert_written(path: &str, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(root().join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    assert!(read(path) == text, "{path} is out of date: make example");
}

/// All documents of the repository, by their paths from its root.
pub(crate) fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root().join(&folder)).expect("a folder of the repository");
        for entry in entries {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}{name}");
            let skipped =
                name.starts_with('.') || ["target", "data", "node_modules"].contains(&name.as_str());
            if entry.file_type().expect("its type").is_dir() && !skipped {
                folders.push(format!("{path}/"));
            } else if Path::new(&name)
                .extension()
                .is_some_and(|extension| extension == "md")
            {
                let text = read(&path);
                found.push((path, text));
            }
        }
    }
    found
}

/// The lines of a document that are not in a block of code.
fn prose(document: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    document.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// The texts between backticks.
pub(crate) fn code_spans(document: &str) -> Vec<&str> {
    prose(document)
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

/// The targets of a document's links and images.
fn targets(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(document) {
        let text: String = line.split('`').step_by(2).collect();
        for (mark, end) in [("](", ')'), ("src=\"", '"')] {
            let targets = text.split(mark).skip(1);
            found.extend(targets.filter_map(|rest| Some(rest.split_once(end)?.0.to_owned())));
        }
    }
    found
}

/// The anchors of a document's headings, in GitHub's format.
fn anchors(document: &str) -> HashSet<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = HashSet::new();
    for line in prose(document).filter(|line| line.starts_with('#')) {
        let anchor: String = line
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let times = seen.entry(anchor.clone()).or_default();
        anchors.insert(if *times == 0 {
            anchor
        } else {
            format!("{anchor}-{times}")
        });
        *times += 1;
    }
    anchors
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let documents: HashMap<String, String> = all().into_iter().collect();
    let mut links = 0;
    for (path, text) in &documents {
        for target in targets(text).iter().filter(|target| !target.contains(':')) {
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for part in file.split('/').filter(|part| !part.is_empty()) {
                if part == ".." {
                    parts.pop();
                } else {
                    parts.push(part);
                }
            }
            let linked = if file.is_empty() {
                path.clone()
            } else {
                parts.join("/")
            };
            assert!(root().join(&linked).exists(), "{path}: no file {target}");
            if !anchor.is_empty() {
                assert!(
                    anchors(&documents[&linked]).contains(anchor),
                    "{path}: no heading {target}"
                );
            }
        }
    }
    assert!(links > 50, "{links}");
}

#[test]
fn the_first_documents_are_short() {
    for (document, most) in [("README.md", 900), ("ARCHITECTURE.md", 1_500)] {
        let words = read(document).split_whitespace().count();
        assert!(
            words <= most,
            "{document} has {words} words of {most} at most: move some to docs"
        );
    }
}

/// Words with a private meaning in earlier texts of this project, or that leave a sentence without a subject.
#[test]
fn texts_for_readers_are_plain_english() {
    let mut texts = all();
    for other in ["bot/locales/en.ftl", "config.example.toml"] {
        texts.push((other.to_owned(), read(other)));
    }
    for (path, text) in texts {
        let exempt =
            path.ends_with("benchmarks.md") || path == "CHANGELOG.md" || path.starts_with("simulator/");
        for line in text.lines().filter(|_| !exempt) {
            let words: Vec<String> = line
                .split(|c: char| !c.is_alphanumeric() && c != '-')
                .map(str::to_lowercase)
                .collect();
            for word in ["nobody", "somebody", "whoever", "anew"] {
                assert!(
                    !words.iter().any(|other| other == word),
                    "{path}: {word:?} in: {line}"
                );
            }
        }
    }
}

/// The files and tests that documents about the code name exist.
#[test]
fn what_the_documents_name_is_in_the_code() {
    let mut named = 0;
    for document in [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/features.md",
        "docs/invariants.md",
    ] {
        for line in prose(&read(document)) {
            let mut file = String::new();
            for span in code_spans(line) {
                let extension = Path::new(span).extension();
                if extension.is_some_and(|it| it == "rs") && !span.contains(char::is_uppercase) {
                    let places = ["", "bot/", "bot/src/", "bot/tests/it/"];
                    let place = places
                        .iter()
                        .find(|place| root().join(format!("{place}{span}")).is_file());
                    let place = place.unwrap_or_else(|| panic!("{document}: there is no {span}"));
                    file = read(&format!("{place}{span}"));
                    named += 1;
                } else if span.contains('_') && document == "docs/invariants.md" && !file.is_empty() {
                    let is_name = span
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                    assert!(
                        !is_name || file.contains(&format!("fn {span}(")),
                        "{document}: no test {span} there: {line}"
                    );
                }
            }
        }
    }
    assert!(named > 50, "{named}");
}

/// The first cells of the rows of all tables of a document.
fn first_cells(document: &str) -> Vec<&str> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(" | ").next()).collect()
}

/// Every block of code in `docs/features.md` begins with the path of its file. The rest is a contiguous part of that file; `// …` marks an
/// omission. `BLESS=1` copies the code again: what is between the first and the last line of a part, where both are still there.
#[test]
fn the_code_in_the_guide_to_features_is_what_the_code_says() {
    const GUIDE: &str = "docs/features.md";
    let mut quoted = 0;
    let written: Vec<String> = read(GUIDE)
        .split("```")
        .enumerate()
        .map(|(place, block)| {
            let (head, code) = block.split_once('\n').unwrap_or((block, ""));
            if place % 2 == 0 || !["rust", "sql"].contains(&head) {
                return block.to_owned();
            }
            quoted += 1;
            let (head, code) = code.split_once('\n').expect("the path of a file, then code");
            let path = head.trim_start_matches(['/', '-', ' ']);
            let text = read(path);
            let text: Vec<&str> = text.lines().collect();
            let lines: Vec<&str> = code.lines().collect();
            let is_mark = |line: &&str| line.trim().trim_start_matches(['/', '-', ' ']) == "…";
            let marks: Vec<&str> = lines.iter().copied().filter(is_mark).collect();
            let parts = lines.split(is_mark).map(|part| quotation(path, &text, part));
            let mut marks = marks.into_iter();
            let code: Vec<String> = parts
                .flat_map(|part| part.into_iter().chain(marks.next().map(str::to_owned)))
                .collect();
            format!(
                "{}\n{head}\n{}\n",
                block.lines().next().unwrap_or_default(),
                code.join("\n")
            )
        })
        .collect();
    assert!(quoted > 9, "{quoted}");
    assert_written(GUIDE, &written.join("```"));
}

/// What a file has now between the first and the last line of a part that was copied from it, indented like the part.
fn quotation(path: &str, text: &[&str], part: &[&str]) -> Vec<String> {
    let (Some(first), Some(last)) = (part.first(), part.last()) else {
        panic!("{path}: nothing before or after a mark");
    };
    let depth = |line: &str| line.len() - line.trim_start().len();
    let is_part = |window: &[&str]| {
        window
            .iter()
            .zip(part)
            .all(|(one, other)| one.trim() == other.trim())
    };
    // A part that is there whole is meant, even if another begins with the same line.
    let whole = text.windows(part.len()).position(is_part);
    let begins = whole.or_else(|| text.iter().position(|line| line.trim() == first.trim()));
    let begins = begins.unwrap_or_else(|| panic!("{path} has no line {first:?}"));
    let shift = depth(text[begins]).saturating_sub(depth(first));
    let rest = &text[begins..];
    let ends = match whole {
        Some(_) => part.len() - 1,
        None => rest
            .iter()
            .position(|line| line.trim() == last.trim() && depth(line) == depth(last) + shift)
            .unwrap_or_else(|| panic!("{path} has no line {last:?} after {first:?}")),
    };
    let lines = rest[..=ends].iter();
    lines
        .map(|line| line.get(shift..).unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_row_of_ci_run_names_what_it_runs() {
    let script = read(".ci/run");
    // `make TARGET` and `if_changed TARGET`, but for the definition of the latter.
    let commands = script
        .lines()
        .filter(|line| !line.starts_with(['#', ' ']))
        .flat_map(|line| {
            line.split("make ")
                .skip(1)
                .chain(line.strip_prefix("if_changed "))
        });
    let targets: Vec<&str> = commands
        .filter_map(|rest| rest.split([' ', ')']).next())
        .collect();
    assert!(targets.len() > 3, "{targets:?}");
    let contributing = read("CONTRIBUTING.md");
    let mut rows = contributing.lines();
    let row = rows
        .find(|line| line.starts_with("| `.ci/run` |"))
        .expect("a row");
    assert!(
        row.contains(&format!(": {};", targets.join(", "))),
        "{row}: {targets:?}"
    );
}

#[test]
fn no_table_says_a_thing_twice() {
    // Tables about different things can have equal keys; these documents list each thing once.
    for document in ["README.md", "ARCHITECTURE.md", "docs/invariants.md"] {
        let text = read(document);
        let mut seen = HashSet::new();
        // The head of several tables.
        let cells = first_cells(&text)
            .into_iter()
            .filter(|cell| *cell != "What there is not");
        for cell in cells.filter(|cell| cell.contains(' ')) {
            assert!(seen.insert(cell), "{document} has two rows for {cell}");
        }
    }
}
