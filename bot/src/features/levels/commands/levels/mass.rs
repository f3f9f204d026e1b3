//! Changes of many members at once: resets and undo. `/undo` and `/levels undo` take back a change in the same way.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use twilight_model::{
    application::command::{CommandOptionChoice, CommandOptionChoiceValue},
    channel::message::component::ButtonStyle,
    guild::Permissions,
    id::{
        Id,
        marker::{InteractionMarker, UserMarker},
    },
};

use crate::{
    features::levels::adjust::{self, Mass},
    interactions::{
        CommandContext, CommandError, Services,
        define::{button, buttons},
        feature::{TakeBack, Undo},
        payload::BadOption,
        reply::Reply,
    },
    postgres::request::{self, Recorded},
    support::{
        clock::host_time,
        i18n::{Language, Value},
        text::names::Name,
    },
};

/// What a change of XP needs, and so does its undo.
const PERMISSIONS: Permissions = Permissions::MANAGE_GUILD;
/// Changes offered by autocomplete.
const PROPOSED: u32 = 25;
/// How long to wait for names. Choices must be sent within three seconds.
const NAMES_PATIENCE: Duration = Duration::from_secs(1);

/// A reset requires confirmation.
pub(super) fn ask_to_reset(context: &CommandContext) -> Result<Reply, CommandError> {
    let language = context.language();
    let user_id = context.payload.user().ok_or(CommandError::ServerOnly)?.id;
    let row = buttons([
        button(
            format!("levels:reset:{user_id}"),
            language.text("levels-reset-yes"),
            ButtonStyle::Danger,
        ),
        button(
            format!("levels:keep:{user_id}"),
            language.text("levels-reset-no"),
            ButtonStyle::Secondary,
        ),
    ]);
    Ok(Reply::private(language.text("levels-reset-sure")).with_components(vec![row]))
}

pub(super) fn pressed(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let language = context.language();
    let presser = context
        .payload
        .user()
        .ok_or(CommandError::ServerOnly)?
        .id
        .to_string();
    match context.payload.custom_id_parts().as_slice() {
        [_, asker] if *asker != presser => Err(context.refuse("error-foreign")),
        ["keep", _] => Ok(Reply::private(language.text("levels-reset-kept")).updating()),
        ["reset", _] => {
            let request = context.request("levels_reset", &json!({}))?;
            let (store, settings) = (services.store.clone().unhurried(), services.settings.clone());
            context.defer(move |progress| async move {
                let (told, seen) = watch::channel(0);
                let reset = adjust::reset(&store, &settings, request, &told);
                let text = match Box::pin(progress.during(reset, seen, so_far(language))).await {
                    Ok(Mass::Done(members)) => {
                        let values = [
                            ("members", Value::Count(members)),
                            ("count", language.number(members).into()),
                        ];
                        language.filled("levels-reset-done", &values)
                    }
                    Ok(Mass::Before | Mass::Nothing) => language.text("xp-done-before"),
                    Err(error) => {
                        tracing::warn!(%error, command = "levels", "a command could not use the database");
                        language.text("error-away-midway")
                    }
                };
                Reply::private(text)
            });
            Ok(Reply::private(language.text("levels-reset-runs")).updating())
        }
        _ => Err(CommandError::Stale),
    }
}

pub(super) async fn undo(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    let chosen: Id<InteractionMarker> = if let Some(text) = context.payload.text("change")? {
        text.parse()
            .map_err(|_no_id| CommandError::Option(BadOption("change")))?
    } else {
        let recent = request::recent_with_members(&services.store, guild_id, PROPOSED).await?;
        let newest = recent
            .iter()
            .find(|recorded| !recorded.is_undone && recorded.action != "levels_undo");
        newest
            .map(|recorded| recorded.request_id)
            .ok_or_else(|| context.refuse("levels-undo-nothing"))?
    };
    take_back(context, services, chosen).await
}

/// How `/undo` takes back changes of XP.
pub(crate) const UNDOS: [Undo; 6] = [
    undo_of("xp_give"),
    undo_of("xp_take"),
    undo_of("xp_set"),
    undo_of("xp_reset"),
    undo_of("levels_reset"),
    undo_of("levels_undo"),
];

const fn undo_of(action: &'static str) -> Undo {
    Undo {
        action,
        permissions: PERMISSIONS,
        words: |request, language| {
            let details: Option<Details> = request.details();
            let amount = details.and_then(|details| details.amount);
            let what = what(&request.action, amount, language);
            match request.member_id() {
                Some(_) => what,
                None => format!("{what} · {}", members(request.members, language)),
            }
        },
        take_back: TakeBack::InSteps(|context, services, chosen| {
            Box::pin(take_back(context, services, chosen))
        }),
    }
}

/// The part of a request's details that is shown.
#[derive(Deserialize)]
struct Details {
    amount: Option<i64>,
}

