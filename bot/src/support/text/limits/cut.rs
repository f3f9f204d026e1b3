//! Finds where a text can be cut.

use unicode_segmentation::UnicodeSegmentation as _;

/// Marks a cut.
const CUT: char = '…';
/// Opens and closes a code block.
const FENCE: &str = "```";
/// Closes a code block that was cut.
const CLOSING: &str = "\n```";
/// The longest token in angle brackets, in bytes: the mention of a command has its name, its group's and its ID.
const TOKEN_BYTES: usize = 150;

/// An upper bound for the length that Discord counts.
pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Shorten a text to at most `most` UTF-16 code units: at a grapheme boundary, outside of mentions, links and URLs, and with code blocks
/// closed.
pub(crate) fn fit(text: &mut String, most: usize) {
    if text.len() <= most || units(text) <= most {
        return;
    }
    let room = most.saturating_sub(CUT.len_utf16());
    let mut keep = boundary(text, room);
    let is_open = |keep: usize| text.get(..keep).is_some_and(is_in_code);
    let mut closing = "";
    if is_open(keep) {
        keep = boundary(text, room.saturating_sub(CLOSING.len()));
        if is_open(keep) {
            closing = CLOSING;
        }
    }
    text.truncate(keep);
    if most > 0 {
        text.push(CUT);
    }
    if units(text) + closing.len() <= most {
        text.push_str(closing);
    }
}

/// The beginning of a text, shortened as by [`fit`]: for a part of a message whose rest must stay visible.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let mut text = text.to_owned();
    fit(&mut text, most);
    text
}

/// The last position within `room` units at which a text may end, in bytes.
fn boundary(text: &str, room: usize) -> usize {
    let mut used = 0;
    let mut fits = |(at, part): (usize, &str)| {
        used += units(part);
        (used <= room).then(|| at + part.len())
    };
    let keep = text.grapheme_indices(true).map_while(&mut fits).last();
    // A single character with more combining marks than there is room.
    let keep = keep.unwrap_or_else(|| {
        let mut used = 0;
        let parts = text.char_indices().map_while(|(at, character)| {
            used += character.len_utf16();
            (used <= room).then(|| at + character.len_utf8())
        });
        parts.last().unwrap_or(0)
    });
    let keep = before_link(text, keep);
    let keep = before_token(text, keep);
    let kept = before_fence(text, keep);
    kept.trim_end().len()
}

/// The position, or the start of the token in angle brackets around it: a mention, an emoji, a timestamp or a URL.
fn before_token(text: &str, place: usize) -> usize {
    let (kept, gone) = text.split_at(place);
    let Some(open) = kept.rfind('<') else {
        return place;
    };
    let inside = kept.get(open + 1..).unwrap_or_default();
    let Some(close) = gone.find(['<', '>', '\n']) else {
        return place;
    };
    let is_token = !inside.contains(['>', '\n'])
        && gone.get(close..).is_some_and(|rest| rest.starts_with('>'))
        && inside.len() + close <= TOKEN_BYTES;
    if is_token { open } else { place }
}

/// The position, or the start of the link or URL around it.
fn before_link(text: &str, place: usize) -> usize {
    let (kept, gone) = text.split_at(place);
    let line_start = kept.rfind('\n').map_or(0, |at| at + 1);
    let rest_of_line = gone.find('\n').map_or(text.len(), |at| place + at);
    let link = kept
        .get(line_start..)
        .and_then(|kept| kept.rfind('['))
        .map(|open| line_start + open)
        .filter(|open| {
            // [label](address), whose end lies beyond the position.
            let link = text.get(*open..rest_of_line).unwrap_or_default();
            link.split_once("](")
                .and_then(|(label, address)| Some(open + label.len() + 2 + address.find(')')? + 1))
                .is_some_and(|end| end > place)
        });
    let word = kept
        .char_indices()
        .rfind(|(_, character)| character.is_whitespace())
        .map_or(0, |(at, character)| at + character.len_utf8());
    let is_address = text
        .get(word..)
        .and_then(|rest| rest.split(char::is_whitespace).next())
        .and_then(|whole| whole.find("://"))
        .is_some_and(|scheme| word + scheme < place)
        && !gone.starts_with(char::is_whitespace);
    match (link, is_address && word > 0) {
        (Some(link), true) => link.min(word),
        (Some(link), false) => link,
        (None, true) => word,
        (None, false) => place,
    }
}

/// The text before the position, without a partial fence at its end.
fn before_fence(text: &str, place: usize) -> &str {
    let (kept, gone) = text.split_at(place);
    if gone.starts_with('`') {
        kept.trim_end_matches('`')
    } else {
        kept
    }
}

/// Whether a text ends inside a code block.
fn is_in_code(text: &str) -> bool {
    text.matches(FENCE).count() % 2 == 1
}

#[cfg(test)]
mod tests;
