//! The attachments of messages that the bot sends and edits.

use serde_json::{Value, json};

/// The files that came with `body`, as attachments with IDs after `id`.
pub(crate) fn new(body: &Value, id: u64) -> Vec<Value> {
    let files = body["_files"].as_array().into_iter().flatten();
    files
        .enumerate()
        .map(|(at, file)| {
            let described = body["attachments"].as_array().into_iter().flatten();
            let mut described = described.filter(|own| {
                let own = &own["id"];
                own.as_u64() == Some(at as u64) || own.as_str().and_then(|id| id.parse().ok()) == Some(at)
            });
            let description = described
                .next()
                .map_or(Value::Null, |own| own["description"].clone());
            json!({
                "description": description,
                "id": (id + 1 + at as u64).to_string(), "filename": file["name"], "size": file["size"],
                "url": "https://cdn.example.org/attachments/file", "content_type": "application/octet-stream",
                "proxy_url": "https://media.example.org/attachments/file",
            })
        })
        .collect()
}

/// Those of `message` after an edit: the earlier ones that `body` names, or all if it names none, and the files that came with it.
pub(crate) fn edited(message: &Value, body: &Value, id: u64) -> Value {
    let earlier = message["attachments"].as_array().into_iter().flatten();
    let is_kept = |earlier: &&Value| {
        let named = body["attachments"].as_array();
        named.is_none_or(|named| named.iter().any(|named| named["id"] == earlier["id"]))
    };
    earlier.filter(is_kept).cloned().chain(new(body, id)).collect()
}
