//! Rejected rows, in a file that can be corrected and imported again.
//!
//! One JSON object per line, with the fields as found in the source, the position and the reason; an import reads the fields and ignores
//! the rest.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    fields::{Cell, Field, Fields},
    validation::Reason,
};
use crate::support::files;

/// A rejected row.
#[derive(Clone, Debug, PartialEq)]
pub struct Reject {
    /// Its position in the source.
    pub at: String,
    /// The reason for the rejection.
    pub reason: Reason,
    /// Its fields.
    pub fields: Fields,
    /// The raw text, if it could not be parsed.
    pub raw: String,
}

/// The reject file, created with the first row.
#[derive(Debug)]
pub struct RejectFile {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl RejectFile {
    /// Use this path; nothing is created yet.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// The path, if anything was written.
    pub fn written(&self) -> Option<&Path> {
        self.file.as_ref().map(|_| self.path.as_path())
    }

    /// The path, whether or not it exists.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Add a row.
    pub fn put(&mut self, reject: &Reject) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(files::replace(&self.path)?)),
        };
        serde_json::to_writer(&mut *file, &line(reject))?;
        file.write_all(b"\n")
    }

    /// Flush buffered rows to the operating system.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), std::io::Write::flush)
    }
}

fn line(reject: &Reject) -> Value {
    let mut line = Map::new();
    for field in Field::ALL {
        let value = reject.fields.get(field).map(|cell| value(field, cell));
        // Shows which fields a corrected line needs.
        let needed = matches!(field, Field::User | Field::Xp).then_some(Value::Null);
        if let Some(value) = value.or(needed) {
            line.insert(field.name().to_owned(), value);
        }
    }
    if !reject.raw.is_empty() {
        line.insert("row".to_owned(), reject.raw.clone().into());
    }
    line.insert("at".to_owned(), reject.at.clone().into());
    line.insert("reason".to_owned(), reject.reason.to_string().into());
    Value::Object(line)
}

/// IDs are written as strings, so that no tool rounds them.
fn value(field: Field, cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => text.clone().into(),
        Cell::Real(number) => (*number).into(),
        Cell::Other(what) => (*what).into(),
        Cell::Whole(number) => match i64::try_from(*number) {
            Ok(number) if !matches!(field, Field::User | Field::Guild) => number.into(),
            _ => number.to_string().into(),
        },
    }
}
