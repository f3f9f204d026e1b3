//! Schemas in which another program has a history of the same name, or tables of the same names.

use eventide::postgres::embedded::StopMode;
use tempfile::TempDir;

use crate::support::{
    bot::{command, url},
    session::Session,
    start_postgres,
};

/// Objects of other programs, and the evidence that they are not Eventide's.
const FOREIGN: [(&str, &str, &str); 5] = [
    (
        "other_migrations",
        "CREATE TABLE refinery_schema_history (version int4 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255));
         INSERT INTO refinery_schema_history VALUES (1, 'init', '2024-01-01T00:00:00Z', '123')",
        "V1__init",
    ),
    (
        "other_types",
        "CREATE TABLE refinery_schema_history (version int8 PRIMARY KEY, name varchar(255), applied_on varchar(255), checksum varchar(255));
         INSERT INTO refinery_schema_history VALUES (1, 'member_xp_and_shard_checkpoint', '2024-01-01T00:00:00Z', '123')",
        "other columns",
    ),
    (
        "other_columns",
        "CREATE TABLE refinery_schema_history (id uuid, at date)",
        "other columns",
    ),
    (
        "a_table",
        "CREATE TABLE fleet (id int4, name jsonb); INSERT INTO fleet VALUES (1, '{}')",
        "a table \"fleet\" already",
    ),
    (
        "the_minimum",
        "CREATE TABLE schema_minimum (version text); INSERT INTO schema_minimum VALUES ('x'); CREATE VIEW gap AS SELECT 'x'::text AS gap_id",
        "a table \"gap\" already",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_program_s_schema_is_left_alone() {
    let directory = TempDir::new().expect("a directory");
    let postgres = start_postgres(directory.path()).await;
    let admin = Session::open(&postgres.connection().into()).await;
    let out = directory.path().join("backup.dump");
    let out = out.to_str().expect("UTF-8");
    let commands: [&[&str]; 9] = [
        &["migrate", "up"],
        &["migrate", "down", "--yes"],
        &["backup", "--out", out],
        &["gaps"],
        &["effects"],
        &["fleet", "status"],
        &["quarantine", "list"],
        &["settings", "175928847299117063"],
        &["export", "--guild", "175928847299117063"],
    ];
    for (schema, sql, shown) in FOREIGN {
        admin
            .execute(&format!(
                "CREATE SCHEMA {schema}; SET search_path = {schema}; {sql}; RESET search_path"
            ))
            .await;
        let contents = async || {
            let sql = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = $1::text::regnamespace";
            let row = admin.client.query_one(sql, &[&schema]).await.expect("read");
            row.get::<_, String>(0)
        };
        let before = contents().await;
        for arguments in commands {
            let output = command(arguments)
                .env("DATABASE_URL", url(&postgres.connection()))
                .env("DB_SCHEMA", schema)
                .output()
                .await
                .expect("ran");
            let errors = String::from_utf8_lossy(&output.stderr);
            let what = format!("{schema}, {arguments:?}: {errors}");
            assert!(!errors.contains("panicked"), "{what}");
            let without_history = before.contains("fleet") || before.contains("schema_minimum");
            if without_history && arguments == ["migrate", "down", "--yes"] {
                continue;
            }
            assert_eq!(output.status.code(), Some(1), "{what}");
            let lines: Vec<&str> = errors
                .lines()
                .filter(|line| line.starts_with("eventide: "))
                .collect();
            assert_eq!(lines.len(), 1, "{what}");
            assert!(lines[0].contains("set database.schema"), "{what}");
            if arguments == ["migrate", "up"] {
                assert!(lines[0].contains("belongs to another program"), "{what}");
                assert!(lines[0].contains(shown), "{what}");
            }
        }
        assert_eq!(contents().await, before, "{schema}");
        let output = command(&["doctor"])
            .env("DATABASE_URL", url(&postgres.connection()))
            .env("DB_SCHEMA", schema)
            .output()
            .await
            .expect("ran");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.code() == Some(1), "{schema}: {text}");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("panicked"), "{schema}: {errors}");
    }
    admin.close().await;
    postgres.stop(StopMode::Immediate).await.expect("stopped");
}
