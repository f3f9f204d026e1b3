//! Checks before a restore, and the statements before and after the output of `pg_restore`.
//!
//! Everything is one transaction, so a restore that fails changes nothing. `pg_restore` uses the schema's old name, so the schema has that
//! name within the transaction. If another schema has it, that one is renamed for the duration of the transaction, which no other session
//! can see.

mod place;
mod script;

use std::{collections::BTreeMap, time::Duration};

use thiserror::Error;
use tokio::time::{Instant, sleep};

use self::place::Way;
use super::snapshot::{self, Server};
use crate::postgres::{
    StoreError,
    connect::{Target, quoted, works_in},
    dedicated::Dedicated,
    table::Table,
};

/// A process that has just ended may be visible for a moment, and a migration may be about to finish.
const PATIENCE: Duration = Duration::from_secs(5);

const POLL: Duration = Duration::from_millis(50);

/// Why the backup cannot be restored into this schema.
#[derive(Debug, Error)]
pub enum RestoringError {
    /// A query failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The role lacks a privilege.
    #[error("the role {role} lacks the privilege to {what}; grant it with: {grant}")]
    Rights {
        /// The role.
        role: String,
        /// The forbidden action.
        what: String,
        /// The statement that grants it.
        grant: String,
    },
    /// The role may not drop the existing tables.
    #[error(
        "the role {role} may not replace the tables in the schema {schema}, which belong to {owners}: give the address of that role in \
         DATABASE_URL (database.direct_url) for the restore, or let a superuser type: {grant}"
    )]
    NotOwner {
        /// The role.
        role: String,
        /// The schema.
        schema: String,
        /// The roles that own the tables.
        owners: String,
        /// The statement that lets the role act as them.
        grant: String,
    },
    /// Another process is migrating or restoring this schema.
    #[error("another process is migrating or restoring the schema {0:?}: wait for it")]
    Locked(String),
    /// An object in another schema depends on one that would be replaced.
    #[error(
        "{dependents} in another schema depends on what would be replaced in the schema {schema:?}: drop it first, and make it again \
         afterwards"
    )]
    Needed {
        /// The schema.
        schema: String,
        /// The dependent object.
        dependents: String,
    },
    /// A bot is connected.
    #[error("Eventide is connected to the schema {schema:?} ({name}): stop it first")]
    InUse {
        /// The schema.
        schema: String,
        /// The application name of its connection.
        name: String,
    },
}

impl From<tokio_postgres::Error> for RestoringError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The schema for a restore, locked against migrations by other processes.
pub struct Restoring {
    session: Dedicated,
    source: String,
    server: Server,
    /// Whether the schema exists.
    exists: bool,
    /// How the tables of the dump get into it.
    way: Way,
    drops: Vec<String>,
    objects: usize,
    rows: BTreeMap<String, u64>,
    tables: Vec<&'static Table>,
    erasure: Erasure,
}

/// How members' erasures since the backup survive a restore.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    /// The statement that saves, before tables are replaced, what was erased in a schema.
    pub remember: fn(schema: &str) -> String,
    /// The statements that erase it again from the restored tables.
    pub erase_again: EraseAgain,
}

