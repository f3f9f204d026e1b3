//! Changes on Discord that affect stored guild data.

use std::collections::BTreeSet;

use serde::Deserialize;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, RoleMarker, UserMarker},
};

use super::{Guilds, Sendable};
use crate::discord::{
    events::guild_news::GuildNews,
    rest::{Priority, RestError},
};

/// The maximum number of deleted roles and channels waiting for removal from settings. Others are removed when the settings are listed.
const MOST: usize = 10_000;

/// The changes since the last query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Guilds in which roles changed, including the bot's own: blocked effects may be possible now.
    pub(crate) roles: BTreeSet<Id<GuildMarker>>,
    /// Roles that were deleted.
    pub(crate) deleted_roles: BTreeSet<(Id<GuildMarker>, Id<RoleMarker>)>,
    /// Channels and threads that were deleted.
    pub(crate) deleted_channels: BTreeSet<(Id<GuildMarker>, Id<ChannelMarker>)>,
}

#[derive(Deserialize)]
struct DeletedRole {
    role_id: Id<RoleMarker>,
}

#[derive(Deserialize)]
struct DeletedChannel {
    id: Id<ChannelMarker>,
}

#[derive(Deserialize)]
struct Member {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: Id<UserMarker>,
}

impl Changes {
    /// Whether there are no changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.deleted_roles.is_empty() && self.deleted_channels.is_empty()
    }

    /// Record an event. One that cannot be read has no effect here: [`Guilds::update`] reports it.
    pub(super) fn note(&mut self, me: Option<Id<UserMarker>>, news: &GuildNews<'_>) {
        let guild_id = news.guild_id;
        match news.event_type {
            "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => {
                self.roles.insert(guild_id);
            }
            "GUILD_ROLE_DELETE" => {
                self.roles.insert(guild_id);
                if self.deleted_roles.len() < MOST
                    && let Ok(DeletedRole { role_id }) = news.object()
                {
                    self.deleted_roles.insert((guild_id, role_id));
                }
            }
            "GUILD_MEMBER_UPDATE" => {
                let is_own = |member: Member| me == Some(member.user.id);
                if news.object().is_ok_and(is_own) {
                    self.roles.insert(guild_id);
                }
            }
            "CHANNEL_DELETE" | "THREAD_DELETE" => {
                if self.deleted_channels.len() < MOST
                    && let Ok(DeletedChannel { id }) = news.object()
                {
                    self.deleted_channels.insert((guild_id, id));
                }
            }
            _ => {}
        }
    }

    /// Restore earlier changes that could not be processed.
    fn put_back(&mut self, earlier: Self) {
        self.roles.extend(earlier.roles);
        self.deleted_roles.extend(earlier.deleted_roles);
        self.deleted_channels.extend(earlier.deleted_channels);
    }
}

impl Guilds {
    /// The subset of these roles and channels of a guild that does not exist.
    pub(crate) async fn gone(
        &self,
        guild_id: Id<GuildMarker>,
        roles: &[Id<RoleMarker>],
        channels: &[Id<ChannelMarker>],
        priority: Priority,
    ) -> Result<Changes, RestError> {
        let mut gone = Changes::default();
        if !roles.is_empty() {
            let order = self.order(guild_id, roles, priority).await?;
            let deleted = roles.iter().zip(order).filter(|(_, order)| order.is_none());
            gone.deleted_roles
                .extend(deleted.map(|(role_id, _)| (guild_id, *role_id)));
        }
        for channel_id in channels {
            if self.can_send(guild_id, *channel_id, priority).await? == Sendable::UnknownChannel {
                gone.deleted_channels.insert((guild_id, *channel_id));
            }
        }
        Ok(gone)
    }

    /// Take the changes since the last call.
    pub(crate) fn take_changes(&self) -> Changes {
        std::mem::take(&mut self.inner.changes())
    }

    /// Return changes that could not be processed.
    pub(crate) fn put_back(&self, changes: Changes) {
        self.inner.changes().put_back(changes);
    }
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::Changes;
    use crate::discord::events::guild_news::GuildNews;

    #[test]
    fn what_concerns_settings_is_noted() {
        let mut changes = Changes::default();
        let me = Some(Id::new(7));
        for (event_type, data) in [
            ("GUILD_ROLE_UPDATE", r#"{"guild_id":"1","role":{"id":"5"}}"#),
            ("GUILD_ROLE_DELETE", r#"{"guild_id":"2","role_id":"6"}"#),
            (
                "GUILD_MEMBER_UPDATE",
                r#"{"guild_id":"3","user":{"id":"7"},"roles":[]}"#,
            ),
            (
                "GUILD_MEMBER_UPDATE",
                r#"{"guild_id":"4","user":{"id":"8"},"roles":[]}"#,
            ),
            ("CHANNEL_DELETE", r#"{"guild_id":"5","id":"9"}"#),
            ("CHANNEL_UPDATE", r#"{"guild_id":"6","id":"9"}"#),
        ] {
            let text = format!(r#"{{"t":"{event_type}","s":1,"op":0,"d":{data}}}"#);
            let news = GuildNews::scan(event_type, &text)
                .expect("an event")
                .expect("it is in a guild");
            changes.note(me, &news);
        }
        let expected = Changes {
            roles: [1, 2, 3].map(Id::new).into(),
            deleted_roles: [(Id::new(2), Id::new(6))].into(),
            deleted_channels: [(Id::new(5), Id::new(9))].into(),
        };
        assert_eq!(changes, expected);
    }
}
