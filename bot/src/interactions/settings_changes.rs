//! Changes of settings by their names: what they need, what they are called, and how they are taken back.

use serde_json::{Value as Json, json};
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{InteractionMarker, RoleMarker},
    },
};

use super::{
    CommandContext, CommandError, Services,
    feature::{TakeBack, Undo},
    reply::Reply,
    settings_tabs::sections,
};
use crate::{
    discord::{
        guilds::{
            Assignable,
            authority::{RewardFault, RewardPermit},
        },
        rest::Priority,
    },
    postgres::request::undo,
    settings::{
        command_settings::{self, CommandSetting, Needs, Permits},
        history::{self, UndoFault, changed_by},
        section::{Setting, field::Named},
    },
    support::i18n::Language,
};

/// How `/undo` takes back changes of settings that their requests keep, for requests with this action.
pub(crate) const fn undo(action: &'static str) -> Undo {
    Undo {
        action,
        permissions: Permissions::MANAGE_GUILD,
        words: |request, language| {
            let names: Vec<String> = changed_by(request).into_keys().collect();
            language.filled("undo-settings", &[("settings", names.join(", ").into())])
        },
        take_back: TakeBack::InSteps(|context, services, chosen| {
            Box::pin(take_back(context, services, chosen))
        }),
    }
}

/// Take a change back, with the same checks as for a new one.
pub(crate) async fn take_back(
    context: &CommandContext,
    services: &Services,
    chosen: Id<InteractionMarker>,
) -> Result<Reply, CommandError> {
    let (guild_id, language) = (context.guild()?, context.language());
    let found = undo::find(&services.store, guild_id, chosen).await?;
    let difference = found.as_ref().map(changed_by).unwrap_or_default();
    let before: Vec<(&str, &Json)> = difference
        .iter()
        .map(|(name, (before, _))| (name.as_str(), before))
        .collect();
    if !exist(services, context, &before).await? {
        return Err(context.refuse("settings-page-undo-gone"));
    }
    let permits = permits(context, services, &before).await?;
    let details = json!({"request_id": chosen.to_string()});
    let request = context.request("settings_undo", &details)?;
    let labels = |names: &[String]| {
        let labels: Vec<String> = names.iter().map(|name| label(services, name, language)).collect();
        labels.join(", ")
    };
    match history::undo(&services.store, request, chosen, permits).await? {
        Ok(()) => {
            let names: Vec<String> = difference.into_keys().collect();
            services.commands.follow_up(services, guild_id, &names).await?;
            let what = language.filled("undo-settings", &[("settings", labels(&names).into())]);
            Ok(Reply::private(
                language.filled("undo-done", &[("what", what.into())]),
            ))
        }
        Err(UndoFault::NotThere) => Err(context.refuse("undo-gone")),
        Err(UndoFault::Changed(names)) => {
            let values = [("settings", labels(&names).into())];
            Err(CommandError::Said(
                language.filled("settings-page-undo-changed", &values),
            ))
        }
        Err(UndoFault::NotPermitted(name)) => {
            let values = [("setting", label(services, &name, language).into())];
            Err(CommandError::Said(
                language.filled("settings-page-undo-impossible", &values),
            ))
        }
    }
}

/// The permits that these values need, if the user has them.
///
/// # Errors
///
/// The user lacks one, or the bot cannot give a role.
pub(crate) async fn permits(
    context: &CommandContext,
    services: &Services,
    values: &[(&str, &Json)],
) -> Result<Permits, CommandError> {
    let mut permits = Permits::default();
    for (name, value) in values {
        let Some((setting, key)) = CommandSetting::find(name) else {
            continue;
        };
        match setting.needs {
            Needs::Xp if permits.xp.is_none() => permits.xp = Some(context.xp_permit(services).await?),
            Needs::Reward if !value.is_null() => {
                for role_id in command_settings::named(key).roles {
                    let permit = reward_permit(context, services, role_id).await?;
                    permits.rewards.insert(role_id, permit);
                }
            }
            Needs::Nothing | Needs::Xp | Needs::Reward => {}
        }
    }
    Ok(permits)
}

/// Check that the user may make the role a reward and that the bot can assign it.
pub(crate) async fn reward_permit(
    context: &CommandContext,
    services: &Services,
    role_id: Id<RoleMarker>,
) -> Result<RewardPermit, CommandError> {
    let authority = context.authority(services).await?;
    let guilds = &services.guilds;
    let permit = guilds.reward_permit(context.guild()?, &authority, role_id, Priority::Interaction);
    permit.await?.map_err(|denied| match denied {
        RewardFault::Denied(denial) => denial.into(),
        RewardFault::Unassignable(assignable) => {
            context.refuse(unassignable(assignable).unwrap_or("levels-reward-not-given"))
        }
    })
}

/// The text for a role that the bot cannot assign.
pub(crate) const fn unassignable(assignable: Assignable) -> Option<&'static str> {
    match assignable {
        Assignable::Yes => None,
        Assignable::NoPermission => Some("levels-reward-no-permission"),
        Assignable::RoleAboveBot { .. } => Some("levels-reward-above"),
        Assignable::Everyone => Some("levels-reward-everyone"),
        Assignable::UnknownRole => Some("levels-reward-unknown"),
        Assignable::Managed => Some("levels-reward-not-given"),
    }
}

/// Whether the roles and channels that these values name exist in the server.
pub(crate) async fn exist(
    services: &Services,
    context: &CommandContext,
    values: &[(&str, &Json)],
) -> Result<bool, CommandError> {
    let guild_id = context.guild()?;
    for (name, value) in values {
        let Named { roles, channels } = named(services, name, value);
        let gone = services
            .guilds
            .gone(guild_id, &roles, &channels, Priority::Command);
        if !gone.await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The roles and channels that a setting with this value names. The default names none.
pub(crate) fn named(services: &Services, name: &str, value: &Json) -> Named {
    if value.is_null() {
        return Named::default();
    }
    match CommandSetting::find(name) {
        Some((_, key)) => command_settings::named(key),
        None => Setting::find(sections(services), name)
            .map(|setting| setting.field.kind.named(value))
            .unwrap_or_default(),
    }
}

/// The section and the label of a setting for Discord, or its name if this version does not know it.
pub(crate) fn label(services: &Services, name: &str, language: Language) -> String {
    if let Some((setting, key)) = CommandSetting::find(name) {
        return setting.label(key, language);
    }
    if let Some((setting, key)) = services.commands.row_setting(name) {
        return (setting.label)(key, language);
    }
    match Setting::find(sections(services), name) {
        Ok(setting) => format!("{}: {}", setting.section.title(language), setting.label(language)),
        Err(_unknown) => name.to_owned(),
    }
}
