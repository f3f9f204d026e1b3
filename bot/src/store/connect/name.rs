//! How connections are called in `pg_stat_activity`.

use std::sync::{Arc, RwLock};

/// PostgreSQL cuts an application's name after so many bytes.
const NAME_BYTES: usize = 63;

/// How the connections that are opened from now on are called in `pg_stat_activity`.
#[derive(Clone, Debug, Default)]
pub struct Name(Arc<RwLock<String>>);

impl Name {
    /// Call them by what they are `for_what`, after the host and the process.
    pub fn set(&self, for_what: &str) {
        *self.0.write().expect("nothing panics while it holds the name") = process_name(for_what);
    }

    pub(super) fn get(&self) -> String {
        self.0
            .read()
            .expect("nothing panics while it holds the name")
            .clone()
    }
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
