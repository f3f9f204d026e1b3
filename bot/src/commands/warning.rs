//! `/warning`: changes warnings, and what their points lead to.

mod threshold;

use futures_util::future::BoxFuture;
use twilight_model::{
    application::command::{
        Command as Definition, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType as Kind,
    },
    guild::Permissions,
};

use super::{
    Command,
    define::{Opt, for_servers},
    warn,
};
use crate::{
    guilds::Rank,
    interactions::{Around, Question, Refusal, asked::BadOption, reply::Reply},
    language::Language,
    moderation::{
        self, Denied, LONGEST_QUOTATION, MOST_POINTS, Severity,
        cases::{Asker, Edit, State},
        words,
    },
    rest::Priority,
    store::warning::{self, Warning as Stored},
};

/// Recent warnings that are offered: as many as Discord shows.
const CHOICES: i64 = 25;
/// The greatest number that Discord takes for a whole number.
const LARGEST: i64 = 1 << 53;

#[derive(Debug)]
pub(super) struct Warning;

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
        words::severity(language, severity),
        words::points(language, warning.points),
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
    let values = [
        ("case", case_id.to_string().into()),
        ("user", user_id.to_string().into()),
    ];
    let text = question.language().filled("warning-removed", &values);
    Ok(Reply::private(text))
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
    let asker = asker(question, around).await?;
    let edited = moderation::cases::edit(&around.store, &around.settings, asker, case_id, edit).await?;
    let state = edited.map_err(|denied| refusal(question, denied, case_id))?;
    let language = question.language();
    let values = [
        ("case", case_id.to_string().into()),
        ("user", state.user_id.to_string().into()),
        ("severity", words::severity(language, state.severity).into()),
        ("points", words::points(language, state.points).into()),
        ("expiry", words::expiry(language, state.expires_at()).into()),
        ("reason", words::quoted(&state.reason, LONGEST_QUOTATION).into()),
    ];
    Ok(Reply::private(language.filled("warning-edited", &values)))
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
