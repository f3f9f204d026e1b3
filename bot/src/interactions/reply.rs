//! Replies of commands, and converting them for Discord.

use twilight_model::{
    application::command::CommandOptionChoice,
    channel::message::{AllowedMentions, Component, Embed, MessageFlags},
    http::{
        attachment::Attachment,
        interaction::{InteractionResponse, InteractionResponseData, InteractionResponseType},
    },
};
use twilight_util::builder::embed::EmbedBuilder;

use crate::support::text::limits;

/// A reply. It mentions no one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The text; empty if the rest is sufficient.
    pub content: String,
    /// Embeds below the text.
    pub embeds: Vec<Embed>,
    /// Rows of buttons and menus, or a modal's fields.
    pub components: Vec<Component>,
    /// Images and other files.
    pub files: Vec<Attachment>,
    /// A text that replaces files and embeds if Discord rejects them; `None` for the text of the embeds.
    pub words: Option<String>,
    /// The kind of reply.
    pub shape: Shape,
}

/// The kinds of replies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A message for everyone in the channel.
    #[default]
    Public,
    /// A message that only the user sees.
    Private,
    /// The new content of the message with the button.
    Update,
    /// A modal. Discord only accepts it as the first response, so the command must not wait for anything slow.
    Modal {
        /// `NAME:…`, where NAME is the command that handles the submitted modal.
        custom_id: String,
        /// The title of the modal.
        title: String,
    },
}

impl Reply {
    /// A message for everyone in the channel.
    pub fn public(content: String) -> Self {
        Self {
            content,
            ..Self::default()
        }
    }

    /// A message that only the user sees.
    pub fn private(content: String) -> Self {
        Self {
            shape: Shape::Private,
            ..Self::public(content)
        }
    }

    /// A message that only the user sees. A text that is too long for a message is put into an embed, which can have twice the length.
    pub fn private_list(text: String) -> Self {
        if limits::fits_message(&text) {
            return Self::private(text);
        }
        let embed = EmbedBuilder::new().description(text).build();
        Self::private(String::new()).with_embed(embed)
    }

    /// A modal with rows of text inputs.
    pub fn modal(custom_id: String, title: String, components: Vec<Component>) -> Self {
        Self {
            components,
            shape: Shape::Modal { custom_id, title },
            ..Self::default()
        }
    }

    /// Add an embed.
    #[must_use]
    pub fn with_embed(mut self, embed: Embed) -> Self {
        self.embeds.push(embed);
        self
    }

    /// Set the rows of buttons and menus.
    #[must_use]
    pub fn with_components(mut self, components: Vec<Component>) -> Self {
        self.components = components;
        self
    }

    /// Add a file.
    #[must_use]
    pub fn with_file(mut self, file: Attachment) -> Self {
        self.files.push(file);
        self
    }

    /// Set the text that replaces files and embeds if Discord rejects them.
    #[must_use]
    pub fn or_in_words(mut self, words: String) -> Self {
        self.words = Some(words);
        self
    }

    /// The reply without files and embeds, for which the bot needs separate permissions (*Attach Files*, *Embed Links*). `None` if it has
    /// neither, or no text to replace them.
    pub fn in_words(&self) -> Option<Self> {
        if self.files.is_empty() && self.embeds.is_empty() {
            return None;
        }
        let content = self.words.clone().unwrap_or_else(|| {
            let own = Some(self.content.clone()).filter(|content| !content.is_empty());
            let embeds = self.embeds.iter().flat_map(words_of);
            own.into_iter().chain(embeds).collect::<Vec<_>>().join("\n")
        });
        (!content.is_empty()).then(|| Self {
            content,
            embeds: Vec::new(),
            files: Vec::new(),
            words: None,
            components: self.components.clone(),
            shape: self.shape.clone(),
        })
    }

    /// Make the reply replace the message with the button.
    #[must_use]
    pub fn updating(mut self) -> Self {
        self.shape = Shape::Update;
        self
    }

    /// Fit the reply into Discord's limits.
    pub(super) fn fitted(mut self) -> Self {
        limits::message(
            &mut self.content,
            &mut self.embeds,
            &mut self.components,
            &mut self.files,
        );
        self
    }

    /// Whether only the user sees it.
    pub fn is_private(&self) -> bool {
        self.shape == Shape::Private
    }

    /// Convert the reply to a first response.
    pub fn into_response(self) -> InteractionResponse {
        let update = self.shape == Shape::Update;
        // Otherwise, existing parts of the message that the reply does not contain would be kept.
        let list = |is_empty: bool| update || !is_empty;
        let mut data = InteractionResponseData {
            flags: self.is_private().then_some(MessageFlags::EPHEMERAL),
            embeds: list(self.embeds.is_empty()).then_some(self.embeds),
            components: list(self.components.is_empty()).then_some(self.components),
            attachments: (!self.files.is_empty()).then_some(self.files),
            ..InteractionResponseData::default()
        };
        let kind = match self.shape {
            Shape::Public | Shape::Private => InteractionResponseType::ChannelMessageWithSource,
            Shape::Update => InteractionResponseType::UpdateMessage,
            Shape::Modal { custom_id, title } => {
                data.custom_id = Some(custom_id);
                data.title = Some(title);
                InteractionResponseType::Modal
            }
        };
        if kind != InteractionResponseType::Modal {
            data.content = Some(self.content);
            data.allowed_mentions = Some(AllowedMentions::default());
        }
        InteractionResponse {
            kind,
            data: Some(data),
        }
    }
}

/// The texts of an embed, at least one line each.
fn words_of(embed: &Embed) -> Vec<String> {
    let author = embed.author.iter().map(|author| author.name.clone());
    let title = embed.title.iter().map(|title| format!("**{title}**"));
    let description = embed.description.iter().cloned();
    let fields = embed.fields.iter();
    let fields = fields.map(|field| format!("**{}**\n{}", field.name, field.value));
    let footer = embed.footer.iter().map(|footer| footer.text.clone());
    author
        .chain(title)
        .chain(description)
        .chain(fields)
        .chain(footer)
        .collect()
}

/// A deferred response: a new message, for only the user or for everyone.
pub fn deferred(ephemeral: bool) -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::DeferredChannelMessageWithSource,
        data: ephemeral.then(|| InteractionResponseData {
            flags: Some(MessageFlags::EPHEMERAL),
            ..InteractionResponseData::default()
        }),
    }
}

/// A deferred update of the message with the button.
pub const fn deferred_update() -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::DeferredUpdateMessage,
        data: None,
    }
}

/// The choices for an option that is being typed.
pub fn choices(choices: Vec<CommandOptionChoice>) -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::ApplicationCommandAutocompleteResult,
        data: Some(InteractionResponseData {
            choices: Some(choices),
            ..InteractionResponseData::default()
        }),
    }
}
