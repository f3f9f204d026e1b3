//! Tests that check the modules against the layers in `lib.rs`, and the length of each file against [`LONGEST`].

#![expect(clippy::string_slice, reason = "a cut inside a character fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The layers, in order. Those in one group do not import each other.
const LAYERS: [&[&str]; 11] = [
    &["support"],
    &["config"],
    &["telemetry"],
    &["postgres", "discord"],
    &["outbox"],
    &["settings"],
    &["flush"],
    &["web"],
    &["interactions"],
    &["features"],
    &["pipeline"],
];

/// The maximum length of a source file, in lines.
const LONGEST: usize = 500;

/// The last layer, which composes the others.
const TOP: &str = "app";

/// The modules below a folder of the crate, with their texts.
fn files(folder: &str) -> Vec<(Vec<String>, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut left: Vec<PathBuf> = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(
                fs::read_dir(&path)
                    .expect("a directory")
                    .flatten()
                    .map(|entry| entry.path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = path.strip_prefix(&root).expect("below it").with_extension("");
            let module = module
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            found.push((module, fs::read_to_string(&path).expect("text")));
        }
    }
    found
}

/// The code of a file without its comments and its tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Paths that begin with `crate::`, with groups in braces expanded, up to their second name.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        expand(&code[at + "crate::".len()..], &[], &mut found);
    }
    found
}

/// Read a tree of a `use`. Returns the rest of the text.
fn expand<'a>(text: &'a str, before: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = expand(rest, before, found).trim_start();
            match rest.strip_prefix(',') {
                Some(next) if next.trim_start().starts_with('}') => rest = next.trim_start(),
                Some(next) => {
                    rest = next;
                    continue;
                }
                None => {}
            }
            return rest.strip_prefix('}').unwrap_or_default();
        }
    }
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let path = [before, &[text[..end].to_owned()]].concat();
    match text[end..].strip_prefix("::") {
        Some(rest) if !rest.starts_with('<') => expand(rest, &path, found),
        _ => {
            found.push(path);
            text[end..].trim_start_matches(|c: char| c != ',' && c != '}' && c != ';')
        }
    }
}

/// The imports of a module that violate the layers.
fn faults(module: &[String], code: &str) -> Vec<String> {
    let place = |layer: &str| LAYERS.iter().position(|group| group.contains(&layer));
    let own = &module[0];
    if own == TOP || own == "lib" || own == "main" {
        return Vec::new();
    }
    let place_of_own = place(own).unwrap_or_else(|| panic!("{own} is in no layer"));
    let is_fault = |path: &Vec<String>| {
        if &path[0] == own {
            return own == "features" && path.get(1).is_some_and(|feature| Some(feature) != module.get(1));
        }
        path[0] == TOP || place(&path[0]).is_some_and(|other| other >= place_of_own)
    };
    let faults = paths(code).into_iter().filter(is_fault);
    faults
        .map(|path| format!("{} imports {}", module.join("::"), path.join("::")))
        .collect()
}

#[test]
fn modules_import_earlier_layers_only() {
    let mut found = Vec::new();
    for (module, text) in files("src") {
        if !module.iter().any(|part| part == "tests") {
            found.extend(faults(&module, &code(&text)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_edge_against_the_layers_is_found() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<_>>();
    for (own, code) in [
        ("support::ids", "use crate::config::Config;"),
        (
            "outbox::lane",
            "use crate::{\n    postgres::{Tx, Store},\n    settings::{\n        self, Settings,\n    },\n};",
        ),
        (
            "features::welcome",
            "use crate::features::{levels::rows, welcome::arrival};",
        ),
        (
            "features::welcome",
            "let x = crate::pipeline::ledger::Ledger::new();",
        ),
        ("postgres", "use crate::{config, discord::rest};"),
        (
            "pipeline::writer",
            "use crate::{support::{ids, backoff::{Backoff, Pause}}, app::bot::Bot};",
        ),
    ] {
        assert!(!faults(&module(own), code).is_empty(), "{own}: {code}");
    }
    for (own, code) in [
        (
            "pipeline::writer",
            "use crate::{features::{levels, welcome}, support::ids};",
        ),
        (
            "features::levels::card",
            "use crate::features::levels::rows;\nuse crate::{interactions::Services, settings};",
        ),
        ("app::bot", "use crate::{app::cli, pipeline};"),
    ] {
        assert_eq!(faults(&module(own), code), Vec::<String>::new(), "{own}");
    }
}

#[test]
fn no_file_is_longer_than_can_be_read() {
    let mut long = Vec::new();
    for folder in ["src", "tests", "bench", "examples", "../simulator"] {
        for (module, text) in files(folder) {
            let lines = text.lines().count();
            if lines > LONGEST {
                long.push(format!("{folder}/{}.rs has {lines} lines", module.join("/")));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// A file that no `mod` names is not compiled, and its tests do not run.
#[test]
fn every_file_is_a_module() {
    for folder in ["src", "tests/it"] {
        let files = files(folder);
        let declares = |module: &[String], name: &str| {
            let declaration = format!("mod {name};");
            files
                .iter()
                .any(|(other, text)| other == module && text.contains(&declaration))
        };
        let roots = [["lib".to_owned()], ["main".to_owned()]];
        for (module, _) in &files {
            let Some((name, parents)) = module.split_last() else {
                continue;
            };
            let is_root = parents.is_empty() && roots.iter().any(|root| root[0] == *name);
            // A module inside a file has its own in a folder.
            let mut above = (1..=parents.len()).rev().map(|length| &parents[..length]);
            let is_declared =
                above.any(|parent| declares(parent, name)) || roots.iter().any(|root| declares(root, name));
            assert!(
                is_root || is_declared,
                "{folder}/{}.rs is in no module",
                module.join("/")
            );
        }
    }
}
