//! Listing and changing a guild's thresholds. What a warning leads to is in [`thresholds`](super::thresholds).

use serde::{Deserialize, Serialize};
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use super::{Act, Denied, MOST_THRESHOLDS, log::Told, once, texts};
use crate::{
    discord::guilds::authority::{Action, ThresholdPermit},
    features::moderation::rows::{
        mod_case,
        threshold::{self as rows, Stored},
    },
    interactions::feature::{By, TakeBack, Undo},
    outbox::queue,
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work, undo::Undoable},
    },
    settings::Settings,
    support::i18n::Language,
};

/// An action taken when a member's points reach a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// 1 to 10,000; unique within the guild.
    pub points: i64,
    /// The action to take.
    pub action: Action,
    /// The duration of a timeout, one minute to 28 days; `None` for other actions.
    pub duration_seconds: Option<i64>,
    /// Only warnings of the last `window_days` days count; `None` for all that have not expired.
    pub window_days: Option<i64>,
}

/// The result of saving a threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// The threshold as saved.
    pub threshold: Threshold,
    /// Whether it replaced one with the same points.
    pub replaced: bool,
}

impl Threshold {
    /// Convert a stored threshold; `None` for an action added by a later version.
    fn of(stored: &Stored) -> Option<Self> {
        Some(Self {
            points: stored.points,
            action: Action::of(&stored.action)?,
            duration_seconds: stored.duration_seconds,
            window_days: stored.window_days,
        })
    }
}

/// The guild's thresholds, in ascending order of points.
pub async fn list(store: &Store, guild_id: Id<GuildMarker>) -> Result<Vec<Threshold>, StoreError> {
    let stored = rows::list(store, guild_id).await?;
    Ok(stored.iter().filter_map(Threshold::of).collect())
}

/// Insert a threshold, or replace the one with the same points.
pub async fn put(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    threshold: Threshold,
    permit: ThresholdPermit,
) -> Result<Result<Put, Denied>, StoreError> {
    let threshold = Threshold {
        action: permit.action(),
        ..threshold
    };
    let of = (act, "threshold_add");
    once(store, settings, of, threshold, move |tx, settings, threshold| {
        Box::pin(write(tx, settings, (act, language), threshold))
    })
    .await
}

async fn write(
    tx: &Tx<'_>,
    settings: &Settings,
    (act, language): (Act, Language),
    threshold: &Threshold,
) -> Work<Put, Denied> {
    mod_case::lock(tx, act.guild_id).await?;
    let known = rows::list_in(tx, act.guild_id).await?;
    let before = known.iter().find(|known| known.points == threshold.points);
    if before.is_none() && known.len() >= MOST_THRESHOLDS {
        return Ok(Err(Denied::TooMany));
    }
    let put = Put {
        threshold: threshold.clone(),
        replaced: before.is_some(),
    };
    let stored = Stored {
        points: threshold.points,
        action: threshold.action.word().to_owned(),
        duration_seconds: threshold.duration_seconds,
        window_days: threshold.window_days,
    };
    rows::put(tx, act.guild_id, &stored).await?;
    let before = before.and_then(Threshold::of);
    let told = Told::of(tx, settings, act.guild_id, language).await?;
    let entry = told.entry(|language| {
        let values = [
            ("moderator", act.moderator_id.to_string().into()),
            ("threshold", texts::threshold(language, threshold).into()),
        ];
        language.filled("warning-log-threshold-added", &values)
    });
    let effects: Vec<_> = entry.into_iter().collect();
    queue::add(tx, &effects).await?;
    let completed = Completed::kept(put);
    Ok(Ok(match before {
        Some(before) => completed.instead_of(&before),
        None => completed,
    }))
}

/// Delete the threshold with these points.
pub async fn remove(
    store: &Store,
    settings: &Settings,
    (act, language): (Act, Language),
    points: i64,
) -> Result<Result<Threshold, Denied>, StoreError> {
    once(
        store,
        settings,
        (act, "threshold_remove"),
        (),
        move |tx, settings, ()| Box::pin(take(tx, settings, (act, language), points)),
    )
    .await
}

