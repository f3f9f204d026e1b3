//! Reads a few fields of JSON in the format that Discord uses, in one pass and without copying.
//!
//! serde parses every key and every number that it skips. This scanner only reads compact JSON, supports no escapes in keys, and skips
//! values by quotes and brackets. Anything unexpected gives `None`: then serde parses the payload, and reports what is wrong with it.

use twilight_model::id::Id;

/// A number with this many digits always fits into a `u64`.
const MOST_DIGITS: usize = 19;

/// A text, and the position in it.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
        }
    }

    /// Whether the end is reached.
    pub(super) const fn is_over(&self) -> bool {
        self.at == self.text.len()
    }

    /// Read an object. `field` reads or skips the value of each key.
    pub(super) fn object(&mut self, mut field: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.expect(b"{")?;
        if self.expect(b"}").is_some() {
            return Some(());
        }
        loop {
            self.expect(b"\"")?;
            let end = first(self.text, self.at, |word| quotes(word) | backslashes(word))?;
            let key = &self.text[self.at..end];
            self.at = end;
            self.expect(b"\":")?;
            field(self, key)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Skip a value of any kind.
    pub(super) fn skip(&mut self) -> Option<()> {
        self.at = match self.text.get(self.at)? {
            b'"' | b'{' | b'[' => end_of_value(self.text, self.at)?,
            _ => {
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']');
                self.at + self.text[self.at..].iter().position(ends)?
            }
        };
        Some(())
    }

    /// Read an ID, which Discord sends as a string.
    pub(super) fn id<T>(&mut self) -> Option<Id<T>> {
        self.expect(b"\"")?;
        let id = self.number()?;
        self.expect(b"\"")?;
        Id::new_checked(id)
    }

    /// Read an array of IDs.
    pub(super) fn ids<T>(&mut self) -> Option<Vec<Id<T>>> {
        let mut ids = Vec::new();
        self.expect(b"[")?;
        if self.expect(b"]").is_some() {
            return Some(ids);
        }
        loop {
            ids.push(self.id()?);
            match self.next()? {
                b',' => {}
                b']' => return Some(ids),
                _ => return None,
            }
        }
    }

    /// Read an ID, or `null`.
    #[expect(clippy::option_option, reason = "the outer one says whether it could be read")]
    pub(super) fn optional_id<T>(&mut self) -> Option<Option<Id<T>>> {
        match self.expect(b"null") {
            Some(()) => Some(None),
            None => self.id().map(Some),
        }
    }

    pub(super) fn boolean(&mut self) -> Option<bool> {
        match self.expect(b"true") {
            Some(()) => Some(true),
            None => self.expect(b"false").map(|()| false),
        }
    }

    /// Read digits.
    pub(super) fn number(&mut self) -> Option<u64> {
        let (mut number, from) = (0, self.at);
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            if self.at - from == MOST_DIGITS {
                return None;
            }
            number = number * 10 + u64::from(digit - b'0');
            self.at += 1;
        }
        (self.at > from).then_some(number)
    }

    fn expect(&mut self, text: &[u8]) -> Option<()> {
        let is_next = self.text.get(self.at..)?.starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next.then_some(())
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.text.get(self.at)?;
        self.at += 1;
        Some(*byte)
    }
}

/// The position after the string, object or array that starts at `at`.
fn end_of_value(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        let byte = *text.get(at)?;
        at += 1;
        match byte {
            b'"' => at = end_of_string(text, at)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The position after the closing quote of a string whose opening quote is before `at`.
fn end_of_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = first(text, at, quotes)? + 1;
        if text[at - 2] != b'\\' || !is_escaped(text, at - 1) {
            return Some(at);
        }
    }
}

/// Whether the number of backslashes before `at` is odd.
#[cold]
fn is_escaped(text: &[u8], at: usize) -> bool {
    let escapes = text[..at].iter().rev().take_while(|byte| **byte == b'\\');
    escapes.count() % 2 == 1
}

/// The position of the first byte, from `at` on, that `found` marks. Eight bytes are searched at a time.
fn first(text: &[u8], mut at: usize, found: impl Fn(u64) -> u64) -> Option<usize> {
    loop {
        let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) else {
            return first_of_last(text, at, found);
        };
        let marks = found(u64::from_le_bytes(*bytes));
        if marks != 0 {
            return Some(at + first_byte(marks));
        }
        at += size_of::<u64>();
    }
}

/// The same within the last seven bytes.
#[cold]
fn first_of_last(text: &[u8], at: usize, found: impl Fn(u64) -> u64) -> Option<usize> {
    let last = text.get(at..)?;
    let mut bytes = [0; size_of::<u64>()];
    bytes[..last.len()].copy_from_slice(last);
    let marks = found(u64::from_le_bytes(bytes));
    (marks != 0).then(|| at + first_byte(marks))
}

const fn first_byte(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

const fn quotes(word: u64) -> u64 {
    zero_bytes(word ^ u64::from_le_bytes([b'"'; 8]))
}

const fn backslashes(word: u64) -> u64 {
    zero_bytes(word ^ u64::from_le_bytes([b'\\'; 8]))
}

/// A word whose lowest set bit is in the first zero byte of `word`; 0 if no byte is zero.
const fn zero_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    word.wrapping_sub(ONES) & !word & HIGH_BITS
}

/// Set a field. As in serde, a duplicate field is an error.
pub(super) fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}
