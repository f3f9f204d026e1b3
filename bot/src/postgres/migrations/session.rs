//! The connection that migrations run on.

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

/// How long a statement waits for a lock on a table. Those who come after it wait behind it, flushes among them, so it is short;
/// the migration is tried again.
const LOCK_TIMEOUT: &str = "2s";

/// How often it is looked whether another process has ended its migrations.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// See that the database can hold what members write. In another encoding, the first character that it lacks fails a flush.
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

/// A connection of its own: what it locks is unlocked when it ends.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) schema: String,
    _connection: Task<()>,
}

impl Session {
    pub(super) async fn open(target: Target) -> Result<Self, MigrateError> {
        let target = target.with(|config| {
            config.application_name(connect::process_name("migrate"));
            // A migration may take its time, whatever the role's own settings are.
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

    /// Keep every other process from migrating this schema until the session ends.
    pub(super) async fn lock(&self) -> Result<(), MigrateError> {
        let key = self
            .client
            .query_one(
                "-- migrate_key\nSELECT hashtextextended('eventide migrate ' || $1::text, 0)",
                &[&self.schema],
            )
            .await?
            .get::<_, i64>(0);
        // A session that waits inside pg_advisory_lock has a snapshot, for which CREATE INDEX CONCURRENTLY in the session that has
        // the lock would wait in turn: a deadlock. So it is asked for again and again.
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
        // A pooler in transaction mode locks in one session and goes on in another.
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

    /// Wait no longer than this for a lock on a table; `0` is for ever.
    async fn wait_for_locks(&self, timeout: &str) -> Result<(), MigrateError> {
        self.client
            .query_one(
                "-- migrate_lock_timeout\nSELECT set_config('lock_timeout', $1, false)",
                &[&timeout],
            )
            .await?;
        Ok(())
    }

    /// Run a statement that lets others work while it waits for them.
    pub(super) async fn execute_patiently(&self, sql: &str) -> Result<(), MigrateError> {
        self.wait_for_locks("0").await?;
        let done = self.client.batch_execute(sql).await;
        self.wait_for_locks(LOCK_TIMEOUT).await?;
        Ok(done?)
    }

    /// The sessions of processes that work with the schema, as far as their names tell.
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

    /// Make the schema if there is none.
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

    /// Whether tables can be made. Since PostgreSQL 15 that is not so in `public` by itself.
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
