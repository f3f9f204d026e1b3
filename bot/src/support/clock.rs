//! This host's clock.

use std::time::SystemTime;

/// This host's time, for what concerns this host alone. What Discord dated is compared with Discord's clock (`discord::clock`).
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn host_time() -> SystemTime {
    SystemTime::now()
}
