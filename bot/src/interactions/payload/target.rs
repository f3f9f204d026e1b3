//! The member or message whose menu was used.

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker, UserMarker},
};

use super::{InteractionPayload, User};
use crate::{interactions::menu::Of, support::text::names::Name};

/// A message whose menu was used. What it says is not read.
#[derive(Clone, Debug)]
pub(crate) struct TargetMessage {
    pub(crate) id: Id<MessageMarker>,
    pub(crate) channel_id: Id<ChannelMarker>,
    pub(crate) author_id: Id<UserMarker>,
}

impl InteractionPayload {
    /// What the menu was shown for; `None` for a slash command.
    pub(crate) fn menu(&self) -> Option<Of> {
        Of::of_type(self.data["type"].as_u64()?)
    }

    /// The user whose menu was used, with the name in the server.
    pub(crate) fn target_user(&self) -> Option<(User, Name)> {
        self.resolved_user(self.target()?)
    }

    /// The message whose menu was used.
    pub(crate) fn target_message(&self) -> Option<TargetMessage> {
        let message = &self.data["resolved"]["messages"][self.target()?];
        Some(TargetMessage {
            id: message["id"].as_str()?.parse().ok()?,
            channel_id: message["channel_id"].as_str()?.parse().ok()?,
            author_id: message["author"]["id"].as_str()?.parse().ok()?,
        })
    }

    /// Whether it comes from a message: from a button or a menu there, or from a form that one of those has opened.
    pub(crate) fn is_from_message(&self) -> bool {
        !self.message.is_null()
    }

    fn target(&self) -> Option<&str> {
        self.data["target_id"].as_str()
    }
}
