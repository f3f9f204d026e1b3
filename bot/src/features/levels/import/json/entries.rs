//! Entries of key-value stores: enmap's `{"key": "GUILD-USER", "value": {"points": 5}}` and quick.db's
//! `{"id": "xp_GUILD_USER", "value": 5}`, where the value may be JSON in a string.

use std::{fmt, rc::Rc};

use serde::de::DeserializeSeed as _;

use super::{Around, Kind, Names, Pages, Sink, Walk, Walker};
use crate::features::levels::import::{
    fields::{Cell, Field, Fields},
    ids,
    source::{Row, SourceError},
    validation::Reason,
};

/// The information in a key.
#[derive(Clone, Debug)]
pub(super) struct About {
    /// A user ID, or a guild ID and a user ID.
    pub(super) id: Rc<Cell>,
    /// Whether a bare number under the key is XP.
    is_xp: bool,
}

impl About {
    /// Parse a key; `None` for a key without an ID.
    pub(super) fn of(key: &str) -> Option<Self> {
        let id = Cell::Text(key.to_owned());
        if !ids::may_be_one(&id) && ids::only(key).is_none() {
            return None;
        }
        let id = ids::only(key).map_or(id, |only| Cell::Text(only.to_owned()));
        let word: String = key.chars().filter(char::is_ascii_alphabetic).collect();
        let word = word.to_ascii_lowercase();
        Some(Self {
            id: Rc::new(id),
            is_xp: word.is_empty() || ["xp", "exp", "point", "score"].iter().any(|xp| word.contains(xp)),
        })
    }
}

/// One entry of a table.
pub(in crate::features::levels::import) fn entry(
    names: &Names,
    (key, value): (&str, String),
    place: &dyn fmt::Display,
    sink: Sink<'_>,
) -> Result<(), SourceError> {
    let Some(about) = About::of(key) else {
        return Ok(());
    };
    let mut at_place = |_within: &dyn fmt::Display, row| sink(place, row);
    let mut walker = Walker {
        names,
        sink: &mut at_place,
        line: Rc::default(),
        path: Vec::new(),
        pages: Pages::default(),
        rows: 0,
        stopped: false,
    };
    let put = walker.value::<serde_json::Error>(&about, None, Some(Cell::Text(value)));
    put.map_err(|_stopped| SourceError::Stopped)
}

impl Walker<'_> {
    /// Read the value of a key, unless it was an object or a list, whose members have been found already.
    pub(super) fn value<E: serde::de::Error>(
        &mut self,
        about: &About,
        guild: Option<&Rc<Cell>>,
        value: Option<Cell>,
    ) -> Result<(), E> {
        let line = self.line.get();
        let value = match value {
            Some(Cell::Text(text)) if text.trim_start().starts_with(['{', '[', '"']) => {
                let around = Around {
                    kind: Kind::Member,
                    key: Some(Rc::clone(&about.id)),
                    guild: guild.cloned(),
                    listed: true,
                };
                let mut text = serde_json::Deserializer::from_str(&text);
                let walk = Walk {
                    walker: &mut *self,
                    around,
                };
                match walk.deserialize(&mut text) {
                    Ok(value) => value,
                    Err(_) if self.stopped => return Err(E::custom("stopped")),
                    Err(_) => {
                        let reason = Reason::NoObject("text that is not JSON");
                        let raw = String::new();
                        return self.put(line, Row::Broken { reason, raw });
                    }
                }
            }
            value => value,
        };
        let Some(xp @ (Cell::Whole(_) | Cell::Real(_) | Cell::Text(_))) = value.filter(|_| about.is_xp)
        else {
            return Ok(());
        };
        let mut fields = Fields::default()
            .with(Field::User, Cell::clone(&about.id))
            .with(Field::Xp, xp);
        fields.set(Field::Guild, guild.map(|guild| Cell::clone(guild)));
        self.put(line, Row::Fields(fields))
    }
}
