//! What a restore asks of the database, and the statements around what `pg_restore` writes.
//!
//! All of it is one transaction: a restore that fails leaves everything as it was. `pg_restore` knows objects under the schema's
//! old name alone, so within the transaction the schema bears that name; one that has it already steps aside meanwhile, unseen by
//! anybody else.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use thiserror::Error;
use tokio::time::{Instant, sleep};

use super::{
    StoreError,
    connect::{Target, quoted, works_in},
    dedicated::Dedicated,
    snapshot::{self, Server},
};

/// A process that has just ended may still be seen for a moment, and one that migrates is soon done.
const PATIENCE: Duration = Duration::from_secs(5);

const POLL: Duration = Duration::from_millis(50);

/// What must not be restored as it was: what a table says of the world outside, which has gone on since.
struct Reset {
    table: &'static str,
    /// The migration that brought what the statement touches.
    since: u32,
    sql: &'static str,
}

/// Every table of which a part is of its moment only. One that is added here is reset in each restore from then on.
const RESETS: [Reset; 1] = [Reset {
    table: "shard_checkpoint",
    since: 1,
    // Discord has forgotten the session, or would replay what came after the backup to a bot whose other rows it never touched.
    // The fence passes every one that was ever given out, so that a process that still holds a shard cannot write.
    sql: "UPDATE shard_checkpoint SET session_id = NULL, resume_url = NULL, sequence = 0,
          fence = greatest(fence, current_setting('eventide.fence')::bigint) + 1",
}];

/// Why nothing can be restored here.
#[derive(Debug, Error)]
pub enum RestoringError {
    /// The database could not be reached or asked.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The role lacks a right.
    #[error("the role {role} may not {what}; somebody who may give it the right types: {grant}")]
    Rights {
        /// The role.
        role: String,
        /// What it may not do.
        what: String,
        /// The statement that lets it.
        grant: String,
    },
    /// Another process migrates or restores this schema.
    #[error("another process is migrating or restoring the schema {0:?}: wait for it")]
    Locked(String),
    /// Something in another schema needs what would be replaced.
    #[error(
        "{dependents} in another schema depends on what would be replaced in the schema {schema:?}: drop it first, and make it again \
         afterwards"
    )]
    Needed {
        /// The schema.
        schema: String,
        /// What depends on it.
        dependents: String,
    },
    /// A bot is there.
    #[error(
        "an eventide is connected to the schema {schema:?} ({name}): stop it first, it would go on with what is replaced"
    )]
    InUse {
        /// The schema.
        schema: String,
        /// The connection's name.
        name: String,
    },
}

impl From<tokio_postgres::Error> for RestoringError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The place of a restore, which no other process migrates meanwhile.
pub struct Restoring {
    session: Dedicated,
    source: String,
    server: Server,
    /// Whether the schema is there.
    exists: bool,
    /// Whether there is another schema of the name that the dump has it under.
    aside: bool,
    drops: Vec<String>,
    objects: usize,
    rows: BTreeMap<String, u64>,
}

impl Restoring {
    /// Lock the target's schema for a dump of the schema `source`, and see what is there.
    pub async fn open(target: &Target, source: &str) -> Result<Self, RestoringError> {
        let session = Dedicated::open(target, "restore").await?;
        let server = Server::of(&session).await?;
        let schema = session.target.schema().to_owned();
        session
            .client
            .batch_execute("-- restore_begin\nSET row_security = off; SET statement_timeout = 0")
            .await?;
        // The key is the migrations' own.
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
        let (exists, aside) = may_restore(&session, &schema, source).await?;
        let (drops, objects) = drops(&session, &schema).await?;
        if let Some(dependents) = dependents(&session, &schema).await? {
            return Err(RestoringError::Needed { schema, dependents });
        }
        let rows = snapshot::rows(&session).await?;
        let restoring = Self {
            session,
            source: source.to_owned(),
            server,
            exists,
            aside,
            drops,
            objects,
            rows,
        };
        restoring.nobody_works_here().await?;
        Ok(restoring)
    }

    /// Refuse while a bot is connected to the schema. One that gives its connections a name of its own is not recognised, and what
    /// it has not written yet is refused by the fence.
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

    /// How to connect to the very server that was looked at.
    pub const fn target(&self) -> &Target {
        &self.session.target
    }

    /// The server.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Whether there is anything in the schema that a restore would replace.
    pub const fn is_empty(&self) -> bool {
        self.objects == 0
    }

    /// How many tables, views, functions and the like are there.
    pub const fn objects(&self) -> usize {
        self.objects
    }

    /// The rows of the tables that are there.
    pub const fn rows(&self) -> &BTreeMap<String, u64> {
        &self.rows
    }

    /// Whether the dump brings the schema itself, with the rights on it. One that is there keeps its own.
    pub const fn makes_the_schema(&self) -> bool {
        !self.exists
    }

    /// Which of these roles do not exist.
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

