//! What was measured, and what follows from it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    Failure,
    cells::{Cell, Load},
    commands::Answers,
    machine::Machine,
    server::Log,
    subject::Kind,
};

/// One run, or several of the same bot under the same load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trial {
    /// Messages that were sent, probes among them, and counted.
    pub(crate) messages: u64,
    /// From the first of them to when the last can be read in the table.
    pub(crate) seconds: f64,
    pub(crate) bot_cpu_seconds: f64,
    pub(crate) server_cpu_seconds: f64,
    pub(crate) wal_bytes: u64,
    /// What they are, if the server has a program that reads its log.
    pub(crate) log: Option<Log>,
    /// Of the bot, since its start.
    pub(crate) peak_memory_bytes: u64,
    pub(crate) new_rows: u64,
    /// From the start of the process to when every shard had its session and guilds, migrations included.
    pub(crate) startup_seconds: f64,
    /// From when a message was sent to when its row could be read.
    pub(crate) commit_ms: Vec<f64>,
    pub(crate) answers: Option<Answers>,
}

impl Trial {
    fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.seconds += other.seconds;
        self.bot_cpu_seconds += other.bot_cpu_seconds;
        self.server_cpu_seconds += other.server_cpu_seconds;
        self.wal_bytes += other.wal_bytes;
        self.log = self.log.zip(other.log).map(|(log, more)| Log {
            page_image_bytes: log.page_image_bytes + more.page_image_bytes,
            commits: log.commits + more.commits,
        });
        self.peak_memory_bytes = self.peak_memory_bytes.max(other.peak_memory_bytes);
        self.new_rows += other.new_rows;
        self.startup_seconds = self.startup_seconds.max(other.startup_seconds);
        self.commit_ms.extend(other.commit_ms);
        match (&mut self.answers, other.answers) {
            (Some(answers), Some(more)) => {
                answers.took_ms.extend(more.took_ms);
                answers.unanswered += more.unanswered;
                answers.inside.add(&more.inside);
            }
            (answers @ None, more) => *answers = more,
            (Some(_), None) => {}
        }
    }

    /// A total as a share of each message, or of each second where none came.
    fn each(&self, total: f64, load: Load) -> f64 {
        match load {
            Load::Idle => total / self.seconds,
            _ => total / lossy(self.messages),
        }
    }

    /// The value of a figure; `None` where it was not measured.
    pub(crate) fn figure(&self, figure: Figure, load: Load) -> Option<f64> {
        let is_idle = load == Load::Idle;
        Some(match figure {
            Figure::MessagesPerSecond | Figure::CommitsPerMessage | Figure::NewMembers if is_idle => {
                return None;
            }
            Figure::MessagesPerSecond => lossy(self.messages) / self.seconds,
            Figure::BotCpu => self.each(self.bot_cpu_seconds * 1e6, load),
            Figure::ServerCpu => self.each(self.server_cpu_seconds * 1e6, load),
            Figure::Wal => self.each(lossy(self.wal_bytes), load),
            Figure::PageImages => self.each(lossy(self.log?.page_image_bytes), load),
            Figure::CommitsPerSecond => lossy(self.log?.commits) / self.seconds,
            Figure::CommitsPerMessage => lossy(self.log?.commits) / lossy(self.messages),
            Figure::PeakMemory => lossy(self.peak_memory_bytes) / 1_048_576.0,
            Figure::CommitP50 => quantile(&self.commit_ms, 0.5)?,
            Figure::CommitP99 => quantile(&self.commit_ms, 0.99)?,
            Figure::CommandP50 => quantile(&self.answers.as_ref()?.took_ms, 0.5)?,
            Figure::CommandP99 => quantile(&self.answers.as_ref()?.took_ms, 0.99)?,
            Figure::InsideP50 => self.answers.as_ref()?.inside.quantile(0.5)? * 1_000.0,
            Figure::InsideP99 => self.answers.as_ref()?.inside.quantile(0.99)? * 1_000.0,
            Figure::NewMembers => lossy(self.new_rows) / lossy(self.messages),
            Figure::Startup => self.startup_seconds,
        })
    }
}

/// What is told of each load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    MessagesPerSecond,
    /// Microseconds a message; a second where none come.
    BotCpu,
    /// The same.
    ServerCpu,
    /// Bytes a message; a second where none come.
    Wal,
    /// The same.
    PageImages,
    CommitsPerSecond,
    CommitsPerMessage,
    /// MiB
    PeakMemory,
    /// Milliseconds.
    CommitP50,
    CommitP99,
    CommandP50,
    CommandP99,
    /// The same from when the bot has read the interaction.
    InsideP50,
    InsideP99,
    /// Part of the messages that made a row.
    NewMembers,
    /// Seconds.
    Startup,
}

