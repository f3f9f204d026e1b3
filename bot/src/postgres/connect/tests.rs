use std::os::unix::fs::PermissionsExt as _;

use tokio_postgres::config::{SslMode, TargetSessionAttrs};

use super::{ConnectError, Target, Verify, resolved, verifies};
use crate::config::{Config, Database, Secret, SslMode as Wish, database::conninfo::Conninfo};

const OFF: Option<Verify> = None;
const FULL: Option<Verify> = Some(Verify::Full);
const AUTHORITY: Option<Verify> = Some(Verify::Authority);
const NOTHING: Option<Verify> = Some(Verify::Nothing);

fn database(mode: Wish) -> Database {
    let mut database = Config::defaults().database;
    database.ssl.mode = mode;
    database
}

fn open(url: &str, database: &Database) -> Target {
    Target::open(&Secret::new(url), database).unwrap_or_else(|error| unreachable!("{url}: {error}"))
}

#[test]
fn nothing_is_plain_unless_it_stays_here_or_was_told_to_be() {
    let table: &[(Wish, &str, &[Option<Verify>])] = &[
        (Wish::Unset, "postgres://db.example.com/d", &[FULL]),
        (Wish::Unset, "postgres://10.0.0.5/d", &[FULL]),
        (Wish::Unset, "postgres://localhost.example.com/d", &[FULL]),
        (Wish::Unset, "postgres://localhost/d", &[OFF]),
        (Wish::Unset, "postgres://127.8.9.1/d", &[OFF]),
        (Wish::Unset, "postgres://[::1]/d", &[OFF]),
        (Wish::Unset, "postgres://[::ffff:127.0.0.1]/d", &[OFF]),
        (Wish::Unset, "postgres://%2Frun%2Fpostgresql/d", &[OFF]),
        (Wish::Unset, "postgres:///d", &[OFF]),
        (Wish::Unset, "host=localhost hostaddr=10.0.0.5", &[FULL]),
        (Wish::Unset, "host=db.example.com hostaddr=127.0.0.1", &[OFF]),
        (
            Wish::Unset,
            "host=/run/a,localhost,b.example.com",
            &[OFF, OFF, FULL],
        ),
        (Wish::Unset, "postgres://h/d?sslmode=disable", &[OFF]),
        (Wish::Unset, "postgres://h/d?sslmode=allow", &[FULL]),
        (Wish::Unset, "postgres://h/d?sslmode=prefer", &[FULL]),
        (Wish::Unset, "postgres://localhost/d?sslmode=prefer", &[OFF]),
        (Wish::Unset, "postgres://h/d?sslmode=require", &[FULL]),
        (Wish::Unset, "postgres://localhost/d?sslmode=require", &[FULL]),
        (Wish::Unset, "postgres://h/d?sslmode=verify-ca", &[AUTHORITY]),
        (Wish::Unset, "postgres://localhost/d?sslmode=verify-full", &[FULL]),
        (Wish::Unset, "postgres://localhost/d?sslrootcert=/ca.pem", &[FULL]),
        (Wish::Off, "postgres://h/d", &[OFF]),
        (Wish::Off, "postgres://h/d?sslmode=verify-full", &[OFF]),
        (Wish::NoVerify, "postgres://h/d", &[NOTHING]),
        (Wish::NoVerify, "postgres://localhost/d", &[NOTHING]),
        (Wish::NoVerify, "postgres://h/d?sslmode=disable", &[OFF]),
        (Wish::Verified, "postgres://localhost/d", &[FULL]),
        (Wish::Verified, "postgres://h/d?sslmode=verify-ca", &[FULL]),
        (Wish::Verified, "postgres://h/d?sslmode=disable", &[OFF]),
        (Wish::Verified, "host=/run/a,b", &[OFF, FULL]),
        (Wish::Unknown, "postgres://localhost/d", &[FULL]),
        (Wish::Unknown, "postgres://h/d", &[FULL]),
    ];
    for (mode, url, wanted) in table {
        let info = Conninfo::parse(url).expect("an address");
        let places: Vec<_> = info.places.iter().map(resolved).collect();
        let ssl = database(*mode).ssl;
        assert_eq!(verifies(&ssl, &info, &places), *wanted, "{mode:?} {url}");
        if info.get("sslrootcert").is_none() {
            let target = open(url, &database(*mode));
            for (route, wanted) in target.routes.iter().zip(*wanted) {
                let mode = if wanted.is_some() {
                    SslMode::Require
                } else {
                    SslMode::Disable
                };
                assert_eq!(route.config.get_ssl_mode(), mode, "{url}");
                assert_eq!(
                    (route.encrypted, target.tls.is_some() || wanted.is_none()),
                    (wanted.is_some(), true),
                    "{url}"
                );
            }
        }
    }
}

#[test]
fn a_change_of_settings_cannot_undo_the_encryption() {
    let target = open("postgres://db.example.com/d", &database(Wish::Unset)).with(|config| {
        config.ssl_mode(SslMode::Prefer);
    });
    assert_eq!(target.routes[0].config.get_ssl_mode(), SslMode::Require);
}

#[test]
fn a_standby_is_preferred_by_asking_all_hosts_for_one_first() {
    let target = open(
        "postgres://a,b/d?target_session_attrs=prefer-standby&connect_timeout=3",
        &database(Wish::Unset),
    );
    let tries: Vec<_> = target
        .routes
        .iter()
        .map(|route| (route.turn, route.config.get_target_session_attrs()))
        .collect();
    let (first, second) = ((0, TargetSessionAttrs::ReadOnly), (1, TargetSessionAttrs::Any));
    assert_eq!(tries, [first, first, second, second]);
}

