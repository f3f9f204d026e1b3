//! A template becomes a message.

use std::fmt::Write as _;

use twilight_model::id::{
    Id,
    marker::{RoleMarker, UserMarker},
};

use super::{Part, Placeholder, Template};

/// What a message may have: <https://discord.com/developers/docs/resources/message#create-message>. Counted in UTF-16 code units,
/// of which a text never has fewer than characters, since Discord does not say which it counts.
const MESSAGE_UNITS: usize = 2_000;

/// Stands where something was cut off.
const CUT: char = '…';

/// Longest name that is filled in, in characters: Discord's own longest is a guild's, with 100.
const NAME_CHARS: usize = 100;

/// Most roles that are mentioned: more would not fit, whatever else is said.
const ROLES: usize = 90;

/// Longest thing in angle brackets, in bytes: a command's mention has its name, its group's and its id.
const TOKEN_BYTES: usize = 150;

/// What is filled in.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The member.
    pub user_id: Id<UserMarker>,
    /// The name that the guild knows them by; `None` where nobody knows it, and they are mentioned instead.
    pub user_name: Option<&'a str>,
    /// The level that was reached.
    pub level: u32,
    /// The level before.
    pub level_before: u32,
    /// The member's XP.
    pub xp: u64,
    /// XP that is missing to the next level.
    pub xp_next: u64,
    /// The guild's name; `None` where nobody knows it.
    pub server: Option<&'a str>,
    /// The roles that the level gives.
    pub roles: &'a [Id<RoleMarker>],
}

impl Template {
    /// The message: never empty, never longer than Discord takes.
    ///
    /// Names of members and guilds are filled in so that they cannot format or mention anything. Whom a message notifies is decided
    /// by its `allowed_mentions` all the same.
    pub fn render(&self, facts: &Facts<'_>) -> String {
        let mut message = String::with_capacity(self.text.len() + 64);
        for part in &self.parts {
            match part {
                Part::Text(text) => message.push_str(text),
                Part::Placeholder(placeholder) => facts.fill(*placeholder, &mut message),
            }
        }
        cut(&mut message);
        message
    }
}

impl Facts<'_> {
    fn fill(&self, placeholder: Placeholder, message: &mut String) {
        let written = match placeholder {
            Placeholder::User => write!(message, "<@{}>", self.user_id),
            Placeholder::UserId => write!(message, "{}", self.user_id),
            Placeholder::UserName => match self.user_name {
                Some(name) => {
                    name_into(name, message);
                    Ok(())
                }
                None => write!(message, "<@{}>", self.user_id),
            },
            Placeholder::Level => write!(message, "{}", self.level),
            Placeholder::LevelBefore => write!(message, "{}", self.level_before),
            Placeholder::Xp => write!(message, "{}", self.xp),
            Placeholder::XpNext => write!(message, "{}", self.xp_next),
            Placeholder::Server => {
                name_into(self.server.unwrap_or("this server"), message);
                Ok(())
            }
            Placeholder::Roles => self
                .roles
                .iter()
                .take(ROLES)
                .enumerate()
                .try_for_each(|(index, role)| {
                    let between = if index == 0 { "" } else { " " };
                    write!(message, "{between}<@&{role}>")
                }),
        };
        written.expect("a String takes any text");
    }
}

/// A name without any meaning to Discord's Markdown: <https://discord.com/developers/docs/reference#message-formatting>.
fn name_into(name: &str, message: &mut String) {
    for character in name.chars().take(NAME_CHARS) {
        if character.is_control() {
            message.push(' ');
            continue;
        }
        if matches!(
            character,
            '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']' | '(' | ')' | '#'
        ) {
            message.push('\\');
        }
        message.push(character);
        if character == '@' {
            // So that it is followed by no id, nor by `everyone`.
            message.push('\u{200b}');
        }
    }
}

/// Cut what is too long, between two characters, and before a mention rather than in it.
fn cut(message: &mut String) {
    let mut units = 0;
    let mut keep = 0;
    for (at, character) in message.char_indices() {
        units += character.len_utf16();
        if units > MESSAGE_UNITS {
            message.truncate(before_token(message, keep));
            message.push(CUT);
            return;
        }
        if units < MESSAGE_UNITS {
            // Room is left for the sign.
            keep = at + character.len_utf8();
        }
    }
}

/// The place, or the beginning of what stands in angle brackets around it: a mention, an emoji, a time or an address.
fn before_token(message: &str, place: usize) -> usize {
    let (kept, gone) = message.split_at(place);
    let Some(open) = kept.rfind('<') else { return place };
    let inside = kept.get(open + 1..).unwrap_or_default();
    let Some(close) = gone.find(['<', '>', '\n']) else {
        return place;
    };
    let is_token = !inside.contains(['>', '\n'])
        && gone.get(close..).is_some_and(|rest| rest.starts_with('>'))
        && inside.len() + close <= TOKEN_BYTES;
    if is_token { open } else { place }
}
