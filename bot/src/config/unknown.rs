//! Rejects unknown sections, keys and variables, and suggests the name that was probably meant.

use strsim::damerau_levenshtein;

use crate::config::{
    problem::{Place, Problem},
    reader::{Declared, Reader},
    sources::PREFIX,
};

/// Names with more differences than this count as different words.
const MAX_SLIPS: usize = 2;

/// Endings that people use for the unit of a key.
const UNITS: [&str; 22] = [
    "_in_seconds",
    "_seconds",
    "_second",
    "_secs",
    "_sec",
    "_s",
    "_milliseconds",
    "_millis",
    "_msec",
    "_ms",
    "_minutes",
    "_mins",
    "_min",
    "_hours",
    "_h",
    "_mib",
    "_mb",
    "_kib",
    "_kb",
    "_gib",
    "_gb",
    "_bytes",
];

/// Report everything that was written but not read.
pub(super) fn refuse(reader: &mut Reader) {
    let sources = reader.sources();
    let mut problems = Vec::new();
    for (section, place) in &sources.sections {
        if !is_section(reader, section) {
            let found = "an unknown section".to_owned();
            problems.push(Problem {
                place: place.clone(),
                key: section.clone(),
                found,
                allowed: section_hint(reader, section),
            });
        }
    }
    for (name, place) in &sources.stray {
        let (found, allowed) = if is_section(reader, name) {
            (
                "something that is not a section".to_owned(),
                format!("[{name}] on a line of its own, its keys below"),
            )
        } else {
            (
                "an unknown key outside of every section".to_owned(),
                key_hint(reader, "", name),
            )
        };
        problems.push(Problem {
            place: place.clone(),
            key: name.clone(),
            found,
            allowed,
        });
    }
    for ((section, name), input) in &sources.file {
        if is_section(reader, section) && !is_key(reader, section, name) {
            problems.push(Problem {
                place: input.place.clone(),
                key: format!("{section}.{name}"),
                found: "an unknown key".to_owned(),
                allowed: key_hint(reader, section, name),
            });
        }
    }
    for ((section, name), input) in &sources.variables {
        if !is_key(reader, section, name) {
            let allowed = if is_section(reader, section) {
                key_hint(reader, section, name)
            } else {
                section_hint(reader, section)
            };
            let found = format!("an unknown variable (the form is {PREFIX}SECTION__KEY)");
            problems.push(Problem {
                place: input.place.clone(),
                key: format!("{section}.{name}"),
                found,
                allowed,
            });
        }
    }
    problems.extend(
        sources
            .variable_names()
            .filter_map(|variable| single_underscores(reader, variable)),
    );
    reader.problems.append(&mut problems);
}

/// Find a variable such as `EVENTIDE_LEVELS_COOLDOWN_SECONDS`, which is certainly meant for a key but is not read. Other variables that
/// begin with `EVENTIDE_` are ignored, because Kubernetes sets some for a service of that name.
fn single_underscores(reader: &Reader, variable: &str) -> Option<Problem> {
    if variable.starts_with(PREFIX) {
        return None;
    }
    let rest = variable
        .strip_prefix("EVENTIDE_")?
        .to_lowercase()
        .replace("__", "_");
    let meant = reader
        .declared
        .iter()
        .find(|key| rest == format!("{}_{}", key.section, key.name))?;
    let (section, name) = (meant.section.to_uppercase(), meant.name.to_uppercase());
    Some(Problem {
        place: Place::Variable(variable.to_owned()),
        key: format!("{}.{}", meant.section, meant.name),
        found: "a variable with single underscores, which is not read".to_owned(),
        allowed: format!("{PREFIX}{section}__{name}"),
    })
}

fn is_section(reader: &Reader, section: &str) -> bool {
    reader.headings.iter().any(|heading| heading.name == section)
}

fn is_key(reader: &Reader, section: &str, name: &str) -> bool {
    reader
        .declared
        .iter()
        .any(|key| key.section == section && key.name == name)
}

/// The section that was probably meant, or else the names of all.
fn section_hint(reader: &Reader, section: &str) -> String {
    let names = || reader.headings.iter().map(|heading| heading.name);
    names()
        .filter(|name| slips(name, section).is_some())
        .min_by_key(|name| slips(name, section))
        .map_or_else(
            || format!("the sections {}", names().collect::<Vec<_>>().join(", ")),
            |name| format!("did you mean [{name}]?"),
        )
}

/// The key that was probably meant, or else the keys of its section.
fn key_hint(reader: &Reader, section: &str, name: &str) -> String {
    let here = || reader.declared.iter().filter(|key| key.section == section);
    let other_unit = |key: &&Declared| key.name != base(key.name) && base(key.name) == base(name);
    let near = |key: &&Declared| slips(key.name, name).is_some();
    let meant = here()
        .find(other_unit)
        .or_else(|| here().filter(near).min_by_key(|key| slips(key.name, name)))
        .or_else(|| reader.declared.iter().find(|key| key.name == name))
        .or_else(|| reader.declared.iter().find(other_unit));
    match meant {
        Some(key) => format!("did you mean {}.{} ({})?", key.section, key.name, key.allowed),
        None if section.is_empty() => "keys below the [section] they belong to".to_owned(),
        None => format!(
            "the keys {}",
            here().map(|key| key.name).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// A key's name without its unit.
fn base(name: &str) -> &str {
    UNITS
        .iter()
        .find_map(|unit| name.strip_suffix(unit))
        .unwrap_or(name)
}

/// The number of typing errors between two words, if there are few.
fn slips(meant: &str, written: &str) -> Option<usize> {
    // The calculation takes time proportional to the product of the lengths, and the written name can be as long as the file.
    if written.len() > meant.len() + MAX_SLIPS {
        return None;
    }
    Some(damerau_levenshtein(meant, written)).filter(|slips| *slips <= MAX_SLIPS)
}
