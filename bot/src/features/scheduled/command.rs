//! `/scheduled`: shows the timers of a server in words, changes and cancels them.

use std::{ops::RangeInclusive, time::Duration};

use twilight_model::{
    application::command::{
        Command as Definition, CommandOptionChoice, CommandOptionChoiceValue, CommandOptionType as Type,
    },
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use crate::{
    discord::mentions::{Names, Use},
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        feature::Expected,
        options::DURATION_CHARS,
        payload::BadOption,
        reply::Reply,
        scheduled::{self, Subjects, Wanted, in_words, moment},
    },
    outbox::{
        queue::{self, Failing, Failures},
        trouble,
    },
    postgres::{
        StoreError,
        timer::{self, Filter, Shown},
    },
    support::{
        i18n::{Language, Value},
        text::limits::excerpt,
    },
};

/// Timers in the list.
const LISTED: u32 = 20;
/// Timers from which one can be chosen.
const CHOICES: u32 = 25;
/// Characters of the reason of a failure.
const REASON_CHARS: usize = 120;
/// The maximum length of the option, in characters.
const LONGEST: u16 = 100;

/// Effects that staff asked for, each with a text `scheduled-effect-KIND`.
const ASKED_FOR: [&str; 11] = [
    "mod_action",
    "mod_lift",
    "punishment",
    "timeout_lift",
    "channel_lock",
    "channel_unlock",
    "channel_slowmode",
    "channel_slowmode_end",
    "role_change",
    "nick_change",
    "purge",
];
/// How far a timer can be moved.
const BOUNDS: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24 * 365);

/// Who sees the list. A change of a timer needs what its own command needs.
pub(super) const STAFF: Permissions = Permissions::MODERATE_MEMBERS;

#[derive(Debug)]
pub(crate) struct Scheduled;

impl Command for Scheduled {
    fn name(&self) -> &'static str {
        "scheduled"
    }

    fn definition(&self) -> Definition {
        let failed = Opt::named(Type::Boolean, "scheduled-option-failed", "failed");
        let timer = || {
            let timer = Opt::named(Type::String, "scheduled-option-timer", "timer").at_most(LONGEST);
            timer.required().completed()
        };
        let duration = Opt::named(Type::String, "scheduled-option-duration", "duration")
            .at_most(DURATION_CHARS)
            .required();
        for_servers(self.name(), Some(STAFF))
            .option(Opt::sub("scheduled", "list", [failed]))
            .option(Opt::sub("scheduled", "change", [timer(), duration]))
            .option(Opt::sub("scheduled", "cancel", [timer()]))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(STAFF)?;
        match context.payload.subcommand()[..] {
            ["list"] => list(context, services).await,
            ["change"] => {
                let lasts = context.duration("duration", &BOUNDS)?;
                let lasts = lasts.ok_or(BadOption("duration"))?;
                reschedule(context, services, Some(lasts)).await
            }
            ["cancel"] => reschedule(context, services, None).await,
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
        let (guild_id, language) = (context.guild()?, context.language());
        let mut found = timer::list(&services.store, filter, CHOICES).await?;
        found.retain(|timer| expected(services, &timer.kind).is_some_and(|kind| kind.reschedule.is_some()));
        let subjects = subjects_of(services, guild_id, &found).await?;
        let words = |timer: &Shown| in_words(&timer.kind, timer.timer_id, &subjects, language);
        let words: Vec<String> = found.iter().map(words).collect();
        let texts = words.iter().map(String::as_str);
        let names = Names::of_texts(&services.guilds, guild_id, texts, Use::Choices).await;
        let choices = found.iter().zip(&words).filter_map(|(timer, words)| {
            let name = names.in_text(words);
            let value = format!("{}:{}", timer.kind, timer.timer_id);
            name.to_lowercase()
                .contains(&typed)
                .then_some(CommandOptionChoice {
                    name: excerpt(&name, usize::from(LONGEST)),
                    name_localizations: None,
                    value: CommandOptionChoiceValue::String(value),
                })
        });
        Ok(choices.collect())
    }
}

/// The subjects of timers of a guild.
pub(super) async fn subjects_of(
    services: &Services,
    guild_id: Id<GuildMarker>,
    timers: &[Shown],
) -> Result<Subjects, StoreError> {
    let timers: Vec<_> = timers
        .iter()
        .map(|timer| (timer.kind.as_str(), timer.timer_id))
        .collect();
    scheduled::subjects(services, guild_id, &timers).await
}

/// What the features say of timers of this kind.
pub(super) fn expected(services: &Services, kind: &str) -> Option<&'static Expected> {
    services
        .commands
        .expected()
        .find(|expected| expected.kind == kind)
}

