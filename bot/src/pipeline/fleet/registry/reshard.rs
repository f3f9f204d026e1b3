//! The state of a reshard, in the row of `fleet` and the leases of both shard counts.

use std::time::Duration;

use twilight_model::id::{Id, marker::MessageMarker};

use crate::{
    pipeline::backfill::rows,
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{self, ShardKey},
};

/// A reshard in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reshard {
    /// The new shard count.
    pub to: u32,
    /// The first message that the new shards count, once it is proposed.
    pub cut: Option<Id<MessageMarker>>,
    /// Whether every shard has agreed to the cut.
    pub agreed: bool,
}

/// The result of a request to reshard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The reshard has begun.
    Yes,
    /// No process has decided on a shard count yet.
    NoFleet,
    /// This is already the shard count.
    AsItIs,
    /// Another reshard is in progress.
    UnderWay(Reshard),
    /// Every new shard needs one of the day's identifies, and only this many are left.
    Identifies(i64),
}

/// The result of a request to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// Cancelled: the new shards end.
    Yes,
    /// No reshard is in progress.
    Nothing,
    /// The first shards may have switched already.
    TooLate,
}

/// Begin a reshard, in a transaction that has locked the fleet.
pub async fn begin(tx: &Tx<'_>, to: u32) -> Result<Begun, StoreError> {
    const BEGIN: Statement = statement!(
        "reshard_begin",
        [INT8],
        "UPDATE fleet SET reshard_to = $1, reshard_cut = NULL, reshard_agreed = false, reshard_withdrawn = 0"
    );
    const BUDGET: Statement = statement!(
        "reshard_budget",
        [],
        "SELECT CASE WHEN identify_resets_at <= clock_timestamp() THEN identify_total ELSE identify_remaining END FROM fleet"
    );
    let fleet = super::lock(tx).await?;
    let Some(count) = fleet.shard_count else {
        return Ok(Begun::NoFleet);
    };
    if let Some(reshard) = fleet.reshard {
        return Ok(Begun::UnderWay(reshard));
    }
    if count == to {
        return Ok(Begun::AsItIs);
    }
    let left: i64 = tx.query(BUDGET, &[]).await?.first().map_or(0, |row| row.get(0));
    if left < i64::from(to) {
        return Ok(Begun::Identifies(left));
    }
    tx.execute(BEGIN, &[&i64::from(to)]).await?;
    super::forget_sessions(tx, Some(to)).await?;
    super::make_leases(tx, to).await?;
    super::announce(tx).await?;
    Ok(Begun::Yes)
}

/// Begin a reshard at an operator's request.
pub async fn ask_for(store: &Store, to: u32) -> Result<Begun, StoreError> {
    store
        .transaction("reshard_ask", move |tx| {
            Box::pin(async move { begin(tx, to).await })
        })
        .await
}

/// Cancel a reshard, as long as no shard has switched.
pub async fn cancel(store: &Store) -> Result<Cancelled, StoreError> {
    store
        .transaction("reshard_cancel", |tx| {
            Box::pin(async move {
                let fleet = super::lock(tx).await?;
                match (fleet.shard_count, fleet.reshard) {
                    (_, Some(Reshard { agreed: true, .. })) => Ok(Cancelled::TooLate),
                    (Some(count), Some(reshard)) => {
                        stay(tx, count, fleet.counts_from).await?;
                        super::forget_sessions(tx, Some(reshard.to)).await?;
                        super::announce(tx).await?;
                        Ok(Cancelled::Yes)
                    }
                    _ => Ok(Cancelled::Nothing),
                }
            })
        })
        .await
}

