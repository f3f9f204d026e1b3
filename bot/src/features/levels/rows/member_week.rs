//! `member_week` and `guild_week`: the XP of members at the beginning of each week.
//!
//! What a member gained in a week is the difference of two beginnings, so no XP is lost at the turn of a week, however late it is copied.
//! XP that staff gave, took or imported belongs to the week in which they did so.

use std::time::SystemTime;

use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    settings::{section::Choices as _, statistics::StatisticsSettings},
    support::ids::{self, MemberKey},
};

/// Members whose XP one transaction copies, and rows of which one statement deletes those that have expired.
const AT_ONCE: i64 = 2_000;

/// The XP of the member `m` at the beginning of a week, as far as their row still shows it. Before V30, XP was taken without the week's, so
/// a base can be below 0.
macro_rules! at_beginning {
    ($week:literal) => {
        concat!(
            "greatest(0, CASE WHEN m.week >= ",
            $week,
            " THEN m.week_base ELSE m.xp END)"
        )
    };
}

/// The database's time.
pub(crate) async fn now(store: &Store) -> Result<SystemTime, StoreError> {
    const NOW: Statement = statement!("member_week_now", [], "SELECT now()");
    let rows = store.query(NOW, &[]).await?;
    Ok(rows.first().map_or(SystemTime::UNIX_EPOCH, |row| row.get(0)))
}

/// Copy the XP that some members of a guild had at the beginning of this week. Returns whether there are more.
pub(crate) async fn copy(store: &Store, guild_id: Id<GuildMarker>, week: i32) -> Result<bool, StoreError> {
    // A purge deletes the settings of a guild first. It waits for this transaction, or leaves nothing to copy for.
    const BEGIN: Statement = statement!(
        "member_week_begin",
        [INT8, INT4, TEXT],
        "WITH chosen AS (
             SELECT s.guild_id FROM guild_section AS s
             WHERE s.guild_id = $1 AND s.section = $3
               AND NOT EXISTS (SELECT FROM guild_week AS g WHERE g.guild_id = $1 AND g.week = $2 AND g.after_user IS NULL)
             FOR KEY SHARE OF s
         )
         INSERT INTO guild_week AS g (guild_id, week, after_user) SELECT guild_id, $2, 0 FROM chosen
         ON CONFLICT (guild_id, week) DO UPDATE SET after_user = g.after_user
         RETURNING after_user"
    );
    // Locks the rows that are copied: an erasure waits, and then finds the copy, or its member is not copied.
    const COPY: Statement = statement!(
        "member_week_copy",
        [INT8, INT4, INT8, INT8],
        "WITH batch AS MATERIALIZED (
             SELECT user_id FROM member_xp WHERE guild_id = $1 AND user_id > $3 ORDER BY user_id LIMIT $4
         ), changed AS MATERIALIZED (
             SELECT m.user_id, ", at_beginning!("$2"), " AS xp
             FROM member_xp AS m
             WHERE m.guild_id = $1 AND m.user_id > $3 AND m.user_id <= (SELECT max(user_id) FROM batch)
               AND ", at_beginning!("$2"), " <> coalesce((
                   SELECT w.xp FROM member_week AS w WHERE w.guild_id = $1 AND w.user_id = m.user_id ORDER BY w.week DESC LIMIT 1
               ), 0)
             ORDER BY m.user_id FOR KEY SHARE OF m
         ), copied AS (
             INSERT INTO member_week (guild_id, user_id, week, xp) SELECT $1, user_id, $2, xp FROM changed
         )
         SELECT max(user_id), count(*) FROM batch"
    );
    const MOVED: Statement = statement!(
        "member_week_moved",
        [INT8, INT4, INT8],
        "UPDATE guild_week SET after_user = $3 WHERE guild_id = $1 AND week = $2"
    );
    let guild = ids::to_db(guild_id);
    store
        .transaction("member_week_copy", move |tx| {
            Box::pin(async move {
                let begun = tx
                    .query(BEGIN, &[&guild, &week, &StatisticsSettings::SECTION.name])
                    .await?;
                let Some(after) = begun.first().and_then(|row| row.get::<_, Option<i64>>(0)) else {
                    return Ok(false);
                };
                let copied = tx.query(COPY, &[&guild, &week, &after, &AT_ONCE]).await?;
                let last = copied
                    .first()
                    .filter(|row| row.get::<_, i64>(1) == AT_ONCE)
                    .and_then(|row| row.get::<_, Option<i64>>(0));
                tx.execute(MOVED, &[&guild, &week, &last]).await?;
                Ok(last.is_some())
            })
        })
        .await
}

