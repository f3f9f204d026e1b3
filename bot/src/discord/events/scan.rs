//! Reading a few fields out of JSON as Discord writes it, in one pass and without copies.
//!
//! serde reads every key and every number of what it skips. This reads compact JSON only, knows no escapes in keys, and skips a value by its
//! quotes and brackets. Whatever it does not expect is `None`: then serde reads the payload, and says what is wrong with it.

use twilight_model::id::Id;

/// Digits of a number that certainly fits into a `u64`.
const MOST_DIGITS: usize = 19;

/// A text, and where it is read next.
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

    /// Whether everything is read.
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

    /// Read an id, which Discord writes as text.
    pub(super) fn id<T>(&mut self) -> Option<Id<T>> {
        self.expect(b"\"")?;
        let id = self.number()?;
        self.expect(b"\"")?;
        Id::new_checked(id)
    }

    /// Read a list of ids.
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

    /// An id, or `null`.
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

/// Behind the string, the object or the list that begins at `at`.
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

/// Behind the quote that ends a string, of which the first one is before `at`.
fn end_of_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = first(text, at, quotes)? + 1;
        if text[at - 2] != b'\\' || !is_escaped(text, at - 1) {
            return Some(at);
        }
    }
}

/// Whether an odd number of backslashes is before `at`.
#[cold]
fn is_escaped(text: &[u8], at: usize) -> bool {
    let escapes = text[..at].iter().rev().take_while(|byte| **byte == b'\\');
    escapes.count() % 2 == 1
}

/// Where the first byte from `at` on is that `found` marks, of eight at a time.
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

/// Put a field into its place. serde takes no field twice either.
pub(super) fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}
