//! `eventide backup` and `eventide restore`, with the real binary on a real PostgreSQL.

mod erased;
mod failing;
mod loaded;
mod noted;
mod retention;

use std::{collections::BTreeMap, fs, path::Path};

use eventide::{
    postgres::{
        backup::Manifest,
        connect::Target,
        embedded::PrivatePostgres,
        migrations::{self, Migrations},
    },
    telemetry::task::{self, Task},
};
use tempfile::TempDir;
use tokio::process::Command;
use tokio_postgres::Client;

use crate::support::{
    Scene,
    bot::{command, url},
};

/// Common and unusual names of schemas.
const NAMES: [&str; 5] = [
    "public",
    "eventide_two",
    "it's; DROP SCHEMA public CASCADE; --",
    "\"quoted\".*, $user \\ :x",
    "schöne\ngrüße_🦀",
];

/// A statement's session in a schema.
struct Session {
    client: Client,
    driver: Task<Result<(), tokio_postgres::Error>>,
}

impl Session {
    async fn open(postgres: &PrivatePostgres, schema: &str) -> Self {
        Self::of(Target::from(postgres.connection()).in_schema(schema)).await
    }

    async fn of(target: Target) -> Self {
        let (client, driver) = target.connect().await.expect("a connection");
        Self {
            client,
            driver: task::spawn("session", driver),
        }
    }

    async fn execute(&self, sql: &str) {
        self.client.batch_execute(sql).await.expect(sql);
    }

    async fn text(&self, sql: &str) -> String {
        self.client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// All that counts in a schema, as one text.
    async fn contents(&self) -> String {
        self.text(
            "SELECT (SELECT coalesce(md5(string_agg(m::text, ' ' ORDER BY guild_id, user_id)), '') || count(*) FROM member_xp AS m)
                 || (SELECT string_agg(c::text, ' ' ORDER BY shard_count, shard_id) FROM shard_checkpoint AS c)
                 || (SELECT string_agg(s::text, ' ') FROM guild_settings AS s) || (SELECT string_agg(r::text, ' ') FROM level_role AS r)
                 || (SELECT string_agg(h::text, ' ') FROM refinery_schema_history AS h)",
        )
        .await
    }

    async fn members(&self) -> String {
        self.text(
            "SELECT md5(string_agg(m::text, ' ' ORDER BY guild_id, user_id)) || count(*) FROM member_xp AS m",
        )
        .await
    }

    async fn close(self) {
        drop(self.client);
        self.driver.join().await.expect("joined").expect("a clean end");
    }
}

/// A schema with rows and a shard in the middle of its session.
async fn fill(postgres: &PrivatePostgres, schema: &str, rows: u32) {
    let target = Target::from(postgres.connection()).in_schema(schema);
    migrations::up(&target).await.expect("migrated");
    let session = Session::of(target).await;
    session
        .execute(&format!(
            "INSERT INTO member_xp (guild_id, user_id, xp, message_count, last_award_at)
             SELECT g % 10 + 1, g + 1, g * 20, g, now() FROM generate_series(1, {rows}) AS g;
             INSERT INTO shard_checkpoint (shard_count, shard_id, fence, revision, session_id, resume_url, sequence)
             VALUES (1, 0, 7, 3, 'yesterday', 'wss://yesterday', 1234);
             INSERT INTO guild_settings (guild_id, announce) VALUES (1, 'direct');
             INSERT INTO level_role (guild_id, role_id, level) VALUES (1, 2, 3)"
        ))
        .await;
    session.close().await;
}

struct Ended {
    code: i32,
    out: String,
    errors: String,
}

async fn ended(mut command: Command) -> Ended {
    let output = command.output().await.expect("the binary runs");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!errors.contains("panicked"), "{errors}");
    Ended {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        errors,
    }
}

impl Ended {
    fn well(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.errors);
        self.out
    }

    /// One line for the operator with these words.
    fn refused(self, code: i32, words: &[&str]) {
        let lines: Vec<&str> = self
            .errors
            .lines()
            .filter(|line| line.starts_with("eventide: "))
            .collect();
        assert_eq!((self.code, lines.len()), (code, 1), "{}{}", self.out, self.errors);
        for word in words {
            assert!(lines[0].contains(word), "{word:?} is not in {:?}", lines[0]);
        }
    }
}

/// The binary on a server's schema.
fn eventide(postgres: &PrivatePostgres, schema: &str, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command
        .env("DATABASE_URL", url(&postgres.connection()))
        .env("DB_SCHEMA", schema);
    command
}

async fn backup(postgres: &PrivatePostgres, schema: &str, file: &Path) -> Manifest {
    let file = file.to_str().expect("UTF-8");
    ended(eventide(postgres, schema, &["backup", "--out", file]))
        .await
        .well();
    manifest(Path::new(file))
}

