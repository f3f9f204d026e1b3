//! Changes of a case of any kind by the staff: its reason, its end, a note, whether lists hide it, its deletion.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use twilight_model::id::{Id, marker::UserMarker};

use super::{
    Denied, Done, LONGEST_QUOTATION,
    effects::{case_log_edit, evidence::upload},
    end_change::{self, EndChange},
    evidence::Evidence,
    kind::Kind,
    log::GuildLog,
    once,
    rows::{
        case::{self, Case},
        case_change, case_note, member_warnings, warning,
    },
    settings::ModerationSettings,
    texts,
    warnings::Asker,
};
use crate::{
    outbox::queue,
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Work},
    },
    settings::Settings,
    support::{i18n::Language, ids},
};

/// A change of a case.
#[derive(Clone, Debug)]
pub enum CaseChange {
    /// Change its reason, when its punishment ends, or its moderator.
    Edit {
        /// The new reason; at most [`LONGEST_REASON`](super::LONGEST_REASON) characters.
        reason: Option<String>,
        /// The new end.
        end: Option<EndChange>,
        /// The moderator on whose behalf it was made, with their name.
        moderator: Option<(Id<UserMarker>, Option<String>)>,
    },
    /// Add a note; at most as many characters.
    Note {
        /// The text.
        note: String,
        /// The author's name.
        author_name: Option<String>,
    },
    /// Keep a file as evidence.
    Evidence {
        /// The file.
        evidence: Evidence,
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
    /// The new end, if that was changed.
    #[serde(default)]
    pub end: Option<ChangedEnd>,
}

/// The new end of a punishment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedEnd {
    /// The kind that the case has now.
    pub kind: Kind,
    /// When it ends, in milliseconds since 1970; `None` if it does not end by itself.
    pub ends_at_ms: Option<i64>,
}

