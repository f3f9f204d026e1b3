//! `/warning`: changes warnings, and what their points lead to.

mod threshold;

use futures_util::future::BoxFuture;
use twilight_model::{
    application::command::{
        Command as Definition, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType as Kind,
    },
    channel::message::component::ButtonStyle,
    guild::Permissions,
};

use super::warn;
use crate::{
    discord::{guilds::Rank, rest::Priority},
    features::moderation::{
        self, Action, Denied, LONGEST_QUOTATION, MOST_POINTS, Severity,
        cases::{Asker, Edit, State},
        lift,
        rows::warning::{self, Warning as Stored},
        texts,
    },
    interactions::{
        Around, Question, Refusal,
        asked::BadOption,
        command::Command,
        define::{Opt, button, buttons, for_servers},
        reply::Reply,
    },
    support::{i18n::Language, ids},
};

/// Recent warnings that are offered: as many as Discord shows.
const CHOICES: i64 = 25;
/// The greatest number that Discord takes for a whole number.
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

    fn run<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        Box::pin(async move {
            match question.asked.subcommand()[..] {
                ["remove"] => remove(question, around).await,
                ["edit"] => edit(question, around).await,
                ["threshold", "add"] => threshold::add(question, around).await,
                ["threshold", "remove"] => threshold::remove(question, around).await,
                ["threshold", "list"] => threshold::list(question, around).await,
                _ => Err(Refusal::Stale),
            }
        })
    }

    fn press<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Reply, Refusal>> {
        Box::pin(async move {
            match question.asked.custom_id_parts()[..] {
                ["lift", case_id] => {
                    let case_id = case_id.parse().map_err(|_no_number| Refusal::Stale)?;
                    lift_timeout(question, around, case_id).await
                }
                _ => Err(Refusal::Stale),
            }
        })
    }

    fn complete<'a>(
        &'a self,
        question: &'a mut Question,
        around: &'a Around,
    ) -> BoxFuture<'a, Result<Vec<CommandOptionChoice>, Refusal>> {
        Box::pin(async move {
            let guild_id = question.guild()?;
            question.needs(Permissions::MODERATE_MEMBERS)?;
            let Some(("case", typed)) = question.asked.focused() else {
                return Ok(Vec::new());
            };
            let digits = typed.trim().trim_start_matches('#');
            if !digits.chars().all(|c| c.is_ascii_digit()) {
                return Ok(Vec::new());
            }
            let recent = warning::recent(&around.store, guild_id, digits, CHOICES).await?;
            let language = question.language();
            Ok(recent.iter().map(|warning| choice(language, warning)).collect())
        })
    }
}

/// The option that names a case.
fn case() -> Opt {
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

async fn remove(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    question.needs(Permissions::MODERATE_MEMBERS)?;
    let case_id = case_of(question)?;
    let reason = warn::reason(question, "reason")?;
    let asker = asker(question, around).await?;
    let removed = moderation::cases::remove(&around.store, &around.settings, asker, case_id, reason).await?;
    let State { user_id, .. } = removed.map_err(|denied| refusal(question, denied, case_id))?;
    let language = question.language();
    let values = [
        ("case", case_id.to_string().into()),
        ("user", user_id.to_string().into()),
    ];
    let text = language.filled("warning-removed", &values);
    let Some(running) = lift::running(&around.store, asker.act.guild_id, case_id, asker.act.at()).await?
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

/// Lift the timeout that a removed warning had led to.
async fn lift_timeout(question: &Question, around: &Around, case_id: i64) -> Result<Reply, Refusal> {
    question.needs(Permissions::MODERATE_MEMBERS)?;
    let guild_id = question.guild()?;
    let language = question.language();
    let act = warn::act(question, guild_id)?;
    let running = lift::running(&around.store, guild_id, case_id, act.at()).await?;
    let running = running.ok_or_else(|| question.refuse("warning-lift-over"))?;
    let guilds = &around.guilds;
    let roles = guilds
        .roles_if_member(guild_id, running.user_id, Priority::Interaction)
        .await?;
    let who = (running.user_id, roles.as_deref());
    let authority = question.authority(around).await?;
    let sanctions = guilds
        .sanctions(guild_id, &authority, who, Priority::Interaction)
        .await?;
    let permit = sanctions
        .to(Action::Timeout)
        .map_err(|hindrance| Refusal::Said(hindrance.in_words(language)))?;
    let lifted = lift::lift(&around.store, &around.settings, (act, language), running, permit).await?;
    let lifted = lifted.map_err(|denied| refusal(question, denied, case_id))?;
    let values = [
        ("case", case_id.to_string().into()),
        ("user", lifted.user_id.to_string().into()),
    ];
    Ok(Reply::private(language.filled("warning-lifted", &values)).updating())
}

async fn edit(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    question.needs(Permissions::MODERATE_MEMBERS)?;
    let case_id = case_of(question)?;
    let edit = Edit {
        reason: warn::reason(question, "reason")?,
        severity: warn::severity(question)?,
        points: warn::points(question)?,
        expiry: warn::expiry(question)?,
    };
    if edit.reason.is_none() && edit.severity.is_none() && edit.points.is_none() && edit.expiry.is_none() {
        return Err(question.refuse("warning-nothing"));
    }
    let changes_points = edit.severity.is_some() || edit.points.is_some();
    let asker = asker(question, around).await?;
    let edited = moderation::cases::edit(&around.store, &around.settings, asker, case_id, edit).await?;
    let state = edited.map_err(|denied| refusal(question, denied, case_id))?;
    let language = question.language();
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

fn case_of(question: &Question) -> Result<i64, Refusal> {
    let case_id = question.asked.integer("case")?.ok_or(BadOption("case"))?;
    Ok(case_id)
}

async fn asker(question: &Question, around: &Around) -> Result<Asker, Refusal> {
    let guild_id = question.guild()?;
    let act = warn::act(question, guild_id)?;
    let who = (act.moderator_id, question.asked.roles());
    let rank = around.guilds.rank(guild_id, who, Priority::Interaction).await?;
    Ok(Asker {
        act,
        is_owner: rank == Rank::Owner,
        language: question.language(),
    })
}

/// What is said to who was denied something about a case.
fn refusal(question: &Question, denied: Denied, case_id: i64) -> Refusal {
    let values = [("case", case_id.to_string().into())];
    let said = |key: &str| Refusal::Said(question.language().filled(key, &values));
    match denied {
        Denied::UnknownCase => said("warning-unknown"),
        Denied::Removed => said("warning-gone"),
        Denied::Own => question.refuse("warning-own"),
        Denied::TooMany => question.refuse("warning-threshold-many"),
        Denied::UnknownThreshold => Refusal::Stale,
    }
}
