//! Where channels stand: a thread under its channel, a channel in its category. Kept for as long as nothing changes there, since it
//! is asked for with messages.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker},
};

use crate::events::guild_news::GuildNews;

/// Channels that are kept in all, about 100 bytes each. Then it begins anew.
const MOST: usize = 200_000;

/// A channel, and what it stands under, the nearest first.
pub(super) type Place = Box<[Id<ChannelMarker>]>;

/// The places that are known.
#[derive(Debug, Default)]
pub(super) struct Places {
    guilds: HashMap<Id<GuildMarker>, InGuild, FxBuildHasher>,
    channels: usize,
    /// Raised whenever something changes.
    changes: u64,
}

#[derive(Debug, Default)]
struct InGuild {
    places: HashMap<Id<ChannelMarker>, Place, FxBuildHasher>,
    /// The last change.
    changed: u64,
}

impl Places {
    pub(super) fn get(&self, guild_id: Id<GuildMarker>, channel_id: Id<ChannelMarker>) -> Option<&Place> {
        self.guilds.get(&guild_id)?.places.get(&channel_id)
    }

    /// A place is about to be looked up: what to hand to [`Self::insert`].
    pub(super) fn begin(&mut self, guild_id: Id<GuildMarker>) -> u64 {
        self.guilds.entry(guild_id).or_default();
        self.changes
    }

    /// Keep what was looked up, unless something has changed since.
    pub(super) fn insert(&mut self, guild_id: Id<GuildMarker>, place: &[Id<ChannelMarker>], since: u64) {
        if self.channels >= MOST {
            *self = Self {
                // What is being looked up now is not kept.
                changes: self.changes + 1,
                ..Self::default()
            };
            return;
        }
        let Some(guild) = self
            .guilds
            .get_mut(&guild_id)
            .filter(|guild| guild.changed <= since)
        else {
            return;
        };
        if let Some(channel_id) = place.first()
            && guild.places.insert(*channel_id, place.into()).is_none()
        {
            self.channels += 1;
        }
    }

    /// Forget what an event may have changed.
    pub(super) fn hear(&mut self, news: &GuildNews<'_>) {
        let concerns_channels = matches!(
            news.event_type,
            "CHANNEL_UPDATE" | "CHANNEL_DELETE" | "THREAD_UPDATE" | "THREAD_DELETE" | "GUILD_DELETE"
        );
        if !concerns_channels {
            return;
        }
        self.changes += 1;
        if let Some(guild) = self.guilds.get_mut(&news.guild_id) {
            guild.changed = self.changes;
            self.channels -= guild.places.len();
            guild.places = HashMap::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{GuildNews, Places};

    fn news(event_type: &'static str) -> GuildNews<'static> {
        GuildNews {
            guild_id: Id::new(1),
            event_type,
            text: "",
        }
    }

    #[test]
    fn what_changed_while_it_was_looked_up_is_not_kept() {
        let mut places = Places::default();
        let place = [Id::new(5), Id::new(6)];
        let since = places.begin(Id::new(1));
        places.hear(&news("MESSAGE_CREATE"));
        places.insert(Id::new(1), &place, since);
        assert_eq!(places.get(Id::new(1), Id::new(5)), Some(&place.into()));
        let since = places.begin(Id::new(1));
        places.hear(&news("CHANNEL_UPDATE"));
        assert_eq!(places.get(Id::new(1), Id::new(5)), None);
        places.insert(Id::new(1), &place, since);
        assert_eq!(places.get(Id::new(1), Id::new(5)), None);
        assert_eq!(places.channels, 0);
    }
}
