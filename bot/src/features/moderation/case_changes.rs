//! Changes of a case of any kind by the staff: its reason, a note, whether lists hide it, its deletion.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use twilight_model::id::{Id, marker::UserMarker};

use super::{Denied, Done, LONGEST_QUOTATION, cases::Asker, kind::Kind, log::Told, once, texts};
use crate::{
    features::moderation::rows::{
        case::{self, Case},
        case_change, case_note, member_warnings, mod_case, warning,
    },
    outbox::queue,
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work},
    },
    settings::Settings,
};

/// A change of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseChange {
    /// Give it this reason; at most [`LONGEST_REASON`](super::LONGEST_REASON) characters.
    Reason(String),
    /// Add a note; at most as many characters.
    Note {
        /// The text.
        note: String,
        /// The author's name.
        author_name: Option<String>,
    },
    /// Hide it from lists.
    Hide,
    /// Show it in lists again.
    Show,
    /// Delete it with its notes. A warning stops counting.
    Delete,
}

/// A case that was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedCase {
    /// Its number.
    pub case_id: i64,
    /// The member it is about.
    pub user_id: Id<UserMarker>,
}

impl CaseChange {
    /// The word in `request.action`.
    const fn action(&self) -> &'static str {
        match self {
            Self::Reason(_) => "case_edit",
            Self::Note { .. } => "case_note",
            Self::Hide => "case_hide",
            Self::Show => "case_show",
            Self::Delete => "case_delete",
        }
    }

    /// The text of the entry in the log channel, and what it quotes.
    fn entry(&self) -> (&'static str, &str) {
        match self {
            Self::Reason(reason) => ("case-log-edit", reason),
            Self::Note { note, .. } => ("case-log-note", note),
            Self::Hide => ("case-log-hide", ""),
            Self::Show => ("case-log-show", ""),
            Self::Delete => ("case-log-delete", ""),
        }
    }

    /// What it replaces.
    fn replaces(&self, case: &Case) -> Value {
        match self {
            Self::Reason(_) => json!({"reason": case.reason}),
            Self::Note { .. } => Value::Null,
            Self::Hide | Self::Show => json!({"hidden": case.hidden_at.is_some()}),
            // Not the reason: what is deleted is gone.
            Self::Delete => json!({"kind": case.kind.map(Kind::word), "moderator_id": case.moderator_id}),
        }
    }
}

/// Change a case, once per interaction however often this is called.
pub async fn change(
    store: &Store,
    settings: &Settings,
    asker: Asker,
    case_id: i64,
    change: CaseChange,
) -> Result<Done<ChangedCase>, StoreError> {
    let (action, change) = (change.action(), Arc::new(change));
    once(store, settings, asker.act, action, move |tx, settings| {
        let change = Arc::clone(&change);
        Box::pin(async move { apply(tx, &settings, asker, case_id, &change).await })
    })
    .await
}

async fn apply(
    tx: &Tx<'_>,
    settings: &Settings,
    asker: Asker,
    case_id: i64,
    change: &CaseChange,
) -> Work<ChangedCase, Denied> {
    let act = asker.act;
    let key = (act.guild_id, case_id);
    mod_case::lock(tx, act.guild_id).await?;
    let Some(case) = case::get_in(tx, key).await? else {
        return Ok(Err(Denied::UnknownCase));
    };
    if case.user_id == act.moderator_id && !asker.is_owner {
        return Ok(Err(Denied::Own));
    }
    match change {
        CaseChange::Reason(reason) => case_change::reason(tx, key, reason).await?,
        CaseChange::Note { note, author_name } => {
            let new = case_note::New {
                note_id: act.interaction_id,
                author_id: act.moderator_id,
                author_name: author_name.as_deref(),
                note,
            };
            case_note::add(tx, key, new).await?;
        }
        CaseChange::Hide => case_change::hide(tx, key, Some((act.at(), act.moderator_id))).await?,
        CaseChange::Show => case_change::hide(tx, key, None).await?,
        CaseChange::Delete => {
            // Its end finds out from the case what is to be lifted.
            if case.ended_at.is_none() && case.ends_at.is_some_and(|ends_at| ends_at > act.at()) {
                return Ok(Err(Denied::Running));
            }
            delete(tx, key).await?;
        }
    }
    let told = Told::of(tx, settings, act.guild_id, asker.language).await?;
    let (text, quoted) = change.entry();
    let entry = told.entry(|language| {
        let values = [
            ("case", case_id.to_string().into()),
            ("user", case.user_id.to_string().into()),
            ("moderator", act.moderator_id.to_string().into()),
            ("text", texts::quoted(quoted, LONGEST_QUOTATION).into()),
        ];
        language.filled(text, &values)
    });
    let effects: Vec<_> = entry.into_iter().collect();
    queue::add(tx, &effects).await?;
    let changed = ChangedCase {
        case_id,
        user_id: case.user_id,
    };
    let completed = Completed::kept(changed).about(case_id);
    Ok(Ok(completed.instead_of(&change.replaces(&case))))
}

async fn delete(tx: &Tx<'_>, key: case::Key) -> Result<(), StoreError> {
    if let Some(warning) = warning::get(tx, key.0, key.1).await?
        && warning.removed_at.is_none()
    {
        member_warnings::change(tx, key.0, warning.user_id, -1, -warning.points).await?;
    }
    case_change::delete(tx, key).await
}
