//! Shutdown signals: the first requests a graceful stop, the second forces the process to exit.

use std::{fs, io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::timeout,
};

/// Wait until `stop` is true or its sender is dropped.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which also ends the wait.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Sleep for `pause`. Returns whether `stop` became true before the end.
pub async fn stopped_within(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    timeout(pause, stopped(stop)).await.is_ok()
}

/// SIGTERM, SIGINT and SIGHUP, from the moment of creation. A closed terminal sends SIGHUP; under `nohup` it is ignored.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    /// `None` if the parent process had SIGHUP ignored.
    hang_up: Option<Signal>,
}

impl StopSignals {
    /// Start to listen. From here on the signals no longer terminate the process by default.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: if is_hang_up_ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default()) {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
        })
    }

    /// Wait for the next signal; returns its name.
    pub async fn next(&mut self) -> &'static str {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = hang_up => "SIGHUP",
        }
    }
}

/// Whether the process ignores SIGHUP, according to its `/proc/PID/status`: a mask in which signal 1 is the lowest bit.
/// <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>
fn is_hang_up_ignored(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::is_hang_up_ignored;

    #[test]
    fn an_ignored_hang_up_is_seen_in_the_mask() {
        assert!(is_hang_up_ignored(
            "Name:\tx\nSigIgn:\t0000000000000001\nSigCgt:\t0\n"
        ));
        assert!(is_hang_up_ignored("SigIgn:\t0000000000001001\n"));
        assert!(!is_hang_up_ignored("SigIgn:\t0000000000001000\nSigCgt:\t1\n"));
        assert!(!is_hang_up_ignored(""));
    }
}
