//! What the commands that take an action have in common: from the options to the case, and to the answer that says what became of it.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Type},
    id::{Id, marker::GuildMarker},
};
use twilight_util::builder::command::CommandBuilder;

use super::{
    forms::{self, Submitted},
    warn,
};
use crate::{
    features::moderation::{
        Denied,
        actions::{self, NewAction, Ordered},
        appeals::Website,
        duration, evidence,
        kind::Kind,
        policy,
        rows::case,
        settings::ModerationSettings,
        texts,
    },
    interactions::{
        CommandContext, CommandError, Progress, Services,
        define::{Opt, for_servers},
        payload::BadOption,
        reply::Reply,
    },
    support::{i18n::Language, text::names::quoted},
};

/// Interval and limit for showing what became of an action; shutdown waits for it.
const SHOWN_EVERY: Duration = Duration::from_millis(500);
const SHOWN_FOR: Duration = Duration::from_secs(10);

/// An action that a command asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    /// The option with the user.
    pub(super) option: &'static str,
    pub(super) duration: Option<Duration>,
    pub(super) delete_seconds: u32,
}

impl Wanted {
    /// An action on the user of this option, without an end.
    pub(super) const fn on(kind: Kind, option: &'static str) -> Self {
        Self {
            kind,
            option,
            duration: None,
            delete_seconds: 0,
        }
    }
}

/// The definition of a command that takes an action: the options that it needs, first the user, and those that such commands have.
pub(super) fn definition(kind: Kind, needed: impl IntoIterator<Item = Opt>, more: Option<Opt>) -> Definition {
    let of_punishments = (!kind.lifts()).then(|| [direct_option(), evidence_option()]);
    let options = needed
        .into_iter()
        .chain([reason_option()])
        .chain(more)
        .chain(of_punishments.into_iter().flatten());
    options
        .fold(
            for_servers(kind.word(), Some(kind.permission())),
            CommandBuilder::option,
        )
        .build()
}

/// The option `duration` of a command that needs it.
pub(super) fn duration_option(key: &str) -> Opt {
    Opt::named(Type::String, key, "duration")
        .at_most(warn::LONGEST_EXPIRY)
        .required()
}

/// The option `reason`.
pub(super) fn reason_option() -> Opt {
    Opt::named(Type::String, "action-option-reason", "reason").at_most(warn::reason_length())
}

/// The option `evidence`.
pub(super) fn evidence_option() -> Opt {
    Opt::named(Type::Attachment, "action-option-evidence", evidence::OPTION)
}

/// The option `dm`.
fn direct_option() -> Opt {
    Opt::named(Type::Boolean, "action-option-dm", "dm")
}

/// The option `duration`, of at least this length.
pub(super) fn duration_of(context: &CommandContext, shortest: Duration) -> Result<Duration, CommandError> {
    let text = context.payload.text("duration")?.ok_or(BadOption("duration"))?;
    read_duration(context, text, shortest)
}

/// A duration of at least this length that was written by a moderator.
pub(super) fn read_duration(
    context: &CommandContext,
    text: &str,
    shortest: Duration,
) -> Result<Duration, CommandError> {
    let span = duration::duration(text).filter(|span| *span >= shortest);
    span.ok_or_else(|| {
        let values = [("given", quoted(text).into())];
        CommandError::Said(context.language().filled("action-bad-duration", &values))
    })
}

/// Take an action that the options describe.
pub(super) async fn run(
    context: &CommandContext,
    services: &Services,
    wanted: Wanted,
) -> Result<Reply, CommandError> {
    context.guild()?;
    context.require_permissions(wanted.kind.permission())?;
    let payload = &context.payload;
    let (user, _) = payload
        .chosen_user(wanted.option)?
        .ok_or(BadOption(wanted.option))?;
    let given = Submitted {
        is_member: payload.roles_of(user.id).is_some(),
        user,
        reason: warn::reason(context, "reason")?,
        report_id: None,
        appeal: None,
        evidence: evidence::given(context, evidence::OPTION)?,
    };
    take(context, services, (wanted, payload.boolean("dm")?), given).await
}

/// Take an action that a submitted form describes.
pub(super) async fn web_form(
    context: &CommandContext,
    services: &Services,
    wanted: Wanted,
) -> Result<Reply, CommandError> {
    let given = forms::submitted(context, services).await?;
    take(context, services, (wanted, None), given).await
}

