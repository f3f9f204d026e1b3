//! Progress: a line that is redrawn on a terminal, and a line every few seconds elsewhere.

use std::{
    io::{IsTerminal as _, Write as _, stdout},
    time::Duration,
};

use tokio::time::Instant;

/// The interval of lines that are not redrawn.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// A useful interval for updates.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// Progress shown to the operator.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    redraws: bool,
    drawn: bool,
    last: Instant,
}

impl Progress {
    /// Write to standard output, unless `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self {
            quiet,
            redraws: stdout().is_terminal(),
            drawn: false,
            last: Instant::now(),
        }
    }

    /// Show the progress.
    pub(super) fn show(&mut self, text: impl FnOnce() -> String) {
        let interval = if self.redraws { TICK } else { PLAIN_INTERVAL };
        if self.quiet || self.last.elapsed() < interval {
            return;
        }
        self.last = Instant::now();
        if self.redraws {
            print(&format!("\r\x1b[2K{}", text()));
            self.drawn = true;
        } else {
            print(&format!("{}\n", text()));
        }
    }

    /// Write a line that stays.
    pub fn line(&mut self, text: &str) {
        self.clear();
        if !self.quiet {
            print(&format!("{text}\n"));
        }
    }

    /// Erase the redrawn line before other output.
    pub fn clear(&mut self) {
        if self.drawn {
            print("\r\x1b[2K");
        }
        self.drawn = false;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A size in MiB.
#[expect(clippy::cast_precision_loss, reason = "a display")]
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}

fn print(text: &str) {
    let mut out = stdout();
    // A closed pipe does not stop the work.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
