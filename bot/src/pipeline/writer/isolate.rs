//! The flush after one whose data PostgreSQL rejected: it finds the changes that cannot be written, stores them as data in quarantine, and
//! commits everything else. Without it one bad row would stop every shard of the lane, across restarts.
//!
//! All of it is one transaction with the checkpoints, so each change is in the tables or in quarantine, exactly once.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use twilight_model::id::Id;

use super::{
    Outcome,
    quarantined::{EFFECT, GAP, KeptEffect, KeptGap, kinds},
    transaction::{self, Applied, Work, Written},
};
use crate::{
    flush::{Flush, SetAside},
    outbox::queue::{self, NewEffect},
    pipeline::{
        backfill::rows,
        ledger::{Changes, gap::GapChange},
        parts::{Batch, Parts},
        rows::{
            gap,
            quarantine::{self, NewEntry},
            shard_checkpoint::{self, Advance, Advanced},
        },
    },
    postgres::{Store, StoreError, Tx},
    settings::Settings,
    support::{ids::ShardKey, shutdown::stopped_within},
    telemetry::metrics,
};

/// Failed attempts per flush, after which changes that still fail go into quarantine undivided: if every row is rejected, because a
/// privilege was revoked, trying each one alone would delay the checkpoints for too long.
const TRIES: usize = 256;

/// Log lines per flush that name a change; the others are in the table only.
const NAMED: usize = 10;

/// The interval at which the quarantine is counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(30);

/// Update the metric for the size of the quarantine until `stop` is true.
pub(crate) async fn watch(store: Store, mut stop: watch::Receiver<bool>) {
    loop {
        // An unavailable database has its own alerts.
        if let Ok(count) = quarantine::count(&store).await {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
            metrics::quarantine_rows().set(count as f64);
        }
        if stopped_within(&mut stop, COUNT_INTERVAL).await {
            return;
        }
    }
}

/// Try once, and put rejected changes into quarantine. The outcomes are in the order of `work`; `None` is for a shard whose checkpoint
/// cannot be moved, of which nothing was written. With `loud`, the log names these shards, and changes that can be neither written nor put
/// into quarantine.
///
/// # Errors
///
/// As for [`transaction::flush`]: nothing was written, or the outcome is unknown; the flush must be retried.
pub(super) async fn flush(
    store: &Store,
    settings: &Settings,
    work: Arc<Work>,
    loud: bool,
) -> Result<Vec<Option<Outcome>>, StoreError> {
    let own = settings.clone();
    let (written, set_aside) = store
        .transaction("flush", move |tx| {
            Box::pin(async move { Box::pin(write(tx, &own, &work, loud)).await })
        })
        .await?;
    for entry in &set_aside {
        metrics::quarantined_total(entry.change.kind).increment(1);
    }
    name(&set_aside, "a change that PostgreSQL refuses is in quarantine");
    Ok(written.outcomes(store))
}

async fn write(
    tx: &Tx<'_>,
    settings: &Settings,
    work: &Work,
    loud: bool,
) -> Result<(Written, Vec<NewEntry>), StoreError> {
    // A deferred constraint would fail at COMMIT, which does not identify the row.
    tx.check_constraints_at_once().await?;
    let mut search = Search {
        tx,
        tries: TRIES,
        set_aside: Vec::new(),
        loud,
    };
    let mut advanced = Vec::with_capacity(work.len());
    for (advance, changes) in work {
        let set_aside = search.set_aside.len();
        let moved = Box::pin(search.advance(advance, changes));
        advanced.push(match tx.attempt(moved).await? {
            Ok(advanced) => advanced,
            Err(error) if error.refuses_data() => {
                metrics::flush_failures_total(error.class()).increment(1);
                search.set_aside.truncate(set_aside);
                Advanced::Refused
            }
            Err(error) => return Err(error),
        });
    }
    let parts = Parts::of(work.iter().map(|(_, changes)| &changes.parts), &advanced);
    let applied = Box::pin(search.parts(settings, parts)).await?;
    search.effects(&applied.effects).await?;
    let set_aside = search.set_aside;
    if !set_aside.is_empty()
        && let Err(error) = quarantine::add(tx, &set_aside).await
    {
        if loud {
            name(
                &set_aside,
                "a change that PostgreSQL refuses cannot be put into quarantine; its flush waits",
            );
        }
        return Err(error);
    }
    Ok((Written::new(advanced, applied), set_aside))
}

