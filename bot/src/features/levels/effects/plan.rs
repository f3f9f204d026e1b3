//! Which effects passing a level causes. Their delivery is in `announcement` and `roles`.

use twilight_model::id::{Id, marker::ChannelMarker};

use crate::{
    config::Announce,
    features::levels::effects::{announcement::LevelUp, roles::Roles},
    outbox::queue::NewEffect,
    settings::GuildSettings,
    support::ids::MemberKey,
};

/// A member who passed one or more levels in one flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// The member.
    pub key: MemberKey,
    /// The level reached.
    pub level_up: LevelUp,
    /// The channel of the last message that earned XP.
    pub channel_id: Option<Id<ChannelMarker>>,
}

/// The effects, which the flush adds in its transaction. If several levels were passed at once, only the highest is announced, but the
/// roles of all of them are given.
pub fn effects_of(passed: &LevelChange, settings: &GuildSettings) -> impl Iterator<Item = NewEffect> {
    announcement(passed, settings)
        .into_iter()
        .chain(roles(passed, settings))
}

fn announcement(passed: &LevelChange, settings: &GuildSettings) -> Option<NewEffect> {
    let MemberKey { guild_id, user_id } = passed.key;
    let channel_id = match settings.announce {
        Announce::Off => return None,
        // Without a channel no message earned XP, and no level was passed.
        Announce::SameChannel => Some(passed.channel_id?),
        Announce::Channel(channel_id) => Some(channel_id),
        Announce::Direct => None,
    };
    let effect = match channel_id {
        Some(channel_id) => NewEffect {
            user_id: Some(user_id),
            ..NewEffect::for_channel(guild_id, channel_id, &passed.level_up)
        },
        None => NewEffect::for_member(passed.key, &passed.level_up),
    };
    Some(effect)
}

fn roles(passed: &LevelChange, settings: &GuildSettings) -> Option<NewEffect> {
    let rewards = &settings.rewards;
    // Also if this level has no reward: a member who rejoined or lost a role gets it back at the next level.
    let deserves = !rewards.deserved(passed.level_up.level).is_empty();
    (!rewards.switched_off && deserves).then(|| roles_of(passed.key))
}

/// The effect that gives a joining member the roles of their level.
pub fn roles_on_join(key: MemberKey, settings: &GuildSettings) -> Option<NewEffect> {
    let rewards = &settings.rewards;
    (rewards.on_join && !rewards.switched_off && !rewards.roles().is_empty()).then(|| roles_of(key))
}

/// The effect that updates a member's roles.
pub fn roles_of(key: MemberKey) -> NewEffect {
    NewEffect::for_member(key, &Roles { demotes: false })
}

/// The same, and removes roles that the bot gave for higher levels.
pub fn demotion_of(key: MemberKey) -> NewEffect {
    NewEffect::for_member(key, &Roles { demotes: true })
}
