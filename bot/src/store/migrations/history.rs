//! What was applied to the database, against the files.

use super::{
    error::MigrateError,
    files::{Migrations, Step, file_name},
    session::Session,
};
use crate::store::connect::quoted;

/// A migration, and since when it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The file's name without its ending.
    pub name: String,
    /// When it was applied, as date and time in UTC; `None` when it was not.
    pub applied_on: Option<String>,
    /// Whether this binary can take it back.
    pub undo: bool,
}

/// A row of refinery's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) version: i32,
    name: Option<String>,
    checksum: Option<String>,
    /// `None` for what refinery would not be able to read.
    on: Option<String>,
}

impl Applied {
    pub(super) fn file_name(&self) -> String {
        file_name(self.version, self.name.as_deref().unwrap_or_default())
    }
}

impl Session {
    /// The migrations that were applied, the oldest first.
    pub(super) async fn applied(&self) -> Result<Vec<Applied>, MigrateError> {
        let exists = self
            .client
            .query_one(
                "-- migrate_history
                 SELECT to_regclass('refinery_schema_history') IS NOT NULL, current_user::text,
                        coalesce(has_table_privilege(to_regclass('refinery_schema_history'), 'SELECT'), false)",
                &[],
            )
            .await?;
        if !exists.get::<_, bool>(0) {
            return Ok(Vec::new());
        }
        if !exists.get::<_, bool>(2) {
            let (role, schema) = (quoted(exists.get(1)), quoted(&self.schema));
            return Err(MigrateError::Rights {
                what: format!("read the tables in the schema {schema}"),
                grant: format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};"
                ),
                role,
            });
        }
        // refinery panics at a time that is not in this form.
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
    /// Every way in which the history does not fit the files.
    ///
    /// A database that is ahead of the binary is refused: nobody knows whether the binary can work with it. To run two versions
    /// side by side, a migration that the binary before it cannot stand would have to say so in a row of the schema (its file is
    /// what the older binary does not have), and [`MigrateError::Missing`] would be raised here only for those.
    pub(super) fn faults(&self, applied: &[Applied]) -> Vec<MigrateError> {
        let mut faults = Vec::new();
        for row in applied {
            let name = row.file_name();
            let Some(step) = self.steps.iter().find(|step| step.version() == row.version) else {
                faults.push(MigrateError::Missing { name });
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

    /// The first fault, as an error.
    pub(super) fn check(&self, applied: &[Applied]) -> Result<(), MigrateError> {
        match self.faults(applied).into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// What is missing, up to a version.
    pub(super) fn pending(&self, applied: &[Applied], to: Option<i32>) -> Result<Vec<&Step>, MigrateError> {
        if let Some(version) = to {
            if version != 0 && !self.steps.iter().any(|step| step.version() == version) {
                return Err(MigrateError::NoSuchVersion {
                    version,
                    newest: self.steps.last().map(Step::name).unwrap_or_default(),
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

    /// Each migration that the binary or the database has, the oldest first.
    pub(super) fn statuses(&self, applied: &[Applied]) -> Vec<Status> {
        let mut all: Vec<(i32, Status)> = applied
            .iter()
            .map(|row| {
                let step = self.steps.iter().find(|step| step.version() == row.version);
                let status = Status {
                    name: row.file_name(),
                    applied_on: Some(row.on.clone().unwrap_or_else(|| "at an unknown time".to_owned())),
                    undo: step.is_some_and(|step| step.undo().is_some()),
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
mod tests {
    use super::{Applied, Migrations};
    use crate::store::migrations::{File, MigrateError};

    fn three() -> Migrations {
        let file = |name| File {
            name,
            sql: "SELECT 1;",
            undo: None,
        };
        Migrations::of(&[file("V1__a"), file("V2__b"), file("V4__d")]).expect("migrations")
    }

    /// The history of those, as refinery would have written it.
    fn history(migrations: &Migrations) -> Vec<Applied> {
        let row = |step: &super::Step| Applied {
            version: step.version(),
            name: step.name().split_once("__").map(|(_, name)| name.to_owned()),
            checksum: Some(step.checksum()),
            on: Some("2026-11-21 12:00:00".to_owned()),
        };
        migrations.steps.iter().map(row).collect()
    }

    #[test]
    fn what_fits() {
        let migrations = three();
        let history = history(&migrations);
        for applied in 0..=history.len() {
            let applied = &history[..applied];
            assert!(migrations.faults(applied).is_empty());
            let pending = migrations.pending(applied, None).expect("known");
            assert_eq!(pending.len(), 3 - applied.len());
        }
    }

    #[test]
    fn every_fault_is_told_with_its_file() {
        let migrations = three();
        let mut history = history(&migrations);
        history.remove(1);
        history[0].checksum = Some("1".to_owned());
        history[1].name = Some("other".to_owned());
        history.push(Applied {
            version: 3,
            name: Some("newer".to_owned()),
            checksum: None,
            on: None,
        });
        let faults: Vec<String> = migrations
            .faults(&history)
            .iter()
            .map(ToString::to_string)
            .collect();
        let words = [
            "V1__a was changed",
            "V4__other was applied to this database, but this binary has V4__d",
            "V3__newer was applied to this database, but this binary does not",
            "V2__b is older",
        ];
        assert_eq!(faults.len(), words.len(), "{faults:?}");
        for (fault, words) in faults.iter().zip(words) {
            assert!(fault.contains(words), "{fault}");
        }
        history[0].on = None;
        let fault = migrations.check(&history).expect_err("a fault");
        assert!(matches!(fault, MigrateError::History { version: 1 }), "{fault}");
    }

    #[test]
    fn a_version_that_is_none_or_behind() {
        let migrations = three();
        let history = history(&migrations);
        let versions = |to| {
            let pending = migrations.pending(&[], Some(to))?;
            Ok::<_, MigrateError>(pending.iter().map(|step| step.version()).collect::<Vec<_>>())
        };
        assert_eq!(versions(0).expect("nothing"), Vec::<i32>::new());
        assert_eq!(versions(2).expect("two"), [1, 2]);
        assert_eq!(versions(4).expect("all"), [1, 2, 4]);
        let error = versions(3).expect_err("there is none").to_string();
        assert_eq!(error, "there is no migration 3: this binary's newest is V4__d");
        let error = migrations
            .pending(&history, Some(1))
            .expect_err("behind")
            .to_string();
        assert!(error.contains("V4__d") && error.contains("--steps 2"), "{error}");
    }
}
