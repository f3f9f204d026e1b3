//! Changes as data: the form in which the quarantine keeps those that PostgreSQL rejects.

use serde::{Serialize, de::DeserializeOwned};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use crate::support::ids::MemberKey;

/// A change to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// One of the kinds of its part.
    pub kind: &'static str,
    /// `None` for a change that belongs to no guild.
    pub guild_id: Option<Id<GuildMarker>>,
    /// The member, if it is about one: what is kept about members is erased with their other data.
    pub user_id: Option<Id<UserMarker>>,
    /// The rest of the change as JSON.
    pub body: String,
}

/// A change that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its kind.
    pub kind: String,
    /// Its guild.
    pub guild_id: Option<Id<GuildMarker>>,
    /// Its member.
    pub user_id: Option<Id<UserMarker>>,
    /// The rest of the change as JSON.
    pub body: String,
}

impl SetAside {
    /// A change of a guild.
    ///
    /// # Panics
    ///
    /// `body` cannot be written as JSON.
    pub fn of_guild(kind: &'static str, guild_id: Id<GuildMarker>, body: &impl Serialize) -> Self {
        Self {
            kind,
            guild_id: Some(guild_id),
            user_id: None,
            body: serde_json::to_string(body).expect("numbers, words and texts are JSON"),
        }
    }

    /// A change of a member.
    ///
    /// # Panics
    ///
    /// `body` cannot be written as JSON.
    pub fn of_member(kind: &'static str, key: MemberKey, body: &impl Serialize) -> Self {
        Self {
            user_id: Some(key.user_id),
            ..Self::of_guild(kind, key.guild_id, body)
        }
    }
}

impl Kept {
    /// The member, if the change is about one.
    pub fn key(&self) -> Option<MemberKey> {
        Some(MemberKey {
            guild_id: self.guild_id?,
            user_id: self.user_id?,
        })
    }

    /// The rest of the change. `None` if this version cannot read it.
    pub fn body<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.body).ok()
    }
}
