//! Member names, for lists of members.
//!
//! A client shows a mention as a raw ID if it does not know the member, which is usual in large guilds and certain for members who have
//! left.

use std::{collections::HashMap, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::{Guilds, Inner, User};
use crate::{
    discord::rest::{Priority, RestError, Retry},
    support::text::names::Name,
    telemetry::task::{self, Task},
};

/// The maximum number of cached names, about 150 bytes each. Beyond that the cache is cleared: reading a name again costs one request.
const KEPT: usize = 20_000;
/// The maximum number of names that are looked up for pages of the website at a time. Discord answers about 25 such requests a second, so
/// more would only make each of them wait.
const LOOKUPS: usize = 100;
/// The maximum number of pages with forms, and of pictures, that wait for names at a time.
pub(super) const PAGES_WAIT: usize = 4;
/// How long a name is cached. Updates of names need a privileged intent.
const LASTS: Duration = Duration::from_hours(1);
/// How long pages do without a name after Discord did not answer.
const FAILURE_LASTS: Duration = Duration::from_mins(1);

type Key = (Id<GuildMarker>, Id<UserMarker>);

/// What is known of a name: `None` if Discord returned none.
type Known = Option<Name>;

/// The cached names.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<Key, (Known, Instant)>);

/// The lookups for pages, by their members. Those that have ended are removed when there are many.
pub(super) type Lookups = HashMap<Key, Task<()>>;

/// The names that a page shows.
#[derive(Debug, Default)]
pub(crate) struct KnownNames {
    /// Those that are known.
    pub(crate) names: HashMap<Id<UserMarker>, Name>,
    /// Whether others are being looked up, so that the page will show more of them soon.
    pub(crate) are_coming: bool,
}

impl Names {
    fn get(&self, key: Key) -> Option<Known> {
        let (name, until) = self.0.get(&key)?;
        (*until > Instant::now()).then(|| name.clone())
    }

    fn keep(&mut self, key: Key, name: Known, lasts: Duration) {
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        self.0.insert(key, (name, Instant::now() + lasts));
    }
}

#[derive(Deserialize)]
struct Member {
    user: User,
    nick: Option<String>,
}

impl Guilds {
    /// The member's name in the guild; the user's own name if they have left. Concurrent queries share one request.
    pub async fn member_name(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Name, RestError> {
        let ask = || {
            let guilds = self.clone();
            async move {
                let name = guilds.inner.ask_name(guild_id, user_id, priority).await?;
                guilds
                    .inner
                    .names()
                    .keep((guild_id, user_id), Some(name.clone()), LASTS);
                Ok(name)
            }
        };
        self.inner.name_reads.ask((guild_id, user_id), ask).await
    }

    /// Members whose username or nickname begins with a text. Their names are cached.
    pub async fn search_members(
        &self,
        guild_id: Id<GuildMarker>,
        beginning: &str,
        limit: u16,
        priority: Priority,
    ) -> Result<Vec<Id<UserMarker>>, RestError> {
        let request = self
            .inner
            .rest
            .builders()
            .search_guild_members(guild_id, beginning);
        let found = self.inner.rest.send(priority, request.limit(limit)).await?;
        let found: Vec<Member> = found.model()?;
        let mut names = self.inner.names();
        for member in &found {
            names.keep((guild_id, member.user.id), Some(member.name()), LASTS);
        }
        Ok(found.iter().map(|member| member.user.id).collect())
    }

    /// The names of these members for a page, which does not wait for Discord: what is not cached is looked up in the background, and shared
    /// by the pages that need it. A member without a name is not looked up again for a while.
    pub(crate) fn known_names(
        &self,
        guild_id: Id<GuildMarker>,
        users: impl IntoIterator<Item = Id<UserMarker>>,
    ) -> KnownNames {
        let mut known = KnownNames::default();
        for user_id in users {
            let cached = self.inner.names().get((guild_id, user_id));
            match cached {
                Some(Some(name)) => drop(known.names.insert(user_id, name)),
                Some(None) => {}
                None => known.are_coming |= self.look_up((guild_id, user_id)),
            }
        }
        known
    }

    /// Look a name up in the background. False if too many are being looked up.
    fn look_up(&self, key: Key) -> bool {
        let mut lookups = self.inner.lookups();
        if lookups.get(&key).is_some_and(|lookup| !lookup.is_finished()) {
            return true;
        }
        if lookups.len() >= LOOKUPS {
            lookups.retain(|_, lookup| !lookup.is_finished());
        }
        if lookups.len() >= LOOKUPS {
            return false;
        }
        let guilds = self.clone();
        let lookup = async move {
            let (guild_id, user_id) = key;
            if let Err(error) = guilds.member_name(guild_id, user_id, Priority::Background).await {
                let lasts = if is_gone(&error) { LASTS } else { FAILURE_LASTS };
                guilds.inner.names().keep(key, None, lasts);
            }
        };
        lookups.insert(key, task::spawn("member name", lookup));
        true
    }

    /// The names of these members. A name that Discord does not return within `patience` is missing.
    pub async fn member_names(
        &self,
        guild_id: Id<GuildMarker>,
        users: impl IntoIterator<Item = Id<UserMarker>>,
        patience: Duration,
    ) -> HashMap<Id<UserMarker>, Name> {
        self.member_names_at(guild_id, users, patience, Priority::Interaction)
            .await
    }

    /// The same with another priority. Of the lowest, which is for pages with forms and for pictures, four callers wait at a time; another
    /// gets the names that are cached.
    pub async fn member_names_at(
        &self,
        guild_id: Id<GuildMarker>,
        users: impl IntoIterator<Item = Id<UserMarker>>,
        patience: Duration,
        priority: Priority,
    ) -> HashMap<Id<UserMarker>, Name> {
        let mut known = HashMap::new();
        let mut missing = Vec::new();
        for user_id in users {
            let cached = self.inner.names().get((guild_id, user_id));
            match cached.flatten() {
                Some(name) => drop(known.insert(user_id, name)),
                None => missing.push(user_id),
            }
        }
        let _turn = match priority {
            Priority::Background if !missing.is_empty() => {
                let Ok(turn) = self.inner.waiting_pages.try_acquire() else {
                    return known;
                };
                Some(turn)
            }
            _ => None,
        };
        let mut asked: FuturesUnordered<_> = missing
            .into_iter()
            .map(|user_id| async move {
                let name = self.member_name(guild_id, user_id, priority).await;
                (user_id, name)
            })
            .collect();
        let until = Instant::now() + patience;
        while let Ok(Some((user_id, name))) = timeout_at(until, asked.next()).await {
            if let Ok(name) = name {
                known.insert(user_id, name);
            }
        }
        known
    }
}

impl Inner {
    async fn ask_name(
        &self,
        guild_id: Id<GuildMarker>,
        user_id: Id<UserMarker>,
        priority: Priority,
    ) -> Result<Name, RestError> {
        let builders = self.rest.builders();
        let member = self
            .rest
            .send(priority, builders.guild_member(guild_id, user_id))
            .await;
        let member: Member = match member {
            Ok(answer) => answer.model()?,
            Err(error) if is_gone(&error) => {
                let user = self.rest.send(priority, builders.user(user_id)).await?;
                Member {
                    user: user.model()?,
                    nick: None,
                }
            }
            Err(error) => return Err(error),
        };
        Ok(member.name())
    }
}

impl Member {
    fn name(&self) -> Name {
        let names = [&self.nick, &self.user.global_name].map(Option::as_deref);
        let names = names.into_iter().chain([Some(self.user.username.as_str())]);
        Name::first(names, self.user.id)
    }
}

fn is_gone(error: &RestError) -> bool {
    matches!(
        error.retry(),
        Retry::Never {
            status: Some(404),
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{KEPT, LASTS, Name, Names};

    #[tokio::test(start_paused = true)]
    async fn names_are_kept_for_a_time_and_up_to_a_number() {
        let mut names = Names::default();
        let key = (Id::new(1), Id::new(2));
        let ada = Name::first([Some("Ada")], 2);
        names.keep(key, Some(ada.clone()), LASTS);
        assert_eq!(names.get(key), Some(Some(ada.clone())));
        tokio::time::advance(LASTS).await;
        assert_eq!(names.get(key), None);
        for user in 1..=2 * KEPT as u64 {
            names.keep((Id::new(1), Id::new(user)), Some(ada.clone()), LASTS);
            assert!(names.0.len() <= KEPT);
        }
    }
}
