//! Logging in: certificates, passwords, and several hosts.

use eventide::{
    config::{Config, Secret},
    postgres::{Store, connect::Target, migrations},
};

use super::{HOST, Server, refused, told};
use crate::support::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_and_scram_with_channel_binding() {
    let server = Server::start().await;
    let mut database = server.trusting();
    let full = "sslmode=verify-full";

    let error = refused(&server.url(HOST, "certified", full), &database).await;
    assert!(error.contains("certificate"), "{error}");
    let (certificate, key) = server.authority.sign("client", "certified", 2090);
    for (name, text) in [("client.crt", &certificate), ("client.key", &key)] {
        std::fs::write(server.directory.path().join(name), text).expect("written");
    }
    database.ssl.cert_file = Some(server.directory.path().join("client.crt"));
    database.ssl.key_file = Some(server.directory.path().join("client.key"));
    let (version, name) = told(&server.url(HOST, "certified", full), &database)
        .await
        .expect("connected");
    assert_eq!((version.as_str(), name.as_str()), ("TLSv1.3", "/CN=certified"));
    let error = refused(&server.url(HOST, "certified2", full), &database).await;
    assert!(error.contains("certified2"), "{error}");

    let bound = format!("{full} channel_binding=require");
    told(&server.url(HOST, "scram", &bound), &database)
        .await
        .expect("bound to the certificate");
    let plain = server.url(HOST, "plain", "sslmode=disable channel_binding=require");
    let error = refused(&plain, &database).await;
    assert!(error.contains("channel binding"), "{error}");
    let wrong = server.url(HOST, "scram", full).replace("hunter2", "hunter3");
    let error = told(&wrong, &database).await.expect_err("refused");
    assert!(
        error.contains("password authentication failed") && !error.contains("hunter3"),
        "{error}"
    );
    server.stop().await;
}

/// The first host that is up and may be written to is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts() {
    let server = Server::start().await;
    let socket = server.postgres.socket_directory().display().to_string();
    let owner = server.postgres.connection();
    let owner = owner.get_user().expect("a user");
    let url = format!("host=/nowhere,{socket} user={owner} dbname=eventide target_session_attrs=primary");
    let database = Config::defaults().database;
    assert_eq!(told(&url, &database).await.expect("connected").0, "plain");
    let standby = url.replace("primary", "standby");
    let error = refused(&standby, &database).await;
    assert!(!error.is_empty());
    let preferred = url.replace("primary", "prefer-standby");
    assert_eq!(told(&preferred, &database).await.expect("connected").0, "plain");
    let balanced = format!("{url} load_balance_hosts=random");
    assert_eq!(told(&balanced, &database).await.expect("connected").0, "plain");
    server.stop().await;
}

/// Something that takes connections and never says a word does not hold up a start for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_answers() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let mut database = Config::defaults().database;
    database.connection_timeout = std::time::Duration::from_millis(200);
    let target = Target::open(
        &Secret::new(format!("postgres://u:hunter2@127.0.0.1:{port}/d")),
        &database,
    )
    .expect("a target");
    let error = migrations::up(&target).await.expect_err("no answer").to_string();
    assert!(
        error.contains("did not answer within database.connection_timeout_ms (200 ms)"),
        "{error}"
    );
    let error = Store::new(&target, &database)
        .expect("a pool")
        .ping()
        .await
        .expect_err("no answer");
    assert!(
        error.to_string().contains("database.connection_timeout_ms"),
        "{error}"
    );
}

/// A password is rotated while the bot runs: open connections continue, and new ones use the new password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_password_is_read_again() {
    let server = Server::start().await;
    let url = server.url(HOST, "plain", "sslmode=disable");
    let file = server.directory.path().join("url");
    std::fs::write(&file, &url).expect("written");
    let database = Config::defaults().database;
    let target = Target::open(&Secret::of_file(url.clone(), file.clone()), &database).expect("a target");
    let store = Store::new(target, &database).expect("a pool");
    store.ping().await.expect("an answer");
    server
        .execute(
            "ALTER ROLE plain PASSWORD 'hunter3';
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'plain'",
        )
        .await;
    let mut last = String::new();
    until("the old password is refused", async || {
        last = store.ping().await.err()?.to_string();
        last.contains("28P01").then_some(())
    })
    .await;
    std::fs::write(&file, url.replace("hunter2", "hunter3")).expect("written");
    store.ping().await.expect("an answer with the new password");
    store.close();
    server.stop().await;
}