/// The search for changes that cannot be written.
struct Search<'a, 'tx> {
    tx: &'a Tx<'tx>,
    tries: usize,
    set_aside: Vec<NewEntry>,
    loud: bool,
}

impl Search<'_, '_> {
    /// Move a shard's checkpoint, and write what must go with it. If PostgreSQL rejects that, the shard's flush is retried alone.
    async fn advance(&mut self, advance: &Advance, changes: &Changes) -> Result<Advanced, StoreError> {
        let advanced = self.checkpoint(advance).await?;
        if advanced == Advanced::Now {
            self.gaps(advance.shard, &changes.gaps).await?;
            // These rows record what was counted already. A process that started without them would count it again, so none are set aside.
            let recorded = rows::record(self.tx, advance.shard, &changes.backfill).await;
            recorded.inspect_err(|error| {
                if self.loud && error.refuses_data() {
                    tracing::error!(
                        shard.id = advance.shard.id,
                        %error,
                        "PostgreSQL refuses the progress of reading back (backfill_channel, backfill_message, gap_unread): nothing of \
                         this shard is committed until it can be stored; other shards go on"
                    );
                }
            })?;
        }
        Ok(advanced)
    }

    /// Move a checkpoint. A session that cannot be stored is left out: the shard continues to count, and only a restart has to identify
    /// again.
    async fn checkpoint(&self, advance: &Advance) -> Result<Advanced, StoreError> {
        let tx = self.tx;
        let one = |advanced: Vec<Advanced>| advanced.first().copied().unwrap_or(Advanced::Fenced);
        let error = match tx.attempt(shard_checkpoint::advance(tx, &[advance])).await? {
            Ok(advanced) => return Ok(one(advanced)),
            Err(error) if error.refuses_data() => error,
            Err(error) => return Err(error),
        };
        let without_session = Advance {
            session: None,
            ..advance.clone()
        };
        let moved = shard_checkpoint::advance(tx, &[&without_session]).await;
        match &moved {
            Ok(_) => tracing::error!(
                shard.id = advance.shard.id,
                %error,
                "the session of a shard cannot be stored; without it a restart begins a new session"
            ),
            Err(error) if self.loud && error.refuses_data() => tracing::error!(
                shard.id = advance.shard.id,
                shard.count = advance.shard.count,
                %error,
                "PostgreSQL refuses a shard's checkpoint (its row of shard_checkpoint): nothing of this shard is committed until it can \
                 be stored; other shards go on"
            ),
            Err(_) => {}
        }
        moved.map(one)
    }

    /// Write the parts, dividing those that fail.
    async fn parts(&mut self, settings: &Settings, parts: Parts<'_>) -> Result<Applied, StoreError> {
        let mut applied = Applied::default();
        // The first part is on top: members are locked in order.
        let mut waiting = vec![parts];
        while let Some(part) = waiting.pop() {
            let tried = transaction::apply(Flush::new(self.tx, settings), part.clone());
            match Box::pin(self.tx.attempt(tried)).await? {
                Ok(done) => applied.and(done),
                Err(error) if !error.refuses_data() => return Err(error),
                Err(error) if self.is_last_try(part.changes()) => self.keep(part.set_aside(), &error),
                Err(_) => {
                    let (first, second) = part.halves();
                    waiting.extend([second, first]);
                }
            }
        }
        Ok(applied)
    }

