//! SQLite files, opened read-only.
//!
//! The file is untrusted: its views and triggers are not run, and names in it are quoted.

use std::{fmt, path::Path};

use rusqlite::{Connection, OpenFlags, types::ValueRef};

use super::{
    fields::{Cell, Columns, Field, Fields, plain},
    ids, json,
    source::{Meter, Row, Sink, Source, SourceError, Stop, beside},
    validation::Reason,
};

/// Tables tried first, as used by tutorials.
const USUAL: [&str; 4] = ["user_data", "levels", "users", "scores"];

/// The maximum size of a row. SQLite's own limit is a thousand million bytes, which a damaged file may request.
const LARGEST_ROW_BYTES: i32 = 1 << 26;

/// The position of a row in a table.
struct Place<'a> {
    row: i64,
    table: &'a str,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {} of {}", self.row, self.table)
    }
}

/// A table that contains members.
struct Table {
    name: String,
    columns: Vec<String>,
}

/// See [`Source::read`].
pub(super) fn read(source: &Source, meter: &Meter, sink: Sink<'_>) -> Result<(), SourceError> {
    let connection = open(source)?;
    let table = chosen(source, &connection)?;
    if let Some(of) = entries(source, &table) {
        return entry_rows(&connection, source, &table, of, meter, sink);
    }
    let at = source.columns(&format!("table {}", table.name), &table.columns)?;
    rows(&connection, source, &table, &at, meter, sink)
}

/// See [`Source::left_out`].
pub(super) fn left_out(source: &Source) -> Result<Vec<String>, SourceError> {
    let connection = open(source)?;
    let chosen = chosen(source, &connection)?;
    let mut left_out = Vec::new();
    for table in tables(source, &connection)? {
        if table.name == chosen.name {
            continue;
        }
        let rows: i64 = connection
            .query_row(
                &format!("SELECT count(*) FROM {}", quoted(&table.name)),
                [],
                |row| row.get(0),
            )
            .map_err(|error| failed(source, &error))?;
        let what = if holds_members(source, &table) {
            "has members too: import it with --table"
        } else if table.name.to_ascii_lowercase().contains("setting") {
            "settings, for which there is no place yet: they are not imported"
        } else {
            "not imported"
        };
        left_out.push(format!(
            "table {} ({rows} rows; {}): {what}",
            table.name,
            table.columns.join(", ")
        ));
    }
    Ok(left_out)
}

fn open(source: &Source) -> Result<Connection, SourceError> {
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let has = |ending| std::fs::metadata(beside(&source.path, ending)).is_ok_and(|about| about.len() > 0);
    // Without a log nothing has to be locked or written, which a read-only directory would not permit:
    // https://www.sqlite.org/uri.html#uriimmutable
    let uri = immutable_uri(&source.path).filter(|_| !has("-wal") && !has("-journal"));
    let connection = match uri {
        Some(uri) => Connection::open_with_flags(uri, read_only | OpenFlags::SQLITE_OPEN_URI),
        None => Connection::open_with_flags(&source.path, read_only),
    };
    let careful = connection.and_then(|connection| {
        connection.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, LARGEST_ROW_BYTES)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        Ok(connection)
    });
    careful.map_err(|error| failed(source, &error))
}

/// A URI for the file that declares it immutable.
fn immutable_uri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let escaped = path
        .to_str()?
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    Some(format!("file:{escaped}?immutable=1"))
}

/// The table to read.
fn chosen(source: &Source, connection: &Connection) -> Result<Table, SourceError> {
    let mut tables = tables(source, connection)?;
    let listed = |tables: &[Table]| {
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        names.join(", ")
    };
    if let Some(asked) = &source.table {
        let all = listed(&tables);
        return tables
            .into_iter()
            .find(|table| table.name == *asked)
            .ok_or_else(|| source.layout(format!("there is no table {asked:?}; the tables are: {all}")));
    }
    let all = listed(&tables);
    tables.retain(|table| holds_members(source, table));
    let usual = USUAL.iter().find_map(|usual| {
        tables
            .iter()
            .position(|table| table.name.eq_ignore_ascii_case(usual))
    });
    match (usual, tables.len()) {
        (Some(index), _) => Ok(tables.swap_remove(index)),
        (None, 1) => Ok(tables.swap_remove(0)),
        (None, 0) => Err(source.layout(format!(
            "no table is known to have members with XP or levels; the tables are: {all}; say which it is with --table \
             TABLE --map user_id=COLUMN,xp=COLUMN"
        ))),
        (None, _) => Err(source.layout(format!(
            "several tables have members with XP or levels: {}; say which it is with --table",
            listed(&tables)
        ))),
    }
}

fn holds_members(source: &Source, table: &Table) -> bool {
    entries(source, table).is_some() || has_fields(source, table)
}

/// Whether its columns are the fields of a member.
fn has_fields(source: &Source, table: &Table) -> bool {
    source.names.columns(&table.columns).is_ok_and(|at| {
        let has = |field| at.best(field).is_some();
        has(Field::User) && (has(Field::Xp) || has(Field::Level))
    })
}

/// The columns of a table of keys and JSON, as in enmap (`key`, `value`) and quick.db (`ID`, `json`).
fn entries(source: &Source, table: &Table) -> Option<[usize; 2]> {
    if has_fields(source, table) {
        return None;
    }
    let column = |names: &[&str]| {
        let mut columns = table.columns.iter();
        columns.position(|column| names.contains(&plain(column).as_str()))
    };
    Some([column(&["key", "id"])?, column(&["value", "json", "data"])?])
}

