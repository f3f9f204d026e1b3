//! Discord's length limits, applied here as the last step before a request, and nowhere else.
//!
//! Lengths are counted in UTF-16 code units. Discord does not document its unit, and no text has fewer code units than characters.
//! Sources: [messages](https://docs.discord.com/developers/resources/message#create-message),
//! [embeds](https://docs.discord.com/developers/resources/message#embed-object-embed-limits),
//! [components](https://docs.discord.com/developers/components/reference),
//! [choices](https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-choice-structure).

mod cut;

use twilight_model::{
    application::command::{CommandOptionChoice, CommandOptionChoiceValue},
    channel::message::{Component, Embed, component::ActionRow},
    http::{attachment::Attachment, interaction::InteractionResponse},
};

use self::cut::units;
pub(crate) use self::cut::{excerpt, fit};

/// The maximum length of a message's content.
pub(crate) const CONTENT: usize = 2_000;
/// The maximum length of a reason in a guild's audit log.
pub(crate) const AUDIT_REASON: usize = 512;

const EMBEDS: usize = 10;
const EMBEDS_TOTAL: usize = 6_000;
const EMBED_TITLE: usize = 256;
const EMBED_AUTHOR: usize = 256;
const EMBED_DESCRIPTION: usize = 4_096;
const EMBED_FOOTER: usize = 2_048;
const EMBED_FIELDS: usize = 25;
const EMBED_FIELD_NAME: usize = 256;
const EMBED_FIELD_VALUE: usize = 1_024;

const ROWS: usize = 5;
const BUTTONS: usize = 5;
const BUTTON_LABEL: usize = 80;
const MENU_OPTIONS: usize = 25;
const MENU_OPTION: usize = 100;
const MENU_PLACEHOLDER: usize = 150;
const FIELD_LABEL: usize = 45;
const FIELD_DESCRIPTION: usize = 100;
const FIELD_PLACEHOLDER: usize = 100;
const FIELD_VALUE: usize = 4_000;
const FORM_TITLE: usize = 45;

const FILES: usize = 10;
const FILE_DESCRIPTION: usize = 1_024;
const CHOICES: usize = 25;
const CHOICE: usize = 100;

/// Whether a text fits into a message without truncation.
pub(crate) fn fits_message(text: &str) -> bool {
    units(text) <= CONTENT
}

/// Add a line to the content of a message, which is shortened before it so that all of the line fits.
pub(crate) fn add_line(content: &mut String, line: &str) {
    fit(content, CONTENT.saturating_sub(units(line) + 1));
    content.push('\n');
    content.push_str(line);
}

/// Shorten a message to Discord's limits.
pub(crate) fn message(
    content: &mut String,
    embeds: &mut Vec<Embed>,
    rows: &mut Vec<Component>,
    files: &mut Vec<Attachment>,
) {
    fit(content, CONTENT);
    fit_embeds(embeds);
    fit_rows(rows);
    files.truncate(FILES);
    for description in files.iter_mut().filter_map(|file| file.description.as_mut()) {
        fit(description, FILE_DESCRIPTION);
    }
}

/// Shorten an initial response: a message, a modal, or choices.
pub(crate) fn response(response: &mut InteractionResponse) {
    let Some(data) = &mut response.data else {
        return;
    };
    let (mut no_content, mut no_embeds) = (String::new(), Vec::new());
    let (mut no_rows, mut no_files) = (Vec::new(), Vec::new());
    message(
        data.content.as_mut().unwrap_or(&mut no_content),
        data.embeds.as_mut().unwrap_or(&mut no_embeds),
        data.components.as_mut().unwrap_or(&mut no_rows),
        data.attachments.as_mut().unwrap_or(&mut no_files),
    );
    if let Some(title) = &mut data.title {
        fit(title, FORM_TITLE);
    }
    if let Some(choices) = &mut data.choices {
        fit_choices(choices);
    }
}

/// All embeds of a message share one limit: earlier embeds have priority, and within an embed the description comes last.
fn fit_embeds(embeds: &mut Vec<Embed>) {
    embeds.truncate(EMBEDS);
    let mut left = EMBEDS_TOTAL;
    let mut share = |text: &mut String, most: usize| {
        fit(text, most.min(left));
        left -= units(text);
    };
    for embed in embeds {
        if let Some(title) = &mut embed.title {
            share(title, EMBED_TITLE);
        }
        if let Some(author) = &mut embed.author {
            share(&mut author.name, EMBED_AUTHOR);
        }
        if let Some(footer) = &mut embed.footer {
            share(&mut footer.text, EMBED_FOOTER);
        }
        embed.fields.truncate(EMBED_FIELDS);
        for field in &mut embed.fields {
            share(&mut field.name, EMBED_FIELD_NAME);
            share(&mut field.value, EMBED_FIELD_VALUE);
        }
        // Discord rejects empty fields.
        embed
            .fields
            .retain(|field| !field.name.is_empty() && !field.value.is_empty());
        if let Some(description) = &mut embed.description {
            share(description, EMBED_DESCRIPTION);
        }
    }
}

fn fit_rows(rows: &mut Vec<Component>) {
    rows.truncate(ROWS);
    rows.iter_mut().for_each(fit_component);
}

fn fit_component(component: &mut Component) {
    let fit_all = |texts: &mut [(Option<&mut String>, usize)]| {
        for (text, most) in texts {
            if let Some(text) = text {
                fit(text, *most);
            }
        }
    };
    match component {
        Component::ActionRow(ActionRow { components, .. }) => {
            components.truncate(BUTTONS);
            components.iter_mut().for_each(fit_component);
        }
        Component::Button(button) => fit_all(&mut [(button.label.as_mut(), BUTTON_LABEL)]),
        Component::SelectMenu(menu) => {
            fit_all(&mut [(menu.placeholder.as_mut(), MENU_PLACEHOLDER)]);
            let options = menu.options.get_or_insert_default();
            options.truncate(MENU_OPTIONS);
            for option in options.iter_mut() {
                fit_all(&mut [
                    (Some(&mut option.label), MENU_OPTION),
                    (option.description.as_mut(), MENU_OPTION),
                ]);
            }
            if options.is_empty() {
                menu.options = None;
            }
        }
        Component::TextInput(input) => fit_all(&mut [
            (input.placeholder.as_mut(), FIELD_PLACEHOLDER),
            (input.value.as_mut(), FIELD_VALUE),
        ]),
        Component::Label(label) => {
            fit_all(&mut [
                (Some(&mut label.label), FIELD_LABEL),
                (label.description.as_mut(), FIELD_DESCRIPTION),
            ]);
            fit_component(&mut label.component);
        }
        // Commands do not create any other kind.
        _ => {}
    }
}

fn fit_choices(choices: &mut Vec<CommandOptionChoice>) {
    // A shortened value would be a different one.
    choices.retain(|choice| match &choice.value {
        CommandOptionChoiceValue::String(value) => units(value) <= CHOICE,
        _ => true,
    });
    choices.truncate(CHOICES);
    for choice in choices {
        fit(&mut choice.name, CHOICE);
    }
}

#[cfg(test)]
mod tests;
