//! `[log]`: the level and format of the logs.

use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::config::reader::{Reader, Text};

/// The level and format of the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The format of a line.
    pub format: LogFormat,
    /// Levels, as [`Log::targets`] reads them, validated when the configuration is loaded.
    pub level: String,
}

/// The format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `Human` on a terminal, `Json` otherwise.
    Auto,
    /// Text for humans.
    Human,
    /// One JSON object per line.
    Json,
}

impl Log {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("log", "Logging.");
        Self {
            format: section.text(
                &Text {
                    name: "format",
                    default: "auto",
                    allowed: "\"auto\", \"human\" or \"json\"",
                    why: "\"auto\" is readable text on a terminal and JSON anywhere else.",
                },
                |text| match text {
                    "auto" => Some(LogFormat::Auto),
                    "human" => Some(LogFormat::Human),
                    "json" => Some(LogFormat::Json),
                    _ => None,
                },
            ),
            level: section.text(
                &Text {
                    name: "level",
                    default: "info",
                    allowed: "error, warn, info, debug, trace or off, optionally followed by target=level after commas",
                    why: "Log level; \"info,eventide=debug\" shows more of the bot alone. `eventide log` changes it at run time.",
                },
                |text| Self::targets(text).map(|_read| text.to_owned()),
            ),
        }
    }

    /// Read a list of levels and `target=level`. [`Targets`] itself would accept `warning` as the name of a target, and would enable
    /// everything for a target that does not exist.
    pub fn targets(text: &str) -> Option<Targets> {
        text.split(',')
            .map(str::trim)
            .try_fold(Targets::new(), |read, part| {
                let (target, level) = part
                    .rsplit_once('=')
                    .map_or((None, part), |(target, level)| (Some(target), level));
                // To tracing a number is a level as well, and nothing is `error`.
                let is_name = level.chars().all(|letter| letter.is_ascii_alphabetic()) && !level.is_empty();
                let level: LevelFilter = is_name.then(|| level.parse().ok())??;
                let Some(target) = target else {
                    return Some(read.with_default(level));
                };
                let is_path = |letter: char| letter.is_ascii_alphanumeric() || "_:-".contains(letter);
                (!target.is_empty() && target.chars().all(is_path)).then(|| read.with_target(target, level))
            })
    }
}