fn entry_rows(
    connection: &Connection,
    source: &Source,
    table: &Table,
    columns: [usize; 2],
    meter: &Meter,
    sink: Sink<'_>,
) -> Result<(), SourceError> {
    let failed = |error: rusqlite::Error| failed(source, &error);
    let name = quoted(&table.name);
    let total: i64 = connection
        .query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0))
        .map_err(failed)?;
    meter.begin(total.unsigned_abs());
    let [key, value] = columns.map(|column| quoted(&table.columns[column]));
    // Ordered by the key, so that the order is always the same.
    let select = format!("SELECT CAST({key} AS TEXT), CAST({value} AS TEXT) FROM {name} ORDER BY 1");
    let mut statement = connection.prepare(&select).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        count += 1;
        meter.add(1);
        let place = Place {
            row: count,
            table: &table.name,
        };
        let text = |column| -> Result<Option<String>, SourceError> {
            let bytes = row.get_ref(column).map_err(failed)?.as_bytes_or_null();
            let bytes = bytes.map_err(|error| failed(error.into()))?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
        };
        if let (Some(key), Some(value)) = (text(0)?, text(1)?) {
            json::entry(&source.names, (&key, value), &place, sink)?;
        }
    }
    Ok(())
}

fn tables(source: &Source, connection: &Connection) -> Result<Vec<Table>, SourceError> {
    let read = || -> rusqlite::Result<Vec<Table>> {
        let mut names = connection.prepare(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?;
        let names = names.query_map([], |row| row.get::<_, String>(0))?;
        let mut tables = Vec::new();
        for name in names {
            let name = name?;
            let mut columns = connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
            let columns = columns
                .query_map([&name], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            tables.push(Table { name, columns });
        }
        Ok(tables)
    };
    read().map_err(|error| failed(source, &error))
}

fn rows(
    connection: &Connection,
    source: &Source,
    table: &Table,
    at: &Columns,
    meter: &Meter,
    sink: Sink<'_>,
) -> Result<(), SourceError> {
    let failed = |error: rusqlite::Error| failed(source, &error);
    let name = quoted(&table.name);
    let total: i64 = connection
        .query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0))
        .map_err(failed)?;
    meter.begin(total.unsigned_abs());
    let selected: Vec<(Field, &String)> = Field::ALL
        .into_iter()
        .flat_map(|field| at.of(field).iter().map(move |column| (field, *column)))
        .filter_map(|(field, column)| Some((field, table.columns.get(column)?)))
        .collect();
    let columns: Vec<String> = selected.iter().map(|(_, column)| quoted(column)).collect();
    let columns = columns.join(", ");
    // A table without row IDs is stored in the order of its primary key, so its order is always the same too.
    let with_ids = connection.prepare(&format!("SELECT {columns}, rowid FROM {name} ORDER BY rowid"));
    let (mut statement, has_ids) = match with_ids {
        Ok(statement) => (statement, true),
        Err(_) => (
            connection
                .prepare(&format!("SELECT {columns} FROM {name}"))
                .map_err(failed)?,
            false,
        ),
    };
    let mut rows = statement.query([]).map_err(failed)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        count += 1;
        meter.add(1);
        let place = Place {
            row: if has_ids {
                row.get(selected.len()).unwrap_or(count)
            } else {
                count
            },
            table: &table.name,
        };
        let mut fields = Fields::default();
        let mut encoding = false;
        for (index, (field, _)) in selected.iter().enumerate() {
            let cell = match row.get_ref(index).map_err(failed)? {
                ValueRef::Null => continue,
                ValueRef::Integer(number) => Cell::Whole(number.into()),
                ValueRef::Real(number) => Cell::Real(number),
                ValueRef::Text(text) | ValueRef::Blob(text) => {
                    encoding |= std::str::from_utf8(text).is_err() && fields.get(*field).is_none();
                    Cell::Text(String::from_utf8_lossy(text).into_owned())
                }
            };
            // A column with a better name may contain something other than an ID.
            let earlier = fields.get(*field);
            if earlier.is_none_or(|earlier| !ids::may_be_one(earlier) && ids::may_be_one(&cell)) {
                fields.set(*field, Some(cell));
            }
        }
        let row = if encoding {
            Row::Broken {
                reason: Reason::Encoding,
                raw: String::new(),
            }
        } else {
            Row::Fields(fields)
        };
        sink(&place, row).map_err(|Stop| SourceError::Stopped)?;
    }
    Ok(())
}

/// A quoted identifier: <https://www.sqlite.org/lang_keywords.html>.
fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

fn failed(source: &Source, error: &rusqlite::Error) -> SourceError {
    let what = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::CannotOpen) => {
            "SQLite cannot open it; if a -wal or -journal file stands beside it, copy both to a directory that can be written to"
                .to_owned()
        }
        Some(rusqlite::ErrorCode::ReadOnly) => {
            "the program that wrote it did not finish: open it once with the sqlite3 program, which repairs it".to_owned()
        }
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            format!("the SQLite file is damaged ({error}); sqlite3 FILE .recover can save what is left")
        }
        _ => crate::support::error_chain::in_one_line(error),
    };
    SourceError::Sqlite {
        path: source.path.clone(),
        what,
    }
}

#[cfg(test)]
mod tests;
