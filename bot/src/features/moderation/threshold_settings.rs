//! Listing and changing a guild's thresholds. What a warning leads to is in [`thresholds`](super::thresholds).

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::json;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use super::{
    Act, Denied, MOST_THRESHOLDS,
    commands::warning::{Warning, threshold as command},
    duration,
    log::GuildLog,
    once, texts,
};
use crate::{
    discord::guilds::authority::{Action, ThresholdPermit},
    features::moderation::rows::{
        mod_case,
        threshold::{self as rows, Stored},
    },
    interactions::feature::{By, RowSetting, TakeBack, Undo},
    outbox::queue,
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work, undo::Undoable},
    },
    settings::{Settings, history::changed_by},
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

/// Whether the guild has few enough thresholds as things are now once it has some at these points. What [`put`] finds is what counts.
pub(super) async fn are_few(
    store: &Store,
    guild_id: Id<GuildMarker>,
    points: &BTreeSet<i64>,
) -> Result<bool, StoreError> {
    let known: BTreeSet<i64> = rows::list(store, guild_id)
        .await?
        .iter()
        .map(|known| known.points)
        .collect();
    let new = points.difference(&known).count();
    Ok(new == 0 || known.len() + new <= MOST_THRESHOLDS)
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
    let log = GuildLog::of(tx, settings, act.guild_id, language).await?;
    let entry = log.entry(|language| {
        let values = [
            ("moderator", act.moderator_id.to_string().into()),
            ("threshold", texts::threshold(language, threshold).into()),
        ];
        language.filled("warning-log-threshold-added", &values)
    });
    let effects: Vec<_> = entry.into_iter().collect();
    queue::add(tx, &effects).await?;
    Ok(Ok(recorded(
        put,
        &(before, Some(threshold.clone())),
        threshold.points,
    )))
}

/// A result that is in the history of settings, with the threshold before and after.
fn recorded<T: Serialize>(
    result: T,
    change: &(Option<Threshold>, Option<Threshold>),
    points: i64,
) -> Completed<T> {
    let name = format!("{}:{points}", IN_HISTORY.name);
    Completed::kept(result).instead_of(&json!({"settings": {name: change}}))
}

/// Thresholds in the history of settings and in files.
pub(super) const IN_HISTORY: RowSetting = RowSetting {
    name: "warnings.threshold",
    read: |store, guild_id| {
        Box::pin(async move {
            let known = list(store, guild_id).await?.into_iter();
            let known = known.map(|threshold| (threshold.points.to_string(), json!(threshold)));
            Ok(known.collect())
        })
    },
    command: &Warning,
    options: |points, value| {
        let threshold: Threshold = serde_json::from_value(value.clone()).ok()?;
        let option = |name, kind, value| json!({"name": name, "type": kind, "value": value});
        let duration = threshold.duration_seconds.map(u64::try_from).transpose().ok()?;
        let duration = duration.map(|seconds| duration::shown(Duration::from_secs(seconds)));
        let mut options = vec![
            option("points", 4, json!(threshold.points)),
            option("action", 3, json!(threshold.action.word())),
        ];
        options.extend(duration.map(|duration| option("duration", 3, json!(duration))));
        options.extend(threshold.window_days.map(|days| option("window", 4, json!(days))));
        let add = json!([{"name": "add", "type": 1, "options": options}]);
        (threshold.points.to_string() == points)
            .then(|| json!([{"name": "threshold", "type": 2, "options": add}]))
    },
    check: |asked, services| Box::pin(command::check(asked, services)),
    label: |points, language| {
        let title = language.text("warning-page-thresholds");
        format!(
            "{title}: {}",
            texts::points(language, points.parse().unwrap_or(0))
        )
    },
    shown: |value, language| {
        let threshold = serde_json::from_value(value.clone()).ok()?;
        Some(texts::threshold(language, &threshold))
    },
};

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
    let known = rows::list_in(tx, act.guild_id).await?;
    let gone = known.iter().find(|known| known.points == points);
    let Some(gone) = gone.and_then(Threshold::of) else {
        return Ok(Err(Denied::UnknownThreshold));
    };
    rows::remove(tx, act.guild_id, points).await?;
    let log = GuildLog::of(tx, settings, act.guild_id, language).await?;
    let entry = log.entry(|language| {
        let values = [
            ("moderator", act.moderator_id.to_string().into()),
            ("threshold", texts::threshold(language, &gone).into()),
        ];
        language.filled("warning-log-threshold-removed", &values)
    });
    let effects: Vec<_> = entry.into_iter().collect();
    queue::add(tx, &effects).await?;
    let change = (Some(gone.clone()), None);
    Ok(Ok(recorded(gone, &change, points)))
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
    // Without the history of settings, versions before kept only the threshold.
    let kept = || changed_by(request).into_values().next();
    let kept = || kept().and_then(|(before, _)| serde_json::from_value(before).ok());
    let before: Option<Threshold> = request.before().or_else(kept);
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
