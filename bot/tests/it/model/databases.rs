//! Two databases: the real one, and its rule.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use eventide::{
    config::Config,
    features::levels::{pending::MemberDelta, rows::member_xp},
    pipeline::{
        ledger::Changes,
        parts::Learned,
        rows::shard_checkpoint::{self, Advance, Fence, SessionPoint, Taken},
        writer::{Outcome, transaction::flush},
    },
    postgres::{Statement, Store},
    settings::Settings,
    support::ids::{MemberKey, ShardKey},
};

use super::{Fate, SHARDS};
use crate::support::{
    Scene,
    boards::assert_counted,
    commit_cutter::{CommitCutter, Cut},
    session::Session,
};

/// Members' rows, as far as they are modelled.
pub(super) type Rows = BTreeMap<MemberKey, MemberDelta>;

/// Batches that go into one transaction.
pub(super) type Work = Arc<Vec<(Advance, Changes)>>;

/// A database.
pub(super) trait Database {
    /// Take a shard from its owner.
    async fn take(&mut self, shard: ShardKey) -> Taken;
    /// Try once to write some batches; `None` if the outcome is unknown.
    async fn flush(&mut self, work: Work, fate: Fate) -> Option<Vec<Outcome>>;
    /// The members' rows.
    async fn rows(&self) -> Rows;
    /// Up to which event of each shard everything is contained.
    async fn sequences(&self) -> Vec<u64>;
}

/// The rule in a few lines: a transaction that applies or does not.
#[derive(Default)]
pub(super) struct InMemory {
    rows: Rows,
    checkpoints: BTreeMap<ShardKey, Checkpoint>,
}

#[derive(Clone, Default)]
struct Checkpoint {
    fence: Fence,
    revision: i64,
    session: Option<SessionPoint>,
}

impl InMemory {
    fn apply(&mut self, work: &[(Advance, Changes)]) -> Vec<Outcome> {
        let outcomes = work.iter().map(|(advance, changes)| {
            let stored = self.checkpoints.entry(advance.shard).or_default();
            if stored.fence != advance.fence {
                return Outcome::Fenced;
            }
            let mut learned = Learned::default();
            if stored.revision == advance.revision - 1 {
                stored.revision = advance.revision;
                stored.session.clone_from(&advance.session);
                for (key, pending) in &changes.parts.members.entries {
                    let row = self.rows.entry(*key).or_default();
                    let delta = pending.resolve(row.last_award);
                    row.xp += delta.xp;
                    row.messages += delta.messages;
                    row.last_award = row.last_award.max(delta.last_award);
                    row.earned_in(delta.week, delta.week_xp);
                    if pending.needs_stored_award() {
                        learned.members.push((*key, delta.last_award));
                    }
                }
            } else if stored.revision != advance.revision {
                return Outcome::Fenced;
            }
            Outcome::Committed { learned }
        });
        outcomes.collect()
    }
}

impl Database for InMemory {
    async fn take(&mut self, shard: ShardKey) -> Taken {
        let stored = self.checkpoints.entry(shard).or_default();
        stored.fence.number += 1;
        Taken {
            fence: stored.fence,
            revision: stored.revision,
            session: stored.session.clone(),
            last_message_id: None,
            updated_at: SystemTime::UNIX_EPOCH,
        }
    }

    async fn flush(&mut self, work: Work, fate: Fate) -> Option<Vec<Outcome>> {
        if fate == Fate::RolledBack {
            return None;
        }
        let outcomes = self.apply(&work);
        (fate == Fate::Committed).then_some(outcomes)
    }

    async fn rows(&self) -> Rows {
        self.rows.clone()
    }

    async fn sequences(&self) -> Vec<u64> {
        let sequence = |stored: &Checkpoint| stored.session.as_ref().map_or(0, |session| session.sequence);
        self.checkpoints.values().map(sequence).collect()
    }
}

/// The real statements, over a connection that breaks on command.
pub(super) struct OnPostgres {
    cutter: CommitCutter,
    /// Through the cutter.
    store: Store,
    settings: Settings,
    /// Past it.
    session: Session,
}

impl OnPostgres {
    /// With empty tables.
    pub(super) async fn new(scene: &Scene) -> Self {
        let cutter = CommitCutter::start(scene.postgres.socket_directory());
        let server = scene.postgres.connection();
        let store = Store::new(cutter.connection(&server), &Config::defaults().database).expect("a pool");
        let session = Session::open(&server.into()).await;
        session.execute("TRUNCATE member_xp, shard_checkpoint, gap").await;
        Self {
            cutter,
            store,
            settings: settings(),
            session,
        }
    }

    pub(super) async fn close(self) {
        self.store.close();
        self.session.close().await;
    }
}

impl Database for OnPostgres {
    async fn take(&mut self, shard: ShardKey) -> Taken {
        let taken = self.store.transaction("take", move |tx| {
            Box::pin(async move { shard_checkpoint::take(tx, shard).await })
        });
        taken.await.expect("taken")
    }

    async fn flush(&mut self, work: Work, fate: Fate) -> Option<Vec<Outcome>> {
        match fate {
            Fate::Committed => {}
            Fate::RolledBack => self.cutter.cut(Cut::Before),
            Fate::Unanswered => self.cutter.cut(Cut::AnswerSwallowed),
        }
        let flushed = flush(&self.store, &self.settings, work).await;
        assert_eq!(flushed.is_ok(), fate == Fate::Committed, "{flushed:?}");
        flushed.ok()
    }

    async fn rows(&self) -> Rows {
        let rows = member_xp::all(&self.store).await.expect("rows");
        assert_counted(&self.session.client).await;
        rows.into_iter().collect()
    }

    async fn sequences(&self) -> Vec<u64> {
        let sequences = Statement::new(
            "sequences",
            &[],
            "SELECT sequence FROM shard_checkpoint ORDER BY shard_count, shard_id",
        );
        let rows = self.store.query(sequences, &[]).await.expect("rows");
        assert_eq!(rows.len(), SHARDS as usize);
        rows.iter()
            .map(|row| row.get::<_, i64>(0).cast_unsigned())
            .collect()
    }
}

fn settings() -> Settings {
    Settings::new(&Config::defaults().levels)
}
