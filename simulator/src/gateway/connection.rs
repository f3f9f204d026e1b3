//! One connection: reads what the client says, writes what its session has for it.

use std::{collections::VecDeque, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, mpsc},
    time::{Duration, Instant},
};

use super::{
    compress::{Compression, Compressor},
    frame::{self, FrameError, Opcode},
    members,
    protocol::{self, Said},
    upgrade,
};
use crate::{
    engine::{Batch, Command, Entry, HeartbeatAcks, ResumeRequest},
    hub::Hub,
    payload::{self, SessionView},
    record::Kind,
};

/// Events rendered at once, about 200 KB: many for each system call, few enough to stay in the processor's cache.
const BATCH: usize = 128;
/// Discord takes no larger message from a client.
const LARGEST_MESSAGE: usize = 4_096;
/// How long a closed connection waits for the client to see the close frame and go. Ending at once could reset the
/// connection, and the client would lose the close code.
const FAREWELL: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_mins(1);

pub(super) struct Connection {
    hub: Arc<Hub>,
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    id: u64,
    commands: mpsc::Receiver<Command>,
    wake: Arc<Notify>,
    compressor: Compressor,
    incoming: Vec<u8>,
    /// Fragments of a message that is not complete.
    fragments: Vec<u8>,
    out: Vec<u8>,
    /// How much of `out` the kernel has.
    gone: usize,
    /// The session, last sequence and number of the events in `out`.
    on_the_way: Option<(usize, u64, u64)>,
    session: Option<(usize, SessionView)>,
    batch: Batch,
    frozen: bool,
    /// Until when a closed connection waits for the client to go.
    farewell: Option<Instant>,
    /// Whether both sides have sent a close frame, so that the server ends the connection.
    agreed: bool,
    heartbeat_interval: Duration,
    heartbeat_at: Instant,
    acks_due: VecDeque<Instant>,
    minute: (Instant, u32),
}

/// The connection is over.
struct Over;

impl Connection {
    /// Serves a connection until its end.
    pub(super) async fn serve(hub: Arc<Hub>, mut stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let Some((wishes, incoming)) = upgrade::accept(&mut stream).await else {
            return;
        };
        let (read, write) = stream.into_split();
        let (sender, commands) = mpsc::channel(32);
        let wake = Arc::new(Notify::new());
        let (id, interval, hello, compression, overlay) = {
            let mut engine = hub.lock();
            let id = engine.connect(sender, Arc::clone(&wake));
            let compression = if engine.rules.plain_text {
                Compression::None
            } else {
                wishes.compression
            };
            (
                id,
                engine.rules.heartbeat_interval,
                engine.rules.hello.clone(),
                compression,
                Arc::clone(&engine.overlay),
            )
        };
        let now = Instant::now();
        let mut connection = Self {
            hub,
            read,
            write,
            id,
            commands,
            wake,
            compressor: Compressor::new(compression),
            incoming,
            fragments: Vec::new(),
            out: Vec::with_capacity(256 * 1_024),
            gone: 0,
            on_the_way: None,
            session: None,
            batch: Batch {
                events: Vec::new(),
                overlay,
            },
            frozen: false,
            farewell: None,
            agreed: false,
            heartbeat_interval: interval,
            heartbeat_at: now,
            acks_due: VecDeque::new(),
            minute: (now, 0),
        };
        if wishes.version_known {
            let millis = interval.as_millis();
            let usual = || format!("{{\"heartbeat_interval\":{millis},\"_trace\":[\"simulator\"]}}");
            let data = hello.unwrap_or_else(usual);
            connection.say(&format!("{{\"t\":null,\"s\":null,\"op\":10,\"d\":{data}}}"));
        } else {
            connection.close(4012);
        }
        while connection.step().await.is_ok() {
            // At full speed there is always something to send. Requests have their turn all the same: on one thread, sockets are looked at
            // only when no task goes on by itself.
            tokio::task::yield_now().await;
        }
        connection.leave(false);
    }

