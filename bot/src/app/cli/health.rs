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
mod tests;
