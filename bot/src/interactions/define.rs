//! Definitions of commands and their options, with their texts in every language, and the parts of replies that several have.

use twilight_model::{
    application::{
        command::{
            CommandOption, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType,
            CommandOptionValue, CommandType,
        },
        interaction::InteractionContextType,
    },
    channel::{
        ChannelType,
        message::component::{ActionRow, Button, ButtonStyle, Component},
    },
    guild::Permissions,
};
use twilight_util::builder::command::CommandBuilder;

use crate::support::i18n::Language;

/// Begin a definition, with its description in every language.
pub(crate) fn describe(name: &'static str) -> CommandBuilder {
    let key = format!("{name}-description");
    CommandBuilder::new(name, Language::English.text(&key), CommandType::ChatInput)
        .description_localizations(in_other_languages(&key))
}

/// A text in every language but English, by Discord's locales.
fn in_other_languages(key: &str) -> impl Iterator<Item = (String, String)> {
    let others = Language::ALL
        .into_iter()
        .filter(|language| *language != Language::English);
    let texts = others.flat_map(|language| {
        let locales = language.locales().iter();
        locales.map(move |locale| (*locale, language))
    });
    texts.map(|(locale, language)| (locale.to_owned(), language.text(key)))
}

/// A command that works in servers only, and that Discord shows to those with a permission; who has it is checked again when it is
/// used, since a server can show it to others.
pub(crate) fn for_servers(name: &'static str, permissions: Option<Permissions>) -> CommandBuilder {
    let builder = describe(name).contexts([InteractionContextType::Guild]);
    match permissions {
        Some(permissions) => builder.default_member_permissions(permissions),
        None => builder,
    }
}

/// An option, a subcommand or a group of such.
#[derive(Clone, Debug)]
pub(crate) struct Opt(CommandOption);

impl Opt {
    /// Of this type; its description is the text `KEY-NAME-description`.
    pub(crate) fn new(kind: CommandOptionType, key: &str, name: &'static str) -> Self {
        Self::described(kind, name, &format!("{key}-{name}-description"))
    }

    /// Of this type, with a name in every language: the text `KEY`; its description is `KEY-description`.
    pub(crate) fn named(kind: CommandOptionType, key: &str, name: &'static str) -> Self {
        Self::described(kind, name, &format!("{key}-description")).called(key)
    }

    fn described(kind: CommandOptionType, name: &'static str, text: &str) -> Self {
        Self(CommandOption {
            autocomplete: None,
            channel_types: None,
            choices: None,
            description: Language::English.text(text),
            description_localizations: Some(in_other_languages(text).collect()),
            kind,
            max_length: None,
            max_value: None,
            min_length: None,
            min_value: None,
            name: name.to_owned(),
            name_localizations: None,
            options: None,
            file_types: None,
            required: None,
        })
    }

    /// A subcommand with its options.
    pub(crate) fn sub(key: &str, name: &'static str, options: impl IntoIterator<Item = Self>) -> Self {
        Self::new(CommandOptionType::SubCommand, key, name).with(options)
    }

    /// A group of subcommands.
    pub(crate) fn group(key: &str, name: &'static str, options: impl IntoIterator<Item = Self>) -> Self {
        Self::new(CommandOptionType::SubCommandGroup, key, name).with(options)
    }

    /// With this text for a name in every other language.
    pub(crate) fn called(mut self, key: &str) -> Self {
        self.0.name_localizations = Some(in_other_languages(key).collect());
        self
    }

    fn with(mut self, options: impl IntoIterator<Item = Self>) -> Self {
        self.0.options = Some(options.into_iter().map(|option| option.0).collect());
        self
    }

    /// It has to be given.
    pub(crate) const fn required(mut self) -> Self {
        self.0.required = Some(true);
        self
    }

    /// Whole numbers from the first to the second.
    pub(crate) fn between(mut self, least: i64, most: i64) -> Self {
        self.0.min_value = Some(CommandOptionValue::Integer(least));
        self.0.max_value = Some(CommandOptionValue::Integer(most));
        self
    }

    /// Whole numbers from this one on.
    pub(crate) const fn from(mut self, least: i64) -> Self {
        self.0.min_value = Some(CommandOptionValue::Integer(least));
        self
    }

    /// Numbers from the first to the second.
    pub(crate) fn within(mut self, least: f64, most: f64) -> Self {
        self.0.min_value = Some(CommandOptionValue::Number(least));
        self.0.max_value = Some(CommandOptionValue::Number(most));
        self
    }

    /// At least one character, and at most so many.
    pub(crate) const fn at_most(mut self, chars: u16) -> Self {
        self.0.min_length = Some(1);
        self.0.max_length = Some(chars);
        self
    }

    /// One of these words, each with the text `KEY-NAME-WORD`.
    pub(crate) fn one_of(self, key: &str, words: impl IntoIterator<Item = &'static str>) -> Self {
        let name = self.0.name.clone();
        let text = |word: &str| format!("{key}-{name}-{}", word.replace('_', "-"));
        self.choices(words.into_iter().map(|word| (word, text(word))))
    }

    /// One of these words, each with the key of what is shown.
    pub(crate) fn choices(
        mut self,
        words: impl IntoIterator<Item = (&'static str, impl AsRef<str>)>,
    ) -> Self {
        let choices = words.into_iter().map(|(word, key)| CommandOptionChoice {
            name: Language::English.text(key.as_ref()),
            name_localizations: Some(in_other_languages(key.as_ref()).collect()),
            value: CommandOptionChoiceValue::String(word.to_owned()),
        });
        self.0.choices = Some(choices.collect());
        self
    }

    /// Channels of these types.
    pub(crate) fn channels(mut self, kinds: &[ChannelType]) -> Self {
        self.0.channel_types = Some(kinds.to_vec());
        self
    }

    /// The bot proposes what to write.
    pub(crate) const fn completed(mut self) -> Self {
        self.0.autocomplete = Some(true);
        self
    }
}

impl From<Opt> for CommandOption {
    fn from(option: Opt) -> Self {
        option.0
    }
}

/// Where messages can be sent.
pub(crate) const TEXT_CHANNELS: &[ChannelType] = &[ChannelType::GuildText, ChannelType::GuildAnnouncement];

/// A row of buttons.
pub(crate) fn buttons(buttons: impl IntoIterator<Item = Component>) -> Component {
    Component::ActionRow(ActionRow {
        components: buttons.into_iter().collect(),
        id: None,
    })
}

/// A button whose press comes to the command that `custom_id` begins with.
pub(crate) const fn button(custom_id: String, label: String, style: ButtonStyle) -> Component {
    Component::Button(Button {
        custom_id: Some(custom_id),
        disabled: false,
        emoji: None,
        id: None,
        label: Some(label),
        sku_id: None,
        style,
        url: None,
    })
}
