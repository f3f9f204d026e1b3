//! Log channel entries about warnings.

use super::{NewWarning, State, Warned};
use crate::{
    features::moderation::{Act, LONGEST_QUOTATION, texts},
    support::i18n::Language,
};

/// Characters of a reason in a log entry that has two.
const SHORT_REASON: usize = 400;

pub(super) fn in_log(language: Language, act: &Act, new: &NewWarning, warned: &Warned) -> String {
    let values = [
        ("case", warned.case_id.to_string().into()),
        ("moderator", act.moderator_id.to_string().into()),
        ("user", new.user_id.to_string().into()),
        ("severity", texts::severity(language, warned.severity).into()),
        ("points", texts::points(language, warned.points).into()),
        ("reason", texts::quoted(&new.reason, LONGEST_QUOTATION).into()),
        ("expiry", texts::expiry(language, warned.expires_at()).into()),
        (
            "counting",
            texts::counting(language, warned.counting_warnings, warned.counting_points).into(),
        ),
    ];
    let mut text = language.filled("warning-log-warned", &values);
    for crossing in &warned.crossed {
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
