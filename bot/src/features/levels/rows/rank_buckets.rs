//! `ranked_guild` and `bucket_count`: guilds whose members have rank buckets, and the number of members per bucket.
//!
//! A guild becomes ranked when a leaderboard of it is read and it has many members: sorting all of them would take too long, and
//! maintaining buckets for all other guilds would add cost to every message. A background task adds the guild, assigns buckets to its
//! members in batches, and compacts the changes of the counts now and then.

use tokio::sync::watch;
use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::{backoff::Backoff, ids, shutdown::stopped},
};

/// Members on a leaderboard from which a guild becomes ranked. Sorting as many takes PostgreSQL 2 ms, and counting them for a rank 1 ms.
pub(crate) const RANKED_FROM: u64 = 2_000;

/// Uncompacted changes of a guild's counts that are allowed: every reader adds them up.
const CHANGES: u64 = 5_000;

/// Members who get buckets per transaction. A flush that touches one of them waits for it.
const BATCH: i64 = 2_000;

/// Counts compacted per transaction.
const COUNTS: i64 = 20_000;

/// Attempts to add a guild while long transactions that have read the table are open, such as a backup.
const TRIES: u32 = 20;

impl Store {
    /// Record that a committed transaction wrote rows of a ranked guild. Its counts are compacted now and then.
    pub(crate) fn wrote_ranked(&self, guild_id: Id<GuildMarker>, rows: u64) {
        self.maintenance.written(guild_id, rows, CHANGES);
    }

    /// Record that a reader sorted this many members of a guild.
    pub(crate) fn was_sorted(&self, guild_id: Id<GuildMarker>, members: u64) {
        if members >= RANKED_FROM {
            self.maintenance.add(guild_id);
        }
    }

    /// Record that a reader added up this many counts of a guild.
    pub(crate) fn was_added_up(&self, guild_id: Id<GuildMarker>, counts: u64) {
        if counts >= CHANGES {
            self.maintenance.add(guild_id);
        }
    }
}

/// Maintain guilds on request by readers and writers, until `stop` is true.
pub(crate) async fn keep(store: Store, mut stop: watch::Receiver<bool>) {
    loop {
        let guild_id = tokio::select! {
            () = stopped(&mut stop) => return,
            guild_id = store.maintenance.next() => guild_id,
        };
        let tended = tokio::select! {
            () = stopped(&mut stop) => return,
            tended = tend(&store, guild_id) => tended,
        };
        if let Err(error) = tended {
            tracing::warn!(
                %error,
                guild.id = guild_id.get(),
                "rank buckets could not be completed; the next read of the leaderboard retries"
            );
        }
    }
}

/// Make a guild ranked, unless it is, and compact its counts. Completes what an earlier attempt left undone.
///
/// # Errors
///
/// 55P03 if transactions that have read `ranked_guild` stay open too long; readers then continue to sort. Completed work is kept.
pub async fn tend(store: &Store, guild_id: Id<GuildMarker>) -> Result<(), StoreError> {
    let guild = ids::to_db(guild_id);
    if !is_added(store, guild).await? {
        let mut backoff = Backoff::new();
        while let Err(error) = add(store, guild).await {
            if !error.is_lock_timeout() || backoff.tries() >= TRIES {
                return Err(error);
            }
            let pause = backoff.pause();
            tokio::time::sleep(pause).await;
        }
    }
    while place(store, guild).await? == Step::More {}
    while fold(store, guild).await? == Step::More {}
    Ok(())
}

/// The state after a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    More,
    /// No work is left, or another process does it.
    Done,
}

async fn is_added(store: &Store, guild: i64) -> Result<bool, StoreError> {
    const IS_ADDED: Statement = statement!(
        "ranked_guild_is_added",
        [INT8],
        "SELECT FROM ranked_guild WHERE guild_id = $1"
    );
    Ok(!store.query(IS_ADDED, &[&guild]).await?.is_empty())
}

/// Make every transaction that starts writing to the guild from now on maintain its buckets.
async fn add(store: &Store, guild: i64) -> Result<(), StoreError> {
    // Flushes queue behind this lock request.
    const PATIENCE: Statement = statement!(
        "ranked_guild_patience",
        [],
        "SELECT set_config('lock_timeout', '100ms', true)"
    );
    // When this is granted, transactions that read the table without the guild have ended.
    const LOCK: Statement = statement!(
        "ranked_guild_lock",
        [],
        "LOCK TABLE ranked_guild IN ACCESS EXCLUSIVE MODE"
    );
    const ADD: Statement = statement!(
        "ranked_guild_add",
        [INT8],
        "INSERT INTO ranked_guild (guild_id) VALUES ($1) ON CONFLICT DO NOTHING"
    );
    store
        .transaction("ranked_guild_add", move |tx| {
            Box::pin(async move {
                tx.query(PATIENCE, &[]).await?;
                tx.execute(LOCK, &[]).await?;
                tx.execute(ADD, &[&guild]).await.map(drop)
            })
        })
        .await
}

/// Set whether the following statements of the transaction maintain the counts themselves, instead of the trigger.
pub(crate) async fn set_counted_by_statements(tx: &Tx<'_>, on: bool) -> Result<(), StoreError> {
    const SET: Statement = statement!(
        "rank_buckets_set_counted",
        [TEXT],
        "SELECT set_config('eventide.counts_itself', $1, true)"
    );
    tx.query(SET, &[&if on { "on" } else { "off" }]).await.map(drop)
}

