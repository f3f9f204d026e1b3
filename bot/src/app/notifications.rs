//! The consequences of PostgreSQL's notifications.

use std::sync::Arc;

use tokio::{sync::Notify, time::Instant};
use twilight_model::id::{Id, marker::GuildMarker};

use crate::{postgres::Listener, settings::Settings};

/// Passes notifications on.
#[derive(Clone, Debug)]
pub struct Notifications {
    /// The settings, whose cache is updated.
    pub settings: Settings,
    /// Notified of changes in the fleet.
    pub fleet: Arc<Notify>,
    /// Notified of timers that were added or changed.
    pub timers: Arc<Notify>,
}

impl Listener for Notifications {
    fn settings_changed(&self, guild_id: Option<Id<GuildMarker>>) {
        match guild_id {
            Some(guild_id) => self.settings.forget(guild_id),
            None => self.settings.forget_all(),
        }
    }

    fn trusted_until(&self, until: Option<Instant>) {
        match until {
            Some(until) => self.settings.trust_until(until),
            None => self.settings.distrust(),
        }
    }

    fn fleet_changed(&self) {
        self.fleet.notify_one();
    }

    fn timers_changed(&self) {
        self.timers.notify_one();
    }
}
