//! Sessions: who has signed in. They are rows, so any process can answer any request.

use hyper::{HeaderMap, header::COOKIE};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::random::Secret256;
use crate::{
    config::Web,
    postgres::{Statement, Store, StoreError, statement::statement},
    support::{i18n::Language, ids},
};

/// Rows deleted per statement.
const AT_ONCE: u32 = 1_000;

/// A user's sessions, without what identifies their browsers.
pub(crate) const EXPORT: Statement = statement!(
    "export_web_session",
    [INT8, INT8],
    "SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(t) - 'digest' ORDER BY created_at), '[]')) FROM web_session AS t WHERE user_id = $2"
);

/// Without their sessions users only have to sign in again.
pub(crate) const ERASE: Statement = statement!(
    "erase_web_session",
    [INT8, INT8],
    "DELETE FROM web_session WHERE user_id = $2"
);

/// A session. The browser has the secret in a cookie, and the database its digest.
#[derive(Clone)]
pub(crate) struct Session {
    secret: Secret256,
    /// The user who signed in.
    pub(crate) user_id: Id<UserMarker>,
    /// The user's name on Discord at that time.
    pub(crate) name: String,
    /// The language that the user has chosen on Discord.
    pub(crate) language: Option<Language>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").finish_non_exhaustive()
    }
}

/// The names of cookies. With TLS, browsers bind them to this host and accept them from nowhere else.
pub(super) fn cookie_name(config: &Web, name: &str) -> String {
    let prefix = if config.is_secure() { "__Host-" } else { "" };
    format!("{prefix}eventide_{name}")
}

/// A cookie that scripts cannot read, for this many seconds.
pub(super) fn cookie(config: &Web, name: &str, value: &str, seconds: u32) -> String {
    let name = cookie_name(config, name);
    let secure = if config.is_secure() { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The value of a cookie that the browser sent. If it sent several, which another website on the same domain can cause, none counts.
pub(super) fn sent_cookie<'a>(config: &Web, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let name = cookie_name(config, name);
    let lists = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|list| list.to_str().ok());
    let pairs = lists
        .flat_map(|list| list.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(sent, _)| *sent == name).map(|(_, value)| value);
    let value = values.next();
    values.next().is_none().then_some(value)?
}

impl Session {
    /// The name of its cookie, without the prefix.
    pub(super) const COOKIE: &'static str = "session";
    /// The longest duration of a session, in seconds: 30 days. Without use it ends after 7 days.
    pub(super) const SECONDS: u32 = 30 * 24 * 60 * 60;

    pub(super) const fn secret(&self) -> &Secret256 {
        &self.secret
    }

    /// Begin a session for a user who has proved who they are.
    pub(super) async fn begin(
        store: &Store,
        user_id: Id<UserMarker>,
        name: &str,
        language: Option<Language>,
    ) -> Result<Self, StoreError> {
        const BEGIN: Statement = statement!(
            "web_session_begin",
            [BYTEA, INT8, TEXT, TEXT],
            "INSERT INTO web_session (digest, user_id, name, locale) VALUES ($1, $2, $3, $4)"
        );
        let secret = Secret256::random();
        let locale = language.map_or("", Language::code);
        let digest = digest(&secret);
        store
            .query(BEGIN, &[&digest, &ids::to_db(user_id), &name, &locale])
            .await?;
        Ok(Self {
            secret,
            user_id,
            name: name.to_owned(),
            language,
        })
    }

