//! This host's clock.

use std::time::SystemTime;

/// This host's time, for matters of this host alone. Discord's timestamps are compared with Discord's clock (`discord::clock`).
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn host_time() -> SystemTime {
    SystemTime::now()
}
