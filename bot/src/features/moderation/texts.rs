//! Text shared by replies, direct messages and the log channel.

use std::time::{Duration, SystemTime};

use twilight_model::id::{Id, marker::UserMarker};

use super::{
    Act, LONGEST_QUOTATION, Severity,
    actions::Ordered,
    case_changes::{ChangedCase, ChangedEnd},
    duration,
    kind::Kind,
    threshold_settings::Threshold,
    thresholds::Crossing,
};
use crate::{
    discord::guilds::authority::Action,
    support::{
        i18n::{Language, Value},
        ids,
        text::limits::excerpt,
    },
};

/// The name of a severity.
pub fn severity(language: Language, severity: Severity) -> String {
    language.text(match severity {
        Severity::Low => "warn-severity-low",
        Severity::Medium => "warn-severity-medium",
        Severity::High => "warn-severity-high",
    })
}

/// The name of an action.
pub fn action(language: Language, action: Action) -> String {
    language.text(match action {
        Action::Timeout => "warning-action-timeout",
        Action::Kick => "warning-action-kick",
        Action::Ban => "warning-action-ban",
    })
}

/// A number of points, as text.
pub fn points(language: Language, points: i64) -> String {
    let points = u64::try_from(points).unwrap_or(0);
    language.filled("warn-points", &[("points", Value::Count(points))])
}

/// A number of warnings and their points, as text.
pub fn counting(language: Language, warnings: i64, of_points: i64) -> String {
    let warnings = u64::try_from(warnings).unwrap_or(0);
    let values = [
        ("warnings", Value::Count(warnings)),
        ("points", points(language, of_points).into()),
    ];
    language.filled("warn-counting", &values)
}

/// When a warning expires, as text.
pub fn expiry(language: Language, expires_at: Option<SystemTime>) -> String {
    match expires_at {
        None => language.text("warn-expires-never"),
        Some(at) => language.filled("warn-expires", &[("at", relative(at).into())]),
    }
}

/// A relative timestamp in Discord's format, shown as "in 3 days" for example.
pub fn relative(at: SystemTime) -> String {
    format!("<t:{}:R>", ids::to_millis(at) / 1_000)
}

/// A timestamp in Discord's format, shown with date and time.
pub fn moment(at: SystemTime) -> String {
    format!("<t:{}:f>", ids::to_millis(at) / 1_000)
}

/// A reason as a block quote of at most `most` UTF-16 code units, so that the text after it stays visible.
pub fn quoted(reason: &str, most: usize) -> String {
    let lines: Vec<String> = reason.lines().map(|line| format!("> {line}")).collect();
    excerpt(&lines.join("\n"), most)
}

/// The consequence of reaching a threshold, as text.
pub fn crossing(language: Language, crossing: &Crossing) -> String {
    let mut values = vec![
        ("points", points(language, crossing.points).into()),
        ("action", action(language, crossing.action).into()),
    ];
    if let Some(hindrance) = crossing.hindrance {
        values.push(("why", hindrance.in_words(language).into()));
        return language.filled("warn-crossed-hindered", &values);
    }
    let Some(until) = crossing.until_ms else {
        return language.filled("warn-crossed", &values);
    };
    values.push(("until", moment(ids::to_time(until)).into()));
    language.filled("warn-crossed-until", &values)
}

/// A threshold's action and window, as text.
pub fn threshold(language: Language, threshold: &Threshold) -> String {
    let mut text = action(language, threshold.action);
    if let Some(seconds) = threshold.duration_seconds {
        let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let values = [("action", text.into()), ("span", duration::shown(seconds).into())];
        text = language.filled("warning-threshold-span", &values);
    }
    let values = [
        ("points", points(language, threshold.points).into()),
        ("action", text.into()),
    ];
    let text = language.filled("warning-threshold-line", &values);
    match threshold.window_days.and_then(|days| u64::try_from(days).ok()) {
        None => text,
        Some(days) => {
            let values = [("threshold", text.into()), ("days", Value::Count(days))];
            language.filled("warning-threshold-window", &values)
        }
    }
}

/// The name of a kind of case.
pub fn kind(language: Language, kind: Kind) -> String {
    language.text(&format!("case-kind-{}", kind.word()))
}

/// A reason as a block quote, or a line that says that there is none.
pub fn reason(language: Language, reason: &str, most: usize) -> String {
    if reason.is_empty() {
        language.text("warning-log-no-reason")
    } else {
        quoted(reason, most)
    }
}

/// An action, as Discord's audit log shows it.
pub fn audit_reason(language: Language, case_id: i64, moderator: &str, reason: &str) -> String {
    let values = [
        ("case", case_id.to_string().into()),
        ("moderator", moderator.to_owned().into()),
        ("reason", reason.to_owned().into()),
    ];
    let key = if reason.is_empty() {
        "action-audit-no-reason"
    } else {
        "action-audit"
    };
    language.filled(key, &values)
}

