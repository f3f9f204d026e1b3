//! What each command, entry of a menu and button leads to when it succeeds: requests that change data, and effects on Discord. One without a
//! line leads to no effect.

use std::collections::BTreeSet;

use super::server::Led;

/// A command, an entry of a menu, or a button.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) what: &'a str,
    /// Those that come before, about the same member: commands, perhaps with an option (`warn:points`), and buttons below their answers.
    pub(super) before: &'static [&'static str],
    /// The options that are given besides the required ones.
    pub(super) options: &'static [&'static str],
    /// Whether it changes data, which is a request; `None` for one without a line.
    pub(super) changes: Option<bool>,
    /// The kinds of effects that follow.
    pub(super) effects: &'static [&'static str],
}

const fn line(what: &'static str) -> Line<'static> {
    Line {
        changes: Some(false),
        ..Line::unlisted(what)
    }
}

impl<'a> Line<'a> {
    /// One without a line.
    pub(super) const fn unlisted(what: &'a str) -> Self {
        Self {
            what,
            before: &[],
            options: &[],
            changes: None,
            effects: &[],
        }
    }

    const fn after(mut self, before: &'static [&'static str]) -> Self {
        self.before = before;
        self
    }

    const fn with(mut self, options: &'static [&'static str]) -> Self {
        self.options = options;
        self
    }

    const fn leads_to(mut self, effects: &'static [&'static str]) -> Self {
        self.changes = Some(true);
        self.effects = effects;
        self
    }

    /// What is different from it.
    pub(super) fn difference(&self, led: &Led) -> Option<String> {
        let effects: BTreeSet<&str> = led.effects.iter().map(String::as_str).collect();
        let expected: BTreeSet<&str> = self.effects.iter().copied().collect();
        let changes = led.requests > 0;
        let is_expected = effects == expected && self.changes.is_none_or(|expected| expected == changes);
        (!is_expected).then(|| format!("{} leads to {led:?}", self.what))
    }
}

/// Effects that follow from events, timers and failures.
pub(super) const OTHERWISE: [&str; 4] = ["channel_slowmode_end", "level_up", "notice", "welcome"];

const ACTION: &[&str] = &["mod_action", "mod_case_log", "mod_message"];
const LOGGED: &[&str] = &["mod_case_log_edit", "mod_log"];

pub(super) const COMMANDS: &[Line<'static>] = &[
    line("xp give").with(&["member"]).leads_to(&["roles"]),
    line("levels curve")
        .after(&["xp give:member"])
        .leads_to(&["roles"]),
    line("levels undo")
        .after(&["xp give:member"])
        .leads_to(&["roles"]),
    line("ban").leads_to(ACTION),
    line("Ban").leads_to(ACTION),
    line("tempban").leads_to(ACTION),
    line("softban").leads_to(&[
        "mod_action",
        "mod_case_log",
        "mod_case_log_edit",
        "mod_lift",
        "mod_message",
    ]),
    line("unban")
        .after(&["ban"])
        .leads_to(&["mod_case_log", "mod_case_log_edit", "mod_lift"]),
    line("kick").leads_to(ACTION),
    line("timeout").leads_to(ACTION),
    line("Timeout").leads_to(ACTION),
    line("untimeout")
        .after(&["timeout"])
        .leads_to(&["mod_case_log", "mod_case_log_edit", "mod_lift"]),
    line("massban").leads_to(&[]),
    line("warn")
        .with(&["points"])
        .leads_to(&["mod_case_log", "punishment", "warned"]),
    line("Warn").leads_to(&["mod_case_log", "warned"]),
    line("warning edit")
        .after(&["warn"])
        .with(&["reason"])
        .leads_to(LOGGED),
    line("warning remove").after(&["warn:points"]).leads_to(LOGGED),
    line("warnings").after(&["warn"]),
    line("case view").after(&["warn"]),
    line("case list").after(&["warn"]),
    line("case edit")
        .after(&["tempban"])
        .with(&["duration"])
        .leads_to(&["mod_case_log_edit", "mod_log", "mod_message"]),
    line("case note").after(&["warn"]).leads_to(LOGGED),
    line("case evidence")
        .after(&["warn"])
        .leads_to(&["mod_case_log_edit", "mod_evidence"]),
    line("case hide").after(&["warn"]).leads_to(LOGGED),
    line("case delete").after(&["warn"]),
    line("history").after(&["warn"]),
    line("History").after(&["warn"]),
    line("modlog"),
    line("report").leads_to(&["report"]),
    line("Report message").leads_to(&["report"]),
    line("lock").leads_to(&["channel_lock", "mod_log"]),
    line("unlock")
        .after(&["lock"])
        .leads_to(&["channel_unlock", "mod_log"]),
    line("slowmode").leads_to(&["channel_slowmode", "mod_log"]),
    line("role add").leads_to(&["mod_log", "role_change"]),
    line("role remove")
        .after(&["role add"])
        .leads_to(&["mod_log", "role_change"]),
    line("role temp").leads_to(&["mod_log", "role_change"]),
    line("nick")
        .with(&["nickname"])
        .leads_to(&["mod_log", "nick_change"]),
    line("purge").leads_to(&["mod_log", "purge"]),
    line("Purge from here").leads_to(&[]),
    line("scheduled list").after(&["tempban"]),
    line("scheduled change")
        .after(&["tempban"])
        .leads_to(&["mod_case_log_edit", "mod_log", "mod_message"]),
    line("scheduled cancel")
        .after(&["tempban"])
        .leads_to(&["mod_case_log_edit", "mod_log", "mod_message"]),
    line("undo")
        .after(&["warning threshold add:duration"])
        .leads_to(&["mod_log"]),
];

/// Buttons by their IDs without numbers, below the last answer that has them.
pub(super) const BUTTONS: &[Line<'static>] = &[
    line("massban:no").after(&["massban"]),
    line("massban:yes")
        .after(&["massban"])
        .leads_to(&["massban", "mod_log"]),
    line("massban:tell")
        .after(&["massban"])
        .leads_to(&["massban", "mod_log"]),
    line("massban:undo")
        .after(&["massban", "massban:yes"])
        .leads_to(&["mod_lift", "mod_log"]),
    line("warning:lift")
        .after(&["warn:points", "warning remove"])
        .leads_to(&["mod_log", "timeout_lift"]),
    line("report:claim").after(&["report"]).leads_to(&["report"]),
    line("report:release")
        .after(&["report", "report:claim"])
        .leads_to(&["report"]),
    line("report:dismiss")
        .after(&["report"])
        .leads_to(&["report", "report_closed"]),
    line("report:warn")
        .after(&["report"])
        .leads_to(&["mod_case_log", "report", "report_closed", "warned"]),
    line("report:timeout").after(&["report"]).leads_to(&[
        "mod_action",
        "mod_case_log",
        "mod_message",
        "report",
        "report_closed",
    ]),
    line("report:ban").after(&["report"]).leads_to(&[
        "mod_action",
        "mod_case_log",
        "mod_message",
        "report",
        "report_closed",
    ]),
    line("purge:yes")
        .after(&["Purge from here"])
        .leads_to(&["mod_log", "purge"]),
    line("case:delete")
        .after(&["warn", "case delete"])
        .leads_to(&["mod_case_log_edit", "mod_log"]),
];
