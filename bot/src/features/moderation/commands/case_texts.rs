//! Cases as text: a line of a list, and a case with everything that is known of it.

use std::time::SystemTime;

use twilight_model::id::{Id, marker::UserMarker};

use crate::{
    features::moderation::{
        LONGEST_QUOTATION,
        kind::Kind,
        rows::{case::Case, case_note::Note},
        texts,
    },
    outbox::{queue::Failing, trouble},
    support::{
        i18n::{Language, Value},
        text::{limits::excerpt, names},
    },
};

/// Amber.
pub(super) const COLOUR: u32 = 0x00F0_B232;
/// How much of a reason a list shows, in UTF-16 code units.
const REASON: usize = 450;
/// How much of a note, and of the reason for a removal, is shown with a case.
const NOTE: usize = 160;

/// The name of a kind of cases.
pub(super) fn kind(language: Language, kind: Option<Kind>) -> String {
    match kind {
        Some(kind) => texts::kind(language, kind),
        None => language.text("case-kind-unknown"),
    }
}

/// A mention, with the name of that time, which stays readable when the user is gone.
fn person(user_id: Id<UserMarker>, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("<@{user_id}> ({})", names::quoted(name)),
        None => format!("<@{user_id}>"),
    }
}

/// A case in a list.
pub(super) fn entry(language: Language, case: &Case) -> String {
    let values = [
        ("case", case.case_id.to_string().into()),
        ("kind", kind(language, case.kind).into()),
        ("user", person(case.user_id, case.user_name.as_deref()).into()),
        ("moderator", case.moderator_id.to_string().into()),
        ("at", texts::relative(case.created_at).into()),
    ];
    let mut text = language.filled("case-entry", &values);
    if let Some(removed_at) = case.removed_at {
        text.push_str(" · ");
        text.push_str(&at(language, "case-removed-at", removed_at));
    }
    if case.hidden_at.is_some() {
        text.push_str(" · ");
        text.push_str(&language.text("case-hidden"));
    }
    if !case.reason.is_empty() {
        text.push('\n');
        text.push_str(&texts::quoted(&case.reason, REASON));
    }
    text
}

/// What is known of a case besides its row.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Its newest notes.
    pub(super) notes: Vec<Note>,
    /// How many notes it has.
    pub(super) total: u64,
    /// What became of the punishment that a warning led to.
    pub(super) punishment: Option<String>,
    /// What is tried again.
    pub(super) retried: Vec<Failing>,
}

/// A case with everything that is known of it.
pub(super) fn whole(language: Language, case: &Case, known: &Known) -> String {
    let mut lines = vec![
        said(
            language,
            "case-view-user",
            person(case.user_id, case.user_name.as_deref()),
        ),
        said(
            language,
            "case-view-moderator",
            person(case.moderator_id, case.moderator_name.as_deref()),
        ),
        at(language, "case-view-created", case.created_at),
    ];
    lines.extend(
        case.acted_by
            .map(|user_id| said(language, "case-view-acted-by", person(user_id, None))),
    );
    lines.extend(
        case.expires_at
            .map(|expires_at| at(language, "case-view-expires", expires_at)),
    );
    lines.extend(
        case.ends_at
            .map(|ends_at| at(language, "case-view-ends", ends_at)),
    );
    lines.extend(
        case.ended_at
            .map(|ended_at| at(language, "case-view-ended", ended_at)),
    );
    lines.extend(outcomes(language, case, known));
    if let Some(removed_at) = case.removed_at {
        lines.push(at(language, "case-view-removed", removed_at));
        let reason = case.removed_reason.as_deref();
        lines.extend(reason.map(|reason| texts::quoted(reason, NOTE)));
    }
    lines.extend(
        case.hidden_at
            .map(|hidden_at| at(language, "case-view-hidden", hidden_at)),
    );
    lines.push(if case.reason.is_empty() {
        language.text("case-view-no-reason")
    } else {
        texts::quoted(&case.reason, LONGEST_QUOTATION)
    });
    if known.total > 0 {
        lines.push(language.filled("case-view-notes", &[("notes", Value::Count(known.total))]));
    }
    for note in &known.notes {
        let values = [
            (
                "author",
                person(note.author_id, note.author_name.as_deref()).into(),
            ),
            ("at", texts::relative(note.created_at).into()),
            ("note", excerpt(&note.note, NOTE).into()),
        ];
        lines.push(language.filled("case-view-note", &values));
    }
    lines.join("\n")
}

/// What became of the action and of its end, if they did not simply succeed, and what is tried again.
fn outcomes(language: Language, case: &Case, known: &Known) -> Vec<String> {
    let kind = case.kind.unwrap_or(Kind::Note);
    let is_said = |outcome: &&str| !matches!(*outcome, "done" | "retried");
    let action = case.outcome.as_deref().filter(is_said);
    let action = action.or(known.punishment.as_deref().filter(is_said));
    let mut lines: Vec<String> = action
        .map(|outcome| texts::outcome(language, kind, outcome))
        .into_iter()
        .collect();
    match (case.ended_at, case.end_outcome.as_deref()) {
        (Some(_), Some("replaced")) => lines.push(language.text("action-replaced")),
        (None, Some(why)) => {
            let values = [("why", language.text(why).into())];
            lines.push(language.filled("case-log-now-kept", &values));
        }
        _ => {}
    }
    for effect in &known.retried {
        let values = [
            ("since", texts::relative(effect.since).into()),
            ("attempts", Value::Count(effect.attempts.unsigned_abs())),
            ("why", trouble::in_words(&effect.failure, language).into()),
        ];
        lines.push(language.filled("case-view-retried", &values));
    }
    lines
}

fn said(language: Language, key: &str, what: String) -> String {
    language.filled(key, &[("who", what.into())])
}

fn at(language: Language, key: &str, at: SystemTime) -> String {
    language.filled(key, &[("at", texts::relative(at).into())])
}

#[cfg(test)]
mod tests;
