use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{MAX_CONNECTIONS, Server, is_local, listen};
use crate::telemetry::metrics;

/// Much longer than anything in these tests takes.
const PATIENCE: Duration = Duration::from_mins(1);

async fn server() -> Server {
    let port = listen("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a free port");
    port.serve(metrics::install().expect("installed"))
}

/// Send a request and return the response up to the end of the connection.
async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    // A reset is an error that ends the connection as well.
    matches!(
        timeout(PATIENCE, stream.read_u8()).await.expect("an end"),
        Err(_end)
    )
}

#[tokio::test]
async fn half_open_requests_neither_pile_up_nor_keep_a_probe_out() {
    let server = server().await;
    let mut silent = Vec::new();
    for _ in 0..(3 * MAX_CONNECTIONS) {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nX: ")
            .await
            .expect("written");
        silent.push(stream);
    }
    let probe = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = timeout(PATIENCE, ask(server.address, probe)).await;
    assert!(
        answer.as_ref().is_ok_and(|it| it.starts_with("HTTP/1.1 200")),
        "{answer:?}"
    );
    // The last but one may have been closed for the probe; all earlier ones were closed to make room.
    for stream in &mut silent[..2 * MAX_CONNECTIONS] {
        assert!(is_closed(stream).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_ends() {
    let server = server().await;
    for half in ["", "GET /livez HTTP/1.1\r\nX: "] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(half.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer))
            .await
            .expect("it ends by itself")
            .expect("without a reset");
        assert!(began.elapsed() <= Duration::from_secs(15), "{half:?}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = server().await;
    let request = format!(
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let answer = ask(server.address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

/// A page in a browser on this machine can send requests to any address, with the name of its own server (DNS rebinding).
#[tokio::test]
async fn the_level_is_changed_under_a_local_name_only() {
    let server = server().await;
    let port = server.address.port();
    for (host, is_allowed) in [
        (format!("127.0.0.1:{port}"), true),
        (format!("localhost:{port}"), true),
        (format!("rebound.example:{port}"), false),
        ("192.0.2.7".to_owned(), false),
    ] {
        let request = format!(
            "PUT /log HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nConnection: close\r\n\r\ninfo"
        );
        let answer = ask(server.address, &request).await;
        assert_eq!(
            !answer.starts_with("HTTP/1.1 403"),
            is_allowed,
            "{host}: {answer}"
        );
    }
}

#[test]
fn loopback_has_several_names() {
    let own = "10.0.0.7".parse().expect("an address");
    for host in [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1",
        "127.8.8.8:9464",
        "[::1]:9464",
        "[::ffff:127.0.0.1]",
        "10.0.0.7:80",
    ] {
        assert!(is_local(host, own), "{host}");
    }
    for host in [
        "",
        "localhost.example",
        "example:80",
        "10.0.0.8",
        "0x7f.1",
        "[::2]",
        "127.0.0.1.example",
    ] {
        assert!(!is_local(host, own), "{host}");
    }
}
