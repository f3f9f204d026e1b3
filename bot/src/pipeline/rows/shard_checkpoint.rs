//! `shard_checkpoint`: the point up to which each shard's events are in the tables.
//!
//! A writer moves a checkpoint only if its fence equals the stored one and its revision is the next one: the former keeps a process from
//! writing after its shard was taken, and the latter keeps a flush from being applied twice, whatever happened to its first COMMIT.
//!
//! A fence consists of a number and a random token. After a failover to a standby without the newest transactions, two owners may have been
//! given the same number, one in the lost history and one in the current one. Their tokens differ.

use std::{collections::HashSet, time::SystemTime};

use tokio_postgres::Row;
use twilight_model::id::{Id, marker::MessageMarker};

use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids::{self, ShardKey},
};

/// A session that can be resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPoint {
    /// The ID of the session, from READY.
    pub session_id: String,
    /// The URL for resuming, from READY.
    pub resume_url: Option<String>,
    /// Everything up to this sequence is in the tables.
    pub sequence: u64,
}

/// Identifies the writes of a shard's owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fence {
    /// Greater than that of every earlier owner, in this history of the database.
    pub number: i64,
    /// Random.
    pub token: i64,
}

/// What a process gets when it takes a shard.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The fence for its writes.
    pub fence: Fence,
    /// The revision of the last flush.
    pub revision: i64,
    /// Where to resume; `None` if there is no session to resume.
    pub session: Option<SessionPoint>,
    /// The newest message that the shard has seen; `None` before the first.
    pub last_message_id: Option<Id<MessageMarker>>,
    /// The time of the last flush.
    pub updated_at: SystemTime,
}

/// A checkpoint to be moved.
#[derive(Clone, Debug)]
pub struct Advance {
    /// The shard.
    pub shard: ShardKey,
    /// The fence with which the shard was taken.
    pub fence: Fence,
    /// The new revision; the stored one must be the previous one.
    pub revision: i64,
    /// The session and its position; `None` if there is no session to resume.
    pub session: Option<SessionPoint>,
    /// The newest message that the shard has seen.
    pub last_message_id: Option<Id<MessageMarker>>,
}

/// The result of one shard's [`Advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// It is moved by the current transaction.
    Now,
    /// It was already moved: an earlier attempt succeeded although its COMMIT was not confirmed.
    Before,
    /// Another process has taken the shard. The changes of this one must not be written.
    Fenced,
    /// PostgreSQL rejects the update, or the rows that must be written with it. Nothing of the batch is written.
    Refused,
}

/// Take a shard for this process: writes of all earlier owners are rejected from now on.
pub async fn take(tx: &Tx<'_>, shard: ShardKey) -> Result<Taken, StoreError> {
    const TAKE: Statement = statement!(
        "shard_checkpoint_take",
        [INT8, INT8, INT8],
        "INSERT INTO shard_checkpoint AS c (shard_count, shard_id, fence, token) VALUES ($1, $2, 1, $3)
         ON CONFLICT (shard_count, shard_id) DO UPDATE SET fence = c.fence + 1, token = excluded.token
         RETURNING fence, token, revision, session_id, resume_url, sequence, updated_at, last_message_id"
    );
    let rows = tx
        .query(
            TAKE,
            &[&i64::from(shard.count), &i64::from(shard.id), &fastrand::i64(..)],
        )
        .await?;
    let row = rows.first().expect("an upsert returns its row");
    let session = row
        .get::<_, Option<String>>("session_id")
        .map(|session_id| SessionPoint {
            session_id,
            resume_url: row.get("resume_url"),
            sequence: row.get::<_, i64>("sequence").cast_unsigned(),
        });
    Ok(Taken {
        fence: fence_of(row),
        revision: row.get("revision"),
        session,
        last_message_id: row
            .get::<_, Option<i64>>("last_message_id")
            .and_then(ids::from_db),
        updated_at: row.get("updated_at"),
    })
}

