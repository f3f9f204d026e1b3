use serde_json::json;
use twilight_model::id::{Id, marker::ChannelMarker};

use super::{GuildNews, MOST, Places, ShardKey, Standing};

fn update(places: &mut Places, event_type: &str, id: u64, parent: Option<u64>) {
    let parent = parent.map(|id| id.to_string());
    let text = json!({"t": event_type, "d": {"id": id.to_string(), "guild_id": "1", "parent_id": parent}});
    places.update(&GuildNews {
        guild_id: Id::new(1),
        event_type,
        text: &text.to_string(),
    });
}

fn standing(id: u64, parent: Option<u64>) -> Standing {
    Standing {
        id: Id::new(id),
        parent_id: parent.map(Id::new),
    }
}

fn place(places: &Places, id: u64) -> Option<Vec<u64>> {
    let place = places.get(Id::new(1), Id::new(id))?;
    Some(place.iter().map(|id: &Id<ChannelMarker>| id.get()).collect())
}

fn read() -> Places {
    let mut places = Places::default();
    let since = places.begin(Id::new(1));
    let channels = [standing(4, None), standing(5, Some(4)), standing(6, None)];
    places.insert(Id::new(1), channels, true, since);
    places
}

#[test]
fn threads_stand_in_channels_and_these_in_categories() {
    let mut places = read();
    assert!(places.is_read(Id::new(1)));
    assert_eq!(place(&places, 5), Some(vec![5, 4]));
    assert_eq!(place(&places, 6), Some(vec![6]));
    assert_eq!(place(&places, 7), None);
    update(&mut places, "THREAD_CREATE", 7, Some(5));
    assert_eq!(place(&places, 7), Some(vec![7, 5, 4]));
    update(&mut places, "CHANNEL_UPDATE", 5, None);
    assert_eq!(place(&places, 7), Some(vec![7, 5]), "it moved with its channel");
    update(&mut places, "THREAD_DELETE", 7, Some(5));
    assert_eq!(place(&places, 7), None);
    update(&mut places, "CHANNEL_CREATE", 8, Some(4));
    assert_eq!(place(&places, 8), Some(vec![8, 4]));
    assert_eq!(places.channels, 4);
    update(&mut places, "GUILD_CREATE", 1, None);
    assert_eq!((place(&places, 8), places.channels), (None, 0));
    assert!(!places.is_read(Id::new(1)));
}

#[test]
fn the_guilds_of_a_shard_are_forgotten() {
    let mut places = read();
    let other = Id::new(1 << 22);
    let since = places.begin(other);
    places.insert(other, [standing(9, None)], true, since);
    let since = places.begin(Id::new(1));
    places.forget_shard(ShardKey { count: 2, id: 0 });
    places.insert(Id::new(1), [standing(4, None)], true, since);
    assert_eq!((place(&places, 4), places.channels), (None, 1));
    assert!(places.is_read(other));
}

#[test]
fn what_changed_while_it_was_looked_up_is_not_kept() {
    let mut places = Places::default();
    let since = places.begin(Id::new(1));
    update(&mut places, "MESSAGE_CREATE", 1, None);
    places.insert(Id::new(1), [standing(5, Some(6))], false, since);
    assert_eq!(place(&places, 5), Some(vec![5, 6]));
    let since = places.begin(Id::new(1));
    update(&mut places, "CHANNEL_UPDATE", 9, None);
    places.insert(Id::new(1), [standing(7, None)], true, since);
    assert_eq!(place(&places, 7), None);
    assert!(!places.is_read(Id::new(1)));
}

#[test]
fn an_event_that_cannot_be_read_leaves_nothing_that_may_be_wrong() {
    let mut places = read();
    places.update(&GuildNews {
        guild_id: Id::new(1),
        event_type: "CHANNEL_UPDATE",
        text: "{}",
    });
    assert_eq!((place(&places, 5), places.channels), (None, 0));
}

#[test]
fn it_is_bounded() {
    let mut places = read();
    let since = places.begin(Id::new(2));
    let many = (10..).take(MOST).map(|id| standing(id, None));
    places.insert(Id::new(2), many, true, since);
    assert_eq!((places.channels, place(&places, 5)), (0, None));
    assert!(!places.is_read(Id::new(2)));
}