    /// The session of a request, if it has one that has not ended.
    pub(super) async fn find(
        store: &Store,
        config: &Web,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, StoreError> {
        const FIND: Statement = statement!(
            "web_session_find",
            [BYTEA],
            "SELECT user_id, name, locale, used_at < now() - interval '5 minutes' FROM web_session
             WHERE digest = $1 AND used_at > now() - interval '7 days' AND created_at > now() - interval '30 days'"
        );
        const USED: Statement = statement!(
            "web_session_used",
            [BYTEA],
            "UPDATE web_session SET used_at = now() WHERE digest = $1"
        );
        let sent = sent_cookie(config, headers, Self::COOKIE);
        let Some(secret) = sent.and_then(Secret256::parse) else {
            return Ok(None);
        };
        let digest = digest(&secret);
        let rows = store.query(FIND, &[&digest]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        if row.get(3) {
            store.query(USED, &[&digest]).await?;
        }
        Ok(ids::from_db(row.get(0)).map(|user_id| Self {
            secret,
            user_id,
            name: row.get(1),
            language: Language::of_locale(row.get(2)),
        }))
    }

    /// The list of the user's servers that was kept, unless it is some minutes old, or another server may be one of them since. A row can
    /// become visible some time after `noted_at`.
    pub(super) async fn servers(&self, store: &Store) -> Result<Option<Vec<Id<GuildMarker>>>, StoreError> {
        const SERVERS: Statement = statement!(
            "web_session_servers",
            [BYTEA],
            "SELECT servers FROM web_session AS s WHERE digest = $1 AND servers_at > now() - interval '5 minutes'
                AND NOT EXISTS (SELECT FROM guild_staff AS g
                                WHERE g.user_id = s.user_id AND g.noted_at > s.servers_at - interval '10 seconds')"
        );
        let rows = store.query(SERVERS, &[&digest(&self.secret)]).await?;
        let servers: Option<Vec<i64>> = rows.first().and_then(|row| row.get(0));
        Ok(servers.map(|servers| servers.into_iter().filter_map(ids::from_db).collect()))
    }

    /// Keep the list of the user's servers.
    pub(super) async fn keep_servers(
        &self,
        store: &Store,
        servers: &[Id<GuildMarker>],
    ) -> Result<(), StoreError> {
        const KEEP: Statement = statement!(
            "web_session_keep_servers",
            [BYTEA, INT8_ARRAY],
            "UPDATE web_session SET servers = $2, servers_at = now() WHERE digest = $1"
        );
        let servers: Vec<i64> = servers.iter().copied().map(ids::to_db).collect();
        store
            .query(KEEP, &[&digest(&self.secret), &servers])
            .await
            .map(drop)
    }

    /// End this session.
    pub(super) async fn end(&self, store: &Store) -> Result<(), StoreError> {
        const END: Statement = statement!(
            "web_session_end",
            [BYTEA],
            "DELETE FROM web_session WHERE digest = $1"
        );
        store.query(END, &[&digest(&self.secret)]).await.map(drop)
    }

    /// End all sessions of its user.
    pub(super) async fn end_all(&self, store: &Store) -> Result<(), StoreError> {
        const END_ALL: Statement = statement!(
            "web_session_end_all",
            [INT8],
            "DELETE FROM web_session WHERE user_id = $1"
        );
        store.query(END_ALL, &[&ids::to_db(self.user_id)]).await.map(drop)
    }
}

fn digest(secret: &Secret256) -> Vec<u8> {
    secret.derived("session").to_vec()
}

/// Delete sessions, and sign-ins that were not completed, that have expired.
pub async fn remove_expired(store: &Store) -> Result<(), StoreError> {
    const SESSIONS: Statement = statement!(
        "web_session_expired",
        [INT8],
        "DELETE FROM web_session WHERE digest IN (
             SELECT digest FROM web_session
             WHERE used_at <= now() - interval '7 days' OR created_at <= now() - interval '30 days' LIMIT $1)
         RETURNING 1"
    );
    const SIGN_INS: Statement = statement!(
        "web_sign_in_expired",
        [INT8],
        "DELETE FROM web_sign_in WHERE digest IN (
             SELECT digest FROM web_sign_in WHERE created_at <= now() - interval '10 minutes' LIMIT $1)
         RETURNING 1"
    );
    for statement in [SESSIONS, SIGN_INS] {
        while store.query(statement, &[&i64::from(AT_ONCE)]).await?.len() == AT_ONCE as usize {}
    }
    Ok(())
}
