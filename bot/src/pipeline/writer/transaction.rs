//! One flush: a transaction with the checkpoints and all rows of some batches.

use std::sync::Arc;

use super::Outcome;
use crate::{
    flush::Flush,
    outbox::queue::{self, NewEffect},
    pipeline::{
        backfill::rows,
        ledger::Changes,
        parts::{self, Learned, Parts},
        rows::{
            gap,
            shard_checkpoint::{self, Advance, Advanced},
        },
    },
    postgres::{Store, StoreError, Tx},
    settings::Settings,
    telemetry::metrics,
};

/// Batches without their reply channels, so that they can be tried more than once.
pub type Work = Vec<(Advance, Changes)>;

/// The result of a committed flush.
pub(super) struct Written {
    /// What became of each batch's checkpoint.
    advanced: Vec<Advanced>,
    applied: Applied,
}

/// The result of writing some changes.
#[derive(Debug, Default)]
pub(super) struct Applied {
    rows: usize,
    pub(super) effects: Vec<NewEffect>,
    parts: parts::Written,
}

/// Try once, or twice if another process inserts a row at the same time. The outcomes are in the order of `work`.
///
/// # Errors
///
/// The transaction failed or its COMMIT was not answered: retrying is always safe, and required.
pub async fn flush(store: &Store, settings: &Settings, work: Arc<Work>) -> Result<Vec<Outcome>, StoreError> {
    let written = match once(store, settings, Arc::clone(&work), true).await {
        // Another process has inserted one of the rows meanwhile.
        Err(error) if error.is_unique_violation() => once(store, settings, work, false).await?,
        tried => tried?,
    };
    // Only an isolating flush continues without a shard.
    Ok(written.outcomes(store).into_iter().flatten().collect())
}

async fn once(
    store: &Store,
    settings: &Settings,
    work: Arc<Work>,
    may_collide: bool,
) -> Result<Written, StoreError> {
    let settings = settings.clone();
    store
        .transaction("flush", move |tx| {
            Box::pin(async move { write(tx, &settings, &work, may_collide).await })
        })
        .await
}

async fn write(
    tx: &Tx<'_>,
    settings: &Settings,
    work: &Work,
    may_collide: bool,
) -> Result<Written, StoreError> {
    // The checkpoints come first: their row locks make a second attempt wait until the server has finished the first.
    let asked: Vec<&Advance> = work.iter().map(|(advance, _)| advance).collect();
    let advanced = shard_checkpoint::advance(tx, &asked).await?;
    for ((advance, changes), advanced) in work.iter().zip(&advanced) {
        if *advanced == Advanced::Now {
            gap::record(tx, advance.shard, &changes.gaps).await?;
            rows::record(tx, advance.shard, &changes.backfill).await?;
        }
    }
    let flush = Flush {
        may_collide,
        ..Flush::new(tx, settings)
    };
    let parts = Parts::of(work.iter().map(|(_, changes)| &changes.parts), &advanced);
    let applied = apply(flush, parts).await?;
    queue::add(tx, &applied.effects).await?;
    Ok(Written::new(advanced, applied))
}

/// Write these changes. The caller adds their effects, after everything else.
pub(super) async fn apply(mut flush: Flush<'_, '_>, parts: Parts<'_>) -> Result<Applied, StoreError> {
    let parts = parts.write(&mut flush).await?;
    Ok(Applied {
        rows: flush.rows,
        effects: flush.effects,
        parts,
    })
}

impl Written {
    pub(super) const fn new(advanced: Vec<Advanced>, applied: Applied) -> Self {
        Self { advanced, applied }
    }

    /// Update metrics, for committed data only: an attempt that is rolled back has written nothing. Returns the outcome of each batch;
    /// `None` for one that PostgreSQL rejects.
    pub(super) fn outcomes(self, store: &Store) -> Vec<Option<Outcome>> {
        let Self { advanced, applied } = self;
        metrics::flush_rows_total().increment(applied.rows as u64);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
        metrics::flush_rows().record(applied.rows as f64);
        let is_fenced = |advanced: &&Advanced| **advanced == Advanced::Fenced;
        metrics::flush_fenced_total().increment(advanced.iter().filter(is_fenced).count() as u64);
        let learned = applied.parts.committed(store, advanced.len());
        let outcomes = advanced.into_iter().zip(learned);
        outcomes
            .map(|(advanced, learned)| Outcome::of(advanced, learned))
            .collect()
    }
}

impl Applied {
    /// Add the result of writing other changes.
    pub(super) fn and(&mut self, later: Self) {
        self.rows += later.rows;
        self.effects.extend(later.effects);
        self.parts.and(later.parts);
    }
}

impl Outcome {
    fn of(advanced: Advanced, learned: Learned) -> Option<Self> {
        match advanced {
            Advanced::Now => Some(Self::Committed { learned }),
            Advanced::Before => {
                metrics::flush_already_applied_total().increment(1);
                Some(Self::Committed { learned })
            }
            Advanced::Fenced => Some(Self::Fenced),
            Advanced::Refused => None,
        }
    }
}
