//! Passwords from libpq's password file: <https://www.postgresql.org/docs/current/libpq-pgpass.html>.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

/// The keys for finding a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The host as written, or `localhost` for a socket in a default directory.
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// Find the password in the file at `path`. As in libpq, a file that other users can read is ignored.
pub(super) fn password(path: &Path, wanted: Wanted<'_>) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.mode() & 0o077 != 0 {
        tracing::warn!(
            path = %path.display(),
            "the password file is ignored: it must be a plain file that other users cannot read (chmod 0600)"
        );
        return None;
    }
    find(&fs::read_to_string(path).ok()?, wanted)
}

/// The password in the first line that matches.
fn find(text: &str, wanted: Wanted<'_>) -> Option<String> {
    let port = wanted.port.to_string();
    let asked = [wanted.host, port.as_str(), wanted.database, wanted.user];
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let [fields @ .., password] = fields(line)?;
            let fits = fields
                .iter()
                .zip(asked)
                .all(|((field, plain), asked)| (*plain && field == "*") || field == asked);
            (fits && !password.0.is_empty()).then_some(password.0)
        })
}

/// The five fields, each with a flag for fields without a backslash.
fn fields(line: &str) -> Option<[(String, bool); 5]> {
    let mut fields: [(String, bool); 5] = std::array::from_fn(|_| (String::new(), true));
    let mut index = 0;
    let mut characters = line.trim_end_matches('\r').chars();
    while let Some(character) = characters.next() {
        match character {
            // Everything after the fourth colon is the password, including colons.
            ':' if index < 4 => index += 1,
            '\\' => {
                fields[index].1 = false;
                fields[index].0.extend(characters.next());
            }
            character => fields[index].0.push(character),
        }
    }
    (index == 4).then_some(fields)
}

#[cfg(test)]
mod tests;