fn restore(postgres: &PrivatePostgres, schema: &str, file: &Path, more: &[&str]) -> Command {
    let mut arguments = vec!["restore", file.to_str().expect("UTF-8")];
    arguments.extend(more);
    eventide(postgres, schema, &arguments)
}

fn manifest(file: &Path) -> Manifest {
    let text = fs::read(Manifest::path(file)).expect("a manifest");
    serde_json::from_slice(&text).expect("a manifest")
}

fn change_manifest(file: &Path, change: impl FnOnce(&mut Manifest)) {
    let mut manifest = manifest(file);
    change(&mut manifest);
    let text = serde_json::to_vec(&manifest).expect("plain data");
    fs::write(Manifest::path(file), text).expect("written");
}

/// The files in a directory, by name.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

/// The rows of a schema with this many members and a guild with settings.
fn expected_rows(rows: u64) -> BTreeMap<String, u64> {
    let expected = [
        ("member_xp", rows),
        (
            "refinery_schema_history",
            Migrations::embedded().names().len() as u64,
        ),
        ("shard_checkpoint", 1),
        ("import_job", 0),
        ("gap", 0),
        ("guild_settings", 1),
        ("guild_section", 0),
        ("level_role", 1),
        ("xp_multiplier", 0),
        ("xp_boost", 0),
        ("timer", 0),
        ("request", 0),
        ("audit_xp", 0),
        ("member_week", 0),
        ("guild_week", 0),
        ("outbox", 0),
        ("outbox_lane", 0),
        ("effect_failure", 0),
        ("fleet", 1),
        ("fleet_process", 0),
        ("shard_lease", 0),
        ("identify_key", 0),
        ("schema_minimum", 1),
        ("last_backup", 0),
        ("command_registration", 0),
        ("member_card", 0),
        ("member_arrival", 0),
        ("bucket_count", 0),
        ("mass_change", 0),
        ("quarantine", 0),
        ("given_role", 0),
        ("ranked_guild", 0),
        ("guild_departed", 0),
        ("erased", 0),
        ("mod_guild", 0),
        ("mod_case", 0),
        ("case_note", 0),
        ("massban", 0),
        ("report", 0),
        ("report_entry", 0),
        ("appeal", 0),
        ("appeal_vote", 0),
        ("warning", 0),
        ("member_warnings", 0),
        ("warning_threshold", 0),
        ("channel_lock", 0),
        ("channel_slowmode", 0),
        ("temp_role", 0),
        ("purge", 0),
        ("statistic", 0),
        ("api_token", 0),
        ("guild_staff", 0),
        ("web_session", 0),
        ("web_sign_in", 0),
        ("board_opt_out", 0),
        ("gap_unread", 0),
        ("backfill_channel", 0),
        ("backfill_message", 0),
    ];
    expected.map(|(table, rows)| (table.to_owned(), rows)).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_with_other_schemas_beside() {
    let scene = Scene::new().await;
    let postgres = &scene.postgres;
    let directory = TempDir::new().expect("a directory");
    for (rows, name) in (500..).zip(NAMES) {
        fill(postgres, name, rows).await;
    }
    let owner = Session::open(postgres, "public").await;
    owner
        .execute("CREATE ROLE runner; GRANT SELECT ON public.member_xp TO runner; GRANT USAGE ON SCHEMA public TO runner")
        .await;
    for (index, name) in NAMES.into_iter().enumerate() {
        let file = directory.path().join(format!("{index}.dump"));
        let manifest = backup(postgres, name, &file).await;
        let rows = 500 + u64::try_from(index).expect("small");
        assert_eq!(manifest.rows, expected_rows(rows), "{name}");
        assert_eq!(manifest.migrations, Migrations::embedded().names());
        assert_eq!(
            (manifest.schema.as_str(), manifest.file),
            (name, format!("{index}.dump"))
        );
    }
    let mut before = Vec::new();
    for name in NAMES {
        let session = Session::open(postgres, name).await;
        before.push((session.contents().await, session.members().await));
        session.close().await;
    }

    for (index, name) in NAMES.into_iter().enumerate() {
        let file = directory.path().join(format!("{index}.dump"));
        let session = Session::open(postgres, name).await;
        session
            .execute("DELETE FROM member_xp WHERE guild_id = 1; UPDATE shard_checkpoint SET fence = 40; CREATE VIEW mine AS SELECT 1 AS one")
            .await;
        ended(restore(postgres, name, &file, &[]))
            .await
            .refused(1, &["not empty", "member_xp 4", "8 objects more", "--replace"]);
        ended(restore(postgres, name, &file, &["--replace"]))
            .await
            .refused(64, &["would be replaced", "--yes"]);
        let said = ended(restore(postgres, name, &file, &["--replace", "--yes"]))
            .await
            .well();
        assert!(said.contains("restored "), "{said}");
        assert_eq!(session.members().await, before[index].1, "{name}");
        // Temporary state is gone, and no process that had the shard can write.
        let checkpoint = session
            .text("SELECT (fence, revision, session_id, resume_url, sequence)::text FROM shard_checkpoint")
            .await;
        assert_eq!(checkpoint, "(41,3,,,0)", "{name}");
        session.close().await;
        for (other, name) in NAMES.into_iter().enumerate().skip(index + 1) {
            let session = Session::open(postgres, name).await;
            assert_eq!(session.contents().await, before[other].0, "{name}");
            session.close().await;
        }
    }
    // The privileges of other roles are restored with the tables.
    let right = "SELECT has_table_privilege('runner', 'public.member_xp', 'SELECT')::text";
    assert_eq!(owner.text(right).await, "true");

    // Under another name, which may exist and be empty, while the schema with the old name is unchanged.
    owner
        .execute("CREATE SCHEMA \"an empty one\"; GRANT USAGE ON SCHEMA \"an empty one\" TO runner; DROP SCHEMA eventide_two CASCADE")
        .await;
    let new = ["an empty one", "new;--", "\"", "eventide_two", "a\\b"];
    for (index, (from, to)) in NAMES.into_iter().zip(new).enumerate() {
        let file = directory.path().join(format!("{index}.dump"));
        ended(restore(postgres, to, &file, &[])).await.well();
        let session = Session::open(postgres, to).await;
        assert_eq!(session.members().await, before[index].1, "{from} as {to}");
        session.close().await;
    }
    for (index, name) in NAMES.into_iter().enumerate().filter(|(index, _)| *index != 1) {
        let session = Session::open(postgres, name).await;
        assert_eq!(session.members().await, before[index].1, "{name}");
        session.close().await;
    }
    let rights = "SELECT concat(has_schema_privilege('runner', 'an empty one', 'USAGE'),
                                has_table_privilege('runner', '\"an empty one\".member_xp', 'SELECT'))";
    assert_eq!(owner.text(rights).await, "tt");
    let aside = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'eventide_aside%'";
    assert_eq!(owner.number(aside).await, 0);
    owner.close().await;
    scene.stop().await;
}

