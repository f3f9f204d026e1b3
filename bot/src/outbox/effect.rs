//! What an effect is, and how it stands in the outbox.

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, RoleMarker, UserMarker},
};

use crate::{
    discord::guilds::authority::PunishPermit,
    features::moderation::{Action, Severity},
};

/// Something that the bot owes Discord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell that a member reached a level.
    LevelUp(LevelUp),
    /// Make a member's reward roles what their level says.
    Roles,
    /// The same, and take those of higher levels that the bot gave.
    Demotion,
    /// Tell those who run the server something.
    Notice(Notice),
    /// Welcome somebody who has come.
    Welcome,
    /// Do to a member what their warnings lead to.
    Punishment(Punishment),
    /// End a timeout before its time.
    TimeoutLift(TimeoutLift),
    /// Tell a member that they were warned.
    WarnedDirectly(WarnedDirectly),
    /// Write down in the log channel what a moderator did.
    ModLog(ModLog),
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
    /// The bot no longer announces levels in one channel.
    ChannelSkipped {
        /// The channel.
        channel_id: Id<ChannelMarker>,
        /// Why, for people.
        reason: String,
    },
    /// The bot stopped to give reward roles.
    RewardsOff {
        /// Why, for people.
        reason: String,
    },
    /// A reward role could not be given again and again. Others are.
    RewardBlocked {
        /// The role.
        role_id: Id<RoleMarker>,
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

/// The body of the kind `roles`. Of two that wait for the same member, what one of them says holds.
#[derive(Serialize, Deserialize)]
struct RolesBody {
    #[serde(default)]
    demotes: bool,
}

/// What a member's warnings lead to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Punishment {
    /// What is done.
    pub action: Action,
    /// When a timeout ends, in milliseconds since 1970: the same however late it is begun.
    pub until_ms: Option<i64>,
    /// When the cause was, in milliseconds since 1970.
    pub at_ms: i64,
    /// The warning that caused it.
    pub case_id: i64,
    /// The points that it reached.
    pub threshold: i64,
    /// The server's language, as one of Discord's locales.
    pub locale: String,
    /// On whose authority.
    #[serde(default = "PunishPermit::unrecorded")]
    pub permit: PunishPermit,
}

/// A timeout that a moderator lifts, since its warning was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeoutLift {
    /// The warning that had led to it.
    pub case_id: i64,
    /// When it would end, in milliseconds since 1970: another timeout stays.
    pub until_ms: i64,
    /// The server's language, as one of Discord's locales.
    pub locale: String,
    /// On whose authority.
    pub permit: PunishPermit,
}

/// A warning, for whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarnedDirectly {
    /// Its number.
    pub case_id: i64,
    /// Who warned them, if the server wants it known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderator_id: Option<Id<UserMarker>>,
    /// The reason, as the moderator wrote it.
    pub reason: String,
    /// How bad it was.
    pub severity: Severity,
    /// What it counts.
    pub points: i64,
    /// Until when, in milliseconds since 1970; `None` for ever.
    pub expires_at_ms: Option<i64>,
    /// The server's language, as one of Discord's locales.
    pub locale: String,
}

/// An entry of the log channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModLog {
    /// In the server's language.
    pub text: String,
}

impl Effect {
    /// The kind of [`Effect::Welcome`].
    pub const WELCOME: &'static str = "welcome";
    /// The words of `outbox.kind`, which are labels of metrics as well.
    pub const KINDS: [&'static str; 8] = [
        LevelUp::KIND,
        Self::ROLES,
        Notice::KIND,
        Punishment::KIND,
        TimeoutLift::KIND,
        WarnedDirectly::KIND,
        ModLog::KIND,
        Self::WELCOME,
    ];
    /// The kind of [`Effect::Roles`]; `outbox_roles` knows the word, too.
    pub const ROLES: &'static str = "roles";

