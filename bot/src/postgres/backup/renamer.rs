//! Replaces the schema's name in the output of `pg_restore`, for a role that may not rename one of the two schemas.
//!
//! Names are replaced where statements refer to the schema: before a dot, after SCHEMA, and in the strings of `setval` and `nextval`. Rows,
//! other strings, function bodies and comments are unchanged. If a name is missed, the statement fails, and the restore, which is one
//! transaction, fails with it.

use crate::postgres::connect::quoted;

/// Rewrites a script in pieces of any size.
pub(super) struct Renamer {
    from: String,
    to: String,
    state: State,
    /// The beginning of a name or a string.
    token: Vec<u8>,
    /// The last byte outside of names and strings, since a piece can end anywhere.
    last_byte: u8,
    /// The first word of the statement, in lower case.
    first_word: String,
    last_word: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Plain,
    Word,
    Quoted,
    /// After a double quote, which ends the name unless it is doubled.
    QuotedEnd,
    Text {
        escapes: bool,
    },
    Escaped,
    TextEnd {
        escapes: bool,
    },
    DollarTag,
    /// The tag that ends the string.
    Dollar(Vec<u8>),
    Comment,
    /// After COPY, up to the end of the line.
    CopyBegins,
    /// The beginning of a line of rows, as long as it can be the line that ends them.
    Rows,
}

impl Renamer {
    pub(super) fn new(from: &str, to: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            state: State::Plain,
            token: Vec::new(),
            last_byte: b'\n',
            first_word: String::new(),
            last_word: String::new(),
        }
    }

    /// The text that replaces `piece`. An incomplete name is kept for the next call.
    pub(super) fn pass(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + 64);
        for byte in piece {
            self.take(*byte, &mut out);
        }
        out
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        match &mut self.state {
            State::Plain => self.plain(byte, out),
            State::Word => {
                if is_of_a_word(byte) {
                    self.token.push(byte);
                } else {
                    let word = String::from_utf8_lossy(&self.token).into_owned();
                    self.name(&word, byte, out);
                }
            }
            State::Quoted => {
                self.token.push(byte);
                if byte == b'"' {
                    self.state = State::QuotedEnd;
                }
            }
            State::QuotedEnd => {
                if byte == b'"' {
                    self.token.push(byte);
                    self.state = State::Quoted;
                } else {
                    let inner = self.token.get(1..self.token.len() - 1).unwrap_or_default();
                    let name = String::from_utf8_lossy(inner).replace("\"\"", "\"");
                    self.name(&name, byte, out);
                }
            }
            State::Text { escapes } => {
                let escapes = *escapes;
                self.token.push(byte);
                match byte {
                    b'\'' => self.state = State::TextEnd { escapes },
                    b'\\' if escapes => self.state = State::Escaped,
                    _ => {}
                }
            }
            State::Escaped => {
                self.token.push(byte);
                self.state = State::Text { escapes: true };
            }
            State::TextEnd { escapes } => {
                if byte == b'\'' {
                    self.state = State::Text { escapes: *escapes };
                    self.token.push(byte);
                } else {
                    let escapes = *escapes;
                    self.text(escapes, out);
                    self.plain(byte, out);
                }
            }
            State::DollarTag => {
                self.token.push(byte);
                if byte == b'$' {
                    self.state = State::Dollar(self.token.clone());
                    out.append(&mut self.token);
                } else if !is_of_a_word(byte) {
                    self.token.pop();
                    out.append(&mut self.token);
                    self.plain(byte, out);
                }
            }
            State::Dollar(tag) => {
                out.push(byte);
                self.token.push(byte);
                let longest = tag.len();
                if self.token.len() > longest {
                    self.token.drain(..self.token.len() - longest);
                }
                if self.token == *tag {
                    self.token.clear();
                    self.state = State::Plain;
                }
            }
            State::Comment => {
                out.push(byte);
                if byte == b'\n' {
                    self.last_byte = byte;
                    self.state = State::Plain;
                }
            }
            State::CopyBegins => {
                out.push(byte);
                if byte == b'\n' {
                    self.state = State::Rows;
                }
            }
            State::Rows => {
                out.push(byte);
                if byte == b'\n' {
                    if self.token == b"\\." {
                        self.state = State::Plain;
                    }
                    self.token.clear();
                } else if self.token.len() < 3 {
                    self.token.push(byte);
                }
            }
        }
    }

    fn plain(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.state = match byte {
            b'"' => State::Quoted,
            b'\'' => State::Text {
                escapes: self.last_byte == b'E',
            },
            b'$' => State::DollarTag,
            b'-' if self.last_byte == b'-' => State::Comment,
            b';' if self.first_word == "copy" && self.last_word == "stdin" => State::CopyBegins,
            _ if is_of_a_word(byte) => State::Word,
            _ => State::Plain,
        };
        self.last_byte = byte;
        if byte == b';' {
            self.first_word.clear();
            self.last_word.clear();
        }
        match self.state {
            State::Quoted | State::Text { .. } | State::DollarTag | State::Word => {
                self.token.clear();
                self.token.push(byte);
            }
            _ => {
                self.token.clear();
                out.push(byte);
            }
        }
    }

    /// Process a complete name or keyword and the byte after it.
    fn name(&mut self, name: &str, next: u8, out: &mut Vec<u8>) {
        if name == self.from && (next == b'.' || self.last_word == "schema") {
            out.extend_from_slice(quoted(&self.to).as_bytes());
        } else {
            out.extend_from_slice(&self.token);
        }
        self.last_byte = self.token.last().copied().unwrap_or_default();
        // In E'…', the E belongs to the string.
        if next != b'\'' {
            self.last_word = name.to_ascii_lowercase();
        }
        if self.first_word.is_empty() {
            self.first_word.clone_from(&self.last_word);
        }
        self.state = State::Plain;
        self.plain(next, out);
    }

    /// Process a complete string.
    fn text(&mut self, escapes: bool, out: &mut Vec<u8>) {
        let inside = |name: &str| {
            let name = name.replace('\'', "''");
            if escapes { name.replace('\\', "\\\\") } else { name }
        };
        let token = String::from_utf8_lossy(&self.token).into_owned();
        let is_a_sequence = matches!(self.last_word.as_str(), "setval" | "nextval");
        let names = [self.from.clone(), quoted(&self.from)];
        let rest = names
            .iter()
            .find_map(|name| token.strip_prefix(&format!("'{}.", inside(name))));
        match rest.filter(|_| is_a_sequence) {
            Some(rest) => {
                let to = quoted(&self.to);
                // The new name may contain a backslash even if the old one does not.
                let (mark, to) = if !escapes && to.contains('\\') {
                    (" E", inside(&to).replace('\\', "\\\\"))
                } else {
                    ("", inside(&to))
                };
                out.extend_from_slice(format!("{mark}'{to}.{rest}").as_bytes());
            }
            None => out.extend_from_slice(&self.token),
        }
        self.token.clear();
        self.state = State::Plain;
    }
}

const fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests;
