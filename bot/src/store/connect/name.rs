//! How connections are called in `pg_stat_activity`.

use std::sync::{Arc, RwLock};

/// PostgreSQL cuts an application's name after so many bytes.
const NAME_BYTES: usize = 63;

/// The schema that a name does not tell.
const PUBLIC: &str = "public";

/// What stands before the schema.
const IN: &str = " in ";

/// How the connections that are opened from now on are called in `pg_stat_activity`.
#[derive(Clone, Debug, Default)]
pub struct Name(Arc<RwLock<String>>);

impl Name {
    /// Call them by what they are `for_what`, after the host and the process.
    pub fn set(&self, for_what: &str) {
        *self.0.write().expect("nothing panics while it holds the name") = process_name(for_what);
    }

    /// The name of a connection to `schema`, which stands at its end, as far as there is room. `public` goes without saying.
    pub(super) fn in_schema(&self, schema: &str) -> String {
        let name = self.0.read().expect("nothing panics while it holds the name");
        if name.is_empty() || schema == PUBLIC {
            return name.clone();
        }
        let mut name = format!("{name}{IN}{}", ascii(schema));
        name.truncate(NAME_BYTES);
        name
    }
}

/// Whether a process that calls its connections so works with `schema`; also where the name was too long to tell.
pub(in crate::store) fn is_of_schema(name: &str, schema: &str) -> bool {
    match name.split_once(IN) {
        Some((_, found)) if name.len() < NAME_BYTES => found == ascii(schema),
        Some((_, found)) => ascii(schema).starts_with(found),
        None => schema == PUBLIC || name.len() >= NAME_BYTES,
    }
}

/// The text as PostgreSQL 15 keeps it in a name; newer ones write out the bytes.
fn ascii(text: &str) -> String {
    let plain = |character: char| match character {
        ' '..='~' => character,
        _ => '?',
    };
    text.chars().map(plain).collect()
}

/// `eventide HOST:PID` and what a connection is for, in the bytes that PostgreSQL keeps of it.
pub(in crate::store) fn process_name(for_what: &str) -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    let host = host.to_string_lossy();
    let rest = format!(":{} {for_what}", std::process::id());
    let room = NAME_BYTES.saturating_sub("eventide ".len() + rest.len());
    let host = host.get(..host.floor_char_boundary(room)).unwrap_or_default();
    format!("eventide {host}{rest}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{NAME_BYTES, Name, is_of_schema};

    #[test]
    fn a_name_tells_its_schema() {
        let name = Name::default();
        assert_eq!(name.in_schema("two"), "");
        name.set("shards 0-3/4");
        assert!(name.in_schema("public").ends_with(" shards 0-3/4"));
        let long = "x".repeat(60);
        let schemas = ["public", "two", "twofold", "Two in One", "schöne_grüße", &long];
        for of in schemas {
            let named = name.in_schema(of);
            assert!(named.len() <= NAME_BYTES && named.is_ascii(), "{named}");
            for other in schemas {
                assert_eq!(
                    is_of_schema(&named, other),
                    of == other,
                    "{named:?} and {other:?}"
                );
            }
        }
        // What was cut can be meant.
        let named = name.in_schema(&long);
        assert!(is_of_schema(&named, &"x".repeat(61)));
    }
}
