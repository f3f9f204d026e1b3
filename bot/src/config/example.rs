//! The example file, generated from the declarations that are also used for reading the configuration.

use std::fmt::Write;

use crate::config::reader::Reader;

const HEAD: &str = "\
# Eventide's configuration: every key with its default, its unit and what is allowed.
#
# Copy this file to config.toml and uncomment what you change; omitted keys use their default. Each key can also be
# set by an environment variable, EVENTIDE__SECTION__KEY, which overrides the file:
#
#     EVENTIDE__LEVELS__COOLDOWN_SECONDS=30 EVENTIDE__LEVELS__XP_PER_MESSAGE='[10, 20]' make run
#
# The conventional variables that are named at their keys override the file, too, but not EVENTIDE__…; PGPASSFILE names
# libpq's password file. An empty variable counts as unset. All mistakes are reported at startup, and nothing runs until
# they are corrected.
";

/// The text of the example file.
pub(super) fn render(reader: &Reader) -> String {
    let mut text = HEAD.to_owned();
    for heading in &reader.headings {
        write!(text, "\n# {}\n[{}]\n", heading.about, heading.name).expect("a String takes any text");
        for key in reader.declared.iter().filter(|key| key.section == heading.name) {
            write!(text, "\n# {}\n# Allowed: {}.\n", key.why, key.allowed).expect("a String takes any text");
            if let Some(variable) = key.variable {
                writeln!(text, "# Variable: {variable}.").expect("a String takes any text");
            }
            writeln!(text, "#{} = {}", key.name, key.default).expect("a String takes any text");
        }
    }
    text
}