    /// Add the effects, dividing those that fail.
    async fn effects(&mut self, effects: &[NewEffect]) -> Result<(), StoreError> {
        let mut waiting = vec![effects];
        while let Some(part) = waiting.pop() {
            match self.tx.attempt(queue::add(self.tx, part)).await? {
                Ok(()) => {}
                Err(error) if !error.refuses_data() => return Err(error),
                Err(error) if self.is_last_try(part.len()) => {
                    let kept = part.iter().map(KeptEffect::set_aside).collect();
                    self.keep(kept, &error);
                }
                Err(_) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    waiting.extend([second, first]);
                }
            }
        }
        Ok(())
    }

    async fn gaps(&mut self, shard: ShardKey, changes: &[GapChange]) -> Result<(), StoreError> {
        for change in changes {
            let recorded = gap::record(self.tx, shard, std::slice::from_ref(change));
            match self.tx.attempt(recorded).await? {
                Ok(()) => {}
                Err(error) if error.refuses_data() => {
                    self.keep(vec![KeptGap::set_aside(shard, change)], &error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn keep(&mut self, changes: Vec<SetAside>, error: &StoreError) {
        debug_assert!(
            changes
                .iter()
                .all(|change| kinds().any(|kind| kind == change.kind)),
            "{changes:?}"
        );
        let entries = changes.into_iter().map(|change| NewEntry::new(change, error));
        self.set_aside.extend(entries);
    }

    /// Count a failed attempt. Returns whether these changes are not divided any further.
    const fn is_last_try(&mut self, changes: usize) -> bool {
        self.tries = self.tries.saturating_sub(1);
        changes <= 1 || self.tries == 0
    }
}

/// Name changes in the log, without their content.
fn name(changes: &[NewEntry], what: &str) {
    for entry in changes.iter().take(NAMED) {
        tracing::error!(
            quarantine.kind = entry.change.kind,
            guild.id = entry.change.guild_id.map(Id::get),
            user.id = entry.change.user_id.map(Id::get),
            sqlstate = entry.sqlstate,
            reason = entry.reason,
            "{what}"
        );
    }
    if changes.len() > NAMED {
        tracing::error!(changes = changes.len() - NAMED, "{what}: and more of them");
    }
}

/// The result of applying a quarantined change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retried {
    /// It is applied, and no longer in quarantine.
    Applied,
    /// It was not in quarantine.
    Gone,
    /// This version cannot apply it; it stays in quarantine.
    Unknown,
}

/// Apply a quarantined change exactly once: it leaves the quarantine in the same transaction.
///
/// # Errors
///
/// PostgreSQL still rejects it, or is unavailable. The change is still in quarantine, unless a COMMIT was not answered.
pub(crate) async fn retry(
    store: &Store,
    settings: &Settings,
    quarantine_id: i64,
) -> Result<Retried, StoreError> {
    let settings = settings.clone();
    store
        .transaction("quarantine_retry", move |tx| {
            Box::pin(async move { apply(tx, &settings, quarantine_id).await })
        })
        .await
}

async fn apply(tx: &Tx<'_>, settings: &Settings, quarantine_id: i64) -> Result<Retried, StoreError> {
    let Some((kept, rejected_at)) = quarantine::lock(tx, quarantine_id).await? else {
        return Ok(Retried::Gone);
    };
    match kept.kind.as_str() {
        EFFECT => {
            let Some(effect) = KeptEffect::read(&kept, settings) else {
                return Ok(Retried::Unknown);
            };
            queue::add(tx, &[effect]).await?;
        }
        GAP => {
            let Some((shard, change)) = KeptGap::read(&kept) else {
                return Ok(Retried::Unknown);
            };
            gap::record(tx, shard, &[change]).await?;
        }
        _ => {
            let Some(batch) = Batch::read(&kept) else {
                return Ok(Retried::Unknown);
            };
            let flush = Flush {
                rejected_at: Some(rejected_at),
                ..Flush::new(tx, settings)
            };
            let applied = transaction::apply(flush, Parts::of_one(&batch)).await?;
            queue::add(tx, &applied.effects).await?;
        }
    }
    quarantine::remove(tx, quarantine_id).await?;
    Ok(Retried::Applied)
}
