//! `mod_case`, as far as it says how members stand who come back.

use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey, Millis},
};

/// How a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The member.
    pub key: MemberKey,
    /// When they came back.
    pub at: Millis,
    /// Their cases, except notes and those that were removed.
    pub cases: i64,
    /// The newest of them.
    pub newest: i64,
    /// Their timeout that has not ended.
    pub timeout: Option<i64>,
    /// When it ends.
    pub until: Option<Millis>,
}

/// How these members stood when they came back; without those who had no cases.
pub async fn of(tx: &Tx<'_>, members: &[(MemberKey, Millis)]) -> Result<Vec<Standing>, StoreError> {
    const STANDING: Statement = statement!(
        "mod_case_standing",
        [INT8_ARRAY, INT8_ARRAY, TIMESTAMPTZ_ARRAY],
        "SELECT j.guild_id, j.user_id, j.at, count(*), max(c.case_id),
                max(c.case_id) FILTER (WHERE c.kind = 'timeout' AND c.ended_at IS NULL AND c.ends_at > j.at
                                         AND (c.outcome IS NULL OR c.outcome IN ('done', 'gone', 'retried'))),
                max(c.ends_at) FILTER (WHERE c.kind = 'timeout' AND c.ended_at IS NULL AND c.ends_at > j.at
                                         AND (c.outcome IS NULL OR c.outcome IN ('done', 'gone', 'retried')))
         FROM unnest($1::int8[], $2::int8[], $3::timestamptz[]) AS j (guild_id, user_id, at)
         JOIN mod_case AS c ON c.guild_id = j.guild_id AND c.user_id = j.user_id
         WHERE c.removed_at IS NULL AND c.kind <> 'note' AND c.created_at < j.at
         GROUP BY j.guild_id, j.user_id, j.at ORDER BY j.guild_id, j.user_id"
    );
    let guilds: Vec<i64> = members.iter().map(|(key, _)| ids::to_db(key.guild_id)).collect();
    let users: Vec<i64> = members.iter().map(|(key, _)| ids::to_db(key.user_id)).collect();
    let times: Vec<_> = members.iter().map(|(_, at)| ids::to_time(*at)).collect();
    let rows = tx.query(STANDING, &[&guilds, &users, &times]).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some(Standing {
                key: MemberKey {
                    guild_id: ids::from_db(row.get(0))?,
                    user_id: ids::from_db(row.get(1))?,
                },
                at: ids::to_millis(row.get(2)),
                cases: row.get(3),
                newest: row.get(4),
                timeout: row.get(5),
                until: row.get::<_, Option<_>>(6).map(ids::to_millis),
            })
        })
        .collect())
}
