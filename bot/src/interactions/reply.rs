//! What a command answers, and how that is sent.

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

/// An answer. It mentions nobody.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The text; empty if the rest says it all.
    pub content: String,
    /// What is shown below the text.
    pub embeds: Vec<Embed>,
    /// Rows of buttons and menus, or a modal's fields.
    pub components: Vec<Component>,
    /// Pictures and other files.
    pub files: Vec<Attachment>,
    /// What is said instead of files and embeds where Discord does not take them; `None`: the text of the embeds.
    pub words: Option<String>,
    /// What it is.
    pub shape: Shape,
}

/// What an answer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A message for everybody in the channel.
    #[default]
    Public,
    /// A message for the asker alone.
    Private,
    /// What the message becomes that the button stands on.
    Update,
    /// A form to fill in. Discord takes it as a first answer only, so who makes one must not wait for anything slow.
    Modal {
        /// `NAME:…`, where NAME is the command that gets what was filled in.
        custom_id: String,
        /// What the form is called.
        title: String,
    },
}

impl Reply {
    /// For everybody in the channel.
    pub fn public(content: String) -> Self {
        Self {
            content,
            ..Self::default()
        }
    }

    /// For the asker alone.
    pub fn private(content: String) -> Self {
        Self {
            shape: Shape::Private,
            ..Self::public(content)
        }
    }

    /// For the asker alone; a text that is too long for a message stands in an embed, which holds twice as much.
    pub fn private_list(text: String) -> Self {
        if limits::fits_message(&text) {
            return Self::private(text);
        }
        let embed = EmbedBuilder::new().description(text).build();
        Self::private(String::new()).with_embed(embed)
    }

    /// A form to fill in, with rows of text inputs.
    pub fn modal(custom_id: String, title: String, components: Vec<Component>) -> Self {
        Self {
            components,
            shape: Shape::Modal { custom_id, title },
            ..Self::default()
        }
    }

    /// The same with an embed more.
    #[must_use]
    pub fn with_embed(mut self, embed: Embed) -> Self {
        self.embeds.push(embed);
        self
    }

    /// The same with these rows of buttons and menus.
    #[must_use]
    pub fn with_components(mut self, components: Vec<Component>) -> Self {
        self.components = components;
        self
    }

    /// The same with a file more.
    #[must_use]
    pub fn with_file(mut self, file: Attachment) -> Self {
        self.files.push(file);
        self
    }

    /// The same with something to say instead of files and embeds, where Discord does not take them.
    #[must_use]
    pub fn or_in_words(mut self, words: String) -> Self {
        self.words = Some(words);
        self
    }

    /// The same without files and embeds, for which the bot needs permissions of their own (*Attach Files*, *Embed Links*). `None` if
    /// there are none, or nothing to say instead.
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

    /// The same in place of the message that the button stands on.
    #[must_use]
    pub fn updating(mut self) -> Self {
        self.shape = Shape::Update;
        self
    }

    /// The same within Discord's limits.
    pub(super) fn fitted(mut self) -> Self {
        limits::message(
            &mut self.content,
            &mut self.embeds,
            &mut self.components,
            &mut self.files,
        );
        self
    }

    /// Whether only the asker sees it.
    pub fn is_private(&self) -> bool {
        self.shape == Shape::Private
    }

    /// As the first answer.
    pub fn into_response(self) -> InteractionResponse {
        let update = self.shape == Shape::Update;
        // What stood on the message and is not said again stays otherwise.
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

/// What stands in an embed, a line or more each.
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

/// The promise of an answer: a message of its own, seen by the asker alone or by everybody.
pub fn deferred(ephemeral: bool) -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::DeferredChannelMessageWithSource,
        data: ephemeral.then(|| InteractionResponseData {
            flags: Some(MessageFlags::EPHEMERAL),
            ..InteractionResponseData::default()
        }),
    }
}

/// The promise that the message changes on which the button stands.
pub const fn deferred_update() -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::DeferredUpdateMessage,
        data: None,
    }
}

/// What to choose from, for an option that is being typed.
pub fn choices(choices: Vec<CommandOptionChoice>) -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::ApplicationCommandAutocompleteResult,
        data: Some(InteractionResponseData {
            choices: Some(choices),
            ..InteractionResponseData::default()
        }),
    }
}
