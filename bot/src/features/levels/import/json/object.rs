//! Reading one object: a member, or a container of members.

use std::rc::Rc;

use serde::de::{IgnoredAny, MapAccess};

use super::{Around, Kind, Step, Walk, Walker, entries::About};
use crate::features::levels::import::{
    fields::{Cell, Field, Fields, plain},
    ids,
    source::Row,
    validation::Reason,
};

/// Keys of lists of members.
const LISTS: [&str; 16] = [
    "players",
    "levels",
    "users",
    "members",
    "leaderboard",
    "data",
    "guilds",
    "servers",
    "results",
    "rows",
    "entries",
    "scores",
    "profiles",
    // Tatsu, Red's LevelUp and enmap.
    "rankings",
    "configs",
    "keys",
];

/// Keys, or parts of keys, whose values contain XP and levels that belong to no member.
const NOBODY_S: [&str; 6] = ["role", "reward", "setting", "config", "multiplier", "channel"];

/// Keys of error responses that were saved instead of a page.
const ERRORS: [&str; 4] = ["error", "errors", "retryafter", "statuscode"];

/// Keys of the value of an entry.
const VALUES: [&str; 3] = ["value", "data", "json"];

/// The member who views a leaderboard, in MEE6's pages: they appear in the list as well.
const VIEWER: &str = "player";

/// Stands for an object in which members were found, where a field was expected.
const MEMBERS: Cell = Cell::Other("members");

/// An object that is being read.
pub(super) struct Object {
    line: u64,
    around: Around,
    fields: Fields,
    /// The quality of the names by which the fields were found.
    ranks: [usize; Field::ALL.len()],
    /// Whether it has a field by name, even if null.
    known: bool,
    /// Whether it contains anything that may hold members.
    inner: bool,
    /// The scalar value that the object stands for.
    value: Option<Cell>,
    /// The key of the entry, if the object is one.
    entry_key: Option<String>,
    /// The number of the leaderboard page, if the object is one.
    page: Option<u64>,
    looks: Looks,
    rows_before: u64,
}

/// The classification of an object by its keys: a server may have answered with an error instead of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Looks {
    #[default]
    Usual,
    /// It has a message, as errors do, but other objects too.
    Message,
    Error,
}

impl Looks {
    fn with(self, name: &str) -> Self {
        match (self, name) {
            (_, name) if ERRORS.contains(&name) => Self::Error,
            (Self::Message, "code") => Self::Error,
            (Self::Usual, "message") => Self::Message,
            _ => self,
        }
    }
}

impl Object {
    pub(super) fn new(walker: &Walker<'_>, around: Around) -> Self {
        Self {
            line: walker.line.get(),
            around,
            fields: Fields::default(),
            ranks: [usize::MAX; Field::ALL.len()],
            known: false,
            inner: false,
            value: None,
            entry_key: None,
            page: None,
            looks: Looks::default(),
            rows_before: walker.rows,
        }
    }

