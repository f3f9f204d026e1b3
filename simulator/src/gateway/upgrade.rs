//! From an HTTP request to a WebSocket: what the client asked for.

use base64::Engine as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Duration,
};

use super::compress::Compression;

const LARGEST_REQUEST: usize = 8_192;
const PATIENCE: Duration = Duration::from_secs(10);
/// The constant of RFC 6455, section 1.3.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What the query of a connection asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// Whether version 10 was asked for.
    pub(crate) version_known: bool,
    pub(crate) compression: Compression,
}

/// Reads the request and answers it. Returns what was asked for and the bytes that already came after it; `None`
/// where there is no WebSocket to serve.
pub(crate) async fn accept(stream: &mut TcpStream) -> Option<(Wishes, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(1_024);
    let request = tokio::time::timeout(PATIENCE, read_request(stream, &mut bytes))
        .await
        .ok()??;
    let wishes = request.key.as_deref().and_then(|_| wishes(&request.target));
    let (Some(key), Some(wishes)) = (request.key, wishes) else {
        // The client may have disconnected already, so the error has no recipient.
        drop(stream.write_all(BAD_REQUEST.as_bytes()).await);
        return None;
    };
    let accept = accept_key(&key);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.ok()?;
    bytes.drain(..request.length);
    Some((wishes, bytes))
}

const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
    This gateway speaks WebSocket: ?v=10&encoding=json, with compress=zstd-stream, zlib-stream or nothing.\n";

struct Request {
    target: String,
    /// The WebSocket key, where this is a request for an upgrade.
    key: Option<String>,
    length: usize,
}

async fn read_request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Request> {
    loop {
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(bytes).ok()? {
            httparse::Status::Complete(length) => {
                let header = |name: &str| {
                    let found = request
                        .headers
                        .iter()
                        .find(|header| header.name.eq_ignore_ascii_case(name))?;
                    std::str::from_utf8(found.value).ok()
                };
                let upgrades = header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
                let key = header("sec-websocket-key")
                    .filter(|_| upgrades)
                    .map(str::to_owned);
                return Some(Request {
                    target: request.path?.to_owned(),
                    key,
                    length,
                });
            }
            httparse::Status::Partial if bytes.len() > LARGEST_REQUEST => return None,
            httparse::Status::Partial => {}
        }
    }
}

/// What a target asks for; `None` for an encoding or compression that is not spoken here.
fn wishes(target: &str) -> Option<Wishes> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let mut wishes = Wishes {
        version_known: false,
        compression: Compression::None,
    };
    for pair in query.split('&') {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("v", version) => wishes.version_known = version == "10",
            ("encoding", "json") | ("compress", "") => {}
            ("compress", "zstd-stream") => wishes.compression = Compression::Zstd,
            ("compress", "zlib-stream") => wishes.compression = Compression::Zlib,
            ("encoding" | "compress", _) => return None,
            _ => {}
        }
    }
    Some(wishes)
}

fn accept_key(key: &str) -> String {
    let mut hash = sha1_smol::Sha1::new();
    hash.update(key.as_bytes());
    hash.update(ACCEPT_GUID.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(hash.digest().bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_answered_as_in_the_rfc() {
        assert_eq!(
            accept_key("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn queries_are_understood() {
        let asks = |target| wishes(target).map(|wishes| (wishes.version_known, wishes.compression));
        assert_eq!(
            asks("/?v=10&encoding=json&compress=zstd-stream"),
            Some((true, Compression::Zstd))
        );
        assert_eq!(
            asks("//?encoding=json&v=10&compress=zlib-stream"),
            Some((true, Compression::Zlib))
        );
        assert_eq!(asks("/?v=10&encoding=json"), Some((true, Compression::None)));
        assert_eq!(asks("/?v=6&encoding=json"), Some((false, Compression::None)));
        assert_eq!(asks("/?v=10&encoding=etf"), None);
        assert_eq!(asks("/?v=10&compress=brotli"), None);
    }
}
