//! Reads secrets. They may be in a file of their own, and error messages never repeat them.

use std::fs;

use crate::config::{
    Secret,
    input::Input,
    reader::{Section, quoted},
};

/// A secret, given under `name`, in a file whose path is given under `file`, or in the conventional variable.
pub(super) struct Guarded {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) variable: &'static str,
    pub(super) allowed: &'static str,
    pub(super) why: &'static str,
    /// What is wrong with the text, in words that do not repeat it.
    pub(super) fault: fn(&str) -> Option<String>,
}

impl Section<'_> {
    /// Read a secret. `EVENTIDE__…` takes precedence over the conventional variable, and that over the file.
    pub(super) fn secret(&mut self, key: &Guarded) -> Option<Secret> {
        let path_allowed = format!("path of a file that holds the {}, or \"\" for none", key.name);
        self.declare(
            key.name,
            quoted(""),
            format!("{}, or \"\" for none", key.allowed),
            key.why,
            Some(key.variable),
        );
        self.declare(
            key.file,
            quoted(""),
            path_allowed.clone(),
            "Path of a file with this value, which keeps it out of the configuration.",
            None,
        );
        let conventional = self.sources().variable(key.variable);
        let layers = [
            (self.variable(key.name), self.variable(key.file)),
            (conventional, None),
            (self.in_file(key.name), self.in_file(key.file)),
        ];
        let mut secret = None;
        for (plain, path) in layers {
            let given = |input: &Input| input.text() != Some("");
            match (plain.filter(given), path.filter(given)) {
                (Some(plain), Some(_)) => {
                    let found = format!("both {} and {}", key.name, key.file);
                    self.refuse(plain.place, key.name, found, "one of the two".to_owned());
                }
                (Some(plain), None) => {
                    let checked = self.plain_secret(key, &plain);
                    secret = secret.or(checked);
                }
                // The file of a source with lower precedence is not read; it need not exist.
                (None, Some(path)) if secret.is_none() => {
                    secret = self.secret_from_file(key, &path, &path_allowed);
                }
                (None, _) => {}
            }
        }
        secret
    }

    fn plain_secret(&mut self, key: &Guarded, input: &Input) -> Option<Secret> {
        let Some(text) = input.text() else {
            self.refuse(
                input.place.clone(),
                key.name,
                input.kind().to_owned(),
                key.allowed.to_owned(),
            );
            return None;
        };
        if let Some(fault) = (key.fault)(text) {
            self.refuse(input.place.clone(), key.name, fault, key.allowed.to_owned());
            return None;
        }
        Some(Secret::new(text))
    }

    fn secret_from_file(&mut self, key: &Guarded, input: &Input, allowed: &str) -> Option<Secret> {
        let place = input.place.clone();
        let Some(path) = input.text() else {
            self.refuse(place, key.file, input.kind().to_owned(), allowed.to_owned());
            return None;
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => {
                // The path is not shown, because it could be the secret itself, given under the wrong key.
                let found = format!("a file that cannot be read ({error})");
                self.refuse(place, key.file, found, allowed.to_owned());
                return None;
            }
        };
        let fault = if text.is_empty() {
            Some("nothing".to_owned())
        } else {
            (key.fault)(&text)
        };
        if let Some(fault) = fault {
            let found = format!("{fault}, in the file");
            self.refuse(place, key.file, found, key.allowed.to_owned());
            return None;
        }
        Some(Secret::of_file(text, path.into()))
    }
}
