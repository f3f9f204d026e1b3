//! Why an action that staff asked for cannot be carried out: in one line for operators, which is stored with the effect, and from it in
//! the language of the reader.

use twilight_model::guild::Permissions;

use super::outcome::{Failure, Reason, Undelivered, of_error};
use crate::{
    discord::{
        guilds::{
            Obstacle,
            authority::{Denial, channels::first, permission},
        },
        rest::RestError,
    },
    support::i18n::Language,
};

/// The reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The member who asked lacks a permission, or has left.
    AskerLacks(Permissions),
    /// The member who asked does not rank above the role or the member.
    AskerBelow,
    /// The bot lacks a permission.
    BotLacks(Permissions),
    /// The bot does not rank above the role or the member.
    BotBelow,
    /// The member owns the server.
    Owner,
    /// The role belongs to an integration.
    Managed,
    /// Everyone has the role.
    Everyone,
    /// There is no such role.
    NoRole,
    /// There is no such channel.
    NoChannel,
    /// The channel has no permissions of its own.
    Thread,
    /// The user is not a member.
    NoMember,
    /// Members cannot write in the channel anyway.
    Closed,
}

/// Those without a value.
const PLAIN: [Trouble; 10] = [
    Trouble::AskerBelow,
    Trouble::BotBelow,
    Trouble::Owner,
    Trouble::Managed,
    Trouble::Everyone,
    Trouble::NoRole,
    Trouble::NoChannel,
    Trouble::Thread,
    Trouble::NoMember,
    Trouble::Closed,
];

impl Trouble {
    /// The line for operators.
    fn line(self) -> String {
        let line = match self {
            Self::AskerLacks(missing) => {
                return format!(
                    "the member who asked lacks {}",
                    permission(missing, Language::English)
                );
            }
            Self::BotLacks(missing) => {
                return format!("the bot lacks {}", permission(missing, Language::English));
            }
            Self::AskerBelow => "the member who asked does not rank above it",
            Self::BotBelow => "the bot does not rank above it",
            Self::Owner => "the member owns the server",
            Self::Managed => "the role belongs to an integration",
            Self::Everyone => "everyone has the role",
            Self::NoRole => "there is no such role",
            Self::NoChannel => "there is no such channel",
            Self::Thread => "a thread has no permissions of its own",
            Self::NoMember => "the user is not a member",
            Self::Closed => "members cannot write there anyway",
        };
        line.to_owned()
    }

    const fn reason(self) -> Reason {
        match self {
            Self::NoRole | Self::NoChannel | Self::NoMember => Reason::Gone,
            Self::Thread | Self::Closed => Reason::Invalid,
            _ => Reason::Forbidden,
        }
    }

    /// Why an effect that meets it is impossible.
    pub(crate) fn as_failure(self, target_id: i64) -> Failure {
        Failure {
            reason: self.reason(),
            detail: self.line(),
            target_id,
        }
    }

    /// The failure of an effect that meets it.
    pub(crate) fn failure(self, target_id: i64) -> Undelivered {
        Undelivered::Failed(self.as_failure(target_id))
    }

    /// The one with this line.
    pub(crate) fn of(line: &str) -> Option<Self> {
        let permissions = Permissions::all();
        let of_permissions = permissions
            .iter()
            .flat_map(|missing| [Self::AskerLacks(missing), Self::BotLacks(missing)]);
        PLAIN
            .into_iter()
            .chain(of_permissions)
            .find(|trouble| trouble.line() == line)
    }

    /// The text for staff.
    pub(crate) fn in_words(self, language: Language) -> String {
        let key = match self {
            Self::AskerLacks(missing) | Self::BotLacks(missing) => {
                let key = if matches!(self, Self::BotLacks(_)) {
                    "trouble-bot-lacks"
                } else {
                    "trouble-asker-lacks"
                };
                let values = [("permission", permission(missing, language).into())];
                return language.filled(key, &values);
            }
            Self::AskerBelow => "trouble-asker-below",
            Self::BotBelow => "trouble-bot-below",
            Self::Owner => "trouble-owner",
            Self::Managed => "trouble-managed",
            Self::Everyone => "trouble-everyone",
            Self::NoRole => "trouble-no-role",
            Self::NoChannel => "trouble-no-channel",
            Self::Thread => "trouble-thread",
            Self::NoMember => "trouble-no-member",
            Self::Closed => "trouble-closed",
        };
        language.text(key)
    }
}

