//! The members of one shard who sent messages, until a flush writes their rows.

use super::{
    last_awards::LastAwards,
    pending::{self, LastAward, MemberMessage, MemberRows},
    policy::{self, XpPolicy},
    writing::{Entries, Flushed},
};
use crate::{
    flush::{Batch, Kept, Pending},
    postgres::{Store, StoreError},
    support::ids::MemberKey,
};

/// The number of members for which the list of a batch keeps its memory. It is larger only after an outage.
const KEPT_ROOM: usize = 16_384;

/// The pending changes of a shard's members.
#[derive(Debug)]
pub struct Members {
    rows: MemberRows,
    /// The members in the current batch. A list, since a flush adds to it for each row, and only interactions search it.
    taken: Vec<MemberKey>,
    last_awards: LastAwards,
    policy: XpPolicy,
}

/// The changes that one flush takes out.
#[derive(Clone, Debug, Default)]
pub struct MemberBatch {
    /// Members with counted messages, unsorted.
    pub entries: Vec<(MemberKey, pending::Pending)>,
    /// What decides the messages that are undecided, if there are any.
    undecided: Option<XpPolicy>,
}

impl Members {
    /// No changes. The last awards of about `cache_entries` members are cached; `policy` decides what the shard's loop leaves undecided.
    pub fn new(cache_entries: usize, policy: XpPolicy) -> Self {
        Self {
            rows: MemberRows::default(),
            taken: Vec::new(),
            last_awards: LastAwards::new(cache_entries),
            policy,
        }
    }

    /// Count a message. Returns the number of bytes by which the changes grew.
    pub fn count(&mut self, key: MemberKey, message: MemberMessage) -> usize {
        self.rows.apply(key, message, &self.last_awards)
    }
}

impl Pending for Members {
    type Batch = MemberBatch;

    fn changes(&self) -> usize {
        self.rows.len()
    }

    fn concerns(&self, key: &MemberKey) -> bool {
        self.rows.contains(key) || self.taken.contains(key)
    }

    fn take(&mut self) -> MemberBatch {
        let mut entries = self.rows.take(&mut self.last_awards);
        self.taken.extend(entries.iter().map(|(key, _)| *key));
        let mut pending = entries.iter_mut().map(|(_, pending)| pending);
        let is_open = pending.any(|pending| pending.undecided().next().is_some());
        MemberBatch {
            entries,
            undecided: is_open.then(|| self.policy.clone()),
        }
    }

    /// Cache the last awards that the transaction had to read.
    fn settle(&mut self, learned: Vec<(MemberKey, LastAward)>) -> usize {
        self.taken.clear();
        self.taken.shrink_to(KEPT_ROOM);
        let mut freed = 0;
        for (key, last_award) in learned {
            match self.rows.learn(&key, last_award) {
                Some(bytes) => freed += bytes,
                None => self.last_awards.remember(key, last_award),
            }
        }
        freed
    }

    fn forget(&mut self) {
        self.rows = MemberRows::default();
        self.last_awards.clear();
    }
}

impl Batch for MemberBatch {
    type Part<'a> = Entries<'a>;
    type Written = Flushed;

    const KINDS: &'static [&'static str] = &[Entries::KIND];

    fn changes(&self) -> usize {
        self.entries.len()
    }

    fn is_open(&self) -> bool {
        self.undecided.is_some()
    }

    async fn resolve(&mut self, store: &Store) -> Result<(), StoreError> {
        if let Some(policy) = &self.undecided {
            let mut open = policy::open(self.entries.iter_mut());
            policy.resolve(store, &mut open).await?;
            self.undecided = None;
        }
        Ok(())
    }

    fn read(kept: &Kept) -> Option<Self> {
        if kept.kind != Entries::KIND {
            return None;
        }
        Some(Self {
            entries: vec![(kept.key()?, kept.body()?)],
            undecided: None,
        })
    }

    fn add_to<'a>(&'a self, index: usize, part: &mut Entries<'a>) {
        part.add(index, &self.entries);
    }
}
