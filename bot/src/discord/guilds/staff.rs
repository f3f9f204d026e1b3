//! Users who were seen with permissions of the staff, until they are recorded. The website's lists of servers begin with them.

use std::collections::{BTreeSet, HashSet};

use serde::Deserialize;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::Guilds;
use crate::discord::events::guild_news::GuildNews;

/// Users that wait for being recorded. Beyond that others are skipped: they are seen again.
const WAITING: usize = 200_000;
/// Users that are known to be recorded. Beyond that all are forgotten, and recorded again.
const RECORDED: usize = 50_000;

type Key = (Id<GuildMarker>, Id<UserMarker>);

/// Users who were seen.
#[derive(Debug, Default)]
pub(super) struct SeenStaff {
    /// Those who are not recorded; `None` if they are not recorded.
    waiting: Option<BTreeSet<Key>>,
    recorded: HashSet<Key>,
}

#[derive(Deserialize)]
struct Owned {
    owner_id: Id<UserMarker>,
}

impl SeenStaff {
    fn note(&mut self, key: Key) {
        if let Some(waiting) = &mut self.waiting
            && waiting.len() < WAITING
            && !self.recorded.contains(&key)
        {
            waiting.insert(key);
        }
    }

    /// Note the owner in an event about a guild.
    pub(super) fn hear(&mut self, news: &GuildNews<'_>) {
        if self.waiting.is_some()
            && matches!(news.event_type, "GUILD_CREATE" | "GUILD_UPDATE")
            && let Ok(Owned { owner_id }) = news.object()
        {
            self.note((news.guild_id, owner_id));
        }
    }

    fn take(&mut self) -> Vec<Key> {
        self.waiting
            .as_mut()
            .map(|waiting| std::mem::take(waiting).into_iter().collect())
            .unwrap_or_default()
    }

    fn recorded(&mut self, keys: &[Key]) {
        if self.recorded.len() + keys.len() > RECORDED {
            self.recorded.clear();
        }
        self.recorded.extend(keys.iter().take(RECORDED));
    }
}

impl Guilds {
    /// Keep users who are seen until [`Self::take_staff`] is called. Without this call they are ignored.
    pub(crate) fn watch_staff(&self) {
        self.inner.staff().waiting.get_or_insert_default();
    }

    /// A user has permissions of the staff in a guild.
    pub(crate) fn saw_staff(&self, guild_id: Id<GuildMarker>, user_id: Id<UserMarker>) {
        self.inner.staff().note((guild_id, user_id));
    }

    /// Take the users who were seen since the last call, in key order.
    pub(crate) fn take_staff(&self) -> Vec<Key> {
        self.inner.staff().take()
    }

    /// These users are recorded.
    pub(crate) fn staff_recorded(&self, keys: &[Key]) {
        self.inner.staff().recorded(keys);
    }

    /// These users are not recorded any more.
    pub(crate) fn staff_forgotten(&self, user_id: Id<UserMarker>, guilds: &[Id<GuildMarker>]) {
        let mut staff = self.inner.staff();
        for guild_id in guilds {
            staff.recorded.remove(&(*guild_id, user_id));
        }
    }
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{GuildNews, RECORDED, SeenStaff};

    #[test]
    fn owners_are_noted_once_and_only_if_somebody_records_them() {
        let mut seen = SeenStaff::default();
        let text =
            r#"{"t":"GUILD_CREATE","s":1,"op":0,"d":{"id":"1","name":"a","owner_id":"7","members":[]}}"#;
        let news = GuildNews::scan("GUILD_CREATE", text)
            .expect("an event")
            .expect("a guild");
        seen.hear(&news);
        assert!(seen.take().is_empty());
        seen.waiting = Some([].into());
        seen.hear(&news);
        let key = (Id::new(1), Id::new(7));
        assert_eq!(seen.take(), [key]);
        seen.hear(&news);
        assert_eq!(seen.take(), [key], "it was not recorded");
        seen.recorded(&[key]);
        seen.hear(&news);
        assert!(seen.take().is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = SeenStaff::default();
        for user in 1..=2 * RECORDED as u64 {
            seen.recorded(&[(Id::new(1), Id::new(user))]);
            assert!(seen.recorded.len() <= RECORDED);
        }
    }
}
