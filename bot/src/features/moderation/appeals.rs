//! Appeals of banned users: the user writes on the website, moderators vote there, and one who may ban decides. Accepting an appeal is an
//! unban by that moderator.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use super::{
    Act, Denied, once,
    rows::appeal::{self, Decision, Ended},
    settings::ModerationSettings,
};
use crate::{
    config::Config,
    outbox::queue::{self, NewEffect},
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work},
    },
    settings::{Settings, mod_log::GuildLog},
    support::{
        i18n::Language,
        ids::{self, Millis},
    },
};

/// The longest appeal and the longest answer, in characters.
pub(crate) const LONGEST: usize = 1_000;

/// The website's address, if users can sign in there.
#[derive(Clone, Debug)]
pub(crate) struct Website(Option<Arc<str>>);

/// What came of an appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Appealed {
    Done,
    /// The user has an appeal that is not decided.
    Open,
    /// The user can appeal again at this time.
    TooEarly {
        at_ms: Millis,
    },
}

impl Website {
    pub(crate) fn of(config: &Config) -> Self {
        let web = &config.web;
        let is_there = !web.url.is_empty() && web.client_secret.is_some();
        Self(is_there.then(|| web.url.as_str().into()))
    }

    /// The page on which a banned user of a guild appeals.
    pub(crate) fn appeal_url(&self, guild_id: Id<GuildMarker>) -> Option<String> {
        let url = self.0.as_deref()?;
        Some(format!("{url}/servers/{guild_id}/appeal"))
    }
}

/// When a user can appeal again whose newest appeal was decided at this time.
pub(crate) fn again(policy: &ModerationSettings, decided: SystemTime) -> SystemTime {
    let days = u64::try_from(policy.appeal_days).unwrap_or(0);
    decided + Duration::from_hours(24 * days)
}

/// Appeal, once for this form. The banned user is the moderator of `act`; `link` is the appeal's page for the staff.
pub(crate) async fn appeal(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    (text, link): (String, String),
) -> Result<Result<Appealed, Denied>, StoreError> {
    let new = (text, link);
    once(
        store,
        settings,
        (act, "appeal"),
        new,
        move |tx, settings, (text, link)| Box::pin(appeal_in(tx, settings, (act, language), (text, link))),
    )
    .await
}

async fn appeal_in(
    tx: &Tx<'_>,
    settings: &Settings,
    (act, language): (Act, Language),
    (text, link): (&str, &str),
) -> Work<Appealed, Denied> {
    let policy = ModerationSettings::within(tx, settings, act.guild_id).await?;
    if !policy.appeals {
        return Ok(Err(Denied::Refused));
    }
    match appeal::newest_in(tx, act.guild_id, act.moderator_id).await? {
        Some((_, true)) => return Ok(Ok(Completed::kept(Appealed::Open))),
        Some((decided, false)) if again(&policy, decided) > act.at() => {
            let at_ms = ids::to_millis(again(&policy, decided));
            return Ok(Ok(Completed::kept(Appealed::TooEarly { at_ms })));
        }
        _ => {}
    }
    let key = (act.guild_id, act.interaction_id);
    appeal::add(tx, key, act.moderator_id, (text, act.at())).await?;
    let log = GuildLog::of(tx, settings, act.guild_id, language).await?;
    let entry = log.entry(|language| {
        let values = [
            ("user", act.moderator_id.to_string().into()),
            ("link", link.into()),
        ];
        language.filled("appeal-log", &values)
    });
    queue::add(tx, entry.as_slice()).await?;
    Ok(Ok(Completed::kept(Appealed::Done)))
}

/// Vote on an appeal, once for this form.
pub(crate) async fn vote(
    store: &Store,
    settings: &Settings,
    act: Act,
    (appeal_id, is_for): (Id<InteractionMarker>, bool),
) -> Result<Result<(), Denied>, StoreError> {
    once(
        store,
        settings,
        (act, "appeal_vote"),
        (),
        move |tx, _settings, ()| {
            Box::pin(async move {
                let key = (act.guild_id, appeal_id);
                let is_open = appeal::vote(tx, key, act.moderator_id, is_for).await?;
                Ok(is_open.then(|| Completed::kept(())).ok_or(Denied::Removed))
            })
        },
    )
    .await
}

/// Decline an appeal of a user, once for this form.
pub(crate) async fn decline(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    (user_id, appeal_id, answer): (Id<UserMarker>, Id<InteractionMarker>, String),
) -> Result<Result<(), Denied>, StoreError> {
    let decision = Decision {
        moderator_id: act.moderator_id,
        at: act.at(),
        is_accepted: false,
        answer,
    };
    let of = (act, "appeal_decline");
    once(store, settings, of, decision, move |tx, settings, decision| {
        Box::pin(async move {
            if !appeal::close(tx, act.guild_id, (user_id, Some(appeal_id)), decision).await? {
                return Ok(Err(Denied::Removed));
            }
            let log = GuildLog::of(tx, settings, act.guild_id, language).await?;
            let entry = log.entry(|language| {
                let values = [
                    ("user", user_id.to_string().into()),
                    ("moderator", act.moderator_id.to_string().into()),
                ];
                language.filled("appeal-log-declined", &values)
            });
            queue::add(tx, entry.as_slice()).await?;
            Ok(Ok(Completed::kept(())))
        })
    })
    .await
}

/// An unban by a moderator accepts the user's open appeal. `accepted` is the appeal that the moderator accepts, with the answer: then the
/// result is false if someone else has decided it. The guild must be [locked](super::rows::mod_case::lock).
pub(super) async fn lifted(
    tx: &Tx<'_>,
    act: &Act,
    user_id: Id<UserMarker>,
    accepted: Option<&(Id<InteractionMarker>, String)>,
) -> Result<bool, StoreError> {
    let decision = Decision {
        moderator_id: act.moderator_id,
        at: act.at(),
        is_accepted: true,
        answer: accepted.map(|(_, answer)| answer.clone()).unwrap_or_default(),
    };
    let appeal_id = accepted.map(|(appeal_id, _)| *appeal_id);
    let closed = appeal::close(tx, act.guild_id, (user_id, appeal_id), &decision).await?;
    Ok(closed || accepted.is_none())
}

/// Close the open appeals of users whose bans end without a decision on them. Returns the entries of the log channel. The guild must be
/// [locked](super::rows::mod_case::lock).
pub(super) async fn ended(
    tx: &Tx<'_>,
    log: &GuildLog,
    (guild_id, users): (Id<GuildMarker>, &[Id<UserMarker>]),
    (how, moderator_id, at): (Ended, Option<Id<UserMarker>>, SystemTime),
) -> Result<Vec<NewEffect>, StoreError> {
    let closed = appeal::end(tx, guild_id, users, (how, moderator_id, at)).await?;
    let entry = |user_id: Id<UserMarker>| {
        log.entry(|language| {
            let values = [
                ("user", user_id.to_string().into()),
                (
                    "why",
                    why_ended(language, how, moderator_id.map(|id| format!("<@{id}>"))).into(),
                ),
            ];
            language.filled("appeal-log-ended", &values)
        })
    };
    Ok(closed.into_iter().filter_map(entry).collect())
}

/// Why an appeal needs no decision any more. `moderator` is the name or mention of who ended the ban.
pub(super) fn why_ended(language: Language, how: Ended, moderator: Option<String>) -> String {
    let key = match how {
        Ended::ByHand => "appeal-ended-by-hand",
        Ended::Expired => "appeal-ended-expired",
        Ended::Undone => "appeal-ended-undone",
    };
    language.filled(key, &[("moderator", moderator.unwrap_or_default().into())])
}
