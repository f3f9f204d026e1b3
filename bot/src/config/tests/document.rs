//! `docs/configuration.md`, generated from the declarations of the keys.

use std::fmt::Write;

use crate::{
    app::documents,
    config::{Config, reader::Reader, sources::Sources},
};

const HEAD: &str = "\
# Configuration

Written from the code by `make example`. [config.example.toml](../config.example.toml) has the same keys in the form of a file to copy. What a
server's admins choose in Discord is in [servers.md](servers.md).

The file is the one of `--config FILE`, else `config.toml` in the working directory. Each key can also be set by an environment variable,
`EVENTIDE__SECTION__KEY`. The order, strongest first: `EVENTIDE__SECTION__KEY`, the conventional variable where the key has one, the file, the
default. An empty variable counts as unset. Unknown keys are refused. All mistakes are reported at once, one line each, with exit code 64.

PostgreSQL addresses are URIs or key=value strings as libpq reads them, password files (`PGPASSFILE`) included. In a URI's password, write @ as
%40, / as %2F and # as %23.
";

fn text() -> String {
    let mut reader = Reader::new(Sources::default(), Vec::new());
    Config::build(&mut reader);
    let mut text = HEAD.to_owned();
    for heading in &reader.headings {
        let (name, about) = (heading.name, heading.about);
        write!(
            text,
            "\n## {name}\n\n{about}\n\n| Key | Default | Allowed | |\n|---|---|---|---|\n"
        )
        .expect("a String takes any text");
        for key in reader.declared.iter().filter(|key| key.section == name) {
            let variable = key
                .variable
                .map_or_else(String::new, |variable| format!(" Variable: `{variable}`."));
            let row = format!(
                "| `{name}.{}` | `{}` | {} | {}{variable} |\n",
                key.name, key.default, key.allowed, key.why
            );
            text.push_str(&row);
        }
    }
    text
}

/// `BLESS=1 cargo test configuration_md` rewrites the file.
#[test]
fn configuration_md_is_what_the_code_says() {
    documents::assert_written("docs/configuration.md", &text());
}

/// Every key that a document names exists.
#[test]
fn every_key_that_is_written_about_is_there() {
    let mut reader = Reader::new(Sources::default(), Vec::new());
    Config::build(&mut reader);
    let mut named = 0;
    // The changelog also names keys that were removed.
    for (path, text) in documents::all()
        .into_iter()
        .filter(|(path, _)| path != "CHANGELOG.md")
    {
        for span in documents::code_spans(&text) {
            let Some((section, rest)) = span.split_once('.') else {
                continue;
            };
            let name = rest.split_once(' ').map_or(rest, |(name, _)| name);
            let is_key = reader.headings.iter().any(|heading| heading.name == section)
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                && !["rs", "toml"].contains(&name);
            if is_key {
                named += 1;
                assert!(
                    reader
                        .declared
                        .iter()
                        .any(|key| (key.section, key.name) == (section, name)),
                    "{path}: there is no key {span}"
                );
            }
        }
    }
    assert!(named > 50, "{named}");
}
