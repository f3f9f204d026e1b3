//! `GUILD_AUDIT_LOG_ENTRY_CREATE`: an entry of a guild's audit log, as far as it is about moderation.
//!
//! <https://docs.discord.com/developers/resources/audit-log#audit-log-entry-object>

use serde::{Deserialize, Serialize};
use twilight_model::{
    id::{
        Id,
        marker::{AuditLogEntryMarker, GuildMarker, UserMarker},
    },
    util::Timestamp,
};

use super::message_create::Unreadable;
use crate::support::ids::{self, Millis};

const MEMBER_KICK: u16 = 20;
const MEMBER_BAN_ADD: u16 = 22;
const MEMBER_BAN_REMOVE: u16 = 23;
const MEMBER_UPDATE: u16 = 24;

/// A moderation action in an audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The ID of the entry, which contains its time.
    pub id: Id<AuditLogEntryMarker>,
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// What was done.
    pub done: Done,
    /// The user to whom it was done.
    pub target_id: Id<UserMarker>,
    /// The user or bot who did it.
    pub user_id: Id<UserMarker>,
    /// The reason; empty for none. At most 512 characters.
    pub reason: String,
}

/// What was done to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// They were banned.
    Ban,
    /// Their ban was lifted.
    Unban,
    /// They were removed from the guild.
    Kick,
    /// They are in timeout until this time.
    Timeout {
        /// In milliseconds since 1970.
        until: Millis,
    },
    /// Their timeout was lifted.
    Untimeout,
}

#[derive(Deserialize)]
struct Payload<T> {
    d: T,
}

/// What every entry has.
#[derive(Deserialize)]
struct Head {
    id: Id<AuditLogEntryMarker>,
    guild_id: Id<GuildMarker>,
    action_type: u16,
}

/// An entry about a user.
#[derive(Deserialize)]
struct Body {
    /// Integrations have none.
    #[serde(default)]
    user_id: Option<Id<UserMarker>>,
    #[serde(default)]
    target_id: Option<Id<UserMarker>>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    key: String,
    /// Absent if the value was removed.
    #[serde(default)]
    new_value: serde_json::Value,
}

impl AuditEntry {
    /// Parse a gateway payload. `None` for an entry about something else, or without a user who did it.
    ///
    /// # Errors
    ///
    /// The payload is not this event. The error never quotes it.
    pub fn parse(text: &str) -> Result<Option<Self>, Unreadable> {
        let Head {
            id,
            guild_id,
            action_type,
        } = serde_json::from_str::<Payload<Head>>(text)?.d;
        if !matches!(
            action_type,
            MEMBER_KICK | MEMBER_BAN_ADD | MEMBER_BAN_REMOVE | MEMBER_UPDATE
        ) {
            return Ok(None);
        }
        let body = serde_json::from_str::<Payload<Body>>(text)?.d;
        let (Some(user_id), Some(target_id)) = (body.user_id, body.target_id) else {
            return Ok(None);
        };
        let done = match action_type {
            MEMBER_KICK => Some(Done::Kick),
            MEMBER_BAN_ADD => Some(Done::Ban),
            MEMBER_BAN_REMOVE => Some(Done::Unban),
            _ => timeout(&body.changes, ids::millis(id)),
        };
        Ok(done.map(|done| Self {
            id,
            guild_id,
            done,
            target_id,
            user_id,
            reason: body.reason.unwrap_or_default(),
        }))
    }

    /// When it was done.
    pub fn at(&self) -> Millis {
        ids::millis(self.id)
    }
}

/// What a change of a member does to their timeout. A timeout that has already ended counts as none.
fn timeout(changes: &[Change], at: Millis) -> Option<Done> {
    let end = changes
        .iter()
        .find(|change| change.key == "communication_disabled_until")?;
    let until = end
        .new_value
        .as_str()
        .and_then(|until| Timestamp::parse(until).ok());
    let until = until.map(|until| until.as_micros() / 1_000);
    Some(match until.filter(|until| *until > at) {
        Some(until) => Done::Timeout { until },
        None => Done::Untimeout,
    })
}

#[cfg(test)]
mod tests;
