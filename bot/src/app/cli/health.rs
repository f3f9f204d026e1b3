//! `eventide health`: checks the process on this machine, for container engines and scripts without curl.

use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;

use super::CliError;
use crate::{config::Config, telemetry::task};

/// The timeout of the request: longer than a readiness check waits for the database, shorter than the limit of container engines.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The maximum size of a response, in bytes; the pages have a few lines.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Arguments of `eventide health`.
#[derive(Debug, Args)]
pub struct Health {
    /// Check readiness (/readyz) instead of liveness (/livez)
    #[arg(long)]
    pub ready: bool,
}

/// Why the process is not healthy.
#[derive(Debug, Error)]
pub enum HealthError {
    /// `http.listen` leaves the port to the system, so it is unknown.
    #[error("http.listen is {0}: a port of 0 is chosen at random and cannot be queried")]
    NoPort(SocketAddr),
    /// Nothing listens at this address.
    #[error("cannot connect to {0} (http.listen): {1}")]
    Unconnected(SocketAddr, std::io::Error),
    /// The response is not HTTP, or incomplete.
    #[error("unexpected answer from {0} (http.listen): {1}")]
    Broken(SocketAddr, String),
    /// The process is overloaded, or hangs.
    #[error("no answer from {0} (http.listen) within {seconds} s", seconds = TIMEOUT.as_secs())]
    TimedOut(SocketAddr),
    /// The process reports that it is not healthy.
    #[error("{path} returned {status}: {text}")]
    Unwell {
        /// The path that was requested.
        path: &'static str,
        /// The status of the response.
        status: StatusCode,
        /// The reported reason, on one line.
        text: String,
    },
}

/// Send the request, and print the response on one line.
///
/// # Errors
///
/// The process is not running, or not healthy.
pub async fn health(arguments: &Health, config: &Config) -> Result<(), CliError> {
    let path = if arguments.ready { "/readyz" } else { "/livez" };
    let text = ask(config.http.listen, Method::GET, path, String::new()).await?;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

/// Request a page from the process that listens there; returns its text on one line.
pub(super) async fn ask(
    listen: SocketAddr,
    method: Method,
    path: &'static str,
    body: String,
) -> Result<String, HealthError> {
    if listen.port() == 0 {
        return Err(HealthError::NoPort(listen));
    }
    let address = reachable(listen);
    let (status, text) = tokio::time::timeout(TIMEOUT, exchange(address, method, path, body))
        .await
        .map_err(|_elapsed| HealthError::TimedOut(address))??;
    let text = text.trim().replace('\n', "; ");
    if status == StatusCode::OK {
        Ok(text)
    } else {
        Err(HealthError::Unwell { path, status, text })
    }
}

/// The address at which a process that listens on `listen` is reachable from its own machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn exchange(
    address: SocketAddr,
    method: Method,
    path: &'static str,
    body: String,
) -> Result<(StatusCode, String), HealthError> {
    let broken = |error: &dyn std::error::Error| HealthError::Broken(address, error.to_string());
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| HealthError::Unconnected(address, error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    // An error of the connection is also returned by the request.
    let _connection = task::spawn("health", async move { drop(connection.await) });
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, address.to_string())
        .body(Full::new(Bytes::from(body)))
        .expect("the pages' paths and an address are valid");
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| broken(&error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LONGEST_ANSWER)
        .collect()
        .await
        .map_err(|error| broken(error.as_ref()))?;
    Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
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
}
