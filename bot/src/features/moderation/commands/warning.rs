//! `/warning`: edits and removes warnings, and configures thresholds.

pub(in crate::features::moderation) mod threshold;

use twilight_model::{
    application::command::{
        Command as Definition, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType as Kind,
    },
    channel::message::component::ButtonStyle,
    guild::Permissions,
};

use super::warn;
use crate::{
    discord::{
        guilds::{Rank, authority::Action},
        rest::Priority,
    },
    features::moderation::{
        self, Denied, LONGEST_QUOTATION, MOST_POINTS, Severity,
        rows::warning::{self, Warning as Stored},
        texts, timeout_lift,
        warnings::{Asker, Edit, State},
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, button, buttons, for_servers},
        payload::BadOption,
        reply::Reply,
    },
    support::{i18n::Language, ids},
};

/// Recent warnings offered by autocomplete: the most that Discord shows.
const CHOICES: i64 = 25;
/// The largest integer that Discord accepts in an option.
const LARGEST: i64 = 1 << 53;

#[derive(Debug)]
pub(crate) struct Warning;

impl Command for Warning {
    fn name(&self) -> &'static str {
        "warning"
    }

    fn definition(&self) -> Definition {
        let reason = |key| Opt::named(Kind::String, key, "reason").at_most(warn::reason_length());
        let points = Opt::named(Kind::Integer, "warning-option-points", "points").between(0, MOST_POINTS);
        let expires =
            Opt::named(Kind::String, "warning-option-expires", "expires").at_most(warn::LONGEST_EXPIRY);
        let remove = [case(), reason("warning-option-why")];
        let edit = [
            case(),
            reason("warning-option-reason"),
            warn::severity_option("warning-option-severity"),
            points,
            expires,
        ];
        for_servers(self.name(), Some(Permissions::MODERATE_MEMBERS))
            .option(Opt::sub("warning", "remove", remove))
            .option(Opt::sub("warning", "edit", edit))
            .option(threshold::definition())
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        match context.payload.subcommand()[..] {
            ["remove"] => remove(context, services).await,
            ["edit"] => edit(context, services).await,
            ["threshold", "add"] => threshold::add(context, services).await,
            ["threshold", "remove"] => threshold::remove(context, services).await,
            ["threshold", "list"] => threshold::list(context, services).await,
            _ => Err(CommandError::Stale),
        }
    }

    async fn component(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Reply, CommandError> {
        match context.payload.custom_id_parts()[..] {
            ["lift", case_id] => {
                let case_id = case_id.parse().map_err(|_no_number| CommandError::Stale)?;
                lift_timeout(context, services, case_id).await
            }
            _ => Err(CommandError::Stale),
        }
    }

    async fn autocomplete(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Vec<CommandOptionChoice>, CommandError> {
        let guild_id = context.guild()?;
        context.require_permissions(Permissions::MODERATE_MEMBERS)?;
        let Some(("case", typed)) = context.payload.focused() else {
            return Ok(Vec::new());
        };
        let digits = typed.trim().trim_start_matches('#');
        if !digits.chars().all(|c| c.is_ascii_digit()) {
            return Ok(Vec::new());
        }
        let recent = warning::recent(&services.store, guild_id, digits, CHOICES).await?;
        let language = context.language();
        Ok(recent.iter().map(|warning| choice(language, warning)).collect())
    }
}

/// The option that selects a case.
pub(super) fn case() -> Opt {
    let case = Opt::named(Kind::Integer, "warning-option-case", "case").required();
    case.between(1, LARGEST).completed()
}

fn choice(language: Language, warning: &Stored) -> CommandOptionChoice {
    let severity = Severity::of(&warning.severity).unwrap_or(Severity::Low);
    let name = format!(
        "#{} · {} · {} · {}",
        warning.case_id,
        texts::severity(language, severity),
        texts::points(language, warning.points),
        warning.reason
    );
    CommandOptionChoice {
        name,
        name_localizations: None,
        value: CommandOptionChoiceValue::Integer(warning.case_id),
    }
}

async fn remove(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    context.require_permissions(Permissions::MODERATE_MEMBERS)?;
    let case_id = case_of(context)?;
    let reason = warn::reason(context, "reason")?;
    let asker = asker(context, services).await?;
    let removed =
        moderation::warnings::remove(&services.store, &services.settings, asker, case_id, reason).await?;
    let State { user_id, .. } = removed.map_err(|denied| refusal(context, denied, case_id))?;
    let language = context.language();
    let values = [
        ("case", case_id.to_string().into()),
        ("user", user_id.to_string().into()),
    ];
    let text = language.filled("warning-removed", &values);
    let Some(running) =
        timeout_lift::running(&services.store, asker.act.guild_id, case_id, asker.act.at()).await?
    else {
        return Ok(Reply::private(text));
    };
    let until = texts::moment(ids::to_time(running.until_ms));
    let offer = language.filled("warning-timeout-runs", &[("until", until.into())]);
    let row = buttons([button(
        format!("warning:lift:{case_id}"),
        language.text("warning-lift"),
        ButtonStyle::Secondary,
    )]);
    Ok(Reply::private(format!("{text}\n{offer}")).with_components(vec![row]))
}

/// Lift the timeout that a removed warning caused.
async fn lift_timeout(
    context: &CommandContext,
    services: &Services,
    case_id: i64,
) -> Result<Reply, CommandError> {
    context.require_permissions(Permissions::MODERATE_MEMBERS)?;
    let guild_id = context.guild()?;
    let language = context.language();
    let act = warn::act(context, guild_id)?;
    let running = timeout_lift::running(&services.store, guild_id, case_id, act.at()).await?;
    let running = running.ok_or_else(|| context.refuse("warning-lift-over"))?;
    let guilds = &services.guilds;
    let roles = guilds
        .roles_if_member(guild_id, running.user_id, Priority::Interaction)
        .await?;
    let who = (running.user_id, roles.as_deref());
    let authority = context.authority(services).await?;
    let sanctions = guilds
        .sanctions(guild_id, &authority, who, Priority::Interaction)
        .await?;
    let permit = sanctions
        .to(Action::Timeout)
        .map_err(|hindrance| CommandError::Said(hindrance.in_words(language)))?;
    let lifted = timeout_lift::lift(
        &services.store,
        &services.settings,
        (act, language),
        running,
        permit,
    )
    .await?;
    let lifted = lifted.map_err(|denied| refusal(context, denied, case_id))?;
    let values = [
        ("case", case_id.to_string().into()),
        ("user", lifted.user_id.to_string().into()),
    ];
    Ok(Reply::private(language.filled("warning-lifted", &values)).updating())
}

async fn edit(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    context.require_permissions(Permissions::MODERATE_MEMBERS)?;
    let case_id = case_of(context)?;
    let edit = Edit {
        reason: warn::reason(context, "reason")?,
        severity: warn::severity(context)?,
        points: warn::points(context)?,
        expiry: warn::expiry(context)?,
    };
    if edit.reason.is_none() && edit.severity.is_none() && edit.points.is_none() && edit.expiry.is_none() {
        return Err(context.refuse("warning-nothing"));
    }
    let changes_points = edit.severity.is_some() || edit.points.is_some();
    let asker = asker(context, services).await?;
    let edited =
        moderation::warnings::edit(&services.store, &services.settings, asker, case_id, edit).await?;
    let state = edited.map_err(|denied| refusal(context, denied, case_id))?;
    let language = context.language();
    let values = [
        ("case", case_id.to_string().into()),
        ("user", state.user_id.to_string().into()),
        ("severity", texts::severity(language, state.severity).into()),
        ("points", texts::points(language, state.points).into()),
        ("expiry", texts::expiry(language, state.expires_at()).into()),
        ("reason", texts::quoted(&state.reason, LONGEST_QUOTATION).into()),
    ];
    let mut text = language.filled("warning-edited", &values);
    if changes_points {
        text.push('\n');
        text.push_str(&language.text("warning-edited-points"));
    }
    Ok(Reply::private(text))
}

/// The number of the case that was chosen.
pub(super) fn case_of(context: &CommandContext) -> Result<i64, CommandError> {
    let case_id = context.payload.integer("case")?.ok_or(BadOption("case"))?;
    Ok(case_id)
}

/// The moderator who asks for a change of a case.
pub(super) async fn asker(context: &CommandContext, services: &Services) -> Result<Asker, CommandError> {
    let guild_id = context.guild()?;
    let act = warn::act(context, guild_id)?;
    let who = (act.moderator_id, context.payload.roles());
    let rank = services.guilds.rank(guild_id, who, Priority::Interaction).await?;
    Ok(Asker {
        act,
        is_owner: rank == Rank::Owner,
        language: context.language(),
    })
}

/// The error shown when a change to a case is denied.
pub(super) fn refusal(context: &CommandContext, denied: Denied, case_id: i64) -> CommandError {
    let values = [("case", case_id.to_string().into())];
    let said = |key: &str| CommandError::Said(context.language().filled(key, &values));
    match denied {
        Denied::UnknownCase => said("warning-unknown"),
        Denied::Removed => said("warning-gone"),
        Denied::Own => context.refuse("warning-own"),
        Denied::Running => said("case-running"),
        Denied::Ended => said("case-ended"),
        Denied::NeedsEnd => said("case-needs-end"),
        Denied::TooMany => context.refuse("warning-threshold-many"),
        Denied::NoLog => context.refuse("evidence-no-log"),
        Denied::UnknownThreshold | Denied::Refused | Denied::Limit(_) => CommandError::Stale,
    }
}
