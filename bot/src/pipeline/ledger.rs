//! The ledger gathers what the handlers changed, one per shard, until the writer takes it.
//!
//! Changes of one key are folded into one entry, so a flush writes a row once however many events touched it. The ledger is
//! taken whole together with the shard's sequence, which is what makes counting exact: a batch contains every event up to
//! its checkpoint and none after it.

pub mod gap;
pub mod memory;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use rustc_hash::{FxBuildHasher, FxHashSet};
use tokio::sync::oneshot;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker},
};

use self::{gap::GapChange, memory::Memory};
use crate::{
    discord::events::member_news::Coming,
    features::levels::{
        last_awards::LastAwards,
        pending::{self, MemberMessage, MemberRows},
    },
    pipeline::backfill::{self, Arrival, Backfill, HeldMessage, Span, Unread},
    support::ids::{self, MemberKey},
};

/// The changes of one shard that are not in a batch yet.
#[derive(Debug)]
pub struct Ledger {
    members: MemberRows,
    /// Those of the batch under way.
    taken: FxHashSet<MemberKey>,
    last_awards: LastAwards,
    gaps: Vec<GapChange>,
    /// Who has come, in the order of the events, and who has left.
    coming: Vec<Coming>,
    left: HashSet<MemberKey, FxBuildHasher>,
    /// Guilds that have the bot (again), or removed it.
    guilds: HashMap<Id<GuildMarker>, bool, FxBuildHasher>,
    /// What is read back, and what waits for it.
    pub backfill: Backfill,
    /// Who waits until what was received so far is committed.
    waiting: Vec<oneshot::Sender<()>>,
    memory: Arc<Memory>,
    /// What this ledger has charged to `memory` for its entries.
    charged: usize,
    /// And for the messages that wait.
    charged_for_held: usize,
}

/// What a batch takes out of the ledger.
#[derive(Debug, Default)]
pub struct Changes {
    /// Members whose messages are to be counted, unsorted.
    pub members: Vec<(MemberKey, pending::Pending)>,
    /// What was missed.
    pub gaps: Vec<GapChange>,
    /// Who has come, in the order of the events.
    pub coming: Vec<Coming>,
    /// Who has left, and has not come back or written since.
    pub left: Vec<MemberKey>,
    /// Guilds that have the bot (again): true; or that removed it.
    pub guilds: Vec<(Id<GuildMarker>, bool)>,
    /// What was read back and what waits for it.
    pub backfill: Vec<backfill::Change>,
    /// Bytes that these changes hold of the process's budget until they are committed.
    pub bytes: usize,
}

impl Ledger {
    /// An empty ledger that draws on the process's `memory`, and remembers the last awards of about `cache_entries` members.
    pub fn new(memory: Arc<Memory>, cache_entries: usize) -> Self {
        Self {
            members: MemberRows::default(),
            taken: FxHashSet::default(),
            last_awards: LastAwards::new(cache_entries),
            gaps: Vec::new(),
            coming: Vec::new(),
            left: HashSet::default(),
            guilds: HashMap::default(),
            backfill: Backfill::default(),
            waiting: Vec::new(),
            memory,
            charged: 0,
            charged_for_held: 0,
        }
    }

    /// Take up what an earlier process saw and left to be read.
    pub fn take_up(
        &mut self,
        newest: Option<Id<MessageMarker>>,
        channels: Vec<(Id<GuildMarker>, Option<Id<ChannelMarker>>, Span)>,
        held: impl Iterator<Item = (HeldMessage, MemberMessage)>,
    ) {
        self.backfill.restore(newest, channels, held);
        self.weigh();
    }

    /// What becomes ready when everything that is in the ledger, or was taken out of it, is committed. It is an error instead when the
    /// shard ends before that.
    pub fn committed(&mut self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.push(sender);
        receiver
    }

    /// Whether a member has messages that are not committed.
    pub fn is_pending(&self, key: &MemberKey) -> bool {
        self.members.contains(key) || self.taken.contains(key)
    }

    /// Whether somebody waits for what is in the ledger to be committed.
    pub fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Who waits for the changes that are being taken.
    pub fn take_waiting(&mut self) -> Vec<oneshot::Sender<()>> {
        std::mem::take(&mut self.waiting)
    }

    /// Count a member's message that came from the gateway, unless it waits or was read back before.
    pub fn message(&mut self, id: Id<MessageMarker>, key: MemberKey, message: MemberMessage) {
        let held = HeldMessage {
            guild_id: key.guild_id,
            id,
            channel_id: message.channel_id,
            user_id: key.user_id,
            only_read: false,
        };
        match self.backfill.arrived(held, &message) {
            Arrival::Counts => self.member_message(key, message),
            Arrival::Held => self.weigh(),
            Arrival::ReadBefore => {}
        }
    }

    /// Count a guild's messages that were read back up to `through`, in the order of their ids, with those that waited for them.
    pub fn read_back(
        &mut self,
        guild_id: Id<GuildMarker>,
        through: Id<MessageMarker>,
        messages: impl Iterator<Item = (Id<MessageMarker>, MemberKey, MemberMessage)>,
    ) {
        let messages = messages.map(|(id, key, message)| (id, key.user_id, message));
        self.with_backfill(|backfill, count| {
            backfill.read(guild_id, through, messages, |user_id, message| {
                count(MemberKey { guild_id, user_id }, message);
            });
        });
    }

