//! SQLite files as created by tutorials.

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::features::levels::import::{
    fields::{Format, parse_map},
    source::{
        Source,
        reading::{rows, rows_of, told},
    },
};

struct Scene {
    directory: TempDir,
}

impl Scene {
    fn new(sql: &str) -> Self {
        let directory = TempDir::new().expect("a directory");
        let connection = Connection::open(directory.path().join("data.db")).expect("a database");
        connection.execute_batch(sql).expect(sql);
        Self { directory }
    }

    fn source(&self, table: Option<&str>, map: Option<&str>) -> Source {
        Source::open(
            &self.directory.path().join("data.db"),
            Format::Auto,
            table.map(str::to_owned),
            map.map(|map| parse_map(map).expect("a mapping"))
                .unwrap_or_default(),
        )
        .expect("a SQLite file")
    }

    fn read(&self, table: Option<&str>, map: Option<&str>) -> Vec<String> {
        told(rows_of(&self.source(table, map)).expect("readable"))
    }

    fn refused(&self, table: Option<&str>, map: Option<&str>) -> String {
        rows_of(&self.source(table, map))
            .expect_err("refused")
            .to_string()
    }
}

/// Keys and JSON, as stored by enmap and quick.db; and names beside IDs.
#[test]
fn tables_of_keys_and_names_beside_ids() {
    for sql in [
        r#"CREATE TABLE points (key TEXT PRIMARY KEY, value TEXT);
         INSERT INTO points VALUES ('197038439483310086-175928847299117063',
             '{"user":"175928847299117063","guild":"197038439483310086","points":4567,"level":9,"messages":12}'), ('prefix', '"!"');"#,
        r#"CREATE TABLE json (ID TEXT, json TEXT);
         INSERT INTO json VALUES ('user_197038439483310086_175928847299117063', '{"xp":4567,"messages":12}'),
             ('money_197038439483310086_175928847299117063', '9');"#,
        "CREATE TABLE members (user TEXT, id INTEGER, server TEXT, guild_id TEXT, xp INTEGER, messages INTEGER);
         INSERT INTO members VALUES ('ada', 175928847299117063, 'Home', '197038439483310086', 4567, 12);",
    ] {
        assert_eq!(Scene::new(sql).read(None, None), [MEMBER], "{sql}");
    }
    let plain = "CREATE TABLE json (ID TEXT, json TEXT);
                 INSERT INTO json VALUES ('xp_197038439483310086_175928847299117063', '4567'), ('level_197038439483310086_175928847299117063', '9');";
    let expected = ["197038439483310086/175928847299117063 4567 -"];
    assert_eq!(Scene::new(plain).read(None, None), expected);
}

const MEMBER: &str = "197038439483310086/175928847299117063 4567 12";

#[test]
fn the_tutorials_tables() {
    for sql in [
        "CREATE TABLE user_data (user_id INTEGER, guild_id INTEGER, xp INTEGER, level INTEGER, messages INTEGER);
         INSERT INTO user_data VALUES (175928847299117063, 197038439483310086, 4567, 9, 12);",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, userID TEXT, guildID TEXT, xp REAL, msgs TEXT);
         INSERT INTO users VALUES (1, '175928847299117063', '197038439483310086', 4567.0, '12');",
        "CREATE TABLE scores (id TEXT PRIMARY KEY, user TEXT, guild TEXT, points INTEGER, level INTEGER, messages INTEGER)
         WITHOUT ROWID;
         INSERT INTO scores VALUES ('197038439483310086-175928847299117063', '175928847299117063', '197038439483310086', 4567, 9, 12);",
        "CREATE TABLE \"odd \"\"name\" (\"user id\" BLOB, \"guild\" TEXT, \"XP\" INTEGER, \"message count\" INTEGER);
         INSERT INTO \"odd \"\"name\" VALUES (CAST('175928847299117063' AS BLOB), '197038439483310086', 4567, 12);",
    ] {
        assert_eq!(Scene::new(sql).read(None, None), [MEMBER], "{sql}");
    }
}

#[test]
fn any_table_by_a_mapping() {
    let scene = Scene::new(
        "CREATE TABLE levels (member TEXT, server TEXT, karma INTEGER, lines INTEGER, xp INTEGER);
         INSERT INTO levels VALUES ('175928847299117063', '197038439483310086', 4567, 12, 1);
         CREATE TABLE other (user_id TEXT, xp INTEGER);",
    );
    let map = "user_id=member,xp=karma,guild_id=server,messages=lines";
    assert_eq!(scene.read(Some("levels"), Some(map)), [MEMBER]);
    assert!(
        scene
            .refused(Some("nothing"), None)
            .contains("the tables are: levels, other")
    );
    let missing = scene.refused(Some("levels"), Some("xp=nothing"));
    assert!(
        missing.contains("no column \"nothing\"") && missing.contains("member, server"),
        "{missing}"
    );
}

