//! `mod_case`, as far as it is about the message of the log channel that shows a case.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker},
};

use super::case::Key;
use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids,
};

/// The message about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogMessage {
    /// Its channel.
    pub channel_id: Id<ChannelMarker>,
    /// The message.
    pub message_id: Id<MessageMarker>,
    /// How often the case has changed since the message was written.
    pub revision: i64,
}

/// Count a change that the message shows. `None` if there is no message, or not yet: [`posted`] finds the change then.
pub async fn changed(tx: &Tx<'_>, (guild_id, case_id): Key) -> Result<Option<LogMessage>, StoreError> {
    const CHANGED: Statement = statement!(
        "mod_case_log_changed",
        [INT8, INT8],
        "UPDATE mod_case SET log_revision = log_revision + 1 WHERE guild_id = $1 AND case_id = $2
         RETURNING log_channel_id, log_message_id, log_revision"
    );
    let rows = tx.query(CHANGED, &[&ids::to_db(guild_id), &case_id]).await?;
    Ok(rows.first().and_then(|row| {
        Some(LogMessage {
            channel_id: ids::from_db(row.get::<_, Option<i64>>(0)?)?,
            message_id: ids::from_db(row.get::<_, Option<i64>>(1)?)?,
            revision: row.get(2),
        })
    }))
}

/// Record the message, with its language. Returns how often the case has changed since it was made; `None` if it is gone.
pub async fn posted(
    tx: &Tx<'_>,
    (guild_id, case_id): Key,
    (channel_id, message_id): (Id<ChannelMarker>, Id<MessageMarker>),
    locale: &str,
) -> Result<Option<i64>, StoreError> {
    const POSTED: Statement = statement!(
        "mod_case_log_posted",
        [INT8, INT8, INT8, INT8, TEXT],
        "UPDATE mod_case SET log_channel_id = $3, log_message_id = $4, log_locale = $5
         WHERE guild_id = $1 AND case_id = $2 RETURNING log_revision"
    );
    let (guild, channel, message) = (
        ids::to_db(guild_id),
        ids::to_db(channel_id),
        ids::to_db(message_id),
    );
    let rows = tx
        .query(POSTED, &[&guild, &case_id, &channel, &message, &locale])
        .await?;
    Ok(rows.first().map(|row| row.get(0)))
}
