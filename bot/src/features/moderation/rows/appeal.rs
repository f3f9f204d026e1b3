//! `appeal` and `appeal_vote`: what banned users wrote to the staff, and what moderators think of it.

use std::time::SystemTime;

use tokio_postgres::Row;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// A user's appeals, without the staff that decided them.
pub(crate) const EXPORT: Statement = statement!(
    "export_appeal",
    [INT8, INT8],
    "SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(t) - 'closed_by' ORDER BY appeal_id), '[]'))
     FROM appeal AS t WHERE guild_id = $1 AND user_id = $2"
);

/// An appeal of a guild.
pub(crate) type Key = (Id<GuildMarker>, Id<InteractionMarker>);

/// An appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Appeal {
    pub(crate) id: Id<InteractionMarker>,
    pub(crate) user_id: Id<UserMarker>,
    pub(crate) text: String,
    pub(crate) created_at: SystemTime,
    pub(crate) closed_by: Option<Id<UserMarker>>,
    pub(crate) closed_at: Option<SystemTime>,
    /// Whether the ban was lifted; `None` while it is open.
    pub(crate) is_accepted: Option<bool>,
    pub(crate) answer: String,
    /// Votes for it and against it.
    pub(crate) votes: (i64, i64),
    /// How the ban ended if nobody has decided about the appeal.
    pub(crate) ended: Option<Ended>,
}

/// How a ban ended without a decision on the user's appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// A moderator has lifted it without the bot.
    ByHand,
    /// It was temporary.
    Expired,
    /// A moderator has taken back the massban that it was part of.
    Undone,
}

impl Ended {
    const ALL: [Self; 3] = [Self::ByHand, Self::Expired, Self::Undone];

    /// The word in the table.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Expired => "expired",
            Self::Undone => "undone",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ended| ended.word() == word)
    }
}

/// Which appeals to list; `None` for any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) appeal_id: Option<Id<InteractionMarker>>,
    pub(crate) user_id: Option<Id<UserMarker>>,
    pub(crate) is_open: Option<bool>,
    /// Only appeals below this number.
    pub(crate) before: Option<Id<InteractionMarker>>,
}

/// How an appeal is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) moderator_id: Id<UserMarker>,
    pub(crate) at: SystemTime,
    pub(crate) is_accepted: bool,
    pub(crate) answer: String,
}

impl Appeal {
    fn of(row: &Row) -> Option<Self> {
        Some(Self {
            id: ids::from_db(row.get(0))?,
            user_id: ids::from_db(row.get(1))?,
            text: row.get(2),
            created_at: row.get(3),
            closed_by: row.get::<_, Option<i64>>(4).and_then(ids::from_db),
            is_accepted: row.get(5),
            answer: row.get::<_, Option<String>>(6).unwrap_or_default(),
            votes: (row.get(7), row.get(8)),
            closed_at: row.get(9),
            ended: row.get::<_, Option<&str>>(10).and_then(Ended::of),
        })
    }
}

fn keys(key: Key) -> (i64, i64) {
    (ids::to_db(key.0), ids::to_db(key.1))
}

/// A part of a guild's appeals, the newest first.
pub(crate) async fn list(
    store: &Store,
    guild_id: Id<GuildMarker>,
    wanted: Wanted,
    limit: i64,
) -> Result<Vec<Appeal>, StoreError> {
    const LIST: Statement = statement!(
        "appeal_list",
        [INT8, INT8, INT8, BOOL, INT8, INT8],
        "SELECT a.appeal_id, a.user_id, a.appeal, a.created_at, a.closed_by, a.is_accepted, a.answer, v.votes_for, v.votes_against,
                a.closed_at, a.ended
         FROM appeal AS a
         CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE is_for) AS votes_for, count(*) FILTER (WHERE NOT is_for) AS votes_against
                             FROM appeal_vote AS v WHERE v.guild_id = a.guild_id AND v.appeal_id = a.appeal_id) AS v
         WHERE a.guild_id = $1 AND ($2::int8 IS NULL OR a.appeal_id = $2) AND ($3::int8 IS NULL OR a.user_id = $3)
           AND ($4::bool IS NULL OR (a.closed_at IS NULL) = $4) AND ($5::int8 IS NULL OR a.appeal_id < $5)
         ORDER BY a.appeal_id DESC LIMIT $6"
    );
    let rows = store
        .query(
            LIST,
            &[
                &ids::to_db(guild_id),
                &wanted.appeal_id.map(ids::to_db),
                &wanted.user_id.map(ids::to_db),
                &wanted.is_open,
                &wanted.before.map(ids::to_db),
                &limit,
            ],
        )
        .await?;
    Ok(rows.iter().filter_map(Appeal::of).collect())
}

/// An appeal.
pub(crate) async fn get(store: &Store, key: Key) -> Result<Option<Appeal>, StoreError> {
    let wanted = Wanted {
        appeal_id: Some(key.1),
        ..Wanted::default()
    };
    Ok(list(store, key.0, wanted, 1).await?.pop())
}

