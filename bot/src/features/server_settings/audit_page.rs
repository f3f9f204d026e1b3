//! The audit log: who changed what in a server.

use maud::{Markup, html};
use serde_json::Value as Json;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::UserMarker},
};

use crate::{
    discord::mentions::{Names, Use},
    interactions::{Services, page::Page},
    postgres::request::entries::{self, Entry, Wanted},
    support::{
        ids,
        text::{limits::excerpt, moment::written},
    },
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::{link, moment, search_field},
        list::{self, Searched},
        route::Access,
    },
};

/// Characters of a value.
const VALUE: usize = 300;

#[derive(Debug)]
pub(crate) struct AuditLog;

impl Page for AuditLog {
    fn path(&self) -> &'static str {
        "/servers/{guild}/audit"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MANAGE_GUILD)
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-audit")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let searched = Searched(context);
        let wanted = Wanted {
            action: searched.text("action"),
            actor_id: searched.id("actor")?,
            before: searched.before()?,
        };
        let mut entries = entries::list(&services.store, guild_id, wanted, list::READ).await?;
        let path = format!("/servers/{guild_id}/audit");
        let (action, actor) = (wanted.action.unwrap_or_default(), list::id(wanted.actor_id));
        let older = list::cut(&mut entries).map(|last| {
            let before = last.request_id.to_string();
            link(
                &path,
                &[("action", action), ("actor", &actor), ("before", &before)],
            )
        });
        let names = Names::of(&services.guilds, guild_id, members(&entries), Use::Page).await;
        let fields = html! {
            (search_field("action", &context.text("web-audit-action"), action))
            (search_field("actor", &context.text("web-audit-actor-id"), &actor))
        };
        let title = context.text("web-audit");
        let main = html! {
            h1 { (title) }
            (list::search(context, &path, &fields))
            @if entries.is_empty() {
                p { (context.text("web-audit-none")) }
            } @else {
                (table(context, &names, &entries))
            }
            (list::pager(context, wanted.before.map(|_| &*path), older.as_deref()))
        };
        Ok(context.loaded_again(context.page(&title, &main), names.are_coming()))
    }
}

fn table(context: &Context, names: &Names, entries: &[Entry]) -> Markup {
    let text = |key: &str| context.text(key);
    html! {
        div.card.scroll tabindex="0" { table {
            caption.hidden { (text("web-audit")) }
            thead { tr {
                th scope="col" { (text("web-at")) }
                th scope="col" { (text("web-audit-actor")) }
                th scope="col" { (text("web-audit-action")) }
                th scope="col" { (text("web-audit-details")) }
                th scope="col" { (text("web-audit-before")) }
            } }
            tbody {
                @for entry in entries {
                    tr {
                        td { (moment(entry.created_at)) }
                        td { (actor(context, names, entry)) }
                        td { code { (entry.action) } @if entry.is_undone { " · " small { (text("web-audit-undone")) } } }
                        td.long { (values(names, &entry.details)) }
                        td.long { @if let Some(before) = &entry.before { (values(names, before)) } }
                    }
                }
            }
        } }
    }
}

/// Who asked, and how.
fn actor(context: &Context, names: &Names, entry: &Entry) -> Markup {
    let key = match entry.actor_kind.as_str() {
        "interaction" => "web-audit-by-command",
        "web" => "web-audit-by-web",
        "cli" => "web-audit-by-cli",
        _ => "web-audit-by-bot",
    };
    html! {
        @if let Some(actor_id) = entry.actor_id { (names.member(actor_id)) " · " }
        (context.text(key))
    }
}

/// The members whom the entries name.
fn members(entries: &[Entry]) -> Vec<Id<UserMarker>> {
    let mut found: Vec<_> = entries.iter().filter_map(|entry| entry.actor_id).collect();
    for entry in entries {
        for json in [Some(&entry.details), entry.before.as_ref()]
            .into_iter()
            .flatten()
        {
            let Ok(Json::Object(fields)) = serde_json::from_str(json) else {
                continue;
            };
            let is_member = |name: &str| {
                ["user", "member", "moderator"]
                    .iter()
                    .any(|word| name.contains(word))
            };
            let named = fields.iter().filter(|(name, _)| is_member(name));
            found.extend(
                named
                    .filter_map(|(_, value)| id_of(value))
                    .filter_map(Id::new_checked),
            );
        }
    }
    found
}

/// The ID that a value is, as a text or as a number.
fn id_of(value: &Json) -> Option<u64> {
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    ids::written::<UserMarker>(&written).map(Id::get)
}

/// The fields of an object in JSON.
fn values(names: &Names, json: &str) -> Markup {
    let Ok(Json::Object(fields)) = serde_json::from_str(json) else {
        return html! { (excerpt(json, VALUE)) };
    };
    html! {
        ul.plain {
            @for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                li { code { (name) } ": " (excerpt(&shown(names, name, value), VALUE)) }
            }
        }
    }
}

/// A value with names in place of IDs, and with times.
fn shown(names: &Names, name: &str, value: &Json) -> String {
    if let Some(named) = id_of(value).and_then(|id| names.any(id)) {
        return named;
    }
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) if name.ends_with("_ms") => number
            .as_i64()
            .map_or_else(|| number.to_string(), |at| written(ids::to_time(at))),
        Json::Array(values) => {
            let values: Vec<String> = values.iter().map(|value| shown(names, name, value)).collect();
            values.join(", ")
        }
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", shown(names, name, value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Names, shown};

    #[test]
    fn values_are_readable() {
        let names = Names::default();
        let role = "100000000000000002";
        for (name, value, expected) in [
            ("a", json!("text"), "text"),
            ("a", json!([1, "b", true]), "1, b, true"),
            (
                "a",
                json!({"b": {"c": [role]}, "d": null}),
                "b: c: 100000000000000002, d: null",
            ),
            ("due_ms", json!(1_462_015_105_000_i64), "2016-04-30 11:18 UTC"),
            ("a_id", json!(100_000_000_000_000_002_u64), role),
        ] {
            assert_eq!(shown(&names, name, &value), expected);
        }
    }
}
