//! What a command answers, and how that is sent.

use twilight_model::{
    channel::message::{AllowedMentions, MessageFlags},
    http::interaction::{InteractionResponse, InteractionResponseData, InteractionResponseType},
};

/// An answer. It mentions nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The text.
    pub content: String,
    /// Whether only the asker sees it.
    pub ephemeral: bool,
}

impl Reply {
    /// For everybody in the channel.
    pub const fn public(content: String) -> Self {
        Self {
            content,
            ephemeral: false,
        }
    }

    /// For the asker alone.
    pub const fn private(content: String) -> Self {
        Self {
            content,
            ephemeral: true,
        }
    }

    /// As the first answer.
    pub fn into_response(self) -> InteractionResponse {
        InteractionResponse {
            kind: InteractionResponseType::ChannelMessageWithSource,
            data: Some(InteractionResponseData {
                allowed_mentions: Some(AllowedMentions::default()),
                flags: self.ephemeral.then_some(MessageFlags::EPHEMERAL),
                content: Some(self.content),
                ..InteractionResponseData::default()
            }),
        }
    }
}

/// The promise of an answer.
pub fn deferred(ephemeral: bool) -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::DeferredChannelMessageWithSource,
        data: ephemeral.then(|| InteractionResponseData {
            flags: Some(MessageFlags::EPHEMERAL),
            ..InteractionResponseData::default()
        }),
    }
}

/// Nothing to choose from, for an option that is being typed.
pub fn no_choices() -> InteractionResponse {
    InteractionResponse {
        kind: InteractionResponseType::ApplicationCommandAutocompleteResult,
        data: Some(InteractionResponseData {
            choices: Some(Vec::new()),
            ..InteractionResponseData::default()
        }),
    }
}
