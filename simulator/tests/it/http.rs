//! A bare HTTP client: one request a connection.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::PATIENCE;

#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub text: String,
    /// Whether the whole announced body came.
    pub complete: bool,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

/// A request with the right token.
pub(crate) async fn call(base: &str, method: &str, path: &str, body: Option<Value>) -> Response {
    call_as(base, method, path, body, Some("Bot sim-token")).await
}

pub(crate) async fn call_as(
    base: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
    token: Option<&str>,
) -> Response {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    send(base, method, path, ("application/json", &body), token).await
}

/// A request with a body of any content type.
pub(crate) async fn send(
    base: &str,
    method: &str,
    path: &str,
    (content_type, body): (&str, &str),
    token: Option<&str>,
) -> Response {
    let host = base.trim_start_matches("http://");
    let authorization = token
        .map(|token| format!("Authorization: {token}\r\n"))
        .unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Content-Type: {content_type}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A body that breaks off is an error here, and what came before it is looked at all the same.
    drop(
        timeout(PATIENCE, stream.read_to_end(&mut bytes))
            .await
            .expect("an answer comes in time"),
    );
    let text = String::from_utf8(bytes).unwrap();
    let (head, text) = text.split_once("\r\n\r\n").expect("an answer has a head");
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map(|(_, value)| value.parse().unwrap());
    Response {
        status,
        complete: length.is_none_or(|length: usize| length == text.len()),
        headers,
        text: text.to_owned(),
    }
}
