//! What passing a level causes.

use twilight_model::id::{Id, marker::ChannelMarker};

use crate::{
    outbox::{
        effect::{Effect, LevelUp},
        queue::NewEffect,
    },
    settings::{Announce, GuildSettings},
    support::ids::{self, MemberKey},
};

/// A member who passed a level, or several, by what one flush added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// The member.
    pub key: MemberKey,
    /// What they reached.
    pub level_up: LevelUp,
    /// Where the message was that earned last.
    pub channel_id: Option<Id<ChannelMarker>>,
}

/// The effects, for the flush's transaction to add. Of several levels passed at once the highest is announced; the roles of all of
/// them are given.
pub fn effects_of(passed: &LevelChange, settings: &GuildSettings) -> impl Iterator<Item = NewEffect> {
    announcement(passed, settings)
        .into_iter()
        .chain(roles(passed, settings))
}

/// The effect of somebody's coming.
pub fn welcome_of(key: MemberKey, settings: &GuildSettings) -> Option<NewEffect> {
    let (channel_id, _) = settings.welcome.as_ref()?;
    Some(NewEffect {
        guild_id: key.guild_id,
        lane_id: ids::to_db(*channel_id),
        kind: Effect::WELCOME,
        channel_id: Some(*channel_id),
        user_id: Some(key.user_id),
        body: Effect::Welcome.body(),
    })
}

fn announcement(passed: &LevelChange, settings: &GuildSettings) -> Option<NewEffect> {
    let MemberKey { guild_id, user_id } = passed.key;
    let channel_id = match settings.announce {
        Announce::Off => return None,
        // Without a channel nothing earned, and no level was passed.
        Announce::SameChannel => Some(passed.channel_id?),
        Announce::Channel(channel_id) => Some(channel_id),
        Announce::Direct => None,
    };
    let effect = Effect::LevelUp(passed.level_up);
    Some(NewEffect {
        guild_id,
        lane_id: channel_id.map_or(ids::to_db(user_id), ids::to_db),
        kind: effect.kind(),
        channel_id,
        user_id: Some(user_id),
        body: effect.body(),
    })
}

fn roles(passed: &LevelChange, settings: &GuildSettings) -> Option<NewEffect> {
    let rewards = &settings.rewards;
    // Also where this level gives nothing: whoever came back, or lost a role, has it again with the next level.
    let deserves = !rewards.deserved(passed.level_up.level).is_empty();
    (!rewards.switched_off && deserves).then(|| roles_of(passed.key))
}

/// The effect of somebody's coming on the roles of the level that they have.
pub fn roles_on_join(key: MemberKey, settings: &GuildSettings) -> Option<NewEffect> {
    let rewards = &settings.rewards;
    (rewards.on_join && !rewards.switched_off && !rewards.roles().is_empty()).then(|| roles_of(key))
}

/// A member's roles are to be made right.
pub fn roles_of(key: MemberKey) -> NewEffect {
    NewEffect {
        guild_id: key.guild_id,
        lane_id: ids::to_db(key.user_id),
        kind: Effect::ROLES,
        channel_id: None,
        user_id: Some(key.user_id),
        body: Effect::Roles.body(),
    }
}

/// The same, also by taking what the bot gave for higher levels.
pub fn demotion_of(key: MemberKey) -> NewEffect {
    NewEffect {
        body: Effect::Demotion.body(),
        ..roles_of(key)
    }
}
