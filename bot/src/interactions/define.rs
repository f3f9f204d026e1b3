//! Builders for definitions of commands and options, with their texts in every language, and for common parts of replies.

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

/// Start a definition, with its description in every language.
pub(crate) fn describe(name: &'static str) -> CommandBuilder {
    let key = format!("{name}-description");
    CommandBuilder::new(name, Language::English.text(&key), CommandType::ChatInput)
        .description_localizations(in_other_languages(&key))
}

/// A text in every language except English, by Discord's locales.
pub(super) fn in_other_languages(key: &str) -> impl Iterator<Item = (String, String)> {
    let others = Language::ALL
        .into_iter()
        .filter(|language| *language != Language::English);
    let texts = others.flat_map(|language| {
        let locales = language.locales().iter();
        locales.map(move |locale| (*locale, language))
    });
    texts.map(|(locale, language)| (locale.to_owned(), language.text(key)))
}

/// A command for servers, which Discord shows to members with a permission. The permission is checked again when the command is used, since
/// servers can override this.
pub(crate) fn for_servers(name: &'static str, permissions: Option<Permissions>) -> CommandBuilder {
    let builder = describe(name).contexts([InteractionContextType::Guild]);
    match permissions {
        Some(permissions) => builder.default_member_permissions(permissions),
        None => builder,
    }
}

/// An option, a subcommand or a subcommand group.
#[derive(Clone, Debug)]
pub(crate) struct Opt(CommandOption);

impl Opt {
    /// An option of this type. Its description is the text `KEY-NAME-description`.
    pub(crate) fn new(kind: CommandOptionType, key: &str, name: &'static str) -> Self {
        Self::described(kind, name, &format!("{key}-{name}-description"))
    }

    /// An option of this type with a name in every language, the text `KEY`. Its description is `KEY-description`.
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

    /// Use this text as the name in other languages.
    pub(crate) fn called(mut self, key: &str) -> Self {
        self.0.name_localizations = Some(in_other_languages(key).collect());
        self
    }

    fn with(mut self, options: impl IntoIterator<Item = Self>) -> Self {
        self.0.options = Some(options.into_iter().map(|option| option.0).collect());
        self
    }

    /// Make the option required.
    pub(crate) const fn required(mut self) -> Self {
        self.0.required = Some(true);
        self
    }

    /// Allow integers in this range.
    pub(crate) fn between(mut self, least: i64, most: i64) -> Self {
        self.0.min_value = Some(CommandOptionValue::Integer(least));
        self.0.max_value = Some(CommandOptionValue::Integer(most));
        self
    }

    /// Allow integers from this one on.
    pub(crate) const fn from(mut self, least: i64) -> Self {
        self.0.min_value = Some(CommandOptionValue::Integer(least));
        self
    }

    /// Allow numbers in this range.
    pub(crate) fn within(mut self, least: f64, most: f64) -> Self {
        self.0.min_value = Some(CommandOptionValue::Number(least));
        self.0.max_value = Some(CommandOptionValue::Number(most));
        self
    }

    /// Allow one character up to this many.
    pub(crate) const fn at_most(mut self, chars: u16) -> Self {
        self.0.min_length = Some(1);
        self.0.max_length = Some(chars);
        self
    }

    /// Allow these values, each with the text `KEY-NAME-VALUE`.
    pub(crate) fn one_of(self, key: &str, words: impl IntoIterator<Item = &'static str>) -> Self {
        let name = self.0.name.clone();
        let text = |word: &str| format!("{key}-{name}-{}", word.replace('_', "-"));
        self.choices(words.into_iter().map(|word| (word, text(word))))
    }

    /// Allow these values, each with the key of its text.
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

    /// Allow channels of these types.
    pub(crate) fn channels(mut self, kinds: &[ChannelType]) -> Self {
        self.0.channel_types = Some(kinds.to_vec());
        self
    }

    /// Use autocomplete.
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

/// The types of channels to which messages can be sent.
pub(crate) const TEXT_CHANNELS: &[ChannelType] = &[ChannelType::GuildText, ChannelType::GuildAnnouncement];

/// A row of buttons.
pub(crate) fn buttons(buttons: impl IntoIterator<Item = Component>) -> Component {
    Component::ActionRow(ActionRow {
        components: buttons.into_iter().collect(),
        id: None,
    })
}

/// A button. Its interaction goes to the command whose name `custom_id` starts with.
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
