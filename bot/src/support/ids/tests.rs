use twilight_model::id::{Id, marker::MessageMarker};

use super::{at_millis, from_db, made_at, millis, to_db, to_time};

/// The example in Discord's documentation: 175928847299117063 is 2016-04-30 11:18:25.796 UTC.
#[test]
fn time_of_the_documented_example() {
    assert_eq!(
        millis(Id::<MessageMarker>::new(175_928_847_299_117_063)),
        1_462_015_105_796
    );
}

#[test]
fn the_first_id_of_a_millisecond() {
    let id: Id<MessageMarker> = at_millis(1_462_015_105_796).expect("after Discord began");
    assert_eq!(millis(id), 1_462_015_105_796);
    assert!(id.get() <= 175_928_847_299_117_063);
    assert_eq!(millis(Id::<MessageMarker>::new(id.get() - 1)), 1_462_015_105_795);
    assert_eq!(at_millis::<MessageMarker>(0), None);
}

#[test]
fn a_made_id_has_its_time() {
    let id = made_at::<MessageMarker>(to_time(1_462_015_105_796));
    assert_eq!(millis(id), 1_462_015_105_796);
    assert_eq!(
        millis(made_at::<MessageMarker>(to_time(0))),
        millis(Id::<MessageMarker>::new(1 << 22))
    );
}

#[test]
fn casts_keep_every_bit() {
    for raw in [1, 175_928_847_299_117_063, u64::MAX] {
        let id = Id::<MessageMarker>::new(raw);
        assert_eq!(from_db(to_db(id)), Some(id));
    }
    assert_eq!(from_db::<MessageMarker>(0), None);
}
