//! `request`: who asked for which change, what was there before, and the result. [`Store::once`] carries each request out once.

pub(crate) mod entries;
pub(crate) mod undo;

use std::{convert::Infallible, sync::Arc, time::SystemTime};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use super::{Statement, Store, StoreError, Tx, statement::statement};
use crate::{
    support::{clock::host_time, ids},
    telemetry::metrics,
};

/// Attempts at a transaction that lost a conflict or whose COMMIT was not answered.
const TRIES: u32 = 3;

/// A request to change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The guild.
    pub guild_id: Id<GuildMarker>,
    /// The interaction, or a number of the same form for a request that came another way.
    pub request_id: Id<InteractionMarker>,
    /// Who asked.
    pub actor: Actor,
    /// Such as `xp_give`.
    pub action: &'static str,
    /// What was asked for, as JSON.
    pub details: String,
}

/// The requests about a member, without who asked.
pub(crate) const EXPORT: Statement = statement!(
    "export_request",
    [INT8, INT8],
    "SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(t) - 'actor_id' ORDER BY request_id), '[]'))
     FROM request AS t WHERE guild_id = $1 AND details->>'user_id' = $2::int8::text"
);

/// The fact that a command was used stays: it belongs to the guild, and a replay needs it.
pub(crate) const ERASE: Statement = statement!(
    "erase_request",
    [INT8, INT8],
    "UPDATE request SET details = details - '{user_id,amount}'::text[]
     WHERE guild_id = $1 AND details->>'user_id' = $2::int8::text"
);

/// Also in `audit_log`, which was the table before V37.
pub(crate) const ERASE_AGAIN: &[(&str, &str)] = &[
    (
        "request",
        "UPDATE request AS t SET details = t.details - '{user_id,amount}'::text[]
         FROM pg_temp.eventide_erased AS f WHERE t.guild_id = f.guild_id AND t.details->>'user_id' = f.user_id::text",
    ),
    (
        "audit_log",
        "UPDATE audit_log AS t SET details = t.details - '{user_id,amount}'::text[]
         FROM pg_temp.eventide_erased AS f WHERE t.guild_id = f.guild_id AND t.details->>'user_id' = f.user_id::text",
    ),
];

/// Who asked for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member, by a command on Discord.
    Member(Id<UserMarker>),
    /// A member, by the website.
    Web(Id<UserMarker>),
    /// The operator, by the command line.
    Operator,
    /// The bot by itself.
    Bot,
}

/// What a completed request led to, and what is kept of it.
#[derive(Clone, Debug)]
pub struct Completed<T> {
    value: T,
    result: Option<String>,
    before: Option<String>,
    subject_id: Option<i64>,
    members: u64,
}

/// A request that has been carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once<T> {
    /// Now, with this value.
    Now(T),
    /// Before, with this result as JSON, if one was kept.
    Before(Option<String>),
}

/// What the work of a request ends with. An inner error refuses it: nothing is written, and the request is not recorded.
pub type Work<T, E> = Result<Result<Completed<T>, E>, StoreError>;

/// A request that changed members' XP, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub request_id: Id<InteractionMarker>,
    /// The member who asked.
    pub actor_id: Id<UserMarker>,
    /// What was done.
    pub action: String,
    /// The XP that was given, taken or set.
    pub amount: Option<i64>,
    /// The only member whose XP was to be changed.
    pub user_id: Option<Id<UserMarker>>,
    /// The number of members whose XP it changed.
    pub members: u64,
    /// Whether it was taken back.
    pub is_undone: bool,
    /// The time of the request.
    pub created_at: SystemTime,
}

impl Request {
    /// A change that the operator makes by the command line. `details` is JSON.
    pub fn of_operator(guild_id: Id<GuildMarker>, action: &'static str, details: &serde_json::Value) -> Self {
        Self {
            guild_id,
            request_id: ids::made_at(host_time()),
            actor: Actor::Operator,
            action,
            details: details.to_string(),
        }
    }

    fn keys(&self) -> (i64, i64) {
        keys(self.guild_id, self.request_id)
    }
}

impl Actor {
    /// The word in the table.
    const fn kind(self) -> &'static str {
        match self {
            Self::Member(_) => "interaction",
            Self::Web(_) => "web",
            Self::Operator => "cli",
            Self::Bot => "bot",
        }
    }

    /// From the columns of the table. An unknown kind, and a member without an ID, count as the bot.
    pub(crate) fn of_row(kind: &str, id: Option<i64>) -> Self {
        match (kind, id.and_then(ids::from_db)) {
            ("interaction", Some(id)) => Self::Member(id),
            ("web", Some(id)) => Self::Web(id),
            ("cli", _) => Self::Operator,
            _ => Self::Bot,
        }
    }

    fn id(self) -> Option<i64> {
        match self {
            Self::Member(id) | Self::Web(id) => Some(ids::to_db(id)),
            Self::Operator | Self::Bot => None,
        }
    }
}