impl From<Denial> for Trouble {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Permission(missing) => Self::AskerLacks(first(missing)),
            Denial::RoleAbove(_) | Denial::OwnerOnly(..) | Denial::MemberAbove => Self::AskerBelow,
        }
    }
}

/// The failure of an effect that the member who asked for it may not cause any more, if it is denied.
pub(crate) fn of_denial(
    denial: Result<Option<Denial>, RestError>,
    target_id: i64,
) -> Result<(), Undelivered> {
    match denial {
        Ok(None) => Ok(()),
        Ok(Some(denial)) => Err(Trouble::from(denial).failure(target_id)),
        Err(error) => Err(of_error(&error, target_id)),
    }
}

/// The failure of an effect for which the bot lacks permissions, if it lacks any.
pub(crate) fn of_lacking(lacking: Result<Permissions, RestError>, target_id: i64) -> Result<(), Undelivered> {
    match lacking {
        Ok(lacking) if lacking.is_empty() => Ok(()),
        Ok(lacking) => Err(Trouble::BotLacks(first(lacking)).failure(target_id)),
        Err(error) => Err(of_error(&error, target_id)),
    }
}

/// The line about a member who has received a higher role since the command.
pub(crate) const NOT_ABOVE: &str = "the moderator's highest role is not above the member's";

/// What can be in the way of a punishment.
const OBSTACLES: [Obstacle; 4] = [
    Obstacle::NoPermission,
    Obstacle::Owner,
    Obstacle::AboveBot,
    Obstacle::Administrator,
];

/// The line for operators about an obstacle to a punishment.
pub(crate) const fn of_obstacle(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::NoPermission => "the bot lacks the permission",
        Obstacle::Owner => "the server is theirs",
        Obstacle::AboveBot => "their highest role is not below the bot's",
        Obstacle::Administrator => "administrators cannot be timed out",
    }
}

/// The obstacle with this line.
pub(crate) fn obstacle_of(line: &str) -> Option<Obstacle> {
    OBSTACLES
        .into_iter()
        .find(|obstacle| of_obstacle(*obstacle) == line)
}

/// The text for staff about an effect that was abandoned with this failure.
pub(crate) fn in_words(failure: &str, language: Language) -> String {
    if let Some(trouble) = Trouble::of(failure) {
        return trouble.in_words(language);
    }
    if let Some(obstacle) = obstacle_of(failure) {
        return language.text(obstacle.key());
    }
    let key = if failure == NOT_ABOVE {
        "hindrance-rank"
    } else if failure.starts_with("too old") {
        "trouble-late"
    } else if failure.contains("status 403") {
        "trouble-refused"
    } else if failure.contains("status 404") {
        "trouble-gone"
    } else if failure.contains("answered with status 5")
        || failure.contains("no answer")
        || failure.contains("connection")
    {
        "trouble-unavailable"
    } else {
        "trouble-other"
    };
    language.text(key)
}

#[cfg(test)]
mod tests {
    use twilight_model::guild::Permissions;

    use super::{PLAIN, Trouble, in_words};
    use crate::support::i18n::Language;

    #[test]
    fn the_stored_line_leads_back_to_the_reason() {
        let of_permissions = [Permissions::MANAGE_ROLES, Permissions::SEND_MESSAGES]
            .into_iter()
            .flat_map(|missing| [Trouble::AskerLacks(missing), Trouble::BotLacks(missing)]);
        for trouble in PLAIN.into_iter().chain(of_permissions) {
            assert_eq!(Trouble::of(&trouble.line()), Some(trouble));
            for language in Language::ALL {
                assert_eq!(in_words(&trouble.line(), language), trouble.in_words(language));
            }
        }
    }
}
