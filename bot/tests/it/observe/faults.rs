//! Faults, and the alerts that must fire: these, and no others.
//!
//! The rules are the repository's own with a `for` of 2 s and ranges of a minute; the thresholds are unchanged.

mod list;

use std::{collections::BTreeSet, fs, path::PathBuf, process::Stdio, time::Duration};

use discord_simulator::{InteractionRequest, Rate, Simulator, SimulatorConfig};
use futures_util::future::LocalBoxFuture;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{process::Child, time::Instant};

use self::list::FAULTS;
use super::{
    prometheus::{Pace, Prometheus, a_scrape},
    say,
};
use crate::support::{
    Scene,
    bot::{command_on, discord},
    session::Session,
    until,
};

/// How long an alert may take to fire: the longest waits for a lag of a minute.
const IN_TIME: Duration = Duration::from_mins(3);
/// Looks after that for alerts that should not.
const LOOKS_AFTER: usize = 8;

/// Something that goes wrong.
struct Fault {
    name: &'static str,
    /// Alerts that must fire.
    tells: &'static [&'static str],
    /// Alerts that may fire as well, since it follows from the fault or the hurried pace.
    follows: &'static [&'static str],
    world: fn(&mut SimulatorConfig),
    settings: &'static [(&'static str, &'static str)],
    /// Whether it is so from the start, by `world` or `settings`.
    from_the_start: bool,
    /// Causes the fault. One that lasts until the alert has fired does not return.
    cause: for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, ()>,
    /// Fixes the fault, if the test checks that the alert ends.
    mend: Option<for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, ()>>,
}

const NOTHING: Fault = Fault {
    name: "",
    tells: &[],
    follows: &[],
    world: |_| {},
    settings: &[],
    from_the_start: false,
    cause: |_| Box::pin(async {}),
    mend: None,
};

/// The bot, and everything around it.
struct Stage {
    scene: Scene,
    discord: Simulator,
    bot: Child,
    prometheus: Prometheus,
    directory: TempDir,
}

impl Stage {
    async fn new(fault: &Fault) -> Self {
        let mut world = SimulatorConfig {
            shards: 2,
            guilds: 20,
            members: 2_000,
            rate: Rate::PerSecond(200.0),
            ..SimulatorConfig::default()
        };
        (fault.world)(&mut world);
        let scene = Scene::new().await;
        let discord = discord(world).await;
        let directory = TempDir::new().expect("a directory");
        let log = directory.path().join("log");
        let bot = command_on(&discord, &scene.postgres.connection())
            .env("EVENTIDE__LOG__FORMAT", "json")
            .envs(fault.settings.iter().copied())
            .stderr(Stdio::from(fs::File::create(&log).expect("a log")))
            .spawn()
            .expect("the binary starts");
        let address = until("the bot says where its metrics are", async || {
            let log = fs::read_to_string(&log).ok()?;
            let (_, rest) = log.split_once("\"http.address\":\"")?;
            rest.split('"').next().map(str::to_owned)
        })
        .await;
        let stage = Self {
            prometheus: Prometheus::start(&[address], Pace::Hurried).await,
            scene,
            discord,
            bot,
            directory,
        };
        until("both shards are up, and Prometheus knows", async || {
            let up = stage.prometheus.query("sum(eventide_shard_up) == 2").await;
            up.is_ok_and(|series| !series.is_empty()).then_some(())
        })
        .await;
        if !fault.from_the_start {
            until("nothing is wrong", async || {
                stage.active().await.is_empty().then_some(())
            })
            .await;
        }
        stage
    }

    /// Alerts that fire or are about to.
    async fn active(&self) -> BTreeSet<String> {
        let rules = self.prometheus.rules().await.into_iter();
        let active = rules.filter(|rule| rule.state != "inactive");
        active.map(|rule| rule.name).collect()
    }

    async fn firing(&self) -> BTreeSet<String> {
        let rules = self.prometheus.rules().await.into_iter();
        let firing = rules.filter(|rule| rule.state == "firing");
        firing.map(|rule| rule.name).collect()
    }

    fn signal_bot(&self, signal: Signal) {
        let pid = i32::try_from(self.bot.id().expect("it runs")).expect("a pid");
        kill(Pid::from_raw(pid), signal).expect("a signal");
    }

