//! The report of an import or a dry run: counted row by row, printed at the end.

use std::{collections::BTreeMap, path::PathBuf};

use twilight_model::id::{Id, marker::GuildMarker};

use super::{
    rejects::Reject,
    validation::{Entry, Origin},
};
use crate::{
    features::levels::{
        adjust::XpChange,
        rows::member_xp::moving::{Counts, Mode},
    },
    settings::{GuildSettings, values::curve::Curve},
    support::ids::MemberKey,
};

/// How many of the first and of the largest changes are shown.
const SHOWN: usize = 5;

/// The change of a member's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The member.
    pub key: MemberKey,
    /// The values before; `None` without a row.
    pub before: Option<Counts>,
    /// The values after.
    pub after: Counts,
}

impl Change {
    /// The change that an entry causes in this mode.
    pub fn of(entry: &Entry, before: Option<Counts>, mode: Mode) -> Self {
        let had = before.unwrap_or_default();
        let messages = entry.messages.unwrap_or(0);
        let after = Counts {
            xp: mode.xp_of(had.xp, entry.xp),
            messages: match mode {
                Mode::Add => had.messages.saturating_add(messages),
                Mode::Replace => entry.messages.unwrap_or(had.messages),
                Mode::KeepHigher => had.messages.max(messages),
            },
        };
        Self {
            key: entry.key,
            before,
            after,
        }
    }

    /// Whether any value differs.
    pub fn is_one(&self) -> bool {
        self.before != Some(self.after)
    }

    fn by(&self) -> u64 {
        self.after.xp.abs_diff(self.before.unwrap_or_default().xp)
    }

    /// A line for the report, with levels of the guild's curve.
    fn in_words(&self, curve: Curve) -> String {
        let MemberKey { guild_id, user_id } = self.key;
        let before = self.before.map_or_else(
            || "new".to_owned(),
            |before| format!("{} XP (level {})", before.xp, curve.level_of(before.xp)),
        );
        let Counts { xp, messages } = self.after;
        format!(
            "guild {guild_id} user {user_id}: {before} -> {xp} XP (level {}), {messages} messages",
            curve.level_of(xp)
        )
    }
}

/// Rejected rows of one kind, with an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The number of them.
    pub count: u64,
    /// The first one, with its position.
    pub first: String,
}

/// The results of an import.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Rows completed by an earlier, interrupted run.
    pub done_before: u64,
    /// Members who had no row.
    pub new: u64,
    /// Members whose row changed.
    pub changed: u64,
    /// Members whose row already had the same values.
    pub unchanged: u64,
    /// Members whose reward roles are updated.
    pub roles: u64,
    /// Rows of guilds that were not selected.
    pub elsewhere: u64,
    /// Rows that were rejected, by kind.
    pub rejected: BTreeMap<&'static str, Rejected>,
    /// The first changes.
    pub examples: Vec<Change>,
    /// The largest changes, the largest first.
    pub largest: Vec<Change>,
    /// Lines about data that is not imported or looks suspicious.
    pub notes: Vec<String>,
    /// The curves of the guilds in the shown changes; MEE6's for a missing one.
    pub curves: BTreeMap<Id<GuildMarker>, Curve>,
    /// The file with the rejected rows.
    pub reject_file: Option<PathBuf>,
    level_only: u64,
    fractions: u64,
    below_level: u64,
}

impl Report {
    /// An empty report, except for the rows of an earlier run.
    pub(super) fn after(done_before: u64) -> Self {
        Self {
            done_before,
            ..Self::default()
        }
    }

    /// The guilds of the changes that are shown.
    pub fn shown_guilds(&self) -> impl Iterator<Item = Id<GuildMarker>> {
        let shown = self.examples.iter().chain(&self.largest);
        shown.map(|change| change.key.guild_id)
    }

    /// The number of rejected rows.
    pub fn rejects(&self) -> u64 {
        self.rejected.values().map(|rejected| rejected.count).sum()
    }

    /// Rows that this run has imported or would import.
    pub const fn imported(&self) -> u64 {
        self.new + self.changed + self.unchanged
    }

