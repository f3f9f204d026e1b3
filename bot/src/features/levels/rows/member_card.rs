//! `member_card`: members' choices for their rank cards.

use twilight_model::id::{Id, marker::InteractionMarker};

use crate::{
    postgres::{Statement, Store, StoreError, statement::statement},
    settings::values::colour::Colour,
    support::ids::{self, MemberKey},
};

/// The colour chosen by a member, if any.
pub async fn colour(store: &Store, key: MemberKey) -> Result<Option<Colour>, StoreError> {
    const COLOUR: Statement = statement!(
        "member_card_colour",
        [INT8, INT8],
        "SELECT colour FROM member_card WHERE guild_id = $1 AND user_id = $2"
    );
    let rows = store
        .query(COLOUR, &[&ids::to_db(key.guild_id), &ids::to_db(key.user_id)])
        .await?;
    let colour = rows.first().and_then(|row| row.get::<_, Option<i64>>(0));
    Ok(colour.and_then(Colour::from_db))
}

/// Set or clear a member's colour, on behalf of an interaction; has no effect if that interaction or a newer one did so before.
pub async fn put_colour(
    store: &Store,
    key: MemberKey,
    colour: Option<Colour>,
    asked_id: Id<InteractionMarker>,
) -> Result<(), StoreError> {
    const PUT: Statement = statement!(
        "member_card_put",
        [INT8, INT8, INT8, INT8],
        "INSERT INTO member_card AS m (guild_id, user_id, colour, asked_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (guild_id, user_id) DO UPDATE SET colour = excluded.colour, asked_id = excluded.asked_id
         WHERE m.asked_id < excluded.asked_id"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let colour = colour.map(Colour::to_db);
    store
        .query(PUT, &[&guild, &user, &colour, &ids::to_db(asked_id)])
        .await
        .map(drop)
}