    async fn session(&self) -> Session {
        Session::open(&self.scene.postgres.connection().into()).await
    }

    fn postmaster(&self) -> PathBuf {
        self.scene.postgres.data_directory().join("postmaster.pid")
    }

    /// A member uses `/rank`, without waiting for the reply.
    fn ask_for_a_rank(&self, number: u32) {
        let world = self.discord.world();
        let guild = world.guilds()[0].id();
        let member = world.member_id(guild, number % 100).expect("a member");
        let text = json!([{"name": "text", "type": 5, "value": true}]);
        self.discord
            .control()
            .interact(&InteractionRequest::command(guild, member, "rank", &text));
    }
}

/// The result of a fault.
struct Told {
    fired: BTreeSet<String>,
    after: Duration,
    ended_after: Option<Duration>,
}

async fn play(fault: &Fault) -> Told {
    let stage = Stage::new(fault).await;
    let tells: BTreeSet<String> = fault.tells.iter().map(|&name| name.to_owned()).collect();
    let begun = Instant::now();
    let mut fired = BTreeSet::new();
    let mut after = None;
    let mut looks_left = LOOKS_AFTER;
    {
        let mut cause = std::pin::pin!((fault.cause)(&stage));
        let mut caused = false;
        while looks_left > 0 {
            tokio::select! {
                () = &mut cause, if !caused => caused = true,
                () = a_scrape() => {
                    fired.extend(stage.firing().await);
                    if after.is_some() {
                        looks_left -= 1;
                    } else if tells.is_subset(&fired) {
                        after = Some(begun.elapsed());
                    } else if begun.elapsed() > IN_TIME {
                        break;
                    }
                }
            }
        }
    }
    let mut ended_after = None;
    if let (Some(mend), true) = (fault.mend, after.is_some()) {
        let begun = Instant::now();
        mend(&stage).await;
        until("the alert has ended", async || {
            stage.firing().await.is_disjoint(&tells).then_some(())
        })
        .await;
        ended_after = Some(begun.elapsed());
    }
    drop(stage.bot);
    drop(stage.prometheus);
    stage
        .scene
        .postgres
        .stop(eventide::postgres::embedded::StopMode::Immediate)
        .await
        .ok();
    Told {
        fired,
        after: after.unwrap_or(IN_TIME),
        ended_after,
    }
}

/// Every fault with `only` in its name, one after the other.
pub(super) async fn all(only: &str) {
    say("Alerts, with a for of 2 s and ranges of a minute\n");
    say(&format!(
        "{:<56} {:>8} {:>9}  ALERTS THAT FIRED",
        "FAULT", "AFTER", "ENDED"
    ));
    let names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    assert!(
        names.iter().any(|name| name.to_lowercase().contains(only)),
        "no row's name has {only:?} in it; there are: {}",
        names.join(", ")
    );
    let mut wrong = Vec::new();
    let mut told_of = BTreeSet::new();
    for fault in FAULTS {
        if !fault.name.to_lowercase().contains(only) {
            continue;
        }
        let told = play(fault).await;
        let seconds = |duration: Duration| format!("{:.0} s", duration.as_secs_f64());
        let names: Vec<&str> = told.fired.iter().map(String::as_str).collect();
        say(&format!(
            "{:<56} {:>8} {:>9}  {}",
            fault.name,
            seconds(told.after),
            told.ended_after.map_or_else(String::new, seconds),
            names.join(", ")
        ));
        for name in fault.tells {
            if told.fired.contains(*name) {
                told_of.insert(*name);
            } else {
                wrong.push(format!("{}: {name} did not fire", fault.name));
            }
        }
        for name in names {
            if !fault.tells.contains(&name) && !fault.follows.contains(&name) {
                wrong.push(format!("{}: {name} fired, and should not", fault.name));
            }
        }
    }
    if only.is_empty() {
        let rules =
            fs::read_to_string(super::prometheus::repository("deploy/prometheus/alerts.yml")).expect("rules");
        for name in rules
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- alert: "))
        {
            if !told_of.contains(name) {
                wrong.push(format!("no fault makes {name} fire"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
