//! Names chosen by users and guilds, and other untrusted text.
//!
//! Such text may contain Markdown, mentions, links, invisible characters, and characters that reverse the rest of a line. [`Name`] can
//! therefore be written in two ways only: for Markdown, and for places that show text verbatim.

use std::fmt;

use icu_properties::{
    CodePointSetData,
    props::{BidiControl, DefaultIgnorableCodePoint},
};

/// The name of a member, a user or a guild. It has at least one visible character.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The first of several names with a visible character, such as a nickname, the display name and the username; the ID if there is none.
    pub fn first<'a>(names: impl IntoIterator<Item = Option<&'a str>>, id: impl fmt::Display) -> Self {
        let mut names = names.into_iter().flatten().map(visible);
        Self(
            names
                .find(|name| !name.is_empty())
                .unwrap_or_else(|| id.to_string()),
        )
    }

    /// For a message or an embed's description, where Discord reads Markdown.
    pub fn in_markdown(&self) -> String {
        escaped(&self.0)
    }

    /// For an image, an alternative text or an embed's footer, where Discord does not parse Markdown.
    pub fn as_plain(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names of people do not belong in logs.
        formatter.write_str("Name(…)")
    }
}

/// User input in a message, escaped to appear exactly as typed.
pub(crate) fn quoted(text: &str) -> String {
    escaped(&visible(text))
}

/// A text on one line, without invisible characters and without controls that change the direction of surrounding text.
fn visible(text: &str) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let directing = CodePointSetData::new::<BidiControl>();
    let is_seen = |character| {
        !ignorable.contains(character) && !directing.contains(character) && !is_control(character)
    };
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let last = shown.chars().next_back();
        if is_blank(character) {
            if last.is_some_and(|last| last != ' ') {
                shown.push(' ');
            }
        } else if joins(character) {
            // Between the parts of an emoji, or between joined letters; never first, last, or twice.
            let is_between = characters
                .peek()
                .is_some_and(|next| is_seen(*next) && !is_blank(*next));
            if is_between && last.is_some_and(|last| last != ' ') {
                shown.push(character);
            }
        } else if modifies(character) {
            if last.is_some_and(|last| !last.is_ascii_alphabetic() && last != ' ' && !modifies(last)) {
                shown.push(character);
            }
        } else if is_tag(character) {
            // A flag such as that of Scotland.
            if last.is_some_and(|last| last == '\u{1f3f4}' || is_tag(last)) {
                shown.push(character);
            }
        } else if is_seen(character) {
            shown.push(character);
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// A zero-width joiner or non-joiner.
const fn joins(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}')
}

/// Changes the appearance of the preceding character.
const fn modifies(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

const fn is_tag(character: char) -> bool {
    matches!(character, '\u{e0020}'..='\u{e007f}')
}

/// A space, a line break, or a blank Braille pattern.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{2800}'
}

/// A control character, or one of Unicode's annotation and object characters.
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{fff9}'..='\u{fffc}')
}

/// A text without meaning to [Discord's Markdown](https://docs.discord.com/developers/reference#message-formatting): formatting, mentions
/// and links are escaped. With `:` and `/` escaped, no URL is recognized, so none gets a preview.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if matches!(
            character,
            '\\' | '*'
                | '_'
                | '~'
                | '`'
                | '|'
                | '<'
                | '>'
                | '['
                | ']'
                | '('
                | ')'
                | '#'
                | ':'
                | '/'
                | '-'
                | '+'
        ) {
            written.push('\\');
        }
        written.push(character);
        if character == '@' {
            // So that neither an ID nor `everyone` follows directly.
            written.push('\u{200b}');
        }
    }
    written
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::{Name, escaped, quoted, visible};

    /// A name with everything that a name must not be able to do.
    pub(crate) const HOSTILE: &str = "\u{202e}@everyone <@1> <#2> <@&3> https://evil.example discord.gg/evil [x](https://evil.example) \
                                      **b** `c` ||d||\n# e\n> f\u{2066}\u{3164}";

    /// Assert that [`HOSTILE`] within a text neither formats, mentions nor links anything.
    pub(crate) fn assert_harmless(text: &str) {
        for trace in [
            "@everyone",
            "<@1>",
            "<#2>",
            "<@&3>",
            "https://",
            "gg/evil",
            "](",
            "**b**",
            "`c`",
            "||d||",
            "\n# e",
            "\n> f",
            "\u{202e}",
            "\u{2066}",
            "\u{3164}",
        ] {
            assert!(!text.contains(trace), "{trace:?} in {text:?}");
        }
        assert!(text.contains("evil"), "the name is not in {text:?}");
    }

    #[test]
    fn a_hostile_name_is_harmless() {
        let name = Name::first([Some(HOSTILE)], 1);
        assert_harmless(&name.in_markdown());
        assert!(
            !name
                .as_plain()
                .contains(['\n', '\u{202e}', '\u{2066}', '\u{3164}'])
        );
        assert!(!format!("{name:?}").contains("evil"));
    }

    #[test]
    fn what_nobody_sees_is_left_out() {
        for (name, shown) in [
            ("Ada", "Ada"),
            ("  Ada \u{a0}\u{2003} Lovelace ", "Ada Lovelace"),
            ("A\u{200b}d\u{ad}a\u{feff}", "Ada"),
            (
                "\u{3164}\u{115f}\u{1160}\u{ffa0}\u{2800}\u{34f}\u{200d}\u{180e}\u{e0041}",
                "",
            ),
            ("\u{200f}abc\u{202c}", "abc"),
            ("a\nb\tc", "a b c"),
            ("a\u{fe0f}b", "ab"),
            ("\u{fe0f}\u{200d}x\u{200d}", "x"),
            ("👩‍🚀 ❤️ 1️⃣ 🏳️‍🌈 👍🏽", "👩‍🚀 ❤️ 1️⃣ 🏳️‍🌈 👍🏽"),
            (
                "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
                "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            ),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("e\u{301}", "e\u{301}"),
        ] {
            assert_eq!(visible(name), shown, "{name:?}");
        }
    }

    #[test]
    fn the_next_name_is_taken_where_nothing_is_visible() {
        let first = |names: [Option<&str>; 3]| Name::first(names, 7).as_plain().to_owned();
        assert_eq!(first([Some("\u{3164}"), None, Some("ada")]), "ada");
        assert_eq!(first([Some("Countess"), Some("Ada"), Some("ada")]), "Countess");
        assert_eq!(first([Some("\u{2800}"), Some(""), None]), "7");
    }

    #[test]
    fn what_was_typed_is_quoted_as_it_was_typed() {
        assert_eq!(quoted("1.5h"), "1.5h");
        assert_eq!(quoted(" **<@1>** soon "), "\\*\\*\\<@\u{200b}1\\>\\*\\* soon");
    }

    proptest! {
        #[test]
        fn any_name_is_on_one_line_and_stays_itself(name in any::<String>()) {
            let shown = visible(&name);
            prop_assert!(!shown.contains(char::is_control));
            prop_assert_eq!(shown.trim(), &shown);
            prop_assert_eq!(visible(&shown), shown.clone(), "once is enough");
            let without = escaped(&shown).replace(['\u{200b}', '\\'], "");
            prop_assert_eq!(without, shown.replace('\\', ""));
        }
    }
}
