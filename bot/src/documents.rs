//! Tests that hold documents against what they describe.

use std::{collections::HashSet, fs, path::PathBuf};

fn read(path: &str) -> String {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The first cells of the rows of all tables of a document.
fn first_cells(document: &str) -> Vec<&str> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(" | ").next()).collect()
}

#[test]
fn the_diff_of_about_is_what_about_takes() {
    let contributing = read("CONTRIBUTING.md");
    let (_, rest) = contributing.split_once("```diff\n").expect("a diff");
    let (diff, _) = rest.split_once("```").expect("its end");
    let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in diff.lines() {
        if let Some(file) = line.strip_prefix("+++ b/") {
            files.push((file, Vec::new()));
        } else if let (Some(added), Some((_, lines))) = (line.strip_prefix('+'), files.last_mut()) {
            lines.push(added);
        }
    }
    assert_eq!(files.len(), 4);
    for (file, added) in files {
        let text = read(file);
        let added = added.join("\n");
        if file.ends_with("about.rs") {
            assert_eq!(added, text.trim_end(), "{file}");
        } else if file.starts_with("bot/locales/") {
            assert!(text.contains(&added), "{file}: {added}");
        } else {
            for line in added.lines() {
                assert!(text.lines().any(|other| other == line), "{file}: {line}");
            }
        }
    }
}

#[test]
fn the_row_of_ci_run_names_what_it_runs() {
    let script = read(".ci/run");
    let target = |line: &str| {
        let mut words = line.split(' ');
        match words.next()? {
            "if_changed" => words.next().map(str::to_owned),
            "step" => line.split_once(" make ").map(|(_, target)| target.to_owned()),
            _ => None,
        }
    };
    let targets: Vec<String> = script.lines().filter_map(target).collect();
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
    // Keys of tables that describe other things can be the same; these documents list each thing once.
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = read(document);
        let mut seen = HashSet::new();
        for cell in first_cells(&text).into_iter().filter(|cell| cell.contains(' ')) {
            assert!(seen.insert(cell), "{document} has two rows for {cell}");
        }
    }
}
