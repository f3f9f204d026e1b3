//! Discord, the processes that own its shards, and what they should have written.

use std::sync::Arc;

use eventide::{
    features::levels::{
        pending::{Earns, MemberDelta, MemberMessage},
        rules::week::{begin_of, week_of},
    },
    pipeline::{
        ledger::{Changes, Ledger, memory::Memory},
        parts::Learned,
        rows::shard_checkpoint::{Advance, Fence, SessionPoint},
        writer::Outcome,
    },
    support::ids::{MemberKey, ShardKey},
};
use proptest::{prelude::*, test_runner::TestCaseError};
use twilight_model::id::Id;

use super::{
    Fate, SHARDS, Step,
    databases::{Database, Rows},
};
use crate::support::ledger::ledger;

/// A message, relative to the one before in its shard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) member: u64,
    pub(super) after: i64,
    pub(super) xp: u32,
    pub(super) cooldown: i64,
}

/// Remembers fewer members than there are, so that some have to be read.
const REMEMBERED: usize = 4;

/// Discord's side of a shard, with its current and earlier owners.
struct Shard {
    key: ShardKey,
    /// Every event of the session; the first has the sequence 1.
    events: Vec<(MemberKey, MemberMessage)>,
    owner: Owner,
    before: Vec<Owner>,
}

/// A process, as far as it concerns one shard.
struct Owner {
    memory: Arc<Memory>,
    ledger: Ledger,
    fence: Fence,
    revision: i64,
    sequence: u64,
    dirty: bool,
    under_way: Option<Arc<Vec<(Advance, Changes)>>>,
}

/// All shards.
pub(super) struct World {
    shards: Vec<Shard>,
}

impl Owner {
    /// Take the shard, and replay what is not committed.
    async fn take(
        database: &mut impl Database,
        key: ShardKey,
        events: &[(MemberKey, MemberMessage)],
    ) -> Self {
        let taken = database.take(key).await;
        let memory = Arc::new(Memory::new(1 << 20));
        let mut owner = Self {
            ledger: ledger(&memory, REMEMBERED),
            memory,
            fence: taken.fence,
            revision: taken.revision,
            sequence: taken.session.map_or(0, |session| session.sequence),
            dirty: false,
            under_way: None,
        };
        let committed = usize::try_from(owner.sequence).expect("few");
        for event in &events[committed..] {
            owner.receive(event.clone());
        }
        owner
    }

    fn receive(&mut self, (key, message): (MemberKey, MemberMessage)) {
        self.ledger.member_message(key, message);
        self.sequence += 1;
        self.dirty = true;
    }

    /// The batch in progress, or else the collected changes.
    fn batch(&mut self, key: ShardKey) -> Option<Arc<Vec<(Advance, Changes)>>> {
        if self.under_way.is_none() && self.dirty {
            let advance = Advance {
                shard: key,
                fence: self.fence,
                revision: self.revision + 1,
                session: Some(SessionPoint {
                    session_id: "session".to_owned(),
                    resume_url: None,
                    sequence: self.sequence,
                }),
                last_message_id: None,
            };
            self.under_way = Some(Arc::new(vec![(advance, self.ledger.take())]));
            self.dirty = false;
        }
        self.under_way.clone()
    }

    /// As the shard's task does.
    fn settle(&mut self, outcome: &Outcome) {
        let bytes = self.under_way.take().expect("a batch")[0].1.bytes;
        match outcome {
            Outcome::Committed { learned } => {
                self.revision += 1;
                self.ledger.settle(bytes, learned.clone());
            }
            Outcome::Fenced => {
                self.ledger.settle(bytes, Learned::default());
                self.ledger.forget();
                self.dirty = false;
            }
        }
    }
}

impl World {
    pub(super) async fn new(database: &mut impl Database) -> Self {
        let mut shards = Vec::new();
        for id in 0..SHARDS {
            let key = ShardKey { count: SHARDS, id };
            shards.push(Shard {
                key,
                events: Vec::new(),
                owner: Owner::take(database, key, &[]).await,
                before: Vec::new(),
            });
        }
        Self { shards }
    }