/// Assign buckets to the next batch of members.
async fn place(store: &Store, guild: i64) -> Result<Step, StoreError> {
    const CLAIM: Statement = statement!(
        "ranked_guild_claim",
        [INT8],
        "SELECT cursor FROM ranked_guild WHERE guild_id = $1 AND NOT placed FOR UPDATE SKIP LOCKED"
    );
    // In key order, as in every writer of the table.
    const LOCK: Statement = statement!(
        "rank_buckets_lock",
        [INT8, INT8, INT8],
        "SELECT user_id FROM member_xp WHERE guild_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3 FOR NO KEY UPDATE"
    );
    // The bounds appear twice, so that no plan scans more of the guild.
    const PLACE: Statement = statement!(
        "rank_buckets_place",
        [INT8, INT8, INT8],
        "WITH old AS MATERIALIZED (
             SELECT user_id, by_xp, by_messages, week, by_week FROM member_xp
             WHERE guild_id = $1 AND user_id > $2 AND user_id <= $3 AND by_xp >= 0
               AND (by_xp, by_messages, by_week)
                   IS DISTINCT FROM (xp_place(xp), message_place(message_count), CASE week WHEN 0 THEN 0 ELSE week_place(xp - week_base) END)
         ), new AS (
             UPDATE member_xp AS m
             SET by_xp = xp_place(m.xp), by_messages = message_place(m.message_count),
                 by_week = CASE m.week WHEN 0 THEN 0 ELSE week_place(m.xp - m.week_base) END
             FROM old WHERE m.guild_id = $1 AND m.user_id > $2 AND m.user_id <= $3 AND m.user_id = old.user_id
             RETURNING m.by_xp, m.by_messages, m.week, m.by_week
         ), moved AS (
             SELECT by_xp, by_messages, week, by_week, -1 AS by FROM old
             UNION ALL SELECT by_xp, by_messages, week, by_week, 1 FROM new
         )
         INSERT INTO bucket_count (guild_id, board, bucket, members)
         SELECT $1, c.board, c.bucket, sum(m.by)
         FROM moved AS m
         CROSS JOIN LATERAL (
             VALUES (0, m.by_xp), (1, m.by_messages), (m.week, CASE WHEN m.week > 1 THEN m.by_week END)
         ) AS c (board, bucket)
         WHERE c.bucket > 0
         GROUP BY c.board, c.bucket HAVING sum(m.by) <> 0"
    );
    const ADVANCE: Statement = statement!(
        "ranked_guild_advance",
        [INT8, INT8, BOOL],
        "UPDATE ranked_guild SET cursor = $2, placed = $3 WHERE guild_id = $1"
    );
    store
        .transaction("rank_buckets_place", move |tx| {
            Box::pin(async move {
                let claimed = tx.query(CLAIM, &[&guild]).await?;
                let Some(cursor) = claimed.first().map(|row| row.get::<_, i64>(0)) else {
                    return Ok(Step::Done);
                };
                let members = tx.query(LOCK, &[&guild, &cursor, &BATCH]).await?;
                let last = members.last().map_or(cursor, |row| row.get(0));
                set_counted_by_statements(tx, true).await?;
                tx.execute(PLACE, &[&guild, &cursor, &last]).await?;
                let is_last = i64::try_from(members.len()).is_ok_and(|members| members < BATCH);
                tx.execute(ADVANCE, &[&guild, &last, &is_last]).await?;
                Ok(if is_last { Step::Done } else { Step::More })
            })
        })
        .await
}

/// Compact some of the guild's counts. Weeks that ended long ago are deleted.
async fn fold(store: &Store, guild: i64) -> Result<Step, StoreError> {
    const CLAIM: Statement = statement!(
        "bucket_count_claim",
        [INT8],
        "SELECT FROM ranked_guild WHERE guild_id = $1 FOR UPDATE SKIP LOCKED"
    );
    // Rows that others append meanwhile are not visible here, and stay.
    const FOLD: Statement = statement!(
        "bucket_count_fold",
        [INT8, INT8],
        "WITH gone AS (
             DELETE FROM bucket_count AS b
             WHERE b.guild_id = $1
               AND b.ctid = ANY (ARRAY(SELECT ctid FROM bucket_count WHERE guild_id = $1 ORDER BY board, bucket, entry LIMIT $2))
             RETURNING b.board, b.bucket, b.members
         ), sums AS (
             INSERT INTO bucket_count (guild_id, board, bucket, members)
             SELECT $1, board, bucket, sum(members)::int8 FROM gone
             WHERE board < 2 OR board > (SELECT max(board) FROM bucket_count WHERE guild_id = $1) - 2
             GROUP BY board, bucket HAVING sum(members) <> 0
         )
         SELECT count(*) FROM gone"
    );
    store
        .transaction("bucket_count_fold", move |tx| {
            Box::pin(async move {
                if tx.query(CLAIM, &[&guild]).await?.is_empty() {
                    return Ok(Step::Done);
                }
                let rows = tx.query(FOLD, &[&guild, &COUNTS]).await?;
                let gone = rows.first().map_or(0, |row| row.get::<_, i64>(0));
                Ok(if gone < COUNTS { Step::Done } else { Step::More })
            })
        })
        .await
}
