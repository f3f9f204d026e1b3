//! The example file, written from the same declarations that read a real one.

use std::fmt::Write;

use crate::config::reader::Reader;

const HEAD: &str = "\
# Eventide's configuration: every key with its default, its unit and what is allowed.
#
# Copy this file to config.toml and take the # away from what you change; a key that stays away has the default.
# Each key can also be given as a variable, EVENTIDE__SECTION__KEY, which is stronger than the file:
#
#     EVENTIDE__LEVELS__COOLDOWN_SECONDS=30 EVENTIDE__LEVELS__XP_PER_MESSAGE='[10, 20]' make run
#
# DISCORD_TOKEN, DATABASE_*URL, DATABASE_SSL, DB_SCHEMA, PGPASSFILE and PG_* are read too: stronger than the file, weaker than EVENTIDE__… . An empty
# variable counts as not set. Mistakes are all reported at the start, and nothing runs until they are gone.
";

/// The example file's text.
pub(super) fn render(reader: &Reader) -> String {
    let mut text = HEAD.to_owned();
    for heading in &reader.headings {
        write!(text, "\n# {}\n[{}]\n", heading.about, heading.name).expect("a String takes any text");
        for key in reader.declared.iter().filter(|key| key.section == heading.name) {
            let line = format!(
                "\n# {}\n# Allowed: {}.\n#{} = {}\n",
                key.why, key.allowed, key.name, key.default
            );
            text.push_str(&line);
        }
    }
    text
}
