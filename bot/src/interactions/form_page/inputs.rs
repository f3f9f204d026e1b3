//! The inputs of an option, by its type.

use maud::{Markup, html};
use twilight_model::application::command::{
    CommandOption, CommandOptionChoiceValue, CommandOptionType as Type, CommandOptionValue,
};

use super::{Form, in_language};
use crate::{
    discord::guilds::listing::Listing, settings::GuildSettings, support::i18n::Language,
    web::context::Context,
};

/// What inputs are made with.
pub(super) struct Around<'a> {
    pub(super) context: &'a Context,
    pub(super) listing: &'a Listing,
    pub(super) settings: &'a GuildSettings,
}

/// The description of an option or a subcommand.
pub(super) fn text(option: &CommandOption, language: Language) -> String {
    in_language(
        &option.description,
        option.description_localizations.as_ref(),
        language,
    )
    .to_owned()
}

/// A bound of an option, as an attribute.
fn bound(value: Option<&CommandOptionValue>) -> Option<String> {
    value.map(|value| match value {
        CommandOptionValue::Integer(number) => number.to_string(),
        CommandOptionValue::Number(number) => number.to_string(),
    })
}

impl Around<'_> {
    /// What the input of an option holds: what was sent, or what holds now.
    pub(super) fn held(&self, form: &Form, option: &CommandOption, is_sent: bool) -> String {
        if is_sent {
            let sent = self.context.form().get(&option.name);
            return sent.unwrap_or_default().to_owned();
        }
        (form.now)(self.settings, &option.name).unwrap_or_default()
    }

    /// An option with its label and its input.
    pub(super) fn field(&self, number: &str, option: &CommandOption, value: &str) -> Markup {
        let id = format!("{}-{number}", option.name);
        html! {
            div.field {
                label for=(id) { (text(option, self.context.language())) }
                (self.input(&id, option, value))
            }
        }
    }

    fn input(&self, id: &str, option: &CommandOption, value: &str) -> Markup {
        let name = option.name.as_str();
        let is_required = option.required.unwrap_or(false);
        match option.kind {
            Type::Integer | Type::Number => {
                let step = if option.kind == Type::Integer { "1" } else { "any" };
                html! {
                    input type="number" id=(id) name=(name) value=(value) step=(step) required[is_required]
                        inputmode=(if option.kind == Type::Integer { "numeric" } else { "decimal" })
                        min=[bound(option.min_value.as_ref())] max=[bound(option.max_value.as_ref())];
                }
            }
            Type::Boolean | Type::Role | Type::Channel => {
                self.select(id, option, value, &self.choices(option))
            }
            Type::String if option.choices.is_some() => self.select(id, option, value, &self.choices(option)),
            _ => html! {
                input type="text" id=(id) name=(name) value=(value) autocomplete="off" required[is_required]
                    maxlength=[option.max_length];
            },
        }
    }

    fn select(&self, id: &str, option: &CommandOption, value: &str, choices: &[(String, String)]) -> Markup {
        let is_required = option.required.unwrap_or(false);
        html! {
            select id=(id) name=(option.name) required[is_required] {
                @if !is_required || value.is_empty() {
                    option value="" { (self.context.text("settings-page-choose")) }
                }
                @for (word, text) in choices {
                    option value=(word) selected[word == value] { (text) }
                }
            }
        }
    }

    /// The values of a menu with their texts.
    fn choices(&self, option: &CommandOption) -> Vec<(String, String)> {
        let language = self.context.language();
        match option.kind {
            Type::Boolean => ["on", "off"]
                .map(|word| (word.to_owned(), self.context.text(&format!("settings-{word}"))))
                .into(),
            Type::Role => {
                let roles = self.listing.roles.iter();
                roles
                    .map(|(id, name)| (id.to_string(), format!("@{}", name.as_plain())))
                    .collect()
            }
            Type::Channel => {
                let others = self.listing.others.iter();
                let others = others.filter(|_| option.channel_types.is_none());
                let all = self.listing.channels.iter().chain(others);
                all.map(|(id, name)| (id.to_string(), format!("#{}", name.as_plain())))
                    .collect()
            }
            _ => option
                .choices
                .iter()
                .flatten()
                .filter_map(|choice| match &choice.value {
                    CommandOptionChoiceValue::String(word) => {
                        let text = in_language(&choice.name, choice.name_localizations.as_ref(), language);
                        Some((word.clone(), text.to_owned()))
                    }
                    _ => None,
                })
                .collect(),
        }
    }
}
