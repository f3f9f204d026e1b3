//! How far an import is: redrawn on a terminal, a line now and then anywhere else. On standard error.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::Duration,
};

use tokio::time::Instant;

/// How often it is redrawn on a terminal, and told elsewhere.
const REDRAW_INTERVAL: Duration = Duration::from_millis(200);
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Characters of the bar.
const BAR: usize = 30;

/// The display.
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
    /// A display that has shown nothing.
    pub fn new() -> Self {
        Self {
            redraws: stderr().is_terminal(),
            shown: false,
            began: Instant::now(),
            last: Instant::now(),
        }
    }

    /// The file is read for the first time.
    pub fn checking(&mut self, percent: u64) {
        self.show(|_| format!("checking the file {}", bar(percent)));
    }

    /// Begin to count rows by the second.
    pub fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// So many rows are done, of which this run did `own`.
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

    /// Nothing more is shown.
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
    // Nobody is left to tell if standard error is closed.
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}
