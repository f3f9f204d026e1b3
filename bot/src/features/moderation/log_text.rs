//! What the entry of the log channel about a case says, as the case is now.

use super::{
    actions::Ordered,
    by_hand,
    kind::Kind,
    rows::{case::Case, warning::Warning},
    texts,
    warnings::{self, Warned},
};
use crate::support::{
    i18n::{Language, Value},
    ids,
};

/// Characters of the reason for a removal.
const SHORT_REASON: usize = 200;

/// The whole entry. A warning comes with the answer that its moderator got, if that is still known, and with what became of the punishment
/// that it led to.
pub(super) fn of(
    language: Language,
    case: &Case,
    warning: Option<(&Warning, Option<&Warned>)>,
    (punishment, notes): (Option<&str>, u64),
) -> String {
    let mut lines = vec![head(language, case, warning)];
    lines.extend(became(language, case, punishment));
    lines.extend(end(language, case));
    if let Some((removed_at, removed_by)) = case.removed_at.zip(case.removed_by) {
        let values = [
            ("at", texts::relative(removed_at).into()),
            ("moderator", removed_by.to_string().into()),
        ];
        lines.push(language.filled("case-log-now-removed", &values));
        let reason = case.removed_reason.as_deref();
        lines.extend(reason.map(|reason| texts::quoted(reason, SHORT_REASON)));
    }
    if notes > 0 {
        lines.push(language.filled("case-log-now-notes", &[("notes", Value::Count(notes))]));
    }
    if case.hidden_at.is_some() {
        lines.push(language.text("case-log-now-hidden"));
    }
    lines.join("\n")
}

fn head(language: Language, case: &Case, warning: Option<(&Warning, Option<&Warned>)>) -> String {
    if let Some((warning, warned)) = warning {
        return warnings::in_log(language, &warnings::Given::of(warning), warned);
    }
    if let Some(text) = by_hand::in_log(language, case) {
        return text;
    }
    let ordered = Ordered {
        case_id: case.case_id,
        kind: case.kind.unwrap_or(Kind::Note),
        user_id: case.user_id,
        ends_at_ms: case.ends_at.map(ids::to_millis),
        direct: false,
    };
    texts::ordered(language, &ordered, case.moderator_id, &case.reason)
}

/// What became of the action, if it did not simply succeed.
fn became(language: Language, case: &Case, punishment: Option<&str>) -> Option<String> {
    let (kind, outcome) = (case.kind?, case.outcome.as_deref().or(punishment)?);
    (outcome != "done").then(|| texts::outcome(language, kind, outcome))
}

/// How the punishment has ended, or why it could not be lifted.
fn end(language: Language, case: &Case) -> Option<String> {
    let at = case.ended_at.map(|at| ("at", texts::relative(at).into()));
    match (at, case.end_outcome.as_deref()?) {
        (Some(at), "lifted") => Some(language.filled("case-log-now-ended", &[at])),
        (Some(at), "gone") => Some(language.filled("case-log-now-gone", &[at])),
        (Some(_), _) => Some(language.text("action-replaced")),
        (None, why) => {
            let values = [("why", language.text(why).into())];
            Some(language.filled("case-log-now-kept", &values))
        }
    }
}
