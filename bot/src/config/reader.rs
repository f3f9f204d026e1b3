//! Reads sections and keys. A key is declared once, where its field is filled in. The pass that reads the values also collects the
//! declarations, which are used to find unknown keys and to write the example file.

use std::{fmt::Display, ops::RangeInclusive, path::PathBuf, time::Duration};

use crate::config::{
    input::Input,
    problem::{Place, Problem},
    sources::Sources,
};

/// An integer.
pub(super) struct Whole {
    pub(super) name: &'static str,
    pub(super) default: u32,
    pub(super) range: RangeInclusive<u32>,
    pub(super) unit: &'static str,
    pub(super) why: &'static str,
}

/// Text with a given format. With an empty default, the key is optional.
pub(super) struct Text {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) allowed: &'static str,
    pub(super) why: &'static str,
}

/// A value with a type of its own.
pub(super) struct Special<T> {
    pub(super) name: &'static str,
    pub(super) default: T,
    /// The default as TOML.
    pub(super) written: &'static str,
    pub(super) allowed: String,
    pub(super) why: &'static str,
}

/// The declaration of a key.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// The default as TOML.
    pub(super) default: String,
    pub(super) allowed: String,
    pub(super) why: &'static str,
    /// The conventional variable of the key, such as `DATABASE_URL`.
    pub(super) variable: Option<&'static str>,
}

/// A section's name and description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
}

/// Reads one section after another.
pub(super) struct Reader {
    sources: Sources,
    pub(super) headings: Vec<Heading>,
    pub(super) declared: Vec<Declared>,
    pub(super) problems: Vec<Problem>,
}

/// Reads the keys of one section.
pub(super) struct Section<'reader> {
    reader: &'reader mut Reader,
    name: &'static str,
    /// The conventional variable of the next key.
    conventional: Option<&'static str>,
}

impl Reader {
    pub(super) const fn new(sources: Sources, problems: Vec<Problem>) -> Self {
        Self {
            sources,
            headings: Vec::new(),
            declared: Vec::new(),
            problems,
        }
    }

    pub(super) fn section(&mut self, name: &'static str, about: &'static str) -> Section<'_> {
        self.headings.push(Heading { name, about });
        Section {
            reader: self,
            name,
            conventional: None,
        }
    }

    pub(super) const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Report two keys that contradict each other, at the place of the first one that is set.
    pub(super) fn impossible(
        &mut self,
        keys: [(&'static str, &'static str); 2],
        found: String,
        allowed: &str,
    ) {
        let written = keys.iter().find_map(|(section, name)| {
            self.sources
                .written(section, name)
                .map(|input| (input.place.clone(), section, name))
        });
        let (first_section, first_name) = &keys[0];
        let (place, section, name) = written.unwrap_or((Place::Unset, first_section, first_name));
        let key = format!("{section}.{name}");
        self.problems.push(Problem {
            place,
            key,
            found,
            allowed: allowed.to_owned(),
        });
    }
}

