//! Counts the instructions that an event costs from text to ledger, and compares them with the committed ones.
//!
//! `make instructions`, or `BLESS=1 make instructions` to write `bot/instructions.toml`. Unlike a time, the number of instructions is the same
//! on a busy machine. Valgrind's callgrind counts those of this program with few events and with many; the difference is what the events
//! cost, without the program's start.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use clap::{Parser, ValueEnum};
use eventide::{config::Config, pipeline::gateway::text_to_ledger::TextToLedger};
use serde::Deserialize;
use twilight_model::id::Id;

/// Events of the shorter run, which warm up tables and caches, and of the longer one.
const FEW: usize = 2_000;
const MANY: usize = 12_000;
/// Events from flush to flush.
const BATCH: usize = 500;
/// Who writes where all are known.
const KNOWN: usize = 400;
const GUILDS: u64 = 50;
/// An increase by more than this part fails.
const TOLERANCE: f64 = 0.03;

/// Compares the instructions of the hot path with the committed ones.
#[derive(Parser)]
struct Arguments {
    /// The file with the committed numbers
    #[arg(default_value = "bot/instructions.toml")]
    file: PathBuf,
    /// The digest of the files that decide
    #[arg(long, default_value = "")]
    files: String,
    /// Write the file
    #[arg(long)]
    bless: bool,
    /// Only do what is counted: take in that many events
    #[arg(long, num_args = 2, value_names = ["EVENT", "NUMBER"], hide = true)]
    events: Option<Vec<String>>,
}

/// An event that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Counted {
    /// A message of a member whose last award is remembered, with its part of a batch.
    MessageOfKnownMember,
    /// A message of a member who never wrote, with its part of a batch.
    MessageOfNewMember,
    /// An event that nobody handles.
    UnhandledEvent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Committed {
    rustc: String,
    files: String,
    instructions: BTreeMap<String, u64>,
}