impl CaseChange {
    /// The word in `request.action`.
    const fn action(&self) -> &'static str {
        match self {
            Self::Edit { .. } => "case_edit",
            Self::Note { .. } => "case_note",
            Self::Evidence { .. } => "case_evidence",
            Self::Hide => "case_hide",
            Self::Show => "case_show",
            Self::Delete => "case_delete",
        }
    }

    /// The entry in the log channel.
    fn entry(&self, language: Language, asker: Asker, changed: &ChangedCase) -> String {
        let said = |key, quoted: &str| {
            let values = [
                ("case", changed.case_id.to_string().into()),
                ("user", changed.user_id.to_string().into()),
                ("moderator", asker.act.moderator_id.to_string().into()),
                ("text", texts::quoted(quoted, LONGEST_QUOTATION).into()),
            ];
            language.filled(key, &values)
        };
        match self {
            Self::Edit {
                reason, moderator, ..
            } => {
                let reason = reason.as_deref().map(|reason| said("case-log-edit", reason));
                let end = changed.end.map(|end| {
                    let values = [
                        ("moderator", asker.act.moderator_id.to_string().into()),
                        ("end", texts::new_end(language, changed, end).into()),
                    ];
                    language.filled("case-log-end", &values)
                });
                let behalf = moderator.as_ref().map(|(behalf, _)| {
                    let values = [
                        ("case", changed.case_id.to_string().into()),
                        ("user", changed.user_id.to_string().into()),
                        ("moderator", asker.act.moderator_id.to_string().into()),
                        ("behalf", behalf.to_string().into()),
                    ];
                    language.filled("case-log-moderator", &values)
                });
                let lines = reason.into_iter().chain(end).chain(behalf);
                lines.collect::<Vec<_>>().join("\n")
            }
            Self::Note { note, .. } => said("case-log-note", note),
            // The file is an entry by itself.
            Self::Evidence { .. } => String::new(),
            Self::Hide => said("case-log-hide", ""),
            Self::Show => said("case-log-show", ""),
            Self::Delete => said("case-log-delete", ""),
        }
    }

    /// What it replaces.
    fn replaces(&self, case: &Case) -> Value {
        match self {
            Self::Edit { .. } => json!({
                "reason": case.reason,
                "kind": case.kind.map(Kind::word),
                "ends_at_ms": case.ends_at.map(ids::to_millis),
                "moderator_id": case.moderator_id,
            }),
            Self::Note { .. } | Self::Evidence { .. } => Value::Null,
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
    let of = (asker.act, change.action());
    once(store, settings, of, change, move |tx, settings, change| {
        Box::pin(apply(tx, settings, asker, case_id, change))
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
    let Some(case) = case::get_in(tx, key).await? else {
        return Ok(Err(Denied::UnknownCase));
    };
    if case.user_id == act.moderator_id && !asker.is_owner {
        return Ok(Err(Denied::Own));
    }
    let policy = ModerationSettings::within(tx, settings, act.guild_id).await?;
    let of = (act.guild_id, asker.language);
    let log = policy
        .log(tx, settings, of, case.kind.unwrap_or(Kind::Note))
        .await?;
    let (mut end, mut message) = (None, None);
    match change {
        CaseChange::Edit {
            reason,
            end: new,
            moderator,
        } => {
            if moderator.as_ref().is_some_and(|(of, _)| *of == case.user_id) {
                return Ok(Err(Denied::Own));
            }
            if let Some(new) = new {
                match end_change::change(tx, &act, &case, new, log.language).await? {
                    Ok(changed) => {
                        message = policy
                            .tells(changed.kind)
                            .then(|| end_change::message(&act, &case, changed, &log));
                        end = Some(changed);
                    }
                    Err(denied) => return Ok(Err(denied)),
                }
            }
            if let Some(reason) = reason {
                case_change::reason(tx, key, reason).await?;
            }
            if let Some((of, name)) = moderator {
                case_change::moderator(tx, key, (*of, name.as_deref())).await?;
            }
        }
        CaseChange::Note { note, author_name } => {
            let new = case_note::New {
                note_id: act.interaction_id,
                author_id: act.moderator_id,
                author_name: author_name.as_deref(),
                note,
            };
            case_note::add(tx, key, new).await?;
        }
        CaseChange::Evidence {
            evidence,
            author_name,
        } => return keep(tx, (asker, &case, &log), (evidence, author_name.as_deref())).await,
        CaseChange::Hide => case_change::hide(tx, key, Some((act.at(), act.moderator_id))).await?,
        CaseChange::Show => case_change::hide(tx, key, None).await?,
        CaseChange::Delete => {
            if is_needed(&case, act.at()) {
                return Ok(Err(Denied::Running));
            }
            delete(tx, key).await?;
        }
    }
    let changed = ChangedCase {
        case_id,
        user_id: case.user_id,
        end,
    };
    let shown = match change {
        CaseChange::Delete => case_log_edit::of_deletion(key, &case),
        _ => case_log_edit::changed(tx, key).await?,
    };
    let entry = log.entry(|language| change.entry(language, asker, &changed));
    // On Discord a timeout is changed before.
    let effects: Vec<_> = shown.into_iter().chain(entry).chain(message).collect();
    queue::add(tx, &effects).await?;
    let completed = Completed::kept(changed).about(case_id);
    Ok(Ok(completed.instead_of(&change.replaces(&case))))
}

/// Let a file be uploaded into the log channel of its case.
async fn keep(
    tx: &Tx<'_>,
    (asker, case, log): (Asker, &Case, &GuildLog),
    (evidence, author_name): (&Evidence, Option<&str>),
) -> Work<ChangedCase, Denied> {
    if !log.has_channel() {
        return Ok(Err(Denied::NoLog));
    }
    let upload = upload(log, (&asker.act, case.case_id), (Some(evidence), author_name));
    queue::add(tx, upload.as_slice()).await?;
    let changed = ChangedCase {
        case_id: case.case_id,
        user_id: case.user_id,
        end: None,
    };
    Ok(Ok(Completed::kept(changed).about(case.case_id)))
}

/// Whether the end of a punishment needs its case, from which it finds out what is to be lifted. A temporary ban needs it until it is
/// lifted, which can be long after its time: the bot tries again while it lacks the permission.
fn is_needed(case: &Case, at: SystemTime) -> bool {
    let waits = case.kind == Some(Kind::Tempban) && !case.was_refused();
    case.ended_at.is_none() && case.ends_at.is_some_and(|ends_at| waits || ends_at > at)
}

async fn delete(tx: &Tx<'_>, key: case::Key) -> Result<(), StoreError> {
    if let Some(warning) = warning::get(tx, key.0, key.1).await?
        && warning.removed_at.is_none()
    {
        member_warnings::change(tx, key.0, warning.user_id, -1, -warning.points).await?;
    }
    case_change::forget_reasons(tx, key).await?;
    case_change::delete(tx, key).await
}
