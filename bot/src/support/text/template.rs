//! Announcements' templates: text with placeholders, read once and filled in often.

mod fault;
mod render;

use std::fmt;

pub use self::{fault::TemplateFault, render::Facts};
use crate::support::i18n::Language;

/// Longest template in characters. What the placeholders become comes on top, and what is beyond Discord's limit is cut.
pub const MAX_CHARS: usize = 1_500;

/// What is announced where nobody wrote a template.
pub const DEFAULT: &str = "GG {user}, you just advanced to level {level}!";

/// A text in which placeholders are filled in. `{{` and `}}` stand for braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: Box<str>,
    parts: Box<[Part]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Placeholder(Placeholder),
}

/// What can be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{user}`: a mention of the member.
    User,
    /// `{user.id}`: the member's id.
    UserId,
    /// `{user.name}`: the name that the guild knows the member by.
    UserName,
    /// `{level}`: the level that was reached.
    Level,
    /// `{level.before}`: the level before.
    LevelBefore,
    /// `{xp}`: the member's XP.
    Xp,
    /// `{xp.next}`: XP that the next level still needs.
    XpNext,
    /// `{server}`: the guild's name.
    Server,
    /// `{roles}`: mentions of the roles that the level gives; nothing where it gives none.
    Roles,
}

impl Placeholder {
    /// Every placeholder.
    pub const ALL: [Self; 9] = [
        Self::User,
        Self::UserId,
        Self::UserName,
        Self::Level,
        Self::LevelBefore,
        Self::Xp,
        Self::XpNext,
        Self::Server,
        Self::Roles,
    ];

    /// What stands between its braces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::UserId => "user.id",
            Self::UserName => "user.name",
            Self::Level => "level",
            Self::LevelBefore => "level.before",
            Self::Xp => "xp",
            Self::XpNext => "xp.next",
            Self::Server => "server",
            Self::Roles => "roles",
        }
    }
}

impl Template {
    /// Read a template.
    ///
    /// # Errors
    ///
    /// A [`TemplateFault`] that says what is wrong, where, and what would be right.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let chars = text.chars().count();
        if chars > MAX_CHARS {
            return Err(TemplateFault::TooLong { chars });
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut characters = text.char_indices().enumerate().peekable();
        while let Some((index, (byte, character))) = characters.next() {
            let at = index + 1;
            let twice = characters.next_if(|(_, (_, next))| *next == character && matches!(next, '{' | '}'));
            match character {
                '{' if twice.is_none() => {
                    let rest = text.get(byte + 1..).unwrap_or_default();
                    let name = rest
                        .find(['{', '}'])
                        .filter(|end| rest.get(*end..).is_some_and(|rest| rest.starts_with('}')))
                        .and_then(|end| rest.get(..end))
                        .ok_or(TemplateFault::Unclosed { at })?;
                    let placeholder = Placeholder::ALL
                        .into_iter()
                        .find(|placeholder| placeholder.name() == name)
                        .ok_or_else(|| TemplateFault::unknown(at, name))?;
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain).into()));
                    }
                    parts.push(Part::Placeholder(placeholder));
                    // The name, and the brace after it.
                    for _ in 0..=name.chars().count() {
                        characters.next();
                    }
                }
                '}' if twice.is_none() => return Err(TemplateFault::Stray { at }),
                character => plain.push(character),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain.into()));
        }
        if !parts.iter().any(Part::is_always_seen) {
            return Err(TemplateFault::Empty);
        }
        Ok(Self {
            text: text.into(),
            parts: parts.into(),
        })
    }

    /// Whether the placeholder occurs in it.
    pub fn wants(&self, placeholder: Placeholder) -> bool {
        self.parts.contains(&Part::Placeholder(placeholder))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is announced where a guild with this language has no template: the operator's template, or else the usual text in that language.
    pub(crate) fn usual_in(&self, language: Option<Language>) -> Self {
        match language {
            Some(language) if *self == Self::default() => Self::parse(&language.text("announce-default"))
                .expect("a test reads the text of every language"),
            _ => self.clone(),
        }
    }

    /// Memory that it takes beside itself.
    pub(crate) fn bytes(&self) -> usize {
        let plain = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Placeholder(_) => 0,
        });
        self.text.len() + size_of_val(&*self.parts) + plain.sum::<usize>()
    }
}

impl Default for Template {
    fn default() -> Self {
        Self::parse(DEFAULT).expect("the default is a template")
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Part {
    /// Whether it becomes something, whoever reached whatever level: Discord refuses messages without anything to see.
    fn is_always_seen(&self) -> bool {
        match self {
            Self::Text(text) => text.chars().any(is_seen),
            Self::Placeholder(placeholder) => *placeholder != Placeholder::Roles,
        }
    }
}

fn is_seen(character: char) -> bool {
    let blank = matches!(character, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}');
    !blank && !character.is_whitespace() && !character.is_control()
}

#[cfg(test)]
mod tests;