type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.events.as_deref() {
        Some([event, number]) => take_in(event, number).map(|()| true),
        _ => compare(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "instructions: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What valgrind counts.
fn take_in(event: &str, number: &str) -> Result<(), Failure> {
    let event = Counted::from_str(event, false)?;
    // All of them are made in both runs, so that making them is no part of the difference.
    let texts: Vec<String> = (0..MANY).map(|at| text(event, at)).collect();
    let mut path = TextToLedger::new(&Config::defaults(), (1..=GUILDS).map(|at| Id::new(guild(at))));
    let mut rows = 0;
    for batch in texts[..number.parse()?].chunks(BATCH) {
        for text in batch {
            path.receive(text);
        }
        rows += path.flush();
    }
    if (rows == 0) != (event == Counted::UnhandledEvent) {
        return Err(format!("{rows} rows came of the events").into());
    }
    Ok(())
}

/// Whether nothing has become dearer.
fn compare(arguments: &Arguments) -> Result<bool, Failure> {
    let rustc = String::from_utf8(Command::new("rustc").arg("--version").output()?.stdout)?;
    let rustc = rustc.trim();
    let mut counted = BTreeMap::new();
    for event in Counted::value_variants() {
        let name = event.to_possible_value().ok_or("a name")?.get_name().to_owned();
        let count = (run(&name, MANY)? - run(&name, FEW)?) / u64::try_from(MANY - FEW)?;
        counted.insert(name, count);
    }
    let mut out = std::io::stdout();
    if arguments.bless {
        fs::write(&arguments.file, file(rustc, &arguments.files, &counted))?;
        writeln!(out, "written: {}", arguments.file.display())?;
        return Ok(true);
    }
    let committed = read(&arguments.file)?;
    if committed.instructions.keys().ne(counted.keys()) {
        return Err(format!(
            "{} is not of these events: BLESS=1 make instructions",
            arguments.file.display()
        )
        .into());
    }
    let (mut dearer, mut cheaper) = (false, false);
    for (name, &now) in &counted {
        let before = committed.instructions[name];
        let change = change(before, now);
        dearer |= change > TOLERANCE;
        cheaper |= change < -TOLERANCE;
        writeln!(
            out,
            "{name:<24} {before:>7} → {now:>7} instructions, {:+.1} %",
            change * 100.0
        )?;
    }
    if committed.rustc != rustc {
        writeln!(
            out,
            "counted with {rustc}, committed with {}: not compared; BLESS=1 make instructions writes {}",
            committed.rustc,
            arguments.file.display()
        )?;
        return Ok(true);
    }
    if committed.files != arguments.files {
        writeln!(
            out,
            "files have changed since it was counted; after BLESS=1 make instructions, the merge check need not count again"
        )?;
    }
    if dearer {
        writeln!(
            out,
            "FAILED: an event costs more than {:.0} % more instructions than {} says. If that is right, type BLESS=1 make instructions, \
             and say why in the commit",
            TOLERANCE * 100.0,
            arguments.file.display()
        )?;
    } else if cheaper {
        writeln!(
            out,
            "cheaper than committed: BLESS=1 make instructions keeps it so"
        )?;
    }
    Ok(!dearer)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn change(before: u64, now: u64) -> f64 {
    now as f64 / before as f64 - 1.0
}

/// Instructions of this program when it takes in that many events.
fn run(event: &str, number: usize) -> Result<u64, Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--events", event, &number.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split("Collected :").nth(1));
    match collected.and_then(|number| number.trim().parse().ok()) {
        Some(instructions) if output.status.success() => Ok(instructions),
        _ => Err(format!("valgrind: {told}").into()),
    }
}

fn read(file: &Path) -> Result<Committed, Failure> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(toml::from_str(&text)?)
}

fn file(rustc: &str, files: &str, counted: &BTreeMap<String, u64>) -> String {
    let mut text = format!(
        "# Instructions of an event from text to ledger. Written by `BLESS=1 make instructions`; `make instructions` fails when one becomes\n\
         # more than {:.0} % dearer. A commit that changes a number says why.\n\
         rustc = {rustc:?}\n\
         # By `deploy/scripts/counted.sh`: the merge check counts only other files.\n\
         files = {files:?}\n\n[instructions]\n",
        TOLERANCE * 100.0
    );
    for (name, count) in counted {
        writeln!(text, "{name} = {count}").expect("a String takes any text");
    }
    text
}

const fn guild(at: u64) -> u64 {
    100_000_000_000_000_000 + at * 7_919
}

/// A payload as Discord sends it, of its usual length.
fn text(event: Counted, at: usize) -> String {
    // Four a second: each known member writes every 100 s, when the cooldown is over.
    let (sequence, sent) = (at + 1, 1_309_100_000_000_000_000_u64 + ((at as u64 * 250) << 22));
    let writer = if event == Counted::MessageOfNewMember {
        at
    } else {
        at * 31 % KNOWN
    };
    let (guild, user) = (
        guild(writer as u64 % GUILDS + 1),
        200_000_000_000_000_000 + writer as u64 * 4_194_304,
    );
    if event == Counted::UnhandledEvent {
        return format!(
            r#"{{"t":"TYPING_START","s":{sequence},"op":0,"d":{{"user_id":"{user}","timestamp":1795255530,"channel_id":"400000000000000002","guild_id":"{guild}","member":{{"user":{{"username":"somebody","public_flags":64,"id":"{user}","global_name":null,"discriminator":"0","bot":false,"avatar_decoration_data":null,"avatar":"0123456789abcdef0123456789abcdef"}},"roles":["500000000000000005","500000000000000006"],"premium_since":null,"pending":false,"nick":null,"mute":false,"joined_at":"2021-02-03T04:05:06.789000+00:00","flags":0,"deaf":false,"communication_disabled_until":null,"avatar":null}}}}}}"#
        );
    }
    format!(
        concat!(
            r#"{{"t":"MESSAGE_CREATE","s":{},"op":0,"d":{{"type":0,"tts":false,"timestamp":"2026-11-21T10:15:30.123000+00:00","#,
            r#""pinned":false,"nonce":"{}","mentions":[{{"username":"other","public_flags":0,"id":"200000000000000003","member":"#,
            r#"{{"roles":["500000000000000005"],"premium_since":null,"pending":false,"nick":null,"mute":false,"#,
            r#""joined_at":"2020-01-02T03:04:05.678000+00:00","flags":0,"deaf":false,"communication_disabled_until":null,"avatar":null}},"#,
            r#""global_name":"Other","discriminator":"0","avatar":null}}],"mention_roles":[],"mention_everyone":false,"member":{{"roles":"#,
            r#"["500000000000000005","500000000000000006"],"premium_since":null,"pending":false,"nick":"Some \"body\"","mute":false,"#,
            r#""joined_at":"2021-02-03T04:05:06.789000+00:00","flags":0,"deaf":false,"communication_disabled_until":null,"avatar":null}},"#,
            r#""id":"{}","flags":0,"embeds":[],"edited_timestamp":null,"content":"","components":[],"channel_type":0,"#,
            r#""channel_id":"400000000000000002","author":{{"username":"somebody","public_flags":64,"primary_guild":null,"id":"{}","#,
            r#""global_name":"Somebody Else","discriminator":"0","collectibles":null,"clan":null,"avatar_decoration_data":null,"#,
            r#""avatar":"0123456789abcdef0123456789abcdef"}},"attachments":[],"guild_id":"{}"}}}}"#
        ),
        sequence, sent, sent, user, guild
    )
}
