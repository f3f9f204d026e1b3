//! The part of SQL's grammar that is needed to split a migration into statements:
//! <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>.

use std::ops::Range;

/// A parsed file.
#[derive(Clone, Debug)]
pub(super) struct Sql {
    /// The lines of the comment at the start, without dashes.
    pub(super) head: Vec<String>,
    pub(super) statements: Vec<Statement>,
}

/// A statement without its semicolon.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) text: String,
    /// The line at which it starts, from 1.
    pub(super) line: usize,
    pub(super) tokens: Vec<Token>,
}

/// A word, a sign or a literal, with its position in the statement's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    place: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a name, in lower case, to which PostgreSQL folds it.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A string or a number.
    Literal,
    Sign(char),
}

impl Sql {
    pub(super) fn read(text: &str) -> Self {
        let head = text
            .lines()
            .map_while(|line| line.trim_start().strip_prefix("--"))
            .map(|line| line.trim().to_owned())
            .collect();
        let mut statements = Vec::new();
        let mut tokens: Vec<Token> = Vec::new();
        let mut end_statement = |tokens: &mut Vec<Token>| {
            let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
                return;
            };
            let (from, to) = (first.place.start, last.place.end);
            let part = |range| text.get(range).unwrap_or_default();
            statements.push(Statement {
                text: part(from..to).to_owned(),
                line: 1 + part(0..from).matches('\n').count(),
                tokens: tokens
                    .drain(..)
                    .map(|token| Token {
                        place: token.place.start - from..token.place.end - from,
                        ..token
                    })
                    .collect(),
            });
        };
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let (kind, length) = next(rest);
            let place = at..at + length;
            at = place.end;
            match kind {
                None => {}
                Some(Kind::Sign(';')) => end_statement(&mut tokens),
                Some(kind) => tokens.push(Token { kind, place }),
            }
        }
        end_statement(&mut tokens);
        Self { head, statements }
    }

    /// Whether the head contains this line.
    pub(super) fn says(&self, line: &str) -> bool {
        self.head.iter().any(|found| found == line)
    }
}

impl Statement {
    /// The statement without a given keyword.
    pub(super) fn without(&self, word: &str) -> String {
        let mut text = self.text.clone();
        for token in self.tokens.iter().rev().filter(|token| token.is(word)) {
            text.replace_range(token.place.clone(), "");
        }
        text
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| token.is(word))
    }
}

impl Token {
    /// Whether it is this word, given in lower case.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(found) if found == word)
    }
}

/// The next token and its length in bytes; `None` for white space and comments.
fn next(rest: &str) -> (Option<Kind>, usize) {
    let mut characters = rest.chars();
    let first = characters.next().unwrap_or_default();
    let second = characters.next().unwrap_or_default();
    match (first, second) {
        _ if first.is_whitespace() => (None, first.len_utf8()),
        ('-', '-') => (None, rest.find('\n').unwrap_or(rest.len())),
        ('/', '*') => (None, block_comment(rest)),
        ('\'', _) => (Some(Kind::Literal), quoted(rest, '\'', false)),
        ('e' | 'E', '\'') => (
            Some(Kind::Literal),
            1 + quoted(rest.get(1..).unwrap_or_default(), '\'', true),
        ),
        ('"', _) => {
            let length = quoted(rest, '"', false);
            let name = rest.get(1..length.saturating_sub(1)).unwrap_or_default();
            (Some(Kind::Quoted(name.replace("\"\"", "\""))), length)
        }
        ('$', _) => {
            dollar_quoted(rest).map_or((Some(Kind::Sign('$')), 1), |length| (Some(Kind::Literal), length))
        }
        _ if first.is_ascii_digit() => (
            Some(Kind::Literal),
            length_of(rest, |c| c.is_ascii_alphanumeric() || c == '.' || c == '_'),
        ),
        _ if first.is_alphabetic() || first == '_' => {
            let length = length_of(rest, |c| c.is_alphanumeric() || c == '_' || c == '$');
            let word = rest.get(..length).unwrap_or_default().to_lowercase();
            (Some(Kind::Word(word)), length)
        }
        _ => (Some(Kind::Sign(first)), first.len_utf8()),
    }
}

fn length_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Comments in `/* */` can be nested.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The text up to the closing quote. A doubled quote stands for itself.
fn quoted(text: &str, quote: char, backslash: bool) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && backslash {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

/// `$tag$…$tag$`: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-DOLLAR-QUOTING>.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = 1 + text.get(1..)?.find('$')?;
    let tag = text.get(..=tag_end)?;
    let name = tag.trim_matches('$');
    if name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    let body = text.get(tag.len()..)?;
    Some(
        body.find(tag)
            .map_or(text.len(), |end| tag.len() + end + tag.len()),
    )
}

#[cfg(test)]
mod tests;
