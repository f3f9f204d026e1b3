//! `[commands]`: slash commands.

use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    config::reader::{Reader, Text},
    support::ids,
};

/// Slash commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Whether the commands are registered with Discord when they have changed.
    pub register: bool,
    /// The only server in which the commands are registered; `None` registers them globally.
    pub test_guild: Option<Id<GuildMarker>>,
}

impl Commands {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("commands", "Slash commands.");
        Self {
            register: section.boolean(
                "register",
                true,
                "Register the commands with Discord when they have changed; otherwise run `eventide commands sync`.",
            ),
            test_guild: section.optional_text(
                &Text {
                    name: "test_guild",
                    default: "",
                    allowed: "a server's ID",
                    why: "Register the commands in this server only, for testing.",
                },
                ids::written,
            ),
        }
    }
}