/// Returns the statements for a schema version. The third argument tells whether a table was restored.
type EraseAgain = fn(tables: &[&'static Table], version: u32, has: &dyn Fn(&str) -> bool) -> Vec<String>;

impl Restoring {
    /// Lock the target's schema for a dump of the schema `source`, and examine its contents.
    pub async fn open(
        target: &Target,
        source: &str,
        tables: Vec<&'static Table>,
        erasure: Erasure,
    ) -> Result<Self, RestoringError> {
        let session = Dedicated::open(target, "restore").await?;
        let server = Server::of(&session).await?;
        let schema = session.target.schema().to_owned();
        session
            .client
            .batch_execute("-- restore_begin\nSET row_security = off; SET statement_timeout = 0")
            .await?;
        // This is the key of the migrations' lock.
        let deadline = Instant::now() + PATIENCE;
        let lock = "-- restore_lock\nSELECT pg_try_advisory_lock(hashtextextended('eventide migrate ' || $1::text, 0))";
        while !session
            .client
            .query_one(lock, &[&schema])
            .await?
            .get::<_, bool>(0)
        {
            if Instant::now() >= deadline {
                return Err(RestoringError::Locked(schema));
            }
            sleep(POLL).await;
        }
        let (exists, way) = place::may_restore(&session, &schema, source).await?;
        let (drops, objects) = place::drops(&session, &schema).await?;
        if let Some(dependents) = place::dependents(&session, &schema).await? {
            return Err(RestoringError::Needed { schema, dependents });
        }
        let rows = snapshot::rows(&session).await?;
        let restoring = Self {
            session,
            source: source.to_owned(),
            server,
            exists,
            way,
            drops,
            objects,
            rows,
            tables,
            erasure,
        };
        restoring.nobody_works_here().await?;
        Ok(restoring)
    }

    /// Fail while a bot is connected to the schema. A bot whose connections have a custom name is not recognized; what it has not yet
    /// written is then rejected by the fence.
    pub async fn nobody_works_here(&self) -> Result<(), RestoringError> {
        let deadline = Instant::now() + PATIENCE;
        while let Some(name) = self.who_works_here().await? {
            if Instant::now() >= deadline {
                return Err(RestoringError::InUse {
                    schema: self.session.target.schema().to_owned(),
                    name,
                });
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn who_works_here(&self) -> Result<Option<String>, RestoringError> {
        let schema = self.session.target.schema();
        let names = self
            .session
            .client
            .query(
                "-- restore_processes
                 SELECT application_name FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'eventide %'",
                &[],
            )
            .await?;
        Ok(names
            .iter()
            .map(|row| row.get::<_, String>(0))
            .find(|name| works_in(name, schema)))
    }

    /// The target with the address of the server that was examined.
    pub const fn target(&self) -> &Target {
        &self.session.target
    }

    /// The server.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Whether the schema contains nothing that a restore would replace.
    pub const fn is_empty(&self) -> bool {
        self.objects == 0
    }

    /// The name of the dump's schema, if it has to be replaced in the dump's statements.
    pub fn rewritten(&self) -> Option<&str> {
        (self.way == Way::Rewritten).then_some(self.source.as_str())
    }

    /// Check that the role may drop the existing objects, and save what outlives them in a temporary table.
    pub async fn may_replace(&self) -> Result<(), RestoringError> {
        let schema = self.session.target.schema();
        let row = self
            .session
            .client
            .query_one(
                "-- restore_role
                 SELECT current_user::text, current_database()::text, has_database_privilege(current_database(), 'TEMPORARY')",
                &[],
            )
            .await?;
        let owners = place::other_owners(&self.session, schema).await?;
        if owners.is_empty() {
            if script::remembers(&self.rows) && !row.get::<_, bool>(2) {
                let (role, database) = (quoted(row.get(0)), quoted(row.get(1)));
                return Err(RestoringError::Rights {
                    what: format!("create temporary tables in the database {database}"),
                    grant: format!("GRANT TEMPORARY ON DATABASE {database} TO {role};"),
                    role,
                });
            }
            return Ok(());
        }
        let owners: Vec<String> = owners.iter().map(|owner| quoted(owner)).collect();
        let owners = owners.join(", ");
        Err(RestoringError::NotOwner {
            grant: format!("GRANT {owners} TO {};", quoted(row.get(0))),
            role: quoted(row.get(0)),
            schema: quoted(schema),
            owners,
        })
    }

    /// The number of existing tables, views, functions and so on.
    pub const fn objects(&self) -> usize {
        self.objects
    }

    /// The number of rows in each existing table.
    pub const fn rows(&self) -> &BTreeMap<String, u64> {
        &self.rows
    }

    /// Whether the dump creates the schema itself, with its privileges. An existing schema keeps its own.
    pub const fn makes_the_schema(&self) -> bool {
        !self.exists
    }

    /// The roles in the list that do not exist.
    pub async fn missing_roles(&self, roles: &[String]) -> Result<Vec<String>, RestoringError> {
        let rows = self
            .session
            .client
            .query(
                "-- restore_missing_roles
                 SELECT r FROM unnest($1::text[]) AS r WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r)",
                &[&roles],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Update the planner's statistics, without waiting for autovacuum, and unlock the schema.
    pub async fn analyze(self, rows: &BTreeMap<String, u64>) -> Result<(), RestoringError> {
        let schema = quoted(self.session.target.schema());
        for table in rows.keys() {
            let analyze = format!("-- restore_analyze\nANALYZE {schema}.{}", quoted(table));
            self.session.client.batch_execute(&analyze).await?;
        }
        Ok(())
    }
}
