//! The bot's clock is wrong, with the library libfaketime between it and the system.

use std::{
    fs,
    path::{Path, PathBuf},
};

use time::{OffsetDateTime, macros::format_description};

use super::{Fault, stage::Stage};
use crate::support::until;

pub(super) fn faults() -> Vec<Fault> {
    let with_a_clock = |name, inject| Fault {
        settings: a_clock_of_its_own,
        missing: || {
            library().is_none().then(|| {
                "libfaketime is missing; type: sudo apt-get install --no-install-recommends faketime"
                    .to_owned()
            })
        },
        ..Fault::new(name, inject)
    };
    vec![
        with_a_clock("the bot's clock is set back by an hour", |stage, _| {
            Box::pin(async move { set(stage, "-3600").await })
        }),
        with_a_clock("the bot's clock jumps two days ahead, and back", |stage, _| {
            Box::pin(async move {
                set(stage, "+172800").await;
                set(stage, "+0").await;
            })
        }),
        with_a_clock(
            "SIGKILL of the bot, which starts with a clock a year behind",
            |stage, _| {
                Box::pin(async move {
                    stage.bot.kill().await.expect("SIGKILL");
                    fs::write(file(stage.directory.path()), "-31536000\n").expect("written");
                    stage.start_bot();
                    works_with(stage, "-31536000").await;
                    set(stage, "+0").await;
                })
            },
        ),
    ]
}

/// Where Debian's package installs it.
fn library() -> Option<PathBuf> {
    fs::read_dir("/usr/lib").ok()?.flatten().find_map(|entry| {
        let library = entry.path().join("faketime/libfaketimeMT.so.1");
        library.exists().then_some(library)
    })
}

fn file(directory: &Path) -> PathBuf {
    directory.join("clock")
}

fn a_clock_of_its_own(directory: &Path) -> Vec<(&'static str, String)> {
    let file = file(directory);
    fs::write(&file, "+0\n").expect("written");
    let path = |path: PathBuf| path.into_os_string().into_string().expect("UTF-8");
    vec![
        ("LD_PRELOAD", library().map(path).unwrap_or_default()),
        ("FAKETIME_TIMESTAMP_FILE", path(file)),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        // An operator who sets the clock changes the time of day; the clock for timers continues.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

/// Set the bot's clock, and let it run with that.
async fn set(stage: &mut Stage, offset: &str) {
    let (file, new) = (file(stage.directory.path()), stage.directory.path().join("new"));
    // In one step: half a number would be another time.
    fs::write(&new, format!("{offset}\n")).expect("written");
    fs::rename(new, file).expect("renamed");
    works_with(stage, offset).await;
}

/// Let the bot work and reconnect, and check in its log that its clock is wrong by this many seconds.
async fn works_with(stage: &mut Stage, offset: &str) {
    stage.receives().await;
    stage
        .on_gateway(|discord| {
            discord.control().reconnect(None);
        })
        .await;
    let minute = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let its = OffsetDateTime::now_utc() + time::Duration::seconds(offset.parse().expect("seconds"));
    let wanted = [its, its - time::Duration::minutes(1)].map(|time| {
        let time = time.format(minute).expect("a time");
        format!("\"timestamp\":\"{time}")
    });
    until("the log shows the bot's clock", async || {
        let log = stage.log();
        let last = log.lines().last().expect("a line");
        wanted.iter().any(|time| last.contains(time)).then_some(())
    })
    .await;
}