/// Delete the beginnings of a guild's weeks before this one. Each member's newest row before it stays for as long as differences to it are
/// shown.
pub(crate) async fn expire(store: &Store, guild_id: Id<GuildMarker>, oldest: i32) -> Result<(), StoreError> {
    const EXPIRED: Statement = statement!(
        "member_week_expired",
        [INT8, INT4],
        "SELECT FROM guild_week WHERE guild_id = $1 AND week < $2 LIMIT 1"
    );
    const EXPIRE: Statement = statement!(
        "member_week_expire",
        [INT8, INT4, INT8, INT4, INT8],
        "WITH batch AS MATERIALIZED (
             SELECT user_id, week FROM member_week WHERE guild_id = $1 AND (user_id, week) > ($3, $4)
             ORDER BY user_id, week LIMIT $5
         ), gone AS (
             DELETE FROM member_week AS w USING batch AS b
             WHERE w.guild_id = $1 AND w.user_id = b.user_id AND w.week = b.week AND w.week < $2
               AND (EXISTS (
                        SELECT FROM member_week AS n
                        WHERE n.guild_id = $1 AND n.user_id = w.user_id AND n.week > w.week AND n.week <= $2
                    )
                    OR NOT EXISTS (SELECT FROM guild_week AS g WHERE g.guild_id = $1 AND g.week >= $2))
         )
         SELECT user_id, week FROM batch ORDER BY user_id DESC, week DESC LIMIT 1"
    );
    // Comes last, so that what is interrupted is repeated.
    const FORGET: Statement = statement!(
        "member_week_forget",
        [INT8, INT4],
        "DELETE FROM guild_week WHERE guild_id = $1 AND week < $2"
    );
    let guild = ids::to_db(guild_id);
    if store.query(EXPIRED, &[&guild, &oldest]).await?.is_empty() {
        return Ok(());
    }
    let mut after = (0_i64, 0_i32);
    while let Some(last) = store
        .query(EXPIRE, &[&guild, &oldest, &after.0, &after.1, &AT_ONCE])
        .await?
        .first()
    {
        after = (last.get(0), last.get(1));
    }
    store.query(FORGET, &[&guild, &oldest]).await.map(drop)
}

/// The XP of a member at the beginning of each week between two, as far as it is known, and in any case of the last one, in order.
pub(crate) async fn beginnings(
    store: &Store,
    key: MemberKey,
    (from, to): (i32, i32),
) -> Result<Vec<(i32, u64)>, StoreError> {
    const BEGINNINGS: Statement = statement!(
        "member_week_beginnings",
        [INT8, INT8, INT4, INT4],
        "WITH known AS (
             SELECT week FROM guild_week WHERE guild_id = $1 AND week BETWEEN $3 AND $4 AND after_user IS NULL
         )
         SELECT k.week, coalesce((
             SELECT w.xp FROM member_week AS w
             WHERE w.guild_id = $1 AND w.user_id = $2 AND w.week <= k.week ORDER BY w.week DESC LIMIT 1
         ), 0)
         FROM known AS k
         UNION ALL
         SELECT $4, ",
        at_beginning!("$4"),
        " FROM member_xp AS m
         WHERE m.guild_id = $1 AND m.user_id = $2 AND NOT EXISTS (SELECT FROM known WHERE week = $4)
         ORDER BY 1"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let rows = store.read(BEGINNINGS, &[&guild, &user, &from, &to]).await?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get::<_, i64>(1).cast_unsigned()))
        .collect())
}
