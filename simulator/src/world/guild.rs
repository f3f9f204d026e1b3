//! A guild and what is in it.

use super::Skew;

/// A guild.
pub struct Guild {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) member_count: u32,
    pub(super) channels: Vec<Channel>,
    pub(super) roles: Vec<Role>,
    pub(super) bot_role: Role,
    pub(super) walk: Walk,
    pub(crate) speakers: Skew,
}

impl Guild {
    /// Its id.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many members it has, without the bot.
    pub const fn member_count(&self) -> u32 {
        self.member_count
    }

    /// Its text channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The roles that members can have, the one for everybody first, the others from the highest down, as the world was made.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The bot's own role, as the world was made: managed, and above all others.
    pub const fn bot_role(&self) -> &Role {
        &self.bot_role
    }
}

/// A text channel.
pub struct Channel {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// A role.
#[derive(Clone)]
pub struct Role {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its place in the hierarchy, 0 being the lowest.
    pub position: u32,
    /// Its permissions' bits.
    pub permissions: u64,
    /// Its colour.
    pub color: u32,
    /// Whether it belongs to an integration, which alone gives it.
    pub managed: bool,
}

/// A walk that meets every person once before it repeats: `(offset + step * k) mod people`, people being prime.
pub(super) struct Walk {
    pub(super) offset: u64,
    pub(super) step: u64,
    pub(super) inverse: u64,
}