    /// The word in `outbox.kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::LevelUp(_) => LevelUp::KIND,
            Self::Roles | Self::Demotion => Self::ROLES,
            Self::Notice(_) => Notice::KIND,
            Self::Welcome => Self::WELCOME,
            Self::Punishment(_) => Punishment::KIND,
            Self::TimeoutLift(_) => TimeoutLift::KIND,
            Self::WarnedDirectly(_) => WarnedDirectly::KIND,
            Self::ModLog(_) => ModLog::KIND,
        }
    }

    /// What stands in `outbox.body`.
    pub fn body(&self) -> String {
        let json = match self {
            Self::LevelUp(level_up) => serde_json::to_string(level_up),
            Self::Roles | Self::Welcome => return "{}".to_owned(),
            Self::Demotion => serde_json::to_string(&RolesBody { demotes: true }),
            Self::Notice(notice) => serde_json::to_string(notice),
            Self::Punishment(punishment) => serde_json::to_string(punishment),
            Self::TimeoutLift(lift) => serde_json::to_string(lift),
            Self::WarnedDirectly(warned) => serde_json::to_string(warned),
            Self::ModLog(entry) => serde_json::to_string(entry),
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
            Self::ROLES if serde_json::from_str::<RolesBody>(body)?.demotes => Self::Demotion,
            Self::ROLES => Self::Roles,
            Self::WELCOME => Self::Welcome,
            Notice::KIND => Self::Notice(serde_json::from_str(body)?),
            Punishment::KIND => Self::Punishment(serde_json::from_str(body)?),
            TimeoutLift::KIND => Self::TimeoutLift(serde_json::from_str(body)?),
            WarnedDirectly::KIND => Self::WarnedDirectly(serde_json::from_str(body)?),
            ModLog::KIND => Self::ModLog(serde_json::from_str(body)?),
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

impl Punishment {
    /// The kind of [`Effect::Punishment`].
    pub const KIND: &'static str = "punishment";
}

impl TimeoutLift {
    /// The kind of [`Effect::TimeoutLift`]; `outbox_add` knows the word, too.
    pub const KIND: &'static str = "timeout_lift";
}

impl WarnedDirectly {
    /// The kind of [`Effect::WarnedDirectly`].
    pub const KIND: &'static str = "warned";
}

impl ModLog {
    /// The kind of [`Effect::ModLog`].
    pub const KIND: &'static str = "mod_log";
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

    use super::{
        Action, Effect, LevelUp, ModLog, Notice, PunishPermit, Punishment, Severity, TimeoutLift,
        WarnedDirectly, label,
    };

    #[test]
    fn every_effect_comes_back_from_its_row() {
        let all = [
            Effect::LevelUp(LevelUp {
                level: 5,
                before: 4,
                xp: 1_150,
            }),
            Effect::Roles,
            Effect::Demotion,
            Effect::Welcome,
            Effect::Notice(Notice::AnnouncementsOff {
                reason: "no \"permission\"".to_owned(),
            }),
            Effect::Notice(Notice::ChannelSkipped {
                channel_id: Id::new(8),
                reason: String::new(),
            }),
            Effect::Notice(Notice::RewardsOff {
                reason: String::new(),
            }),
            Effect::Notice(Notice::RewardBlocked {
                role_id: Id::new(7),
                reason: "it is above mine".to_owned(),
            }),
            Effect::Notice(Notice::RewardGone {
                role_id: Id::new(7),
                level: 3,
            }),
            Effect::Punishment(Punishment {
                action: Action::Timeout,
                until_ms: Some(1_800_000_000_000),
                at_ms: 1_790_000_000_000,
                case_id: 12,
                threshold: 5,
                locale: "de".to_owned(),
                permit: PunishPermit::unrecorded(),
            }),
            Effect::TimeoutLift(TimeoutLift {
                case_id: 12,
                until_ms: 1_800_000_000_000,
                locale: "de".to_owned(),
                permit: PunishPermit::unrecorded(),
            }),
            Effect::WarnedDirectly(WarnedDirectly {
                case_id: 12,
                moderator_id: Some(Id::new(7)),
                reason: "\"spam\"".to_owned(),
                severity: Severity::High,
                points: 3,
                expires_at_ms: None,
                locale: "en-US".to_owned(),
            }),
            Effect::ModLog(ModLog {
                text: "{}".to_owned(),
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
