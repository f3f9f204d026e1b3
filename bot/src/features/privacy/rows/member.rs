//! The data of one member of a guild: export and erasure.
//!
//! An erasure stores its interaction's ID. Only messages newer than that ID count, so backfill and replay do not restore erased data; a
//! replayed interaction erases nothing twice.

use twilight_model::id::{Id, marker::InteractionMarker};

use crate::{
    postgres::{
        Statement, Store, StoreError, Tx,
        backup::restoring::Erasure,
        statement::{Params, statement},
        table::{Erase, Table},
    },
    support::ids::{self, MemberKey},
};

/// What an export and an erasure concern, derived from the manifests.
#[derive(Clone, Debug)]
pub struct MemberData {
    /// All tables, in the order of their locks.
    pub tables: Vec<&'static Table>,
    /// The kinds of effects that follow from a member's own data.
    pub own_effects: Vec<&'static str>,
}

/// All data of a member, as a JSON object with a list of rows per table.
pub async fn export(store: &Store, key: MemberKey, data: &MemberData) -> Result<String, StoreError> {
    let mut lists = Vec::new();
    for table in &data.tables {
        let Some(member) = table.member else { continue };
        let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
        let params: Params<'_> = &[&guild, &user, &data.own_effects];
        let rows = store.query(member.export, taken(member.export, params)).await?;
        let list = rows
            .first()
            .map(|row| row.get::<_, String>(0))
            .unwrap_or_default();
        lists.push(format!("\"{}\": {list}", table.name));
    }
    Ok(format!("{{\n{}\n}}\n", lists.join(",\n")))
}

/// Erase all data of a member. `false` if this interaction, or a later one, has done so before.
pub async fn erase(
    tx: &Tx<'_>,
    key: MemberKey,
    erasure: Id<InteractionMarker>,
    data: &MemberData,
) -> Result<bool, StoreError> {
    const NOTE: Statement = statement!(
        "privacy_erased",
        [INT8, INT8, INT8],
        "INSERT INTO erased AS e (guild_id, user_id, interaction_id) VALUES ($1, $2, $3)
         ON CONFLICT (guild_id, user_id) DO UPDATE SET interaction_id = excluded.interaction_id, is_over = false
         WHERE e.interaction_id < excluded.interaction_id"
    );
    let (guild, user) = (ids::to_db(key.guild_id), ids::to_db(key.user_id));
    let params: Params<'_> = &[&guild, &user, &data.own_effects];
    // In the order that docs/invariants.md defines. Rows whose erasure depends on an earlier erasure stay locked until that is known.
    let erased = data.tables.iter().filter_map(|table| table.erase());
    let (first, others): (Vec<&Erase>, Vec<&Erase>) = erased.partition(|erase| erase.is_locked_first);
    for erase in &first {
        if let Some(lock) = erase.lock {
            tx.execute(lock, taken(lock, params)).await?;
        }
    }
    if tx.execute(NOTE, &[&guild, &user, &ids::to_db(erasure)]).await? == 0 {
        return Ok(false);
    }
    for erase in first.into_iter().chain(others) {
        tx.execute(erase.erase, taken(erase.erase, params)).await?;
    }
    Ok(true)
}

/// The parameters that a statement takes.
fn taken(statement: Statement, params: Params<'_>) -> Params<'_> {
    &params[..statement.types.len()]
}

/// A temporary table with the erasures known before a restore. The statements in manifests name it, too.
const FOUND: &str = "pg_temp.eventide_erased";

/// How a restore keeps members erased.
pub const ERASURE: Erasure = Erasure {
    remember: remembering,
    erase_again: erasing_again,
};

/// The statement that saves a schema's erasures before a restore replaces it.
fn remembering(schema: &str) -> String {
    format!(
        "CREATE TEMPORARY TABLE eventide_erased ON COMMIT DROP AS SELECT guild_id, user_id, interaction_id FROM {schema}.erased"
    )
}

/// Statements that repeat, in the restored data, the erasures made after the backup, and keep their records. `has` reports which tables
/// were restored, by schema version.
fn erasing_again(tables: &[&'static Table], version: u32, has: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut statements = Vec::new();
    if has("erased") {
        // Erasures that the backup contains are already applied in it.
        statements.push(format!(
            "DELETE FROM {FOUND} AS f USING erased AS e
             WHERE e.guild_id = f.guild_id AND e.user_id = f.user_id AND e.interaction_id >= f.interaction_id"
        ));
    }
    let again = tables
        .iter()
        .filter_map(|table| table.erase())
        .flat_map(|erase| erase.again);
    let restored = again.filter(|(table, _)| has(table));
    statements.extend(restored.map(|(_, sql)| (*sql).to_owned()));
    if has("erased") {
        let holds = if version >= IS_OVER {
            ", is_over = false"
        } else {
            ""
        };
        statements.push(format!(
            "INSERT INTO erased (guild_id, user_id, interaction_id) SELECT guild_id, user_id, interaction_id FROM {FOUND}
             ON CONFLICT (guild_id, user_id) DO UPDATE SET interaction_id = excluded.interaction_id{holds}"
        ));
    }
    statements
}

/// The migration that added the column `is_over`.
const IS_OVER: u32 = 32;
