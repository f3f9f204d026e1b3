//! The names in a file without members, for the error message.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::features::levels::import::{
    ids,
    source::{Meter, Source},
};

/// The maximum number of names listed.
const LISTED: usize = 20;
/// Longer names are taken for data.
const LONGEST_BYTES: usize = 40;

/// The first distinct names in a file that are not IDs, up to the first syntax error, which has been reported before.
pub(in crate::features::levels::import) fn keys(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(text) = source.text(&Meter::default()) {
        let mut pages = serde_json::Deserializer::from_reader(text);
        while found.len() < LISTED && pages.end().is_err() {
            if Keys(&mut found).deserialize(&mut pages).is_err() {
                break;
            }
        }
    }
    found
}

struct Keys<'f>(&'f mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _value: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Keys(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let is_name = key.len() <= LONGEST_BYTES && !ids::is_key(&key) && !key.contains(char::is_control);
            if is_name && self.0.len() < LISTED && !self.0.contains(&key) {
                self.0.push(key);
            }
            map.next_value_seed(Keys(self.0))?;
        }
        Ok(())
    }
}
