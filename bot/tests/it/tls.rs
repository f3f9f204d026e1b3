//! TLS to a real PostgreSQL, with certificates created here.

mod logins;

use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use eventide::{
    config::{Config, Database, Secret, SslMode},
    postgres::{
        Store, StoreError,
        connect::Target,
        embedded::{PrivatePostgres, StopMode},
        error::one_line,
        migrations,
    },
    telemetry::{metrics, task},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::support::{bot::command, start_postgres, start_postgres_with, until};

/// The name in the server's certificate.
const HOST: &str = "db.eventide.test";

/// An authority, and its certificate in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(directory: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let file = directory.join(format!("{name}.pem"));
        std::fs::write(&file, params.self_signed(&key).expect("signed").pem()).expect("written");
        Self {
            issuer: Issuer::new(params, key),
            file,
        }
    }

    /// A certificate and its key in PEM.
    fn sign(&self, host: &str, name: &str, last_year: i32) -> (String, String) {
        let mut params = CertificateParams::new([host.to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        (certificate.pem(), key.serialize_pem())
    }
}

/// A server with TLS on its own address.
struct Server {
    directory: TempDir,
    postgres: PrivatePostgres,
    address: String,
    authority: Authority,
}

impl Server {
    async fn start() -> Self {
        let directory = TempDir::new().expect("a directory");
        let data = directory.path().join("server");
        let first = start_postgres(&data).await;
        let cluster = first.data_directory().to_owned();
        first.stop(StopMode::Fast).await.expect("stopped");

        let authority = Authority::new(directory.path(), "authority");
        let (certificate, key) = authority.sign(HOST, HOST, 2090);
        let root = std::fs::read_to_string(&authority.file).expect("the root");
        put(&cluster, "server.crt", &certificate);
        put(&cluster, "server.key", &key);
        put(&cluster, "clients.crt", &root);
        // Any address in 127.0.0.0/8 is this machine, so that concurrent tests can use the same port.
        let [a, b] = rand_bytes();
        let address = format!("127.77.{a}.{b}");
        let settings = [
            ("listen_addresses", address.as_str()),
            ("ssl", "on"),
            ("ssl_cert_file", "server.crt"),
            ("ssl_key_file", "server.key"),
            ("ssl_ca_file", "clients.crt"),
        ];
        let postgres = start_postgres_with(&data, &settings).await;
        let server = Self {
            directory,
            postgres,
            address,
            authority,
        };
        server
            .execute("CREATE ROLE scram LOGIN PASSWORD 'hunter2'; CREATE ROLE plain LOGIN PASSWORD 'hunter2'; CREATE ROLE certified LOGIN; GRANT CREATE ON SCHEMA public TO PUBLIC")
            .await;
        // The private server only listens on its socket, which is set on its command line, so the file itself is replaced.
        let access = "local all all peer map=eventide\n\
                      hostssl all certified all cert\n\
                      hostssl all all all scram-sha-256\n\
                      hostnossl all plain all scram-sha-256\n";
        let home = cluster.parent().expect("the bot's own directory");
        std::fs::write(home.join("pg_hba.conf"), access).expect("written");
        server.execute("SELECT pg_reload_conf()").await;
        let url = server.url(HOST, "plain", "sslmode=disable");
        until("the server takes connections", async || {
            told(&url, &Config::defaults().database).await.ok()
        })
        .await;
        server
    }

    /// A statement of the server's owner, on the socket.
    async fn execute(&self, sql: &str) {
        let target = Target::from(self.postgres.connection());
        let (client, driver) = target.connect().await.expect("a connection");
        let driver = task::spawn("owner", driver);
        client.batch_execute(sql).await.expect("executed");
        drop(client);
        driver.join().await.expect("joined").expect("a clean end");
    }

    fn url(&self, host: &str, user: &str, more: &str) -> String {
        format!(
            "host={host} hostaddr={} user={user} password=hunter2 dbname=eventide {more}",
            self.address
        )
    }

    /// The settings that trust the authority.
    fn trusting(&self) -> Database {
        let mut database = Config::defaults().database;
        database.ssl.ca_file = Some(self.authority.file.clone());
        database
    }

    async fn stop(self) {
        self.postgres.stop(StopMode::Immediate).await.expect("stopped");
    }
}

/// A file of the server's own account.
fn put(cluster: &Path, name: &str, text: &str) {
    let path = cluster.join(name);
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    let owner = std::fs::metadata(cluster).expect("a directory");
    chown(&path, Some(owner.uid()), Some(owner.gid())).expect("handed over");
}

fn rand_bytes() -> [u8; 2] {
    let seed = std::process::id()
        ^ std::time::UNIX_EPOCH
            .elapsed()
            .expect("after 1970")
            .subsec_nanos();
    [
        u8::try_from(seed & 0xff).expect("a byte"),
        u8::try_from(seed >> 8 & 0x7f).expect("a byte") + 1,
    ]
}

/// The server's view of the connection: the TLS version, or `plain`, and the client's certificate.
async fn told(url: &str, database: &Database) -> Result<(String, String), String> {
    let target = Target::open(&Secret::new(url), database).map_err(|error| error.to_string())?;
    let (client, driver) = target.connect().await.map_err(|error| one_line(&error))?;
    let driver = task::spawn("driver", driver);
    let row = client
        .query_one(
            "SELECT coalesce(version, 'plain'), coalesce(client_dn, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
            &[],
        )
        .await
        .expect("an answer");
    drop(client);
    driver.join().await.expect("joined").expect("a clean end");
    Ok((row.get(0), row.get(1)))
}

async fn refused(url: &str, database: &Database) -> String {
    let error = told(url, database).await.expect_err("refused");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_decides_and_nothing_falls_back_to_plain_text() {
    let server = Server::start().await;
    let trusting = server.trusting();
    let untrusting = Config::defaults().database;
    let tls = ("TLSv1.3".to_owned(), String::new());
    let scram = |host: &str, more: &str| server.url(host, "scram", more);

    // Verified, through every way of saying it.
    assert_eq!(
        told(&scram(HOST, "sslmode=verify-full"), &trusting).await,
        Ok(tls.clone())
    );
    assert_eq!(
        told(&scram(HOST, "sslmode=require"), &trusting).await,
        Ok(tls.clone())
    );
    let by_url = format!(
        "sslmode=verify-full sslrootcert={}",
        server.authority.file.display()
    );
    assert_eq!(told(&scram(HOST, &by_url), &untrusting).await, Ok(tls.clone()));
    let old = told(
        &scram(HOST, "sslmode=require ssl_max_protocol_version=TLSv1.2"),
        &trusting,
    )
    .await;
    assert_eq!(old, Ok(("TLSv1.2".to_owned(), String::new())));
    let mut on = trusting.clone();
    on.ssl.mode = SslMode::Verified;
    assert_eq!(told(&scram(HOST, ""), &on).await, Ok(tls.clone()));

    // Another name: only with verify-ca.
    let error = refused(&scram("other.test", "sslmode=verify-full"), &trusting).await;
    assert!(error.contains("another host name"), "{error}");
    let error = refused(&scram(&server.address, "sslmode=verify-full"), &trusting).await;
    assert!(error.contains("another host name"), "{error}");
    assert_eq!(
        told(&scram("other.test", "sslmode=verify-ca"), &trusting).await,
        Ok(tls.clone())
    );

    // Another authority, of the same name or known to browsers.
    let impostor = TempDir::new().expect("a directory");
    let mut mistaken = trusting.clone();
    mistaken.ssl.ca_file = Some(Authority::new(impostor.path(), "authority").file);
    for database in [&mistaken, &untrusting] {
        for mode in ["sslmode=verify-full", "sslmode=verify-ca", "sslmode=require"] {
            let error = refused(&scram(HOST, mode), database).await;
            assert!(error.contains("database.ssl_ca_file"), "{error}");
        }
    }

    // Unverified only if that was requested.
    let mut careless = untrusting.clone();
    careless.ssl.mode = SslMode::NoVerify;
    assert_eq!(told(&scram("other.test", ""), &careless).await, Ok(tls.clone()));

    // Plain text only if that was requested, or on this machine.
    let plain = Ok(("plain".to_owned(), String::new()));
    assert_eq!(
        told(&server.url(HOST, "plain", "sslmode=disable"), &on).await,
        plain
    );
    assert_eq!(told(&server.url(HOST, "plain", ""), &untrusting).await, plain);

    // The pool and the migrations go the same way.
    let url = Secret::new(scram(HOST, "sslmode=verify-full"));
    let target = Target::open(&url, &trusting).expect("a target");
    migrations::up(&target).await.expect("migrated");
    Store::new(&target, &trusting)
        .expect("a pool")
        .ping()
        .await
        .expect("an answer");
    let target = Target::open(&url, &mistaken).expect("a target");
    let error = migrations::up(&target).await.expect_err("refused").to_string();
    assert!(error.contains("database.ssl_ca_file"), "{error}");
    let error: StoreError = Store::new(&target, &mistaken)
        .expect("a pool")
        .ping()
        .await
        .expect_err("refused");
    assert!(error.to_string().contains("database.ssl_ca_file"), "{error}");

    // And so does the binary.
    let output = command(&["migrate", "status"])
        .current_dir(server.directory.path())
        .env("DATABASE_URL", scram("other.test", ""))
        .env("DATABASE_SSL", "on")
        .env("EVENTIDE__DATABASE__SSL_CA_FILE", &server.authority.file)
        .output()
        .await
        .expect("the binary runs");
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("another host name") && !text.contains("hunter2"),
        "{text}"
    );

    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_has_expired_and_a_server_without_one() {
    let server = Server::start().await;
    let trusting = server.trusting();
    let scram = |host: &str, more: &str| server.url(host, "scram", more);
    told(&scram(HOST, "sslmode=verify-full"), &trusting)
        .await
        .expect("connected");

    // A self-signed certificate as in PostgreSQL's manual: it is its own authority.
    let mut params = CertificateParams::new([HOST.to_owned()]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let own = params.self_signed(&key).expect("signed").pem();
    let data = server.postgres.data_directory();
    put(data, "server.crt", &own);
    put(data, "server.key", &key.serialize_pem());
    server.execute("SELECT pg_reload_conf()").await;
    let mut pinned = trusting.clone();
    let file = server.directory.path().join("own.pem");
    std::fs::write(&file, &own).expect("written");
    pinned.ssl.ca_file = Some(file);
    let url = scram(HOST, "sslmode=verify-full");
    until("the server has its own authority's certificate", async || {
        let error = told(&url, &pinned).await.expect_err("refused");
        error.contains("self-signed").then_some(())
    })
    .await;

    // The server takes another certificate over when it gets round to it.
    let (certificate, key) = server.authority.sign(HOST, HOST, 2025);
    put(data, "server.crt", &certificate);
    put(data, "server.key", &key);
    server.execute("SELECT pg_reload_conf()").await;
    until("the certificate has changed", async || {
        let error = told(&url, &trusting).await.expect_err("refused");
        error.contains("has expired").then_some(())
    })
    .await;
    let error = refused(&scram(HOST, "sslmode=verify-ca"), &trusting).await;
    assert!(error.contains("has expired"), "{error}");
    // The metric of the alert EventideRefused.
    let handle = metrics::install().expect("a recorder");
    let target = Target::open(&Secret::new(url.as_str()), &trusting).expect("an address");
    let store = Store::new(target, &trusting).expect("a pool");
    let error = store.ping().await.expect_err("refused");
    assert_eq!(error.class(), "tls", "{error}");
    store.close();
    let page = metrics::page(handle);
    let counted = page
        .lines()
        .find_map(|line| line.strip_prefix("eventide_pool_connect_failures_total{class=\"tls\"} "));
    assert_ne!(counted.expect("it is there from the start"), "0");

    // No TLS at all: an error, not plain text.
    server.execute("ALTER SYSTEM SET ssl = off").await;
    server.execute("SELECT pg_reload_conf()").await;
    until("the server has no TLS any more", async || {
        let error = told(&url, &trusting).await.expect_err("never plain");
        error.contains("does not offer TLS").then_some(())
    })
    .await;
    server.stop().await;
}

/// PostgreSQL's own programs connect by the same rules, and never see a password on their command line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_goes_the_same_way() {
    let server = Server::start().await;
    let path = server.directory.path();
    let root = server.authority.file.as_os_str();
    let (certificate, key) = server.authority.sign("client", "certified", 2090);
    for (name, text) in [("client.crt", &certificate), ("client.key", &key)] {
        std::fs::write(path.join(name), text).expect("written");
        std::fs::set_permissions(path.join(name), std::fs::Permissions::from_mode(0o600)).expect("set");
    }
    std::fs::write(path.join("passwords"), "*:*:*:scram:hunter2\n").expect("written");
    std::fs::set_permissions(path.join("passwords"), std::fs::Permissions::from_mode(0o600)).expect("set");
    let url = |user: &str, more: &str| server.url(HOST, user, more);
    let by_file = url("scram", "sslmode=verify-full").replace("password=hunter2", "");
    let full = "sslmode=verify-full";
    let bound = format!("{full} channel_binding=require ssl_max_protocol_version=TLSv1.2");
    let other = server.url("other.test", "scram", "sslmode=verify-ca");
    let (crt, key) = (path.join("client.crt"), path.join("client.key"));
    let (crt, key, passwords) = (crt.as_os_str(), key.as_os_str(), path.join("passwords"));
    let ca = ("EVENTIDE__DATABASE__SSL_CA_FILE", root);
    let no_verify = ("DATABASE_SSL", std::ffi::OsStr::new("no-verify"));
    let off = ("DATABASE_SSL", std::ffi::OsStr::new("off"));
    let cases: [(&str, String, &[_]); 8] = [
        ("full", url("scram", full), &[ca]),
        ("bound", url("scram", &bound), &[ca]),
        ("authority", other, &[ca]),
        ("file", by_file, &[ca, ("PGPASSFILE", passwords.as_os_str())]),
        ("unverified", server.url("other.test", "scram", ""), &[no_verify]),
        ("plain", url("plain", "sslmode=disable"), &[]),
        ("off", url("plain", "sslmode=require"), &[off]),
        (
            "certificate",
            url("certified", full),
            &[
                ca,
                ("EVENTIDE__DATABASE__SSL_CERT_FILE", crt),
                ("EVENTIDE__DATABASE__SSL_KEY_FILE", key),
            ],
        ),
    ];
    server
        .execute("GRANT CREATE ON DATABASE eventide TO PUBLIC")
        .await;
    for (name, url, variables) in cases {
        let eventide = |arguments: &[&str]| {
            let mut command = command(arguments);
            command
                .current_dir(path)
                .env("DATABASE_URL", &url)
                .envs(variables.iter().copied())
                .env("DB_SCHEMA", name);
            command
        };
        for arguments in [
            ["migrate", "up"].as_slice(),
            &["backup", "--out", name],
            &["restore", name, "--replace", "--yes"],
        ] {
            let output = eventide(arguments).output().await.expect("the binary runs");
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name} {arguments:?}: {text}");
            // Not once for each address that the bot was given.
            let warned = text.matches("turns TLS off").count();
            assert_eq!(warned, usize::from(name == "off"), "{arguments:?}: {text}");
        }
    }
    // PostgreSQL's programs refuse what the bot refuses.
    let output = command(&["backup", "--out", "never"])
        .current_dir(path)
        .env("DATABASE_URL", server.url("other.test", "scram", full))
        .env("EVENTIDE__DATABASE__SSL_CA_FILE", root)
        .output()
        .await
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(!path.join("never").exists());
    server.stop().await;
}
