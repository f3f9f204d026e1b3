//! What exists before a restore, and what the role may do with it.

use super::RestoringError;
use crate::postgres::{connect::quoted, dedicated::Dedicated};

/// How the dump of one schema is restored into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Both schemas have the same name.
    Same,
    /// The schema is renamed within the transaction.
    Renamed {
        /// Whether another schema has that name and has to be renamed as well.
        aside: bool,
    },
    /// The name is replaced in the statements, because the role may not rename one of the two schemas.
    Rewritten,
}

/// Check the role's privileges. Returns whether the schema exists, and the way to restore.
pub(super) async fn may_restore(
    session: &Dedicated,
    schema: &str,
    source: &str,
) -> Result<(bool, Way), RestoringError> {
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
    if exists && !may_fill {
        let name = quoted(schema);
        return lacks(
            format!("create tables in the schema {name}"),
            format!("GRANT USAGE, CREATE ON SCHEMA {name} TO {role};"),
        );
    }
    if !exists && !may_make {
        return lacks(
            format!("create the schema {}", quoted(schema)),
            format!("GRANT CREATE ON DATABASE {} TO {role};", quoted(&database)),
        );
    }
    let may_rename = may_make && (own || !exists) && (own_source || !source_exists);
    let way = match (renamed, may_rename) {
        (false, _) => Way::Same,
        (true, true) => Way::Renamed { aside: source_exists },
        (true, false) => Way::Rewritten,
    };
    Ok((exists, way))
}

/// The owners of objects in the schema that the session's role may not drop.
pub(super) async fn other_owners(session: &Dedicated, schema: &str) -> Result<Vec<String>, RestoringError> {
    let rows = session
        .client
        .query(
            "-- restore_other_owners
             WITH own AS (SELECT oid, nspowner FROM pg_namespace WHERE nspname = $1),
             object AS (
                 SELECT 'pg_class'::regclass AS class, c.oid, relowner AS owner, nspowner
                 FROM pg_class AS c JOIN own ON own.oid = relnamespace WHERE relkind IN ('v', 'm', 'f', 'S', 'r', 'p')
                 UNION ALL
                 SELECT 'pg_proc'::regclass, p.oid, proowner, nspowner FROM pg_proc AS p JOIN own ON own.oid = pronamespace
                 UNION ALL
                 SELECT 'pg_type'::regclass, t.oid, typowner, nspowner FROM pg_type AS t JOIN own ON own.oid = typnamespace
                 WHERE typtype IN ('d', 'e', 'r')
             )
             SELECT DISTINCT rolname::text FROM object JOIN pg_roles AS r ON r.oid = object.owner
             WHERE NOT pg_has_role(object.owner, 'USAGE') AND NOT pg_has_role(nspowner, 'USAGE')
               AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = class AND d.objid = object.oid AND d.deptype = 'e')
             ORDER BY 1",
            &[&schema],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Views and tables in other schemas that depend on this one.
pub(super) async fn dependents(session: &Dedicated, schema: &str) -> Result<Option<String>, RestoringError> {
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

/// The statements that empty the schema, and the number of objects. An extension's objects are kept, as are the schema and the privileges
/// on it. Without CASCADE, a restore fails if an object in another schema depends on one in this schema.
pub(super) async fn drops(session: &Dedicated, schema: &str) -> Result<(Vec<String>, usize), RestoringError> {
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
