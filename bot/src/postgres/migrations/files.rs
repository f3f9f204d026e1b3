//! The migrations: the files embedded in the binary, or those of a test.

use refinery::{Migration, Runner, Target};

use super::{error::MigrateError, sql::Sql};

mod embedded {
    refinery::embed_migrations!("../migrations");
}

include!(concat!(env!("OUT_DIR"), "/undos.rs"));

/// The line in the head comment of a file that is run statement by statement, outside of a transaction. `CREATE INDEX CONCURRENTLY`
/// requires this: <https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY>.
const NO_TRANSACTION: &str = "eventide: no-transaction";

/// The two files of a migration.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// The name without the extension: `V<number>__<what_it_does>`.
    pub name: &'a str,
    /// The migration.
    pub sql: &'a str,
    /// The undo.
    pub undo: Option<&'a str>,
}

/// Migrations, ordered by number.
#[derive(Clone, Debug)]
pub struct Migrations {
    pub(super) steps: Vec<Step>,
}

/// One migration.
#[derive(Clone, Debug)]
pub(super) struct Step {
    file: Migration,
    undo: Option<String>,
}

impl Migrations {
    /// The migrations embedded in this binary.
    pub fn embedded() -> Self {
        let mut steps: Vec<Step> = embedded::migrations::runner()
            .get_migrations()
            .iter()
            .map(|file| Step {
                undo: UNDOS
                    .iter()
                    .find(|(name, _)| *name == file_name(file.version(), file.name()))
                    .map(|(_, undo)| (*undo).to_owned()),
                file: file.clone(),
            })
            .collect();
        steps.sort_by_key(Step::version);
        Self { steps }
    }

    /// Migrations from other files.
    ///
    /// # Errors
    ///
    /// [`MigrateError::File`] for an invalid name or a duplicate number.
    pub fn of(files: &[File<'_>]) -> Result<Self, MigrateError> {
        let mut steps = Vec::new();
        for file in files {
            let fault = |fault| MigrateError::File {
                name: file.name.to_owned(),
                fault,
            };
            let migration = Migration::unapplied(file.name, file.sql)
                .ok()
                .filter(|migration| file_name(migration.version(), migration.name()) == file.name)
                .ok_or_else(|| fault("has a name that is not V<number>__<what_it_does>"))?;
            if steps
                .iter()
                .any(|step: &Step| step.version() == migration.version())
            {
                return Err(fault("has a number that another one has, too"));
            }
            steps.push(Step {
                file: migration,
                undo: file.undo.map(str::to_owned),
            });
        }
        steps.sort_by_key(Step::version);
        Ok(Self { steps })
    }

    /// The names, oldest first.
    pub fn names(&self) -> Vec<String> {
        self.steps.iter().map(Step::name).collect()
    }

    /// The numbers, lowest first.
    pub fn versions(&self) -> Vec<i32> {
        self.steps.iter().map(Step::version).collect()
    }

    /// refinery's runner, which migrates up to a version.
    pub(super) fn runner(&self, target: Target) -> Runner {
        let files: Vec<Migration> = self.steps.iter().map(|step| step.file.clone()).collect();
        Runner::new(&files).set_target(target)
    }

    /// The names of undo files without a migration.
    #[cfg(test)]
    pub(super) fn lone_undos(&self) -> Vec<&'static str> {
        let names = self.names();
        UNDOS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !names.iter().any(|found| found == name))
            .collect()
    }
}

impl Step {
    pub(super) fn version(&self) -> i32 {
        self.file.version()
    }

    pub(super) fn name(&self) -> String {
        file_name(self.file.version(), self.file.name())
    }

    pub(super) fn checksum(&self) -> String {
        self.file.checksum().to_string()
    }

    pub(super) fn sql(&self) -> &str {
        self.file.sql().unwrap_or_default()
    }

    pub(super) fn undo(&self) -> Option<&str> {
        self.undo.as_deref()
    }

    /// The statements, if the file has to run outside of a transaction.
    pub(super) fn outside_of_transaction(&self) -> Option<Sql> {
        let sql = Sql::read(self.sql());
        sql.says(NO_TRANSACTION).then_some(sql)
    }
}

/// The file's name without its extension.
pub(super) fn file_name(version: i32, name: &str) -> String {
    format!("V{version}__{name}")
}

#[cfg(test)]
mod tests;