impl Section<'_> {
    /// Let this variable set the next key, with lower precedence than `EVENTIDE__…` and higher precedence than the file.
    pub(super) const fn also(&mut self, variable: &'static str) -> &mut Self {
        self.conventional = Some(variable);
        self
    }

    /// Read a count.
    pub(super) fn count(&mut self, key: Whole) -> usize {
        usize::try_from(self.whole(key)).unwrap_or(usize::MAX)
    }

    /// Read a duration in seconds.
    pub(super) fn seconds(&mut self, key: Whole) -> Duration {
        Duration::from_secs(self.whole(key).into())
    }

    /// Read a duration in milliseconds.
    pub(super) fn milliseconds(&mut self, key: Whole) -> Duration {
        Duration::from_millis(self.whole(key).into())
    }

    /// Read an integer.
    pub(super) fn whole(&mut self, key: Whole) -> u32 {
        let Whole {
            name,
            default,
            range,
            unit,
            why,
        } = key;
        let allowed = format!("a whole number of {unit}, {} to {}", range.start(), range.end());
        self.value(name, default, default.to_string(), allowed, why, |input| {
            in_range(input.whole()?, &range)
        })
    }

    /// Read `true` or `false`.
    pub(super) fn boolean(&mut self, name: &'static str, default: bool, why: &'static str) -> bool {
        self.value(
            name,
            default,
            default.to_string(),
            "true or false".to_owned(),
            why,
            Input::boolean,
        )
    }

    /// Read `true` or `false`, or nothing if the value follows from other keys. `usual` is the value if those are not set either.
    pub(super) fn optional_boolean(
        &mut self,
        name: &'static str,
        usual: bool,
        why: &'static str,
    ) -> Option<bool> {
        self.value(
            name,
            None,
            usual.to_string(),
            "true or false".to_owned(),
            why,
            |input| input.boolean().map(Some),
        )
    }

    /// Read a value with a type of its own.
    pub(super) fn special<T>(&mut self, key: Special<T>, convert: impl Fn(&Input) -> Option<T>) -> T {
        let Special {
            name,
            default,
            written,
            allowed,
            why,
        } = key;
        self.value(name, default, written.to_owned(), allowed, why, convert)
    }

    /// Read text that `convert` accepts; it has to accept the default.
    pub(super) fn text<T>(&mut self, key: &Text, convert: impl Fn(&str) -> Option<T>) -> T {
        let default = convert(key.default).expect("a key's own default is allowed");
        self.value(
            key.name,
            default,
            quoted(key.default),
            key.allowed.to_owned(),
            key.why,
            |input| convert(input.text()?),
        )
    }

    /// Read text that `convert` accepts, or for which it returns what is wrong; it has to accept the default.
    pub(super) fn text_or_fault<T, E: Display>(
        &mut self,
        key: &Text,
        convert: impl Fn(&str) -> Result<T, E>,
    ) -> T {
        let default = convert(key.default).ok().expect("a key's own default is allowed");
        self.value_or_fault(
            key.name,
            default,
            quoted(key.default),
            key.allowed.to_owned(),
            key.why,
            |input| match input.text() {
                Some(text) => convert(text).map_err(|fault| Some(fault.to_string())),
                None => Err(None),
            },
        )
    }

    /// Read text that `convert` accepts; `None` if the key is omitted or empty.
    pub(super) fn optional_text<T>(&mut self, key: &Text, convert: impl Fn(&str) -> Option<T>) -> Option<T> {
        let allowed = format!("{}, or \"\" for none", key.allowed);
        self.value(
            key.name,
            None,
            quoted(""),
            allowed,
            key.why,
            |input| match input.text()? {
                "" => Some(None),
                text => convert(text).map(Some),
            },
        )
    }

    /// Declare a key and read it from the source with the highest precedence. The value has to be valid in every source that sets it.
    fn value<T>(
        &mut self,
        name: &'static str,
        default: T,
        written: String,
        allowed: String,
        why: &'static str,
        convert: impl Fn(&Input) -> Option<T>,
    ) -> T {
        self.value_or_fault(name, default, written, allowed, why, |input| {
            convert(input).ok_or(None)
        })
    }

    /// Do the same with a `convert` that may return what is wrong.
    fn value_or_fault<T>(
        &mut self,
        name: &'static str,
        default: T,
        written: String,
        allowed: String,
        why: &'static str,
        convert: impl Fn(&Input) -> Result<T, Option<String>>,
    ) -> T {
        let variable = self.conventional.take();
        let conventional = variable.and_then(|variable| self.sources().variable(variable));
        let mut value = None;
        for input in [self.variable(name), conventional, self.in_file(name)]
            .into_iter()
            .flatten()
        {
            match convert(&input) {
                Ok(converted) => value = value.or(Some(converted)),
                Err(fault) => {
                    let allowed = match fault {
                        Some(fault) => format!("{allowed}; here, {fault}"),
                        None => allowed.clone(),
                    };
                    self.refuse(input.place.clone(), name, input.shown(), allowed);
                }
            }
        }
        self.declare(name, written, allowed, why, variable);
        value.unwrap_or(default)
    }

    pub(super) const fn sources(&self) -> &Sources {
        &self.reader.sources
    }

    pub(super) fn variable(&self, name: &str) -> Option<Input> {
        self.reader
            .sources
            .variables
            .get(&(self.name.to_owned(), name.to_owned()))
            .cloned()
    }

    pub(super) fn in_file(&self, name: &str) -> Option<Input> {
        self.reader
            .sources
            .file
            .get(&(self.name.to_owned(), name.to_owned()))
            .cloned()
    }

    pub(super) fn declare(
        &mut self,
        name: &'static str,
        default: String,
        allowed: String,
        why: &'static str,
        variable: Option<&'static str>,
    ) {
        self.reader.declared.push(Declared {
            section: self.name,
            name,
            default,
            allowed,
            why,
            variable,
        });
    }

    pub(super) fn refuse(&mut self, place: Place, name: &str, found: String, allowed: String) {
        let key = format!("{}.{name}", self.name);
        self.reader.problems.push(Problem {
            place,
            key,
            found,
            allowed,
        });
    }
}

/// Return `number` if it is in `range`.
pub(super) fn in_range(number: i128, range: &RangeInclusive<u32>) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| range.contains(number))
}

/// Convert `text` to a path.
pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
}

/// A declaration's text as TOML. It contains nothing that needs escaping.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
