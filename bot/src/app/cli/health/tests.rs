use std::net::SocketAddr;

use hyper::Method;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use super::{HealthError, reachable};
use crate::{
    app::ops_http,
    telemetry::{metrics, task},
};

async fn ask(listen: SocketAddr, path: &'static str) -> Result<String, HealthError> {
    super::ask(listen, Method::GET, path, String::new()).await
}

#[test]
fn an_open_address_is_asked_on_this_machine() {
    for (listen, asked) in [
        ("0.0.0.0:9464", "127.0.0.1:9464"),
        ("[::]:9464", "[::1]:9464"),
        ("10.0.0.7:80", "10.0.0.7:80"),
    ] {
        let listen = listen.parse().expect("an address");
        assert_eq!(reachable(listen).to_string(), asked);
    }
}

#[tokio::test]
async fn a_starting_process_lives_and_is_not_ready() {
    let port = ops_http::listen("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a free port");
    let server = port.serve(metrics::install().expect("installed"));
    assert_eq!(ask(server.address, "/livez").await.expect("it lives"), "ok");
    let error = ask(server.address, "/readyz").await.expect_err("it is starting");
    assert_eq!(
        error.to_string(),
        "/readyz returned 503 Service Unavailable: starting"
    );
}

#[tokio::test]
async fn nobody_a_stranger_and_an_unknown_port_are_told_apart() {
    let zero = "127.0.0.1:0".parse().expect("an address");
    assert!(matches!(ask(zero, "/livez").await, Err(HealthError::NoPort(_))));

    let listener = TcpListener::bind(zero).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let stranger = task::spawn("stranger", async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"SSH-2.0-stranger\r\n").await.expect("written");
    });
    let answer = ask(address, "/livez").await;
    assert!(matches!(answer, Err(HealthError::Broken(..))), "{answer:?}");
    stranger.join().await.expect("it ended");

    let answer = ask(address, "/livez").await;
    assert!(matches!(answer, Err(HealthError::Unconnected(..))), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let silent = task::spawn("silent", async move { listener.accept().await });
    let answer = ask(address, "/livez").await;
    assert!(matches!(answer, Err(HealthError::TimedOut(_))), "{answer:?}");
    drop(silent);
}
