//! `/case edit`: the reason of a case, its moderator, and when its punishment ends. `/scheduled` changes that end too.

use futures_util::future::BoxFuture;
use twilight_model::{
    application::command::CommandOptionType as Type,
    guild::Permissions,
    id::{Id, marker::UserMarker},
};

use super::{warn, warning};
use crate::{
    discord::{
        guilds::{
            Membership,
            authority::{PunishPermit, permission},
        },
        rest::Priority,
    },
    features::moderation::{
        Denied,
        case_changes::{self, CaseChange, ChangedCase},
        duration::{self, Expiry, SHORTEST_TIMEOUT},
        effects::action::ModAction,
        end_change::{EndChange, NewEnd},
        kind::Kind,
        policy,
        rows::case,
        texts,
    },
    interactions::{
        CommandContext, CommandError, Services, define::Opt, payload::User, reply::Reply, scheduled::Wanted,
    },
    outbox::{kind::EffectBody as _, queue::Became, trouble},
    support::{i18n::Language, text::names::quoted},
};

/// A moderator, with their name.
type Behalf = (Id<UserMarker>, Option<String>);

/// The options of `/case edit`.
pub(super) fn options() -> [Opt; 4] {
    [
        warning::case(),
        Opt::named(Type::String, "case-option-reason", "reason").at_most(warn::reason_length()),
        Opt::named(Type::String, "case-option-duration", "duration").at_most(warn::LONGEST_EXPIRY),
        Opt::named(Type::User, "case-option-behalf", "moderator"),
    ]
}

pub(super) async fn run(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let reason = warn::reason(context, "reason")?;
    let end = match context.payload.text("duration")? {
        None => None,
        Some(text) => Some(read(text).ok_or_else(|| {
            let values = [("given", quoted(text).into())];
            CommandError::Said(context.language().filled("action-bad-duration", &values))
        })?),
    };
    let case_id = warning::case_of(context)?;
    let moderator = behalf(context, services, case_id).await?;
    if reason.is_none() && end.is_none() && moderator.is_none() {
        return Err(context.refuse("case-edit-nothing"));
    }
    edit(context, services, case_id, (reason, end, moderator)).await
}

fn read(text: &str) -> Option<NewEnd> {
    match duration::expiry(text)? {
        Expiry::Never => Some(NewEnd::Never),
        Expiry::After(span) => (span >= SHORTEST_TIMEOUT).then_some(NewEnd::After(span)),
    }
}

/// Change or cancel the end of a punishment, whose timer has the number of its case.
pub(crate) fn reschedule<'a>(
    context: &'a CommandContext,
    services: &'a Services,
    wanted: Wanted,
) -> BoxFuture<'a, Result<Reply, CommandError>> {
    let end = wanted.lasts.map_or(NewEnd::Cancelled, NewEnd::After);
    Box::pin(edit(context, services, wanted.timer_id, (None, Some(end), None)))
}

async fn edit(
    context: &CommandContext,
    services: &Services,
    case_id: i64,
    (reason, end, behalf): (Option<String>, Option<NewEnd>, Option<Behalf>),
) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let mut refusal = None;
    let end = match end {
        None => None,
        Some(end) => {
            let permit = match permit(context, services, (guild_id, case_id)).await {
                Ok(permit) => permit,
                Err(error @ (CommandError::Said(_) | CommandError::Denied(_))) => {
                    refusal = Some(error);
                    None
                }
                Err(error) => return Err(error),
            };
            let moderator = context.payload.user().map(|user| user.username.clone());
            Some(EndChange {
                end,
                moderator: moderator.unwrap_or_default(),
                permit,
            })
        }
    };
    let asker = warning::asker(context, services).await?;
    let said = Said {
        changes_reason: reason.is_some(),
        behalf: behalf.as_ref().map(|(user_id, _)| *user_id),
    };
    let change = CaseChange::Edit {
        reason,
        end,
        moderator: behalf,
    };
    let changed = case_changes::change(&services.store, &services.settings, asker, case_id, change).await?;
    let changed = changed.map_err(|denied| match (denied, refusal) {
        (Denied::Refused, Some(refusal)) => refusal,
        // Without a case there was nothing to ask a permission for.
        (Denied::Refused, None) => warning::refusal(context, Denied::Ended, case_id),
        (denied, _) => warning::refusal(context, denied, case_id),
    })?;
    let language = context.language();
    let text = said.in_words(&changed, language);
    let first = text.clone();
    if changed.end.is_some_and(|end| end.kind == Kind::Timeout) {
        let request_id = context.payload.id;
        context.defer(move |progress| async move {
            let became = progress.outcome(guild_id, ModAction::KIND, request_id).await;
            Reply::private(format!("{first}\n{}", outcome(&became, language)))
        });
    }
    Ok(Reply::private(text))
}

