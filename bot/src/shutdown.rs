//! The signals that stop the process: the first asks it to drain, the second forces it to end.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::timeout,
};

/// Wait until `stop` is true, or nobody is left to say so.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error is a sender that has gone, which is an end as well.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Pause for so long. Whether `stop` was true before that was over.
pub async fn stopped_within(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    timeout(pause, stopped(stop)).await.is_ok()
}

/// SIGTERM and SIGINT, from the moment this is made.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Begin to listen. From here on the signals no longer end the process by themselves.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Wait for the next one; returns its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
