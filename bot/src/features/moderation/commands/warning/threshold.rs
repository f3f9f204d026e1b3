//! `/warning threshold`: what happens to a member whose points reach so many.

use twilight_model::{application::command::CommandOptionType as Kind, guild::Permissions};

use crate::{
    discord::{guilds::authority::permission, rest::Priority},
    features::moderation::{
        Action, Denied,
        commands::warn,
        duration::{self, LONGEST_TIMEOUT, SHORTEST_TIMEOUT},
        texts,
        thresholds::{self, Threshold},
    },
    interactions::{Around, Question, Refusal, asked::BadOption, define::Opt, reply::Reply},
    support::text::names::quoted,
};

/// Points of a threshold.
const MOST: i64 = 10_000;
/// Days of a window.
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

pub(super) async fn add(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let guild_id = question.guild()?;
    question.needs(Permissions::MANAGE_GUILD)?;
    let asked = &question.asked;
    let action = asked.text("action")?.and_then(Action::of);
    let action = action.ok_or(BadOption("action"))?;
    let window_days = asked.integer("window")?;
    if window_days.is_some_and(|days| !(1..=LONGEST_WINDOW).contains(&days)) {
        return Err(BadOption("window").into());
    }
    let threshold = Threshold {
        points: points(question)?,
        action,
        duration_seconds: duration(question, action)?,
        window_days,
    };
    let permit = question.authority(around).await?.threshold_permit(action)?;
    let act = warn::act(question, guild_id)?;
    let language = question.language();
    let put = thresholds::put(
        &around.store,
        &around.settings,
        (act, language),
        threshold,
        permit,
    )
    .await?;
    let put = put.map_err(|denied| refusal(question, denied, 0))?;
    let key = if put.replaced {
        "warning-threshold-replaced"
    } else {
        "warning-threshold-added"
    };
    let values = [("threshold", texts::threshold(language, &put.threshold).into())];
    let mut text = language.filled(key, &values);
    // It is kept all the same: the server's staff can give the bot the permission later.
    if let Ok(false) = around
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

pub(super) async fn remove(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let guild_id = question.guild()?;
    question.needs(Permissions::MANAGE_GUILD)?;
    let points = points(question)?;
    let act = warn::act(question, guild_id)?;
    let language = question.language();
    let gone = thresholds::remove(&around.store, &around.settings, (act, language), points).await?;
    let gone = gone.map_err(|denied| refusal(question, denied, points))?;
    let values = [("threshold", texts::threshold(language, &gone).into())];
    Ok(Reply::private(
        language.filled("warning-threshold-removed", &values),
    ))
}

pub(super) async fn list(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let guild_id = question.guild()?;
    question.needs(Permissions::MANAGE_GUILD)?;
    let language = question.language();
    let known = thresholds::list(&around.store, guild_id).await?;
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

fn points(question: &Question) -> Result<i64, Refusal> {
    let points = question.asked.integer("points")?;
    let points = points.filter(|points| (1..=MOST).contains(points));
    Ok(points.ok_or(BadOption("points"))?)
}

/// How long a timeout lasts, in seconds; nothing else has a duration.
fn duration(question: &Question, action: Action) -> Result<Option<i64>, Refusal> {
    let text = question.asked.text("duration")?;
    let text = match (action, text) {
        (Action::Timeout, None) => return Err(question.refuse("warning-threshold-needs-duration")),
        (Action::Timeout, Some(text)) => text,
        (_, None) => return Ok(None),
        (_, Some(_)) => return Err(question.refuse("warning-threshold-no-duration")),
    };
    let span = duration::duration(text).filter(|span| (SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(span));
    let Some(span) = span else {
        let values = [("given", quoted(text).into())];
        let text = question
            .language()
            .filled("warning-threshold-bad-duration", &values);
        return Err(Refusal::Said(text));
    };
    Ok(i64::try_from(span.as_secs()).ok())
}

fn refusal(question: &Question, denied: Denied, points: i64) -> Refusal {
    let language = question.language();
    match denied {
        Denied::TooMany => question.refuse("warning-threshold-many"),
        Denied::UnknownThreshold => {
            let values = [("points", texts::points(language, points).into())];
            Refusal::Said(language.filled("warning-threshold-unknown", &values))
        }
        Denied::UnknownCase | Denied::Removed | Denied::Own => Refusal::Stale,
    }
}
