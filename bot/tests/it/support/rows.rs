//! A row for every table of a schema, generated from the catalog, so that tables of later versions get one, too.

use std::collections::BTreeMap;

use eventide::postgres::connect::quoted;
use serde_json::{Map, Value};
use tokio_postgres::{Client, error::SqlState};

/// Rows by their tables, as JSON.
pub(crate) type Rows = BTreeMap<String, Map<String, Value>>;

/// So many rows are tried until one passes the table's checks.
const TRIES: usize = 5_000;

struct Column {
    name: String,
    /// SQL expressions that give a value of its type, the most telling first.
    values: Vec<String>,
    chosen: usize,
}

/// Put a row with a value in every column into each table of the session's schema that has none. Returns them.
pub(crate) async fn fill(client: &Client) -> Rows {
    let mut rows = Rows::new();
    for table in tables(client).await {
        let name = quoted(&table);
        let filled = client
            .query_one(&format!("SELECT EXISTS (SELECT FROM {name})"), &[])
            .await
            .expect("counted");
        if !filled.get::<_, bool>(0) {
            insert(client, &table).await;
        }
    }
    // Only now: a trigger may have written to a table that had its row before.
    for table in tables(client).await {
        let row = read(client, &table)
            .await
            .into_iter()
            .next()
            .expect("it has a row");
        assert!(row.values().any(|value| !value.is_null()), "{table}");
        rows.insert(table, row);
    }
    rows
}

/// Tables whose rows a bot that runs works off or lets expire, or that are about processes.
const OF_THE_MOMENT: [&str; 7] = [
    "outbox",
    "outbox_lane",
    "fleet",
    "fleet_process",
    "shard_lease",
    "web_session",
    "web_sign_in",
];

/// The same after a bot has run.
pub(crate) async fn assert_kept_by_a_bot(client: &Client, before: &Rows) {
    let mut before = before.clone();
    before.retain(|table, _| !OF_THE_MOMENT.contains(&table.as_str()));
    assert_kept(client, &before).await;
}

/// Assert that each row still exists if its table does, in the existing columns. The table may contain other rows.
pub(crate) async fn assert_kept(client: &Client, before: &Rows) {
    let tables = tables(client).await;
    for (table, row) in before.iter().filter(|(table, _)| tables.contains(table)) {
        let after = read(client, table).await;
        let is_kept = |after: &Map<String, Value>| {
            row.iter()
                .all(|(column, value)| after.get(column).is_none_or(|found| found == value))
        };
        assert!(after.iter().any(is_kept), "{table} had {row:?} and has {after:?}");
    }
}

async fn read(client: &Client, table: &str) -> Vec<Map<String, Value>> {
    let sql = format!("SELECT to_jsonb(t)::text FROM {} AS t", quoted(table));
    let rows = client.query(&sql, &[]).await.expect("read");
    rows.iter()
        .map(|row| serde_json::from_str(row.get(0)).expect("a row is an object"))
        .collect()
}

/// Tables, each after those that it refers to.
async fn tables(client: &Client) -> Vec<String> {
    let rows = client
        .query(
            "SELECT c.relname::text, ARRAY(
                 SELECT p.relname::text FROM pg_constraint AS f JOIN pg_class AS p ON p.oid = f.confrelid
                 WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid
             )
             FROM pg_class AS c
             WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind IN ('r', 'p')
               -- What migrations say of the schema itself.
               AND c.relname NOT IN ('refinery_schema_history', 'schema_minimum')
             ORDER BY c.relname",
            &[],
        )
        .await
        .expect("read");
    let mut left: Vec<(String, Vec<String>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut sorted = Vec::new();
    while !left.is_empty() {
        let next = left
            .iter()
            .position(|(_, needs)| needs.iter().all(|table| sorted.contains(table)))
            .expect("tables do not refer to each other in a circle");
        sorted.push(left.remove(next).0);
    }
    sorted
}

async fn insert(client: &Client, table: &str) {
    let mut columns = columns(client, table).await;
    for _ in 0..TRIES {
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let values: Vec<&str> = columns
            .iter()
            .map(|column| column.values[column.chosen].as_str())
            .collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            quoted(table),
            names.join(", "),
            values.join(", ")
        );
        let Err(error) = client.batch_execute(&sql).await else {
            return;
        };
        let db = error.as_db_error().expect("the server answers");
        assert_eq!(*db.code(), SqlState::CHECK_VIOLATION, "{table}: {db}; {sql}");
        let constraint = db.constraint().expect("a violated check has a name");
        let checked = checked_columns(client, table, constraint).await;
        assert!(
            advance(&mut columns, &checked),
            "which values pass {constraint}? {sql}"
        );
    }
    unreachable!("{TRIES} rows of {table} did not pass its checks: teach this file better values");
}

