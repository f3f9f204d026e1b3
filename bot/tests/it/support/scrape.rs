//! The metrics of a spawned process, at the address in its log.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The sum of all metrics whose line begins with this. `log` is the process's output so far, as JSON; after restarts, the last address
/// counts.
pub(crate) async fn metric(log: &str, beginning: &str) -> f64 {
    let address = log
        .rsplit("\"http.address\":\"")
        .next()
        .and_then(|rest| rest.split('"').next())
        .expect("the bot says where it serves its metrics");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .expect("written");
    let mut page = String::new();
    stream.read_to_string(&mut page).await.expect("an answer");
    page.lines()
        .filter(|line| line.starts_with(beginning))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
