//! Why an address cannot be used, without repeating any of it.

use super::{WORDS, foreign::Foreign};

/// Why a text is not the address of a PostgreSQL server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The text has neither of the two forms.
    Form,
    /// The host, the port or the database contains an `@`: the user or the password has characters that must be escaped.
    Unescaped,
    /// Two hexadecimal digits are missing after a `%`.
    Percent,
    /// This key has an invalid value.
    Value(&'static str),
    /// This key of libpq is not supported.
    Unsupported(&'static str),
    /// The address has a parameter that libpq does not know.
    Parameter,
    /// The text is in another program's format.
    Foreign(&'static Foreign),
    /// The numbers of hosts, addresses and ports differ. A single port for all hosts is allowed.
    Counts,
}

impl Fault {
    /// A text for the operator. It repeats nothing of the address but the names of known keys and schemes.
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