/// Take back a change, and say so when it is done.
async fn take_back(
    context: &CommandContext,
    services: &Services,
    chosen: Id<InteractionMarker>,
) -> Result<Reply, CommandError> {
    let language = context.language();
    let permit = context.xp_permit(services).await?;
    let request = context.request("levels_undo", &json!({"interaction_id": chosen.to_string()}))?;
    let (store, settings) = (services.store.clone().unhurried(), services.settings.clone());
    context.defer(move |progress| async move {
        let (told, seen) = watch::channel(0);
        let back = adjust::take_back(&store, &settings, request, chosen, permit, &told);
        let text = match Box::pin(progress.during(back, seen, so_far(language))).await {
            Ok(Mass::Done(members)) => {
                let values = [
                    ("members", Value::Count(members)),
                    ("count", language.number(members).into()),
                ];
                language.filled("levels-undo-done", &values)
            }
            Ok(Mass::Before) => language.text("xp-done-before"),
            Ok(Mass::Nothing) => language.text("levels-undo-nothing"),
            Err(error) => {
                tracing::warn!(%error, command = "levels", "a command could not use the database");
                language.text("error-away-midway")
            }
        };
        Reply::private(text)
    });
    Ok(Reply::private(language.text("levels-undo-runs")))
}

/// The progress of a change of many members.
fn so_far(language: Language) -> impl Fn(u64) -> Reply {
    move |members| {
        let values = [
            ("members", Value::Count(members)),
            ("count", language.number(members).into()),
        ];
        Reply::private(language.filled("levels-mass-so-far", &values))
    }
}

/// Autocomplete with the changes that can be undone.
pub(super) async fn changes(
    context: &CommandContext,
    services: &Services,
) -> Result<Vec<CommandOptionChoice>, CommandError> {
    let language = context.language();
    let guild_id = context.guild()?;
    let recent = request::recent_with_members(&services.store, guild_id, PROPOSED).await?;
    let proposed: Vec<&Recorded> = recent.iter().filter(|recorded| !recorded.is_undone).collect();
    let people: BTreeSet<_> = proposed
        .iter()
        .flat_map(|recorded| recorded.user_id.into_iter().chain([recorded.actor_id]))
        .collect();
    let names = services
        .guilds
        .member_names(guild_id, people, NAMES_PATIENCE)
        .await;
    let choice = |recorded: &&Recorded| CommandOptionChoice {
        name: in_words(recorded, &names, language),
        name_localizations: None,
        value: CommandOptionChoiceValue::String(recorded.request_id.to_string()),
    };
    Ok(proposed.iter().map(choice).collect())
}

/// Such as "+50 XP".
fn what(action: &str, amount: Option<i64>, language: Language) -> String {
    let amount = language.number(amount.unwrap_or(0).unsigned_abs());
    match action {
        "xp_give" => language.filled("levels-undo-give", &[("amount", amount.into())]),
        "xp_take" => language.filled("levels-undo-take", &[("amount", amount.into())]),
        "xp_set" => language.filled("levels-undo-set", &[("amount", amount.into())]),
        "levels_undo" => language.text("levels-undo-undo"),
        _ => language.text("levels-undo-reset"),
    }
}

/// Such as "5 members".
fn members(members: u64, language: Language) -> String {
    let values = [
        ("members", Value::Count(members)),
        ("count", language.number(members).into()),
    ];
    language.filled("levels-undo-members", &values)
}

/// Such as "+50 XP · @Ada · by Bob · 3 min ago". Discord shows it verbatim, without Markdown.
fn in_words(recorded: &Recorded, names: &HashMap<Id<UserMarker>, Name>, language: Language) -> String {
    let name = |user_id: Id<UserMarker>| {
        let name = names.get(&user_id);
        name.map_or_else(|| user_id.to_string(), |name| name.as_plain().to_owned())
    };
    let what = what(&recorded.action, recorded.amount, language);
    let whom = recorded.user_id.map_or_else(
        || members(recorded.members, language),
        |user_id| format!("@{}", name(user_id)),
    );
    let age = host_time()
        .duration_since(recorded.created_at)
        .unwrap_or_default();
    let minutes = age.as_secs() / 60;
    let (key, number) = match minutes {
        0..120 => ("levels-undo-minutes", minutes),
        120..2_880 => ("levels-undo-hours", minutes / 60),
        _ => ("levels-undo-days", minutes / 1_440),
    };
    let ago = [
        ("age", Value::Count(number)),
        ("count", language.number(number).into()),
    ];
    let values = [
        ("what", Value::from(what)),
        ("whom", whom.into()),
        ("actor", name(recorded.actor_id).into()),
        ("ago", language.filled(key, &ago).into()),
    ];
    language.filled("levels-undo-line", &values)
}

#[cfg(test)]
mod tests;
