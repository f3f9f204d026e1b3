//! Resharding while the shards run, step by step.
//!
//! 1. **Sessions.** Shards of the new count are leased and identify, beside the old ones. They count nothing.
//! 2. **The cut.** When each has a session, a message ID is proposed that no shard has seen yet. A shard agrees if it has handled no
//!    message from there on, and then handles none until the cut is decided; if one arrives earlier, it closes resumably and waits.
//!    If a shard cannot agree, or the cut passes before all have agreed, it is withdrawn without any effect, and another one follows.
//! 3. **Decided.** When all have agreed, the old shards count messages below the cut, and skip the rest. The new shards skip messages
//!    below it, and wait at the cut: they must count after everything that the old ones have committed, as the cooldown requires.
//! 4. **Retirement.** When messages well past the cut are seen, the old shards close, read to the end of their connections, commit and
//!    end. After the last one the new count applies, and the new shards continue at the cut, with the events that Discord replays.
//!
//! Every step is one transaction on the locked fleet, so if a process dies in between, another one continues. A message's ID alone
//! determines which side counts it: each counts once, whenever and however often it is delivered. The limit: a message that Discord
//! delivers to an old shard more than [`LINGER`] after messages written later is not counted; a new shard that sees such a message records
//! a gap.

use std::time::Duration;

use twilight_model::id::{Id, marker::MessageMarker};

use super::tick::TickInput;
use crate::{
    pipeline::{
        fleet::registry::{
            self,
            reshard::{self as rows, Begun, Reshard},
        },
        gateway::MessageRange,
    },
    postgres::{StoreError, Tx},
    support::ids::ShardKey,
};

/// How far in the future a proposed cut is: enough time for every process to be notified and to answer.
const AHEAD: Duration = Duration::from_secs(5);
/// How long the old shards continue to receive after the cut.
const LINGER: Duration = Duration::from_secs(10);
/// The additional time if no message arrives that would show Discord's time.
const SILENCE: Duration = Duration::from_mins(1);

/// The current shard counts, and the messages that each counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    /// The shard count of the fleet.
    pub(super) current: (u32, MessageRange),
    /// The shard count after the reshard in progress.
    pub(super) next: Option<(u32, MessageRange)>,
    /// Whether the shards of the current count should retire.
    pub(super) retiring: bool,
}

impl Numbers {
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, MessageRange)> {
        [Some(self.current), self.next].into_iter().flatten()
    }

    /// Whether a cut is proposed or passed, so that shards wait for the next step.
    pub(super) fn hurry(&self) -> bool {
        self.next
            .is_some_and(|(_, message_range)| message_range.open_cut().is_some())
    }
}

/// Decide the shard count for a process that joins; begin a reshard if the configuration requires one.
pub(super) async fn shard_count(
    tx: &Tx<'_>,
    known: &mut registry::Fleet,
    input: &TickInput,
    alone: bool,
) -> Result<u32, StoreError> {
    let wanted = input.shard_count;
    let Some(count) = known.shard_count else {
        registry::decide_shard_count(tx, wanted).await?;
        return Ok(wanted);
    };
    if input.joined || known.reshard.is_some() || count == wanted {
        return Ok(count);
    }
    let fixed = input.shard_count_is_fixed;
    if fixed && !alone {
        tracing::warn!(
            fleet.shard_count = count,
            gateway.shard_count = wanted,
            "the fleet has another number of shards than gateway.shard_count says; `eventide fleet reshard --total {wanted}` changes it"
        );
        return Ok(count);
    }
    if fixed && !registry::has_sessions(tx, count).await? {
        // The old shards have no data that is still to be counted.
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

/// The messages that shards of the old and of the new count count during a reshard; `own` are those of the old one before it.
pub(super) const fn ranges(
    own: MessageRange,
    cut: Option<Id<MessageMarker>>,
    agreed: bool,
) -> (MessageRange, MessageRange) {
    let Some(cut) = cut else {
        return (own, MessageRange::NOTHING);
    };
    let old = if agreed {
        own.ending_at(cut)
    } else {
        own.undecided_from(cut)
    };
    (old, MessageRange::NOTHING.undecided_from(cut))
}

/// Take the next step, if one is due.
pub(super) async fn step(
    tx: &Tx<'_>,
    known: &registry::Fleet,
    old: u32,
    input: &TickInput,
) -> Result<Numbers, StoreError> {
    let own = MessageRange::starting_at(known.counts_from);
    let Some(Reshard { to, cut, agreed }) = known.reshard else {
        return Ok(Numbers {
            current: (old, own),
            next: None,
            retiring: false,
        });
    };
    let numbers = |cut, agreed| {
        let (current, next) = ranges(own, cut, agreed);
        Numbers {
            current: (old, current),
            next: Some((to, next)),
            retiring: false,
        }
    };
    let before = numbers(None, false);
    let open = |cut| numbers(Some(cut), false);
    let Some(cut) = cut else {
        if !rows::is_ready(tx, old, to).await? {
            return Ok(before);
        }
        let cut = rows::propose(tx, AHEAD).await?;
        registry::announce(tx).await?;
        return Ok(open(cut));
    };
    if !agreed {
        let answers = || input.answers.iter().filter(|(_, answer)| answer.cut == cut);
        let agreeing: Vec<ShardKey> = answers()
            .filter(|(_, answer)| answer.agrees)
            .map(|(shard, _)| *shard)
            .collect();
        rows::agree(tx, &input.process.id, &agreeing, cut).await?;
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
    Ok(Numbers {
        retiring: rows::is_over(tx, cut, LINGER, SILENCE).await?,
        ..numbers(Some(cut), true)
    })
}

async fn withdrawn(tx: &Tx<'_>, before: Numbers) -> Result<Numbers, StoreError> {
    tracing::info!("not every shard agreed to a cut in time; trying another one");
    rows::withdraw(tx).await?;
    registry::announce(tx).await?;
    Ok(before)
}
