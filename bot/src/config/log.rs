//! `[log]`: what is logged, and how.

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::config::reader::{Reader, Text};

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Directives of [`EnvFilter`], checked at load.
    pub level: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `Human` on a terminal, `Json` otherwise.
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object a line.
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

    /// `text` if it is a list of levels and `target=level`. `EnvFilter` alone would take `warning` for the name of a target, and show
    /// everything of a target that does not exist.
    pub fn directives(text: &str) -> Option<String> {
        let known = |part: &str| {
            let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
            level.parse::<u8>().is_err() && level.parse::<LevelFilter>().is_ok()
        };
        let readable = !text.is_empty() && text.split(',').all(|part| known(part.trim()));
        (readable && EnvFilter::builder().parse(text).is_ok()).then(|| text.to_owned())
    }
}
