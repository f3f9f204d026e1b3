//! Counts every message by a person in a guild, and awards XP after a cooldown, by the guild's rules.

use twilight_model::id::{Id, marker::RoleMarker};

use crate::{
    discord::events::message_create::MessageCreate,
    features::levels::{
        pending::MemberMessage,
        policy::{Received, XpPolicy},
    },
    support::ids::{self, MemberKey},
};

/// The change caused by a message: none unless a person sent it in a guild. `roles` are the author's, if the event includes them.
pub fn on_message(
    policy: &XpPolicy,
    message: &MessageCreate,
    roles: impl FnOnce() -> Option<Vec<Id<RoleMarker>>>,
) -> Option<(MemberKey, MemberMessage)> {
    let guild_id = message.guild_id?;
    if !message.is_by_a_person() {
        return None;
    }
    let received = Received {
        id: message.id,
        at: ids::millis(message.id),
        guild_id,
        channel_id: message.channel_id,
    };
    let key = MemberKey {
        guild_id,
        user_id: message.author.id,
    };
    let change = MemberMessage {
        at: received.at,
        channel_id: message.channel_id,
        earns: policy.try_evaluate(&received, roles),
    };
    Some((key, change))
}
