//! The output of the demo: a small table that is redrawn on a terminal, and plain lines elsewhere.

use std::{
    io::{IsTerminal as _, Write as _, stdout},
    net::SocketAddr,
    time::Duration,
};

use discord_simulator::{Control, Report};
use tokio::time::Instant;
use twilight_model::id::{Id, marker::UserMarker};

use super::{Options, figures, figures::Figures};
use crate::{
    app::bot::Bot, discord::shards::ShardState, features::levels::rows::leaderboard::Standing,
    settings::values::curve::Curve,
};

/// The interval of plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// The demo's output.
#[derive(Debug)]
pub struct View {
    options: Options,
    address: SocketAddr,
    redraws: bool,
    /// The number of lines of the table on the terminal.
    drawn: usize,
    last: Option<Snapshot>,
    last_plain: Option<Instant>,
    last_chaos: String,
}

/// Counters at one time.
#[derive(Clone, Copy, Debug)]
struct Snapshot {
    at: Instant,
    events: f64,
    rows: f64,
}

impl View {
    /// The output of a run.
    pub fn new(options: Options, address: SocketAddr) -> Self {
        Self {
            options,
            address,
            redraws: stdout().is_terminal(),
            drawn: 0,
            last: None,
            last_plain: None,
            last_chaos: String::new(),
        }
    }

    /// Print a line.
    pub fn line(&mut self, text: &str) {
        self.drawn = 0;
        print(&format!("{text}\n"));
    }

    /// Show a fault.
    pub fn chaos(&mut self, what: &str) {
        if self.redraws {
            what.clone_into(&mut self.last_chaos);
        } else {
            self.line(&format!("chaos: {what}"));
        }
    }

    /// Show the current state.
    pub fn tick(&mut self, bot: &Bot, control: &Control, elapsed: Duration) {
        let due = self.redraws || self.last_plain.is_none_or(|at| at.elapsed() >= PLAIN_INTERVAL);
        if due {
            self.show(bot, control, elapsed);
        }
    }

    /// Show the final state.
    pub fn end(&mut self, bot: &Bot, control: &Control, elapsed: Duration) {
        self.show(bot, control, elapsed);
        self.drawn = 0;
    }

    fn show(&mut self, bot: &Bot, control: &Control, elapsed: Duration) {
        let figures = figures();
        let now = Snapshot {
            at: Instant::now(),
            events: figures.sum("eventide_gateway_events_total"),
            rows: figures.sum("eventide_flush_rows_total"),
        };
        let (events_per_s, rows_per_s) = self.last.map_or((0.0, 0.0), |last| {
            let seconds = (now.at - last.at).as_secs_f64().max(0.001);
            (
                (now.events - last.events) / seconds,
                (now.rows - last.rows) / seconds,
            )
        });
        self.last = Some(now);
        let up = bot
            .shards
            .list()
            .iter()
            .filter(|shard| shard.state() == ShardState::Up)
            .count();
        let rows: usize = bot.shards.list().iter().map(|shard| shard.rows()).sum();
        let (pool_size, pool_in_use) = bot.store.pool_usage();
        let stats = control.stats();
        // After that, the demo waits until everything sent has been processed.
        let planned = self.options.duration;
        let table = [
            (
                "time",
                format!("{} of {} s", elapsed.min(planned).as_secs(), planned.as_secs()),
            ),
            (
                "events",
                format!(
                    "{events_per_s:.0}/s, {} sent, {} replayed",
                    stats.generated - stats.filtered,
                    stats.replayed
                ),
            ),
            ("rows", format!("{rows_per_s:.0}/s, {:.0} written", now.rows)),
            (
                "ledger",
                format!(
                    "{rows} rows, {:.1} of {} MiB",
                    mebibytes(bot.memory.used()),
                    bot.memory.limit() >> 20
                ),
            ),
            (
                "flush",
                format!("p50 {}, p99 {}", millis(&figures, 0.5), millis(&figures, 0.99)),
            ),
            ("pool", format!("{pool_in_use} of {pool_size} connections in use")),
            (
                "shards",
                format!(
                    "{up} of {} up, {} identifies, {} resumes",
                    bot.shards.list().len(),
                    stats.sessions_started(),
                    stats.resumes
                ),
            ),
            (
                "answers",
                format!(
                    "{:.0} to commands, {:.0} levels announced",
                    figures.sum("eventide_interactions_total"),
                    figures.sum("eventide_effects_delivered_total")
                ),
            ),
            ("metrics", format!("http://{}/metrics", self.address)),
            ("chaos", self.last_chaos.clone()),
        ];
        if self.redraws {
            let mut text = format!("\x1b[{}A", self.drawn);
            if self.drawn == 0 {
                text.clear();
            }
            let rows = table
                .iter()
                .filter(|(name, _)| *name != "chaos" || self.options.chaos);
            self.drawn = 0;
            for (name, value) in rows {
                let line = format!("\x1b[2K  {name:<8} {value}\n");
                text.push_str(&line);
                self.drawn += 1;
            }
            print(&text);
        } else {
            self.last_plain = Some(Instant::now());
            let parts: Vec<String> = table
                .iter()
                .filter(|(name, _)| *name != "chaos" && (*name != "metrics" || self.drawn == 0))
                .map(|(name, value)| format!("{name} {value}"))
                .collect();
            print(&format!("{}\n", parts.join(" | ")));
        }
    }

    /// The top members of a guild.
    pub fn leaderboard(&mut self, guild: &str, standings: &[Standing], name: impl Fn(u64) -> String) {
        self.line(&format!("\nLeaderboard of {guild}, the busiest guild"));
        for (place, standing) in standings.iter().enumerate() {
            let user: Id<UserMarker> = standing.user_id;
            self.line(&format!(
                "  {}. {:<24} level {:>2}  {:>6} XP  {:>6} messages",
                place + 1,
                name(user.get()),
                Curve::Mee6.level_of(standing.xp),
                standing.xp,
                standing.message_count,
            ));
        }
    }

    /// Whether everything was counted exactly once.
    pub fn reconciliation(&mut self, report: &Report, cpu_per_event: Option<Duration>) {
        if let Some(cpu) = cpu_per_event {
            #[expect(clippy::cast_precision_loss, reason = "microseconds")]
            let micros = cpu.as_nanos() as f64 / 1_000.0;
            // `make demo` builds quickly rather than well.
            let build = match env!("EVENTIDE_OPT_LEVEL") {
                "0" => " (in this build, which is not optimized; `make bench` measures one that is)",
                _ => "",
            };
            self.line(&format!(
                "\nCPU of the bot, without simulator and PostgreSQL: {micros:.1} µs per event{build}"
            ));
        }
        self.line(&format!(
            "\nReconciliation of the database with the simulator's oracle\n  {report}"
        ));
        for example in &report.examples {
            self.line(&format!("  {example:?}"));
        }
        self.line(if report.is_exact() {
            "  every message counted exactly once"
        } else {
            "  NOT EXACT"
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "a display")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn millis(figures: &Figures, quantile: f64) -> String {
    figures.quantile("eventide_flush_seconds", quantile).map_or_else(
        || "-".to_owned(),
        |seconds| format!("{:.1} ms", seconds * 1_000.0),
    )
}

fn print(text: &str) {
    let mut out = stdout();
    // A closed pipe (`demo | head`) does not end the demo.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
