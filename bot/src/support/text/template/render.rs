//! Renders a template to a message.

use std::fmt::Write as _;

use twilight_model::id::{
    Id,
    marker::{RoleMarker, UserMarker},
};

use super::{Part, Placeholder, Template};
use crate::support::text::names::Name;

/// The values of the placeholders.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The member who reached the level.
    pub user_id: Id<UserMarker>,
    /// The member's display name in the guild; `None` if unknown, in which case they are mentioned instead.
    pub user_name: Option<&'a Name>,
    /// The level reached.
    pub level: u32,
    /// The previous level.
    pub level_before: u32,
    /// The member's XP.
    pub xp: u64,
    /// The XP missing to the next level.
    pub xp_next: u64,
    /// The guild's name; `None` if unknown.
    pub server: Option<&'a Name>,
    /// The reward roles of the level.
    pub roles: &'a [Id<RoleMarker>],
}

impl Template {
    /// Render the message, which is never empty.
    ///
    /// Names of members and guilds are escaped so that they cannot format or mention anything. Independently, `allowed_mentions` decides
    /// whom a message notifies.
    pub fn render(&self, facts: &Facts<'_>) -> String {
        self.render_with(|placeholder, message| facts.fill(placeholder, message))
    }

    /// The same with values of another kind than levels: `fill` appends the value of a placeholder.
    pub fn render_with(&self, fill: impl Fn(Placeholder, &mut String)) -> String {
        let mut message = String::with_capacity(self.text.len() + 64);
        for part in &self.parts {
            match part {
                Part::Text(text) => message.push_str(text),
                Part::Placeholder(placeholder) => fill(*placeholder, &mut message),
            }
        }
        message
    }
}

impl Facts<'_> {
    fn fill(&self, placeholder: Placeholder, message: &mut String) {
        let written = match placeholder {
            Placeholder::User => write!(message, "<@{}>", self.user_id),
            Placeholder::UserId => write!(message, "{}", self.user_id),
            Placeholder::UserName => match self.user_name {
                Some(name) => write!(message, "{}", name.in_markdown()),
                None => write!(message, "<@{}>", self.user_id),
            },
            Placeholder::Level => write!(message, "{}", self.level),
            Placeholder::LevelBefore => write!(message, "{}", self.level_before),
            Placeholder::Xp => write!(message, "{}", self.xp),
            Placeholder::XpNext => write!(message, "{}", self.xp_next),
            Placeholder::Server => match self.server {
                Some(name) => write!(message, "{}", name.in_markdown()),
                None => write!(message, "this server"),
            },
            Placeholder::Roles => self.roles.iter().enumerate().try_for_each(|(index, role)| {
                let between = if index == 0 { "" } else { " " };
                write!(message, "{between}<@&{role}>")
            }),
            // Of no announcement: these are not parsed there.
            Placeholder::Case | Placeholder::Reason | Placeholder::Until => Ok(()),
        };
        written.expect("a String takes any text");
    }
}
