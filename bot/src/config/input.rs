//! One value as written in the file or in a variable.

use toml::de::{DeInteger, DeValue};

use crate::config::problem::{Place, escaped};

/// A value, and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) place: Place,
    pub(super) value: Value,
    /// The unchanged text of a variable. Keys with a text value use it, unless the text is a quoted TOML string.
    plain: Option<String>,
}

/// The types of TOML values that keys use.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Whole(i128),
    Boolean(bool),
    Text(String),
    List(Vec<Self>),
    /// Any other type, by a name that can be shown.
    Other(&'static str),
}

impl Input {
    /// A value from the file.
    pub(super) fn from_file(place: Place, value: &DeValue<'_>) -> Self {
        Self {
            place,
            value: Value::from(value),
            plain: None,
        }
    }

    /// A variable's value: TOML if it can be parsed as TOML, and plain text otherwise.
    pub(super) fn from_variable(name: &str, text: &str) -> Self {
        let text = text.trim();
        let value = DeValue::parse(text).map_or_else(
            |_not_toml| Value::Text(text.to_owned()),
            |value| Value::from(value.get_ref()),
        );
        Self {
            place: Place::Variable(name.to_owned()),
            value,
            plain: Some(text.to_owned()),
        }
    }

    pub(super) const fn whole(&self) -> Option<i128> {
        self.value.whole()
    }

    pub(super) const fn boolean(&self) -> Option<bool> {
        match self.value {
            Value::Boolean(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Value]> {
        match &self.value {
            Value::List(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match (&self.value, &self.plain) {
            (Value::Text(text), _) | (_, Some(text)) => Some(text),
            _ => None,
        }
    }

    /// The value as shown in an error message. It must not be used for secrets.
    pub(super) fn shown(&self) -> String {
        let shown = self.value.shown();
        // An address can contain a password, even under a key that does not take one.
        if shown.contains('@') {
            "text (not shown, as it could hold a password)".to_owned()
        } else {
            escaped(&shown)
        }
    }

    /// The type of the value, for a secret with the wrong type.
    pub(super) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Whole(_) => "a number (not shown)",
            Value::Boolean(_) => "true or false (not shown)",
            Value::Text(_) => "text (not shown)",
            Value::List(_) => "a list (not shown)",
            Value::Other(kind) => kind,
        }
    }
}

impl Value {
    pub(super) const fn whole(&self) -> Option<i128> {
        match self {
            Self::Whole(number) => Some(*number),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::Text(text) => format!("\"{text}\""),
            Self::List(values) => {
                format!(
                    "[{}]",
                    values.iter().map(Self::shown).collect::<Vec<_>>().join(", ")
                )
            }
            Self::Other(kind) => (*kind).to_owned(),
        }
    }
}

impl From<&DeValue<'_>> for Value {
    fn from(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                whole(number).map_or(Self::Other("a number that is far too large"), Self::Whole)
            }
            DeValue::Boolean(value) => Self::Boolean(*value),
            DeValue::Array(values) => {
                Self::List(values.iter().map(|value| Self::from(value.get_ref())).collect())
            }
            DeValue::Float(_) => Self::Other("a number with a fraction"),
            DeValue::Datetime(_) => Self::Other("a date or time"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }
}

fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}
