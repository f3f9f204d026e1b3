//! Forms in place of the options of a command, for a member who was chosen by a menu.

use std::fmt::Write as _;

use twilight_model::{
    channel::message::component::TextInputStyle,
    id::{
        Id,
        marker::{InteractionMarker, UserMarker},
    },
};

use super::warn;
use crate::{
    discord::rest::Priority,
    features::moderation::{evidence::Evidence, kind::Kind},
    interactions::{
        CommandContext, CommandError, Services,
        form::{Field, form},
        payload::User,
        reply::Reply,
    },
};

/// The first part of the `custom_id` of a form, after the name of its command.
pub(super) const FORM: &str = "form";

/// The commands that have a form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Warn,
    Timeout,
    Ban,
}

/// Whom a form is about, and what was written into it.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) user: User,
    pub(super) is_member: bool,
    pub(super) reason: Option<String>,
    /// The report to which the moderator reacts.
    pub(super) report_id: Option<Id<InteractionMarker>>,
    /// The appeal that the moderator accepts, with the answer.
    pub(super) appeal: Option<(Id<InteractionMarker>, String)>,
    /// A file to be kept with the case.
    pub(super) evidence: Option<Evidence>,
}

impl Form {
    const fn command(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Timeout => "timeout",
            Self::Ban => "ban",
        }
    }

    /// The form about the member whose menu was used.
    pub(super) fn of_target(self, context: &CommandContext) -> Result<Reply, CommandError> {
        let (user, _) = context.payload.target_user().ok_or(CommandError::Stale)?;
        self.about(context, user.id, None)
    }

    /// The form about a user, perhaps because of a report, for those with the permission.
    pub(super) fn about(
        self,
        context: &CommandContext,
        user_id: Id<UserMarker>,
        report_id: Option<Id<InteractionMarker>>,
    ) -> Result<Reply, CommandError> {
        let kind = match self {
            Self::Warn => Kind::Warning,
            Self::Timeout => Kind::Timeout,
            Self::Ban => Kind::Ban,
        };
        context.require_permissions(kind.permission())?;
        let language = context.language();
        let text = |key: &str| language.text(key);
        let reason = Field {
            custom_id: "reason",
            style: TextInputStyle::Paragraph,
            least: u16::from(kind == Kind::Warning),
            most: warn::reason_length(),
            now: "",
            label: text("form-reason"),
            hint: text("form-reason-hint"),
        };
        let duration = |least, hint| Field {
            custom_id: "duration",
            style: TextInputStyle::Short,
            least,
            most: warn::LONGEST_EXPIRY,
            now: "",
            label: text("form-duration"),
            hint: text(hint),
        };
        let duration = match self {
            Self::Warn => None,
            Self::Timeout => Some(duration(1, "form-duration-timeout-hint")),
            Self::Ban => Some(duration(0, "form-duration-ban-hint")),
        };
        let command = self.command();
        let mut custom_id = format!("{command}:{FORM}:{user_id}");
        if let Some(report_id) = report_id {
            write!(custom_id, ":{report_id}").expect("a String takes everything");
        }
        Ok(form(
            custom_id,
            text(&format!("{command}-menu")),
            duration.into_iter().chain([reason]),
        ))
    }
}

/// Read a submitted form.
pub(super) async fn submitted(
    context: &CommandContext,
    services: &Services,
) -> Result<Submitted, CommandError> {
    let parts = context.payload.custom_id_parts();
    let (user_id, report_id) = match parts[..] {
        [FORM, user_id] => (user_id, None),
        [FORM, user_id, report_id] => (user_id, Some(report_id)),
        _ => return Err(CommandError::Stale),
    };
    let user_id = user_id.parse().map_err(|_no_id| CommandError::Stale)?;
    let report_id = report_id.map(str::parse).transpose();
    let report_id = report_id.map_err(|_no_id| CommandError::Stale)?;
    let reason = warn::checked_reason(context, context.payload.field("reason"))?;
    let guilds = &services.guilds;
    let person = guilds
        .person(context.guild()?, user_id, Priority::Interaction)
        .await?;
    let person = person.ok_or(CommandError::Stale)?;
    Ok(Submitted {
        user: User {
            id: person.id,
            username: person.username,
            global_name: None,
            bot: person.is_bot,
            avatar: None,
        },
        is_member: person.roles.is_some(),
        reason,
        report_id,
        appeal: None,
        evidence: None,
    })
}
