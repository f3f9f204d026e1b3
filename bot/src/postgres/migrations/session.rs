//! The connection for migrations.

use std::time::Duration;

use tokio_postgres::Client;

use super::error::MigrateError;
use crate::{
    postgres::{
        connect::{self, Target, quoted, works_in},
        error::one_line,
        session,
    },
    support::backoff::Backoff,
    telemetry::task::{self, Task},
};

/// How long a statement waits for a lock on a table. Later lock requests queue behind it, including those of flushes, so this is short, and
/// the migration is retried.
const LOCK_TIMEOUT: &str = "2s";

/// The interval at which the lock of another migrating process is tried.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Check that the database supports all characters that members may write. With another encoding, the first unsupported character fails a
/// flush.
async fn expect_utf8(client: &Client) -> Result<(), MigrateError> {
    let row = client
        .query_one(
            "-- migrate_encoding
             SELECT current_setting('server_encoding'), current_database()::text, current_user::text",
            &[],
        )
        .await?;
    let encoding: String = row.get(0);
    if encoding == "UTF8" {
        return Ok(());
    }
    let (database, role): (String, String) = (row.get(1), row.get(2));
    Err(MigrateError::Encoding {
        create: format!(
            "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'",
            quoted(&format!("{database}_utf8")),
            quoted(&role),
        ),
        database,
        encoding,
    })
}

/// A dedicated connection: its locks are released when it ends.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) schema: String,
    _connection: Task<()>,
}

impl Session {
    pub(super) async fn open(target: Target) -> Result<Self, MigrateError> {
        let target = target.with(|config| {
            config.application_name(connect::process_name("migrate"));
            // A migration may take long, whatever the role's settings are.
            let options = config.get_options().unwrap_or_default();
            config.options(format!("{options} -c statement_timeout=0").trim());
        });
        let patience = target.patience();
        let (client, connection) = tokio::time::timeout(patience, target.connect())
            .await
            .map_err(|_elapsed| MigrateError::Unanswered(patience))?
            .map_err(|error| MigrateError::Connect {
                place: target.place(),
                error,
            })?;
        let connection = task::spawn("migration connection", async {
            if let Err(error) = connection.await {
                tracing::debug!(error = one_line(&error), "the migration connection ended");
            }
        });
        if !session::is_in(&client, target.schema()).await? {
            return Err(MigrateError::Elsewhere);
        }
        expect_utf8(&client).await?;
        Ok(Self {
            client,
            schema: target.schema().to_owned(),
            _connection: connection,
        })
    }

    /// Keep all other processes from migrating this schema until the session ends.
    pub(super) async fn lock(&self) -> Result<(), MigrateError> {
        let key = self
            .client
            .query_one(
                "-- migrate_key\nSELECT hashtextextended('eventide migrate ' || $1::text, 0)",
                &[&self.schema],
            )
            .await?
            .get::<_, i64>(0);
        // A session that waits in pg_advisory_lock holds a snapshot, for which CREATE INDEX CONCURRENTLY in the session with the lock would
        // wait: a deadlock. Therefore the lock is polled.
        let mut backoff = Backoff::between(FIRST_PAUSE, LONGEST_PAUSE);
        while !self
            .client
            .query_one("-- migrate_try_lock\nSELECT pg_try_advisory_lock($1)", &[&key])
            .await?
            .get::<_, bool>(0)
        {
            let pause = backoff.pause();
            if backoff.tries() == 1 {
                tracing::info!("another process is migrating the schema; waiting for it");
            }
            tokio::time::sleep(pause).await;
        }
        // With a pooler in transaction mode, the lock is taken in one session and the next statement runs in another.
        let held = self
            .client
            .query_one(
                "-- migrate_locked
                 SELECT EXISTS (
                     SELECT FROM pg_locks
                     WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND objsubid = 1
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                       AND classid::bigint = ($1::bigint >> 32) & 4294967295
                       AND objid::bigint = $1::bigint & 4294967295
                 )",
                &[&key],
            )
            .await?;
        if !held.get::<_, bool>(0) {
            return Err(MigrateError::NotLocked);
        }
        self.wait_for_locks(LOCK_TIMEOUT).await
    }

    /// Limit the wait for a lock on a table; `0` is unlimited.
    async fn wait_for_locks(&self, timeout: &str) -> Result<(), MigrateError> {
        self.client
            .query_one(
                "-- migrate_lock_timeout\nSELECT set_config('lock_timeout', $1, false)",
                &[&timeout],
            )
            .await?;
        Ok(())
    }

    /// Run a statement that does not block other sessions while it waits for them.
    pub(super) async fn execute_patiently(&self, sql: &str) -> Result<(), MigrateError> {
        self.wait_for_locks("0").await?;
        let done = self.client.batch_execute(sql).await;
        self.wait_for_locks(LOCK_TIMEOUT).await?;
        Ok(done?)
    }

    /// The sessions of processes that use the schema, according to their application names.
    pub(super) async fn others(&self) -> Result<Vec<String>, MigrateError> {
        let rows = self
            .client
            .query(
                "-- migrate_others
                 SELECT application_name, pid FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name ~ '^eventide [^ ]*:[0-9]+( |$)'
                   AND application_name !~ ' migrate$'
                 ORDER BY application_name, pid",
                &[],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| (row.get::<_, String>(0), row.get::<_, i32>(1)))
            .filter(|(name, _)| works_in(name, &self.schema))
            .map(|(name, pid)| format!("{name} (PostgreSQL's process {pid})"))
            .collect())
    }

    /// Create the schema if it is missing.
    pub(super) async fn ensure_schema(&self) -> Result<(), MigrateError> {
        let row = self
            .client
            .query_one(
                "-- migrate_schema
                 SELECT current_user::text, current_database()::text, n.oid IS NOT NULL,
                        coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
                        has_database_privilege(current_database(), 'CREATE')
                 FROM (SELECT) AS one LEFT JOIN pg_namespace AS n ON n.nspname = $1",
                &[&self.schema],
            )
            .await?;
        let (role, database): (String, String) = (row.get(0), row.get(1));
        let (exists, usable, may_create) = (row.get(2), row.get(3), row.get(4));
        let schema = quoted(&self.schema);
        match (exists, usable, may_create) {
            (true, true, _) => Ok(()),
            (true, false, _) => Err(MigrateError::Rights {
                what: format!("use the schema {schema}"),
                grant: format!("GRANT USAGE ON SCHEMA {schema} TO {};", quoted(&role)),
                role: quoted(&role),
            }),
            (false, _, true) => {
                let create = format!("-- migrate_create_schema\nCREATE SCHEMA {schema}");
                Ok(self.client.batch_execute(&create).await?)
            }
            (false, _, false) => Err(MigrateError::Rights {
                what: format!("create the schema {schema}"),
                grant: format!(
                    "GRANT CREATE ON DATABASE {} TO {};",
                    quoted(&database),
                    quoted(&role)
                ),
                role: quoted(&role),
            }),
        }
    }

    /// Check that the role can create tables. Since PostgreSQL 15, this is not granted in `public` by default.
    pub(super) async fn may_create(&self) -> Result<(), MigrateError> {
        let row = self
            .client
            .query_one(
                "-- migrate_may_create
                 SELECT current_user::text, has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1",
                &[&self.schema],
            )
            .await?;
        if row.get(1) {
            return Ok(());
        }
        let (role, schema) = (quoted(row.get(0)), quoted(&self.schema));
        Err(MigrateError::Rights {
            what: format!("create tables in the schema {schema}"),
            grant: format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role};"),
            role,
        })
    }
}