impl<T> Completed<T> {
    /// A value of which nothing is kept: a replay learns only that the request was carried out.
    pub const fn new(value: T) -> Self {
        Self {
            value,
            result: None,
            before: None,
            subject_id: None,
            members: 0,
        }
    }

    /// A value that is kept as the answer to a replay.
    pub fn kept(value: T) -> Self
    where
        T: Serialize,
    {
        let result = Some(json(&value));
        Self {
            result,
            ..Self::new(value)
        }
    }

    /// It made or changed what has this number.
    #[must_use]
    pub fn about(self, subject_id: i64) -> Self {
        Self {
            subject_id: Some(subject_id),
            ..self
        }
    }

    /// This was there before.
    #[must_use]
    pub fn instead_of(self, before: &impl Serialize) -> Self {
        Self {
            before: Some(json(before)),
            ..self
        }
    }

    /// It changed the XP of this many members.
    #[must_use]
    pub fn of_members(self, members: u64) -> Self {
        Self { members, ..self }
    }
}

impl<T> Once<T> {
    /// The value, or the kept one of the first time.
    ///
    /// # Errors
    ///
    /// No value was kept, or it has another form.
    pub fn into_value(self) -> Result<T, StoreError>
    where
        T: DeserializeOwned,
    {
        let kept = match self {
            Self::Now(value) => return Ok(value),
            Self::Before(kept) => kept,
        };
        kept.and_then(|kept| serde_json::from_str(&kept).ok())
            .ok_or_else(|| StoreError::Rejected("the result of a replayed request cannot be read".to_owned()))
    }
}

impl Store {
    /// Like [`Self::once`], for work that is never refused and has no result. False if the request was carried out before.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn carry_out<W>(
        &self,
        name: &'static str,
        request: Request,
        work: W,
    ) -> Result<bool, StoreError>
    where
        W: for<'t> Fn(&'t Tx<'_>) -> BoxFuture<'t, Result<(), StoreError>> + Clone + Send + 'static,
    {
        let done = self.once(name, request, move |tx| {
            let working = work(tx);
            Box::pin(async move {
                working.await?;
                Ok(Ok::<_, Infallible>(Completed::new(())))
            })
        });
        let Ok(once) = done.await?;
        Ok(matches!(once, Once::Now(())))
    }

    /// Carry out a request in a transaction named `name`, once however often this is called for it. `work` runs again if the transaction
    /// lost a conflict, or if its COMMIT was not answered and it turns out that it had no effect.
    ///
    /// # Errors
    ///
    /// The outer error is the database's. The inner one is why `work` refused the request; then nothing was written.
    pub async fn once<T, E, W>(
        &self,
        name: &'static str,
        request: Request,
        work: W,
    ) -> Result<Result<Once<T>, E>, StoreError>
    where
        T: Send + 'static,
        E: Send + 'static,
        W: for<'t> Fn(&'t Tx<'_>) -> BoxFuture<'t, Work<T, E>> + Clone + Send + 'static,
    {
        let request = Arc::new(request);
        let mut tries = 1;
        loop {
            let (request, work) = (Arc::clone(&request), work.clone());
            let attempt = self.transaction(name, move |tx| {
                Box::pin(async move { attempt(tx, &request, work).await })
            });
            match attempt.await {
                Err(error) if tries < TRIES && is_worth_another_try(&error) => {
                    tries += 1;
                    metrics::transaction_retries_total(name).increment(1);
                }
                done => return done,
            }
        }
    }
}

/// A unique violation comes from the same request in another transaction, which has committed by now.
fn is_worth_another_try(error: &StoreError) -> bool {
    error.is_conflict()
        || error.is_unique_violation()
        || matches!(error, StoreError::Commit(_) | StoreError::SilentCommit(_))
}

