//! A gateway client on tokio-websockets, which knows nothing of the simulator's own frames.

use discord_simulator::Simulator;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_websockets::{ClientBuilder, CloseCode, MaybeTlsStream, Message, WebSocketStream};

use super::PATIENCE;

/// Guilds, messages, their content and direct messages.
pub(crate) const MESSAGES: u64 = 1 | 1 << 9 | 1 << 12 | 1 << 15;

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    inflate: Inflate,
    pub session_id: String,
    pub seq: u64,
}

enum Inflate {
    None,
    Zlib(flate2::Decompress),
    Zstd(zstd_safe::DCtx<'static>),
}

/// What came from the gateway.
#[derive(Debug, PartialEq)]
pub(crate) enum Came {
    Text(String),
    Close(u16),
    /// The connection ended without a close frame.
    Gone,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dispatch {
    pub seq: u64,
    pub event: String,
    pub data: Value,
}

impl Client {
    /// Connects with a query and reads HELLO.
    pub(crate) async fn connect_with(simulator: &Simulator, query: &str) -> Self {
        let mut client = Self::open(simulator, query).await;
        let hello = client.json().await;
        assert_eq!(hello["op"], 10);
        assert!(hello["d"]["heartbeat_interval"].is_u64());
        client
    }

    /// Connects with a query and reads nothing.
    pub(crate) async fn open(simulator: &Simulator, query: &str) -> Self {
        let url = format!("{}/{query}", simulator.gateway_url());
        let builder = ClientBuilder::new()
            .uri(&url)
            .expect("the simulator's URL is one");
        let (socket, _) = timeout(PATIENCE, builder.connect())
            .await
            .unwrap()
            .expect("the gateway upgrades");
        let inflate = if query.contains("zlib-stream") {
            Inflate::Zlib(flate2::Decompress::new(true))
        } else if query.contains("zstd-stream") {
            Inflate::Zstd(zstd_safe::DCtx::create())
        } else {
            Inflate::None
        };
        Self {
            socket,
            inflate,
            session_id: String::new(),
            seq: 0,
        }
    }

    pub(crate) async fn connect(simulator: &Simulator) -> Self {
        Self::connect_with(simulator, "?v=10&encoding=json").await
    }

    /// Connects and identifies, and reads up to the last `GUILD_CREATE`.
    pub(crate) async fn login(simulator: &Simulator, intents: u64, shard: [u32; 2]) -> Self {
        let mut client = Self::connect(simulator).await;
        client.identify(intents, shard).await;
        client.ready().await;
        client
    }

    pub(crate) async fn ready(&mut self) -> Vec<Dispatch> {
        let ready = self.dispatch().await;
        assert_eq!(ready.event, "READY");
        ready.data["session_id"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.session_id);
        let guilds = ready.data["guilds"].as_array().unwrap().len();
        let mut all = vec![ready];
        for _ in 0..guilds {
            all.push(self.dispatch().await);
        }
        all
    }

    pub(crate) async fn identify(&mut self, intents: u64, shard: [u32; 2]) {
        self.identify_as("sim-token", intents, json!(shard)).await;
    }

    pub(crate) async fn identify_as(&mut self, token: &str, intents: u64, shard: Value) {
        let properties = json!({"os": "linux", "browser": "test", "device": "test"});
        let data = json!({"token": token, "intents": intents, "shard": shard, "properties": properties});
        self.send(&json!({"op": 2, "d": data})).await;
    }

    /// Connects anew and resumes.
    pub(crate) async fn resume(simulator: &Simulator, session_id: &str, seq: u64) -> Self {
        let mut client = Self::connect(simulator).await;
        let data = json!({"token": "sim-token", "session_id": session_id, "seq": seq});
        client.send(&json!({"op": 6, "d": data})).await;
        session_id.clone_into(&mut client.session_id);
        client.seq = seq;
        client
    }

    pub(crate) async fn send(&mut self, value: &Value) {
        self.send_text(value.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        // A connection that is already gone shows when something is read from it.
        drop(self.socket.send(Message::text(text)).await);
    }

    pub(crate) async fn close(mut self, code: u16) {
        let code = CloseCode::try_from(code).unwrap();
        self.socket.send(Message::close(Some(code), "")).await.unwrap();
        while let Ok(Some(Ok(_))) = timeout(PATIENCE, self.socket.next()).await {}
    }

    /// What comes next.
    pub(crate) async fn came(&mut self) -> Came {
        loop {
            let next = timeout(PATIENCE, self.socket.next())
                .await
                .expect("something comes in time");
            let Some(Ok(message)) = next else {
                return Came::Gone;
            };
            if let Some((code, _)) = message.as_close() {
                return Came::Close(code.into());
            }
            if message.is_text() || message.is_binary() {
                return Came::Text(self.inflated(&message));
            }
        }
    }

    fn inflated(&mut self, message: &Message) -> String {
        let payload = message.as_payload();
        let mut out = Vec::with_capacity(4 << 20);
        match &mut self.inflate {
            Inflate::Zlib(stream) if message.is_binary() => {
                assert!(payload.ends_with(&[0, 0, 0xff, 0xff]));
                stream
                    .decompress_vec(payload, &mut out, flate2::FlushDecompress::Sync)
                    .unwrap();
            }
            Inflate::Zstd(stream) if message.is_binary() => {
                let mut input = zstd_safe::InBuffer::around(payload);
                let mut output = zstd_safe::OutBuffer::around(&mut out);
                while input.pos() < payload.len() {
                    stream.decompress_stream(&mut output, &mut input).unwrap();
                }
            }
            _ => out.extend_from_slice(payload),
        }
        String::from_utf8(out).unwrap()
    }

    pub(crate) async fn json(&mut self) -> Value {
        match self.came().await {
            Came::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("a message should have come, not {other:?}"),
        }
    }

    /// The next dispatch; other messages are skipped. Its sequence follows the one before.
    pub(crate) async fn dispatch(&mut self) -> Dispatch {
        loop {
            let mut value = self.json().await;
            if value["op"] == 0 {
                let seq = value["s"].as_u64().unwrap();
                assert_eq!(seq, self.seq + 1, "the sequence has no holes");
                self.seq = seq;
                let event = value["t"].as_str().unwrap().to_owned();
                return Dispatch {
                    seq,
                    event,
                    data: value["d"].take(),
                };
            }
        }
    }

    pub(crate) async fn dispatches(&mut self, count: u64) -> Vec<Dispatch> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.dispatch().await);
        }
        all
    }

    /// The next message with an opcode; others are skipped.
    pub(crate) async fn op(&mut self, op: u64) -> Value {
        loop {
            let value = self.json().await;
            if value["op"] == op {
                return value;
            }
        }
    }

    /// The close code that comes, after whatever comes before it.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match self.came().await {
                Came::Close(code) => return code,
                Came::Text(_) => {}
                Came::Gone => panic!("the connection ended without a close frame"),
            }
        }
    }

    /// Reads until the connection is over; true when there was no close frame.
    pub(crate) async fn ends_abruptly(&mut self) -> bool {
        loop {
            match self.came().await {
                Came::Close(_) => return false,
                Came::Text(_) => {}
                Came::Gone => return true,
            }
        }
    }
}
