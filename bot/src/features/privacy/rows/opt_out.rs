//! `board_opt_out`: members who are hidden on leaderboards of the website.

use crate::{
    postgres::{Statement, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey},
};

/// Hide a member, or show a member again.
pub(crate) async fn choose(tx: &Tx<'_>, key: MemberKey, hides: bool) -> Result<(), StoreError> {
    const HIDE: Statement = statement!(
        "board_opt_out_add",
        [INT8, INT8],
        "INSERT INTO board_opt_out (guild_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    );
    const SHOW: Statement = statement!(
        "board_opt_out_remove",
        [INT8, INT8],
        "DELETE FROM board_opt_out WHERE guild_id = $1 AND user_id = $2"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let statement = if hides { HIDE } else { SHOW };
    tx.execute(statement, &[&guild, &user]).await.map(drop)
}
