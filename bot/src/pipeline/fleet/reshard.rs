//! The change of the number of shards while they run, step by step.
//!
//! 1. **Sessions.** Shards of the new number are leased and identify, beside the old ones. They count nothing.
//! 2. **The cut.** When each has a session, a message id is proposed that nobody has seen yet. A shard agrees if it has handled no
//!    message from there on, and then handles none before it hears more; one that comes sooner makes it close resumably and wait.
//!    If a shard cannot agree, or the cut comes before all have, it is withdrawn, nothing has happened, and there will be another.
//! 3. **Decided.** When all have agreed, the old shards count what is below the cut, and skip the rest. The new shards skip what is
//!    below it, and wait at the cut: what they count comes after what the old ones have committed, as the cooldown needs it.
//! 4. **Retirement.** When messages well past the cut are seen, the old shards close, read to the end of their connections, commit and
//!    are gone. After the last one the new number holds, and the new shards go on at the cut, with what Discord replays.
//!
//! Every step is one transaction on the locked fleet, so whoever dies in between, another process goes on. Which side counts a message
//! is told by its id alone: each counts once, whenever and however often it is delivered. The bound: one that Discord delivers to an
//! old shard later than [`LINGER`] after others that were written later is not counted; a new shard that sees such a one records a gap.

use std::time::Duration;

use super::tick::Asked;
use crate::{
    pipeline::{
        dispatch::message_range::MessageRange,
        fleet::registry::{
            self,
            reshard::{self as rows, Begun, Reshard},
        },
    },
    postgres::{StoreError, Tx},
    support::ids::ShardKey,
};

/// How far in the future a proposed cut is: enough for every process to hear of it and to answer.
const AHEAD: Duration = Duration::from_secs(5);
/// How much longer the old shards receive than until the cut.
const LINGER: Duration = Duration::from_secs(10);
/// How much longer still where no message comes that would tell Discord's time.
const SILENCE: Duration = Duration::from_mins(1);

/// The numbers of shards that there are at the moment, and what each counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    /// The fleet's.
    pub(super) current: (u32, MessageRange),
    /// The one that it is changed to.
    pub(super) next: Option<(u32, MessageRange)>,
    /// Whether the shards of the current one shall retire.
    pub(super) retiring: bool,
}

impl Numbers {
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, MessageRange)> {
        [Some(self.current), self.next].into_iter().flatten()
    }

    /// Whether a cut is open or passed, so that shards wait for what comes next.
    pub(super) fn hurry(&self) -> bool {
        self.next
            .is_some_and(|(_, message_range)| message_range.open_cut().is_some())
    }
}

/// Decide how many shards there are, for a process that enters; begin to change that where it has to be changed.
pub(super) async fn shard_count(
    tx: &Tx<'_>,
    known: &mut registry::Fleet,
    asked: &Asked,
    alone: bool,
) -> Result<u32, StoreError> {
    let wanted = asked.shard_count;
    let Some(count) = known.shard_count else {
        registry::decide_shard_count(tx, wanted).await?;
        return Ok(wanted);
    };
    if asked.joined || known.reshard.is_some() || count == wanted {
        return Ok(count);
    }
    let fixed = asked.shard_count_is_fixed;
    if fixed && !alone {
        tracing::warn!(
            fleet.shard_count = count,
            gateway.shard_count = wanted,
            "the fleet has another number of shards than gateway.shard_count says; `eventide fleet reshard --total {wanted}` changes it"
        );
        return Ok(count);
    }
    if fixed && !registry::has_sessions(tx, count).await? {
        // Nothing of the old number is there to be counted.
        registry::forget_sessions(tx, None).await?;
        registry::decide_shard_count(tx, wanted).await?;
        known.counts_from = None;
        return Ok(wanted);
    }
    if fixed || wanted > count {
        match rows::begin(tx, wanted).await? {
            Begun::Yes => {
                tracing::info!(
                    fleet.shard_count = count,
                    fleet.reshard_to = wanted,
                    "the number of shards is being changed"
                );
                known.reshard = Some(Reshard {
                    to: wanted,
                    cut: None,
                    agreed: false,
                });
            }
            other => tracing::warn!(
                fleet.shard_count = count,
                gateway.shard_count = wanted,
                why = ?other,
                "the number of shards cannot be changed now"
            ),
        }
    }
    Ok(count)
}

/// Take the next step, if there is one to take.
pub(super) async fn step(
    tx: &Tx<'_>,
    known: &registry::Fleet,
    old: u32,
    asked: &Asked,
) -> Result<Numbers, StoreError> {
    let own = MessageRange::starting_at(known.counts_from);
    let numbers = |current, next| Numbers {
        current: (old, current),
        next,
        retiring: false,
    };
    let Some(Reshard { to, cut, agreed }) = known.reshard else {
        return Ok(numbers(own, None));
    };
    let before = numbers(own, Some((to, MessageRange::NOTHING)));
    let open = |cut| {
        let next = MessageRange::NOTHING.undecided_from(cut);
        numbers(own.undecided_from(cut), Some((to, next)))
    };
    let Some(cut) = cut else {
        if !rows::is_ready(tx, old, to).await? {
            return Ok(before);
        }
        let cut = rows::propose(tx, AHEAD).await?;
        registry::announce(tx).await?;
        return Ok(open(cut));
    };
    if !agreed {
        let answers = || asked.answers.iter().filter(|(_, answer)| answer.cut == cut);
        let agreeing: Vec<ShardKey> = answers()
            .filter(|(_, answer)| answer.agrees)
            .map(|(shard, _)| *shard)
            .collect();
        rows::agree(tx, &asked.process.id, &agreeing, cut).await?;
        if answers().all(|(_, answer)| answer.agrees) {
            if rows::all_agree(tx, old, to, cut).await? {
                rows::decide(tx).await?;
                registry::announce(tx).await?;
            } else if !rows::is_past(tx, cut).await? {
                return Ok(open(cut));
            } else {
                return withdrawn(tx, before).await;
            }
        } else {
            return withdrawn(tx, before).await;
        }
    }
    if !rows::any_left(tx, old).await? {
        rows::finish(tx, old, to, cut).await?;
        registry::announce(tx).await?;
        tracing::info!(fleet.shard_count = to, "the number of shards has changed");
        return Ok(Numbers {
            current: (to, MessageRange::starting_at(Some(cut))),
            next: None,
            retiring: false,
        });
    }
    let next = MessageRange::NOTHING.undecided_from(cut);
    Ok(Numbers {
        current: (old, own.ending_at(cut)),
        next: Some((to, next)),
        retiring: rows::is_over(tx, cut, LINGER, SILENCE).await?,
    })
}

async fn withdrawn(tx: &Tx<'_>, before: Numbers) -> Result<Numbers, StoreError> {
    tracing::info!("not every shard agreed to a cut in time; trying another one");
    rows::withdraw(tx).await?;
    registry::announce(tx).await?;
    Ok(before)
}