/// A backup of an older version is migrated, here of one that had no tables yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_version_is_migrated() {
    let scene = Scene::new().await;
    let directory = TempDir::new().expect("a directory");
    let target = Target::from(scene.postgres.connection());
    let steps = Migrations::embedded().names().len();
    let undoing = Migrations::embedded()
        .undoing(&target, steps)
        .await
        .expect("ready");
    undoing.run().await.expect("taken back");
    let file = directory.path().join("old.dump");
    let manifest = backup(&scene.postgres, "public", &file).await;
    assert_eq!((manifest.schema_version, manifest.migrations.len()), (0, 0));
    let said = ended(restore(&scene.postgres, "new", &file, &[])).await.well();
    for name in Migrations::embedded().names() {
        assert!(said.contains(&format!("applied {name}")), "{said}");
    }
    let new = Session::open(&scene.postgres, "new").await;
    assert_eq!(new.number("SELECT count(*) FROM member_xp").await, 0);
    new.close().await;
    scene.stop().await;
}

/// A backup can be restored where some of its roles do not exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn privileges_of_missing_roles_are_left_out() {
    let scene = Scene::new().await;
    let directory = TempDir::new().expect("a directory");
    let session = Session::open(&scene.postgres, "public").await;
    session
        .execute("CREATE ROLE \"a role\"; GRANT SELECT ON member_xp TO \"a role\"")
        .await;
    let file = directory.path().join("a.dump");
    let manifest = backup(&scene.postgres, "public", &file).await;
    assert_eq!(manifest.grantees, ["a role"]);
    session
        .execute("DROP OWNED BY \"a role\"; DROP ROLE \"a role\"")
        .await;
    let restored = ended(restore(&scene.postgres, "public", &file, &["--replace", "--yes"])).await;
    assert!(restored.errors.contains("a role"), "{}", restored.errors);
    restored.well();
    session.close().await;
    scene.stop().await;
}

/// A private server, with and without a bot that runs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_private_server() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o711))
        .tempdir()
        .expect("a directory");
    let at = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.current_dir(directory.path());
        command
    };
    ended(at(&["migrate", "up"])).await.well();
    let said = ended(at(&["backup", "--out", "."])).await.well();
    assert!(said.contains("backup of schema \"public\""), "{said}");
    let dump = names(directory.path())
        .into_iter()
        .find(|name| Path::new(name).extension().is_some_and(|ending| ending == "dump"))
        .expect("a backup");
    ended(at(&["restore", &dump, "--replace", "--yes"])).await.well();
    assert!(
        !directory
            .path()
            .join("data/postgres/cluster/postmaster.pid")
            .exists()
    );
}