/// Whether every shard of both shard counts has an owner and a session: what an old one misses from now on is a known gap, and events for a
/// new one are replayed.
pub async fn is_ready(tx: &Tx<'_>, old: u32, new: u32) -> Result<bool, StoreError> {
    const READY: Statement = statement!(
        "reshard_ready",
        [INT8, INT8],
        "SELECT NOT EXISTS (
             SELECT FROM shard_lease AS l LEFT JOIN shard_checkpoint AS c USING (shard_count, shard_id)
             WHERE l.shard_count IN ($1, $2) AND (l.process_id IS NULL OR c.session_id IS NULL))"
    );
    let rows = tx.query(READY, &[&i64::from(old), &i64::from(new)]).await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// Propose a cut that is `ahead` of the database's clock, and of the newest message seen by a shard; the distance doubles after each
/// withdrawn cut, up to 64 times the original.
pub async fn propose(tx: &Tx<'_>, ahead: Duration) -> Result<Id<MessageMarker>, StoreError> {
    const PROPOSE: Statement = statement!(
        "reshard_propose",
        [INT8, INT8],
        "UPDATE fleet SET reshard_cut = ($2 << least(reshard_withdrawn, 6)::int4) + greatest($1, (
             SELECT coalesce(max(last_message_id), 0) FROM shard_checkpoint AS c
             WHERE c.shard_count IN (fleet.shard_count, fleet.reshard_to)))
         RETURNING reshard_cut"
    );
    let now = now(tx).await?;
    let rows = tx.query(PROPOSE, &[&now, &as_distance(ahead)]).await?;
    let cut = rows.first().and_then(|row| ids::from_db(row.get(0)));
    Ok(cut.expect("the lock has found the row, and ids are above 0"))
}

/// Record that shards of a process agree to the cut.
pub async fn agree(
    tx: &Tx<'_>,
    process_id: &str,
    shards: &[ShardKey],
    cut: Id<MessageMarker>,
) -> Result<(), StoreError> {
    const AGREE: Statement = statement!(
        "reshard_agree",
        [TEXT, INT8_ARRAY, INT8_ARRAY, INT8],
        "UPDATE shard_lease AS l SET agreed_cut = $4 FROM unnest($2::int8[], $3::int8[]) AS a (shard_count, shard_id)
         WHERE l.shard_count = a.shard_count AND l.shard_id = a.shard_id AND l.process_id = $1
           AND l.agreed_cut IS DISTINCT FROM $4"
    );
    if shards.is_empty() {
        return Ok(());
    }
    let counts: Vec<i64> = shards.iter().map(|shard| i64::from(shard.count)).collect();
    let ids: Vec<i64> = shards.iter().map(|shard| i64::from(shard.id)).collect();
    tx.execute(AGREE, &[&process_id, &counts, &ids, &ids::to_db(cut)])
        .await
        .map(drop)
}

