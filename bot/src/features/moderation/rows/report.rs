//! `report` and `report_entry`: what members reported to the staff, and who did.

use std::time::SystemTime;

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, InteractionMarker, MessageMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// The reports about a member, without the staff that dealt with them.
pub(crate) const EXPORT: Statement = statement!(
    "export_report",
    [INT8, INT8],
    "SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(t) - '{claimed_by,closed_by,staff_channel_id,staff_message_id}'::text[]
                                            ORDER BY report_id), '[]'))
     FROM report AS t WHERE guild_id = $1 AND user_id = $2"
);

/// A report of a guild.
pub(crate) type Key = (Id<GuildMarker>, Id<InteractionMarker>);

/// A message of a channel.
pub(crate) type Message = (Id<ChannelMarker>, Id<MessageMarker>);

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Whom it is about.
    pub(crate) user_id: Id<UserMarker>,
    /// The message that it is about.
    pub(crate) message: Option<Message>,
    pub(crate) staff_channel_id: Id<ChannelMarker>,
    /// The message by which the staff sees it, once it is sent.
    pub(crate) staff_message_id: Option<Id<MessageMarker>>,
    pub(crate) claimed_by: Option<Id<UserMarker>>,
    pub(crate) closed_by: Option<Id<UserMarker>>,
    /// The case that it led to.
    pub(crate) case_id: Option<i64>,
}

/// What one member reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) user_id: Id<UserMarker>,
    pub(crate) reason: String,
    pub(crate) created_at: SystemTime,
    pub(crate) locale: String,
}

impl Report {
    /// The buttons that change no member: a report that is claimed can be released, by any moderator.
    pub(crate) const fn decisions(&self) -> [&'static str; 2] {
        let claim = if self.claimed_by.is_some() {
            "release"
        } else {
            "claim"
        };
        [claim, "dismiss"]
    }

    fn of(row: &tokio_postgres::Row) -> Option<Self> {
        let id = |column: usize| row.get::<_, Option<i64>>(column);
        let message = id(1).and_then(ids::from_db).zip(id(2).and_then(ids::from_db));
        Some(Self {
            user_id: ids::from_db(row.get(0))?,
            message,
            staff_channel_id: ids::from_db(row.get(3))?,
            staff_message_id: id(4).and_then(ids::from_db),
            claimed_by: id(5).and_then(ids::from_db),
            closed_by: id(6).and_then(ids::from_db),
            case_id: id(7),
        })
    }

    /// Whether the staff is done with it.
    pub(crate) const fn is_closed(&self) -> bool {
        self.closed_by.is_some()
    }
}

// Shared by reads inside and outside of transactions.
const GET: Statement = statement!(
    "report_get",
    [INT8, INT8],
    "SELECT user_id, message_channel_id, message_id, staff_channel_id, staff_message_id, claimed_by, closed_by, case_id
     FROM report WHERE guild_id = $1 AND report_id = $2"
);

const ENTRIES: Statement = statement!(
    "report_entries",
    [INT8, INT8],
    "SELECT user_id, reason, created_at, locale FROM report_entry WHERE guild_id = $1 AND report_id = $2 ORDER BY created_at, user_id"
);

fn keys(key: Key) -> (i64, i64) {
    (ids::to_db(key.0), ids::to_db(key.1))
}

/// A report.
pub(crate) async fn get(store: &Store, key: Key) -> Result<Option<Report>, StoreError> {
    let (guild, report) = keys(key);
    let rows = store.query(GET, &[&guild, &report]).await?;
    Ok(rows.first().and_then(Report::of))
}

/// Like [`get`], within a transaction.
pub(crate) async fn get_in(tx: &Tx<'_>, key: Key) -> Result<Option<Report>, StoreError> {
    let (guild, report) = keys(key);
    let rows = tx.query(GET, &[&guild, &report]).await?;
    Ok(rows.first().and_then(Report::of))
}

fn entries_of(rows: &[tokio_postgres::Row]) -> Vec<Entry> {
    let read = |row: &tokio_postgres::Row| {
        Some(Entry {
            user_id: ids::from_db(row.get(0))?,
            reason: row.get(1),
            created_at: row.get(2),
            locale: row.get(3),
        })
    };
    rows.iter().filter_map(read).collect()
}

/// Who made a report, the first ones first.
pub(crate) async fn entries(store: &Store, key: Key) -> Result<Vec<Entry>, StoreError> {
    let (guild, report) = keys(key);
    Ok(entries_of(&store.query(ENTRIES, &[&guild, &report]).await?))
}

/// Like [`entries`], within a transaction.
pub(crate) async fn entries_in(tx: &Tx<'_>, key: Key) -> Result<Vec<Entry>, StoreError> {
    let (guild, report) = keys(key);
    Ok(entries_of(&tx.query(ENTRIES, &[&guild, &report]).await?))
}

