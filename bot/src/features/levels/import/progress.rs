//! The progress of an import: redrawn on a terminal, an occasional line elsewhere. On standard error.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::Duration,
};

use tokio::time::Instant;

/// The redraw interval on a terminal, and the interval of lines elsewhere.
const REDRAW_INTERVAL: Duration = Duration::from_millis(200);
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// The width of the bar, in characters.
const BAR: usize = 30;

/// The progress display.
#[derive(Debug)]
pub struct Progress {
    redraws: bool,
    shown: bool,
    began: Instant,
    last: Instant,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// A display that has not shown anything yet.
    pub fn new() -> Self {
        Self {
            redraws: stderr().is_terminal(),
            shown: false,
            began: Instant::now(),
            last: Instant::now(),
        }
    }

    /// Show the progress of the first pass.
    pub fn checking(&mut self, percent: u64) {
        self.show(|_| format!("checking the file {}", bar(percent)));
    }

    /// Start measuring the rows per second.
    pub fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// Show that `done` rows are complete, of which this run did `own`.
    pub fn rows(&mut self, done: u64, total: u64, own: u64, rejects: u64) {
        self.show(|elapsed| {
            let per_second = u128::from(own) * 1000 / elapsed.as_millis().max(1);
            let percent = done.saturating_mul(100) / total.max(1);
            format!(
                "importing {} {done} of {total} rows, {per_second} rows/s, {rejects} rejected",
                bar(percent)
            )
        });
    }

    /// End the display.
    pub fn end(&mut self) {
        if self.redraws && self.shown {
            print("\r\x1b[K");
        }
        self.shown = false;
    }

    fn show(&mut self, text: impl FnOnce(Duration) -> String) {
        let interval = if self.redraws {
            REDRAW_INTERVAL
        } else {
            LINE_INTERVAL
        };
        if self.last.elapsed() < interval {
            return;
        }
        self.last = Instant::now();
        self.shown = true;
        let text = text(self.began.elapsed());
        if self.redraws {
            print(&format!("\r{text}\x1b[K"));
        } else {
            print(&format!("{text}\n"));
        }
    }
}

fn bar(percent: u64) -> String {
    let full = usize::try_from(percent.min(100)).unwrap_or(0) * BAR / 100;
    format!("[{}{}] {percent} %", "#".repeat(full), ".".repeat(BAR - full))
}

fn print(text: &str) {
    let mut stderr = stderr();
    // If standard error is closed, there is no one to show it to.
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}
