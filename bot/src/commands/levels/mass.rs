//! What changes many members at once: a reset, and taking changes back.

use std::time::SystemTime;

use serde_json::json;
use tokio::sync::watch;
use twilight_model::{
    application::command::{CommandOptionChoice, CommandOptionChoiceValue},
    channel::message::component::ButtonStyle,
    id::{Id, marker::InteractionMarker},
};

use crate::{
    commands::define::{button, buttons},
    grants::{self, Mass},
    interactions::{Around, Question, Refusal, asked::BadOption, reply::Reply},
    language::{Language, Value},
    store::audit_log::{self, Written},
};

/// Changes that are proposed to be taken back.
const PROPOSED: u32 = 25;

/// Nothing is reset before somebody says again that it shall be.
pub(super) fn ask_to_reset(question: &Question) -> Result<Reply, Refusal> {
    let language = question.language();
    let user_id = question.asked.user().ok_or(Refusal::ServerOnly)?.id;
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

pub(super) fn pressed(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let language = question.language();
    let presser = question.asked.user().ok_or(Refusal::ServerOnly)?.id.to_string();
    match question.asked.custom_id_parts().as_slice() {
        [_, asker] if *asker != presser => Err(question.refuse("error-foreign")),
        ["keep", _] => Ok(Reply::private(language.text("levels-reset-kept")).updating()),
        ["reset", _] => {
            let entry = question.entry("levels_reset", &json!({}))?;
            let (store, settings) = (around.store.clone().unhurried(), around.settings.clone());
            question.afterwards(move |progress| async move {
                let (told, seen) = watch::channel(0);
                let reset = grants::reset(&store, &settings, entry, &told);
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
        _ => Err(Refusal::Stale),
    }
}

pub(super) async fn undo(question: &Question, around: &Around) -> Result<Reply, Refusal> {
    let guild_id = question.guild()?;
    let language = question.language();
    let chosen: Id<InteractionMarker> = if let Some(text) = question.asked.text("change")? {
        text.parse()
            .map_err(|_no_id| Refusal::Option(BadOption("change")))?
    } else {
        let recent = audit_log::recent(&around.store, guild_id, PROPOSED).await?;
        let newest = recent
            .iter()
            .find(|entry| !entry.is_undone && entry.action != "levels_undo");
        newest
            .map(|entry| entry.interaction_id)
            .ok_or_else(|| question.refuse("levels-undo-nothing"))?
    };
    let entry = question.entry("levels_undo", &json!({"interaction_id": chosen.to_string()}))?;
    let (store, settings) = (around.store.clone().unhurried(), around.settings.clone());
    question.afterwards(move |progress| async move {
        let (told, seen) = watch::channel(0);
        let back = grants::take_back(&store, &settings, entry, chosen, &told);
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

/// How far a change of many members is.
fn so_far(language: Language) -> impl Fn(u64) -> Reply {
    move |members| {
        let values = [
            ("members", Value::Count(members)),
            ("count", language.number(members).into()),
        ];
        Reply::private(language.filled("levels-mass-so-far", &values))
    }
}

/// Changes that can be taken back, for the option that is being typed.
pub(super) async fn changes(
    question: &Question,
    around: &Around,
) -> Result<Vec<CommandOptionChoice>, Refusal> {
    let language = question.language();
    let recent = audit_log::recent(&around.store, question.guild()?, PROPOSED).await?;
    let proposed = recent.iter().filter(|entry| !entry.is_undone);
    Ok(proposed
        .map(|entry| CommandOptionChoice {
            name: in_words(entry, language),
            name_localizations: None,
            value: CommandOptionChoiceValue::String(entry.interaction_id.to_string()),
        })
        .collect())
}

/// A choice has at most 100 characters and no markup.
fn in_words(entry: &Written, language: Language) -> String {
    let age = SystemTime::now()
        .duration_since(entry.created_at)
        .unwrap_or_default();
    let minutes = age.as_secs() / 60;
    let (key, number) = match minutes {
        0..120 => ("levels-undo-minutes", minutes),
        120..2_880 => ("levels-undo-hours", minutes / 60),
        _ => ("levels-undo-days", minutes / 1_440),
    };
    let values = [
        ("action", Value::from(entry.action.replace('_', " "))),
        ("members", Value::Count(entry.members)),
        ("count", language.number(entry.members).into()),
        ("age", language.number(number).into()),
    ];
    language.filled(key, &values)
}
