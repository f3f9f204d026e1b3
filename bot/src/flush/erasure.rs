//! What a flush does with the changes of members who had their data erased: those from before the erasure are dropped.

use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey, Millis},
};

/// How long an erasure stays in force after the member is back: an interaction may be replayed for some minutes.
const HOLDS: Millis = 60 * 60 * 1_000;

/// Whether an erasure can be marked as over, given a message that the member sent at `at`.
pub const fn is_over(erased_at: Millis, at: Millis) -> bool {
    at - erased_at > HOLDS
}

/// Mark the erasures of these members, who are active again, as over. The record stays for backups taken before it.
pub async fn end(tx: &Tx<'_>, back: &[MemberKey]) -> Result<(), StoreError> {
    const END: Statement = statement!(
        "privacy_end",
        [INT8_ARRAY, INT8_ARRAY],
        "UPDATE erased AS e SET is_over = true FROM unnest($1::int8[], $2::int8[]) AS k (guild_id, user_id)
         WHERE e.guild_id = k.guild_id AND e.user_id = k.user_id"
    );
    if back.is_empty() {
        return Ok(());
    }
    let (guilds, users): (Vec<i64>, Vec<i64>) = back
        .iter()
        .map(|key| (ids::to_db(key.guild_id), ids::to_db(key.user_id)))
        .unzip();
    tx.execute(END, &[&guilds, &users]).await.map(drop)
}
