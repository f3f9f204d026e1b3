//! Reading a statement token by token.

use crate::postgres::migrations::sql::{Kind, Token};

/// The separator between a schema and a name.
pub(super) const DOT: Kind = Kind::Sign('.');

/// The rest of a statement, or of a part of it.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'t> {
    rest: &'t [Token],
}

pub(super) fn is_name(token: &Token) -> bool {
    matches!(token.kind, Kind::Word(_) | Kind::Quoted(_))
}

fn are(tokens: &[Token], words: &str) -> bool {
    let mut tokens = tokens.iter();
    words
        .split(' ')
        .all(|word| tokens.next().is_some_and(|token| token.is(word)))
}

impl<'t> Cursor<'t> {
    pub(super) const fn new(rest: &'t [Token]) -> Self {
        Self { rest }
    }

    pub(super) fn begins(&self, words: &str) -> bool {
        are(self.rest, words)
    }

    /// Skip the words if they come next.
    pub(super) fn take(&mut self, words: &str) -> bool {
        let found = self.begins(words);
        if found {
            self.rest = &self.rest[words.split(' ').count()..];
        }
        found
    }

    /// Whether the rest contains the words.
    pub(super) fn has(&self, words: &str) -> bool {
        (0..self.rest.len()).any(|at| are(&self.rest[at..], words))
    }

    /// Skip to the first occurrence of the words, or to the end.
    pub(super) fn skip_to(&mut self, words: &str) {
        while !self.rest.is_empty() && !self.take(words) {
            self.rest = &self.rest[1..];
        }
    }

    /// A name, without its qualifiers.
    pub(super) fn name(&mut self) -> Option<String> {
        let (first, rest) = self.rest.split_first()?;
        let (Kind::Word(name) | Kind::Quoted(name)) = &first.kind else {
            return None;
        };
        self.rest = rest;
        if rest.first().is_some_and(|token| token.kind == DOT) {
            self.rest = &rest[1..];
            return self.name();
        }
        Some(name.clone())
    }

    /// The table after REFERENCES.
    pub(super) fn referred(&self) -> Option<String> {
        let mut at = self.clone();
        at.skip_to("references");
        at.name()
    }

    /// Skip a parenthesis. Returns its parts, which are separated by commas.
    pub(super) fn group(&mut self) -> Vec<&'t [Token]> {
        if self
            .rest
            .first()
            .is_none_or(|token| token.kind != Kind::Sign('('))
        {
            return Vec::new();
        }
        let mut depth = 0_usize;
        let end = self.rest.iter().position(|token| {
            match token.kind {
                Kind::Sign('(') => depth += 1,
                Kind::Sign(')') => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = end.unwrap_or(self.rest.len());
        let inner = Cursor::new(&self.rest[1..end]);
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        inner.parts()
    }

    /// The rest, split at commas outside of parentheses.
    pub(super) fn parts(&self) -> Vec<&'t [Token]> {
        let mut depth = 0_usize;
        self.rest
            .split(|token| {
                match token.kind {
                    Kind::Sign('(' | '[') => depth += 1,
                    Kind::Sign(')' | ']') => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && token.kind == Kind::Sign(',')
            })
            .collect()
    }

    /// The tokens before the first of the words that is outside of parentheses.
    pub(super) fn until(&self, words: &[&str]) -> &'t [Token] {
        let mut depth = 0_usize;
        let end = self.rest.iter().position(|token| {
            match token.kind {
                Kind::Sign('(' | '[') => depth += 1,
                Kind::Sign(')' | ']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && words.iter().any(|word| token.is(word))
        });
        &self.rest[..end.unwrap_or(self.rest.len())]
    }

    /// The functions that are called.
    pub(super) fn calls(tokens: &[Token]) -> Vec<&str> {
        let pairs = tokens.windows(2);
        pairs
            .filter(|pair| pair[1].kind == Kind::Sign('('))
            .filter_map(|pair| match &pair[0].kind {
                Kind::Word(name) | Kind::Quoted(name) => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }
}