/// Whether every shard of both shard counts has agreed to the cut.
pub async fn all_agree(tx: &Tx<'_>, old: u32, new: u32, cut: Id<MessageMarker>) -> Result<bool, StoreError> {
    const ALL: Statement = statement!(
        "reshard_all_agree",
        [INT8, INT8, INT8],
        "SELECT NOT EXISTS (SELECT FROM shard_lease WHERE shard_count IN ($1, $2) AND agreed_cut IS DISTINCT FROM $3)"
    );
    let rows = tx
        .query(ALL, &[&i64::from(old), &i64::from(new), &ids::to_db(cut)])
        .await?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// Make the cut final.
pub async fn decide(tx: &Tx<'_>) -> Result<(), StoreError> {
    const DECIDE: Statement = statement!("reshard_decide", [], "UPDATE fleet SET reshard_agreed = true");
    tx.execute(DECIDE, &[]).await.map(drop)
}

/// Withdraw the cut, so that another one is proposed.
pub async fn withdraw(tx: &Tx<'_>) -> Result<(), StoreError> {
    const WITHDRAW: Statement = statement!(
        "reshard_withdraw",
        [],
        "UPDATE fleet SET reshard_cut = NULL, reshard_withdrawn = reshard_withdrawn + 1"
    );
    tx.execute(WITHDRAW, &[]).await.map(drop)
}

/// Whether the database's clock is past the cut.
pub async fn is_past(tx: &Tx<'_>, cut: Id<MessageMarker>) -> Result<bool, StoreError> {
    Ok(now(tx).await? >= ids::to_db(cut))
}

/// Whether the old shards can be expected to have received every message before the cut: a shard has seen one that is `linger` past it, or,
/// if no messages are sent, the database's clock is past it by `linger` plus `silence`.
pub async fn is_over(
    tx: &Tx<'_>,
    cut: Id<MessageMarker>,
    linger: Duration,
    silence: Duration,
) -> Result<bool, StoreError> {
    const SEEN: Statement = statement!(
        "reshard_seen",
        [],
        "SELECT coalesce(max(last_message_id), 0) FROM shard_checkpoint"
    );
    let over = ids::to_db(cut).saturating_add(as_distance(linger));
    let seen: i64 = tx.query(SEEN, &[]).await?.first().map_or(0, |row| row.get(0));
    Ok(seen >= over || now(tx).await? >= over.saturating_add(as_distance(silence)))
}

/// Record that a shard of the old count has received and committed everything that it must count.
pub async fn retire(tx: &Tx<'_>, process_id: &str, shard: ShardKey) -> Result<(), StoreError> {
    const RETIRE: Statement = statement!(
        "reshard_retire",
        [TEXT, INT8, INT8],
        "DELETE FROM shard_lease WHERE process_id = $1 AND shard_count = $2 AND shard_id = $3"
    );
    let (count, id) = (i64::from(shard.count), i64::from(shard.id));
    tx.execute(RETIRE, &[&process_id, &count, &id]).await.map(drop)
}

/// Whether any shard of the old count has not retired yet.
pub async fn any_left(tx: &Tx<'_>, old: u32) -> Result<bool, StoreError> {
    const LEFT: Statement = statement!(
        "reshard_left",
        [INT8],
        "SELECT EXISTS (SELECT FROM shard_lease WHERE shard_count = $1)"
    );
    let rows = tx.query(LEFT, &[&i64::from(old)]).await?;
    Ok(rows.first().is_none_or(|row| row.get(0)))
}

/// Complete the reshard: the new shard count applies, and counts from the cut on.
pub async fn finish(tx: &Tx<'_>, old: u32, new: u32, cut: Id<MessageMarker>) -> Result<(), StoreError> {
    stay(tx, new, Some(cut)).await?;
    rows::await_no_guild(tx, old).await?;
    super::forget_sessions(tx, Some(old)).await
}

/// Keep this shard count and remove all others.
async fn stay(tx: &Tx<'_>, count: u32, from: Option<Id<MessageMarker>>) -> Result<(), StoreError> {
    const STAY: Statement = statement!(
        "reshard_stay",
        [INT8, INT8],
        "UPDATE fleet SET shard_count = $1, counts_from = $2, reshard_to = NULL, reshard_cut = NULL, reshard_agreed = false"
    );
    const OTHERS: Statement = statement!(
        "reshard_remove_others",
        [INT8],
        "DELETE FROM shard_lease WHERE shard_count <> $1"
    );
    let count = i64::from(count);
    let from = from.map_or(0, ids::to_db);
    tx.execute(STAY, &[&count, &from]).await?;
    tx.execute(OTHERS, &[&count]).await.map(drop)
}

/// The ID that an object created now would have.
async fn now(tx: &Tx<'_>) -> Result<i64, StoreError> {
    const NOW: Statement = statement!(
        "reshard_now",
        [],
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8"
    );
    let rows = tx.query(NOW, &[]).await?;
    let at = rows.first().map_or(0, |row| row.get(0));
    Ok(ids::at_millis::<MessageMarker>(at).map_or(0, ids::to_db))
}

/// The distance between the IDs of objects created this long after each other.
fn as_distance(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX >> 22) << 22
}
