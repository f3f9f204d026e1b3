//! Texts for denied actions.

use twilight_model::{
    guild::Permissions,
    id::{Id, marker::RoleMarker},
};

use super::{Denial, Hindrance};
use crate::support::i18n::Language;

impl Denial {
    /// The text for the user whose action was denied.
    pub fn in_words(self, language: Language) -> String {
        let role = |role_id: Id<RoleMarker>| format!("<@&{role_id}>").into();
        match self {
            Self::Permission(missing) => {
                let values = [("permission", permission(missing, language).into())];
                language.filled("error-permission", &values)
            }
            Self::RoleAbove(role_id) => language.filled("denied-role-above", &[("role", role(role_id))]),
            Self::OwnerOnly(role_id, dangerous) => {
                let values = [
                    ("role", role(role_id)),
                    ("permission", permission(dangerous, language).into()),
                ];
                language.filled("denied-owner-only", &values)
            }
            Self::MemberAbove => language.text("denied-member-above"),
        }
    }
}

impl Hindrance {
    /// The key of the text for moderators, if it need not name the permission that they lack.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Denied(_) => "hindrance-rank",
            Self::Bot(obstacle) => obstacle.key(),
        }
    }

    /// The text for moderators and for the log channel.
    pub fn in_words(self, language: Language) -> String {
        match self {
            Self::Denied(Denial::Permission(missing)) => {
                let values = [("permission", permission(missing, language).into())];
                language.filled("hindrance-permission", &values)
            }
            other => language.text(other.key()),
        }
    }
}

/// The name of a permission in Discord's settings.
pub(crate) fn permission(permissions: Permissions, language: Language) -> String {
    let key = match permissions {
        Permissions::MANAGE_GUILD => "permission-manage-guild",
        Permissions::MANAGE_ROLES => "permission-manage-roles",
        Permissions::VIEW_CHANNEL => "permission-view-channel",
        Permissions::SEND_MESSAGES => "permission-send-messages",
        Permissions::SEND_MESSAGES_IN_THREADS => "permission-send-in-threads",
        Permissions::CREATE_PUBLIC_THREADS => "permission-create-public-threads",
        Permissions::CREATE_PRIVATE_THREADS => "permission-create-private-threads",
        Permissions::READ_MESSAGE_HISTORY => "permission-read-history",
        Permissions::CONNECT => "permission-connect",
        Permissions::MANAGE_CHANNELS => "permission-manage-channels",
        Permissions::MANAGE_WEBHOOKS => "permission-manage-webhooks",
        Permissions::MODERATE_MEMBERS => "permission-moderate-members",
        Permissions::KICK_MEMBERS => "permission-kick-members",
        Permissions::BAN_MEMBERS => "permission-ban-members",
        Permissions::MOVE_MEMBERS => "permission-move-members",
        Permissions::MUTE_MEMBERS => "permission-mute-members",
        Permissions::DEAFEN_MEMBERS => "permission-deafen-members",
        Permissions::MANAGE_NICKNAMES => "permission-manage-nicknames",
        Permissions::MANAGE_MESSAGES => "permission-manage-messages",
        Permissions::MANAGE_THREADS => "permission-manage-threads",
        Permissions::PIN_MESSAGES => "permission-pin-messages",
        Permissions::MANAGE_GUILD_EXPRESSIONS => "permission-manage-expressions",
        Permissions::MANAGE_EVENTS => "permission-manage-events",
        Permissions::MENTION_EVERYONE => "permission-mention-everyone",
        Permissions::VIEW_AUDIT_LOG => "permission-view-audit-log",
        _ => "permission-other",
    };
    language.text(key)
}
