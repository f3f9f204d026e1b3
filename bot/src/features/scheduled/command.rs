//! `/scheduled`: shows the timers of a server in words, and cancels them.

use std::{convert::Infallible, time::SystemTime};

use serde_json::json;
use twilight_model::{
    application::command::{
        Command as Definition, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType as Type,
    },
    guild::Permissions,
};

use crate::{
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        feature::Expected,
        payload::BadOption,
        reply::Reply,
    },
    outbox::queue,
    postgres::{
        request::Completed,
        timer::{self, Filter, Shown},
    },
    settings::mod_log::Told,
    support::{i18n::Language, ids, text::limits::excerpt},
};

/// Timers in the list.
const LISTED: u32 = 20;
/// Timers from which one can be chosen.
const CHOICES: u32 = 25;
/// Characters of the reason of a failure.
const REASON_CHARS: usize = 120;
/// The maximum length of the option, in characters.
const LONGEST: u16 = 100;

/// Who sees the list. Cancelling a timer needs the permission of its kind.
const STAFF: Permissions = Permissions::MODERATE_MEMBERS;

#[derive(Debug)]
pub(crate) struct Scheduled;

impl Command for Scheduled {
    fn name(&self) -> &'static str {
        "scheduled"
    }

    fn definition(&self) -> Definition {
        let failed = Opt::named(Type::Boolean, "scheduled-option-failed", "failed");
        let timer = Opt::named(Type::String, "scheduled-option-timer", "timer").at_most(LONGEST);
        for_servers(self.name(), Some(STAFF))
            .option(Opt::sub("scheduled", "list", [failed]))
            .option(Opt::sub("scheduled", "cancel", [timer.required().completed()]))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(STAFF)?;
        match context.payload.subcommand()[..] {
            ["list"] => list(context, services).await,
            ["cancel"] => cancel(context, services).await,
            _ => Err(CommandError::Stale),
        }
    }

    async fn autocomplete(
        &self,
        context: &mut CommandContext,
        services: &Services,
    ) -> Result<Vec<CommandOptionChoice>, CommandError> {
        context.require_permissions(STAFF)?;
        let filter = Filter {
            guild_id: Some(context.guild()?),
            failed: false,
        };
        let typed = match context.payload.focused() {
            Some(("timer", typed)) => typed.trim().to_lowercase(),
            _ => return Ok(Vec::new()),
        };
        let language = context.language();
        let found = timer::list(&services.store, filter, CHOICES).await?;
        let choices = found.iter().filter_map(|timer| {
            let kind = expected(services, &timer.kind).filter(|kind| kind.cancel.is_some())?;
            let name = kind.in_words(timer.timer_id, language);
            let value = format!("{}:{}", timer.kind, timer.timer_id);
            name.to_lowercase()
                .contains(&typed)
                .then_some(CommandOptionChoice {
                    name,
                    name_localizations: None,
                    value: CommandOptionChoiceValue::String(value),
                })
        });
        Ok(choices.collect())
    }
}

/// What the features say of timers of this kind.
fn expected(services: &Services, kind: &str) -> Option<&'static Expected> {
    services
        .commands
        .expected()
        .find(|expected| expected.kind == kind)
}

async fn list(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let failed = context.payload.boolean("failed")?.unwrap_or(false);
    let filter = Filter {
        guild_id: Some(context.guild()?),
        failed,
    };
    let language = context.language();
    let found = timer::list(&services.store, filter, LISTED).await?;
    if found.is_empty() {
        let key = if failed {
            "scheduled-none-failed"
        } else {
            "scheduled-none"
        };
        return Ok(Reply::private(language.text(key)));
    }
    let title = if failed {
        "scheduled-title-failed"
    } else {
        "scheduled-title"
    };
    let mut lines = vec![language.text(title)];
    lines.extend(found.iter().map(|timer| line(services, timer, language)));
    Ok(Reply::private_list(lines.join("\n")))
}

fn line(services: &Services, timer: &Shown, language: Language) -> String {
    let what = expected(services, &timer.kind).map_or_else(
        || language.filled("scheduled-unknown", &[("kind", timer.kind.as_str().into())]),
        |kind| kind.in_words(timer.timer_id, language),
    );
    let failure = timer
        .failure
        .as_deref()
        .map(|failure| excerpt(failure, REASON_CHARS));
    let values = [
        ("what", what.into()),
        ("due", moment(timer.due).into()),
        ("failure", failure.clone().unwrap_or_default().into()),
    ];
    language.filled(
        match (&timer.failed_at, failure) {
            (Some(_), _) => "scheduled-line-failed",
            (None, Some(_)) => "scheduled-line-retried",
            (None, None) => "scheduled-line",
        },
        &values,
    )
}

/// A timestamp in Discord's format.
fn moment(at: SystemTime) -> String {
    let seconds = ids::to_millis(at) / 1_000;
    format!("<t:{seconds}:f> (<t:{seconds}:R>)")
}

async fn cancel(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let language = context.language();
    let written = context.payload.text("timer")?.ok_or(BadOption("timer"))?;
    let chosen = written.split_once(':').and_then(|(kind, id)| {
        let timer_id: i64 = id.parse().ok()?;
        Some((expected(services, kind)?, timer_id))
    });
    let (kind, timer_id) = chosen.ok_or_else(|| context.refuse("scheduled-choose"))?;
    let permission = kind.cancel.ok_or_else(|| context.refuse("scheduled-fixed"))?;
    context.require_permissions(permission)?;
    let details = json!({"kind": kind.kind, "timer_id": timer_id});
    let request = context.request("scheduled_cancel", &details)?;
    let by = context.payload.user().ok_or(CommandError::ServerOnly)?.id;
    let (guild_id, settings) = (request.guild_id, services.settings.clone());
    let cancelled = services.store.once("scheduled_cancel", request, move |tx| {
        let settings = settings.clone();
        Box::pin(async move {
            let cancelled = timer::cancel(tx, guild_id, kind.kind, timer_id).await?;
            if cancelled {
                (kind.cancelled)(tx, guild_id, timer_id).await?;
                let told = Told::of(tx, &settings, guild_id, language).await?;
                let entry = told.entry(|language| {
                    let values = [
                        ("moderator", by.to_string().into()),
                        ("what", kind.in_words(timer_id, language).into()),
                    ];
                    language.filled("scheduled-log", &values)
                });
                queue::add(tx, entry.as_slice()).await?;
            }
            Ok(Ok::<_, Infallible>(Completed::kept(cancelled)))
        })
    });
    let Ok(cancelled) = cancelled.await?;
    let key = if cancelled.into_value()? {
        "scheduled-cancelled"
    } else {
        "scheduled-gone"
    };
    let values = [("what", kind.in_words(timer_id, language).into())];
    Ok(Reply::private(language.filled(key, &values)))
}
