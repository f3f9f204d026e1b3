//! What is wrong with a request or its response, in names and codes. Values are omitted: they can be content, names or tokens.

use std::fmt::Write as _;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, error::Category};
use serde_path_to_error::{Path, Segment};

/// The maximum length of a message from Discord that is repeated, in characters.
const LONGEST_MESSAGE: usize = 120;
/// The maximum length of a field's name or an error code that is repeated, in bytes.
const LONGEST_NAME: usize = 64;
/// The maximum number of errors of one request that are repeated.
const MOST_FAULTS: usize = 10;

/// Discord's explanation of a refused request: <https://docs.discord.com/developers/reference#error-messages>.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Explanation {
    /// Discord's error code, if there is one.
    pub(super) code: Option<u64>,
    /// The message, such as `Missing Permissions`.
    pub(super) message: String,
    /// The invalid fields with their error codes, such as `embeds.0.title BASE_TYPE_MAX_LENGTH`.
    pub(super) faults: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    code: Option<u64>,
    message: Option<String>,
    errors: Value,
}

impl Explanation {
    /// Parse the body of an error response.
    pub(super) fn of(body: &[u8]) -> Self {
        let Body {
            code,
            message,
            errors,
        } = serde_json::from_slice(body).unwrap_or_default();
        let mut faults = Vec::new();
        collect(&errors, &mut Vec::new(), &mut faults);
        let printable = |text: String| {
            let plain = text.chars().filter(|char| !char.is_control());
            plain.take(LONGEST_MESSAGE).collect()
        };
        Self {
            code: code.filter(|code| *code != 0),
            message: message.map(printable).unwrap_or_default(),
            faults: faults.join(", "),
        }
    }
}

/// Collect the errors of a tree.
fn collect<'a>(errors: &'a Value, path: &mut Vec<&'a str>, faults: &mut Vec<String>) {
    for (key, below) in errors.as_object().into_iter().flatten() {
        if faults.len() >= MOST_FAULTS {
            return;
        }
        if key == "_errors" {
            let codes = below
                .as_array()
                .into_iter()
                .flatten()
                .map(|fault| fault["code"].as_str());
            let code = codes.flatten().next().unwrap_or_default();
            faults.push(format!("{} {}", path.join("."), name(code)));
        } else {
            path.push(name(key));
            collect(below, path, faults);
            path.pop();
        }
    }
}

/// Deserialize a model. The error says what is wrong with the text, such as ``the field `roles` is missing``.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let mut text = serde_json::Deserializer::from_slice(body);
    let model = serde_path_to_error::deserialize(&mut text).map_err(|error| {
        let at = place(error.path());
        let error = error.into_inner();
        // The text of an error quotes the response, except this one, whose name comes from the bot's code.
        let said = error.to_string();
        let missing = said
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        let what = match (missing, error.classify()) {
            (Some(field), _) => format!("the field `{field}` is missing"),
            (None, Category::Data) => "a value is of another kind than expected".to_owned(),
            (None, Category::Eof) => return "it ends early".to_owned(),
            (None, Category::Syntax | Category::Io) => return "it is no JSON".to_owned(),
        };
        if at.is_empty() {
            what
        } else {
            format!("{what} at {at}")
        }
    })?;
    text.end().map_err(|_more| "it is no JSON".to_owned())?;
    Ok(model)
}

/// A path such as `[3].user.id`.
fn place(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => write!(text, "[{index}]").expect("a String takes any text"),
            Segment::Map { key: part } | Segment::Enum { variant: part } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name(part));
            }
            Segment::Unknown => text.push('?'),
        }
    }
    text
}

/// The name of a field or a code. A text that does not look like one may be a value.
fn name(text: &str) -> &str {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_id = text.len() > 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() <= LONGEST_NAME && text.bytes().all(is_name) && !is_id {
        text
    } else {
        "?"
    }
}

#[cfg(test)]
mod tests;