#[test]
fn what_is_not_clear_is_asked() {
    let two = Scene::new(
        "CREATE TABLE a (user_id TEXT, xp INTEGER); CREATE TABLE b (user_id TEXT, level INTEGER);",
    );
    let refused = two.refused(None, None);
    assert!(
        refused.contains("a, b") && refused.contains("--table"),
        "{refused}"
    );
    let none = Scene::new("CREATE TABLE things (thing TEXT);");
    let refused = none.refused(None, None);
    assert!(
        refused.contains("things") && refused.contains("--map"),
        "{refused}"
    );
}

#[test]
fn settings_and_other_tables_are_told_of() {
    let scene = Scene::new(
        "CREATE TABLE user_data (user_id INTEGER, guild_id INTEGER, xp INTEGER);
         CREATE TABLE guild_settings (guild_id INTEGER, prefix TEXT); INSERT INTO guild_settings VALUES (1, '!');
         CREATE TABLE economy (user_id INTEGER, coins INTEGER);",
    );
    let told = scene.source(None, None).left_out().expect("read");
    assert_eq!(told.len(), 2);
    assert!(
        told[0].starts_with("table economy (0 rows; user_id, coins)"),
        "{told:?}"
    );
    assert!(
        told[1].contains("guild_settings (1 rows; guild_id, prefix): settings"),
        "{told:?}"
    );
}

#[test]
fn rows_are_named_and_real_columns_are_found_out() {
    let scene = Scene::new(
        "CREATE TABLE levels (user_id REAL, guild_id TEXT, xp);
         INSERT INTO levels (rowid, user_id, guild_id, xp) VALUES (7, 175928847299117063, '197038439483310086', 1);
         INSERT INTO levels (rowid, user_id, guild_id, xp) VALUES (9, 5, '197038439483310086', NULL);",
    );
    assert_eq!(
        scene.read(None, None),
        [
            "row 7 of levels: the user id 1.7592884729911706e17 was rounded by the tool that wrote it: export ids as text",
            "row 9 of levels: 5e0 is no user id of Discord's: it is no whole number",
        ]
    );
}

#[test]
fn nothing_is_written_beside_the_file() {
    let scene = Scene::new("CREATE TABLE levels (user_id TEXT, xp INTEGER);");
    assert!(scene.read(None, None).is_empty());
    let files: Vec<_> = std::fs::read_dir(scene.directory.path()).expect("read").collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn what_is_still_in_the_log_is_read() {
    let scene =
        Scene::new("CREATE TABLE levels (user_id TEXT, guild_id TEXT, xp INTEGER, messages INTEGER);");
    let path = scene.directory.path().join("data.db");
    let writer = Connection::open(&path).expect("a database");
    writer
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             INSERT INTO levels VALUES ('175928847299117063', '197038439483310086', 4567, 12);",
        )
        .expect("written");
    let source = scene.source(None, None);
    let before = source.fingerprint().expect("read");
    assert_eq!(scene.read(None, None), [MEMBER]);
    writer.execute_batch("UPDATE levels SET xp = 1").expect("written");
    assert_ne!(source.fingerprint().expect("read"), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_file_is_an_answer(damage in prop::collection::vec((16..12_000_usize, any::<u8>()), 1..200)) {
        let scene = Scene::new(
            "CREATE TABLE levels (user_id TEXT, guild_id TEXT, xp INTEGER);
             WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 200)
             INSERT INTO levels SELECT 175928847299117063 + value, '197038439483310086', value FROM n;",
        );
        let mut bytes = std::fs::read(scene.directory.path().join("data.db")).expect("read");
        for (place, byte) in damage {
            if let Some(damaged) = bytes.get_mut(place) {
                *damaged = byte;
            }
        }
        drop(rows(&bytes, Format::Auto, Vec::new()).map(told));
    }

    #[test]
    fn any_bytes_after_the_magic_are_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..5_000)) {
        drop(rows(&[b"SQLite format 3\0".as_slice(), &bytes].concat(), Format::Auto, Vec::new()).map(told));
    }
}
