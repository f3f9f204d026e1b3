//! The keys of the section `database`.

use std::{path::Path, time::Duration};

use super::{line, read};
use crate::config::{Config, SslMode};

#[test]
fn any_value_of_ssl_is_taken_and_only_a_few_turn_it_off() {
    for (value, mode) in [
        ("false", SslMode::Off),
        ("off", SslMode::Off),
        ("disable", SslMode::Off),
        ("0", SslMode::Off),
        ("no-verify", SslMode::NoVerify),
        ("true", SslMode::Verified),
        ("ON", SslMode::Verified),
        ("require", SslMode::Verified),
        ("1", SslMode::Verified),
        ("", SslMode::Unset),
        ("flase", SslMode::Unknown),
        ("2", SslMode::Unknown),
    ] {
        let config = read("", &[("DATABASE_SSL", value)]).expect("right");
        assert_eq!(config.database.ssl.mode, mode, "{value}");
    }
    for (file, mode) in [
        ("false", SslMode::Off),
        ("0", SslMode::Off),
        ("\"no-verify\"", SslMode::NoVerify),
    ] {
        let config = read(&format!("[database]\nssl = {file}"), &[]).expect("right");
        assert_eq!(config.database.ssl.mode, mode, "{file}");
    }
    let stronger = [("DATABASE_SSL", "off"), ("EVENTIDE__DATABASE__SSL", "on")];
    let config = read("[database]\nssl = 'no-verify'", &stronger).expect("right");
    assert_eq!(config.database.ssl.mode, SslMode::Verified);
    let config = read("[database]\nssl = 'no-verify'", &stronger[..1]).expect("right");
    assert_eq!(config.database.ssl.mode, SslMode::Off);
    let config = read("", &[("HOME", "/home/u")]).expect("right");
    assert_eq!(
        config.database.password_file.as_deref(),
        Some(Path::new("/home/u/.pgpass"))
    );
    let config = read("", &[("HOME", "/home/u"), ("PGPASSFILE", "/p")]).expect("right");
    assert_eq!(config.database.password_file.as_deref(), Some(Path::new("/p")));
}

#[test]
fn the_pool_s_conventional_variables_stand_between_the_own_ones_and_the_file() {
    let file =
        "[database]\npool_size = 9\nidle_timeout_ms = 1\nconnection_timeout_ms = 900\nslow_query_ms = 9";
    let conventional = [
        ("PG_POOL_SIZE", "7"),
        ("PG_IDLE_TIMEOUT_MS", "700"),
        ("PG_CONNECTION_TIMEOUT_MS", "7000"),
        ("PG_SLOW_QUERY_MS", "70"),
    ];
    let database = read(file, &conventional).expect("right").database;
    assert_eq!((database.pool_size, database.flush_connections), (7, 2));
    assert_eq!(database.idle_timeout, Duration::from_millis(700));
    assert_eq!(database.connection_timeout, Duration::from_secs(7));
    assert_eq!(database.slow_query, Duration::from_millis(70));
    let own = [("PG_POOL_SIZE", "7"), ("EVENTIDE__DATABASE__POOL_SIZE", "8")];
    assert_eq!(read(file, &own).expect("right").database.pool_size, 8);
    assert_eq!(Config::defaults().database.idle_timeout, Duration::from_secs(30));
    let wrong = line("", &[("PG_POOL_SIZE", "many")]);
    assert!(
        wrong.contains("PG_POOL_SIZE: database.pool_size: found \"many\""),
        "{wrong}"
    );
}

#[test]
fn a_schema_has_a_name_that_postgresql_lets_it_have() {
    assert_eq!(Config::defaults().database.schema, "public");
    let config = read("", &[("DB_SCHEMA", "it's \"mine\"")]).expect("right");
    assert_eq!(config.database.schema, "it's \"mine\"");
    for wrong in ["pg_mine", "information_schema", "$user", &"x".repeat(64)] {
        assert!(
            line("", &[("DB_SCHEMA", wrong)]).contains("DB_SCHEMA: database.schema: found"),
            "{wrong}"
        );
    }
}
