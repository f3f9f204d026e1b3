//! The server's own words in messages to members about their cases.

use std::{fmt::Write as _, time::SystemTime};

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::UserMarker};

use crate::{
    features::moderation::texts,
    support::text::{
        names::Name,
        template::{Placeholder, Template},
    },
};

/// The server's templates at the time of a case; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// What the message says instead of the bot's own text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What it ends with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub appeal: String,
}

/// The values of the placeholders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) user_id: Id<UserMarker>,
    pub(super) server: &'a Name,
    pub(super) case_id: i64,
    pub(super) reason: &'a str,
    /// When the punishment ends.
    pub(super) until: Option<SystemTime>,
}

impl Wording {
    /// Whether the server has no words of its own.
    pub const fn is_usual(&self) -> bool {
        self.message.is_empty() && self.appeal.is_empty()
    }

    /// The message, with the bot's own text if the server has none.
    pub(super) fn apply(&self, facts: &Facts<'_>, usual: impl FnOnce() -> String) -> String {
        let mut text = facts.fill(&self.message).unwrap_or_else(usual);
        if let Some(appeal) = facts.fill(&self.appeal) {
            text.push('\n');
            text.push_str(&appeal);
        }
        text
    }
}

impl Facts<'_> {
    /// A template with its values; `None` if there is none.
    fn fill(&self, template: &str) -> Option<String> {
        let template = Template::parse_with(template, &Placeholder::CASES).ok()?;
        Some(template.render_with(|placeholder, message| self.append(placeholder, message)))
    }

    fn append(&self, placeholder: Placeholder, message: &mut String) {
        match placeholder {
            Placeholder::User => write!(message, "<@{}>", self.user_id),
            Placeholder::UserId => write!(message, "{}", self.user_id),
            Placeholder::Server => write!(message, "{}", self.server.in_markdown()),
            Placeholder::Case => write!(message, "{}", self.case_id),
            Placeholder::Reason => write!(message, "{}", self.reason),
            Placeholder::Until => match self.until {
                Some(until) => write!(message, "{}", texts::moment(until)),
                None => Ok(()),
            },
            // These are of announcements, and not parsed here.
            _ => Ok(()),
        }
        .expect("a String takes any text");
    }
}

#[cfg(test)]
mod tests;
