//! `AUTO_MODERATION_ACTION_EXECUTION`: a rule of Discord's automatic moderation did something.
//!
//! <https://docs.discord.com/developers/events/gateway-events#auto-moderation-action-execution>

use serde::{Deserialize, Serialize};
use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, UserMarker},
    },
};

use super::GuildEvent;

/// <https://docs.discord.com/developers/resources/auto-moderation#auto-moderation-action-object-action-types>
const BLOCK_MESSAGE: u8 = 1;

/// What the rule did. Messages and what was found in them are not read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AutomodAction {
    pub(crate) guild_id: Id<GuildMarker>,
    pub(crate) user_id: Id<UserMarker>,
    #[serde(default)]
    pub(crate) channel_id: Option<Id<ChannelMarker>>,
    action: Action,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Action {
    #[serde(rename = "type")]
    kind: u8,
}

impl GuildEvent for AutomodAction {
    const TYPE: EventType = EventType::AutoModerationActionExecution;
    const INTENTS: Intents = Intents::AUTO_MODERATION_EXECUTION;

    fn guild_id(&self) -> Id<GuildMarker> {
        self.guild_id
    }

    fn user_id(&self) -> Option<Id<UserMarker>> {
        Some(self.user_id)
    }

    /// A message that is blocked often has a second action, such as an alert.
    fn is_relevant(&self) -> bool {
        self.action.kind == BLOCK_MESSAGE
    }
}
