use std::path::Path;

use twilight_model::{
    application::command::{CommandOptionChoice, CommandOptionChoiceValue},
    channel::message::{Component, Embed},
    http::attachment::Attachment,
};
use twilight_util::builder::embed::{
    EmbedAuthorBuilder, EmbedBuilder, EmbedFieldBuilder, EmbedFooterBuilder,
};

use super::{CONTENT, EMBEDS_TOTAL, FILE_DESCRIPTION, cut::units, fit_choices, message};

fn long() -> String {
    "word 👍🏽 ".repeat(2_000)
}

fn embed() -> Embed {
    let mut embed = EmbedBuilder::new()
        .title(long())
        .description(long())
        .author(EmbedAuthorBuilder::new(long()))
        .footer(EmbedFooterBuilder::new(long()));
    for _ in 0..30 {
        embed = embed.field(EmbedFieldBuilder::new(long(), long()));
    }
    embed.build()
}

fn total(embeds: &[Embed]) -> usize {
    let texts = embeds.iter().flat_map(|embed| {
        let fields = embed.fields.iter().flat_map(|field| [&field.name, &field.value]);
        let author = embed.author.iter().map(|author| &author.name);
        let footer = embed.footer.iter().map(|footer| &footer.text);
        fields
            .chain(author)
            .chain(footer)
            .chain(&embed.title)
            .chain(&embed.description)
    });
    texts.map(|text| units(text)).sum()
}

#[test]
fn every_part_at_more_than_its_maximum() {
    let (mut content, mut embeds, mut rows) = (long(), vec![embed(); 12], Vec::<Component>::new());
    let mut file = Attachment::from_bytes("a.png".to_owned(), Vec::new(), 0);
    file.description(long());
    let mut files = vec![file; 12];
    message(&mut content, &mut embeds, &mut rows, &mut files);
    assert!(units(&content) <= CONTENT && units(&content) > CONTENT - 10);
    assert!(total(&embeds) <= EMBEDS_TOTAL && total(&embeds) > EMBEDS_TOTAL - 100);
    assert_eq!((embeds.len(), files.len()), (10, 10));
    for file in &files {
        let description = file.description.as_deref().expect("one");
        assert!(units(description) <= FILE_DESCRIPTION);
    }
    // twilight validates independently.
    twilight_validate::message::content(&content).expect("within the limit");
    for embed in embeds.iter().take(1) {
        twilight_validate::embed::embed(embed).expect("within the limits");
    }
}

#[test]
fn a_short_embed_loses_nothing_to_a_long_one() {
    let short = EmbedBuilder::new().title("title").description("text").build();
    let mut embeds = vec![short.clone(), embed()];
    message(&mut String::new(), &mut embeds, &mut Vec::new(), &mut Vec::new());
    assert_eq!(embeds[0], short);
}

#[test]
fn choices_keep_their_values() {
    let choice = |value: String| CommandOptionChoice {
        name: long(),
        name_localizations: None,
        value: CommandOptionChoiceValue::String(value),
    };
    let mut choices = vec![choice("x".repeat(101))];
    choices.extend((0..30).map(|at| choice(at.to_string())));
    fit_choices(&mut choices);
    assert_eq!(choices.len(), 25);
    assert!(choices.iter().all(|choice| units(&choice.name) <= 100));
    assert_eq!(choices[0].value, CommandOptionChoiceValue::String("0".to_owned()));
}

/// Calls that shorten text, without white space.
const SHORTENING: [&str; 2] = ["chars().take(", ".truncate("];

/// Modules that do not produce text for Discord: lists of members, images, files of other bots, and pages of the website.
const NO_TEXTS: [&str; 6] = [
    "features/levels/pages",
    "features/levels/rows",
    "features/moderation/pages",
    "features/levels/adjust.rs",
    "features/levels/card",
    "features/levels/import",
];

fn shortening(directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if NO_TEXTS.iter().any(|other| path.ends_with(other)) {
            continue;
        }
        if path.is_dir() {
            shortening(&path, found);
        } else if !path.ends_with("tests.rs") {
            let source: String = std::fs::read_to_string(&path).expect("text");
            let source: String = source.split_whitespace().collect();
            let calls = SHORTENING.iter().filter(|call| source.contains(**call));
            found.extend(calls.map(|call| format!("{call} in {}", path.display())));
        }
    }
}

/// Modules that produce text for Discord leave its length to this module.
#[test]
fn nothing_else_shortens_text() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for module in ["discord/guilds", "features", "interactions", "outbox", "settings"] {
        shortening(&sources.join(module), &mut found);
    }
    assert!(found.is_empty(), "use text::limits: {found:?}");
    shortening(&sources.join("support/text"), &mut found);
    assert!(!found.is_empty(), "it would be found");
}
