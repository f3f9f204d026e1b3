//! How a server wants its moderators to work.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, RoleMarker},
};

use super::{effects::wording::Wording, kind::Kind as CaseKind, log::GuildLog};
use crate::{
    discord::guilds::authority::Action,
    postgres::{Store, StoreError, Tx},
    settings::{
        Settings,
        section::{
            Choices, Section,
            field::{Field, Kind},
        },
    },
    support::{i18n::Language, text::template::Placeholder},
};

/// The maximum number of protected roles.
const MOST_ROLES: usize = 25;
/// The largest limit of actions per hour.
const MOST_PER_HOUR: i64 = 1_000;
/// The largest number of warnings from which a moderator is asked.
const MOST_WARNINGS: i64 = 100;

/// The largest number of cases from which a return is an alert.
const MOST_CASES: i64 = 100;

/// The largest number of days between two appeals.
const MOST_DAYS: i64 = 365;

/// The settings of moderation.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting by itself")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModerationSettings {
    /// Members with one of these roles cannot be warned or punished by commands.
    pub protected_roles: Vec<Id<RoleMarker>>,
    /// Whether punishments need a reason.
    pub require_reason: bool,
    /// The number of warnings from which `/warn` asks before it adds one; 0 for never.
    pub confirm_warnings: i64,
    /// The bans of one moderator in an hour; 0 for no limit.
    pub bans_per_hour: i64,
    /// The kicks of one moderator in an hour; 0 for no limit.
    pub kicks_per_hour: i64,
    /// The number of cases from which staff learn that a member has come back; 0 for never.
    pub rejoin_alert: i64,
    /// Whether members get a direct message about a warning, unless the moderator says otherwise.
    pub dm_warn: bool,
    /// The same for timeouts.
    pub dm_timeout: bool,
    /// The same for kicks.
    pub dm_kick: bool,
    /// The same for bans.
    pub dm_ban: bool,
    /// The message about a warning, as a template; empty for the bot's own.
    pub warn_message: String,
    /// The same for timeouts.
    pub timeout_message: String,
    /// The same for kicks.
    pub kick_message: String,
    /// The same for bans.
    pub ban_message: String,
    /// What each of these messages ends with, such as a link to a form; a template, or empty.
    pub appeal: String,
    /// Where warnings are logged; `None` for the log channel.
    pub log_warnings: Option<Id<ChannelMarker>>,
    /// The same for timeouts.
    pub log_timeouts: Option<Id<ChannelMarker>>,
    /// The same for kicks.
    pub log_kicks: Option<Id<ChannelMarker>>,
    /// The same for bans.
    pub log_bans: Option<Id<ChannelMarker>>,
    /// Where messages that Discord's automatic moderation blocked are logged; `None` for nowhere.
    pub log_automod: Option<Id<ChannelMarker>>,
    /// Where members' reports go; `None` if they cannot report.
    #[serde(default)]
    pub reports: Option<Id<ChannelMarker>>,
    /// Whether members get a direct message when their report is closed.
    #[serde(default)]
    pub report_replies: bool,
    /// Whether banned users can appeal on the website.
    #[serde(default)]
    pub appeals: bool,
    /// The days after which a user can appeal again; 0 for at once.
    #[serde(default)]
    pub appeal_days: i64,
}

impl Choices for ModerationSettings {
    const SECTION: Section = Section::of::<Self>(
        "moderation",
        &[
            Field::new("protected_roles", Kind::Roles(MOST_ROLES)),
            Field::new("require_reason", Kind::Switch),
            Field::new("confirm_warnings", Kind::Limit(MOST_WARNINGS)),
            Field::new("bans_per_hour", Kind::Limit(MOST_PER_HOUR)),
            Field::new("kicks_per_hour", Kind::Limit(MOST_PER_HOUR)),
            Field::new("rejoin_alert", Kind::Limit(MOST_CASES)),
            Field::new("dm_warn", Kind::Switch),
            Field::new("dm_timeout", Kind::Switch),
            Field::new("dm_kick", Kind::Switch),
            Field::new("dm_ban", Kind::Switch),
            Field::new("warn_message", Kind::Template(&Placeholder::CASES)),
            Field::new("timeout_message", Kind::Template(&Placeholder::CASES)),
            Field::new("kick_message", Kind::Template(&Placeholder::CASES)),
            Field::new("ban_message", Kind::Template(&Placeholder::CASES)),
            Field::new("appeal", Kind::Template(&Placeholder::CASES)),
            Field::new("log_warnings", Kind::Channel),
            Field::new("log_timeouts", Kind::Channel),
            Field::new("log_kicks", Kind::Channel),
            Field::new("log_bans", Kind::Channel),
            Field::new("log_automod", Kind::Channel),
            Field::new("reports", Kind::Channel),
            Field::new("report_replies", Kind::Switch),
            Field::new("appeals", Kind::Switch),
            Field::new("appeal_days", Kind::Limit(MOST_DAYS)),
        ],
    );
}

