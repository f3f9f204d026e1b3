//! The history: the applied migrations, compared with the files.

use super::{
    error::MigrateError,
    files::{Migrations, Step, file_name},
    session::Session,
};
use crate::postgres::connect::quoted;

/// A migration, and when it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The file's name without its extension.
    pub name: String,
    /// When it was applied, as date and time in UTC; `None` if it is pending.
    pub applied_on: Option<String>,
    /// Whether this binary can undo it.
    pub undo: bool,
    /// Whether it belongs to a newer version of Eventide with which this binary is compatible.
    pub newer: bool,
}

/// The state of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct History {
    pub(super) schema: String,
    /// The rows, oldest first.
    pub(super) rows: Vec<Applied>,
    /// The newest migration that a binary has to know; `None` for a schema without this information.
    pub(super) minimum: Option<i64>,
}

/// A row of refinery's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) version: i32,
    name: Option<String>,
    checksum: Option<String>,
    /// `None` if refinery could not parse it.
    on: Option<String>,
}

impl Applied {
    pub(super) fn file_name(&self) -> String {
        file_name(self.version, self.name.as_deref().unwrap_or_default())
    }
}

impl Session {
    /// The applied migrations, and the required version of the binary.
    pub(super) async fn history(&self) -> Result<History, MigrateError> {
        // The order matters: if a migration that raises the minimum is applied in between, the minimum is read, and not its row alone.
        let rows = self.applied().await?;
        // Without a history, a table with this name belongs to another program.
        let minimum = if rows.is_empty() {
            None
        } else {
            self.minimum().await?
        };
        Ok(History {
            schema: self.schema.clone(),
            rows,
            minimum,
        })
    }

    async fn minimum(&self) -> Result<Option<i64>, MigrateError> {
        if !self.may_read("schema_minimum").await? {
            return Ok(None);
        }
        let rows = self
            .client
            .query(
                "-- migrate_minimum\nSELECT version::int8 FROM schema_minimum",
                &[],
            )
            .await?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// Whether the table exists.
    async fn may_read(&self, table: &str) -> Result<bool, MigrateError> {
        let row = self
            .client
            .query_one(
                "-- migrate_may_read
                 SELECT t.oid IS NOT NULL, current_user::text, coalesce(has_table_privilege(t.oid, 'SELECT'), false)
                 FROM (SELECT to_regclass($1)::oid AS oid) AS t",
                &[&table],
            )
            .await?;
        if row.get(0) && !row.get::<_, bool>(2) {
            let (role, schema) = (quoted(row.get(1)), quoted(&self.schema));
            return Err(MigrateError::Rights {
                what: format!("read the tables in the schema {schema}"),
                grant: format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};"
                ),
                role,
            });
        }
        Ok(row.get(0))
    }

    async fn applied(&self) -> Result<Vec<Applied>, MigrateError> {
        if !self.may_read("refinery_schema_history").await? {
            return Ok(Vec::new());
        }
        self.expect_readable_history().await?;
        // refinery panics if a time does not have this format.
        let rows = self
            .client
            .query(
                r"-- migrate_applied
                 SELECT version, name, checksum, CASE
                     WHEN applied_on ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$'
                     THEN to_char(applied_on::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
                 END
                 FROM refinery_schema_history ORDER BY version",
                &[],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| Applied {
                version: row.get(0),
                name: row.get(1),
                checksum: row.get(2),
                on: row.get(3),
            })
            .collect())
    }
}