/// What was ordered, in one line.
pub fn summary(language: Language, ordered: &Ordered) -> String {
    let mut values = vec![
        ("case", ordered.case_id.to_string().into()),
        ("kind", kind(language, ordered.kind).into()),
        ("user", ordered.user_id.to_string().into()),
    ];
    let Some(until) = ordered.ends_at_ms else {
        return language.filled("action-done", &values);
    };
    values.push(("until", moment(ids::to_time(until)).into()));
    language.filled("action-done-until", &values)
}

/// What was ordered, with by whom and why, for the log channel.
pub fn ordered(language: Language, ordered: &Ordered, moderator_id: Id<UserMarker>, given: &str) -> String {
    let values = [
        ("summary", summary(language, ordered).into()),
        ("moderator", moderator_id.to_string().into()),
        ("reason", reason(language, given, LONGEST_QUOTATION).into()),
    ];
    language.filled("action-log", &values)
}

/// What became of an action, from `mod_case.outcome`.
pub fn outcome(language: Language, of: Kind, outcome: &str) -> String {
    match outcome {
        "done" => language.text("warn-action-done"),
        "gone" => language.text(match of {
            Kind::Unban => "action-not-banned",
            Kind::Untimeout => "action-not-in-timeout",
            _ => "warn-action-gone",
        }),
        "replaced" => language.text("action-replaced"),
        "retried" => language.text("action-retried"),
        key => {
            let why = language.text(key);
            language.filled("warn-action-failed", &[("why", why.into())])
        }
    }
}

/// That an action was not carried out, for the log channel. `why` is the key of a text.
pub fn not_carried_out(language: Language, case_id: i64, of: Kind, user: i64, why: &str) -> String {
    let values = [
        ("case", case_id.to_string().into()),
        ("user", user.to_string().into()),
        ("action", kind(language, of).into()),
        ("why", language.text(why).into()),
    ];
    language.filled("warning-log-failed", &values)
}

/// The new end of a punishment.
pub fn new_end(language: Language, changed: &ChangedCase, end: ChangedEnd) -> String {
    let mut values = vec![
        ("case", changed.case_id.to_string().into()),
        ("kind", kind(language, end.kind).into()),
        ("user", changed.user_id.to_string().into()),
    ];
    let Some(until) = end.ends_at_ms else {
        return language.filled("case-end-never", &values);
    };
    values.push(("until", moment(ids::to_time(until)).into()));
    language.filled("case-end", &values)
}

/// That Discord has refused another end of a timeout, for the log channel. `why` is the key of a text.
pub fn not_moved(language: Language, case_id: i64, of: Kind, user: i64, why: &str) -> String {
    let values = [
        ("case", case_id.to_string().into()),
        ("user", user.to_string().into()),
        ("kind", kind(language, of).into()),
        ("why", language.text(why).into()),
    ];
    language.filled("case-log-end-failed", &values)
}

/// That a punishment could not be lifted at its end, for the log channel. `why` is the key of a text.
pub fn not_lifted(language: Language, case_id: i64, of: Kind, user: i64, why: &str) -> String {
    let values = [
        ("case", case_id.to_string().into()),
        ("user", user.to_string().into()),
        ("kind", kind(language, of).into()),
        ("why", language.text(why).into()),
    ];
    language.filled("action-log-not-lifted", &values)
}

/// The entry of the log channel about a moderator who has reached the server's limit.
pub fn limited(language: Language, act: &Act, (kind, user_id): (Kind, Id<UserMarker>), limit: i64) -> String {
    let values = [
        ("moderator", act.moderator_id.to_string().into()),
        ("most", limit.to_string().into()),
        ("action", self::kind(language, kind).into()),
        ("user", user_id.to_string().into()),
    ];
    language.filled("moderation-log-limit", &values)
}

/// The same for a moderator who wants to ban several users at once.
pub(super) fn limited_massban(language: Language, act: &Act, users: usize, limit: i64) -> String {
    let values = [
        ("moderator", act.moderator_id.to_string().into()),
        ("most", limit.to_string().into()),
        ("users", Value::Count(users as u64)),
    ];
    language.filled("massban-log-limit", &values)
}

#[cfg(test)]
mod tests {
    use super::{quoted, threshold};
    use crate::{
        discord::guilds::authority::Action, features::moderation::threshold_settings::Threshold,
        support::i18n::Language,
    };

    #[test]
    fn reasons_are_cut_and_quoted() {
        assert_eq!(quoted("one\ntwo", 20), "> one\n> two");
        assert_eq!(quoted("a\nb\nc\nd", 10), "> a\n> b\n>…");
    }

    #[test]
    fn thresholds_in_words() {
        let one = Threshold {
            points: 5,
            action: Action::Timeout,
            duration_seconds: Some(90 * 60),
            window_days: Some(30),
        };
        assert_eq!(
            threshold(Language::English, &one),
            "**5 points**: timeout for 1h 30m (only warnings of the last 30 days)"
        );
        let other = Threshold {
            points: 1,
            action: Action::Ban,
            duration_seconds: None,
            window_days: None,
        };
        assert_eq!(threshold(Language::German, &other), "**1 Punkt**: Bann");
    }
}
