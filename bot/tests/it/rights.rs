//! Backup and restore by roles with only the documented privileges: missing ones are named before anything is done.

use std::path::Path;

use eventide::postgres::{connect::Target, embedded::PrivatePostgres, migrations};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{
    bot::{command, url},
    session::Session,
    start_postgres,
};

const MEMBERS: &str = "SELECT coalesce(md5(string_agg(m::text, ' ' ORDER BY guild_id, user_id)), '') || count(*) FROM member_xp AS m";

/// A server with the README's two roles: `migrator` owns the schema `public` and its tables, `runner` runs the bot.
struct Stage {
    directory: TempDir,
    postgres: PrivatePostgres,
    admin: Session,
}

impl Stage {
    async fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let postgres = start_postgres(directory.path()).await;
        let admin = Session::open(&Target::from(postgres.connection())).await;
        admin
            .execute(
                "CREATE ROLE migrator; CREATE ROLE runner; ALTER SCHEMA public OWNER TO migrator;
                 GRANT USAGE ON SCHEMA public TO runner;
                 ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public
                     GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO runner",
            )
            .await;
        let migrator = Target::from(postgres.connection()).with(|config| {
            config.options("-c role=migrator");
        });
        migrations::up(migrator).await.expect("migrated");
        admin
            .execute("INSERT INTO member_xp (guild_id, user_id, xp) SELECT g % 3 + 1, g, g FROM generate_series(1, 500) AS g")
            .await;
        Self {
            directory,
            postgres,
            admin,
        }
    }

    /// The binary as a role.
    fn eventide(&self, role: &str, schema: &str, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        let address = url(&self.postgres.connection());
        command
            .env("DATABASE_URL", format!("{address}?options=-c%20role%3D{role}"))
            .env("DB_SCHEMA", schema);
        command
    }

    fn file(&self) -> String {
        self.directory
            .path()
            .join("backup.dump")
            .to_str()
            .expect("UTF-8")
            .to_owned()
    }

    async fn members(&self, schema: &str) -> String {
        let target = Target::from(self.postgres.connection()).in_schema(schema);
        let session = Session::open(&target).await;
        let members = session.client.query_one(MEMBERS, &[]).await.expect("read").get(0);
        session.close().await;
        members
    }

    async fn close(self) {
        self.admin.close().await;
        self.postgres
            .stop(eventide::postgres::embedded::StopMode::Immediate)
            .await
            .expect("stopped");
    }
}

async fn well(mut command: Command) {
    let output = command.output().await.expect("ran");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

/// The one line that says why not.
async fn refused(mut command: Command) -> String {
    let output = command.output().await.expect("ran");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let mut lines = errors.lines().filter(|line| line.starts_with("eventide: "));
    let line = lines.next().expect("a line").to_owned();
    assert_eq!(lines.next(), None, "{errors}");
    line
}

/// The statements that a line says to type.
fn statements(line: &str) -> &str {
    line.split_once("types: ")
        .or_else(|| line.split_once("type: "))
        .expect("statements to type")
        .1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_names_what_the_role_may_not_read() {
    let stage = Stage::new().await;
    let file = stage.file();
    let arguments = ["backup", "--out", &file];
    let line = refused(stage.eventide("runner", "public", &arguments)).await;
    let grants = statements(&line);
    assert_eq!(
        grants,
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA \"public\" TO \"runner\";"
    );
    assert!(!Path::new(&file).exists(), "nothing is left behind");
    stage.admin.execute(grants).await;
    well(stage.eventide("runner", "public", &arguments)).await;

    stage
        .admin
        .execute("CREATE ROLE reader; GRANT SELECT ON member_xp TO reader; GRANT SELECT ON refinery_schema_history TO reader")
        .await;
    let other = format!("{file}.other");
    let arguments = ["backup", "--out", &other];
    let line = refused(stage.eventide("reader", "public", &arguments)).await;
    stage.admin.execute(statements(&line)).await;
    well(stage.eventide("reader", "public", &arguments)).await;
    stage.close().await;
}

/// The backup's own schema belongs to another role, whose bot continues to use it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_beside_the_schema_of_another_role() {
    let stage = Stage::new().await;
    let file = stage.file();
    well(stage.eventide("migrator", "public", &["backup", "--out", &file])).await;
    let before = stage.members("public").await;
    stage
        .admin
        .execute(
            "CREATE ROLE newcomer; GRANT CREATE ON DATABASE eventide TO newcomer; CREATE ROLE tenant;
             CREATE SCHEMA \"let's \\ \"\"go\"\"\"; GRANT USAGE, CREATE ON SCHEMA \"let's \\ \"\"go\"\"\" TO tenant",
        )
        .await;
    let restore = ["restore", &file];
    // A new schema, and one that was provided.
    for (role, schema) in [("newcomer", "made"), ("tenant", "let's \\ \"go\"")] {
        well(stage.eventide(role, schema, &restore)).await;
        assert_eq!(stage.members(schema).await, before, "{schema}");
        let owners = stage
            .admin
            .client
            .query_one(
                "SELECT string_agg(DISTINCT tableowner::text, ' ') FROM pg_tables WHERE schemaname = $1",
                &[&schema],
            )
            .await
            .expect("read");
        assert_eq!(owners.get::<_, &str>(0), role);
        // Triggers, defaults and sequences are the schema's own.
        well(stage.eventide(role, schema, &["migrate", "status"])).await;
        let findings = stage.eventide("eventide", schema, &["migrate", "verify"]);
        well(findings).await;
    }
    assert_eq!(stage.members("public").await, before);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_names_the_owner_of_what_it_would_replace() {
    let stage = Stage::new().await;
    let file = stage.file();
    well(stage.eventide("migrator", "public", &["backup", "--out", &file])).await;
    stage
        .admin
        .execute("GRANT CREATE ON SCHEMA public TO runner; UPDATE member_xp SET xp = 0")
        .await;
    let before = stage.members("public").await;
    let restore = ["restore", &file, "--replace", "--yes"];
    let line = refused(stage.eventide("runner", "public", &restore)).await;
    assert!(line.contains("belong to \"migrator\""), "{line}");
    let grants = statements(&line);
    assert_eq!(grants, "GRANT \"migrator\" TO \"runner\";");
    assert_eq!(stage.members("public").await, before);
    stage.admin.execute(grants).await;
    // Erasures are kept in a temporary table, which every role may create unless that was revoked.
    stage
        .admin
        .execute("REVOKE TEMPORARY ON DATABASE eventide FROM PUBLIC")
        .await;
    let line = refused(stage.eventide("runner", "public", &restore)).await;
    let (_, grants) = line.split_once("with: ").expect("a statement");
    assert_eq!(grants, "GRANT TEMPORARY ON DATABASE \"eventide\" TO \"runner\";");
    assert_eq!(stage.members("public").await, before);
    stage.admin.execute(grants).await;
    well(stage.eventide("runner", "public", &restore)).await;
    assert_ne!(stage.members("public").await, before);
    stage.close().await;
}