/// The moderator's permission for the punishment of a case; `None` if there is none that lasts.
async fn permit(
    context: &CommandContext,
    services: &Services,
    key: case::Key,
) -> Result<Option<PunishPermit>, CommandError> {
    let case = case::get(&services.store, key).await?;
    let Some((case, kind)) = case.and_then(|case| {
        let kind = case.kind.filter(|kind| Kind::LASTING.contains(kind))?;
        Some((case, kind))
    }) else {
        return Ok(None);
    };
    context.require_permissions(kind.permission())?;
    let user = User {
        id: case.user_id,
        username: case.user_name.unwrap_or_default(),
        global_name: None,
        bot: false,
        avatar: None,
    };
    policy::permit(context, services, key.0, (kind, &user))
        .await
        .map(Some)
}

/// What was changed besides the end.
struct Said {
    changes_reason: bool,
    behalf: Option<Id<UserMarker>>,
}

impl Said {
    fn in_words(&self, changed: &ChangedCase, language: Language) -> String {
        let case = || ("case", changed.case_id.to_string().into());
        let reason = self
            .changes_reason
            .then(|| language.filled("case-edited", &[case()]));
        let end = changed.end.map(|end| texts::new_end(language, changed, end));
        let behalf = self.behalf.map(|behalf| {
            let values = [case(), ("behalf", behalf.to_string().into())];
            language.filled("case-moderator-changed", &values)
        });
        let lines = reason.into_iter().chain(end).chain(behalf);
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The moderator on whose behalf a case was made. It takes *Manage Server* to name one, who must have the permission that the case needs.
async fn behalf(
    context: &CommandContext,
    services: &Services,
    case_id: i64,
) -> Result<Option<Behalf>, CommandError> {
    let Some((user, _)) = context.payload.chosen_user("moderator")? else {
        return Ok(None);
    };
    context.require_permissions(Permissions::MANAGE_GUILD)?;
    let guild_id = context.guild()?;
    let case = case::get(&services.store, (guild_id, case_id)).await?;
    let case = case.ok_or_else(|| warning::refusal(context, Denied::UnknownCase, case_id))?;
    let needed = case.kind.map_or(Permissions::MODERATE_MEMBERS, Kind::permission);
    let guilds = &services.guilds;
    let roles = match context.payload.roles_of(user.id) {
        Some(roles) => Some(roles),
        None => {
            guilds
                .roles_if_member(guild_id, user.id, Priority::Interaction)
                .await?
        }
    };
    let may = match roles {
        Some(roles) => {
            // It was done already, so that a timeout since then does not matter.
            let member = Membership {
                roles,
                communication_disabled_until: None,
            };
            let who = (user.id, &member);
            let authority = guilds.authority(guild_id, who, Priority::Interaction).await?;
            authority.has(needed)
        }
        None => false,
    };
    if !may {
        let language = context.language();
        let values = [
            ("user", user.id.to_string().into()),
            ("permission", permission(needed, language).into()),
        ];
        return Err(CommandError::Said(
            language.filled("case-behalf-powerless", &values),
        ));
    }
    Ok(Some((user.id, Some(user.username))))
}

/// What became of the request to Discord.
fn outcome(became: &Became, language: Language) -> String {
    match became {
        Became::Over => language.text("warn-action-done"),
        Became::Waiting => language.text("action-retried"),
        Became::Failed(failure) => {
            let values = [("why", trouble::in_words(failure, language).into())];
            language.filled("warn-action-failed", &values)
        }
    }
}