#[test]
fn settings_of_the_socket_are_libpq_s_or_notice_a_dead_server_soon() {
    let config = open("postgres://h/d", &database(Wish::Unset)).routes[0]
        .config
        .clone();
    assert!(config.get_keepalives() && config.get_keepalives_idle().as_secs() == 5);
    assert_eq!(
        config.get_tcp_user_timeout().map(std::time::Duration::as_secs),
        Some(5)
    );
    let url = "postgres://h/d?keepalives_idle=7&keepalives_count=9&tcp_user_timeout=2500&connect_timeout=2";
    let config = open(url, &database(Wish::Unset)).routes[0].config.clone();
    assert_eq!(config.get_keepalives_idle().as_secs(), 7);
    assert_eq!(config.get_keepalives_retries(), Some(9));
    assert_eq!(
        config.get_tcp_user_timeout().map(std::time::Duration::as_millis),
        Some(2500)
    );
    assert_eq!(
        config.get_connect_timeout().map(std::time::Duration::as_secs),
        Some(2)
    );
}

#[test]
fn a_password_comes_from_the_file_only_if_nobody_else_can_read_it() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let path = directory.path().join("pgpass");
    std::fs::write(&path, "h:5432:d:u:from the file\n").expect("written");
    let mut database = database(Wish::Unset);
    database.password_file = Some(path.clone());
    let password = |url: &str| {
        let config = open(url, &database).routes[0].config.clone();
        config
            .get_password()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
    mode(0o644);
    assert_eq!(password("postgres://u@h/d"), None);
    mode(0o600);
    assert_eq!(password("postgres://u@h/d").as_deref(), Some("from the file"));
    assert_eq!(password("postgres://u@other/d"), None);
    assert_eq!(password("postgres://u:given@h/d").as_deref(), Some("given"));
    database.password_file = None;
    let named = format!("host=h user=u dbname=d passfile='{}'", path.display());
    let config = open(&named, &database).routes[0].config.clone();
    assert_eq!(config.get_password(), Some(&b"from the file"[..]));
}

#[test]
fn unusable_addresses_are_reported_without_the_password() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "nothing").expect("written");
    let empty = empty.display();
    for (url, words) in [
        ("postgres://u:hunter2@h:x/d".to_owned(), "port cannot be read"),
        (
            "postgres://u:hunter2@h/d?sslrootcert=/nowhere.pem".to_owned(),
            "database.ssl_ca_file (/nowhere.pem) cannot be read",
        ),
        (
            format!("postgres://u:hunter2@h/d?sslrootcert={empty}"),
            "holds no certificate",
        ),
        (
            format!("postgres://u:hunter2@h/d?sslcert={empty}"),
            "give both or neither",
        ),
        (
            format!("postgres://u:hunter2@h/d?sslcert={empty}&sslkey={empty}"),
            "holds no certificate",
        ),
        (
            "postgres://u:hunter2@h/d?sslmode=disable&sslnegotiation=direct".to_owned(),
            "needs TLS",
        ),
    ] {
        let error: ConnectError =
            Target::open(&Secret::new(&*url), &database(Wish::Unset)).expect_err("refused");
        let text = error.to_string();
        assert!(text.contains(words), "{url}: {text}");
        assert!(!text.contains("hunter2") && text.lines().count() == 1, "{text}");
    }
    let target = open("postgres://u:hunter2@h/d", &database(Wish::Unset));
    assert!(!format!("{target:?}").contains("hunter2"));
}

#[test]
fn programs_of_postgresql_get_the_same_by_their_environment() {
    let database = database(Wish::Unset);
    let variables = |url: &str| -> std::collections::BTreeMap<&'static str, String> {
        let environment = open(url, &database).environment("pg_dump").expect("variables");
        environment
            .variables()
            .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
            .collect()
    };
    // Any file with a certificate.
    let params = rcgen::CertificateParams::new([]).expect("parameters");
    let key = rcgen::KeyPair::generate().expect("a key");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, params.self_signed(&key).expect("signed").pem()).expect("written");
    let file = file.to_str().expect("UTF-8");
    let found = variables(&format!(
        "host=db.example.com,b hostaddr=10.0.0.5,10.0.0.6 port=5433 user=\"u\" password='p w' dbname='d=x' options='-c role=r' \
         channel_binding=require sslrootcert={file} sslnegotiation=direct ssl_min_protocol_version=TLSv1.3"
    ));
    for (name, value) in [
        ("PGHOST", "db.example.com"),
        ("PGHOSTADDR", "10.0.0.5"),
        ("PGPORT", "5433"),
        ("PGUSER", "\"u\""),
        ("PGPASSWORD", "p w"),
        ("PGDATABASE", "d=x"),
        ("PGOPTIONS", "-c role=r"),
        ("PGCHANNELBINDING", "require"),
        ("PGSSLMODE", "verify-full"),
        ("PGSSLROOTCERT", file),
        ("PGSSLNEGOTIATION", "direct"),
        ("PGSSLMINPROTOCOLVERSION", "TLSv1.3"),
    ] {
        assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
    }
    let socket = variables("postgres://u@%2Frun%2Fpg/d");
    assert_eq!(
        (socket["PGHOST"].as_str(), socket["PGSSLMODE"].as_str()),
        ("/run/pg", "disable")
    );
    assert!(!socket.contains_key("PGPASSWORD"));
}
