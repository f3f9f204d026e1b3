//! Roles and channels as sent by Discord, with only the fields in use. Unused fields can be missing or of another type, so a field renamed
//! by Discord, or a server that imitates Discord, causes no errors.

use serde::Deserialize;
use twilight_model::{
    channel::{Channel, ChannelType, permission_overwrite::PermissionOverwrite},
    guild::{Permissions, Role, RoleColors, RoleFlags},
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, RoleMarker},
    },
};

/// A role.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RoleModel {
    id: Id<RoleMarker>,
    position: i64,
    permissions: Permissions,
    #[serde(default)]
    managed: bool,
}

/// A channel or thread.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ChannelModel {
    pub(super) id: Id<ChannelMarker>,
    #[serde(rename = "type")]
    kind: ChannelType,
    pub(super) guild_id: Option<Id<GuildMarker>>,
    parent_id: Option<Id<ChannelMarker>>,
    permission_overwrites: Option<Vec<PermissionOverwrite>>,
}

impl From<RoleModel> for Role {
    /// The complete role that twilight's cache requires; unused fields are empty.
    fn from(role: RoleModel) -> Self {
        #[expect(deprecated, reason = "a field without a default")]
        Self {
            color: 0,
            colors: RoleColors {
                primary_color: 0,
                secondary_color: None,
                tertiary_color: None,
            },
            hoist: false,
            icon: None,
            id: role.id,
            managed: role.managed,
            mentionable: false,
            name: String::new(),
            permissions: role.permissions,
            position: role.position,
            flags: RoleFlags::empty(),
            tags: None,
            unicode_emoji: None,
        }
    }
}

impl From<ChannelModel> for Channel {
    /// The complete channel that twilight's cache requires; unused fields are empty.
    fn from(channel: ChannelModel) -> Self {
        Self {
            application_id: None,
            applied_tags: None,
            available_tags: None,
            bitrate: None,
            default_auto_archive_duration: None,
            default_forum_layout: None,
            default_reaction_emoji: None,
            default_sort_order: None,
            default_thread_rate_limit_per_user: None,
            flags: None,
            guild_id: channel.guild_id,
            icon: None,
            id: channel.id,
            invitable: None,
            kind: channel.kind,
            last_message_id: None,
            last_pin_timestamp: None,
            managed: None,
            member: None,
            member_count: None,
            message_count: None,
            name: None,
            newly_created: None,
            nsfw: None,
            owner_id: None,
            parent_id: channel.parent_id,
            permission_overwrites: channel.permission_overwrites,
            position: None,
            rate_limit_per_user: None,
            recipients: None,
            rtc_region: None,
            thread_metadata: None,
            topic: None,
            total_message_sent: None,
            user_limit: None,
            video_quality_mode: None,
        }
    }
}
