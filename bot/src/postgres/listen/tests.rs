use std::sync::Mutex;

use futures_util::FutureExt as _;
use tokio::time::Instant;
use twilight_model::id::{Id, marker::GuildMarker};

use super::{Listener, Own, apply};

const GUILDS: [Id<GuildMarker>; 2] = [Id::new(1), Id::new(u64::MAX)];

/// Records for a test which of the guilds are still cached, and whether the fleet and the timers have changed.
#[derive(Debug)]
struct Heard(Mutex<([bool; 2], bool, bool)>);

impl Listener for Heard {
    fn settings_changed(&self, guild_id: Option<Id<GuildMarker>>) {
        let known = &mut self.0.lock().expect("no panic").0;
        for (guild, known) in GUILDS.into_iter().zip(known) {
            *known &= guild_id.is_some_and(|changed| changed != guild);
        }
    }

    fn trusted_until(&self, _until: Option<Instant>) {}

    fn fleet_changed(&self) {
        self.0.lock().expect("no panic").1 = true;
    }

    fn timers_changed(&self) {
        self.0.lock().expect("no panic").2 = true;
    }
}

/// Which guilds are still cached after a payload.
fn left(payload: &str, own: &Own) -> [bool; 2] {
    let heard = Heard(Mutex::new(([true; 2], false, false)));
    apply(payload, "a schema", &heard, own);
    let (known, fleet, timers) = heard.0.into_inner().expect("no panic");
    assert_eq!(fleet, payload == "a schema @fleet", "{payload}");
    assert_eq!(timers, payload == "a schema @timers", "{payload}");
    known
}

#[test]
fn news_concern_one_guild_or_all_of_the_own_schema() {
    let own = Own::default();
    for (payload, known) in [
        ("a schema 1", [false, true]),
        // As a BIGINT, the highest snowflakes are negative.
        ("a schema -1", [true, false]),
        ("a schema *", [false, false]),
        ("a schema @fleet", [true, true]),
        ("another schema @fleet", [true, true]),
        ("a schema @timers", [true, true]),
        ("another schema @timers", [true, true]),
        ("another schema 1", [true, true]),
        ("schema 1", [true, true]),
        ("a schema  1", [true, true]),
        ("a schema ~0000000000000000", [true, true]),
        ("a schema 99999999999999999999", [true, true]),
        ("a schema 0", [true, true]),
        ("", [true, true]),
        ("1", [true, true]),
    ] {
        assert_eq!(left(payload, &own), known, "{payload:?}");
        assert!(own.heard.notified().now_or_never().is_none(), "{payload:?}");
    }
    let word = format!("a schema {}", own.word());
    assert_eq!(left(&word, &own), [true, true]);
    assert!(own.heard.notified().now_or_never().is_some());
}