    /// What comes before `pg_restore`'s statements.
    pub fn before(&self, aside: &str) -> String {
        let (schema, source) = (quoted(self.session.target.schema()), quoted(&self.source));
        let mut sql = format!(
            "BEGIN;
             SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
             SET LOCAL lock_timeout = '10s'; SET LOCAL search_path = {schema};
             SELECT set_config('eventide.fence', '0', true);\n"
        );
        if self.rows.contains_key("shard_checkpoint") {
            sql.push_str(
                "LOCK TABLE shard_checkpoint IN ACCESS EXCLUSIVE MODE;
                 SELECT set_config('eventide.fence', coalesce(max(fence), 0)::text, true) FROM shard_checkpoint;\n",
            );
        }
        for drop in &self.drops {
            sql.push_str(drop);
            sql.push_str(";\n");
        }
        if self.aside {
            line(
                &mut sql,
                format_args!("ALTER SCHEMA {source} RENAME TO {}", quoted(aside)),
            );
        }
        if !self.exists {
            line(&mut sql, format_args!("CREATE SCHEMA {source}"));
        } else if schema != source {
            line(&mut sql, format_args!("ALTER SCHEMA {schema} RENAME TO {source}"));
        }
        sql
    }

    /// What comes after them: nothing is committed that is not what the manifest says.
    pub fn after(&self, aside: &str, version: u32, rows: &BTreeMap<String, u64>) -> String {
        let (schema, source) = (quoted(self.session.target.schema()), quoted(&self.source));
        let mut sql = format!("SET LOCAL search_path = {source};\n");
        sql.push_str(&check(&self.source, version, rows));
        for reset in RESETS.iter().filter(|reset| reset.since <= version) {
            if rows.contains_key(reset.table) {
                line(&mut sql, format_args!("{}", reset.sql));
            }
        }
        if schema != source {
            line(&mut sql, format_args!("ALTER SCHEMA {source} RENAME TO {schema}"));
        }
        if self.aside {
            line(
                &mut sql,
                format_args!("ALTER SCHEMA {} RENAME TO {source}", quoted(aside)),
            );
        }
        sql.push_str("COMMIT;\n");
        sql
    }

    /// Tell the planner what is there now, sooner than autovacuum would; and let go of the schema.
    pub async fn analyze(self, rows: &BTreeMap<String, u64>) -> Result<(), RestoringError> {
        let schema = quoted(self.session.target.schema());
        for table in rows.keys() {
            let analyze = format!("-- restore_analyze\nANALYZE {schema}.{}", quoted(table));
            self.session.client.batch_execute(&analyze).await?;
        }
        Ok(())
    }
}

fn line(sql: &mut String, statement: std::fmt::Arguments<'_>) {
    writeln!(sql, "{statement};").expect("a String takes any text");
}

/// A block that fails unless the tables, their rows and the history are as the manifest says.
fn check(schema: &str, version: u32, rows: &BTreeMap<String, u64>) -> String {
    let mut body = String::from("DECLARE found bigint; BEGIN\n");
    line(
        &mut body,
        format_args!(
            "SELECT count(*) INTO found FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = {}::regnamespace
             AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                             AND d.deptype = 'e');
             IF found <> {count} THEN RAISE EXCEPTION 'the dump holds % tables, and its manifest says {count}', found; END IF",
            literal(&quoted(schema)),
            count = rows.len(),
        ),
    );
    for (table, wanted) in rows {
        line(
            &mut body,
            format_args!(
                "SELECT count(*) INTO found FROM ONLY {};
                 IF found <> {wanted} THEN
                     RAISE EXCEPTION 'the table % holds % rows, and the manifest says {wanted}', {}, found;
                 END IF",
                quoted(table),
                literal(table)
            ),
        );
    }
    line(
        &mut body,
        format_args!(
            "SELECT coalesce(max(version), 0) INTO found FROM refinery_schema_history;
             IF found <> {version} THEN
                 RAISE EXCEPTION 'the dump is of schema version %, and its manifest says {version}', found;
             END IF"
        ),
    );
    body.push_str("END");
    format!("DO {};\n", literal(&body))
}