/// Take an action on a user. Without a choice about the direct message, the server's setting decides.
pub(super) async fn take(
    context: &CommandContext,
    services: &Services,
    (wanted, message): (Wanted, Option<bool>),
    given: Submitted,
) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    context.require_permissions(wanted.kind.permission())?;
    let Submitted {
        user,
        is_member,
        reason,
        report_id,
        appeal,
        evidence,
    } = given;
    let reason = reason.unwrap_or_default();
    let chosen = ModerationSettings::of(&services.store, &services.settings, guild_id).await?;
    policy::reason(context, &chosen, (wanted.kind, &reason))?;
    let wants_message = message.unwrap_or_else(|| chosen.tells(wanted.kind));
    let (permit, refusal) = match policy::permit(context, services, guild_id, (wanted.kind, &user)).await {
        Ok(permit) => (Some(permit), None),
        Err(error @ (CommandError::Said(_) | CommandError::Denied(_))) => (None, Some(error)),
        Err(error) => return Err(error),
    };
    let new = NewAction {
        kind: wanted.kind,
        user_id: user.id,
        names: warn::names(context, &user),
        reason,
        duration: wanted.duration,
        delete_seconds: wanted.delete_seconds,
        // The bot can send messages only to members that are not bots.
        direct: wants_message && is_member && !user.bot,
        permit,
        report_id,
        appeal,
        evidence,
        appeal_url: appeal_url(services, guild_id, (wanted.kind, &chosen)),
    };
    let act = warn::act(context, guild_id)?;
    let language = context.language();
    let closed = if new.appeal.is_some() {
        "appeal-closed"
    } else {
        "report-closed"
    };
    let ordered = actions::order(&services.store, &services.settings, (act, language), new).await?;
    let ordered = ordered.map_err(|denied| match (denied, refusal) {
        (Denied::Refused, Some(refusal)) => refusal,
        (Denied::Removed, _) => context.refuse(closed),
        (Denied::NoLog, _) => context.refuse("evidence-no-log"),
        (Denied::Limit(most), _) => {
            let values = [("most", most.to_string().into())];
            CommandError::Said(language.filled("moderation-limit", &values))
        }
        _ => CommandError::Stale,
    })?;
    let reply = Reply::private(in_words(&ordered, None, language));
    context.defer(move |progress| async move { settled(&progress, guild_id, &ordered, language).await });
    Ok(reply)
}

/// Where a user appeals against a ban of this kind, if the server takes appeals.
pub(super) fn appeal_url(
    services: &Services,
    guild_id: Id<GuildMarker>,
    (kind, chosen): (Kind, &ModerationSettings),
) -> Option<String> {
    let website = services.state.get::<Website>()?;
    let can_appeal = chosen.appeals && matches!(kind, Kind::Ban | Kind::Tempban);
    can_appeal.then(|| website.appeal_url(guild_id))?
}

/// The answer when it is known what became of the action, or the patience of the moderator is over.
async fn settled(
    progress: &Progress,
    guild_id: Id<GuildMarker>,
    ordered: &Ordered,
    language: Language,
) -> Reply {
    let until = Instant::now() + SHOWN_FOR;
    loop {
        let case = case::get(&progress.services().store, (guild_id, ordered.case_id)).await;
        let case = case.ok().flatten();
        let outcome = case.as_ref().and_then(|case| case.outcome.as_deref());
        let is_known = outcome.is_some_and(|outcome| outcome != "retried");
        if is_known || Instant::now() >= until {
            return Reply::private(in_words(ordered, case.as_ref(), language));
        }
        sleep(SHOWN_EVERY).await;
    }
}

fn in_words(ordered: &Ordered, case: Option<&case::Case>, language: Language) -> String {
    let mut text = texts::summary(language, ordered);
    let mut add = |line: String| {
        text.push('\n');
        text.push_str(&line);
    };
    let Some(case) = case else {
        return text;
    };
    if ordered.direct && case.message_outcome.as_deref() == Some("closed") {
        add(language.text("warn-message-closed"));
    }
    match case.outcome.as_deref() {
        None => add(language.text("action-pending")),
        Some(outcome) => add(texts::outcome(language, ordered.kind, outcome)),
    }
    text
}

#[cfg(test)]
mod tests;
