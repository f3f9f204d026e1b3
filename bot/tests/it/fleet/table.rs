//! The result of a scenario, as a row of the table.

use std::{any::Any, time::Duration};

use super::{Shown, stage::End};

/// A row: its text, and its errors.
pub(super) struct Row {
    text: String,
    wrong: Vec<String>,
}

impl Row {
    /// A scenario that was played.
    pub(super) fn new(name: &'static str, end: &End, shown: &Shown) -> Self {
        let mut wrong = end.wrong.clone();
        if !end.report.is_exact() {
            wrong.push(format!("{}: {:?}", end.report, end.report.examples));
        }
        if end.report.sent == 0 {
            wrong.push("nothing was sent".to_owned());
        }
        if end.gaps != 0 {
            wrong.push(format!("{} gaps", end.gaps));
        }
        if end.identifies != end.sessions as usize {
            wrong.push(format!("{} IDENTIFYs and not {}", end.identifies, end.sessions));
        }
        let silence = shown.silence.map_or_else(String::new, seconds);
        let text = format!(
            "{name:<54} {:>6} {:>8} {:>5} {:>7} {:>5} {:>10} {silence:>9}  {}{}",
            end.shards,
            end.report.sent,
            end.report.lost,
            end.report.doubled,
            end.gaps,
            end.identifies,
            shown.words,
            if wrong.is_empty() { "" } else { "  WRONG" },
        );
        Self {
            text,
            wrong: wrong.iter().map(|wrong| format!("{name}: {wrong}")).collect(),
        }
    }

    /// A scenario in which a condition was not reached in time.
    pub(super) fn failed(name: &'static str, panic: &(dyn Any + Send)) -> Self {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without words");
        let text = format!("{name:<54} WRONG: {said}");
        Self {
            wrong: vec![text.clone()],
            text,
        }
    }
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// The rows so far, each printed immediately, since the run takes minutes.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn add(&mut self, row: Row) {
        if self.rows.is_empty() {
            say(&format!(
                "{:<54} {:>6} {:>8} {:>5} {:>7} {:>5} {:>10} {:>9}",
                "SCENARIO", "SHARDS", "SENT", "LOST", "DOUBLED", "GAPS", "IDENTIFIES", "SILENCE"
            ));
        }
        say(&row.text);
        row.wrong.iter().for_each(|wrong| say(&format!("    {wrong}")));
        self.rows.push(row);
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Fail with the errors.
    pub(super) fn assert_right(&self) {
        let wrong: Vec<&str> = self
            .rows
            .iter()
            .flat_map(|row| &row.wrong)
            .map(String::as_str)
            .collect();
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }
}

fn say(line: &str) {
    #[expect(clippy::print_stdout, reason = "this is what `make fleet` is for")]
    {
        println!("{line}");
    }
}
