//! The lanes that this process is delivering, and the selection of the next ones.

use std::{collections::HashMap, time::Duration};

use rustc_hash::FxHashMap;
use tokio::time::Instant;
use twilight_model::id::{Id, marker::GuildMarker};

use crate::outbox::queue::claim::{Lane, Urgency, Wanted};

/// The share of the workers reserved for urgent lanes, and the share of the others that one guild may use.
const PART: usize = 8;

/// The lanes claimed by this process.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) lanes: Vec<Lane>,
    workers: usize,
    /// The last guild that had its turn; `None` to start with the first.
    after: Option<Id<GuildMarker>>,
    /// When the rate limit of a guild's bulk effects ends. Its bulk lanes are not claimed until then: each would only be released again.
    limited: FxHashMap<Id<GuildMarker>, Instant>,
}

impl Held {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            lanes: Vec::new(),
            workers,
            after: None,
            limited: HashMap::default(),
        }
    }

    /// Whether any lane can be claimed.
    pub(crate) fn has_room(&self) -> bool {
        self.lanes.len() < self.workers
    }

    /// The lanes to claim now.
    pub(crate) fn wanted(&mut self, lease: Duration, now: Instant) -> Wanted {
        self.limited.retain(|_, until| *until > now);
        let of_one_guild = (self.workers / PART).max(1);
        let mut by_guild: FxHashMap<Id<GuildMarker>, usize> = HashMap::default();
        let others = || self.lanes.iter().filter(|lane| lane.urgency != Urgency::Urgent);
        for lane in others() {
            *by_guild.entry(lane.guild_id).or_default() += 1;
        }
        let reserved = self.workers / PART;
        Wanted {
            urgent: self.workers.saturating_sub(self.lanes.len()),
            others: (self.workers - reserved)
                .saturating_sub(others().count())
                .min(self.workers.saturating_sub(self.lanes.len())),
            of_one_guild,
            busy: by_guild
                .into_iter()
                .filter(|(_, lanes)| *lanes >= of_one_guild)
                .map(|(guild_id, _)| guild_id)
                .collect(),
            limited: self.limited.keys().copied().collect(),
            after: self.after,
            lease,
        }
    }

    /// Record a claim, which determines whose turn is next. Returns whether nothing else is due.
    pub(crate) fn turn(&mut self, wanted: &Wanted, claimed: &[Lane]) -> bool {
        let others = || claimed.iter().filter(|lane| lane.urgency != Urgency::Urgent);
        if wanted.others == 0 {
            return true;
        }
        if others().count() >= wanted.others {
            self.after = others().map(|lane| lane.guild_id).max();
            return true;
        }
        self.after = None;
        wanted.after.is_none()
    }

    /// Record that a lane was released, with the duration of a rate limit, if any.
    pub(crate) fn give_back(&mut self, lane: &Lane, limited: Option<Duration>, now: Instant) {
        self.lanes.retain(|other| other != lane);
        if let Some(limited) = limited.filter(|_| lane.urgency == Urgency::Bulk) {
            self.limited.insert(lane.guild_id, now + limited);
        }
    }
}
