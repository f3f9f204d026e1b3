//! The figures for people: a line a run, and a table.

use std::fmt::Write as _;

use crate::{
    cells::{Cell, Flush, Load},
    figures::{Figure, Results, Trial},
    subject::Kind,
};

/// A column: its head, a figure, a second one behind a slash, and the digits after the point.
type Column = (&'static str, Figure, Option<Figure>);

const COLUMNS: [Column; 9] = [
    ("messages/s", Figure::MessagesPerSecond, None),
    ("bot CPU µs", Figure::BotCpu, None),
    ("PostgreSQL CPU µs", Figure::ServerCpu, None),
    (
        "WAL bytes, of them page images",
        Figure::Wal,
        Some(Figure::PageImages),
    ),
    ("commits/s", Figure::CommitsPerSecond, None),
    ("peak MiB", Figure::PeakMemory, None),
    (
        "to commit ms p50 / p99",
        Figure::CommitP50,
        Some(Figure::CommitP99),
    ),
    ("/rank ms p50 / p99", Figure::CommandP50, Some(Figure::CommandP99)),
    ("of these in the bot", Figure::InsideP50, Some(Figure::InsideP99)),
];

/// One run, as it ends.
pub(crate) fn line(cell: &Cell, kind: Kind, trial: &Trial) -> String {
    let mut text = format!("{:<16} {:<10}", cell.name, kind.name());
    for (head, first, second) in COLUMNS {
        let value = values(trial, cell.load, first, second);
        if value != NONE {
            write!(text, " {head} {value};").expect("a String takes any text");
        }
    }
    if let Some(part) = trial.figure(Figure::NewMembers, cell.load) {
        write!(text, " new {:.0} %;", part * 100.0).expect("a String takes any text");
    }
    if let Some(seconds) = trial.figure(Figure::Startup, cell.load) {
        write!(text, " up after {seconds:.1} s").expect("a String takes any text");
    }
    text
}

const NONE: &str = "–";

/// The table, with aligned columns.
pub(crate) fn terminal(results: &Results) -> String {
    let rows = rows(results);
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(|(at, (cell, width))| {
                let gap = " ".repeat(width - cell.chars().count());
                // Names to the left, numbers to the right.
                if at < 2 {
                    format!("{cell}{gap}")
                } else {
                    format!("{gap}{cell}")
                }
            })
            .collect();
        writeln!(text, "{}", line.join("  ").trim_end()).expect("a String takes any text");
    }
    text
}

/// What `docs/benchmarks.md` shows.
pub(crate) fn markdown(results: &Results) -> String {
    let machine = &results.machine;
    let mut text = format!(
        "Measured on {}: {}, {}, stock settings. {} × {}, {:.0} GiB, Linux {}; 8 KiB reach the disk in {:.1} ms. {} s of load in each run.\n\n",
        machine.date,
        machine.bot,
        machine.postgres,
        machine.cores,
        machine.processor,
        machine.memory_gib,
        machine.kernel,
        machine.flush_ms,
        results.seconds.as_secs(),
    );
    for (at, row) in rows(results).into_iter().enumerate() {
        writeln!(text, "| {} |", row.join(" | ")).expect("a String takes any text");
        if at == 0 {
            writeln!(text, "|---|---|{}", "---:|".repeat(COLUMNS.len())).expect("a String takes any text");
        }
    }
    text
}

/// The head, and for each load a row a bot and one with their ratio.
fn rows(results: &Results) -> Vec<Vec<String>> {
    let mut head = vec!["load".to_owned(), "bot".to_owned()];
    head.extend(COLUMNS.iter().map(|(name, ..)| (*name).to_owned()));
    let mut rows = vec![head];
    for (cell, trials) in &results.cells {
        let mut title = match cell.flush {
            Flush::Stock => cell.title.to_owned(),
            Flush::Delayed => format!("2 ms flush: {}", cell.title),
        };
        for (kind, trial) in trials {
            let mut row = vec![std::mem::take(&mut title), kind.name().to_owned()];
            row.extend(
                COLUMNS
                    .iter()
                    .map(|(_, first, second)| values(trial, cell.load, *first, *second)),
            );
            rows.push(row);
        }
        if let (Some(ours), Some(plain)) = (trials.get(&Kind::Eventide), trials.get(&Kind::Plain)) {
            let mut row = vec![String::new(), "plain ÷ eventide".to_owned()];
            row.extend(COLUMNS.iter().map(|(_, first, second)| {
                let of = |figure| ratio(plain.figure(figure, cell.load), ours.figure(figure, cell.load));
                match second.filter(|figure| *figure != Figure::PageImages) {
                    Some(second) if of(second) != NONE => format!("{} / {}", of(*first), of(second)),
                    _ => of(*first),
                }
            }));
            rows.push(row);
        }
    }
    rows
}

fn values(trial: &Trial, load: Load, first: Figure, second: Option<Figure>) -> String {
    let Some(value) = trial.figure(first, load) else {
        return NONE.to_owned();
    };
    let mut text = digits(value);
    if let Some(second) = second.and_then(|figure| trial.figure(figure, load)) {
        write!(text, " / {}", digits(second)).expect("a String takes any text");
    }
    if load == Load::Idle && matches!(first, Figure::BotCpu | Figure::ServerCpu | Figure::Wal) {
        text.push_str(" a second");
    }
    if first == Figure::CommandP50
        && let Some(answers) = &trial.answers
        && answers.unanswered > 0
    {
        write!(text, ", {} unanswered", answers.unanswered).expect("a String takes any text");
    }
    text
}

fn ratio(plain: Option<f64>, ours: Option<f64>) -> String {
    match (plain, ours) {
        (Some(plain), Some(ours)) if ours > 0.0 => format!("{}×", significant(plain / ours)),
        _ => NONE.to_owned(),
    }
}

/// A ratio to two significant digits.
fn significant(value: f64) -> String {
    if value < 0.95 {
        format!("{value:.2}")
    } else if value < 9.5 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// As many digits as say something, with commas between thousands.
fn digits(value: f64) -> String {
    if value.abs() < 9.95 {
        return format!("{value:.1}");
    }
    let whole = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{digits, ratio, significant};

    #[test]
    fn numbers_are_short() {
        assert_eq!(digits(0.04), "0.0");
        assert_eq!(digits(9.94), "9.9");
        assert_eq!(digits(9.96), "10");
        assert_eq!(digits(1_234_567.8), "1,234,568");
        assert_eq!(digits(999.0), "999");
        assert_eq!(significant(0.5), "0.50");
        assert_eq!(significant(1.0), "1.0");
        assert_eq!(significant(12.4), "12");
        assert_eq!(ratio(Some(24.0), Some(2.0)), "12×");
        assert_eq!(ratio(Some(24.0), None), "–");
        assert_eq!(ratio(Some(24.0), Some(0.0)), "–");
    }
}
