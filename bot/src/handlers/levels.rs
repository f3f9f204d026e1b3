//! Levels: every message by a person in a guild counts, and earns XP after a cooldown.

use std::time::Duration;

use crate::{
    config::Levels,
    events::message_create::MessageCreate,
    ledger::member_xp::{MemberKey, MemberMessage},
    rules::award::{Millis, xp_of_message},
    snowflake,
};

/// The rules in force, in the units that the events use.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    xp_min: u32,
    xp_max: u32,
    cooldown: Millis,
}

impl From<&Levels> for Rules {
    fn from(levels: &Levels) -> Self {
        let (xp_min, xp_max) = levels.xp_per_message;
        Self {
            xp_min,
            xp_max,
            cooldown: millis(levels.cooldown),
        }
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// What a message changes: nothing unless a person wrote it in a guild.
pub fn on_message(rules: &Rules, message: &MessageCreate) -> Option<(MemberKey, MemberMessage)> {
    let guild_id = message.guild_id?;
    if !message.is_by_a_person() {
        return None;
    }
    let key = MemberKey {
        guild_id,
        user_id: message.author.id,
    };
    let change = MemberMessage {
        at: snowflake::millis(message.id),
        channel_id: message.channel_id,
        xp: xp_of_message(message.id.get(), rules.xp_min, rules.xp_max),
        cooldown: rules.cooldown,
    };
    Some((key, change))
}
