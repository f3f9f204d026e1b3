//! `docs/cli.md`, generated from clap's command tree.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command, CommandFactory};

use crate::app::{cli::Cli, documents};

const HEAD: &str = "\
# Command line

Generated from the binary's own help by `make example`.

Every command accepts `--help` and `--config FILE`; without a file it reads `config.toml` in the working directory, if that exists. Commands that
need the database also work while the bot runs its private PostgreSQL. If no bot is running, they start that server and stop it afterwards.

| Exit code | |
|---|---|
| 0 | success; of `run`, a clean stop |
| 1 | a failure; of `run`, a failed start, a fatal answer from Discord, or a shutdown that was forced or took too long |
| 2 | `import` rejected some rows and imported the others |
| 64 | a mistake in the configuration or on the command line |
";

fn text() -> String {
    let mut root = Cli::command();
    root.build();
    let mut text = HEAD.to_owned();
    for command in root.get_subcommands() {
        section(&mut text, command, "eventide", &["config"]);
    }
    text
}

/// A command and its subcommands, without options inherited from the parent command.
fn section(text: &mut String, command: &Command, parent: &str, inherited: &[&str]) {
    if command.get_name() == "help" {
        return;
    }
    let path = format!("{parent} {}", command.get_name());
    let about = command
        .get_long_about()
        .or_else(|| command.get_about())
        .expect("every command says what it does");
    let depth = "#".repeat(path.split(' ').count());
    write!(text, "\n{depth} {path}\n\n{about}\n").expect("a String takes any text");
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !inherited.contains(&argument.get_id().as_str()) && !is_help(argument))
        .collect();
    if !arguments.is_empty() {
        text.push_str("\n| | Default | |\n|---|---|---|\n");
    }
    let mut inherited = inherited.to_vec();
    for argument in arguments {
        row(text, argument);
        inherited.extend(argument.is_global_set().then(|| argument.get_id().as_str()));
    }
    for command in command.get_subcommands() {
        section(text, command, &path, &inherited);
    }
}

fn is_help(argument: &Arg) -> bool {
    matches!(
        argument.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    )
}

fn row(text: &mut String, argument: &Arg) {
    let takes_value = argument.get_action().takes_values();
    let name = if argument.is_positional() || !takes_value {
        argument.to_string()
    } else {
        // clap renders `--out <FILE>`; without the brackets it is easier to read in a table.
        argument.to_string().replace(['<', '>'], "")
    };
    let default = argument
        .get_default_values()
        .iter()
        .filter(|_| takes_value)
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(", ");
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    writeln!(text, "| `{name}` | {default} | {help}{} |", values(argument)).expect("a String takes any text");
}

/// The possible values of an option, if they are a list, with their descriptions.
fn values(argument: &Arg) -> String {
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| argument.get_action().takes_values() && !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if values.is_empty() {
        String::new()
    } else {
        format!(": {}", values.join(", "))
    }
}

/// `BLESS=1 cargo test cli_md` rewrites the file.
#[test]
fn cli_md_is_what_the_code_says() {
    Cli::command().debug_assert();
    documents::assert_written("docs/cli.md", &text());
}
