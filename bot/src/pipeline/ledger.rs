//! The ledger gathers the changes made by the handlers, one ledger per shard, until the writer takes them.
//!
//! Changes of the same key are merged into one entry, so a flush writes a row once however many events affected it. The ledger is taken as
//! a whole together with the shard's sequence, which makes counting exact: a batch contains every event up to its checkpoint and none after
//! it.

pub mod gap;
pub mod memory;

use std::sync::Arc;

use tokio::sync::oneshot;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker},
};

use self::{gap::GapChange, memory::Memory};
use crate::{
    discord::events::{member_news::Coming, message_create::Unreadable},
    features::levels::pending::MemberMessage,
    interactions::commit::{Commit, FlushRequest},
    pipeline::{
        backfill::{self, Arrival, Backfill, HeldMessage, Span, Unread},
        parts::{Batch, Learned, Pending},
    },
    support::ids::{self, MemberKey},
};

/// At each multiple of this number of waiters, those who do not wait any more are removed.
const MANY_WAITING: usize = 256;

/// The changes of one shard that are not in a batch yet.
#[derive(Debug)]
pub struct Ledger {
    pending: Pending,
    gaps: Vec<GapChange>,
    /// The messages read by backfill, and the messages that wait for them.
    pub backfill: Backfill,
    /// Waiters for the commit of everything received so far.
    waiting: Vec<oneshot::Sender<()>>,
    /// By which one of them requests an early flush.
    pub flush_request: Arc<FlushRequest>,
    memory: Arc<Memory>,
    /// The bytes charged to `memory` for the entries.
    charged: usize,
    /// The bytes charged for the waiting messages.
    charged_for_held: usize,
    /// The bytes charged for the batch in progress.
    charged_for_batch: usize,
}

/// The changes that a batch takes out of the ledger.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The changes of features.
    pub parts: Batch,
    /// Gaps that began or ended.
    pub gaps: Vec<GapChange>,
    /// Messages read by backfill and messages that waited for it.
    pub backfill: Vec<backfill::Change>,
    /// The part of the process's memory budget that these changes hold until they are committed.
    pub bytes: usize,
}

impl Ledger {
    /// An empty ledger that charges the process's `memory`.
    pub fn new(memory: Arc<Memory>, pending: Pending) -> Self {
        Self {
            pending,
            gaps: Vec::new(),
            backfill: Backfill::default(),
            waiting: Vec::new(),
            flush_request: Arc::default(),
            memory,
            charged: 0,
            charged_for_held: 0,
            charged_for_batch: 0,
        }
    }

    /// Adopt what an earlier process recorded and left for backfill.
    pub fn take_up(
        &mut self,
        newest: Option<Id<MessageMarker>>,
        channels: Vec<(Id<GuildMarker>, Option<Id<ChannelMarker>>, Span)>,
        held: impl Iterator<Item = (HeldMessage, MemberMessage)>,
    ) {
        self.backfill.restore(newest, channels, held);
        self.weigh();
    }

    /// The commit of everything in the ledger, or taken out of it.
    pub fn committed(&mut self) -> Commit {
        // While the database is away, those who have given up would pile up.
        if self.waiting.len().is_multiple_of(MANY_WAITING) {
            self.waiting.retain(|sender| !sender.is_closed());
        }
        let (sender, commit) = Commit::pending(&self.flush_request);
        self.waiting.push(sender);
        commit
    }

    /// Whether a member has uncommitted messages.
    pub fn is_pending(&self, key: &MemberKey) -> bool {
        self.pending.concerns(key)
    }

    /// Those who wait, or may, for the changes that are being taken.
    pub fn take_waiting(&mut self) -> Vec<oneshot::Sender<()>> {
        std::mem::take(&mut self.waiting)
    }

    /// Count a member's message from the gateway, unless it must wait for backfill or was already counted by it.
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

    /// Count a guild's messages read by backfill up to `through`, in the order of their IDs, together with those that waited for them.
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

    /// Hold back messages that were read above the last known message of their channels.
    pub fn read_beyond(
        &mut self,
        guild_id: Id<GuildMarker>,
        until: Id<MessageMarker>,
        messages: impl Iterator<Item = (HeldMessage, MemberMessage)>,
    ) {
        self.backfill.read_beyond(guild_id, until, messages);
        self.weigh();
    }

    /// Count the messages that waited in guilds under backfill: everything before them has been received.
    pub fn release(&mut self) {
        self.with_backfill(|backfill, count| {
            backfill.release(|guild_id, user_id, message| {
                count(MemberKey { guild_id, user_id }, message);
            });
        });
    }