/// Move the checkpoints of one transaction, which locks them. The results are in the order of the arguments.
///
/// `advances` are sorted by shard: two writers that lock the same rows in different orders would deadlock.
pub async fn advance(tx: &Tx<'_>, advances: &[&Advance]) -> Result<Vec<Advanced>, StoreError> {
    const ADVANCE: Statement = statement!(
        "shard_checkpoint_advance",
        [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, TEXT_ARRAY, TEXT_ARRAY, INT8_ARRAY, INT8_ARRAY],
        "UPDATE shard_checkpoint AS c
         SET revision = b.revision, session_id = b.session_id, resume_url = b.resume_url, sequence = b.sequence,
             last_message_id = b.last_message_id, updated_at = now()
         FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::text[], $7::text[], $8::int8[], $9::int8[])
           WITH ORDINALITY
           AS b (shard_count, shard_id, fence, token, revision, session_id, resume_url, sequence, last_message_id, place)
         WHERE c.shard_count = b.shard_count AND c.shard_id = b.shard_id
           AND c.fence = b.fence AND c.token = b.token AND c.revision = b.revision - 1
         RETURNING b.place"
    );
    let counts: Vec<i64> = advances.iter().map(|a| i64::from(a.shard.count)).collect();
    let ids: Vec<i64> = advances.iter().map(|a| i64::from(a.shard.id)).collect();
    let fences: Vec<i64> = advances.iter().map(|a| a.fence.number).collect();
    let tokens: Vec<i64> = advances.iter().map(|a| a.fence.token).collect();
    let revisions: Vec<i64> = advances.iter().map(|a| a.revision).collect();
    let sessions = |a: &&Advance| a.session.as_ref().map(|s| s.session_id.clone());
    let session_ids: Vec<Option<String>> = advances.iter().map(sessions).collect();
    let urls = |a: &&Advance| a.session.as_ref().and_then(|s| s.resume_url.clone());
    let resume_urls: Vec<Option<String>> = advances.iter().map(urls).collect();
    let sequences: Vec<i64> = advances
        .iter()
        .map(|a| a.session.as_ref().map_or(0, |s| s.sequence.cast_signed()))
        .collect();
    let newest: Vec<Option<i64>> = advances
        .iter()
        .map(|a| a.last_message_id.map(ids::to_db))
        .collect();
    let rows = tx
        .query(
            ADVANCE,
            &[
                &counts,
                &ids,
                &fences,
                &tokens,
                &revisions,
                &session_ids,
                &resume_urls,
                &sequences,
                &newest,
            ],
        )
        .await?;
    // Not by shard: a lane can contain batches from an earlier ownership of a shard by this process together with those of a later one.
    let moved: HashSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    let mut outcomes = Vec::with_capacity(advances.len());
    for (advance, place) in advances.iter().zip(1..) {
        outcomes.push(if moved.contains(&place) {
            Advanced::Now
        } else {
            why_not(tx, advance).await?
        });
    }
    Ok(outcomes)
}

/// Why a checkpoint was not moved.
async fn why_not(tx: &Tx<'_>, advance: &Advance) -> Result<Advanced, StoreError> {
    const READ: Statement = statement!(
        "shard_checkpoint_read",
        [INT8, INT8],
        "SELECT fence, token, revision FROM shard_checkpoint WHERE shard_count = $1 AND shard_id = $2"
    );
    let shard = advance.shard;
    let rows = tx
        .query(READ, &[&i64::from(shard.count), &i64::from(shard.id)])
        .await?;
    // A missing row, for example in an emptied table, belongs to no process: the shard has to be taken again.
    let same = rows.first().is_some_and(|row| {
        fence_of(row) == advance.fence && row.get::<_, i64>("revision") == advance.revision
    });
    Ok(if same { Advanced::Before } else { Advanced::Fenced })
}

fn fence_of(row: &Row) -> Fence {
    Fence {
        number: row.get("fence"),
        token: row.get("token"),
    }
}
