//! A user's list of servers. It costs what the user's own servers cost, however many others there are: `guild_staff` has the servers in which
//! the user was seen as staff, each is checked by the user's roles, and the session keeps the result for some minutes.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
};

use super::{
    Site,
    access::{Age, there},
    answer::Fault,
    session::Session,
};
use crate::{
    discord::{guilds::Guilds, rest::Priority},
    postgres::{Statement, Store, StoreError, statement::statement},
    support::{ids, shutdown::stopped_within, text::names::Name},
};

/// The largest number of servers in a list, and how many are checked at a time.
const LISTED: (i64, usize) = (100, 8);
/// How often users who were seen are recorded.
const EVERY: Duration = Duration::from_secs(1);
/// Rows per statement.
const AT_ONCE: usize = 5_000;

impl Site {
    /// The servers in which a user sees pages for the staff, by name.
    pub(super) async fn servers_of(&self, session: &Session) -> Result<Vec<(Id<GuildMarker>, Name)>, Fault> {
        let listed = match session.servers(&self.store).await? {
            Some(listed) => listed,
            None => self.check(session).await?,
        };
        let (_, at_once) = LISTED;
        let asked = stream::iter(listed)
            .map(|guild_id| async move {
                let name = there(self.guilds.name(guild_id, Priority::Command).await);
                Some(guild_id).zip(name.ok().flatten())
            })
            .buffer_unordered(at_once);
        let found: Vec<Option<_>> = asked.collect().await;
        let mut servers: Vec<_> = found.into_iter().flatten().collect();
        servers.sort_by_cached_key(|(_, name)| name.as_plain().to_lowercase());
        Ok(servers)
    }

    /// Those of these servers in which a user has permissions.
    pub(crate) async fn servers_with(
        &self,
        session: &Session,
        permissions: Permissions,
    ) -> Result<Vec<(Id<GuildMarker>, Name)>, Fault> {
        let (user_id, (_, at_once)) = (session.user_id, LISTED);
        let asked = stream::iter(self.servers_of(session).await?)
            .map(|(guild_id, name)| async move {
                let staff = self.staff_at(guild_id, user_id, Age::Recent).await.ok().flatten();
                staff
                    .is_some_and(|staff| staff.may(permissions))
                    .then_some((guild_id, name))
            })
            .buffered(at_once);
        let found: Vec<Option<_>> = asked.collect().await;
        Ok(found.into_iter().flatten().collect())
    }

    /// Check the servers in which a user was seen as staff.
    async fn check(&self, session: &Session) -> Result<Vec<Id<GuildMarker>>, Fault> {
        let (user_id, (_, at_once)) = (session.user_id, LISTED);
        let asked = stream::iter(candidates(&self.store, user_id).await?)
            .map(|guild_id| async move { (guild_id, self.staff_at(guild_id, user_id, Age::Recent).await) })
            .buffer_unordered(at_once);
        let found: Vec<_> = asked.collect().await;
        let (mut servers, mut others, mut is_complete) = (Vec::new(), Vec::new(), true);
        for (guild_id, staff) in found {
            match staff {
                Ok(Some(staff)) if self.pages_of(&staff).next().is_some() => servers.push(guild_id),
                // After a timeout they are staff again, and nobody else would note that.
                Ok(Some(staff)) if staff.member.communication_disabled_until.is_some() => {}
                Ok(_) => others.push(guild_id),
                // Discord does not answer: the server is missing this time.
                Err(_) => is_complete = false,
            }
        }
        if !others.is_empty() {
            forget(&self.store, user_id, &others).await?;
            self.guilds.staff_forgotten(user_id, &others);
        }
        if is_complete {
            session.keep_servers(&self.store, &servers).await?;
        }
        Ok(servers)
    }
}

/// Record users who were seen as staff, until `stop` is true.
pub async fn record_staff(store: Store, guilds: Guilds, mut stop: watch::Receiver<bool>) {
    loop {
        for keys in guilds.take_staff().chunks(AT_ONCE) {
            match add(&store, keys).await {
                Ok(()) => guilds.staff_recorded(keys),
                // They are seen again.
                Err(error) => tracing::debug!(%error, "members of the staff are not recorded"),
            }
        }
        if stopped_within(&mut stop, EVERY).await {
            return;
        }
    }
}

async fn add(store: &Store, keys: &[(Id<GuildMarker>, Id<UserMarker>)]) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "guild_staff_add",
        [INT8_ARRAY, INT8_ARRAY],
        "INSERT INTO guild_staff (guild_id, user_id) SELECT * FROM unnest($1::int8[], $2::int8[]) ON CONFLICT DO NOTHING"
    );
    let guilds: Vec<i64> = keys.iter().map(|(guild_id, _)| ids::to_db(*guild_id)).collect();
    let users: Vec<i64> = keys.iter().map(|(_, user_id)| ids::to_db(*user_id)).collect();
    store.query(ADD, &[&guilds, &users]).await.map(drop)
}

async fn candidates(store: &Store, user_id: Id<UserMarker>) -> Result<Vec<Id<GuildMarker>>, StoreError> {
    const CANDIDATES: Statement = statement!(
        "guild_staff_of",
        [INT8, INT8],
        "SELECT guild_id FROM guild_staff WHERE user_id = $1 ORDER BY noted_at DESC, guild_id LIMIT $2"
    );
    let (most, _) = LISTED;
    let rows = store.query(CANDIDATES, &[&ids::to_db(user_id), &most]).await?;
    Ok(rows.iter().filter_map(|row| ids::from_db(row.get(0))).collect())
}

async fn forget(
    store: &Store,
    user_id: Id<UserMarker>,
    guilds: &[Id<GuildMarker>],
) -> Result<(), StoreError> {
    const FORGET: Statement = statement!(
        "guild_staff_forget",
        [INT8, INT8_ARRAY],
        "DELETE FROM guild_staff WHERE guild_id = ANY ($2) AND user_id = $1"
    );
    let guilds: Vec<i64> = guilds.iter().copied().map(ids::to_db).collect();
    store
        .query(FORGET, &[&ids::to_db(user_id), &guilds])
        .await
        .map(drop)
}
