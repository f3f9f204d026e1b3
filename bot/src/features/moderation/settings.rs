//! How a server wants its moderators to work.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker},
};

use crate::{
    postgres::{Store, StoreError},
    settings::{
        Settings,
        section::{
            Choices, Section,
            field::{Field, Kind},
        },
    },
};

/// The maximum number of protected roles.
const MOST_ROLES: usize = 25;

/// The settings of moderation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModerationSettings {
    /// Members with one of these roles cannot be warned or punished by commands.
    pub protected_roles: Vec<Id<RoleMarker>>,
    /// Whether members get a direct message about a warning, unless the moderator says otherwise.
    pub dm_warn: bool,
}

impl Choices for ModerationSettings {
    const SECTION: Section = Section::of::<Self>(
        "moderation",
        &[
            Field::new("protected_roles", Kind::Roles(MOST_ROLES)),
            Field::new("dm_warn", Kind::Switch),
        ],
    );
}

impl Default for ModerationSettings {
    fn default() -> Self {
        Self {
            protected_roles: Vec::new(),
            dm_warn: true,
        }
    }
}

impl ModerationSettings {
    /// The settings of a guild.
    pub async fn of(
        store: &Store,
        settings: &Settings,
        guild_id: Id<GuildMarker>,
    ) -> Result<Arc<Self>, StoreError> {
        let settings = settings.of(store, guild_id).await?;
        Ok(settings.sections.of())
    }

    /// Whether a member with these roles is protected.
    pub fn protects(&self, roles: &[Id<RoleMarker>]) -> bool {
        self.protected_roles.iter().any(|role| roles.contains(role))
    }
}