    /// Count how an entry's XP was derived.
    pub(super) fn count_origin(&mut self, origin: Origin) {
        self.level_only += u64::from(origin.level_only);
        self.fractions += u64::from(origin.fraction);
        self.below_level += u64::from(origin.below_level);
    }

    /// Count the change of a member, and whether their reward roles are updated.
    pub(super) fn count(&mut self, change: &Change, settings: Option<&GuildSettings>) {
        let xp = XpChange {
            key: change.key,
            before: change.before.unwrap_or_default().xp,
            after: change.after.xp,
        };
        let follow = settings.is_some_and(|settings| xp.on_roles(settings, false).is_some());
        self.roles += u64::from(follow);
        match change.before {
            None => self.new += 1,
            Some(_) if change.is_one() => self.changed += 1,
            Some(_) => {
                self.unchanged += 1;
                return;
            }
        }
        if self.examples.len() < SHOWN {
            self.examples.push(*change);
        }
        let place = self.largest.partition_point(|larger| larger.by() >= change.by());
        if place < SHOWN {
            self.largest.insert(place, *change);
            self.largest.truncate(SHOWN);
        }
    }

    /// Count a rejected row.
    pub(super) fn reject(&mut self, reject: &Reject) {
        self.rejected
            .entry(reject.reason.kind())
            .and_modify(|rejected| rejected.count += 1)
            .or_insert_with(|| Rejected {
                count: 1,
                first: format!("{}: {}", reject.at, reject.reason),
            });
    }

    /// Lines about how XP was derived.
    fn origins(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.level_only > 0 {
            lines.push(format!(
                "{} rows have a level and no XP: they get the XP that the level begins at on MEE6's curve",
                self.level_only
            ));
        }
        if self.fractions > 0 {
            lines.push(format!(
                "{} rows have a fraction of XP, which is cut off",
                self.fractions
            ));
        }
        if self.below_level > 0 {
            lines.push(format!(
                "{} rows have less XP than their level takes on MEE6's curve: their levels will be lower here; if the bot restarts XP in each level, import with --xp in-level",
                self.below_level
            ));
        }
        lines
    }

    /// The report as text.
    pub fn summary(&self, dry_run: bool) -> String {
        let would = if dry_run { "would be " } else { "" };
        let mut lines = vec![format!("{} rows read", self.rows)];
        if self.done_before > 0 {
            lines.push(format!(
                "  {} were done by an earlier run, which was interrupted; the figures below are this run's",
                self.done_before
            ));
        }
        lines.push(format!(
            "  {} members {would}imported: {} new, {} changed, {} unchanged",
            self.imported(),
            self.new,
            self.changed,
            self.unchanged
        ));
        if self.roles > 0 {
            let members = if self.roles == 1 {
                "1 member".to_owned()
            } else {
                format!("{} members", self.roles)
            };
            lines.push(if dry_run {
                format!("  the reward roles of {members} would follow")
            } else {
                format!("  the reward roles of {members} follow while the bot runs; /levels reward sync says how many are left")
            });
        }
        if self.elsewhere > 0 {
            lines.push(format!(
                "  {} rows of other guilds {would}left out",
                self.elsewhere
            ));
        }
        if self.rejects() > 0 {
            lines.push(format!("  {} rows {would}rejected", self.rejects()));
        }
        for (kind, rejected) in &self.rejected {
            let Rejected { count, first } = rejected;
            lines.push(format!("    {count} with {kind}; the first, {first}"));
        }
        lines.extend(self.origins().iter().map(|origin| format!("  {origin}")));
        lines.extend(self.notes.iter().map(|note| format!("  {note}")));
        for (title, changes) in [
            ("first changes", &self.examples),
            ("largest changes", &self.largest),
        ] {
            if !changes.is_empty() {
                lines.push(title.to_owned());
                lines.extend(changes.iter().map(|change| {
                    let curve = self.curves.get(&change.key.guild_id);
                    format!("  {}", change.in_words(curve.copied().unwrap_or_default()))
                }));
            }
        }
        if let Some(file) = &self.reject_file {
            lines.push(format!(
                "the rejected rows are in {}: correct them there and import that file",
                file.display()
            ));
        }
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests;
