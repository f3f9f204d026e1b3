//! What an effect is, and how it stands in the outbox.

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::RoleMarker};

/// Something that the bot owes Discord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell that a member reached a level.
    LevelUp(LevelUp),
    /// Make a member's reward roles what their level says.
    Roles,
    /// Tell those who run the server something.
    Notice(Notice),
    /// Welcome somebody who has come.
    Welcome,
}

/// A member has reached a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelUp {
    /// The level.
    pub level: u32,
    /// The level before the change that passed one or more.
    pub before: u32,
    /// XP in total after it.
    pub xp: u64,
}

/// Something that those who run a server should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// The bot stopped to announce levels.
    AnnouncementsOff {
        /// Why, for people.
        reason: String,
    },
    /// The bot stopped to give reward roles.
    RewardsOff {
        /// Why, for people.
        reason: String,
    },
    /// A reward was taken off the list because its role is gone.
    RewardGone {
        /// The role.
        role_id: Id<RoleMarker>,
        /// The level that it was for.
        level: u32,
    },
}

impl Effect {
    /// The words of `outbox.kind`, which are labels of metrics as well.
    pub const KINDS: [&'static str; 4] = [LevelUp::KIND, Self::ROLES, Notice::KIND, Self::WELCOME];
    /// The kind of [`Effect::Welcome`].
    pub const WELCOME: &'static str = "welcome";
    /// The kind of [`Effect::Roles`]; `outbox_roles` knows the word, too.
    pub const ROLES: &'static str = "roles";

    /// The word in `outbox.kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::LevelUp(_) => LevelUp::KIND,
            Self::Roles => Self::ROLES,
            Self::Notice(_) => Notice::KIND,
            Self::Welcome => Self::WELCOME,
        }
    }

    /// What stands in `outbox.body`.
    pub fn body(&self) -> String {
        let json = match self {
            Self::LevelUp(level_up) => serde_json::to_string(level_up),
            Self::Roles | Self::Welcome => return "{}".to_owned(),
            Self::Notice(notice) => serde_json::to_string(notice),
        };
        json.expect("numbers and texts are JSON")
    }

    /// The effect of a row; `None` for a kind that this version does not know.
    ///
    /// # Errors
    ///
    /// The body is not what the kind asks for.
    pub fn read(kind: &str, body: &str) -> Result<Option<Self>, serde_json::Error> {
        Ok(Some(match kind {
            LevelUp::KIND => Self::LevelUp(serde_json::from_str(body)?),
            Self::ROLES => Self::Roles,
            Self::WELCOME => Self::Welcome,
            Notice::KIND => Self::Notice(serde_json::from_str(body)?),
            _ => return Ok(None),
        }))
    }
}

impl LevelUp {
    /// The kind of [`Effect::LevelUp`].
    pub const KIND: &'static str = "level_up";
}

impl Notice {
    /// The kind of [`Effect::Notice`].
    pub const KIND: &'static str = "notice";
}

/// The kind as a label: one that nobody knows is `unknown`.
pub fn label(kind: &str) -> &'static str {
    Effect::KINDS
        .into_iter()
        .find(|known| *known == kind)
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{Effect, LevelUp, Notice, label};

    #[test]
    fn every_effect_comes_back_from_its_row() {
        let all = [
            Effect::LevelUp(LevelUp {
                level: 5,
                before: 4,
                xp: 1_150,
            }),
            Effect::Roles,
            Effect::Welcome,
            Effect::Notice(Notice::AnnouncementsOff {
                reason: "no \"permission\"".to_owned(),
            }),
            Effect::Notice(Notice::RewardsOff {
                reason: String::new(),
            }),
            Effect::Notice(Notice::RewardGone {
                role_id: Id::new(7),
                level: 3,
            }),
        ];
        for effect in all {
            let read = Effect::read(effect.kind(), &effect.body()).expect("readable");
            assert_eq!(read.as_ref(), Some(&effect));
            assert_eq!(label(effect.kind()), effect.kind());
        }
    }

    #[test]
    fn what_a_later_version_wrote_is_left_to_it() {
        assert_eq!(Effect::read("birthday", "{}").expect("no error"), None);
        assert_eq!(label("birthday"), "unknown");
        assert!(Effect::read(LevelUp::KIND, "{}").is_err());
    }
}
