use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use twilight_model::id::Id;

use super::{Cache, ENTRY_BYTES, HALF_BYTES, UNTRUSTED};
use crate::{config::Config, settings::GuildSettings};

fn settings() -> Arc<GuildSettings> {
    Arc::new(GuildSettings::of_nobody(&Config::defaults().levels))
}

#[test]
fn who_cannot_wait_goes_on_by_what_was_heard_of_last() {
    let now = Instant::now();
    let mut cache = Cache::default();
    cache.insert(Id::new(1), &settings(), 0, cache.generation(), now);
    cache.trust_until(now + UNTRUSTED * 10);
    assert!(cache.get(Id::new(1), now + UNTRUSTED * 5).is_some());
    cache.distrust();
    assert!(cache.get(Id::new(1), now + UNTRUSTED * 5).is_none(), "read again");
    assert!(cache.last_known(Id::new(1)).is_some());
    assert!(cache.last_known(Id::new(2)).is_none());
    cache.forget_all();
    assert!(
        cache.last_known(Id::new(1)).is_none(),
        "something may have changed"
    );
}

#[test]
fn what_was_read_before_a_change_was_heard_of_is_not_remembered() {
    let now = Instant::now();
    let mut cache = Cache::default();
    let before = cache.generation();
    cache.forget(Id::new(2));
    cache.insert(Id::new(1), &settings(), 0, before, now);
    assert!(cache.get(Id::new(1), now).is_none());
    cache.insert(Id::new(1), &settings(), 0, cache.generation(), now);
    assert!(cache.get(Id::new(1), now).is_some());
    cache.forget_all();
    assert!(cache.get(Id::new(1), now).is_none());
}

#[test]
fn nothing_is_served_for_long_while_nobody_listens() {
    let now = Instant::now();
    let mut cache = Cache::default();
    cache.insert(Id::new(1), &settings(), 0, cache.generation(), now);
    let moment = Duration::from_millis(1);
    assert!(cache.get(Id::new(1), now + UNTRUSTED - moment).is_some());
    assert!(cache.get(Id::new(1), now + UNTRUSTED).is_none());
    cache.trust_until(now + 2 * UNTRUSTED);
    assert!(cache.get(Id::new(1), now + 2 * UNTRUSTED - moment).is_some());
    assert!(cache.get(Id::new(1), now + 2 * UNTRUSTED).is_none());
    cache.trust_until(now + 3 * UNTRUSTED);
    cache.distrust();
    assert!(cache.get(Id::new(1), now + UNTRUSTED).is_none());
}

#[test]
fn it_is_bounded_and_keeps_what_is_asked_for() {
    let now = Instant::now();
    let mut cache = Cache::default();
    let settings = settings();
    let half = (HALF_BYTES / (ENTRY_BYTES + 1_000)) as u64;
    for guild in 1..=10 * half {
        cache.insert(Id::new(guild), &settings, 1_000, cache.generation(), now);
        assert!(
            cache.get(Id::new(1), now).is_some(),
            "asked for all the time: {guild}"
        );
        assert!(cache.young.bytes <= HALF_BYTES && cache.old.bytes <= HALF_BYTES);
    }
    let kept = (1..=10 * half)
        .filter(|guild| cache.get(Id::new(*guild), now).is_some())
        .count() as u64;
    assert!((half..=2 * half).contains(&kept), "{kept} of {half}");
    for guild in 1..=10 * half {
        cache.forget(Id::new(guild));
    }
    assert_eq!(
        (cache.young.bytes, cache.old.bytes),
        (0, 0),
        "every byte is given back"
    );
}
