//! CSV, line by line: <https://www.rfc-editor.org/rfc/rfc4180>.
//!
//! A single quotation mark in a name can make a CSV reader take the rest of a file for one field. So the lines per record are limited; a
//! record that exceeds the limit is rejected by its first line, and reading continues with the next.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    io::{BufRead, Read as _},
};

use super::{
    fields::{Cell, Columns, Field, Fields},
    ids,
    source::{Meter, Row, Sink, Source, SourceError, Stop},
    validation::Reason,
};

/// The maximum length of a line.
const LINE_BYTES: usize = 1 << 16;

/// The maximum number of lines per record, with line breaks inside of quotation marks.
const RECORD_LINES: usize = 16;

/// The supported delimiters.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// A line number, as a position for messages.
struct Line(u64);

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.0)
    }
}

/// See [`Source::read`].
pub(super) fn read(source: &Source, meter: &Meter, sink: Sink<'_>) -> Result<(), SourceError> {
    let mut lines = Lines::new(source.text(meter)?, meter);
    let io = |error| source.io(error);
    let (delimiter, header) = loop {
        let Some((_, line)) = lines.next().map_err(io)? else {
            return Err(SourceError::Empty(source.path.clone()));
        };
        let Some(line) = line else {
            return Err(source.layout("the first line is longer than 64 KiB: this is no CSV".to_owned()));
        };
        // Spreadsheets declare the delimiter this way, in a line before the header.
        if let Some([delimiter]) = line.strip_prefix(b"sep=") {
            let delimiter = *delimiter;
            let Some((_, Some(line))) = lines.next().map_err(io)? else {
                return Err(SourceError::Empty(source.path.clone()));
            };
            break (delimiter, line);
        }
        if !line.trim_ascii().is_empty() {
            break (delimiter(&line), line);
        }
    };
    let names: Vec<String> = split(&header, delimiter)
        .unwrap_or_default()
        .iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let columns = source.columns("the first line", &names)?;
    loop {
        let Some((number, line)) = lines.next().map_err(io)? else {
            return Ok(());
        };
        let Some(line) = line else {
            let raw = String::new();
            put(
                sink,
                number,
                Row::Broken {
                    reason: Reason::Long,
                    raw,
                },
            )?;
            continue;
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row = match lines.whole(line, delimiter, names.len()).map_err(io)? {
            Ok(record) => row(&record, delimiter, &columns, names.len()),
            Err(line) => broken(Reason::Quote, &line),
        };
        put(sink, number, row)?;
    }
}

fn put(
    sink: &mut dyn FnMut(&dyn fmt::Display, Row) -> Result<(), Stop>,
    line: u64,
    row: Row,
) -> Result<(), SourceError> {
    sink(&Line(line), row).map_err(|Stop| SourceError::Stopped)
}

fn broken(reason: Reason, record: &[u8]) -> Row {
    Row::Broken {
        reason,
        raw: String::from_utf8_lossy(record).into_owned(),
    }
}

/// The row of a complete record.
fn row(record: &[u8], delimiter: u8, columns: &Columns, expected: usize) -> Row {
    let Some(values) = split(record, delimiter) else {
        return broken(Reason::Quote, record);
    };
    if values.len() != expected {
        let found = values.len();
        return broken(Reason::Columns { found, expected }, record);
    }
    let mut fields = Fields::default();
    for field in Field::ALL {
        for value in columns.of(field).iter().filter_map(|column| values.get(*column)) {
            let is_first = fields.get(field).is_none();
            // Names in another encoding do not matter; numbers do.
            let Ok(text) = std::str::from_utf8(value) else {
                if is_first {
                    return broken(Reason::Encoding, record);
                }
                continue;
            };
            let text = text.trim();
            if text.is_empty() || text.eq_ignore_ascii_case("null") || text == "\\N" {
                continue;
            }
            let cell = Cell::Text(text.to_owned());
            let is_id = ids::may_be_one(&cell);
            if is_first || is_id {
                fields.set(field, Some(cell));
            }
            if is_id {
                break;
            }
        }
    }
    Row::Fields(fields)
}

/// The most frequent delimiter of a header, outside of quotation marks.
fn delimiter(header: &[u8]) -> u8 {
    let count = |delimiter: &u8| split(header, *delimiter).map_or(0, |fields| fields.len());
    // The last of equals wins, and the comma is the most common.
    *DELIMITERS
        .iter()
        .rev()
        .max_by_key(|delimiter| count(delimiter))
        .unwrap_or(&b',')
}

/// The fields of a record; `None` if a quotation mark is unclosed at its end, or followed by text.
fn split(record: &[u8], delimiter: u8) -> Option<Vec<Cow<'_, [u8]>>> {
    let mut fields = Vec::new();
    let mut rest = record;
    loop {
        let Some(quoted) = rest.strip_prefix(b"\"") else {
            let end = rest.iter().position(|byte| *byte == delimiter);
            fields.push(Cow::Borrowed(&rest[..end.unwrap_or(rest.len())]));
            match end {
                Some(end) => rest = &rest[end + 1..],
                None => return Some(fields),
            }
            continue;
        };
        let (value, after) = unquote(quoted)?;
        fields.push(value);
        match after.split_first() {
            None => return Some(fields),
            Some((byte, after)) if *byte == delimiter => rest = after,
            Some(_) => return None,
        }
    }
}