    /// Waits for the next thing to happen and does it.
    async fn step(&mut self) -> Result<(), Over> {
        self.hear();
        self.fill();
        let sending = self.gone < self.out.len();
        if (self.agreed && !sending) || self.farewell.is_some_and(|until| until <= Instant::now()) {
            return Err(Over);
        }
        let alarm = self.alarm();
        tokio::select! {
            // In this order, so that a command takes effect before anything that the client does after it, and nothing waits behind an
            // endless stream of events.
            biased;
            Some(command) = self.commands.recv() => self.obey(command),
            () = tokio::time::sleep_until(alarm), if !self.frozen => {
                self.ring();
                Ok(())
            }
            read = self.read.read_buf(&mut self.incoming), if !self.frozen => match read {
                Ok(0) | Err(_) => self.aborted(),
                Ok(_) => Ok(()),
            },
            written = self.write.write(&self.out[self.gone..]), if sending && !self.frozen => {
                match written {
                    Ok(0) | Err(_) => self.aborted(),
                    Ok(bytes) => {
                        self.sent(bytes);
                        Ok(())
                    }
                }
            }
            () = self.wake.notified(), if !sending => Ok(()),
            // Frozen in the middle of a frame, and its session has moved to another connection: it can no longer be thawed.
            else => Err(Over),
        }
    }

    fn aborted(&mut self) -> Result<(), Over> {
        if self.farewell.is_none() {
            self.hub.lock().stats.client_aborts += 1;
        }
        Err(Over)
    }

    fn sent(&mut self, bytes: usize) {
        self.gone += bytes;
        if self.gone < self.out.len() {
            return;
        }
        let mut engine = self.hub.lock();
        engine.stats.bytes_sent += self.out.len() as u64;
        if let Some((key, seq, events)) = self.on_the_way.take() {
            engine.written(key, self.id, seq, events);
        }
        drop(engine);
        self.out.clear();
        self.gone = 0;
    }

    /// When everything is written: renders what the session has got since.
    fn fill(&mut self) {
        let Some((key, view)) = &self.session else { return };
        if !self.out.is_empty() || self.frozen || self.farewell.is_some() {
            return;
        }
        let key = *key;
        let kept_up = self
            .hub
            .lock()
            .take(&self.hub.world, key, self.id, BATCH, &mut self.batch);
        let Batch { events, overlay } = &mut self.batch;
        let newest = events.last().map(|&(seq, ..)| seq);
        if self.hub.lock().rules.swaps_events {
            // READY stays the first event.
            let opens = |kind| matches!(kind, Kind::Ready | Kind::Resumed);
            for pair in events.chunks_exact_mut(2) {
                if !pair.iter().any(|(_, record, _)| opens(record.kind)) {
                    pair.swap(0, 1);
                }
            }
        }
        for (seq, record, beside) in events.iter() {
            self.compressor.frame(&mut self.out, |out| {
                payload::dispatch(out, &self.hub.world, overlay, view, *seq, record, beside);
            });
        }
        if let Some(seq) = newest {
            self.on_the_way = Some((key, seq, events.len() as u64));
        }
        if !kept_up {
            self.hub.lock().end_session(key);
            self.close(4009);
        }
    }

    /// The next moment at which something is due by the clock.
    fn alarm(&self) -> Instant {
        let zombie = self.heartbeat_at + self.heartbeat_interval * 2;
        let due = self.farewell.unwrap_or(zombie);
        self.acks_due.front().map_or(due, |&ack| ack.min(due))
    }

    fn ring(&mut self) {
        let now = Instant::now();
        while self.acks_due.front().is_some_and(|&due| due <= now) {
            self.acks_due.pop_front();
            self.acknowledge();
        }
        if self.farewell.is_none() && now >= self.heartbeat_at + self.heartbeat_interval * 2 {
            let code = self.hub.lock().rules.zombie_close;
            match code {
                Some(code) => self.close(code),
                None => self.farewell = Some(now),
            }
        }
    }

