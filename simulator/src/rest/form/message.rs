//! Messages: <https://docs.discord.com/developers/resources/message#create-message>.

use serde_json::Value;

use super::{Faults, Field, component};
use crate::rest::Answer;

/// In characters.
const LONGEST_CONTENT: usize = 2_000;
/// The characters of all embeds together:
/// <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>.
const LONGEST_EMBEDS: usize = 6_000;
/// A file in a server without boosts, in bytes.
const LARGEST_FILE: u64 = 10 << 20;

/// What is wrong with the body of a new message, if anything. `path` is the position of the message in the request.
pub(in crate::rest) fn check(path: &[&str], body: &Value) -> Result<(), Answer> {
    check_edit(path, body)?;
    let content = body["content"].as_str().unwrap_or("");
    let is_there = |name: &str| body[name].as_array().is_some_and(|list| !list.is_empty());
    let parts = ["embeds", "components", "sticker_ids", "attachments", "_files"];
    if content.trim().is_empty() && !parts.into_iter().any(is_there) && !body["poll"].is_object() {
        return Err(Answer::error(400, 50_006, "Cannot send an empty message"));
    }
    Ok(())
}

/// What is wrong with a change of a message, if anything.
pub(in crate::rest) fn check_edit(path: &[&str], body: &Value) -> Result<(), Answer> {
    let files = body["_files"].as_array().into_iter().flatten();
    if files
        .clone()
        .any(|file| file["size"].as_u64() > Some(LARGEST_FILE))
    {
        return Err(Answer::error(413, 40_005, "Request entity too large"));
    }
    let faults = Faults::default();
    let message = faults.below(path, body);
    message.at("content").text(0..=LONGEST_CONTENT);
    if message.at("nonce").value.is_string() {
        message.at("nonce").text(0..=25);
    }
    message.at("sticker_ids").list(0..=3);
    let attachments = message.at("attachments");
    attachments.list(0..=10);
    if files.count() > 10 {
        attachments.length(11, &(0..=10));
    }
    for attachment in attachments.items() {
        attachment.at("description").text(0..=1_024);
    }
    check_mentions(&message.at("allowed_mentions"));
    check_embeds(&message.at("embeds"));
    component::check_rows(&message.at("components"));
    faults.answer()
}

/// <https://docs.discord.com/developers/resources/message#allowed-mentions-object>
fn check_mentions(allowed: &Field<'_>) {
    for kind in ["users", "roles"] {
        let named = allowed.at(kind);
        named.list(0..=100);
        let has_names = named.items().next().is_some();
        if has_names && allowed.at("parse").items().any(|parsed| parsed.value == kind) {
            let message = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
            allowed.fault("MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", &message);
        }
    }
}

fn check_embeds(embeds: &Field<'_>) {
    embeds.list(0..=10);
    let mut total = 0;
    for embed in embeds.items() {
        total += check_embed(&embed);
        if total > LONGEST_EMBEDS {
            embed.fault(
                "MAX_EMBED_SIZE_EXCEEDED",
                "Embed size exceeds maximum size of 6000",
            );
            return;
        }
    }
}

/// The characters that count for the limit over all embeds.
fn check_embed(embed: &Field<'_>) -> usize {
    let parts = [
        (embed.at("title"), 256),
        (embed.at("description"), 4_096),
        (embed.at("footer").at("text"), 2_048),
        (embed.at("author").at("name"), 256),
    ];
    for (part, longest) in &parts {
        part.text(0..=*longest);
    }
    embed.at("color").number(0..=0xff_ffff);
    embed.at("url").address(&["http", "https"]);
    embed.at("author").at("url").address(&["http", "https"]);
    for (holder, name) in [
        ("image", "url"),
        ("thumbnail", "url"),
        ("footer", "icon_url"),
        ("author", "icon_url"),
    ] {
        embed
            .at(holder)
            .at(name)
            .address(&["http", "https", "attachment"]);
    }
    let fields = embed.at("fields");
    fields.list(0..=25);
    let mut total: usize = parts.iter().map(|(part, _)| part.chars()).sum();
    for field in fields.items() {
        let (name, value) = (field.at("name"), field.at("value"));
        name.required_text(0..=256);
        value.required_text(0..=1_024);
        total += name.chars() + value.chars();
    }
    total
}
