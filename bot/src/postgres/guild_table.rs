//! Tables with guild data.

use super::Statement;

/// A table keyed by `guild_id`, and the statement that deletes some rows of a guild: `$1` is the guild, `$2` the maximum number of rows.
#[derive(Clone, Copy, Debug)]
pub struct GuildTable {
    /// Its name.
    pub name: &'static str,
    /// The statement.
    pub delete: Statement,
}

/// A list of [`GuildTable`]s by name. The guild is also in the outer condition, because rows of two partitions can have the same ctid.
macro_rules! guild_tables {
    ($($table:literal),* $(,)?) => {
        &[$($crate::postgres::guild_table::GuildTable {
            name: $table,
            delete: $crate::postgres::Statement {
                name: concat!("purge_", $table),
                types: &[tokio_postgres::types::Type::INT8, tokio_postgres::types::Type::INT8],
                sql: concat!(
                    "-- purge_", $table, "\nDELETE FROM ", $table, " WHERE guild_id = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM ", $table,
                    " WHERE guild_id = $1 LIMIT $2))\n-- purge_", $table
                ),
            },
        }),*]
    };
}
pub(crate) use guild_tables;
