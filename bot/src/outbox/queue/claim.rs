//! `outbox_lane`: which lanes a process delivers next.

use std::time::Duration;

use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    support::ids,
};

/// The urgency of a lane. Punishments do not wait for rewards, and bulk effects come last in their guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A punishment, with the message that precedes it.
    Urgent,
    /// An effect of a single event.
    Usual,
    /// One of many effects of a command, or an effect that was set aside.
    Bulk,
}

impl Urgency {
    pub(super) const fn to_db(self) -> i64 {
        self as i64
    }

    const fn from_db(stored: i64) -> Self {
        match stored {
            0 => Self::Urgent,
            1 => Self::Usual,
            _ => Self::Bulk,
        }
    }
}

/// A lane claimed by this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The guild that it belongs to.
    pub guild_id: Id<GuildMarker>,
    /// The ID within the guild.
    pub lane_id: i64,
    /// Its urgency at the time of the claim.
    pub urgency: Urgency,
    pub(super) claim: i64,
    pub(super) version: i64,
}

/// Criteria for a claim.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The largest number of urgent lanes.
    pub urgent: usize,
    /// The largest number of other lanes.
    pub others: usize,
    /// The largest number of other lanes per guild.
    pub of_one_guild: usize,
    /// Guilds from which no non-urgent lanes are wanted: enough of theirs are being delivered.
    pub busy: Vec<Id<GuildMarker>>,
    /// Guilds from which no bulk lanes are wanted: Discord currently rate-limits them.
    pub limited: Vec<Id<GuildMarker>>,
    /// Guilds take turns; those after this one come first.
    pub after: Option<Id<GuildMarker>>,
    /// The duration of the lease.
    pub lease: Duration,
}

/// Claim lanes that are due: the urgent ones, and of the others one per guild, then a second one per guild, and so on. So a guild with
/// thousands of lanes does not delay other guilds. Within a guild, more urgent lanes come first, then those due for longest.
pub async fn claim(store: &Store, wanted: &Wanted) -> Result<Vec<Lane>, StoreError> {
    // Skips from guild to guild by the index instead of scanning lanes. `statement_timestamp()` is constant within the statement, so it is
    // an index condition too.
    const CLAIM: Statement = statement!(
        "outbox_claim",
        [INT8, INT8, INT8, INT8_ARRAY, INT8_ARRAY, INT8, FLOAT8],
        "WITH RECURSIVE guilds (guild_id, at) AS (
             (SELECT l.guild_id, 1::int8 FROM outbox_lane AS l
              WHERE l.guild_id > $6 AND l.urgency > 0 AND l.due_at <= statement_timestamp()
                AND l.guild_id <> ALL ($4) AND (l.urgency < 2 OR l.guild_id <> ALL ($5)) AND $2 > 0
              ORDER BY l.guild_id LIMIT 1)
             UNION ALL
             SELECT (SELECT l.guild_id FROM outbox_lane AS l
                     WHERE l.guild_id > g.guild_id AND l.urgency > 0 AND l.due_at <= statement_timestamp()
                       AND l.guild_id <> ALL ($4) AND (l.urgency < 2 OR l.guild_id <> ALL ($5))
                     ORDER BY l.guild_id LIMIT 1), g.at + 1
             FROM guilds AS g WHERE g.guild_id IS NOT NULL AND g.at < $2
         ), urgent AS (
             SELECT guild_id, lane_id FROM outbox_lane WHERE urgency = 0 AND due_at <= statement_timestamp()
             ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
         ), others AS (
             SELECT guild_id, lane_id FROM (
                 SELECT f.guild_id, f.lane_id,
                        row_number() OVER (PARTITION BY f.guild_id ORDER BY f.urgency, f.due_at) AS turn
                 FROM guilds AS g CROSS JOIN LATERAL (
                     SELECT l.guild_id, l.lane_id, l.urgency, l.due_at FROM outbox_lane AS l
                     WHERE l.guild_id = g.guild_id AND l.urgency > 0 AND l.due_at <= statement_timestamp()
                       AND (l.urgency < 2 OR l.guild_id <> ALL ($5))
                     ORDER BY l.urgency, l.due_at LIMIT $3 FOR UPDATE SKIP LOCKED
                 ) AS f
             ) AS fair ORDER BY turn, guild_id LIMIT $2
         ), due AS (SELECT * FROM urgent UNION ALL SELECT * FROM others)
         UPDATE outbox_lane AS l SET claim = l.claim + 1, due_at = clock_timestamp() + make_interval(secs => $7)
         FROM due WHERE l.guild_id = due.guild_id AND l.lane_id = due.lane_id
         RETURNING l.guild_id, l.lane_id, l.claim, l.version, l.urgency"
    );
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let ids = |guilds: &[Id<GuildMarker>]| guilds.iter().copied().map(ids::to_db).collect::<Vec<_>>();
    let rows = store
        .query(
            CLAIM,
            &[
                &number(wanted.urgent),
                &number(wanted.others),
                &number(wanted.of_one_guild),
                &ids(&wanted.busy),
                &ids(&wanted.limited),
                &wanted.after.map_or(0, ids::to_db),
                &wanted.lease.as_secs_f64(),
            ],
        )
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some(Lane {
                guild_id: ids::from_db(row.get(0))?,
                lane_id: row.get(1),
                claim: row.get(2),
                version: row.get(3),
                urgency: Urgency::from_db(row.get(4)),
            })
        })
        .collect())
}