impl Default for ModerationSettings {
    fn default() -> Self {
        Self {
            protected_roles: Vec::new(),
            require_reason: false,
            confirm_warnings: 0,
            bans_per_hour: 0,
            kicks_per_hour: 0,
            rejoin_alert: 0,
            dm_warn: true,
            dm_timeout: true,
            dm_kick: true,
            dm_ban: true,
            warn_message: String::new(),
            timeout_message: String::new(),
            kick_message: String::new(),
            ban_message: String::new(),
            appeal: String::new(),
            log_warnings: None,
            log_timeouts: None,
            log_kicks: None,
            log_bans: None,
            log_automod: None,
            reports: None,
            report_replies: false,
            appeals: false,
            appeal_days: 30,
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

    /// The settings of a guild, in a transaction that has changed none.
    pub(super) async fn within(
        tx: &Tx<'_>,
        settings: &Settings,
        guild_id: Id<GuildMarker>,
    ) -> Result<Arc<Self>, StoreError> {
        let known = settings.within(tx, std::iter::once(guild_id)).await?;
        Ok(known
            .get(&guild_id)
            .map(|settings| settings.sections.of())
            .unwrap_or_default())
    }

    /// Where cases of this kind are logged; `language` applies if the guild has not chosen one.
    pub(super) async fn log(
        &self,
        tx: &Tx<'_>,
        settings: &Settings,
        (guild_id, language): (Id<GuildMarker>, Language),
        kind: CaseKind,
    ) -> Result<GuildLog, StoreError> {
        let log = GuildLog::of(tx, settings, guild_id, language).await?;
        Ok(log.in_channel(self.log_channel(kind)))
    }

    /// The same, if no other setting is needed.
    pub(super) async fn log_within(
        tx: &Tx<'_>,
        settings: &Settings,
        of: (Id<GuildMarker>, Language),
        kind: CaseKind,
    ) -> Result<GuildLog, StoreError> {
        let policy = Self::within(tx, settings, of.0).await?;
        policy.log(tx, settings, of, kind).await
    }

    /// The server's words in the message about a case of this kind.
    pub(super) fn wording(&self, kind: CaseKind) -> Wording {
        Wording {
            message: self.message(kind).to_owned(),
            appeal: self.appeal.clone(),
        }
    }

    /// Whether a member with these roles is protected.
    pub fn protects(&self, roles: &[Id<RoleMarker>]) -> bool {
        self.protected_roles.iter().any(|role| roles.contains(role))
    }

    /// Whether members get a direct message about a case of this kind, unless the moderator says otherwise. They get none when a punishment is
    /// taken back.
    pub const fn tells(&self, kind: CaseKind) -> bool {
        match kind {
            CaseKind::Warning => self.dm_warn,
            CaseKind::Timeout => self.dm_timeout,
            CaseKind::Kick => self.dm_kick,
            CaseKind::Ban | CaseKind::Tempban | CaseKind::Softban => self.dm_ban,
            CaseKind::Unban | CaseKind::Untimeout | CaseKind::Note => false,
        }
    }

    /// The template of the message about a case of this kind; empty for the bot's own text.
    fn message(&self, kind: CaseKind) -> &str {
        match (kind, kind.action()) {
            (CaseKind::Warning, _) => &self.warn_message,
            (_, Some(Action::Timeout)) => &self.timeout_message,
            (_, Some(Action::Kick)) => &self.kick_message,
            (_, Some(Action::Ban)) => &self.ban_message,
            (_, None) => "",
        }
    }

    /// Where cases of this kind are logged; `None` for the log channel.
    const fn log_channel(&self, kind: CaseKind) -> Option<Id<ChannelMarker>> {
        match (kind, kind.action()) {
            (CaseKind::Warning, _) => self.log_warnings,
            (_, Some(Action::Timeout)) => self.log_timeouts,
            (_, Some(Action::Kick)) => self.log_kicks,
            (_, Some(Action::Ban)) => self.log_bans,
            (_, None) => None,
        }
    }

    /// The cases of this kind that one moderator may make in an hour, and the kinds that count for it; `None` for no limit.
    pub fn limit(&self, kind: CaseKind) -> Option<(i64, &'static [CaseKind])> {
        let (most, kinds): (_, &[CaseKind]) = match kind {
            CaseKind::Ban | CaseKind::Tempban | CaseKind::Softban => (
                self.bans_per_hour,
                &[CaseKind::Ban, CaseKind::Tempban, CaseKind::Softban],
            ),
            CaseKind::Kick => (self.kicks_per_hour, &[CaseKind::Kick]),
            _ => return None,
        };
        (most > 0).then_some((most, kinds))
    }
}

#[cfg(test)]
mod tests {
    use super::{CaseKind, ModerationSettings};

    #[test]
    fn limits_are_off_unless_chosen_and_cover_every_kind_of_ban() {
        let usual = ModerationSettings::default();
        assert!(CaseKind::ALL.into_iter().all(|kind| usual.limit(kind).is_none()));
        let limited = ModerationSettings {
            bans_per_hour: 2,
            ..usual
        };
        for kind in [CaseKind::Ban, CaseKind::Tempban, CaseKind::Softban] {
            let (most, kinds) = limited.limit(kind).expect("a limit");
            assert!(most == 2 && kinds.contains(&kind), "{kind:?}");
        }
        assert!(limited.limit(CaseKind::Unban).is_none() && limited.limit(CaseKind::Kick).is_none());
    }
}
