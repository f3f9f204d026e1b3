//! `guild_section`: what guilds chose in the sections of features.

use serde_json::Value as Json;
use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// Choose a value, or none: the default holds then. Values that this version does not know stay.
pub async fn put(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    (section, field): (&str, &str),
    value: Option<&Json>,
) -> Result<(), StoreError> {
    const PUT: Statement = statement!(
        "guild_section_put",
        [INT8, TEXT, TEXT, TEXT],
        "INSERT INTO guild_section AS s (guild_id, section, settings)
         VALUES ($1, $2, jsonb_build_object($3::text, $4::jsonb))
         ON CONFLICT (guild_id, section) DO UPDATE SET settings = s.settings || excluded.settings, updated_at = now()"
    );
    const REMOVE: Statement = statement!(
        "guild_section_remove",
        [INT8, TEXT, TEXT],
        "UPDATE guild_section SET settings = settings - $3::text, updated_at = now()
         WHERE guild_id = $1 AND section = $2 AND settings ? $3::text"
    );
    let guild = ids::to_db(guild_id);
    match value.map(Json::to_string) {
        Some(value) => tx.execute(PUT, &[&guild, &section, &field, &value]).await,
        None => tx.execute(REMOVE, &[&guild, &section, &field]).await,
    }
    .map(drop)
}

/// The next guilds after this one that have chosen something in a section; up to 500.
pub async fn guilds(
    store: &Store,
    section: &str,
    after: Option<Id<GuildMarker>>,
) -> Result<Vec<Id<GuildMarker>>, StoreError> {
    const GUILDS: Statement = statement!(
        "guild_section_guilds",
        [TEXT, INT8],
        "SELECT guild_id FROM guild_section WHERE section = $1 AND guild_id > $2 ORDER BY guild_id LIMIT 500"
    );
    let rows = store
        .query(GUILDS, &[&section, &after.map_or(0, ids::to_db)])
        .await?;
    Ok(rows.iter().filter_map(|row| ids::from_db(row.get(0))).collect())
}

/// Forget a role or a channel that was deleted, also in values that this version does not know: IDs are the only numbers of this size.
pub async fn forget<T>(tx: &Tx<'_>, guild_id: Id<GuildMarker>, gone: Id<T>) -> Result<(), StoreError> {
    const NAMING: Statement = statement!(
        "guild_section_naming",
        [INT8, TEXT],
        "SELECT section, settings::text FROM guild_section
         WHERE guild_id = $1 AND strpos(settings::text, $2) > 0 ORDER BY section FOR UPDATE"
    );
    const REPLACE: Statement = statement!(
        "guild_section_replace",
        [INT8, TEXT, TEXT],
        "UPDATE guild_section SET settings = $3::jsonb, updated_at = now() WHERE guild_id = $1 AND section = $2"
    );
    let guild = ids::to_db(guild_id);
    for row in tx.query(NAMING, &[&guild, &gone.to_string()]).await? {
        let (section, text): (String, String) = (row.get(0), row.get(1));
        let Ok(mut settings) = serde_json::from_str::<Json>(&text) else {
            continue;
        };
        remove(&mut settings, &gone.get().into());
        tx.execute(REPLACE, &[&guild, &section, &settings.to_string()])
            .await?;
    }
    Ok(())
}

/// Remove a value from objects and lists.
fn remove(from: &mut Json, gone: &Json) {
    match from {
        Json::Object(values) => {
            values.retain(|_, value| value != gone);
            for value in values.values_mut() {
                remove(value, gone);
            }
        }
        Json::Array(values) => {
            values.retain(|value| value != gone);
            for value in values {
                remove(value, gone);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::remove;

    #[test]
    fn ids_are_removed_wherever_they_stand_and_texts_stay() {
        let mut settings = json!({
            "channel": 7, "roles": [6, 7, 8], "text": "7", "unknown": {"deeper": [[7, 5]], "count": 70},
        });
        remove(&mut settings, &json!(7));
        assert_eq!(
            settings,
            json!({"roles": [6, 8], "text": "7", "unknown": {"deeper": [[5]], "count": 70}})
        );
    }
}
