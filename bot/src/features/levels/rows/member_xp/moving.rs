//! Import and export of `member_xp` rows.

use std::collections::HashMap;

use twilight_model::id::{Id, marker::GuildMarker};

use super::key_of;
use crate::{
    features::levels::rows::leaderboard::{Standing, standing_of},
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey},
};

/// How an import treats members who already have a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Add the file's XP to the member's
    Add,
    /// Replace the member's XP with the file's
    Replace,
    /// Keep whichever is higher
    #[default]
    KeepHigher,
}

impl Mode {
    /// The resulting XP of a member with `had` XP, for whom the file has `xp`.
    pub fn xp_of(self, had: u64, xp: u64) -> u64 {
        match self {
            Self::Add => had.saturating_add(xp),
            Self::Replace => xp,
            Self::KeepHigher => had.max(xp),
        }
    }

    /// The value on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::KeepHigher => "keep-higher",
        }
    }
}

/// A member's XP and messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Total XP.
    pub xp: u64,
    /// Messages.
    pub messages: u64,
}

/// The values to write for a member. Without messages, the member's count stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The member.
    pub key: MemberKey,
    /// Total XP.
    pub xp: u64,
    /// Messages.
    pub messages: Option<u64>,
}

/// Update the planner's statistics after many inserts. A role that does not own the table cannot; autovacuum does it later.
pub(crate) async fn analyze(store: &Store) -> Result<(), StoreError> {
    const ANALYZE: Statement = statement!("member_xp_analyze", [], "ANALYZE member_xp");
    store.query(ANALYZE, &[]).await.map(drop)
}

/// A statement that writes imported rows: its name, and the new values of XP and messages. Imported XP was not earned this week: the week's
/// XP stays, capped at the total.
macro_rules! import {
    ($name:literal, xp: $xp:literal, messages: $messages:literal) => {
        statement!(
            $name,
            [INT8_ARRAY, INT8_ARRAY, INT8_ARRAY, INT8_ARRAY],
            "INSERT INTO member_xp (guild_id, user_id, xp, message_count, by_xp, by_messages)
             SELECT d.*, CASE WHEN r.guild_id IS NULL THEN 0 ELSE xp_place(d.xp) END,
                    CASE WHEN r.guild_id IS NULL THEN 0 ELSE message_place(d.messages) END
             FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[]) AS d (guild_id, user_id, xp, messages)
             LEFT JOIN ranked_guild AS r ON r.guild_id = d.guild_id
             ORDER BY d.guild_id, d.user_id
             ON CONFLICT (guild_id, user_id) DO UPDATE
             SET xp = ", $xp, ",
                 message_count = ", $messages, ",
                 by_messages = CASE WHEN EXISTS (SELECT FROM ranked_guild AS r WHERE r.guild_id = excluded.guild_id)
                     THEN message_place(", $messages, ") ELSE GREATEST(member_xp.by_messages, 0::smallint) END,
                 by_xp = CASE WHEN EXISTS (SELECT FROM ranked_guild AS r WHERE r.guild_id = excluded.guild_id)
                     THEN xp_place(", $xp, ") ELSE GREATEST(member_xp.by_xp, 0::smallint) END,
                 week_base = GREATEST(0, ", $xp, " - (member_xp.xp - member_xp.week_base)),
                 by_week = CASE WHEN EXISTS (SELECT FROM ranked_guild AS r WHERE r.guild_id = excluded.guild_id)
                     THEN CASE member_xp.week WHEN 0 THEN 0
                          ELSE week_place(LEAST(", $xp, ", member_xp.xp - member_xp.week_base)) END
                     ELSE GREATEST(member_xp.by_week, 0::smallint) END"
        )
    };
}

const ADD: Statement = import!(
    "member_xp_import_add",
    xp: "(LEAST(member_xp.xp, 9223372036854775807 - excluded.xp) + excluded.xp)",
    messages: "(LEAST(member_xp.message_count, 9223372036854775807 - excluded.message_count) + excluded.message_count)"
);