/// The open report of a message by this author.
pub(crate) async fn open_of(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    (_, message_id): Message,
    user_id: Id<UserMarker>,
) -> Result<Option<Id<InteractionMarker>>, StoreError> {
    const OPEN: Statement = statement!(
        "report_open_of",
        [INT8, INT8, INT8],
        "SELECT report_id FROM report WHERE guild_id = $1 AND message_id = $2 AND user_id = $3 AND closed_at IS NULL"
    );
    let (guild, message, user) = (ids::to_db(guild_id), ids::to_db(message_id), ids::to_db(user_id));
    let rows = tx.query(OPEN, &[&guild, &message, &user]).await?;
    Ok(rows.first().and_then(|row| ids::from_db(row.get(0))))
}

/// Insert a report.
pub(crate) async fn add(
    tx: &Tx<'_>,
    key: Key,
    (user_id, message): (Id<UserMarker>, Option<Message>),
    staff_channel_id: Id<ChannelMarker>,
    at: SystemTime,
) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "report_add",
        [INT8, INT8, INT8, INT8, INT8, INT8, TIMESTAMPTZ],
        "INSERT INTO report (guild_id, report_id, user_id, message_channel_id, message_id, staff_channel_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    );
    let (guild, report) = keys(key);
    let (channel, message) = (
        message.map(|(channel_id, _)| ids::to_db(channel_id)),
        message.map(|(_, message_id)| ids::to_db(message_id)),
    );
    let (user, staff) = (ids::to_db(user_id), ids::to_db(staff_channel_id));
    tx.execute(ADD, &[&guild, &report, &user, &channel, &message, &staff, &at])
        .await
        .map(drop)
}

/// Add what a member reports. False if they have reported the same before.
pub(crate) async fn add_entry(tx: &Tx<'_>, key: Key, entry: &Entry) -> Result<bool, StoreError> {
    const ADD: Statement = statement!(
        "report_entry_add",
        [INT8, INT8, INT8, TEXT, TIMESTAMPTZ, TEXT],
        "INSERT INTO report_entry (guild_id, report_id, user_id, reason, created_at, locale) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING"
    );
    let (guild, report) = keys(key);
    let user = ids::to_db(entry.user_id);
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
        &guild,
        &report,
        &user,
        &entry.reason,
        &entry.created_at,
        &entry.locale,
    ];
    let added = tx.execute(ADD, &params).await?;
    Ok(added > 0)
}

/// How often a member reported in this time.
pub(crate) async fn count_since(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    (after, until): (SystemTime, SystemTime),
) -> Result<i64, StoreError> {
    const COUNT: Statement = statement!(
        "report_count_since",
        [INT8, INT8, TIMESTAMPTZ, TIMESTAMPTZ],
        "SELECT count(*) FROM report_entry WHERE guild_id = $1 AND user_id = $2 AND created_at > $3 AND created_at <= $4"
    );
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = tx.query(COUNT, &[&guild, &user, &after, &until]).await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// Record the moderator who has claimed a report that is open; `None` if nobody has.
pub(crate) async fn claim(
    tx: &Tx<'_>,
    key: Key,
    moderator_id: Option<Id<UserMarker>>,
) -> Result<(), StoreError> {
    const CLAIM: Statement = statement!(
        "report_claim",
        [INT8, INT8, INT8],
        "UPDATE report SET claimed_by = $3 WHERE guild_id = $1 AND report_id = $2 AND closed_at IS NULL"
    );
    let (guild, report) = keys(key);
    tx.execute(CLAIM, &[&guild, &report, &moderator_id.map(ids::to_db)])
        .await
        .map(drop)
}

/// Close a report. False if it is closed, or does not exist.
pub(crate) async fn close(
    tx: &Tx<'_>,
    key: Key,
    moderator_id: Id<UserMarker>,
    at: SystemTime,
) -> Result<bool, StoreError> {
    const CLOSE: Statement = statement!(
        "report_close",
        [INT8, INT8, INT8, TIMESTAMPTZ],
        "UPDATE report SET closed_by = $3, closed_at = $4
         WHERE guild_id = $1 AND report_id = $2 AND closed_at IS NULL"
    );
    let (guild, report) = keys(key);
    let closed = tx
        .execute(CLOSE, &[&guild, &report, &ids::to_db(moderator_id), &at])
        .await?;
    Ok(closed > 0)
}

/// Record the case that a report led to.
pub(crate) async fn led_to(tx: &Tx<'_>, key: Key, case_id: i64) -> Result<(), StoreError> {
    const LED_TO: Statement = statement!(
        "report_led_to",
        [INT8, INT8, INT8],
        "UPDATE report SET case_id = $3 WHERE guild_id = $1 AND report_id = $2"
    );
    let (guild, report) = keys(key);
    tx.execute(LED_TO, &[&guild, &report, &case_id]).await.map(drop)
}

/// Record the message by which the staff sees a report.
pub(crate) async fn shown(store: &Store, key: Key, message_id: Id<MessageMarker>) -> Result<(), StoreError> {
    const SHOWN: Statement = statement!(
        "report_shown",
        [INT8, INT8, INT8],
        "UPDATE report SET staff_message_id = $3 WHERE guild_id = $1 AND report_id = $2 RETURNING 1"
    );
    let (guild, report) = keys(key);
    store
        .query(SHOWN, &[&guild, &report, &ids::to_db(message_id)])
        .await
        .map(drop)
}
