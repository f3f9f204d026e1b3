//! Entries of the menu that Discord shows for a member or a message. Each belongs to a slash command, which handles it.
//!
//! <https://docs.discord.com/developers/interactions/application-commands#user-commands>

use twilight_model::application::command::{Command as Definition, CommandType};
use twilight_util::builder::command::CommandBuilder;

use super::define::in_other_languages;
use crate::support::i18n::Language;

/// An entry.
#[derive(Clone, Copy, Debug)]
pub struct Menu {
    of: Of,
    /// The key of its name.
    key: &'static str,
}

/// What a menu is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Member,
    Message,
}

impl Of {
    /// Discord's number of the type of command.
    pub(crate) const fn of_type(number: u64) -> Option<Self> {
        match number {
            2 => Some(Self::Member),
            3 => Some(Self::Message),
            _ => None,
        }
    }
}

impl Menu {
    /// An entry for members. Its name is the text `KEY`.
    pub(crate) const fn of_members(key: &'static str) -> Self {
        Self { of: Of::Member, key }
    }

    /// An entry for messages. Its name is the text `KEY`.
    pub(crate) const fn of_messages(key: &'static str) -> Self {
        Self { of: Of::Message, key }
    }

    /// What it is shown for.
    pub(crate) const fn of(&self) -> Of {
        self.of
    }

    /// Its name in a language.
    pub(crate) fn name(&self, language: Language) -> String {
        language.text(self.key)
    }

    /// Whether it has this name, as Discord sends it.
    pub(crate) fn is(&self, of: Of, name: &str) -> bool {
        self.of == of && Language::English.text(self.key) == name
    }

    /// Its definition for Discord, which shows it to those who see the slash command.
    pub(super) fn definition(&self, command: &Definition) -> Definition {
        let kind = match self.of {
            Of::Member => CommandType::User,
            Of::Message => CommandType::Message,
        };
        let builder = CommandBuilder::new(self.name(Language::English), String::new(), kind)
            .name_localizations(in_other_languages(self.key));
        Definition {
            contexts: command.contexts.clone(),
            default_member_permissions: command.default_member_permissions,
            ..builder.build()
        }
    }
}
