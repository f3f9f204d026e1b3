//! The sources of the configuration, before they are interpreted: the keys of the file and the variables, each with its place.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::de::{DeTable, DeValue};

use crate::config::{
    input::Input,
    problem::{Place, Problem, escaped},
};

/// The prefix of variables that override a key. Section and key follow in upper or lower case, separated by two underscores.
pub(super) const PREFIX: &str = "EVENTIDE__";

/// A section, and a key in it.
type Name = (String, String);

/// The file's keys and the variables.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Sections, and where their headers are.
    pub(super) sections: BTreeMap<String, Place>,
    /// Keys in the file.
    pub(super) file: BTreeMap<Name, Input>,
    /// Keys outside of any section.
    pub(super) stray: BTreeMap<String, Place>,
    /// Keys from variables `EVENTIDE__SECTION__KEY`, in lower case.
    pub(super) variables: BTreeMap<Name, Input>,
    /// All variables that are not empty, by full name.
    environment: BTreeMap<String, String>,
}

impl Sources {
    /// Read the variables; an empty one counts as not set.
    pub(super) fn new(environment: &BTreeMap<String, String>, problems: &mut Vec<Problem>) -> Self {
        let mut sources = Self::default();
        for (variable, text) in environment.iter().filter(|(_, text)| !text.trim().is_empty()) {
            sources.environment.insert(variable.clone(), text.clone());
            let Some(rest) = variable.strip_prefix(PREFIX) else {
                continue;
            };
            let lower = rest.to_lowercase();
            let name = lower.split_once("__").unwrap_or((lower.as_str(), ""));
            let name = (name.0.to_owned(), name.1.to_owned());
            let earlier = sources
                .variables
                .insert(name, Input::from_variable(variable, text));
            if let Some(Place::Variable(earlier)) = earlier.map(|input| input.place) {
                problems.push(Problem {
                    place: Place::Variable(variable.clone()),
                    key: lower.replacen("__", ".", 1),
                    found: format!("also {}", escaped(&earlier)),
                    allowed: "one spelling, as section and key are read in any case".to_owned(),
                });
            }
        }
        sources
    }

    /// The value of a key, from a variable or else from the file.
    pub(super) fn written(&self, section: &str, name: &str) -> Option<&Input> {
        let name = (section.to_owned(), name.to_owned());
        self.variables.get(&name).or_else(|| self.file.get(&name))
    }

    /// A variable by its full name.
    pub(super) fn variable(&self, name: &str) -> Option<Input> {
        self.environment
            .get(name)
            .map(|text| Input::from_variable(name, text))
    }

    /// The directories of `PATH`.
    pub(super) fn search_path(&self) -> Vec<PathBuf> {
        self.environment
            .get("PATH")
            .map(|path| std::env::split_paths(path).collect())
            .unwrap_or_default()
    }

    /// libpq's password file: the one named by `PGPASSFILE`, or else `.pgpass` in the home directory.
    pub(super) fn password_file(&self) -> Option<PathBuf> {
        let named = self.environment.get("PGPASSFILE").map(PathBuf::from);
        named.or_else(|| Some(Path::new(self.environment.get("HOME")?).join(".pgpass")))
    }

    /// The full names of all variables that are set.
    pub(super) fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.environment.keys().map(String::as_str)
    }

    /// Parse the file at `path`, whose content is `text`.
    pub(super) fn add_file(&mut self, path: &Path, text: &str, problems: &mut Vec<Problem>) {
        let path: Arc<Path> = path.into();
        let lines = Lines::new(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        let broken: Vec<usize> = errors
            .iter()
            .map(|error| lines.number(error.span().map_or(0, |span| span.start)))
            .collect();
        for (error, line) in errors.iter().zip(&broken) {
            // Only the message is shown: the whole error would repeat the line, which can contain the token.
            problems.push(Problem {
                place: Place::Line(Arc::clone(&path), *line),
                key: lines.key(*line),
                found: format!("a line that is not TOML ({})", error.message().escape_debug()),
                allowed: "key = value, with text in double quotes".to_owned(),
            });
        }
        let place = |offset| Place::Line(Arc::clone(&path), lines.number(offset));
        for (section, keys) in table.get_ref() {
            let section_place = place(section.span().start);
            let name = section.get_ref().clone().into_owned();
            let DeValue::Table(keys) = keys.get_ref() else {
                if !broken.contains(&lines.number(section.span().start)) {
                    self.stray.insert(name, section_place);
                }
                continue;
            };
            for (key, value) in keys {
                // The parser returns a value even for a broken line, which has already been reported.
                let first = lines.number(key.span().start);
                let last = lines.number(value.span().end.saturating_sub(1));
                if !broken.iter().any(|line| (first..=last.max(first)).contains(line)) {
                    let input = Input::from_file(place(key.span().start), value.get_ref());
                    self.file
                        .insert((name.clone(), key.get_ref().clone().into_owned()), input);
                }
            }
            if !broken.contains(&lines.number(section.span().start)) {
                self.sections.insert(name, section_place);
            }
        }
    }
}

/// Where the lines of a text start.
struct Lines<'text> {
    text: &'text str,
    starts: Vec<usize>,
}

impl<'text> Lines<'text> {
    fn new(text: &'text str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    /// The number of the line that contains this byte, starting at 1.
    fn number(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// The text left of the `=` on a line, if it can be a key.
    fn key(&self, line: usize) -> String {
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let (left, _) = text.split_once('=').unwrap_or_default();
        let left = left.trim();
        // Stricter than TOML's bare keys, so that a token on a line of its own is not taken for a key and shown.
        let plain = |character: char| character.is_ascii_lowercase() || matches!(character, '_' | '.');
        if !left.is_empty() && left.chars().all(plain) {
            left.to_owned()
        } else {
            "syntax".to_owned()
        }
    }
}