impl Migrations {
    /// Every mismatch between the history and the files.
    ///
    /// During a rolling update, the schema is newer than the binaries of the previous version. They continue to run, and start, as long as
    /// `schema_minimum` allows it: a migration that is not compatible with the previous binary raises it.
    pub(super) fn faults(&self, history: &History) -> Vec<MigrateError> {
        let applied = &history.rows;
        let mut faults = Vec::new();
        let is_ours = |row: &Applied| self.steps.iter().any(|step| step.name() == row.file_name());
        if let (Some(first), false) = (applied.first(), applied.iter().any(is_ours)) {
            return vec![MigrateError::ForeignSchema {
                schema: quoted(&history.schema),
                what: format!("its migrations begin with {}", first.file_name()),
            }];
        }
        if let Some(version) = self.asked_in_vain(history) {
            let row = applied.iter().find(|row| i64::from(row.version) == version);
            faults.push(MigrateError::TooOld {
                schema: quoted(&history.schema),
                needed: row.map_or_else(|| format!("V{version}"), Applied::file_name),
                newest: self.newest_name(),
            });
        }
        for row in applied {
            let name = row.file_name();
            let Some(step) = self.steps.iter().find(|step| step.version() == row.version) else {
                // If the schema has a minimum, it decides whether a newer migration is tolerated.
                if !self.is_newer(row) || history.minimum.is_none() {
                    faults.push(MigrateError::Missing { name });
                }
                continue;
            };
            if row.on.is_none() || row.name.is_none() {
                faults.push(MigrateError::History { version: row.version });
            } else if name != step.name() {
                faults.push(MigrateError::Renamed {
                    name,
                    here: step.name(),
                });
            } else if row.checksum != Some(step.checksum()) {
                faults.push(MigrateError::Divergent { name });
            }
        }
        let newest = applied.iter().map(|row| row.version).max();
        let skipped = self.steps.iter().filter(|step| Some(step.version()) < newest);
        faults.extend(
            skipped
                .filter(|step| !is_applied(step, applied))
                .map(|step| MigrateError::OutOfOrder { name: step.name() }),
        );
        faults
    }

    /// The first mismatch, as an error.
    pub(super) fn check(&self, history: &History) -> Result<(), MigrateError> {
        match self.faults(history).into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// The migrations that a newer version has applied.
    pub(super) fn newer(&self, history: &History) -> Vec<String> {
        let newer = history.rows.iter().filter(|row| self.is_newer(row));
        newer.map(Applied::file_name).collect()
    }

    fn is_newer(&self, row: &Applied) -> bool {
        self.steps.last().is_none_or(|step| step.version() < row.version)
    }

    /// The minimum, if this binary is older.
    fn asked_in_vain(&self, history: &History) -> Option<i64> {
        let newest = self.steps.last().map_or(0, |step| i64::from(step.version()));
        history.minimum.filter(|minimum| *minimum > newest)
    }

    fn newest_name(&self) -> String {
        self.steps.last().map(Step::name).unwrap_or_default()
    }

    /// The pending migrations, up to a version.
    pub(super) fn pending(&self, history: &History, to: Option<i32>) -> Result<Vec<&Step>, MigrateError> {
        let applied = &history.rows;
        if let Some(version) = to {
            if version != 0 && !self.steps.iter().any(|step| step.version() == version) {
                return Err(MigrateError::NoSuchVersion {
                    version,
                    newest: self.newest_name(),
                });
            }
            if let Some(at) = applied.last().filter(|at| at.version > version) {
                return Err(MigrateError::Beyond {
                    at: at.file_name(),
                    steps: applied.iter().filter(|row| row.version > version).count(),
                });
            }
        }
        let wanted = |step: &&Step| to.is_none_or(|to| step.version() <= to);
        Ok(self
            .steps
            .iter()
            .filter(|step| !is_applied(step, applied))
            .filter(wanted)
            .collect())
    }

    /// Every migration of the binary or the database, oldest first.
    pub(super) fn statuses(&self, history: &History) -> Vec<Status> {
        let applied = &history.rows;
        let mut all: Vec<(i32, Status)> = applied
            .iter()
            .map(|row| {
                let step = self.steps.iter().find(|step| step.version() == row.version);
                let status = Status {
                    name: row.file_name(),
                    applied_on: Some(row.on.clone().unwrap_or_else(|| "at an unknown time".to_owned())),
                    undo: step.is_some_and(|step| step.undo().is_some()),
                    newer: self.is_newer(row),
                };
                (row.version, status)
            })
            .collect();
        let outstanding = self.steps.iter().filter(|step| !is_applied(step, applied));
        all.extend(outstanding.map(|step| {
            let status = Status {
                name: step.name(),
                applied_on: None,
                undo: step.undo().is_some(),
                newer: false,
            };
            (step.version(), status)
        }));
        all.sort_by_key(|(version, _)| *version);
        all.into_iter().map(|(_, status)| status).collect()
    }
}

fn is_applied(step: &Step, applied: &[Applied]) -> bool {
    applied.iter().any(|row| row.version == step.version())
}

#[cfg(test)]
mod tests;
