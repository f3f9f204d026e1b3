//! `/warning threshold`: actions taken when a member's points reach a number.

use std::collections::BTreeSet;

use twilight_model::{application::command::CommandOptionType as Kind, guild::Permissions};

use crate::{
    discord::{
        guilds::authority::{Action, ThresholdPermit, permission},
        rest::Priority,
    },
    features::moderation::{
        Denied,
        commands::warn,
        duration::{self, LONGEST_TIMEOUT, SHORTEST_TIMEOUT},
        texts,
        threshold_settings::{self, Threshold},
    },
    interactions::{CommandContext, CommandError, Services, define::Opt, payload::BadOption, reply::Reply},
    support::text::names::quoted,
};

/// The maximum points of a threshold.
const MOST: i64 = 10_000;
/// The maximum window, in days.
const LONGEST_WINDOW: i64 = 3_650;

pub(super) fn definition() -> Opt {
    let named = |kind, what: &str, name| Opt::named(kind, &format!("warning-option-{what}"), name);
    let points = || {
        named(Kind::Integer, "threshold", "points")
            .between(1, MOST)
            .required()
    };
    let action = named(Kind::String, "action", "action").choices([
        (Action::Timeout.word(), "warning-action-timeout"),
        (Action::Kick.word(), "warning-action-kick"),
        (Action::Ban.word(), "warning-action-ban"),
    ]);
    let duration = named(Kind::String, "duration", "duration").at_most(warn::LONGEST_EXPIRY);
    let window = named(Kind::Integer, "window", "window").between(1, LONGEST_WINDOW);
    let of = "warning-threshold";
    let parts = [
        Opt::sub(of, "add", [points(), action.required(), duration, window]),
        Opt::sub(of, "remove", [points()]),
        Opt::sub(of, "list", []),
    ];
    Opt::group("warning", "threshold", parts)
}

pub(super) async fn add(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let (threshold, permit) = wanted(context, services).await?;
    let (guild_id, action) = (context.guild()?, threshold.action);
    let act = warn::act(context, guild_id)?;
    let language = context.language();
    let put = threshold_settings::put(
        &services.store,
        &services.settings,
        (act, language),
        threshold,
        permit,
    )
    .await?;
    let put = put.map_err(|denied| refusal(context, denied, 0))?;
    let key = if put.replaced {
        "warning-threshold-replaced"
    } else {
        "warning-threshold-added"
    };
    let values = [("threshold", texts::threshold(language, &put.threshold).into())];
    let mut text = language.filled(key, &values);
    // Save it anyway: an administrator can grant the permission later.
    if let Ok(false) = services
        .guilds
        .may(guild_id, action.permission(), Priority::Interaction)
        .await
    {
        let values = [("permission", permission(action.permission(), language).into())];
        text = format!(
            "{text}\n⚠️ {}",
            language.filled("warning-threshold-powerless", &values)
        );
    }
    Ok(Reply::private(text))
}

/// The threshold to add, and the permit for its action.
async fn wanted(
    context: &CommandContext,
    services: &Services,
) -> Result<(Threshold, ThresholdPermit), CommandError> {
    context.guild()?;
    context.require_permissions(Permissions::MANAGE_GUILD)?;
    let payload = &context.payload;
    let action = payload.text("action")?.and_then(Action::of);
    let action = action.ok_or(BadOption("action"))?;
    let window_days = payload.integer("window")?;
    if window_days.is_some_and(|days| !(1..=LONGEST_WINDOW).contains(&days)) {
        return Err(BadOption("window").into());
    }
    let threshold = Threshold {
        points: points(context)?,
        action,
        duration_seconds: duration(context, action)?,
        window_days,
    };
    let permit = context.authority(services).await?.threshold_permit(action)?;
    Ok((threshold, permit))
}

/// Check thresholds that are added one after the other, before the first of them is: none may be refused when others are there already.
pub(in crate::features::moderation) async fn check(
    asked: &[CommandContext],
    services: &Services,
) -> Result<(), CommandError> {
    let Some(first) = asked.first() else {
        return Ok(());
    };
    let mut points = BTreeSet::new();
    for context in asked {
        let (threshold, _permit) = wanted(context, services).await?;
        points.insert(threshold.points);
    }
    if threshold_settings::are_few(&services.store, first.guild()?, &points).await? {
        Ok(())
    } else {
        Err(refusal(first, Denied::TooMany, 0))
    }
}

pub(super) async fn remove(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    context.require_permissions(Permissions::MANAGE_GUILD)?;
    let points = points(context)?;
    let act = warn::act(context, guild_id)?;
    let language = context.language();
    let gone =
        threshold_settings::remove(&services.store, &services.settings, (act, language), points).await?;
    let gone = gone.map_err(|denied| refusal(context, denied, points))?;
    let values = [("threshold", texts::threshold(language, &gone).into())];
    Ok(Reply::private(
        language.filled("warning-threshold-removed", &values),
    ))
}

pub(super) async fn list(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    context.require_permissions(Permissions::MANAGE_GUILD)?;
    let language = context.language();
    let known = threshold_settings::list(&services.store, guild_id).await?;
    let lines: Vec<String> = known
        .iter()
        .map(|threshold| texts::threshold(language, threshold))
        .collect();
    Ok(Reply::private_list(if lines.is_empty() {
        language.text("warning-threshold-none")
    } else {
        lines.join("\n")
    }))
}

fn points(context: &CommandContext) -> Result<i64, CommandError> {
    let points = context.payload.integer("points")?;
    let points = points.filter(|points| (1..=MOST).contains(points));
    Ok(points.ok_or(BadOption("points"))?)
}

/// The duration of a timeout, in seconds; `None` for other actions.
fn duration(context: &CommandContext, action: Action) -> Result<Option<i64>, CommandError> {
    let text = context.payload.text("duration")?;
    let text = match (action, text) {
        (Action::Timeout, None) => return Err(context.refuse("warning-threshold-needs-duration")),
        (Action::Timeout, Some(text)) => text,
        (_, None) => return Ok(None),
        (_, Some(_)) => return Err(context.refuse("warning-threshold-no-duration")),
    };
    let span = duration::duration(text).filter(|span| (SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(span));
    let Some(span) = span else {
        let values = [("given", quoted(text).into())];
        let text = context
            .language()
            .filled("warning-threshold-bad-duration", &values);
        return Err(CommandError::Said(text));
    };
    Ok(i64::try_from(span.as_secs()).ok())
}

fn refusal(context: &CommandContext, denied: Denied, points: i64) -> CommandError {
    let language = context.language();
    match denied {
        Denied::TooMany => context.refuse("warning-threshold-many"),
        Denied::UnknownThreshold => {
            let values = [("points", texts::points(language, points).into())];
            CommandError::Said(language.filled("warning-threshold-unknown", &values))
        }
        Denied::UnknownCase
        | Denied::Removed
        | Denied::Own
        | Denied::Refused
        | Denied::Limit(_)
        | Denied::Running
        | Denied::Ended
        | Denied::NeedsEnd
        | Denied::NoLog => CommandError::Stale,
    }
}
