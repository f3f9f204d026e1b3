//! `[log]`: the level and format of the logs.

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::config::reader::{Reader, Text};

/// The level and format of the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The format of a line.
    pub format: LogFormat,
    /// Directives of [`EnvFilter`], validated when the configuration is loaded.
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
                Self::directives,
            ),
        }
    }

    /// Return `text` if it is a list of levels and `target=level`. `EnvFilter` alone would accept `warning` as the name of a target, and
    /// would enable everything for a target that does not exist.
    pub fn directives(text: &str) -> Option<String> {
        let known = |part: &str| {
            let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
            level.parse::<u8>().is_err() && level.parse::<LevelFilter>().is_ok()
        };
        let readable = !text.is_empty() && text.split(',').all(|part| known(part.trim()));
        (readable && EnvFilter::builder().parse(text).is_ok()).then(|| text.to_owned())
    }
}
