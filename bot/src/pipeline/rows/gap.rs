//! `gap`: the periods in which shards missed events.

use std::time::SystemTime;

use crate::{
    pipeline::ledger::gap::GapChange,
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::ShardKey,
};

/// A recorded gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The number of the gap.
    pub gap_id: i64,
    /// The total number of shards.
    pub shard_count: i64,
    /// The shard.
    pub shard_id: i64,
    /// The reason for the gap.
    pub reason: String,
    /// The sequence of the last counted event.
    pub last_sequence: i64,
    /// The number of missed events, if the sequence numbers show it.
    pub missing: Option<i64>,
    /// When the shard last received something, in RFC 3339 and UTC.
    pub began_at: String,
    /// When it received events again; `None` while it does not.
    pub ended_at: Option<String>,
    /// The duration so far, in seconds.
    pub seconds: f64,
    /// The number of messages that were read by the backfill and counted.
    pub read_back: i64,
    /// The number of channels that were not read, or not completely: [`backfill::unread`](crate::pipeline::backfill::rows::unread) lists
    /// them.
    pub unread_channels: i64,
}

/// Record the gaps of a batch. The caller's transaction moves the shard's checkpoint, so it happens once.
pub async fn record(tx: &Tx<'_>, shard: ShardKey, changes: &[GapChange]) -> Result<(), StoreError> {
    const NOTICE: Statement = statement!(
        "gap_notice",
        [INT8, INT8, TEXT, TEXT, INT8, INT8, TIMESTAMPTZ, TIMESTAMPTZ],
        "INSERT INTO gap (shard_count, shard_id, reason, session_id, last_sequence, missing, began_at, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    );
    const END: Statement = statement!(
        "gap_end",
        [INT8, INT8, TIMESTAMPTZ],
        "UPDATE gap SET ended_at = $3 WHERE shard_count = $1 AND shard_id = $2 AND ended_at IS NULL"
    );
    let (count, id) = (i64::from(shard.count), i64::from(shard.id));
    for change in changes {
        match change {
            GapChange::Noticed(gap) => {
                let missing = gap.missing.map(u64::cast_signed);
                let last_sequence = gap.last_sequence.cast_signed();
                tx.execute(
                    NOTICE,
                    &[
                        &count,
                        &id,
                        &gap.reason,
                        &gap.session_id,
                        &last_sequence,
                        &missing,
                        &gap.began_at,
                        &gap.ended_at,
                    ],
                )
                .await?;
            }
            GapChange::Ended(at) => {
                tx.execute(END, &[&count, &id, at]).await?;
            }
        }
    }
    Ok(())
}

/// The gaps that were open at or after `since`, newest first.
pub async fn list(store: &Store, since: SystemTime, limit: u32) -> Result<Vec<Recorded>, StoreError> {
    const LIST: Statement = statement!(
        "gap_list",
        [TIMESTAMPTZ, INT8],
        "SELECT gap_id, shard_count, shard_id, reason, last_sequence, missing,
                to_char(began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                extract(epoch FROM coalesce(ended_at, now()) - began_at)::float8, read_back,
                (SELECT count(*) FROM gap_unread AS u WHERE u.gap_id = gap.gap_id)
         FROM gap
         WHERE coalesce(ended_at, now()) >= $1
         ORDER BY began_at DESC, shard_count, shard_id
         LIMIT $2"
    );
    let rows = store.query(LIST, &[&since, &i64::from(limit)]).await?;
    Ok(rows
        .iter()
        .map(|row| Recorded {
            gap_id: row.get(0),
            shard_count: row.get(1),
            shard_id: row.get(2),
            reason: row.get(3),
            last_sequence: row.get(4),
            missing: row.get(5),
            began_at: row.get(6),
            ended_at: row.get(7),
            seconds: row.get(8),
            read_back: row.get(9),
            unread_channels: row.get(10),
        })
        .collect())
}
