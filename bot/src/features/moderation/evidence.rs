//! Files that moderators give as evidence. Discord's links to them expire, so the bot uploads them once more, into the log channel of the
//! case, and the case has a note with the link to that message.

use serde::{Deserialize, Serialize};

use crate::{
    discord::rest::file::path_of,
    interactions::{CommandContext, CommandError, payload::BadOption},
};

/// The largest file, below what Discord takes from every bot.
pub(crate) const LARGEST: usize = 8 << 20;
/// The types that are kept: what people can look at, and nothing that runs.
const TYPES: [&str; 5] = ["image/", "video/", "audio/", "text/plain", "application/pdf"];
/// The maximum length of a name, in characters.
const LONGEST_NAME: usize = 100;

/// A file to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its name.
    pub name: String,
    /// Its path on Discord's CDN, with the signature that expires.
    pub path: String,
}

/// The option of a command with a file to be kept with its case.
pub(crate) const OPTION: &str = "evidence";

/// The file of an option, if there is one.
///
/// # Errors
///
/// It is too large, of a type that is not kept, or not Discord's.
pub(crate) fn given(
    context: &CommandContext,
    option: &'static str,
) -> Result<Option<Evidence>, CommandError> {
    let Some(file) = context.payload.file(option)? else {
        return Ok(None);
    };
    let path = path_of(&file.url).ok_or(BadOption(option))?;
    if file.size > LARGEST as u64 {
        return Err(context.refuse("evidence-too-large"));
    }
    let kind = file.content_type.unwrap_or_default();
    if !TYPES.iter().any(|known| kind.starts_with(known)) {
        return Err(context.refuse("evidence-type"));
    }
    Ok(Some(Evidence {
        name: name_of(&file.filename),
        path: path.to_owned(),
    }))
}

/// A name that can be sent and shown without changes.
fn name_of(given: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_');
    let plain = given.chars().map(|char| if is_plain(char) { char } else { '_' });
    let skipped = given.chars().count().saturating_sub(LONGEST_NAME);
    // The end has the type.
    plain.skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names_are_plain_and_short_and_keep_their_end() {
        assert_eq!(name_of("proof 1 (ä).png"), "proof_1__ä_.png");
        assert_eq!(name_of("a\"\r\n\u{202e}gpj.exe"), "a____gpj.exe");
        let long = format!("{}.png", "x".repeat(200));
        assert_eq!(name_of(&long).chars().count(), 100);
        assert_eq!(name_of(&long).rsplit('.').next(), Some("png"));
    }
}
