//! The history of a guild's settings: who changed what and when, and how a change is taken back. Each request for a change keeps the values
//! before and after it in its row (`request.before`).

use std::{collections::BTreeMap, time::SystemTime};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker},
};

use super::{
    change::{self, Change},
    columns,
    command_settings::{self, CommandSetting, Permits},
    section::{Section, Setting},
    table::{self, Stored},
};
use crate::{
    postgres::{
        Statement, Store, StoreError, Tx,
        request::{
            Actor, Completed, Request,
            undo::{self, Undoable},
        },
        statement::statement,
    },
    support::ids,
};

/// What a guild chose, by names such as `moderation.dm_warn`.
pub type Snapshot = BTreeMap<String, Json>;

/// Settings by name, with their values before and after; null for the default.
pub type Difference = BTreeMap<String, (Json, Json)>;

/// A request that changed settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number.
    pub request_id: Id<InteractionMarker>,
    /// Who asked for it.
    pub actor: Actor,
    /// The time of the request.
    pub at: SystemTime,
    /// What it changed.
    pub difference: Difference,
    /// Whether it was taken back.
    pub is_undone: bool,
}

/// Why a change cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoFault {
    /// There is no such change, or it was taken back before.
    NotThere,
    /// These settings have been changed again since.
    Changed(Vec<String>),
    /// The member may not change this setting.
    NotPermitted(String),
}

/// What a guild with this row chose.
pub fn snapshot(stored: &Stored) -> Snapshot {
    let columns = columns::SECTIONS.into_iter().flat_map(Section::settings);
    let columns = columns.filter_map(|setting| {
        let value = (setting.field.column?.read)(stored);
        (!value.is_null()).then(|| (setting.to_string(), value))
    });
    let sections = stored.sections.iter().flat_map(|(section, settings)| {
        let values: Map<String, Json> = serde_json::from_str(settings).unwrap_or_default();
        let named = values.into_iter();
        named.map(move |(field, value)| (format!("{section}.{field}"), value))
    });
    columns
        .chain(sections)
        .chain(command_settings::values(stored))
        .collect()
}

fn difference(before: &Snapshot, after: &Snapshot) -> Difference {
    let value = |of: &Snapshot, name: &String| of.get(name).cloned().unwrap_or_default();
    let names = before.keys().chain(after.keys());
    let pairs = names.map(|name| (name.clone(), (value(before, name), value(after, name))));
    pairs.filter(|(_, (from, to))| from != to).collect()
}

/// The result of a change, which keeps the difference.
pub(super) fn completed(before: &Snapshot, stored: &Stored) -> Completed<()> {
    let difference = difference(before, &snapshot(stored));
    if difference.is_empty() {
        Completed::new(())
    } else {
        Completed::new(()).instead_of(&json!({ "settings": difference }))
    }
}

/// The newest requests that changed settings, before the given one.
pub async fn entries(
    store: &Store,
    guild_id: Id<GuildMarker>,
    before: Option<Id<InteractionMarker>>,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    const ENTRIES: Statement = statement!(
        "settings_history",
        [INT8, INT8, INT8],
        "SELECT request_id, actor_kind, actor_id, created_at, (before->'settings')::text, undone_by IS NOT NULL FROM request
         WHERE guild_id = $1 AND request_id < $2 AND before ? 'settings' ORDER BY request_id DESC LIMIT $3"
    );
    let before = before.map_or(i64::MAX, ids::to_db);
    let rows = store
        .query(ENTRIES, &[&ids::to_db(guild_id), &before, &i64::from(limit)])
        .await?;
    let entries = rows.iter().filter_map(|row| {
        Some(Entry {
            request_id: ids::from_db(row.get(0))?,
            actor: Actor::of_row(row.get(1), row.get(2)),
            at: row.get(3),
            difference: serde_json::from_str(row.get(4)).ok()?,
            is_undone: row.get(5),
        })
    });
    Ok(entries.collect())
}