/// The next combination of values in the columns of a check.
fn advance(columns: &mut [Column], checked: &[String]) -> bool {
    for column in columns.iter_mut().filter(|column| checked.contains(&column.name)) {
        column.chosen += 1;
        if column.chosen < column.values.len() {
            return true;
        }
        column.chosen = 0;
    }
    false
}

async fn checked_columns(client: &Client, table: &str, constraint: &str) -> Vec<String> {
    let rows = client
        .query(
            "SELECT a.attname::text FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
             WHERE c.conrelid = to_regclass($1) AND c.conname = $2",
            &[&quoted(table), &constraint],
        )
        .await
        .expect("read");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn columns(client: &Client, table: &str) -> Vec<Column> {
    let rows = client
        .query(
            "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                    -- The words of its checks: CHECK (state IN ('on', 'off')) needs one of them.
                    ARRAY(
                        SELECT word[1] FROM pg_constraint AS c, regexp_matches(pg_get_constraintdef(c.oid), '''([^'']*)''', 'g') AS word
                        WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)
                    ),
                    ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = a.atttypid ORDER BY enumsortorder),
                    -- What it refers to, which has a row already.
                    (SELECT format('(SELECT %I FROM %I LIMIT 1)', p.attname, t.relname)
                     FROM pg_constraint AS f JOIN pg_class AS t ON t.oid = f.confrelid JOIN pg_attribute AS p
                       ON p.attrelid = t.oid AND p.attnum = f.confkey[array_position(f.conkey, a.attnum)]
                     WHERE f.conrelid = a.attrelid AND f.contype = 'f' AND f.confrelid <> a.attrelid AND a.attnum = ANY (f.conkey)
                     LIMIT 1)
             FROM pg_attribute AS a
             WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
             ORDER BY a.attnum",
            &[&quoted(table)],
        )
        .await
        .expect("read");
    rows.iter()
        .map(|row| {
            let (name, kind): (String, String) = (row.get(0), row.get(1));
            let words: Vec<String> = [row.get::<_, Vec<String>>(4), row.get(3)].concat();
            let mut values: Vec<String> = row.get::<_, Option<String>>(5).into_iter().collect();
            values.extend(of_type(&kind, &words));
            if !row.get::<_, bool>(2) {
                values.push("NULL".to_owned());
            }
            assert!(!values.is_empty(), "{table}.{name}: what is a {kind}?");
            Column {
                name,
                values,
                chosen: 0,
            }
        })
        .collect()
}

/// Expressions of a type. `words` are an enumeration's labels, and the values in the column's checks.
fn of_type(kind: &str, words: &[String]) -> Vec<String> {
    if let Some(element) = kind.strip_suffix("[]") {
        let arrays = of_type(element, words)
            .into_iter()
            .map(|value| format!("ARRAY[{value}]::{kind}"));
        return arrays.chain([format!("'{{}}'::{kind}")]).collect();
    }
    let plain: &[&str] = match kind.split('(').next().unwrap_or(kind) {
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => {
            &["1", "2", "0", "10", "100", "1000", "-1"]
        }
        "boolean" => &["true", "false"],
        "json" | "jsonb" => &["{}", "[]"],
        "bytea" => &["\\x00ff"],
        "uuid" => &["123e4567-e89b-12d3-a456-426614174000"],
        "interval" => &["1 day", "0"],
        "inet" | "cidr" => &["192.0.2.1"],
        "date" => &["2026-11-21", "2026-11-22"],
        kind if kind.starts_with("timestamp") => &["2026-11-21 12:00:00+00", "2026-11-22 12:00:00+00"],
        kind if kind.starts_with("time") => &["12:00:00"],
        "text" | "character varying" | "character" | "name" => &[
            "x",
            "word",
            "en",
            "https://example.com/",
            "00000000000000000000000000000000",
        ],
        _ => &[],
    };
    let literal = |text: &str| format!("'{}'::{kind}", text.replace('\'', "''"));
    let is_text = plain.first() == Some(&"x") || plain.is_empty();
    let words = words.iter().filter(|_| is_text).map(String::as_str);
    words.chain(plain.iter().copied()).map(literal).collect()
}