    fn obey(&mut self, command: Command) -> Result<(), Over> {
        match command {
            Command::Reset => {
                // Without lingering, ending the connection is a reset.
                if let Err(error) = self.write.as_ref().set_zero_linger() {
                    tracing::debug!(%error, "the connection ends without a reset");
                }
                return Err(Over);
            }
            Command::Drop => return Err(Over),
            Command::Close(code) => self.close(code),
            Command::Reconnect => self.say(r#"{"t":null,"s":null,"op":7,"d":null}"#),
            Command::Invalidate(resumable) => {
                if !resumable && let Some((key, _)) = self.session.take() {
                    self.hub.lock().end_session(key);
                }
                self.invalid(resumable);
            }
            Command::AskHeartbeat => self.say(r#"{"t":null,"s":null,"op":1,"d":null}"#),
            Command::Freeze(frozen) => {
                self.frozen = frozen;
                self.heartbeat_at = Instant::now();
            }
            Command::Send(text) => self.say(&text),
            Command::SendBinary(bytes) => frame::write(&mut self.out, Opcode::Binary, |out| {
                out.extend_from_slice(&bytes);
            }),
        }
        Ok(())
    }

    /// Takes the frames that have come, and does what they say.
    fn hear(&mut self) {
        loop {
            let frame = match frame::read(&mut self.incoming, LARGEST_MESSAGE) {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(error) => {
                    self.incoming.clear();
                    self.close(if error == FrameError::TooLarge { 4002 } else { 1002 });
                    return;
                }
            };
            if self.farewell.is_some() {
                self.agreed |= frame.opcode == Opcode::Close;
                continue;
            }
            match frame.opcode {
                Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                    self.fragments.extend_from_slice(&frame.payload);
                    if self.fragments.len() > LARGEST_MESSAGE {
                        self.close(4002);
                    } else if frame.last {
                        let message = std::mem::take(&mut self.fragments);
                        self.answer(&message);
                    }
                }
                Opcode::Ping => {
                    frame::write(&mut self.out, Opcode::Pong, |out| {
                        out.extend_from_slice(&frame.payload);
                    });
                }
                Opcode::Pong => {}
                Opcode::Close => self.closed_by_client(&frame.payload),
            }
        }
    }

    fn closed_by_client(&mut self, payload: &[u8]) {
        let code = match payload {
            &[high, low, ..] => u16::from_be_bytes([high, low]),
            _ => 1005,
        };
        *self.hub.lock().stats.client_closes.entry(code).or_default() += 1;
        self.leave(matches!(code, 1000 | 1001));
        frame::write(&mut self.out, Opcode::Close, |out| {
            if code != 1005 {
                out.extend_from_slice(&code.to_be_bytes());
            }
        });
        self.agreed = true;
        self.farewell = Some(Instant::now() + FAREWELL);
    }

    fn answer(&mut self, message: &[u8]) {
        if !self.within_the_minute() {
            self.close(4008);
            return;
        }
        match protocol::parse(message) {
            Err(code) => self.close(code),
            Ok(Said::Heartbeat(seq)) => self.heartbeat(seq),
            Ok(Said::Identify { .. } | Said::Resume { .. }) if self.session.is_some() => self.close(4005),
            Ok(Said::Identify { .. } | Said::Resume { .. }) if self.hub.lock().rules.silent => {}
            Ok(Said::Identify {
                token,
                intents,
                shard,
            }) => {
                let entry = self
                    .hub
                    .lock()
                    .identify(&self.hub.world, self.id, &token, intents, shard);
                self.enter(entry);
            }
            Ok(Said::Resume {
                token,
                session_id,
                seq,
            }) => {
                let request = ResumeRequest {
                    token: &token,
                    session_id: &session_id,
                    seq,
                };
                let entry = self.hub.lock().resume(self.id, &request);
                self.enter(entry);
            }
            Ok(Said::RequestMembers(_) | Said::Nothing) if self.session.is_none() => self.close(4003),
            Ok(Said::RequestMembers(request)) => {
                if let Some((key, _)) = &self.session {
                    let overlay = Arc::clone(&self.hub.lock().overlay);
                    for chunk in members::chunks(&self.hub, &overlay, &request) {
                        self.hub.lock().publish_raw_to(*key, chunk);
                    }
                }
            }
            Ok(Said::Nothing) => {}
        }
    }

    /// Counts a message of the client; false when it sends too many.
    fn within_the_minute(&mut self) -> bool {
        let (since, count) = &mut self.minute;
        if since.elapsed() >= MINUTE {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        *count <= self.hub.lock().rules.client_events_per_minute
    }

    fn heartbeat(&mut self, seq: Option<u64>) {
        self.heartbeat_at = Instant::now();
        let acks = {
            let mut engine = self.hub.lock();
            engine.heartbeat(self.session.as_ref().map(|(key, _)| *key), self.id, seq);
            engine.acks
        };
        match acks {
            HeartbeatAcks::Prompt => self.acknowledge(),
            HeartbeatAcks::Late(late) => self.acks_due.push_back(Instant::now() + late),
            HeartbeatAcks::Never => {}
        }
    }

    fn acknowledge(&mut self) {
        self.hub.lock().stats.heartbeat_acks += 1;
        self.say(r#"{"t":null,"s":null,"op":11,"d":null}"#);
    }

    fn enter(&mut self, entry: Entry) {
        match entry {
            Entry::Session(key) => {
                let engine = self.hub.lock();
                let session = &engine.sessions[key];
                let view = SessionView {
                    id: session.id.clone(),
                    shard: session.shard,
                    intents: session.intents,
                    gateway_url: self.hub.gateway_url().to_owned(),
                    guild_create_members: engine.rules.guild_create_members,
                    ready_fields: engine.rules.ready_fields.clone(),
                };
                drop(engine);
                self.session = Some((key, view));
            }
            Entry::Invalid => self.invalid(false),
            Entry::Close(code) => self.close(code),
        }
    }

    fn invalid(&mut self, resumable: bool) {
        self.hub.lock().stats.invalid_sessions += 1;
        self.say(&format!("{{\"t\":null,\"s\":null,\"op\":9,\"d\":{resumable}}}"));
    }

    fn say(&mut self, text: &str) {
        self.compressor
            .frame(&mut self.out, |out| out.extend_from_slice(text.as_bytes()));
    }

    /// Closes with a code. The session stays, to be resumed.
    fn close(&mut self, code: u16) {
        if self.farewell.is_some() {
            return;
        }
        *self.hub.lock().stats.server_closes.entry(code).or_default() += 1;
        self.leave(false);
        frame::write(&mut self.out, Opcode::Close, |out| {
            out.extend_from_slice(&code.to_be_bytes());
            out.extend_from_slice(reason(code).as_bytes());
        });
        self.farewell = Some(Instant::now() + FAREWELL);
    }

    fn leave(&mut self, ends_session: bool) {
        let session = self.session.take().map(|(key, _)| key);
        self.hub.lock().disconnect(self.id, session, ends_session);
    }
}

/// The texts that Discord sends with its close codes.
const fn reason(code: u16) -> &'static str {
    match code {
        4001 => "Unknown opcode.",
        4002 => "Decode error.",
        4003 => "Not authenticated.",
        4004 => "Authentication failed.",
        4005 => "Already authenticated.",
        4007 => "Invalid seq.",
        4008 => "Rate limited.",
        4009 => "Session timed out.",
        4010 => "Invalid shard.",
        4011 => "Sharding required.",
        4012 => "Invalid API version.",
        4013 => "Invalid intent(s).",
        4014 => "Disallowed intent(s).",
        _ => "",
    }
}
