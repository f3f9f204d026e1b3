//! JSON files in the usual shapes, read as a stream: only the current row is held in memory.
//!
//! Tutorials write `{"GUILD": {"USER": {"xp": …}}}`, `{"USER": {"xp": …, "level": …}}` or `{"GUILD-USER": …}`; bots export lists of
//! objects, bare or below `players` (MEE6), `levels` (Lurkr) or `users` (Polaris), on one page or many. They differ in names more than in
//! structure, so one walk finds the rows of all of them: an object with XP or a level is a member. Its ID is in the object or is its key;
//! the guild's ID is in the object, is the key around it, or is in the page around it.

mod entries;
mod keys;
mod object;
mod pages;

use std::{
    cell::Cell as Shared,
    fmt,
    io::{BufRead, BufReader, Read},
    rc::Rc,
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub(super) use self::{entries::entry, keys::keys};
use self::{object::Object, pages::Pages};
use super::{
    fields::{Cell, Names},
    source::{Meter, Row, Sink, Source, SourceError},
    validation::Reason,
};

/// See [`Source::read`].
pub(super) fn read(source: &Source, meter: &Meter, sink: Sink<'_>) -> Result<(), SourceError> {
    let line = Rc::new(Shared::new(1));
    let reader = Counted {
        inner: source.text(meter)?,
        line: Rc::clone(&line),
        meter,
        broke: false,
        unreported: 0,
    };
    let mut walker = Walker {
        names: &source.names,
        sink,
        line,
        path: Vec::new(),
        pages: Pages::default(),
        rows: 0,
        stopped: false,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    // A single value, several pages one after the other, or one line per member. `end` is an error while there is more.
    while let Err(more) = deserializer.end() {
        let read = if more.is_io() {
            Err(more)
        } else {
            let page = Walk {
                walker: &mut walker,
                around: Around {
                    kind: Kind::Group,
                    listed: true,
                    ..Around::default()
                },
            };
            page.deserialize(&mut deserializer).map(drop)
        };
        let Err(error) = read else { continue };
        if walker.stopped {
            return Err(SourceError::Stopped);
        }
        let (line, column) = (error.line(), error.column());
        if error.is_io() {
            return Err(source.io(error.into()));
        }
        let what = error.to_string();
        return Err(SourceError::Json {
            path: source.path.clone(),
            line,
            column,
            what: what
                .rsplit_once(" at line ")
                .map_or(what.as_str(), |(what, _)| what)
                .to_owned(),
        });
    }
    let Some(missing) = walker.pages.missing() else {
        return Ok(());
    };
    let reason = Reason::MissingPages(missing);
    let raw = String::new();
    let put = walker.put::<serde_json::Error>(walker.line.get(), Row::Broken { reason, raw });
    put.map_err(|_stopped| SourceError::Stopped)
}

/// Counts lines while `serde_json` reads, which it does byte by byte.
struct Counted<'a, R> {
    inner: BufReader<R>,
    line: Rc<Shared<u64>>,
    meter: &'a Meter,
    /// Whether the last byte ended its line.
    broke: bool,
    unreported: u64,
}

/// The meter is shared between threads, so it is updated only once per this many bytes.
const REPORTED_BYTES: u64 = 1 << 14;

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (Some(byte), Some(next)) = (buffer.first_mut(), self.inner.fill_buf()?.first()) else {
            return Ok(0);
        };
        *byte = *next;
        // A line break that was only peeked at, because it may end a number, does not count yet.
        if std::mem::replace(&mut self.broke, *byte == b'\n') {
            self.line.set(self.line.get() + 1);
        }
        self.inner.consume(1);
        self.unreported += 1;
        if self.unreported == REPORTED_BYTES {
            self.meter.add(std::mem::take(&mut self.unreported));
        }
        Ok(1)
    }
}

/// One step of the path from the root to a row.
enum Step {
    Key(String),
    Index(u64),
}

/// The position of a row.
struct Place<'a> {
    line: u64,
    path: &'a [Step],
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.line)?;
        if self.path.is_empty() {
            return Ok(());
        }
        formatter.write_str(" ($")?;
        for step in self.path {
            match step {
                Step::Key(key) => write!(formatter, ".{key}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        formatter.write_str(")")
    }
}

/// State shared by the whole walk.
struct Walker<'s> {
    names: &'s Names,
    sink: Sink<'s>,
    line: Rc<Shared<u64>>,
    path: Vec<Step>,
    pages: Pages,
    /// Rows found so far.
    rows: u64,
    stopped: bool,
}

impl Walker<'_> {
    fn put<E: serde::de::Error>(&mut self, line: u64, row: Row) -> Result<(), E> {
        self.rows += 1;
        let place = Place {
            line,
            path: &self.path,
        };
        (self.sink)(&place, row).map_err(|_stop| {
            self.stopped = true;
            E::custom("stopped")
        })
    }
}

/// The kind of value, by its context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// A container that may hold members.
    #[default]
    Group,
    /// A member or a guild.
    Member,
    /// The value of a field.
    Value,
}

/// What is known about a value before it is read.
#[derive(Clone, Default)]
struct Around {
    kind: Kind,
    /// The key, if it is an ID: a member's, or the guild's if there are members below.
    key: Option<Rc<Cell>>,
    guild: Option<Rc<Cell>>,
    /// Whether members are expected here, so that anything else is an error.
    listed: bool,
}

/// The visitor of one value.
struct Walk<'w, 's> {
    walker: &'w mut Walker<'s>,
    around: Around,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    /// The value, if it is scalar.
    type Value = Option<Cell>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = Option<Cell>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(Some(Cell::Other("true or false")))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Cell::Whole(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Cell::Whole(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Cell::Real(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(Cell::Text(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Some(Cell::Text(value)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Self { walker, around } = self;
        if around.kind == Kind::Value {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Some(Cell::Other("a list")));
        }
        let mut index = 0;
        loop {
            walker.path.push(Step::Index(index));
            let element = Walk {
                walker: &mut *walker,
                around: Around {
                    kind: Kind::Member,
                    ..around.clone()
                },
            };
            let Some(value) = list.next_element_seed(element)? else {
                walker.path.pop();
                return Ok(Some(Cell::Other("a list")));
            };
            let nobody = match value {
                Some(Cell::Other("an object" | "a list" | "members")) => None,
                Some(Cell::Text(_)) => Some("text"),
                Some(Cell::Whole(_) | Cell::Real(_)) => Some("a number"),
                Some(Cell::Other(what)) => Some(what),
                None => Some("null"),
            };
            if let Some(what) = nobody.filter(|_| around.listed) {
                let raw = String::new();
                let reason = Reason::NoObject(what);
                let line = walker.line.get();
                walker.put(line, Row::Broken { reason, raw })?;
            }
            walker.path.pop();
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { walker, around } = self;
        let mut object = Object::new(walker, around);
        while let Some(key) = map.next_key::<String>()? {
            object.entry(walker, key, &mut map)?;
        }
        object.end(walker)
    }
}

#[cfg(test)]
mod tests;
