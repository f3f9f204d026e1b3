//! The parts of roles and channels that twilight's cache stores: a tenth of Discord's data.

use twilight_cache_inmemory::{
    CacheableModels, InMemoryCache,
    model::{
        CachedEmoji, CachedGuild, CachedMember, CachedMessage, CachedPresence, CachedSticker,
        CachedVoiceState,
    },
    traits::{CacheableChannel, CacheableRole},
};
use twilight_model::{
    channel::{Channel, ChannelType, StageInstance, permission_overwrite::PermissionOverwrite},
    guild::{GuildIntegration, Permissions, Role, scheduled_event::GuildScheduledEvent},
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker},
    },
    user::{CurrentUser, User},
    util::Timestamp,
};

/// twilight's cache with the models of this file.
pub(super) type Cache = InMemoryCache<Reduced>;

/// The models of this file; models that are not stored are twilight's.
#[derive(Clone, Debug)]
pub(super) struct Reduced;

impl CacheableModels for Reduced {
    type Channel = ReducedChannel;
    type CurrentUser = CurrentUser;
    type Emoji = CachedEmoji;
    type Guild = CachedGuild;
    type GuildIntegration = GuildIntegration;
    type GuildScheduledEvent = GuildScheduledEvent;
    type Member = CachedMember;
    type Message = CachedMessage;
    type Presence = CachedPresence;
    type Role = ReducedRole;
    type StageInstance = StageInstance;
    type Sticker = CachedSticker;
    type User = User;
    type VoiceState = CachedVoiceState;
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReducedRole {
    pub(super) id: Id<RoleMarker>,
    pub(super) position: i64,
    pub(super) permissions: Permissions,
    pub(super) managed: bool,
}

impl From<Role> for ReducedRole {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            position: role.position,
            permissions: role.permissions,
            managed: role.managed,
        }
    }
}

impl PartialEq<Role> for ReducedRole {
    fn eq(&self, role: &Role) -> bool {
        (self.id, self.position, self.permissions, self.managed)
            == (role.id, role.position, role.permissions, role.managed)
    }
}

impl CacheableRole for ReducedRole {
    fn position(&self) -> i64 {
        self.position
    }

    fn id(&self) -> Id<RoleMarker> {
        self.id
    }
}

/// A channel or thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReducedChannel {
    pub(super) id: Id<ChannelMarker>,
    pub(super) guild_id: Option<Id<GuildMarker>>,
    pub(super) kind: ChannelType,
    pub(super) parent_id: Option<Id<ChannelMarker>>,
    pub(super) overwrites: Box<[PermissionOverwrite]>,
}

impl From<Channel> for ReducedChannel {
    fn from(channel: Channel) -> Self {
        Self {
            id: channel.id,
            guild_id: channel.guild_id,
            kind: channel.kind,
            parent_id: channel.parent_id,
            overwrites: channel.permission_overwrites.unwrap_or_default().into(),
        }
    }
}

impl PartialEq<Channel> for ReducedChannel {
    fn eq(&self, channel: &Channel) -> bool {
        let overwrites = channel.permission_overwrites.as_deref().unwrap_or_default();
        (self.id, self.guild_id, self.kind, self.parent_id)
            == (channel.id, channel.guild_id, channel.kind, channel.parent_id)
            && *self.overwrites == *overwrites
    }
}

impl CacheableChannel for ReducedChannel {
    fn guild_id(&self) -> Option<Id<GuildMarker>> {
        self.guild_id
    }

    fn kind(&self) -> ChannelType {
        self.kind
    }

    fn id(&self) -> Id<ChannelMarker> {
        self.id
    }

    fn set_last_pin_timestamp(&mut self, _timestamp: Option<Timestamp>) {}
}