async fn take(
    tx: &Tx<'_>,
    settings: &Settings,
    (act, language): (Act, Language),
    points: i64,
) -> Work<Threshold, Denied> {
    mod_case::lock(tx, act.guild_id).await?;
    let known = rows::list_in(tx, act.guild_id).await?;
    let gone = known.iter().find(|known| known.points == points);
    let Some(gone) = gone.and_then(Threshold::of) else {
        return Ok(Err(Denied::UnknownThreshold));
    };
    rows::remove(tx, act.guild_id, points).await?;
    let told = Told::of(tx, settings, act.guild_id, language).await?;
    let entry = told.entry(|language| {
        let values = [
            ("moderator", act.moderator_id.to_string().into()),
            ("threshold", texts::threshold(language, &gone).into()),
        ];
        language.filled("warning-log-threshold-removed", &values)
    });
    let effects: Vec<_> = entry.into_iter().collect();
    queue::add(tx, &effects).await?;
    let before = gone.clone();
    Ok(Ok(Completed::kept(gone).instead_of(&before)))
}

/// An undo can bring back a threshold with any action, so it needs the permissions of all of them.
const PERMISSIONS: Permissions = Permissions::MANAGE_GUILD
    .union(Permissions::BAN_MEMBERS)
    .union(Permissions::KICK_MEMBERS)
    .union(Permissions::MODERATE_MEMBERS);

/// How changes of thresholds are undone.
pub(crate) const UNDOS: [Undo; 2] = [
    Undo {
        action: "threshold_add",
        permissions: PERMISSIONS,
        words: |request, language| {
            let put = request.result::<Put>();
            in_words("undo-threshold-add", put.map(|put| put.threshold), language)
        },
        take_back: TakeBack::AtOnce(|tx, settings, of| Box::pin(undo_put(tx, settings, of))),
    },
    Undo {
        action: "threshold_remove",
        permissions: PERMISSIONS,
        words: |request, language| in_words("undo-threshold-remove", request.result(), language),
        take_back: TakeBack::AtOnce(|tx, settings, of| Box::pin(undo_removal(tx, settings, of))),
    },
];

fn in_words(key: &str, threshold: Option<Threshold>, language: Language) -> String {
    let threshold = threshold.map_or_else(String::new, |threshold| texts::threshold(language, &threshold));
    language.filled(key, &[("threshold", threshold.into())])
}

async fn undo_put(
    tx: &Tx<'_>,
    settings: &Settings,
    (request, by): (&Undoable, By),
) -> Result<bool, StoreError> {
    let before = request.before::<Threshold>();
    let Some(Put { threshold, replaced }) = request.result() else {
        return Ok(false);
    };
    let there = there(tx, request.guild_id, threshold.points).await?;
    let is_there = there.as_ref().and_then(Threshold::of).as_ref() == Some(&threshold);
    // What a later version replaced cannot be read.
    if !is_there || replaced != before.is_some() {
        return Ok(false);
    }
    let act = act(request, by);
    Ok(match before {
        Some(before) => write(tx, settings, act, &before).await?.is_ok(),
        None => take(tx, settings, act, threshold.points).await?.is_ok(),
    })
}

async fn undo_removal(
    tx: &Tx<'_>,
    settings: &Settings,
    (request, by): (&Undoable, By),
) -> Result<bool, StoreError> {
    let Some(gone) = request.result::<Threshold>() else {
        return Ok(false);
    };
    if there(tx, request.guild_id, gone.points).await?.is_some() {
        return Ok(false);
    }
    Ok(write(tx, settings, act(request, by), &gone).await?.is_ok())
}

/// The threshold with these points. Thresholds are locked.
async fn there(tx: &Tx<'_>, guild_id: Id<GuildMarker>, points: i64) -> Result<Option<Stored>, StoreError> {
    mod_case::lock(tx, guild_id).await?;
    let known = rows::list_in(tx, guild_id).await?;
    Ok(known.into_iter().find(|known| known.points == points))
}

const fn act(request: &Undoable, by: By) -> (Act, Language) {
    let act = Act {
        guild_id: request.guild_id,
        interaction_id: by.interaction_id,
        moderator_id: by.user_id,
        is_form: false,
    };
    (act, by.language)
}