impl Figure {
    /// All, with their names in JSON.
    pub(crate) const ALL: [(Self, &'static str); 16] = [
        (Self::MessagesPerSecond, "messages_per_second"),
        (Self::BotCpu, "bot_cpu_us"),
        (Self::ServerCpu, "postgresql_cpu_us"),
        (Self::Wal, "wal_bytes"),
        (Self::PageImages, "wal_page_image_bytes"),
        (Self::CommitsPerSecond, "commits_per_second"),
        (Self::CommitsPerMessage, "commits_per_message"),
        (Self::PeakMemory, "peak_memory_mib"),
        (Self::CommitP50, "commit_ms_p50"),
        (Self::CommitP99, "commit_ms_p99"),
        (Self::CommandP50, "command_ms_p50"),
        (Self::CommandP99, "command_ms_p99"),
        (Self::InsideP50, "command_inside_ms_p50"),
        (Self::InsideP99, "command_inside_ms_p99"),
        (Self::NewMembers, "new_members_share"),
        (Self::Startup, "startup_seconds"),
    ];
}

/// Everything that was measured, in its order.
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) seconds: Duration,
    pub(crate) cells: Vec<(Cell, BTreeMap<Kind, Trial>)>,
}

impl Results {
    pub(crate) const fn new(machine: Machine, seconds: Duration) -> Self {
        Self {
            machine,
            seconds,
            cells: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, cell: &Cell, kind: Kind, trial: Trial) {
        if self.cells.last().is_none_or(|(last, _)| last.name != cell.name) {
            self.cells.push((cell.clone(), BTreeMap::new()));
        }
        let (_, trials) = self.cells.last_mut().expect("there is one now");
        match trials.get_mut(&kind) {
            Some(before) => before.add(trial),
            None => drop(trials.insert(kind, trial)),
        }
    }

    /// For programs. Figures are per message, in an idle load per second; those that were not measured are missing.
    pub(crate) fn json(&self) -> Result<String, Failure> {
        let cells: Vec<Value> = self
            .cells
            .iter()
            .map(|(cell, trials)| {
                let bots: serde_json::Map<String, Value> = trials
                    .iter()
                    .map(|(kind, trial)| (kind.name().to_owned(), of_trial(trial, cell.load)))
                    .collect();
                json!({"name": cell.name, "title": cell.title, "shards": cell.shards, "rounds": cell.rounds, "bots": bots})
            })
            .collect();
        let document = json!({
            "machine": self.machine.json(), "seconds": self.seconds.as_secs(), "loads": cells,
        });
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }
}

fn of_trial(trial: &Trial, load: Load) -> Value {
    let mut figures: serde_json::Map<String, Value> = Figure::ALL
        .iter()
        .filter_map(|(figure, name)| Some(((*name).to_owned(), trial.figure(*figure, load)?.into())))
        .collect();
    figures.insert("messages".to_owned(), trial.messages.into());
    figures.insert("probes".to_owned(), trial.commit_ms.len().into());
    if let Some(answers) = &trial.answers {
        let commands = answers.took_ms.len() + answers.unanswered;
        figures.insert("commands".to_owned(), commands.into());
        figures.insert("commands_unanswered".to_owned(), answers.unanswered.into());
    }
    figures.into()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn lossy(number: u64) -> f64 {
    number as f64
}

/// The least value that no smaller part than `part` of all is above; `None` without values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of the number of values"
)]
pub(crate) fn quantile(values: &[f64], part: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::{Figure, Trial, quantile};
    use crate::cells::Load;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), Some(50.0));
        assert_eq!(quantile(&values, 0.99), Some(99.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn two_runs_become_one_and_idle_ones_are_told_by_the_second() {
        let mut both = Trial {
            messages: 1_000,
            seconds: 2.0,
            bot_cpu_seconds: 0.01,
            peak_memory_bytes: 3 << 20,
            commit_ms: vec![1.0],
            ..Trial::default()
        };
        both.add(Trial {
            bot_cpu_seconds: 0.03,
            peak_memory_bytes: 2 << 20,
            commit_ms: vec![3.0],
            ..both.clone()
        });
        let of = |figure, load| both.figure(figure, load).map(f64::round);
        assert_eq!(of(Figure::BotCpu, Load::Steady(500)), Some(20.0));
        assert_eq!(of(Figure::BotCpu, Load::Idle), Some(10_000.0));
        assert_eq!(of(Figure::MessagesPerSecond, Load::Steady(500)), Some(500.0));
        assert_eq!(of(Figure::PeakMemory, Load::Steady(500)), Some(3.0));
        assert_eq!(of(Figure::CommitP99, Load::Steady(500)), Some(3.0));
        assert_eq!(of(Figure::CommandP99, Load::Steady(500)), None);
    }
}
