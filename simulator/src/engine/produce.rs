//! Making events and giving them to the sessions that want them.

use std::sync::Arc;

use super::{Engine, Sampler};
use crate::{
    payload::RawEvent,
    record::{Kind, NO_GUILD, Record},
    traffic::Scope,
    world::World,
};

/// How many events one connection may have made for it at once in full speed, lest the others wait.
const TOP_UP: u64 = 512;

impl Engine {
    /// Gives an event to every live session that covers its guild and wants its kind.
    pub(crate) fn publish(&mut self, world: &World, record: Record) -> u64 {
        self.publish_wanted(world, record, record.kind.intents())
    }

    fn publish_wanted(&mut self, world: &World, record: Record, needs: u64) -> u64 {
        let index = self.history.end();
        let (mut covered, mut taken) = (false, false);
        for (total, shards) in &self.routes {
            let shard = Self::shard_of(world, record.guild, *total);
            for &key in &shards[shard as usize] {
                covered = true;
                let session = &mut self.sessions[key];
                if needs == 0 || session.intents & needs != 0 {
                    taken = true;
                    session.push(index);
                    if !std::mem::replace(&mut session.dirty, true) {
                        self.dirty.push(key);
                    }
                }
            }
        }
        self.stats.missed += u64::from(!covered);
        self.stats.filtered += u64::from(covered && !taken);
        if taken {
            self.oracle.apply(&record);
        }
        // Messages that no session took are kept all the same, for the channels' history.
        if taken || record.kind.is_guild_message() || matches!(record.kind, Kind::Direct | Kind::Raw) {
            self.history.push(record);
        }
        if record.kind.is_guild_message() {
            self.channels.add(&record, index);
        }
        index
    }

    /// An event from outside.
    pub(crate) fn publish_raw(&mut self, world: &World, guild: Option<u32>, event: RawEvent) {
        let id = event.id.unwrap_or_else(|| self.clock.next_id());
        let needs = event.intents;
        self.raws.insert(self.history.end(), Arc::new(event));
        let record = Record {
            guild: guild.unwrap_or(NO_GUILD),
            ..Record::bare(Kind::Raw, id)
        };
        self.publish_wanted(world, record, needs);
        self.stats.generated += 1;
        self.wake_dirty();
    }

    /// An event from outside for one session alone.
    pub(crate) fn publish_raw_to(&mut self, key: usize, event: RawEvent) {
        let id = self.clock.next_id();
        self.raws.insert(self.history.end(), Arc::new(event));
        self.publish_to(key, Record::bare(Kind::Raw, id));
        self.wake_dirty();
    }

    /// An event of one session alone.
    pub(super) fn publish_to(&mut self, key: usize, record: Record) {
        let index = self.history.push(record);
        let session = &mut self.sessions[key];
        session.push(index);
        if !std::mem::replace(&mut session.dirty, true) {
            self.dirty.push(key);
        }
    }

    /// Wakes the connections whose sessions got something.
    pub(crate) fn wake_dirty(&mut self) {
        while let Some(key) = self.dirty.pop() {
            let session = &mut self.sessions[key];
            session.dirty = false;
            if let Some(handle) = session
                .connection
                .and_then(|connection| self.connections.get(&connection))
            {
                handle.wake.notify_one();
            }
        }
    }

    /// Wakes every connection, so that it asks for events at full speed.
    pub(crate) fn wake_all(&self) {
        self.connections
            .values()
            .for_each(|handle| handle.wake.notify_one());
    }

    /// Requests this number of additional events.
    pub(crate) fn add_pending(&mut self, events: u64) {
        self.pending += events;
    }

    /// Whether events were asked for that can be made now.
    pub(crate) fn can_generate(&self) -> bool {
        self.pending > 0 && self.opened_count > 0
    }

    /// Makes some of the events that were asked for.
    pub(crate) fn generate_pending(&mut self, world: &World, most: u64) {
        if !self.can_generate() {
            return;
        }
        let events = self.pending.min(most);
        let step_ms = self.gap_ms * self.clock.scale();
        for _ in 0..events {
            self.generate_anywhere(world, step_ms);
        }
        self.pending -= events;
        self.wake_dirty();
    }

    /// Makes events at the pace of the wall clock. Returns false while no shard has had a session.
    pub(crate) fn generate_following(&mut self, world: &World, events: u32) -> bool {
        if self.opened_count == 0 {
            return false;
        }
        if events > 0 {
            let step_ms = self.clock.steps(events);
            for _ in 0..events {
                self.generate_anywhere(world, step_ms);
            }
            self.wake_dirty();
        }
        true
    }

    /// Makes one event in any guild whose shard has had a session.
    fn generate_anywhere(&mut self, world: &World, step_ms: f64) {
        let Self {
            generator,
            clock,
            all_guilds,
            opened,
            opened_direct,
            ..
        } = self;
        let opened: &[bool] = opened;
        let scope = Scope {
            draw: &|rng| loop {
                let guild = all_guilds.1[all_guilds.0.draw(rng) as usize];
                if opened[guild as usize] {
                    return guild;
                }
            },
            admits: &|guild| opened[guild as usize],
            direct: *opened_direct,
        };
        let record = generator.next(world, clock, step_ms, &scope);
        self.stats.generated += 1;
        self.publish(world, record);
    }

    /// At full speed: makes events for one session's shard until it has enough to send.
    pub(super) fn top_up(&mut self, world: &World, key: usize) {
        let session = &self.sessions[key];
        let [shard, total] = session.shard;
        let wanted = self
            .rules
            .unsent_limit
            .saturating_sub(session.unsent())
            .min(TOP_UP);
        if wanted == 0 {
            return;
        }
        let sampler = self.sampler(world, shard, total);
        if sampler.1.is_empty() {
            return;
        }
        let step_ms = self.clock.steps(u32::try_from(wanted).unwrap_or(1));
        for _ in 0..wanted {
            let Self {
                generator,
                clock,
                opened_direct,
                ..
            } = self;
            let scope = Scope {
                draw: &|rng| sampler.1[sampler.0.draw(rng) as usize],
                admits: &|guild| Self::shard_of(world, guild, total) == shard,
                direct: *opened_direct && shard == 0,
            };
            let record = generator.next(world, clock, step_ms, &scope);
            self.stats.generated += 1;
            self.publish(world, record);
        }
        self.wake_dirty();
    }

    pub(super) fn sampler(&mut self, world: &World, shard: u32, total: u32) -> Arc<Sampler> {
        let sampler = self.of_shard.entry([shard, total]).or_insert_with(|| {
            Arc::new(world.guild_sampler(|guild| (guild.id() >> 22) % u64::from(total) == u64::from(shard)))
        });
        Arc::clone(sampler)
    }

    /// Forgets the oldest events when there are too many.
    pub(crate) fn trim(&mut self) {
        let before = self.history.start();
        self.history
            .forget_below(self.history.end().saturating_sub(self.rules.history_limit));
        let start = self.history.start();
        if start > before {
            self.raws = self.raws.split_off(&start);
            self.sessions.iter_mut().for_each(|session| session.trim(start));
            self.channels.trim(start);
        }
    }
}
