//! Application names in `pg_stat_activity`.

use std::sync::{Arc, RwLock};

/// PostgreSQL truncates an application name to this many bytes.
const NAME_BYTES: usize = 63;

/// Longer schema names are shortened.
const SCHEMA_BYTES: usize = 16;

/// The application name of connections opened from now on.
#[derive(Clone, Debug, Default)]
pub struct Name(Arc<RwLock<Option<String>>>);

impl Name {
    /// Set the purpose in the name, between the host with the process ID and the schema.
    pub fn set(&self, for_what: &str) {
        *self.0.write().expect("nothing panics while it holds the name") = Some(for_what.to_owned());
    }

    pub(super) fn get(&self, schema: &str) -> Option<String> {
        let name = self.0.read().expect("nothing panics while it holds the name");
        let for_what = name.as_ref()?;
        Some(process_name(format!("{for_what} {}", place(schema)).trim_start()))
    }
}

/// `eventide HOST:PID` and the purpose of a connection, within PostgreSQL's limit.
pub(in crate::postgres) fn process_name(for_what: &str) -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    let host = host.to_string_lossy();
    let rest = format!(":{} {for_what}", std::process::id());
    let room = NAME_BYTES.saturating_sub("eventide ".len() + rest.len());
    let host = host.get(..host.floor_char_boundary(room)).unwrap_or_default();
    format!("eventide {host}{rest}").trim_end().to_owned()
}

/// Whether a connection with this name belongs to an Eventide process that uses `schema`.
pub(in crate::postgres) fn works_in(name: &str, schema: &str) -> bool {
    name.starts_with("eventide ") && name.ends_with(&format!(" {}", place(schema)))
}

/// The end of a name: `in SCHEMA`. A schema name that is long, or contains characters that PostgreSQL would replace, is shortened and made
/// unique by a hash.
fn place(schema: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if schema.len() <= SCHEMA_BYTES && schema.chars().all(plain) {
        return format!("in {schema}");
    }
    let short: String = schema
        .chars()
        .filter(|character| plain(*character))
        .take(7)
        .collect();
    // FNV-1a, which is the same in every version of the bot.
    let number = schema.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("in {short}~{number:08x}")
}

#[cfg(test)]
mod tests {
    use super::{NAME_BYTES, Name, process_name, works_in};

    #[test]
    fn a_name_tells_the_schema() {
        let name = Name::default();
        assert_eq!(name.get("public"), None);
        let schemas = [
            "public",
            "eventide_two",
            "it's \"x\"",
            "it's \"y\"",
            "grüße",
            &"long".repeat(12),
        ];
        for for_what in ["", "shards 1000-1023/1024"] {
            name.set(for_what);
            for schema in schemas {
                let called = name.get(schema).expect("a name");
                assert!(called.is_ascii() && called.len() <= NAME_BYTES, "{called}");
                for other in schemas {
                    assert_eq!(works_in(&called, other), schema == other, "{called} {other}");
                }
            }
        }
        assert!(!works_in(&process_name("migrate"), "public"));
        assert!(!works_in("another in public", "public"));
    }
}