/// A text as PostgreSQL reads it, whatever it contains.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Whether the role may do it all; returns whether the schema is there, and whether another one must step aside.
async fn may_restore(
    session: &Dedicated,
    schema: &str,
    source: &str,
) -> Result<(bool, bool), RestoringError> {
    let row = session
        .client
        .query_one(
            "-- restore_rights
             SELECT current_user::text, current_database()::text, has_database_privilege(current_database(), 'CREATE'),
                    t.oid IS NOT NULL, coalesce(pg_has_role(t.nspowner, 'USAGE'), false),
                    coalesce(has_schema_privilege(t.oid, 'CREATE') AND has_schema_privilege(t.oid, 'USAGE'), false),
                    s.oid IS NOT NULL, coalesce(pg_has_role(s.nspowner, 'USAGE'), false)
             FROM (SELECT) AS one
             LEFT JOIN pg_namespace AS t ON t.nspname = $1 LEFT JOIN pg_namespace AS s ON s.nspname = $2",
            &[&schema, &source],
        )
        .await?;
    let (role, database): (String, String) = (row.get(0), row.get(1));
    let (may_make, exists, own, may_fill): (bool, bool, bool, bool) =
        (row.get(2), row.get(3), row.get(4), row.get(5));
    let (source_exists, own_source): (bool, bool) = (row.get(6), row.get(7));
    let renamed = schema != source;
    let role = quoted(&role);
    let lacks = |what: String, grant: String| {
        Err(RestoringError::Rights {
            role: role.clone(),
            what,
            grant,
        })
    };
    let owner = |schema: &str| {
        (
            format!("rename the schema {}", quoted(schema)),
            format!("ALTER SCHEMA {} OWNER TO {role};", quoted(schema)),
        )
    };
    if exists && !may_fill {
        let name = quoted(schema);
        return lacks(
            format!("create tables in the schema {name}"),
            format!("GRANT USAGE, CREATE ON SCHEMA {name} TO {role};"),
        );
    }
    if (renamed || !exists) && !may_make {
        return lacks(
            format!("create the schema {}", quoted(schema)),
            format!("GRANT CREATE ON DATABASE {} TO {role};", quoted(&database)),
        );
    }
    if renamed && exists && !own {
        let (what, grant) = owner(schema);
        return lacks(what, grant);
    }
    if renamed && source_exists && !own_source {
        let (what, grant) = owner(source);
        return lacks(what, grant);
    }
    Ok((exists, renamed && source_exists))
}

/// Views and tables of other schemas that need this one's.
async fn dependents(session: &Dedicated, schema: &str) -> Result<Option<String>, RestoringError> {
    let row = session
        .client
        .query_one(
            "-- restore_dependents
             SELECT string_agg(DISTINCT format('%I.%I', n.nspname, c.relname), ', ')
             FROM pg_namespace AS own JOIN pg_class AS needed ON needed.relnamespace = own.oid
             JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = needed.oid
             LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
             LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
             JOIN pg_class AS c ON c.oid = coalesce(w.ev_class, k.conrelid) JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE own.nspname = $1 AND n.oid <> own.oid",
            &[&schema],
        )
        .await?;
    Ok(row.get(0))
}

/// Statements that empty the schema, and of how many things. An extension's objects stay, and so does the schema with the rights on
/// it. Nothing cascades: something that is needed from elsewhere makes the restore fail.
async fn drops(session: &Dedicated, schema: &str) -> Result<(Vec<String>, usize), RestoringError> {
    let rows = session
        .client
        .query(
            "-- restore_drops
             WITH own AS (SELECT oid FROM pg_namespace WHERE nspname = $1),
             object AS (
                 SELECT 'pg_class'::regclass AS class, c.oid, format('%I.%I', $1::text, relname) AS name,
                        CASE relkind WHEN 'v' THEN '1 VIEW' WHEN 'm' THEN '2 MATERIALIZED VIEW' WHEN 'f' THEN '3 FOREIGN TABLE'
                                     WHEN 'S' THEN '5 SEQUENCE' ELSE '4 TABLE' END AS kind
                 FROM pg_class AS c JOIN own ON own.oid = relnamespace WHERE relkind IN ('v', 'm', 'f', 'S', 'r', 'p')
                 UNION ALL
                 SELECT 'pg_proc'::regclass, p.oid,
                        format('%I.%I(%s)', $1::text, proname, pg_get_function_identity_arguments(p.oid)), '6 ROUTINE'
                 FROM pg_proc AS p JOIN own ON own.oid = pronamespace
                 UNION ALL
                 SELECT 'pg_type'::regclass, t.oid, format('%I.%I', $1::text, typname), '7 TYPE'
                 FROM pg_type AS t JOIN own ON own.oid = typnamespace LEFT JOIN pg_class AS c ON c.oid = typrelid
                 WHERE typtype IN ('d', 'e', 'r') OR typtype = 'c' AND c.relkind = 'c'
             )
             SELECT substr(kind, 3), string_agg(name, ', ' ORDER BY oid), count(*) FROM object
             WHERE NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = class AND d.objid = object.oid
                               AND (d.deptype IN ('e', 'i') OR d.deptype = 'a' AND kind = '5 SEQUENCE'))
             GROUP BY kind ORDER BY kind",
            &[&schema],
        )
        .await?;
    let drops = rows
        .iter()
        .map(|row| format!("DROP {} {}", row.get::<_, String>(0), row.get::<_, String>(1)))
        .collect();
    let objects = rows
        .iter()
        .map(|row| usize::try_from(row.get::<_, i64>(2)).unwrap_or_default())
        .sum();
    Ok((drops, objects))
}