    pub(super) async fn play(&mut self, database: &mut impl Database, step: &Step) {
        match step {
            Step::Message { shard, said } => {
                let shard = self.shard(*shard);
                let event = shard.event(*said);
                shard.events.push(event.clone());
                shard.owner.receive(event);
            }
            Step::Flush { shards, fate } => self.flush(database, shards, *fate).await,
            Step::Restart => {
                for shard in &mut self.shards {
                    shard.owner = Owner::take(database, shard.key, &shard.events).await;
                    shard.before.clear();
                }
            }
            Step::Move { shard } => {
                let shard = self.shard(*shard);
                let owner = Owner::take(database, shard.key, &shard.events).await;
                shard.before.push(std::mem::replace(&mut shard.owner, owner));
            }
            Step::Late { shard, fate } => {
                let shard = self.shard(*shard);
                for owner in &mut shard.before {
                    let Some(batch) = owner.batch(shard.key) else {
                        continue;
                    };
                    if let Some(outcomes) = database.flush(batch, *fate).await {
                        assert!(matches!(outcomes[..], [Outcome::Fenced]), "{outcomes:?}");
                        owner.settle(&outcomes[0]);
                        assert_eq!((owner.ledger.rows(), owner.memory.used()), (0, 0));
                    }
                }
            }
        }
    }

    fn shard(&mut self, id: u32) -> &mut Shard {
        &mut self.shards[id as usize]
    }

    /// The batches of several shards in one transaction.
    async fn flush(&mut self, database: &mut impl Database, shards: &[u32], fate: Fate) {
        let mut work = Vec::new();
        let mut flushed = Vec::new();
        for id in shards {
            let shard = self.shard(*id);
            if let Some(batch) = shard.owner.batch(shard.key) {
                let (advance, changes) = &batch[0];
                // A batch is retried unchanged.
                work.push((advance.clone(), changes.clone()));
                flushed.push(*id);
            }
        }
        if work.is_empty() {
            return;
        }
        if let Some(outcomes) = database.flush(Arc::new(work), fate).await {
            assert_eq!(outcomes.len(), flushed.len());
            for (id, outcome) in flushed.into_iter().zip(&outcomes) {
                assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
                self.shard(id).owner.settle(outcome);
            }
        }
    }

    /// Whatever was under way, and then the rest.
    pub(super) async fn finish(&mut self, database: &mut impl Database) {
        let all: Vec<u32> = (0..SHARDS).collect();
        self.flush(database, &all, Fate::Committed).await;
        self.flush(database, &all, Fate::Committed).await;
    }

    /// The tables contain what sequential processing gives, up to each checkpoint.
    pub(super) async fn assert_as_the_model_says(
        &self,
        database: &impl Database,
    ) -> Result<(), TestCaseError> {
        let sequences = database.sequences().await;
        let mut expected = Rows::new();
        for (shard, sequence) in self.shards.iter().zip(sequences) {
            let committed = usize::try_from(sequence).expect("few");
            for (key, message) in &shard.events[..committed] {
                count(expected.entry(*key).or_default(), message);
            }
        }
        let mut rows = database.rows().await;
        for row in rows.values_mut() {
            // Not stored.
            row.channel_id = None;
        }
        prop_assert_eq!(rows, expected);
        Ok(())
    }

    /// Nothing is pending any more, and no memory is used for it.
    pub(super) async fn assert_complete(&self, database: &impl Database) -> Result<(), TestCaseError> {
        let sent: Vec<u64> = self
            .shards
            .iter()
            .map(|shard| shard.events.len() as u64)
            .collect();
        prop_assert_eq!(database.sequences().await, sent);
        for shard in &self.shards {
            prop_assert_eq!((shard.owner.ledger.rows(), shard.owner.memory.used()), (0, 0));
        }
        Ok(())
    }
}

impl Shard {
    fn event(&self, said: Said) -> (MemberKey, MemberMessage) {
        let last = self
            .events
            .last()
            .map_or(begin_of(2_969) - 400, |(_, message)| message.at);
        let key = MemberKey {
            guild_id: Id::new(u64::from(self.key.id) + 1),
            user_id: Id::new(said.member + 1),
        };
        let message = MemberMessage {
            at: last + said.after,
            channel_id: Id::new(7),
            earns: Earns::Xp {
                xp: said.xp,
                cooldown: said.cooldown,
            },
        };
        (key, message)
    }
}

/// The rule, one message after the other, with everything known.
fn count(row: &mut MemberDelta, message: &MemberMessage) {
    row.messages += 1;
    let Earns::Xp { xp, cooldown } = message.earns else {
        return;
    };
    let earns = match row.last_award {
        None => true,
        Some(last) => cooldown == 0 || message.at - last >= cooldown,
    };
    if earns {
        row.xp += u64::from(xp);
        row.last_award = row.last_award.max(Some(message.at));
        row.earned_in(week_of(message.at), u64::from(xp));
    }
}
