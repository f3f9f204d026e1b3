//! Changing and cancelling timers, for the kinds that staff can change.

use std::{
    collections::HashMap,
    convert::Infallible,
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use serde_json::json;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker, UserMarker},
};

use super::{CommandContext, CommandError, Services, reply::Reply};
use crate::{
    outbox::queue,
    postgres::{StoreError, Tx, request::Completed, timer},
    settings::mod_log::GuildLog,
    support::{i18n::Language, ids},
};

/// The change to a timer that a member of the staff asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What the timer is about.
    pub(crate) timer_id: i64,
    /// When it is to be due, counted from the interaction; `None` to cancel it.
    pub(crate) lasts: Option<Duration>,
}

/// The member and the role that a timer is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) user_id: Option<Id<UserMarker>>,
    pub(crate) role_id: Option<Id<RoleMarker>>,
}

/// The subjects of timers of a guild, by kind and ID.
pub(crate) type Subjects = HashMap<(&'static str, i64), Subject>;

/// Find the subjects of these timers. Those that say everything by their ID have none.
pub(crate) async fn subjects(
    services: &Services,
    guild_id: Id<GuildMarker>,
    timers: &[(&str, i64)],
) -> Result<Subjects, StoreError> {
    let mut found = Subjects::new();
    for expected in services.commands.expected() {
        let of_kind = timers.iter().filter(|(kind, _)| *kind == expected.kind);
        let ids: Vec<i64> = of_kind.map(|(_, timer_id)| *timer_id).collect();
        let Some(find) = expected.subjects.filter(|_| !ids.is_empty()) else {
            continue;
        };
        let subjects = find(&services.store, guild_id, ids).await?;
        found.extend(
            subjects
                .into_iter()
                .map(|(timer_id, subject)| ((expected.kind, timer_id), subject)),
        );
    }
    Ok(found)
}

/// A timer in words: the text `scheduled-KIND`. A subject that is not known is `none`.
pub(crate) fn in_words(kind: &str, timer_id: i64, subjects: &Subjects, language: Language) -> String {
    let mut found = subjects.iter();
    let subject = found.find(|((of, id), _)| *of == kind && *id == timer_id);
    let subject = subject.map_or_else(Subject::default, |(_, subject)| *subject);
    let or_none = |id: Option<String>| id.unwrap_or_else(|| "none".to_owned());
    let values = [
        ("id", timer_id.to_string().into()),
        ("user", or_none(subject.user_id.map(|id| id.to_string())).into()),
        ("role", or_none(subject.role_id.map(|id| id.to_string())).into()),
    ];
    language.filled(&format!("scheduled-{}", kind.replace('_', "-")), &values)
}

/// A timestamp in Discord's format.
pub(crate) fn moment(at: SystemTime) -> String {
    let seconds = ids::to_millis(at) / 1_000;
    format!("<t:{seconds}:f> (<t:{seconds}:R>)")
}

/// Move or cancel a timer, once for the interaction. In the same transaction `follow` changes what the timer is about: it gets the new time,
/// or `None` if the timer is cancelled. The answer to a cancelled one is the text `scheduled-KIND-cancelled`.
///
/// # Errors
///
/// The timer is gone, or the database is not available.
pub(crate) async fn reschedule<F>(
    context: &CommandContext,
    services: &Services,
    (kind, wanted): (&'static str, Wanted),
    follow: F,
) -> Result<Reply, CommandError>
where
    F: for<'t> Fn(&'t Tx<'_>, Id<GuildMarker>, Option<SystemTime>) -> BoxFuture<'t, Result<(), StoreError>>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let (language, timer_id) = (context.language(), wanted.timer_id);
    let due = wanted
        .lasts
        .map(|span| ids::to_time(ids::millis(context.payload.id)) + span);
    let action = if due.is_some() {
        "scheduled_change"
    } else {
        "scheduled_cancel"
    };
    let details = json!({"kind": kind, "timer_id": timer_id, "due_ms": due.map(ids::to_millis)});
    let request = context.request(action, &details)?;
    let by = context.payload.user().ok_or(CommandError::ServerOnly)?.id;
    let (guild_id, settings) = (request.guild_id, services.settings.clone());
    // Before it is gone.
    let subjects = subjects(services, guild_id, &[(kind, timer_id)]).await?;
    let known = subjects.clone();
    let changed = services.store.once(action, request, move |tx| {
        let (settings, follow, subjects) = (settings.clone(), follow.clone(), known.clone());
        Box::pin(async move {
            let is_there = match due {
                None => timer::cancel(tx, guild_id, kind, timer_id).await?,
                Some(due) => timer::move_to(tx, guild_id, kind, timer_id, due).await?,
            };
            if is_there {
                follow(tx, guild_id, due).await?;
                let log = GuildLog::of(tx, &settings, guild_id, language).await?;
                let entry = log.entry(|language| {
                    let moderator = ("moderator", by.to_string().into());
                    let what = ("what", in_words(kind, timer_id, &subjects, language).into());
                    match due {
                        None => language.filled("scheduled-log", &[moderator, what]),
                        Some(due) => {
                            let values = [moderator, what, ("due", moment(due).into())];
                            language.filled("scheduled-log-changed", &values)
                        }
                    }
                });
                queue::add(tx, entry.as_slice()).await?;
            }
            Ok(Ok::<_, Infallible>(Completed::kept(is_there)))
        })
    });
    let Ok(changed) = changed.await?;
    let what = ("what", in_words(kind, timer_id, &subjects, language).into());
    if !changed.into_value()? {
        return Err(CommandError::Said(language.filled("scheduled-gone", &[what])));
    }
    let text = if let Some(due) = due {
        language.filled("scheduled-changed", &[what, ("due", moment(due).into())])
    } else {
        let key = format!("scheduled-{}-cancelled", kind.replace('_', "-"));
        language.filled(&key, &[("id", timer_id.to_string().into())])
    };
    Ok(Reply::private(text))
}