const REPLACE: Statement = import!(
    "member_xp_import_replace",
    xp: "excluded.xp",
    messages: "excluded.message_count"
);

const REPLACE_XP: Statement = import!(
    "member_xp_import_replace_xp",
    xp: "excluded.xp",
    messages: "member_xp.message_count"
);

const KEEP_HIGHER: Statement = import!(
    "member_xp_import_keep_higher",
    xp: "GREATEST(member_xp.xp, excluded.xp)",
    messages: "GREATEST(member_xp.message_count, excluded.message_count)"
);

/// The current values of `keys`. Members without a row are not in the result.
pub async fn current(
    store: &Store,
    keys: impl Iterator<Item = MemberKey>,
) -> Result<HashMap<MemberKey, Counts>, StoreError> {
    const CURRENT: Statement = statement!(
        "member_xp_current",
        [INT8_ARRAY, INT8_ARRAY],
        "SELECT m.guild_id, m.user_id, m.xp, m.message_count
         FROM unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         JOIN member_xp AS m ON m.guild_id = k.guild_id AND m.user_id = k.user_id"
    );
    let (guilds, users): (Vec<i64>, Vec<i64>) = keys
        .map(|key| (ids::to_db(key.guild_id), ids::to_db(key.user_id)))
        .unzip();
    let rows = store.query(CURRENT, &[&guilds, &users]).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let counts = Counts {
                xp: row.get::<_, i64>(2).cast_unsigned(),
                messages: row.get::<_, i64>(3).cast_unsigned(),
            };
            Some((key_of(row)?, counts))
        })
        .collect())
}

/// Write imported rows, with their buckets. The last awards do not change. Returns each member's previous XP, if they had a row.
///
/// `arrivals` must be sorted by key and unique, as in [`super::write`] and for the same reasons.
pub async fn bring(
    tx: &Tx<'_>,
    mode: Mode,
    arrivals: &[Arrival],
) -> Result<HashMap<MemberKey, u64>, StoreError> {
    debug_assert!(
        arrivals.is_sorted_by(|a, b| a.key < b.key),
        "sorted, each key once"
    );
    let keys: Vec<MemberKey> = arrivals.iter().map(|arrival| arrival.key).collect();
    let before = super::lock(tx, &keys).await?;
    // Nearly always one run: either all rows of a file have messages or none. In order, so that rows are locked in key order.
    for run in arrivals.chunk_by(|a, b| a.messages.is_some() == b.messages.is_some()) {
        let statement = match (mode, run[0].messages) {
            (Mode::Add, _) => ADD,
            (Mode::Replace, Some(_)) => REPLACE,
            (Mode::Replace, None) => REPLACE_XP,
            (Mode::KeepHigher, _) => KEEP_HIGHER,
        };
        let column = |of: fn(&Arrival) -> i64| run.iter().map(of).collect::<Vec<i64>>();
        tx.execute(
            statement,
            &[
                &column(|a| ids::to_db(a.key.guild_id)),
                &column(|a| ids::to_db(a.key.user_id)),
                &column(|a| a.xp.cast_signed()),
                &column(|a| a.messages.unwrap_or(0).cast_signed()),
            ],
        )
        .await?;
    }
    Ok(before)
}

/// Pass every member of a guild to `each`, ordered by ID and from one snapshot, without holding all of them in memory.
pub async fn each<E>(
    store: &Store,
    guild_id: Id<GuildMarker>,
    mut each: impl FnMut(Standing) -> Result<(), E> + Send,
) -> Result<u64, E>
where
    E: From<StoreError> + Send,
{
    const EACH: Statement = statement!(
        "member_xp_each",
        [INT8],
        "SELECT user_id, xp, message_count FROM member_xp WHERE guild_id = $1 ORDER BY user_id"
    );
    let mut count = 0;
    store
        .stream(EACH, &[&ids::to_db(guild_id)], |row| -> Result<(), E> {
            if let Some(standing) = standing_of(row) {
                each(standing)?;
                count += 1;
            }
            Ok(())
        })
        .await?;
    Ok(count)
}
