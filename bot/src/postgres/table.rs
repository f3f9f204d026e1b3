//! What a manifest says about a table: whose data it is, how that is deleted, exported and erased, and what a restore resets.
//!
//! One line declares a usual table, with `guild_table!` or `member_table!`. Methods replace what is different about another one.

use super::Statement;

/// The tables of the database itself.
pub(crate) const TABLES: &[Table] = &[
    Table::plain("refinery_schema_history"),
    Table::plain("schema_minimum"),
    Table::plain("last_backup"),
];

/// A table in a manifest.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Deletes some rows of a guild: `$1` is the guild, `$2` the maximum number of rows. `None` if they are not deleted with its data.
    pub delete: Option<Statement>,
    /// For a table about members: what `/privacy` does with it.
    pub member: Option<MemberRows>,
    /// What a restored backup resets.
    pub reset: Option<Reset>,
}

/// A member's rows. Each statement has the parameters `$1`, the guild, and `$2`, the member; and, if it needs them, `$3`: the kinds of
/// effects that are the member's own.
#[derive(Clone, Copy, Debug)]
pub struct MemberRows {
    /// Selects the rows as one text, a JSON list.
    pub export: Statement,
    /// `None` if the rows belong to the guild and its staff: members cannot have them erased.
    pub erase: Option<Erase>,
}

/// How a member's rows are erased.
#[derive(Clone, Copy, Debug)]
pub struct Erase {
    /// Locks the rows.
    pub lock: Option<Statement>,
    /// Whether the rows are locked before the erasure is recorded, and erased before others: what adds them looks for that record while it
    /// holds its locks.
    pub is_locked_first: bool,
    /// Erases the rows.
    pub erase: Statement,
    /// Erases the rows again in a restored backup, from each of these tables that it contains; `f` are the erased members.
    pub again: &'static [(&'static str, &'static str)],
}

/// Data that must not be restored unchanged, because it describes a state outside of the database which has changed since the backup.
#[derive(Clone, Copy, Debug)]
pub struct Reset {
    /// The migration that added what the statement changes. It takes effect in all later restores, including those of older backups.
    pub since: u32,
    /// The statement.
    pub sql: &'static str,
}

impl Table {
    /// A table whose rows are not deleted with a guild's data: about shards, processes, or the database itself.
    pub(crate) const fn plain(name: &'static str) -> Self {
        Self {
            name,
            delete: None,
            member: None,
            reset: None,
        }
    }

    /// Rows about users, in any guild: exported and erased by these statements. A restore resets them.
    pub(crate) const fn of_users(self, export: Statement, erase: Statement) -> Self {
        self.with(MemberRows {
            export,
            erase: Some(Erase {
                lock: None,
                is_locked_first: false,
                erase,
                again: &[],
            }),
        })
    }

    /// Members cannot have their rows erased. They are deleted with the guild's data.
    pub(crate) const fn kept(self) -> Self {
        let rows = self.member_rows();
        self.with(MemberRows { erase: None, ..rows })
    }

    /// The rows are exported by this statement.
    pub(crate) const fn exported_by(self, export: Statement) -> Self {
        let rows = self.member_rows();
        self.with(MemberRows { export, ..rows })
    }

    /// The rows are erased by this statement.
    pub(crate) const fn erased_by(self, erase: Statement) -> Self {
        let old = self.erasing();
        self.with_erase(Erase { erase, ..old })
    }

    /// The rows are erased again by these statements when a backup is restored, from each of these tables that it contains.
    pub(crate) const fn erased_again_by(self, again: &'static [(&'static str, &'static str)]) -> Self {
        let old = self.erasing();
        self.with_erase(Erase { again, ..old })
    }

    /// The rows are locked before the erasure is recorded.
    pub(crate) const fn locked_first(self) -> Self {
        let old = self.erasing();
        self.with_erase(Erase {
            is_locked_first: true,
            ..old
        })
    }

    /// A restore carries out `sql` if the backup has the table, and the migration `since`.
    pub(crate) const fn reset(mut self, since: u32, sql: &'static str) -> Self {
        self.reset = Some(Reset { since, sql });
        self
    }

    const fn with(mut self, rows: MemberRows) -> Self {
        self.member = Some(rows);
        self
    }

    const fn with_erase(self, erase: Erase) -> Self {
        let rows = self.member_rows();
        self.with(MemberRows {
            erase: Some(erase),
            ..rows
        })
    }

    const fn member_rows(&self) -> MemberRows {
        self.member.expect("a table about members")
    }

    const fn erasing(&self) -> Erase {
        self.member_rows().erase.expect("a table that is erased")
    }

    /// How the rows of members are erased, if they are.
    pub fn erase(&self) -> Option<&Erase> {
        self.member.as_ref()?.erase.as_ref()
    }
}

/// A table keyed by `guild_id`. The guild is also in the outer condition of the statement that deletes its rows, because rows of two
/// partitions can have the same ctid.
macro_rules! guild_table {
    ($table:literal) => {
        $crate::postgres::table::Table {
            delete: Some($crate::postgres::statement::statement!(
                concat!("purge_", $table),
                [INT8, INT8],
                "DELETE FROM ",
                $table,
                " WHERE guild_id = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM ",
                $table,
                " WHERE guild_id = $1 LIMIT $2))"
            )),
            ..$crate::postgres::table::Table::plain($table)
        }
    };
}
pub(crate) use guild_table;

/// A table of guilds with the columns `guild_id` and `user_id`. The rows of a member are exported in the order of their columns, and
/// erased.
macro_rules! member_table {
    ($table:literal) => {
        $crate::postgres::table::Table {
            member: Some($crate::postgres::table::MemberRows {
                export: $crate::postgres::statement::statement!(
                    concat!("export_", $table),
                    [INT8, INT8],
                    "SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(t) ORDER BY t), '[]')) FROM ",
                    $table,
                    " AS t WHERE guild_id = $1 AND user_id = $2"
                ),
                erase: Some($crate::postgres::table::Erase {
                    lock: Some($crate::postgres::statement::statement!(
                        concat!("lock_", $table),
                        [INT8, INT8],
                        "SELECT FROM ",
                        $table,
                        " AS t WHERE guild_id = $1 AND user_id = $2 ORDER BY t FOR UPDATE"
                    )),
                    is_locked_first: false,
                    erase: $crate::postgres::statement::statement!(
                        concat!("erase_", $table),
                        [INT8, INT8],
                        "DELETE FROM ",
                        $table,
                        " WHERE guild_id = $1 AND user_id = $2"
                    ),
                    again: &[(
                        $table,
                        concat!(
                            "DELETE FROM ",
                            $table,
                            " AS t USING pg_temp.eventide_erased AS f
                             WHERE t.guild_id = f.guild_id AND t.user_id = f.user_id"
                        ),
                    )],
                }),
            }),
            ..$crate::postgres::table::guild_table!($table)
        }
    };
}
pub(crate) use member_table;
