//! Bodies of requests: JSON, or a form, with files or without.

use serde_json::{Value, json};

use super::SentFile;

/// The content type of a form without files.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// The JSON of a body: of a form without files an object of its fields, of one with files `payload_json`, with the names and sizes of the files as `_files`.
pub(crate) fn parse(content_type: &str, body: &[u8]) -> Result<Value, serde_json::Error> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    if content_type.starts_with(FORM) {
        return Ok(form_urlencoded::parse(body).into_owned().collect());
    }
    let Some(boundary) = content_type
        .strip_prefix("multipart/form-data")
        .and_then(boundary)
    else {
        return serde_json::from_slice(body);
    };
    let mut payload = json!({});
    let mut files = Vec::new();
    for part in parts(body, boundary.as_bytes()) {
        let Some(end) = find(part, b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&part[..end]);
        let content = &part[end + 4..];
        let content = content.strip_suffix(b"\r\n").unwrap_or(content);
        if let Some(name) = parameter(&head, "filename") {
            files.push(json!({"name": name, "size": content.len()}));
        } else if parameter(&head, "name").as_deref() == Some("payload_json") {
            payload = serde_json::from_slice(content)?;
        }
    }
    payload["_files"] = files.into();
    Ok(payload)
}

/// The files of a form.
pub(crate) fn files(content_type: &str, body: &[u8]) -> Vec<SentFile> {
    let Some(boundary) = content_type
        .strip_prefix("multipart/form-data")
        .and_then(boundary)
    else {
        return Vec::new();
    };
    let read = |part: &&[u8]| {
        let end = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&part[..end]);
        let content = &part[end + 4..];
        let kind = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-type")
                .then(|| value.trim().to_owned())
        });
        Some(SentFile {
            name: parameter(&head, "filename")?,
            content_type: kind.unwrap_or_default(),
            content: content.strip_suffix(b"\r\n").unwrap_or(content).to_vec(),
        })
    };
    parts(body, boundary.as_bytes()).iter().filter_map(read).collect()
}

fn boundary(parameters: &str) -> Option<&str> {
    let (_, after) = parameters.split_once("boundary=")?;
    Some(after.split(';').next()?.trim().trim_matches('"'))
}

fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let delimiter = [b"--", boundary].concat();
    let mut parts = Vec::new();
    let mut rest = body;
    let mut first = true;
    while let Some(at) = find(rest, &delimiter) {
        if !std::mem::take(&mut first) {
            parts.push(&rest[..at]);
        }
        rest = &rest[at + delimiter.len()..];
    }
    parts
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn parameter(head: &str, name: &str) -> Option<String> {
    let (_, after) = head.split_once(&format!("; {name}=\""))?;
    Some(after.split('"').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_its_json_and_its_files() {
        let body = "--XX\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"card.png\"\r\n\
            Content-Type: image/png\r\n\r\n\u{1}\u{2}\u{3}\r\n--XX\r\n\
            Content-Disposition: form-data; name=\"payload_json\"\r\n\r\n{\"content\":\"hi\"}\r\n--XX--\r\n";
        let parsed = parse("multipart/form-data; boundary=XX", body.as_bytes()).unwrap();
        assert_eq!(
            parsed,
            json!({"content": "hi", "_files": [{"name": "card.png", "size": 3}]})
        );
        let file = SentFile {
            name: "card.png".to_owned(),
            content_type: "image/png".to_owned(),
            content: vec![1, 2, 3],
        };
        assert_eq!(files("multipart/form-data; boundary=XX", body.as_bytes()), [file]);
        assert!(files("application/json", b"{}").is_empty());
        assert_eq!(
            parse(FORM, b"a=1&b=x+y%26").unwrap(),
            json!({"a": "1", "b": "x y&"})
        );
        assert_eq!(parse("application/json", b"").unwrap(), Value::Null);
        assert!(parse("application/json", b"{").is_err());
    }
}