async fn attempt<T, E, W>(tx: &Tx<'_>, request: &Request, work: W) -> Result<Result<Once<T>, E>, StoreError>
where
    T: Send,
    E: Send,
    W: for<'t> Fn(&'t Tx<'_>) -> BoxFuture<'t, Work<T, E>> + Send,
{
    if let Some(result) = find(tx, request).await? {
        return Ok(Ok(Once::Before(result)));
    }
    let working = work(tx);
    match working.await? {
        Ok(completed) => {
            let (value, kept) = completed.split();
            add(tx, request, &kept).await?;
            Ok(Ok(Once::Now(value)))
        }
        Err(refusal) => match find(tx, request).await? {
            // What the work saw was the result of the same request in another transaction.
            Some(result) => Ok(Ok(Once::Before(result))),
            None => Ok(Err(refusal)),
        },
    }
}

impl<T> Completed<T> {
    fn split(self) -> (T, Completed<()>) {
        let kept = Completed {
            value: (),
            result: self.result,
            before: self.before,
            subject_id: self.subject_id,
            members: self.members,
        };
        (self.value, kept)
    }
}

/// The kept result of a request, if it was carried out.
async fn find(tx: &Tx<'_>, request: &Request) -> Result<Option<Option<String>>, StoreError> {
    const FIND: Statement = statement!(
        "request_find",
        [INT8, INT8],
        "SELECT result::text FROM request WHERE guild_id = $1 AND request_id = $2"
    );
    let (guild, id) = request.keys();
    let rows = tx.query(FIND, &[&guild, &id]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

async fn add(tx: &Tx<'_>, request: &Request, kept: &Completed<()>) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "request_add",
        [INT8, INT8, TEXT, INT8, TEXT, INT8, TEXT, TEXT, TEXT, INT8, TIMESTAMPTZ],
        "INSERT INTO request (guild_id, request_id, actor_kind, actor_id, action, subject_id, details, before, result, members, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9::jsonb, $10, $11)"
    );
    let (guild, id) = request.keys();
    tx.execute(
        ADD,
        &[
            &guild,
            &id,
            &request.actor.kind(),
            &request.actor.id(),
            &request.action,
            &kept.subject_id,
            &request.details,
            &kept.before,
            &kept.result,
            &kept.members.cast_signed(),
            &ids::to_time(ids::millis(request.request_id)),
        ],
    )
    .await
    .map(drop)
}

/// The kept result of the request with this action that made or changed what has this number, as JSON.
pub async fn result_about(
    store: &Store,
    guild_id: Id<GuildMarker>,
    subject_id: i64,
    action: &'static str,
) -> Result<Option<String>, StoreError> {
    const RESULT: Statement = statement!(
        "request_result_about",
        [INT8, INT8, TEXT],
        "SELECT result::text FROM request WHERE guild_id = $1 AND subject_id = $2 AND action = $3 ORDER BY request_id DESC LIMIT 1"
    );
    let rows = store
        .query(RESULT, &[&ids::to_db(guild_id), &subject_id, &action])
        .await?;
    Ok(rows.first().and_then(|row| row.get(0)))
}

/// Note how many members' XP a request has changed.
pub async fn count_members(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    request_id: Id<InteractionMarker>,
    members: u64,
) -> Result<(), StoreError> {
    const COUNT: Statement = statement!(
        "request_count_members",
        [INT8, INT8, INT8],
        "UPDATE request SET members = $3 WHERE guild_id = $1 AND request_id = $2"
    );
    let (guild, id) = keys(guild_id, request_id);
    tx.execute(COUNT, &[&guild, &id, &members.cast_signed()])
        .await
        .map(drop)
}

/// How many members' XP a request has changed.
pub async fn members_of(
    store: &Store,
    guild_id: Id<GuildMarker>,
    request_id: Id<InteractionMarker>,
) -> Result<u64, StoreError> {
    const MEMBERS: Statement = statement!(
        "request_members",
        [INT8, INT8],
        "SELECT members FROM request WHERE guild_id = $1 AND request_id = $2"
    );
    let (guild, id) = keys(guild_id, request_id);
    let rows = store.query(MEMBERS, &[&guild, &id]).await?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).cast_unsigned()))
}

/// Mark a request as taken back by another. False if there is no such request that changed members' XP and holds.
pub async fn take_back(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    request_id: Id<InteractionMarker>,
    by: Id<InteractionMarker>,
) -> Result<bool, StoreError> {
    const TAKE_BACK: Statement = statement!(
        "request_take_back",
        [INT8, INT8, INT8],
        "UPDATE request SET undone_by = $3
         WHERE guild_id = $1 AND request_id = $2 AND undone_by IS NULL AND members > 0"
    );
    let (guild, id) = keys(guild_id, request_id);
    let marked = tx.execute(TAKE_BACK, &[&guild, &id, &ids::to_db(by)]).await?;
    Ok(marked > 0)
}

/// The newest requests of members that changed members' XP.
pub async fn recent_with_members(
    store: &Store,
    guild_id: Id<GuildMarker>,
    limit: u32,
) -> Result<Vec<Recorded>, StoreError> {
    const RECENT: Statement = statement!(
        "request_recent_with_members",
        [INT8, INT8],
        "SELECT request_id, actor_id, action, members, undone_by IS NOT NULL, created_at,
                (details->>'amount')::int8, (details->>'user_id')::int8
         FROM request WHERE guild_id = $1 AND members > 0 AND actor_id IS NOT NULL ORDER BY request_id DESC LIMIT $2"
    );
    let rows = store
        .query(RECENT, &[&ids::to_db(guild_id), &i64::from(limit)])
        .await?;
    let read = rows.iter().filter_map(|row| {
        Some(Recorded {
            request_id: ids::from_db(row.get(0))?,
            actor_id: ids::from_db(row.get(1))?,
            action: row.get(2),
            members: row.get::<_, i64>(3).cast_unsigned(),
            is_undone: row.get(4),
            created_at: row.get(5),
            amount: row.get(6),
            user_id: row.get::<_, Option<i64>>(7).and_then(ids::from_db),
        })
    });
    Ok(read.collect())
}

fn keys(guild_id: Id<GuildMarker>, request_id: Id<InteractionMarker>) -> (i64, i64) {
    (ids::to_db(guild_id), ids::to_db(request_id))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("numbers and texts are JSON")
}