/// The moderators who voted: those for it, and those against it.
pub(crate) async fn voters(store: &Store, key: Key) -> Result<Vec<(Id<UserMarker>, bool)>, StoreError> {
    const VOTERS: Statement = statement!(
        "appeal_voters",
        [INT8, INT8],
        "SELECT user_id, is_for FROM appeal_vote WHERE guild_id = $1 AND appeal_id = $2 ORDER BY is_for DESC, user_id"
    );
    let (guild, appeal) = keys(key);
    let rows = store.query(VOTERS, &[&guild, &appeal]).await?;
    let voter = |row: &Row| Some((ids::from_db(row.get(0))?, row.get(1)));
    Ok(rows.iter().filter_map(voter).collect())
}

/// A user's newest appeal: when it was decided, or made if it is open, and whether it is.
pub(crate) async fn newest_in(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
) -> Result<Option<(SystemTime, bool)>, StoreError> {
    const NEWEST: Statement = statement!(
        "appeal_newest",
        [INT8, INT8],
        "SELECT coalesce(closed_at, created_at), closed_at IS NULL FROM appeal WHERE guild_id = $1 AND user_id = $2 ORDER BY appeal_id DESC LIMIT 1"
    );
    let (guild, user) = (ids::to_db(guild_id), ids::to_db(user_id));
    let rows = tx.query(NEWEST, &[&guild, &user]).await?;
    Ok(rows.first().map(|row| (row.get(0), row.get(1))))
}

/// Insert an appeal.
pub(crate) async fn add(
    tx: &Tx<'_>,
    key: Key,
    user_id: Id<UserMarker>,
    (appeal, at): (&str, SystemTime),
) -> Result<(), StoreError> {
    const ADD: Statement = statement!(
        "appeal_add",
        [INT8, INT8, INT8, TEXT, TIMESTAMPTZ],
        "INSERT INTO appeal (guild_id, appeal_id, user_id, appeal, created_at) VALUES ($1, $2, $3, $4, $5)"
    );
    let (guild, id) = keys(key);
    tx.execute(ADD, &[&guild, &id, &ids::to_db(user_id), &appeal, &at])
        .await
        .map(drop)
}

/// Record a moderator's vote on an appeal. False if it is closed, or does not exist.
pub(crate) async fn vote(
    tx: &Tx<'_>,
    key: Key,
    moderator_id: Id<UserMarker>,
    is_for: bool,
) -> Result<bool, StoreError> {
    const VOTE: Statement = statement!(
        "appeal_vote",
        [INT8, INT8, INT8, BOOL],
        "INSERT INTO appeal_vote (guild_id, appeal_id, user_id, is_for)
         SELECT guild_id, appeal_id, $3, $4 FROM appeal WHERE guild_id = $1 AND appeal_id = $2 AND closed_at IS NULL
         ON CONFLICT (guild_id, appeal_id, user_id) DO UPDATE SET is_for = excluded.is_for"
    );
    let (guild, appeal) = keys(key);
    let voted = tx
        .execute(VOTE, &[&guild, &appeal, &ids::to_db(moderator_id), &is_for])
        .await?;
    Ok(voted > 0)
}

/// Decide an appeal; without its number, the open one of this user. False if there is none.
pub(crate) async fn close(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    (user_id, appeal_id): (Id<UserMarker>, Option<Id<InteractionMarker>>),
    decision: &Decision,
) -> Result<bool, StoreError> {
    const CLOSE: Statement = statement!(
        "appeal_close",
        [INT8, INT8, INT8, INT8, TIMESTAMPTZ, BOOL, TEXT],
        "UPDATE appeal SET closed_by = $4, closed_at = $5, is_accepted = $6, answer = $7
         WHERE guild_id = $1 AND user_id = $2 AND ($3::int8 IS NULL OR appeal_id = $3) AND closed_at IS NULL"
    );
    let closed = tx
        .execute(
            CLOSE,
            &[
                &ids::to_db(guild_id),
                &ids::to_db(user_id),
                &appeal_id.map(ids::to_db),
                &ids::to_db(decision.moderator_id),
                &decision.at,
                &decision.is_accepted,
                &decision.answer,
            ],
        )
        .await?;
    Ok(closed > 0)
}

/// Close the open appeals of users whose bans have ended. Returns these users.
pub(crate) async fn end(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    users: &[Id<UserMarker>],
    (how, moderator_id, at): (Ended, Option<Id<UserMarker>>, SystemTime),
) -> Result<Vec<Id<UserMarker>>, StoreError> {
    const END: Statement = statement!(
        "appeal_end",
        [INT8, INT8_ARRAY, INT8, TIMESTAMPTZ, TEXT],
        "UPDATE appeal SET closed_by = $3, closed_at = $4, is_accepted = true, answer = '', ended = $5
         WHERE guild_id = $1 AND user_id = ANY($2) AND closed_at IS NULL
         RETURNING user_id"
    );
    let users: Vec<i64> = users.iter().copied().map(ids::to_db).collect();
    let moderator = moderator_id.map(ids::to_db);
    let rows = tx
        .query(
            END,
            &[&ids::to_db(guild_id), &users, &moderator, &at, &how.word()],
        )
        .await?;
    Ok(rows.iter().filter_map(|row| ids::from_db(row.get(0))).collect())
}
