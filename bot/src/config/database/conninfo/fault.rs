//! Why an address cannot be used, in words that repeat nothing of it.

use super::{WORDS, foreign::Foreign};

/// Why a text is not the address of a PostgreSQL server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has neither of the two forms.
    Form,
    /// The host, the port or the database contains an `@`: the user or the password has characters that must be escaped.
    Unescaped,
    /// A `%` is not followed by two hexadecimal digits.
    Percent,
    /// The value of this key cannot be read.
    Value(&'static str),
    /// This key of libpq's is not supported.
    Unsupported(&'static str),
    /// libpq does not know a parameter.
    Parameter,
    /// Another program would understand it.
    Foreign(&'static Foreign),
    /// As many hosts as addresses and ports are needed, or one port for all.
    Counts,
}

impl Fault {
    /// In words that repeat nothing of the text but the names of known keys and schemes.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Form => "text that is no such address (not shown)".to_owned(),
            Self::Unescaped => "an address whose user or password has a character that must be escaped: write @ as %40, / as %2F, \
                                # as %23 (value not shown)"
                .to_owned(),
            Self::Percent => {
                "an address with a % that is not followed by two hexadecimal digits: write % as %25 (value not shown)".to_owned()
            }
            Self::Value(key) => match WORDS.iter().find(|(word, _)| *word == key) {
                Some((_, words)) => {
                    format!("an address whose {key} is none of {} (not shown)", words.join(", "))
                }
                None => format!("an address whose {key} cannot be read (not shown)"),
            },
            Self::Unsupported(key) => format!("an address with {key}, which is not supported (not shown)"),
            Self::Parameter => "an address with a parameter that libpq does not know: remove it (not shown)".to_owned(),
            Self::Foreign(foreign) => foreign.in_words(),
            Self::Counts => "an address with different numbers of hosts and ports (not shown)".to_owned(),
        }
    }
}
