//! A snapshot of a schema for a backup, shared by this session and `pg_dump`.
//!
//! <https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION>

use std::collections::BTreeMap;

use crate::postgres::{
    StoreError,
    connect::{Target, quoted},
    dedicated::Dedicated,
    migrations::{FoundHistory, history_of},
};

/// A transaction that keeps its snapshot.
pub struct Snapshot {
    session: Dedicated,
    id: String,
    server: Server,
    migrations: Option<Vec<String>>,
}

/// The server of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The major version, such as 15.
    pub major: u32,
    /// The version in the server's own words, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
}

impl Server {
    pub(in crate::postgres) async fn of(session: &Dedicated) -> Result<Self, StoreError> {
        let row = session
            .client
            .query_one(
                "-- server\nSELECT current_setting('server_version_num')::int4 / 10000, current_setting('server_version')",
                &[],
            )
            .await?;
        Ok(Self {
            major: u32::try_from(row.get::<_, i32>(0)).unwrap_or_default(),
            version: row.get(1),
        })
    }
}

impl Snapshot {
    /// Open the transaction.
    pub async fn take(target: &Target) -> Result<Self, StoreError> {
        let session = Dedicated::open(target, "backup").await?;
        let server = Server::of(&session).await?;
        // Row security would silently hide rows. Long counts and slow disks must not time out.
        session
            .client
            .batch_execute(
                "-- snapshot_begin
                 SET row_security = off; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
                 BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            )
            .await?;
        let id = session
            .client
            .query_one("-- snapshot_export\nSELECT pg_export_snapshot()", &[])
            .await?
            .get(0);
        let migrations = migrations(&session).await?;
        Ok(Self {
            session,
            id,
            server,
            migrations,
        })
    }

    /// End the transaction and close the session.
    ///
    /// # Errors
    ///
    /// The connection is already lost. What was read before that is valid.
    pub async fn end(self) -> Result<(), StoreError> {
        self.session
            .client
            .batch_execute("-- snapshot_end\nCOMMIT")
            .await?;
        self.session.close().await;
        Ok(())
    }

    /// The argument of `pg_dump --snapshot`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The target with the address of the server that has the snapshot.
    pub const fn target(&self) -> &Target {
        &self.session.target
    }

    /// The server.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// The names of the applied migrations, oldest first; `None` without a history, which means that the schema is not Eventide's.
    pub fn migrations(&self) -> Option<&[String]> {
        self.migrations.as_deref()
    }

    /// Check that the role may read everything that a backup contains.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unfit`] with the statements that grant it.
    pub async fn may_read_everything(&self) -> Result<(), StoreError> {
        let schema = self.session.target.schema();
        let row = self
            .session
            .client
            .query_one(
                "-- snapshot_rights
                 SELECT current_user::text, has_schema_privilege(n.oid, 'USAGE'),
                        coalesce(bool_and(has_table_privilege(c.oid, 'SELECT')) FILTER (WHERE c.relkind <> 'S'), true),
                        coalesce(bool_and(has_table_privilege(c.oid, 'SELECT')) FILTER (WHERE c.relkind = 'S'), true)
                 FROM pg_namespace AS n
                 LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                 WHERE n.nspname = $1 GROUP BY n.oid",
                &[&schema],
            )
            .await?;
        let (role, name) = (quoted(row.get(0)), quoted(schema));
        let grants: Vec<String> = [
            (1, format!("GRANT USAGE ON SCHEMA {name} TO {role};")),
            (
                2,
                format!("GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {role};"),
            ),
            (
                3,
                format!("GRANT SELECT ON ALL SEQUENCES IN SCHEMA {name} TO {role};"),
            ),
        ]
        .into_iter()
        .filter(|(column, _)| !row.get::<_, bool>(*column))
        .map(|(_, grant)| grant)
        .collect();
        if grants.is_empty() {
            return Ok(());
        }
        Err(StoreError::Unfit(format!(
            "the role {role} may not read everything in the schema {name}, which a backup requires; the owner of the schema types: {}",
            grants.join(" ")
        )))
    }

    /// The number of rows in each table.
    pub async fn rows(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        rows(&self.session).await
    }

    /// The roles other than the owner that have privileges on objects in the schema.
    pub async fn grantees(&self) -> Result<Vec<String>, StoreError> {
        let rows = self
            .session
            .client
            .query(
                "-- snapshot_grantees
                 WITH schema AS (SELECT * FROM pg_namespace WHERE nspname = $1),
                 rights AS (
                     SELECT nspacl AS acl, nspowner AS owner FROM schema
                     UNION ALL SELECT relacl, relowner FROM pg_class JOIN schema ON schema.oid = relnamespace
                     UNION ALL SELECT attacl, relowner FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                                 JOIN schema ON schema.oid = relnamespace
                     UNION ALL SELECT proacl, proowner FROM pg_proc JOIN schema ON schema.oid = pronamespace
                     UNION ALL SELECT typacl, typowner FROM pg_type JOIN schema ON schema.oid = typnamespace
                 )
                 SELECT DISTINCT rolname::text FROM rights, aclexplode(acl) AS a JOIN pg_roles ON pg_roles.oid = a.grantee
                 WHERE a.grantee <> owner ORDER BY 1",
                &[&self.session.target.schema()],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

/// The applied migrations of the session's schema, by file name.
pub(in crate::postgres) async fn migrations(session: &Dedicated) -> Result<Option<Vec<String>>, StoreError> {
    if history_of(&session.client).await? != FoundHistory::Readable {
        return Ok(None);
    }
    let rows = session
        .client
        .query(
            "-- history\nSELECT format('V%s__%s', version, name) FROM refinery_schema_history ORDER BY version",
            &[],
        )
        .await?;
    Ok(Some(rows.iter().map(|row| row.get(0)).collect()))
}

/// The number of rows in each table of the session's schema, except tables of extensions.
pub(in crate::postgres) async fn rows(session: &Dedicated) -> Result<BTreeMap<String, u64>, StoreError> {
    let schema = session.target.schema();
    let tables = session
        .client
        .query(
            "-- snapshot_tables
             SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relkind = 'r'
               AND NOT EXISTS (SELECT FROM pg_depend AS d
                               WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')",
            &[&schema],
        )
        .await?;
    let mut counts = BTreeMap::new();
    for table in &tables {
        let name: String = table.get(0);
        let count = format!(
            "-- snapshot_count\nSELECT count(*) FROM ONLY {}.{}",
            quoted(schema),
            quoted(&name)
        );
        let count: i64 = session.client.query_one(&count, &[]).await?.get(0);
        counts.insert(name, count.cast_unsigned());
    }
    Ok(counts)
}
