//! Discord's limits on the fields of a body. A body that breaks one is answered with 400 and code 50035; `errors` names each
//! field by its path: <https://docs.discord.com/developers/reference#error-messages>.

pub(super) mod command;
mod component;
pub(super) mod message;

use std::{cell::RefCell, ops::RangeInclusive};

/// The limits for what a callback of an interaction carries.
pub(super) use component::{check_choices, check_modal};
use serde_json::{Value, json};

use super::Answer;

/// Everything that is wrong with a body.
#[derive(Default)]
pub(super) struct Faults(RefCell<Value>);

impl Faults {
    /// The field at the root of a body.
    pub(super) fn root<'a>(&'a self, body: &'a Value) -> Field<'a> {
        self.below(&[], body)
    }

    /// The field at this path, whose value is known already.
    fn below<'a>(&'a self, path: &[&str], value: &'a Value) -> Field<'a> {
        Field {
            faults: self,
            value,
            path: path.iter().map(|&key| key.to_owned()).collect(),
        }
    }

    /// The answer to a body with these faults, if there are any.
    pub(super) fn answer(self) -> Result<(), Answer> {
        match self.0.into_inner() {
            Value::Null => Ok(()),
            errors => Err(Answer {
                status: 400,
                body: Some(json!({"message": "Invalid Form Body", "code": 50_035, "errors": errors})),
            }),
        }
    }
}

/// A value in a body, and the way to it.
#[derive(Clone)]
pub(super) struct Field<'a> {
    faults: &'a Faults,
    pub(super) value: &'a Value,
    path: Vec<String>,
}

impl<'a> Field<'a> {
    /// A field of an object; null if it is not there.
    pub(super) fn at(&self, name: &str) -> Self {
        self.child(name.to_owned(), &self.value[name])
    }

    /// The items of a list; none if it is no list.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> {
        let items = self.value.as_array().map_or(&[][..], Vec::as_slice);
        (0..)
            .zip(items)
            .map(|(index, value): (usize, _)| self.child(index.to_string(), value))
    }

    /// The values of an object, such as the texts in other languages.
    fn values(&self) -> impl Iterator<Item = Self> {
        let values = self.value.as_object().into_iter().flatten();
        values.map(|(name, value)| self.child(name.clone(), value))
    }

    fn child(&self, key: String, value: &'a Value) -> Self {
        let mut path = self.path.clone();
        path.push(key);
        Self {
            faults: self.faults,
            value,
            path,
        }
    }

    pub(super) fn fault(&self, code: &str, message: &str) {
        let mut errors = self.faults.0.borrow_mut();
        let mut at = &mut *errors;
        for key in &self.path {
            at = &mut at[key];
        }
        let fault = json!({"code": code, "message": message});
        match at["_errors"].as_array_mut() {
            Some(known) => known.push(fault),
            None => at["_errors"] = json!([fault]),
        }
    }

    fn is_missing(&self) -> bool {
        self.value.is_null()
    }

    fn missing(&self) {
        self.fault("BASE_TYPE_REQUIRED", "This field is required");
    }

    /// The number of characters of a text, which is what Discord counts; 0 for anything else.
    fn chars(&self) -> usize {
        self.value.as_str().map_or(0, |text| text.chars().count())
    }

    fn length(&self, actual: usize, allowed: &RangeInclusive<usize>) {
        if allowed.contains(&actual) {
            return;
        }
        let (min, max) = (allowed.start(), allowed.end());
        let (code, message) = if *min == 0 {
            (
                "BASE_TYPE_MAX_LENGTH",
                format!("Must be {max} or fewer in length."),
            )
        } else {
            (
                "BASE_TYPE_BAD_LENGTH",
                format!("Must be between {min} and {max} in length."),
            )
        };
        self.fault(code, &message);
    }

    /// A text whose number of characters is in a range, if it is there.
    fn text(&self, allowed: RangeInclusive<usize>) {
        match self.value {
            Value::Null => {}
            Value::String(_) => self.length(self.chars(), &allowed),
            _ => self.fault("STRING_TYPE_CONVERT", "Could not interpret the value as string."),
        }
    }

    /// A text that has to be there and must not be empty.
    fn required_text(&self, allowed: RangeInclusive<usize>) {
        if self.is_missing() || self.value == "" {
            self.missing();
        } else {
            self.text(allowed);
        }
    }

    /// A list whose number of items is in a range, if it is there.
    fn list(&self, allowed: RangeInclusive<usize>) {
        match self.value {
            Value::Null => {}
            Value::Array(items) => self.length(items.len(), &allowed),
            _ => self.fault("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"),
        }
    }

    /// A whole number in a range, if it is there.
    fn number(&self, allowed: RangeInclusive<i64>) {
        if !self.is_missing()
            && !self
                .value
                .as_i64()
                .is_some_and(|number| allowed.contains(&number))
        {
            let message = format!(
                "int value should be between {} and {}.",
                allowed.start(),
                allowed.end()
            );
            self.fault("NUMBER_TYPE_MAX", &message);
        }
    }

    /// An address with one of these schemes, if it is there.
    fn address(&self, schemes: &[&str]) {
        let Some(address) = self.value.as_str() else {
            return;
        };
        self.length(self.chars(), &(1..=2_048));
        let scheme = address.split_once("://").map(|(scheme, _)| scheme);
        if !scheme.is_some_and(|scheme| schemes.contains(&scheme)) {
            let message = format!("Scheme must be one of ({}).", schemes.join(", "));
            self.fault("URL_TYPE_INVALID_SCHEME", &message);
        }
    }
}

/// The limits for the change of a member:
/// <https://docs.discord.com/developers/resources/guild#modify-guild-member>.
pub(super) fn check_member(body: &Value) -> Result<(), Answer> {
    let faults = Faults::default();
    faults.root(body).at("nick").text(0..=32);
    faults.answer()
}

#[cfg(test)]
mod tests;
