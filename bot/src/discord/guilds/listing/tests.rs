use serde_json::{from_value, json};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker},
};

use super::{Arc, Listing, Listings};

const GUILD: Id<GuildMarker> = Id::new(1);

#[test]
fn a_listing_has_discord_s_order_and_channels_for_messages_only() {
    let roles = json!([
        {"id": "1", "name": "@everyone", "position": 0},
        {"id": "2", "name": "low", "position": 1},
        {"id": "3", "name": "high", "position": 9},
    ]);
    let channels = json!([
        {"id": "10", "type": 4, "name": "second", "position": 2},
        {"id": "11", "type": 4, "name": "first", "position": 1},
        {"id": "12", "type": 0, "name": "below second", "position": 0, "parent_id": "10"},
        {"id": "13", "type": 5, "name": "below first", "position": 3, "parent_id": "11"},
        {"id": "14", "type": 0, "name": "alone", "position": 5, "parent_id": null},
        {"id": "15", "type": 2, "name": "voice", "position": 0},
        {"id": "16", "type": 0, "name": null, "position": 4, "parent_id": "11"},
    ]);
    let listing = Listing::of(GUILD, from_value(roles).unwrap(), from_value(channels).unwrap());
    let names = |names: Vec<&super::Name>| {
        names
            .iter()
            .map(|name| name.as_plain().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(listing.roles.iter().map(|(_, name)| name).collect()),
        ["high", "low"]
    );
    assert_eq!(
        names(listing.channels.iter().map(|(_, name)| name).collect()),
        ["alone", "below first", "16", "below second"]
    );
    let high: Id<RoleMarker> = Id::new(3);
    assert_eq!(listing.role(high).map(super::Name::as_plain), Some("high"));
    assert!(listing.channel(Id::new(15)).is_none());
    let voice = listing.any_channel(Id::new(15));
    assert_eq!(voice.map(super::Name::as_plain), Some("voice"));
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_kept_until_an_event_or_a_time() {
    let mut listings = Listings::default();
    listings.keep(GUILD, &Arc::default());
    listings.update(GUILD, "GUILD_MEMBER_UPDATE");
    assert!(listings.get(GUILD).is_some());
    for event in ["CHANNEL_UPDATE", "GUILD_ROLE_DELETE", "GUILD_CREATE"] {
        listings.keep(GUILD, &Arc::default());
        listings.update(GUILD, event);
        assert!(listings.get(GUILD).is_none(), "{event}");
    }
    listings.keep(GUILD, &Arc::default());
    tokio::time::advance(super::LASTS).await;
    assert!(listings.get(GUILD).is_none());
}