    /// Let messages wait that were read, and lie above the last ones that were known of their channels.
    pub fn read_beyond(
        &mut self,
        guild_id: Id<GuildMarker>,
        until: Id<MessageMarker>,
        messages: impl Iterator<Item = (HeldMessage, MemberMessage)>,
    ) {
        self.backfill.read_beyond(guild_id, until, messages);
        self.weigh();
    }

    /// Count what waited in the guilds that are read back: everything that came before has been received.
    pub fn release(&mut self) {
        self.with_backfill(|backfill, count| {
            backfill.release(|guild_id, user_id, message| {
                count(MemberKey { guild_id, user_id }, message);
            });
        });
    }

    /// Count what waited so far in the guilds that are read back, for the memory that it takes.
    pub fn relieve(&mut self) {
        self.with_backfill(|backfill, count| {
            backfill.relieve(|guild_id, user_id, message| {
                count(MemberKey { guild_id, user_id }, message);
            });
        });
    }

    /// Leave what is not read back unread, and count what waited.
    pub fn give_up(&mut self, why: Unread) {
        self.with_backfill(|backfill, count| {
            backfill.give_up(why, |guild_id, user_id, message| {
                count(MemberKey { guild_id, user_id }, message);
            });
        });
    }

    /// Let the backfill count.
    fn with_backfill(&mut self, work: impl FnOnce(&mut Backfill, &mut dyn FnMut(MemberKey, MemberMessage))) {
        let mut backfill = std::mem::take(&mut self.backfill);
        work(&mut backfill, &mut |key, message| {
            self.member_message(key, message);
        });
        self.backfill = backfill;
        self.weigh();
    }

    /// Charge for the messages that wait.
    fn weigh(&mut self) {
        let bytes = self.backfill.bytes();
        if bytes >= self.charged_for_held {
            self.memory.charge(bytes - self.charged_for_held);
        } else {
            self.memory.release(self.charged_for_held - bytes);
        }
        self.charged_for_held = bytes;
    }

    /// Count a member's message.
    pub fn member_message(&mut self, key: MemberKey, message: MemberMessage) {
        if !self.left.is_empty() {
            // Back before it was written down that they had gone.
            self.left.remove(&key);
        }
        let grown = self.members.apply(key, message, &self.last_awards);
        if grown > 0 {
            self.charged += grown;
            self.memory.charge(grown);
        }
    }

    /// Note that somebody comes.
    pub fn coming(&mut self, mut coming: Coming) {
        self.left.remove(&coming.key);
        coming.times.seen_at = self.backfill.newest().map(ids::millis);
        self.coming.push(coming);
        self.charge(size_of::<Coming>());
    }

    /// Note that somebody has left.
    pub fn left(&mut self, key: MemberKey) {
        if self.left.insert(key) {
            self.charge(size_of::<MemberKey>());
        }
    }

    /// Note that a guild has the bot, or that it removed it.
    pub fn guild(&mut self, guild_id: Id<GuildMarker>, is_there: bool) {
        if self.guilds.insert(guild_id, is_there).is_none() {
            self.charge(size_of::<(Id<GuildMarker>, bool)>());
        }
    }

    fn charge(&mut self, bytes: usize) {
        self.charged += bytes;
        self.memory.charge(bytes);
    }

    /// Note what was missed.
    pub fn gap(&mut self, change: GapChange) {
        self.gaps.push(change);
    }

    /// Rows that the next flush would write.
    pub fn rows(&self) -> usize {
        self.members.len() + self.coming.len() + self.left.len() + self.guilds.len() + self.backfill.rows()
    }

    /// Bytes that the entries hold.
    pub const fn bytes(&self) -> usize {
        self.charged
    }

    /// Take everything out. The charge for it goes along, and is given back by [`Ledger::settle`].
    pub fn take(&mut self) -> Changes {
        let members = self.members.take(&mut self.last_awards);
        self.taken.extend(members.iter().map(|(key, _)| *key));
        Changes {
            members,
            gaps: std::mem::take(&mut self.gaps),
            coming: std::mem::take(&mut self.coming),
            left: std::mem::take(&mut self.left).into_iter().collect(),
            guilds: std::mem::take(&mut self.guilds).into_iter().collect(),
            backfill: self.backfill.take(),
            bytes: std::mem::take(&mut self.charged),
        }
    }

    /// A batch was committed: give its memory back, and learn the last awards that its transaction had to read.
    pub fn settle(&mut self, bytes: usize, learned: &[(MemberKey, pending::LastAward)]) {
        self.memory.release(bytes);
        // A table that was grown by an outage is given back.
        self.taken = FxHashSet::default();
        for (key, last_award) in learned {
            let shrunk = self.members.learn(key, *last_award);
            match shrunk {
                Some(bytes) => {
                    self.charged = self.charged.saturating_sub(bytes);
                    self.memory.release(bytes);
                }
                None => self.last_awards.remember(*key, *last_award),
            }
        }
    }

    /// Forget what is pending and what is remembered: the shard belongs to another process now, and its events will be
    /// replayed there. Returns how many rows were dropped.
    pub fn forget(&mut self) -> usize {
        let rows = self.rows();
        self.memory.release(std::mem::take(&mut self.charged));
        self.members = MemberRows::default();
        self.last_awards.clear();
        self.gaps.clear();
        self.coming.clear();
        self.left.clear();
        self.guilds.clear();
        self.backfill.forget();
        self.weigh();
        rows
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.memory.release(self.charged + self.charged_for_held);
    }
}
