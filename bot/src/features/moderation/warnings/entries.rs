//! Log channel entries about warnings.

use std::time::SystemTime;

use twilight_model::id::{Id, marker::UserMarker};

use super::{NewWarning, State, Warned};
use crate::{
    features::moderation::{Act, LONGEST_QUOTATION, Severity, rows::warning::Warning, texts},
    support::i18n::Language,
};

/// Characters of a reason in a log entry that has two.
const SHORT_REASON: usize = 400;

/// A warning, as its entry shows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::features::moderation) struct Given<'a> {
    case_id: i64,
    user_id: Id<UserMarker>,
    moderator_id: Id<UserMarker>,
    severity: Severity,
    points: i64,
    reason: &'a str,
    expires_at: Option<SystemTime>,
}

impl<'a> Given<'a> {
    /// A warning that was just given.
    pub(super) fn new(act: &Act, new: &'a NewWarning, warned: &Warned) -> Self {
        Self {
            case_id: warned.case_id,
            user_id: new.user_id,
            moderator_id: act.moderator_id,
            severity: warned.severity,
            points: warned.points,
            reason: &new.reason,
            expires_at: warned.expires_at(),
        }
    }

    /// A warning as it is stored.
    pub(in crate::features::moderation) fn of(warning: &'a Warning) -> Self {
        Self {
            case_id: warning.case_id,
            user_id: warning.user_id,
            moderator_id: warning.moderator_id,
            severity: Severity::of(&warning.severity).unwrap_or(Severity::Low),
            points: warning.points,
            reason: &warning.reason,
            expires_at: warning.expires_at,
        }
    }
}

/// The entry about a warning, with what it led to when it was given.
pub(in crate::features::moderation) fn in_log(
    language: Language,
    given: &Given<'_>,
    warned: Option<&Warned>,
) -> String {
    let counting = warned.map(|warned| {
        let (warnings, points) = (warned.counting_warnings, warned.counting_points);
        texts::counting(language, warnings, points)
    });
    let values = [
        ("case", given.case_id.to_string().into()),
        ("moderator", given.moderator_id.to_string().into()),
        ("user", given.user_id.to_string().into()),
        ("severity", texts::severity(language, given.severity).into()),
        ("points", texts::points(language, given.points).into()),
        ("reason", texts::quoted(given.reason, LONGEST_QUOTATION).into()),
        ("expiry", texts::expiry(language, given.expires_at).into()),
        ("counting", counting.unwrap_or_default().into()),
    ];
    let mut text = language
        .filled("warning-log-warned", &values)
        .trim_end()
        .to_owned();
    for crossing in warned.into_iter().flat_map(|warned| &warned.crossed) {
        text.push('\n');
        text.push_str(&texts::crossing(language, crossing));
    }
    text
}

pub(super) fn changed_in_log(language: Language, act: &Act, before: &State, after: &State) -> String {
    let described = |state: &State| {
        let values = [
            ("severity", texts::severity(language, state.severity).into()),
            ("points", texts::points(language, state.points).into()),
            ("expiry", texts::expiry(language, state.expires_at()).into()),
            ("reason", texts::quoted(&state.reason, SHORT_REASON).into()),
        ];
        language.filled("warning-log-state", &values)
    };
    let values = [
        ("case", after.case_id.to_string().into()),
        ("moderator", act.moderator_id.to_string().into()),
        ("user", after.user_id.to_string().into()),
        ("before", described(before).into()),
        ("after", described(after).into()),
    ];
    language.filled("warning-log-edited", &values)
}
