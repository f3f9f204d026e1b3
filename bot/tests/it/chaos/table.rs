//! The cost of a fault, as a row of the table.

use std::{any::Any, time::Duration};

use super::{Effects, Fault, SHARDS, stage::End};

/// A row: its text, and its errors.
pub(super) struct Row {
    name: &'static str,
    cells: Outcome,
}

enum Outcome {
    Tried(Cells),
    NotPossible(String),
    /// Not to its end.
    Failed(String),
}

struct Cells {
    tries: u32,
    lost: u64,
    doubled: u64,
    gaps: usize,
    missed: u64,
    identifies: usize,
    effects: Option<Effects>,
    longest: Duration,
    wrong: Vec<String>,
}

impl Row {
    /// A fault that was tried.
    pub(super) fn new(
        fault: &Fault,
        tries: u32,
        longest: Duration,
        end: &End,
        effects: Option<Effects>,
    ) -> Self {
        let times = usize::try_from(tries).expect("few");
        let gaps = if fault.loses_sessions { SHARDS * times } else { 0 };
        let mut wrong = end.wrong.clone();
        // Compared with the expected rows up to each gap: only events of gaps are missing.
        if !end.report.is_exact() {
            wrong.push(format!("{}: {:?}", end.report, end.report.examples));
        }
        if end.gaps != gaps {
            wrong.push(format!("{} gaps and not {gaps}", end.gaps));
        }
        if end.identifies != SHARDS + gaps {
            wrong.push(format!("{} IDENTIFYs and not {}", end.identifies, SHARDS + gaps));
        }
        if effects.is_some_and(|effects| effects.lost + effects.doubled > 0) {
            wrong.push(format!("{effects:?}"));
        }
        Self {
            name: fault.name,
            cells: Outcome::Tried(Cells {
                tries,
                lost: end.report.lost,
                doubled: end.report.doubled,
                gaps: end.gaps,
                missed: end.missed,
                identifies: end.identifies,
                effects,
                longest,
                wrong,
            }),
        }
    }

    /// A fault that this machine cannot try. Not a failure, but not silent either.
    pub(super) fn not_possible(fault: &Fault, missing: &str) -> Self {
        Self {
            name: fault.name,
            cells: Outcome::NotPossible(missing.to_owned()),
        }
    }

    /// A fault after which a condition was not reached in time.
    pub(super) fn failed(fault: &Fault, panic: &(dyn Any + Send)) -> Self {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without words");
        Self {
            name: fault.name,
            cells: Outcome::Failed(said.to_owned()),
        }
    }

    fn text(&self) -> String {
        let cells = match &self.cells {
            Outcome::Tried(cells) => cells,
            Outcome::NotPossible(missing) => {
                return format!("{:<62} not possible here: {missing}", self.name);
            }
            Outcome::Failed(said) => return format!("{:<62} WRONG: {said}", self.name),
        };
        let effects = cells.effects.map_or_else(String::new, |effects| {
            format!(" {:>12} {:>15}", effects.lost, effects.doubled)
        });
        let wrong = if cells.wrong.is_empty() { "" } else { "  WRONG" };
        format!(
            "{:<62} {:>5} {:>6} {:>7} {:>5} {:>6} {:>10}{effects} {:>7.1} s{wrong}",
            self.name,
            cells.tries,
            cells.lost,
            cells.doubled,
            cells.gaps,
            cells.missed,
            cells.identifies,
            cells.longest.as_secs_f64(),
        )
    }
}

/// The rows so far, each printed immediately, since the run takes minutes.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub(super) fn add(&mut self, row: Row) {
        if self.rows.is_empty() {
            say(&Self::head(&row));
        }
        say(&row.text());
        if let Outcome::Tried(cells) = &row.cells {
            cells.wrong.iter().for_each(|wrong| say(&format!("    {wrong}")));
        }
        self.rows.push(row);
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// There are columns for effects if they were compared.
    fn head(first: &Row) -> String {
        let effects = match &first.cells {
            Outcome::Tried(Cells { effects: Some(_), .. }) => {
                format!(" {:>12} {:>15}", "EFFECTS LOST", "EFFECTS DOUBLED")
            }
            _ => String::new(),
        };
        format!(
            "{:<62} {:>5} {:>6} {:>7} {:>5} {:>6} {:>10}{effects} {:>9}",
            "FAULT", "TRIES", "LOST", "DOUBLED", "GAPS", "MISSED", "IDENTIFIES", "CAUGHT UP"
        )
    }

    /// Fail with the rows that cost too much.
    pub(super) fn assert_right(&self) {
        let wrong: Vec<String> = self
            .rows
            .iter()
            .filter_map(|row| match &row.cells {
                Outcome::Tried(cells) if !cells.wrong.is_empty() => {
                    Some(format!("{}: {}", row.name, cells.wrong.join("; ")))
                }
                Outcome::Failed(said) => Some(format!("{}: {said}", row.name)),
                _ => None,
            })
            .collect();
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }
}

pub(super) fn say(line: &str) {
    #[expect(clippy::print_stdout, reason = "this is what `make chaos` is for")]
    {
        println!("{line}");
    }
}
