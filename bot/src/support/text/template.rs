//! Templates of messages: text with placeholders, parsed once and rendered often.

mod fault;
mod render;

use std::fmt;

pub use self::{fault::TemplateFault, render::Facts};
use crate::support::i18n::Language;

/// The maximum length of a template, in characters. Placeholder values come on top, and text beyond Discord's limit is cut.
pub const MAX_CHARS: usize = 1_500;

/// The announcement if no template is set.
pub const DEFAULT: &str = "GG {user}, you just advanced to level {level}!";

/// A text with placeholders. `{{` and `}}` stand for braces.
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

/// The available placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{user}`: a mention of the member.
    User,
    /// `{user.id}`: the member's ID.
    UserId,
    /// `{user.name}`: the member's display name in the guild.
    UserName,
    /// `{level}`: the level reached.
    Level,
    /// `{level.before}`: the previous level.
    LevelBefore,
    /// `{xp}`: the member's XP.
    Xp,
    /// `{xp.next}`: the XP missing to the next level.
    XpNext,
    /// `{server}`: the guild's name.
    Server,
    /// `{roles}`: mentions of the level's reward roles; empty if there are none.
    Roles,
    /// `{case}`: the number of a moderator's case.
    Case,
    /// `{reason}`: its reason; empty if there is none.
    Reason,
    /// `{until}`: the time at which its punishment ends; empty if there is none.
    Until,
}

impl Placeholder {
    /// The placeholders of announcements and welcomes.
    pub const LEVELS: [Self; 9] = [
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

    /// The placeholders of messages to members about their cases.
    pub const CASES: [Self; 6] = [
        Self::User,
        Self::UserId,
        Self::Server,
        Self::Case,
        Self::Reason,
        Self::Until,
    ];

    /// The name between the braces.
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
            Self::Case => "case",
            Self::Reason => "reason",
            Self::Until => "until",
        }
    }
}

impl Template {
    /// Parse the template of an announcement.
    ///
    /// # Errors
    ///
    /// A [`TemplateFault`] with the mistake, its position, and a suggestion.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        Self::parse_with(text, &Placeholder::LEVELS)
    }

    /// Parse a template in which these placeholders can stand.
    ///
    /// # Errors
    ///
    /// A [`TemplateFault`] with the mistake, its position, and a suggestion.
    pub fn parse_with(text: &str, allowed: &[Placeholder]) -> Result<Self, TemplateFault> {
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
                    let placeholder = allowed
                        .iter()
                        .copied()
                        .find(|placeholder| placeholder.name() == name)
                        .ok_or_else(|| TemplateFault::unknown(at, name, allowed))?;
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain).into()));
                    }
                    parts.push(Part::Placeholder(placeholder));
                    // Skip the name and the closing brace.
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

    /// Whether the template contains the placeholder.
    pub fn wants(&self, placeholder: Placeholder) -> bool {
        self.parts.contains(&Part::Placeholder(placeholder))
    }

    /// The source text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The announcement of a guild with this language and without a template: the operator's template, or else the default text in that
    /// language.
    pub(crate) fn usual_in(&self, language: Option<Language>) -> Self {
        match language {
            Some(language) if *self == Self::default() => Self::parse(&language.text("announce-default"))
                .expect("a test reads the text of every language"),
            _ => self.clone(),
        }
    }

    /// The size of its heap memory.
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
    /// Whether the result is never blank, for any member: Discord rejects messages without visible content.
    fn is_always_seen(&self) -> bool {
        match self {
            Self::Text(text) => text.chars().any(is_seen),
            Self::Placeholder(placeholder) => !matches!(
                placeholder,
                Placeholder::Roles | Placeholder::Reason | Placeholder::Until
            ),
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