    /// Count the messages that have waited so far in guilds under backfill, to free their memory.
    pub fn relieve(&mut self) {
        self.with_backfill(|backfill, count| {
            backfill.relieve(|guild_id, user_id, message| {
                count(MemberKey { guild_id, user_id }, message);
            });
        });
    }

    /// Abandon the rest of the backfill, and count the messages that waited.
    pub fn give_up(&mut self, why: Unread) {
        self.with_backfill(|backfill, count| {
            backfill.give_up(why, |guild_id, user_id, message| {
                count(MemberKey { guild_id, user_id }, message);
            });
        });
    }

    /// Let the backfill count messages.
    fn with_backfill(&mut self, work: impl FnOnce(&mut Backfill, &mut dyn FnMut(MemberKey, MemberMessage))) {
        let mut backfill = std::mem::take(&mut self.backfill);
        work(&mut backfill, &mut |key, message| {
            self.member_message(key, message);
        });
        self.backfill = backfill;
        self.weigh();
    }

    /// Update the memory charge for waiting messages.
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
        self.pending.moves.saw(&key);
        let (guild_id, channel_id, at) = (key.guild_id, message.channel_id, message.at);
        let grown = self.pending.members.count(key, message)
            + self.pending.statistics.message(guild_id, channel_id, at);
        if grown > 0 {
            self.charge(grown);
        }
    }

    /// Record that a member joined, was admitted, or left.
    pub fn member(&mut self, mut coming: Coming) {
        coming.times.seen_at = self.backfill.newest().map(ids::millis);
        let grown = self.pending.on_member(&coming);
        self.charge(grown);
    }

    /// Record that a member left, apart from what follows for the member: a ban that ends a membership is another event.
    pub fn departure(&mut self, guild_id: Id<GuildMarker>) {
        if let Some(newest) = self.backfill.newest() {
            self.change(|parts| parts.statistics.departure(guild_id, ids::millis(newest)));
        }
    }

    /// Make a change that one feature knows. It returns the number of bytes by which its changes grew.
    pub fn change(&mut self, change: impl FnOnce(&mut Pending) -> usize) {
        let grown = change(&mut self.pending);
        self.charge(grown);
    }

    /// Pass an event to the features that read it.
    ///
    /// # Errors
    ///
    /// It could not be parsed.
    pub fn event(&mut self, event_type: &str, text: &str) -> Result<(), Unreadable> {
        let grown = self.pending.on_event(event_type, text)?;
        self.charge(grown);
        Ok(())
    }

    /// Record that a guild has the bot, or that it removed it.
    pub fn guild(&mut self, guild_id: Id<GuildMarker>, is_there: bool) {
        let grown = self.pending.on_guild(guild_id, is_there);
        self.charge(grown);
    }

    fn charge(&mut self, bytes: usize) {
        self.charged += bytes;
        self.memory.charge(bytes);
    }

    /// Record a gap or its end.
    pub fn gap(&mut self, change: GapChange) {
        self.gaps.push(change);
    }

    /// The number of rows that the next flush would write.
    pub fn rows(&self) -> usize {
        self.pending.changes() + self.backfill.rows()
    }

    /// The memory used by the entries, in bytes.
    pub const fn bytes(&self) -> usize {
        self.charged
    }

    /// Take all changes. Their memory charge goes along, and is returned by [`Ledger::settle`].
    pub fn take(&mut self) -> Changes {
        let bytes = std::mem::take(&mut self.charged);
        self.charged_for_batch += bytes;
        Changes {
            parts: self.pending.take(),
            gaps: std::mem::take(&mut self.gaps),
            backfill: self.backfill.take(),
            bytes,
        }
    }

    /// After a batch has ended: return its memory, and use what its transaction found out.
    pub fn settle(&mut self, bytes: usize, learned: Learned) {
        let freed = self.pending.settle(learned);
        self.charged = self.charged.saturating_sub(freed);
        self.charged_for_batch = self.charged_for_batch.saturating_sub(bytes);
        self.memory.release(bytes + freed);
    }

    /// Drop pending changes and caches: the shard belongs to another process now, where its events are replayed. Returns the number of rows
    /// dropped.
    pub fn forget(&mut self) -> usize {
        let rows = self.rows();
        self.memory.release(std::mem::take(&mut self.charged));
        self.pending.forget();
        self.gaps.clear();
        self.backfill.forget();
        self.weigh();
        rows
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // A shard that another process has taken is dropped with its batch in progress.
        self.memory
            .release(self.charged + self.charged_for_held + self.charged_for_batch);
    }
}