/// Up to this many timers, and as many effects that staff asked for: those that wait or fail, or those that were given up.
pub(super) async fn scheduled_in(
    services: &Services,
    guild_id: Id<GuildMarker>,
    failed: bool,
    most: u32,
) -> Result<(Vec<Shown>, Vec<Failing>), StoreError> {
    let filter = Filter {
        guild_id: Some(guild_id),
        failed,
    };
    let timers = timer::list(&services.store, filter, most).await?;
    let wanted = Failures {
        kinds: &ASKED_FOR,
        case_id: None,
        abandoned: failed,
    };
    let effects = queue::failing(&services.store, guild_id, wanted, most.into()).await?;
    Ok((timers, effects))
}

async fn list(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let failed = context.payload.boolean("failed")?.unwrap_or(false);
    let guild_id = context.guild()?;
    let language = context.language();
    let (found, failing) = scheduled_in(services, guild_id, failed, LISTED).await?;
    if found.is_empty() && failing.is_empty() {
        let key = if failed {
            "scheduled-none-failed"
        } else {
            "scheduled-none"
        };
        return Ok(Reply::private(language.text(key)));
    }
    let mut lines = Vec::new();
    // Failures need attention, so they come first.
    if !failed && !failing.is_empty() {
        lines.push(language.text("scheduled-title-retried"));
        lines.extend(failing.iter().map(|effect| effect_line(effect, language)));
    }
    if failed {
        lines.push(language.text("scheduled-title-failed"));
        lines.extend(failing.iter().map(|effect| effect_line(effect, language)));
    } else if !found.is_empty() {
        lines.push(language.text("scheduled-title"));
    }
    let subjects = subjects_of(services, guild_id, &found).await?;
    lines.extend(
        found
            .iter()
            .map(|timer| line(services, timer, &subjects, language)),
    );
    Ok(Reply::private_list(lines.join("\n")))
}

/// An effect that staff asked for, and that failed.
fn effect_line(effect: &Failing, language: Language) -> String {
    let id = |id: Option<i64>| id.unwrap_or_default().to_string();
    let about = [
        ("case", id(effect.case_id).into()),
        ("channel", id(effect.channel_id).into()),
        ("user", id(effect.user_id).into()),
    ];
    let key = format!("scheduled-effect-{}", effect.kind.replace('_', "-"));
    let what = ("what", language.filled(&key, &about).into());
    let why = ("failure", trouble::in_words(&effect.failure, language).into());
    if let Some(failed_at) = effect.failed_at {
        let values = [what, why, ("due", moment(failed_at).into())];
        return language.filled("scheduled-line-failed", &values);
    }
    let values = [
        what,
        why,
        ("since", moment(effect.since).into()),
        ("attempts", Value::Count(effect.attempts.unsigned_abs())),
    ];
    language.filled("scheduled-effect-retried", &values)
}

fn line(services: &Services, timer: &Shown, subjects: &Subjects, language: Language) -> String {
    let what = expected(services, &timer.kind).map_or_else(
        || language.filled("scheduled-unknown", &[("kind", timer.kind.as_str().into())]),
        |kind| in_words(kind.kind, timer.timer_id, subjects, language),
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

/// Change a timer, or cancel it.
async fn reschedule(
    context: &CommandContext,
    services: &Services,
    lasts: Option<Duration>,
) -> Result<Reply, CommandError> {
    let written = context.payload.text("timer")?.ok_or(BadOption("timer"))?;
    let chosen = written.split_once(':').and_then(|(kind, id)| {
        let timer_id: i64 = id.parse().ok()?;
        Some((expected(services, kind)?, timer_id))
    });
    let (kind, timer_id) = chosen.ok_or_else(|| context.refuse("scheduled-choose"))?;
    let reschedule = kind.reschedule.ok_or_else(|| context.refuse("scheduled-fixed"))?;
    reschedule(context, services, Wanted { timer_id, lasts }).await
}

#[cfg(test)]
mod tests {
    use super::ASKED_FOR;
    use crate::{config::Config, features::effect_kinds, settings::Settings, support::i18n::Language};

    #[test]
    fn each_kind_is_known_and_has_words() {
        let kinds = effect_kinds(&Settings::new(&Config::defaults().levels));
        for kind in ASKED_FOR {
            assert!(kinds.find(kind).is_some(), "{kind}");
            for language in Language::ALL {
                let key = format!("scheduled-effect-{}", kind.replace('_', "-"));
                let about = ["case", "channel", "user"].map(|name| (name, "7".to_owned().into()));
                let text = language.filled(&key, &about);
                assert!(text.contains('7'), "{text}");
            }
        }
    }
}
