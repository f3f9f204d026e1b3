//! A feature's part in a flush: what it keeps of events until the transaction that moves the checkpoints past them writes it.
//!
//! A feature gathers the changes of one shard in a [`Pending`], which hands them over as a [`Batch`]. The batches of several shards are
//! merged into one [`Part`], and the part writes them. Changes that are not merged by key only have to be a [`Change`].
//!
//! `pipeline/parts.rs` lists the parts. The writer runs them without knowing them: it keeps the order, the checkpoints, the effects, and
//! the changes that PostgreSQL rejects.

pub mod change;
pub mod erasure;
pub mod kept;
pub(crate) mod reaction;

use std::fmt::Debug;

use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{Id, marker::GuildMarker},
};

pub use self::{
    change::Change,
    kept::{Kept, SetAside},
};
use crate::{
    discord::events::{member_news::Coming, message_create::Unreadable},
    outbox::queue::NewEffect,
    postgres::{Store, StoreError, Tx},
    settings::Settings,
    support::ids::{MemberKey, Millis},
};

/// The transaction of a flush, as the parts see it. They run one after another, in the order in which rows are locked.
pub struct Flush<'a, 'tx> {
    /// The transaction.
    pub tx: &'a Tx<'tx>,
    /// The guilds' settings.
    pub settings: &'a Settings,
    /// Whether rows may be inserted by means that fail with a [unique violation](StoreError::is_unique_violation) if another transaction
    /// inserts one of them at the same time. The flush is repeated without these means then.
    pub may_collide: bool,
    /// For a change out of quarantine: when it was rejected.
    pub rejected_at: Option<Millis>,
    /// Members who came or left. The part that records arrivals sets it, for those after it.
    pub moved: Moved,
    /// The effects of the changes, which are added to the outbox after all parts.
    pub effects: Vec<NewEffect>,
    /// The number of rows written.
    pub rows: usize,
}

/// Members who came or left in a flush.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Members who joined, in key order.
    pub joined: Vec<MemberKey>,
    /// Members who left and are still gone, in key order.
    pub left: Vec<MemberKey>,
    /// Members who can take part from now on, after membership screening where there is one, in the order of the events.
    pub arrived: Vec<MemberKey>,
}

impl<'a, 'tx> Flush<'a, 'tx> {
    /// A flush in this transaction.
    pub fn new(tx: &'a Tx<'tx>, settings: &'a Settings) -> Self {
        Self {
            tx,
            settings,
            may_collide: false,
            rejected_at: None,
            moved: Moved::default(),
            effects: Vec::new(),
            rows: 0,
        }
    }
}

/// The changes of one shard that are not in a batch yet. All calls come from the shard's loop and must not wait.
///
/// A method for an event returns the number of bytes by which the changes grew.
pub trait Pending: Debug + Send {
    /// The changes that one flush takes.
    type Batch: Batch;

    /// A member joined, was admitted, or left.
    fn on_member(&mut self, _coming: &Coming) -> usize {
        0
    }

    /// A guild has the bot (again), or removed it.
    fn on_guild(&mut self, _guild_id: Id<GuildMarker>, _is_there: bool) -> usize {
        0
    }

    /// The events that it reads besides those above, with the intents that Discord requires:
    /// <https://docs.discord.com/developers/events/gateway#list-of-intents>.
    fn events() -> Vec<(EventType, Intents)> {
        Vec::new()
    }

    /// An event was received: one of [`events`](Self::events), or another one.
    ///
    /// # Errors
    ///
    /// It could not be parsed.
    fn on_event(&mut self, _event_type: &str, _text: &str) -> Result<usize, Unreadable> {
        Ok(0)
    }

    /// The number of changes, which is roughly the number of rows that the next flush writes.
    fn changes(&self) -> usize;

    /// Whether a member has changes here or in the batch in progress.
    fn concerns(&self, _key: &MemberKey) -> bool {
        false
    }

    /// Take all changes.
    fn take(&mut self) -> Self::Batch;

    /// The batch in progress has ended; if it was committed, with what its transaction found out. Returns the number of bytes freed.
    fn settle(&mut self, _learned: Vec<Learned<Self>>) -> usize {
        0
    }

    /// Drop all changes and caches: the shard belongs to another process now.
    fn forget(&mut self);
}

/// What the transaction of a batch finds out for the shard.
pub type Learned<P> = <<<P as Pending>::Batch as Batch>::Written as Written>::Learned;

/// The changes that one flush takes out of one shard.
pub trait Batch: Clone + Debug + Default + Send + Sync + 'static {
    /// The batches of several shards.
    type Part<'a>: Part<Written = Self::Written>;
    /// What writing them results in.
    type Written: Written;

    /// The kinds of its changes in quarantine, which are values of `quarantine.kind` and never change.
    const KINDS: &'static [&'static str];

    /// The number of changes.
    fn changes(&self) -> usize;

    /// Whether the batch must be [resolved](Self::resolve) before a lane receives it.
    fn is_open(&self) -> bool {
        false
    }

    /// Get what is missing from the database or from Discord. It happens in the shard's own task, for no more than a few seconds, so that
    /// batches of other shards continue.
    ///
    /// # Errors
    ///
    /// The database did not answer: to be repeated, since without the database nothing can be committed either.
    fn resolve(&mut self, _store: &Store) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// Read a change out of quarantine. `None` if it is not of this part, or cannot be read.
    fn read(kept: &Kept) -> Option<Self>;

    /// Add these changes to those of other shards; `index` is the number of this batch.
    fn add_to<'a>(&'a self, index: usize, part: &mut Self::Part<'a>);
}

/// The changes of a transaction. They can be divided, and each division can be written without the others.
pub trait Part: Clone + Default + Send + Sync {
    /// What writing them results in.
    type Written: Written;

    /// Bring the changes of all batches into the order in which they are written.
    fn sort(&mut self) {}

    /// The number of changes.
    fn changes(&self) -> usize;

    /// Keep up to `rest` changes, reduce `rest` by their number, and return the other changes.
    #[must_use]
    fn split(&mut self, rest: &mut usize) -> Self;

    /// The changes as data, for the quarantine.
    fn set_aside(&self) -> Vec<SetAside>;

    /// Write the changes.
    ///
    /// # Errors
    ///
    /// A statement failed: nothing of the transaction, or of the attempt within it, is kept.
    fn write(
        self,
        flush: &mut Flush<'_, '_>,
    ) -> impl Future<Output = Result<Self::Written, StoreError>> + Send;
}

/// What writing a part resulted in. It takes effect after the commit.
pub trait Written: Debug + Default + Send + 'static {
    /// What the shard that made a change has to know.
    type Learned: Clone + Debug + Send;

    /// Add the result of writing other changes of the same part.
    fn and(&mut self, later: Self);

    /// The transaction is committed: update metrics, and return what the shards have to know, each with the number of its batch.
    fn committed(self, store: &Store) -> Vec<(usize, Self::Learned)>;
}

impl Written for () {
    type Learned = ();

    fn and(&mut self, (): Self) {}

    fn committed(self, _store: &Store) -> Vec<(usize, Self::Learned)> {
        Vec::new()
    }
}

/// Keep up to `rest` items in place, reduce `rest` by their number, and return the other items.
pub fn split<T>(items: &mut Vec<T>, rest: &mut usize) -> Vec<T> {
    let kept = items.len().min(*rest);
    *rest -= kept;
    items.split_off(kept)
}
