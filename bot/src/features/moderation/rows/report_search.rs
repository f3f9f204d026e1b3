//! Lists of reports, for the staff.

use std::time::SystemTime;

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    support::ids,
};

/// A report in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) report_id: Id<InteractionMarker>,
    /// Whom it is about.
    pub(crate) user_id: Id<UserMarker>,
    pub(crate) created_at: SystemTime,
    pub(crate) claimed_by: Option<Id<UserMarker>>,
    pub(crate) closed_by: Option<Id<UserMarker>>,
    pub(crate) case_id: Option<i64>,
    /// How many members reported, and what the first of them wrote.
    pub(crate) members: i64,
    pub(crate) reason: Option<String>,
}

/// Which reports to list; `None` for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) user_id: Option<Id<UserMarker>>,
    pub(crate) reporter_id: Option<Id<UserMarker>>,
    pub(crate) is_open: Option<bool>,
    /// A part of what a member wrote.
    pub(crate) text: Option<String>,
    /// Only reports below this number.
    pub(crate) before: Option<Id<InteractionMarker>>,
}

impl Listed {
    fn of(row: &Row) -> Option<Self> {
        let id = |column: usize| row.get::<_, Option<i64>>(column).and_then(ids::from_db);
        Some(Self {
            report_id: ids::from_db(row.get(0))?,
            user_id: ids::from_db(row.get(1))?,
            created_at: row.get(2),
            claimed_by: id(3),
            closed_by: id(4),
            case_id: row.get(5),
            members: row.get(6),
            reason: row.get(7),
        })
    }
}

/// A part of a guild's reports, the newest first.
pub(crate) async fn list(
    store: &Store,
    guild_id: Id<GuildMarker>,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    const LIST: Statement = statement!(
        "report_list",
        [INT8, INT8, INT8, BOOL, TEXT, INT8, INT8],
        "SELECT r.report_id, r.user_id, r.created_at, r.claimed_by, r.closed_by, r.case_id,
                (SELECT count(*) FROM report_entry AS e WHERE e.guild_id = r.guild_id AND e.report_id = r.report_id),
                (SELECT e.reason FROM report_entry AS e WHERE e.guild_id = r.guild_id AND e.report_id = r.report_id
                 ORDER BY e.created_at, e.user_id LIMIT 1)
         FROM report AS r
         WHERE r.guild_id = $1 AND ($2::int8 IS NULL OR r.user_id = $2)
           AND ($3::int8 IS NULL OR EXISTS (SELECT FROM report_entry AS e
                                            WHERE e.guild_id = $1 AND e.report_id = r.report_id AND e.user_id = $3))
           AND ($4::bool IS NULL OR (r.closed_at IS NULL) = $4)
           AND ($5::text IS NULL OR EXISTS (SELECT FROM report_entry AS e
                                            WHERE e.guild_id = $1 AND e.report_id = r.report_id
                                              AND position(lower($5) IN lower(e.reason)) > 0))
           AND ($6::int8 IS NULL OR r.report_id < $6)
         ORDER BY r.report_id DESC LIMIT $7"
    );
    let id = |id: Option<Id<UserMarker>>| id.map(ids::to_db);
    let before = wanted.before.map(ids::to_db);
    let rows = store
        .query(
            LIST,
            &[
                &ids::to_db(guild_id),
                &id(wanted.user_id),
                &id(wanted.reporter_id),
                &wanted.is_open,
                &wanted.text,
                &before,
                &limit,
            ],
        )
        .await?;
    Ok(rows.iter().filter_map(Listed::of).collect())
}