    pub(super) fn entry<'de, A: MapAccess<'de>>(
        &mut self,
        walker: &mut Walker<'_>,
        key: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        if self.around.kind == Kind::Value {
            // {"$numberLong": "5"} in exports of MongoDB, or {"id": "5", "name": …} for a user.
            if key == "id" || key.starts_with("$number") {
                let value = self.walk(walker, map, Kind::Value, false, None)?;
                self.value = value;
                return Ok(());
            }
            if !ids::is_long_key(&key) {
                return map.next_value::<IgnoredAny>().map(drop);
            }
            // {"GUILD": {"197…": …}} in Red's storage: not a field, but members below.
            self.around.kind = Kind::Group;
            self.value = Some(MEMBERS);
        }
        let name = plain(&key);
        let about = self.entry_key.as_deref().or(match self.fields.get(Field::User) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        });
        if VALUES.contains(&name.as_str())
            && let Some(about) = about.and_then(About::of)
        {
            walker.path.push(Step::Key(key));
            let value = self.walk(walker, map, Kind::Member, true, Some(Rc::clone(&about.id)))?;
            self.inner = true;
            walker.value(&about, self.guild().as_ref(), value)?;
            walker.path.pop();
            return Ok(());
        }
        if matches!(name.as_str(), "key" | "page") && walker.names.field(&key).is_none() {
            match self.walk(walker, map, Kind::Value, false, None)? {
                Some(Cell::Text(text)) if name == "key" => self.entry_key = Some(text),
                Some(Cell::Whole(page)) if name == "page" => self.page = u64::try_from(page).ok(),
                _ => {}
            }
            return Ok(());
        }
        self.looks = self.looks.with(&name);
        if let Some((field, rank)) = walker.names.field(&key) {
            let value = self.walk(walker, map, Kind::Value, false, None)?;
            if value == Some(MEMBERS) {
                self.inner = true;
                return Ok(());
            }
            self.known = true;
            if value.is_some() && self.is_better(field, rank, value.as_ref()) {
                self.ranks[field as usize] = rank;
                self.fields.set(field, value);
            }
            return Ok(());
        }
        let listed = LISTS.contains(&name.as_str());
        if !listed && ids::is_key(&key) {
            let id = Rc::new(Cell::Text(key.clone()));
            walker.path.push(Step::Key(key));
            let value = self.walk(walker, map, Kind::Member, true, Some(Rc::clone(&id)))?;
            let line = walker.line.get();
            self.inner = true;
            if let Some(xp @ (Cell::Whole(_) | Cell::Real(_) | Cell::Text(_))) = value {
                let mut fields = Fields::default()
                    .with(Field::User, Cell::clone(&id))
                    .with(Field::Xp, xp);
                fields.set(Field::Guild, self.guild().as_deref().cloned());
                walker.put(line, Row::Fields(fields))?;
            }
            walker.path.pop();
            return Ok(());
        }
        let ignored = name == VIEWER || NOBODY_S.iter().any(|part| name.contains(part));
        if listed || (self.around.kind == Kind::Group && !ignored) {
            walker.path.push(Step::Key(key));
            self.walk(walker, map, Kind::Group, listed, self.around.key.clone())?;
            self.inner |= listed;
            walker.path.pop();
            return Ok(());
        }
        map.next_value::<IgnoredAny>().map(drop)
    }

    /// Whether a value is a better match for the field than the previous one. A name does not replace an ID: `user` can be either.
    fn is_better(&self, field: Field, rank: usize, value: Option<&Cell>) -> bool {
        let rank_before = self.ranks[field as usize];
        if !matches!(field, Field::User | Field::Guild) {
            return rank < rank_before;
        }
        let is_no_id = |cell: Option<&Cell>| !cell.is_some_and(ids::may_be_one);
        (is_no_id(value), rank) < (is_no_id(self.fields.get(field)), rank_before)
    }

    /// Read the value of a key.
    fn walk<'de, A: MapAccess<'de>>(
        &self,
        walker: &mut Walker<'_>,
        map: &mut A,
        kind: Kind,
        listed: bool,
        key: Option<Rc<Cell>>,
    ) -> Result<Option<Cell>, A::Error> {
        // A key that is passed on may still turn out to be the member's; then the guild is the one around it.
        let guild = if kind == Kind::Member {
            self.guild()
        } else {
            self.fields
                .get(Field::Guild)
                .map(|guild| Rc::new(guild.clone()))
                .or_else(|| self.around.guild.clone())
        };
        let around = Around {
            kind,
            key,
            guild,
            listed,
        };
        map.next_value_seed(Walk { walker, around })
    }

    /// The guild of the members in this object.
    fn guild(&self) -> Option<Rc<Cell>> {
        let own = self.fields.get(Field::Guild).map(|guild| Rc::new(guild.clone()));
        let long_key = || {
            self.around
                .key
                .clone()
                .filter(|key| matches!(&**key, Cell::Text(text) if ids::is_long_key(text)))
        };
        own.or_else(long_key).or_else(|| self.around.guild.clone())
    }

    pub(super) fn end<E: serde::de::Error>(mut self, walker: &mut Walker<'_>) -> Result<Option<Cell>, E> {
        let object = Some(Cell::Other("an object"));
        if self.around.kind == Kind::Value || self.value == Some(MEMBERS) {
            return Ok(self.value.or(object));
        }
        if let Some(page) = self.page.filter(|_| self.inner) {
            walker.pages.see(page);
        }
        // A value that is not scalar describes the members below, such as the range of XP per message.
        let has = |field| match self.fields.get(field) {
            Some(Cell::Other(_)) => !self.inner,
            value => value.is_some(),
        };
        let worth = has(Field::Xp) || has(Field::Level);
        let own = self.fields.get(Field::User).cloned();
        let key = self.around.key.as_deref().cloned();
        let somebody_s = own.is_some() || key.is_some();
        // Not every object without XP is a mistake: pages, guilds and settings have none either.
        let is_row = if worth {
            somebody_s || self.around.listed
        } else {
            self.known && self.around.listed && !self.inner && (own.is_some() || key.is_none())
        };
        if !is_row {
            let is_error = self.looks == Looks::Error && self.around.listed && !self.inner;
            if is_error && walker.rows == self.rows_before {
                let reason = Reason::ErrorPage;
                let raw = String::new();
                walker.put(self.line, Row::Broken { reason, raw })?;
            }
            return Ok(object);
        }
        if self.fields.get(Field::Guild).is_none() {
            // If the object has its own ID, the key around it is the guild's, unless both are equal.
            let guild = match (&own, &key) {
                (Some(own), Some(key)) if !same(own, key) => self.guild(),
                _ => self.around.guild.clone(),
            };
            self.fields.set(Field::Guild, guild.as_deref().cloned());
        }
        if own.is_none() {
            self.fields.set(Field::User, key);
        }
        walker.put(self.line, Row::Fields(self.fields))?;
        Ok(object)
    }
}

/// Whether two cells contain the same ID.
fn same(one: &Cell, other: &Cell) -> bool {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    text(one) == text(other)
}