/// The text up to the closing quotation mark, and the rest. A doubled mark stands for one.
fn unquote(quoted: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let mut unescaped = Vec::new();
    let mut rest = quoted;
    loop {
        let mark = rest.iter().position(|byte| *byte == b'"')?;
        let (before, after) = (&rest[..mark], &rest[mark + 1..]);
        if let Some(further) = after.strip_prefix(b"\"") {
            unescaped.extend_from_slice(before);
            unescaped.push(b'"');
            rest = further;
        } else if unescaped.is_empty() {
            return Some((Cow::Borrowed(before), after));
        } else {
            unescaped.extend_from_slice(before);
            return Some((Cow::Owned(unescaped), after));
        }
    }
}

/// Lines with their numbers.
struct Lines<'a, R> {
    reader: R,
    meter: &'a Meter,
    read: u64,
    /// Lines read ahead that turned out not to belong to the previous record.
    again: VecDeque<(u64, Option<Vec<u8>>)>,
}

/// A line with its number; without text if it is too long.
type Numbered = (u64, Option<Vec<u8>>);

impl<'a, R: BufRead> Lines<'a, R> {
    const fn new(reader: R, meter: &'a Meter) -> Self {
        Self {
            reader,
            meter,
            read: 0,
            again: VecDeque::new(),
        }
    }

    fn next(&mut self) -> std::io::Result<Option<Numbered>> {
        match self.again.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.fresh(),
        }
    }

    fn fresh(&mut self) -> std::io::Result<Option<Numbered>> {
        let mut line = Vec::new();
        let limit = LINE_BYTES as u64 + 1;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.meter.add(read as u64);
        self.read += 1;
        if line.last() != Some(&b'\n') && read > LINE_BYTES {
            let skipped = self.reader.skip_until(b'\n')?;
            self.meter.add(skipped as u64);
            return Ok(Some((self.read, None)));
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some((self.read, Some(line))))
    }

    /// The record that begins with `first`, with further lines while a quotation mark is open; only `first` if the mark is never closed, or
    /// if the record would not have `expected` fields.
    fn whole(
        &mut self,
        first: Vec<u8>,
        delimiter: u8,
        expected: usize,
    ) -> std::io::Result<Result<Vec<u8>, Vec<u8>>> {
        if split(&first, delimiter).is_some() {
            return Ok(Ok(first));
        }
        let mut record = first.clone();
        let mut taken = Vec::new();
        while taken.len() < RECORD_LINES && record.len() < LINE_BYTES {
            let Some(next) = self.next()? else { break };
            let text = next.1.clone();
            taken.push(next);
            let Some(text) = text else { break };
            record.push(b'\n');
            record.extend_from_slice(&text);
            match split(&record, delimiter) {
                Some(fields) if fields.len() == expected => return Ok(Ok(record)),
                Some(_) => break,
                None => {}
            }
        }
        for line in taken.into_iter().rev() {
            self.again.push_front(line);
        }
        Ok(Err(first))
    }
}

#[cfg(test)]
mod tests;
