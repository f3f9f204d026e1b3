//! `make bench`: what a message costs, next to a plain bot on the same machine, PostgreSQL and simulated Discord.
//!
//! Four processes take part: the bot (the real binary), a PostgreSQL with stock settings that this program makes and removes, the plain
//! bot of `simulator/examples/plain_bot.rs`, and this program, which holds the simulated Discord and asks the questions. The bots take
//! turns within each load, so that whatever else the machine does meets both. `docs/benchmarks.md` says how to read the result.

mod cells;
mod commands;
mod cpu;
mod document;
mod figures;
mod fleet;
mod histogram;
mod machine;
mod probes;
mod scale;
mod server;
mod subject;
mod table;
mod trial;
mod website;

use std::{
    error::Error,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use self::{
    cells::{Cell, Flush},
    figures::Results,
    machine::Machine,
    server::Server,
    subject::{Kind, Subject},
};

/// Whatever goes wrong ends the benchmark with one line.
type Failure = Box<dyn Error + Send + Sync>;

/// Seconds of load in a cell; another number makes figures that do not compare with the published ones.
const SECONDS: u64 = 6;

/// Measures the bot next to a plain one, on a PostgreSQL with stock settings.
#[derive(Debug, Parser)]
#[command(name = "make bench", bin_name = "make bench ARGS=…")]
struct Arguments {
    /// Only the loads with this in their name
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,
    /// Seconds of load in each run
    #[arg(long, value_name = "N", default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Directory with PostgreSQL's programs; the newest installed one without it
    #[arg(long, value_name = "DIR")]
    postgres: Option<PathBuf>,
    /// Directory in which PostgreSQL's cluster is made, and removed at the end
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// The bot to measure; the binary beside this one without it
    #[arg(long, value_name = "FILE")]
    eventide: Option<PathBuf>,
    /// The plain bot; the simulator's example beside this binary without it
    #[arg(long, value_name = "FILE")]
    plain: Option<PathBuf>,
    /// Measure the bot alone
    #[arg(long)]
    no_plain: bool,
    /// Measure the website instead: this many requests a second for pages of a leaderboard of a million members
    #[arg(long, value_name = "REQUESTS", num_args = 0..=1, default_missing_value = "1000", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    website: Option<u32>,
    /// Measure many servers instead: 128 shards with this many, each with 50 channels and 20 roles
    #[arg(long, value_name = "SERVERS", num_args = 0..=1, default_missing_value = "100000", value_parser = clap::value_parser!(u32).range(256..=200_000))]
    scale: Option<u32>,
    /// Measure a fleet instead: 1,000 shards over this many processes, one of which is killed
    #[arg(long, value_name = "PROCESSES", num_args = 0..=1, default_missing_value = "16", value_parser = clap::value_parser!(u32).range(2..=64))]
    fleet: Option<u32>,
    /// Where the figures are written as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A Markdown file whose generated part is replaced if everything was measured
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match until_a_signal(bench(&arguments)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The work, dropped by a signal with everything that it started.
async fn until_a_signal(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Err("interrupted".into()),
        _ = terminate.recv() => Err("terminated".into()),
    }
}

async fn bench(arguments: &Arguments) -> Result<(), Failure> {
    let cells: Vec<Cell> = cells::all()
        .into_iter()
        .filter(|cell| cell.name.contains(&arguments.only))
        .collect();
    if cells.is_empty() {
        let names: Vec<_> = cells::all().iter().map(|cell| cell.name).collect();
        return Err(format!(
            "no load has {:?} in its name; there are {}",
            arguments.only,
            names.join(", ")
        )
        .into());
    }
    let subjects = subjects(arguments)?;
    let seconds = Duration::from_secs(arguments.seconds);
    let machine = Machine::look(&subjects[0].program, arguments.postgres.as_deref())?;
    print(&format!("{machine}\n\n"))?;
    if let Some(requests) = arguments.website {
        let server = Server::start(arguments.postgres.as_deref(), arguments.scratch.as_deref(), &[]).await?;
        let subject = Subject {
            has_website: true,
            ..subjects[0].clone()
        };
        let measured = website::run(&server, &subject, requests, seconds).await?;
        server.stop().await?;
        return print(&measured);
    }
    if let Some(guilds) = arguments.scale {
        let server = Server::start(arguments.postgres.as_deref(), arguments.scratch.as_deref(), &[]).await?;
        let measured = scale::run(&server, &subjects[0], guilds).await?;
        server.stop().await?;
        return print(&measured);
    }
    if let Some(processes) = arguments.fleet {
        let server = Server::start(arguments.postgres.as_deref(), arguments.scratch.as_deref(), &[]).await?;
        let measured = fleet::run(&server, &subjects[0], processes).await?;
        server.stop().await?;
        return print(&measured);
    }
    let mut results = Results::new(machine, seconds);
    for flush in [Flush::Stock, Flush::Delayed] {
        let cells: Vec<&Cell> = cells.iter().filter(|cell| cell.flush == flush).collect();
        if cells.is_empty() {
            continue;
        }
        let server = Server::start(
            arguments.postgres.as_deref(),
            arguments.scratch.as_deref(),
            flush.settings(),
        )
        .await?;
        for cell in cells {
            for _ in 0..cell.rounds {
                for subject in &subjects {
                    let trial = trial::run(&server, cell, subject, seconds).await?;
                    print(&format!("{}\n", table::line(cell, subject.kind, &trial)))?;
                    results.add(cell, subject.kind, trial);
                }
            }
        }
        server.stop().await?;
    }
    print(&format!("\n{}", table::terminal(&results)))?;
    save(arguments, &results)
}

fn subjects(arguments: &Arguments) -> Result<Vec<Subject>, Failure> {
    let own = std::env::current_exe()?;
    let subject = |kind, given: &Option<PathBuf>, name: &str| {
        let program = given.clone().unwrap_or_else(|| own.with_file_name(name));
        // The bot runs in another directory than this program.
        match program.canonicalize() {
            Ok(program) => Ok(Subject::new(kind, program)),
            Err(error) => Err(format!("{}: {error}; `make bench` builds it", program.display())),
        }
    };
    let mut subjects = vec![subject(Kind::Eventide, &arguments.eventide, "eventide")?];
    if !arguments.no_plain {
        subjects.push(subject(Kind::Plain, &arguments.plain, "examples/plain_bot")?);
    }
    Ok(subjects)
}

fn save(arguments: &Arguments, results: &Results) -> Result<(), Failure> {
    if let Some(file) = &arguments.json {
        write(file, &results.json()?)?;
        print(&format!("\nwritten: {}\n", file.display()))?;
    }
    let Some(file) = &arguments.document else {
        return Ok(());
    };
    let is_whole = arguments.only.is_empty() && arguments.seconds == SECONDS && !arguments.no_plain;
    if !is_whole {
        return print(&format!(
            "{} stays as it is: only a part was measured, or for another time\n",
            file.display()
        ));
    }
    let text = document::replace(&fs::read_to_string(file)?, &table::markdown(results))?;
    write(file, &text)?;
    print(&format!("written: {}\n", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()).into())
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