/// What a request changed, as its row keeps it.
pub(crate) fn changed_by(request: &Undoable) -> Difference {
    #[derive(Deserialize)]
    struct Before {
        settings: Difference,
    }
    let before: Option<Before> = request.before();
    before.map(|before| before.settings).unwrap_or_default()
}

/// Take back the change of a locked request, by another one. The inner error names the settings that have been changed again since: then
/// nothing is written.
async fn take_back(
    tx: &Tx<'_>,
    request: &Undoable,
    by: Id<InteractionMarker>,
    permits: &Permits,
) -> Result<Result<Completed<()>, UndoFault>, StoreError> {
    let difference = changed_by(request);
    let stored = table::lock(tx, request.guild_id).await?;
    let now = snapshot(&stored);
    let is_changed = |(name, (_, to)): &(&String, &(Json, Json))| now.get(*name).unwrap_or(&Json::Null) != to;
    let newer = difference.iter().filter(is_changed);
    let newer: Vec<String> = newer.map(|(name, _)| name.clone()).collect();
    if !newer.is_empty() {
        return Ok(Err(UndoFault::Changed(newer)));
    }
    let changes = difference.into_iter().map(|(name, (before, _))| {
        let before = Some(before).filter(|value| !value.is_null());
        change_to(name, before, permits, by)
    });
    let changes: Result<Vec<Change>, String> = changes.collect();
    match changes {
        Ok(changes) => Ok(Ok(change::apply(tx, stored, changes).await?)),
        Err(name) => Ok(Err(UndoFault::NotPermitted(name))),
    }
}

/// Take back what a request changed, once for this request, if nothing has changed the same settings since.
pub async fn undo(
    store: &Store,
    request: Request,
    undone: Id<InteractionMarker>,
    permits: Permits,
) -> Result<Result<(), UndoFault>, StoreError> {
    let (guild_id, by) = (request.guild_id, request.request_id);
    let done = store.once("settings_undo", request, move |tx| {
        let permits = permits.clone();
        Box::pin(async move {
            let found = undo::lock(tx, guild_id, undone).await?;
            let Some(found) = found.filter(|found| !changed_by(found).is_empty()) else {
                return Ok(Err(UndoFault::NotThere));
            };
            let completed = match take_back(tx, &found, by, &permits).await? {
                Ok(completed) => completed,
                Err(fault) => return Ok(Err(fault)),
            };
            undo::mark(tx, &found, by).await?;
            Ok(Ok(completed))
        })
    });
    Ok(done.await?.map(drop))
}

/// The change of a setting to an earlier value. A setting of a section need not be one that this version knows. The error is the name of one
/// that may not be changed.
fn change_to(
    name: String,
    value: Option<Json>,
    permits: &Permits,
    by: Id<InteractionMarker>,
) -> Result<Change, String> {
    if let Some((setting, key)) = CommandSetting::find(&name) {
        return setting.change(key, value.as_ref(), permits, by).ok_or(name);
    }
    if let Ok(setting) = Setting::find(columns::SECTIONS.into_iter(), &name) {
        return Ok(setting.change(value));
    }
    let (section, field) = name.split_once('.').unwrap_or((&name, ""));
    Ok(Change::Section {
        section: section.to_owned().into(),
        field: field.to_owned().into(),
        value,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use twilight_model::id::Id;

    use super::{Stored, difference, snapshot};

    #[test]
    fn a_difference_has_what_changed_and_nothing_else() {
        let mut stored = Stored::nothing(Id::new(1));
        stored.choose("moderation", "dm_warn", Some(false.into()));
        stored.choose("moderation", "newer", Some(json!([1])));
        let before = snapshot(&stored);
        assert_eq!(before["moderation.dm_warn"], json!(false));
        stored.choose("moderation", "dm_warn", None);
        stored.language = Some("de".to_owned());
        let found = difference(&before, &snapshot(&stored));
        let expected = [
            ("moderation.dm_warn".to_owned(), (json!(false), Json::Null)),
            ("server.language".to_owned(), (Json::Null, json!("de"))),
        ];
        assert_eq!(found, expected.into());
        assert!(difference(&before, &before).is_empty());
    }
}
