//! The history of a server's settings: who changed what, with a button to take each change back.

use std::collections::HashMap;

use hyper::StatusCode;
use maud::{Markup, html};
use serde_json::json;
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker, UserMarker},
};

use super::{STAFF, find, note, path, plain, tabs};
use crate::{
    discord::{guilds::listing::Listing, rest::Priority},
    interactions::{Services, page::Page},
    postgres::request::Actor,
    settings::history::{self, Entry, UndoFault, entries},
    support::{
        ids,
        text::{moment::written, names::Name},
    },
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::moment,
        route::Access,
    },
};

/// Changes on a page.
const ON_PAGE: u32 = 20;

/// The history.
pub(super) struct History;

impl Page for History {
    fn path(&self) -> &'static str {
        "/servers/{guild}/settings/history"
    }

    fn access(&self) -> Access {
        STAFF
    }

    fn tab(&self) -> Option<&'static str> {
        Some("settings-page-history")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let done = ["undone", "imported"]
            .into_iter()
            .find(|done| context.query().get(done).is_some());
        let note = done.map(|done| note("good", &context.text(&format!("settings-page-{done}"))));
        render(context, services, note).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.guild()?;
        let id = context.form().get("request").and_then(|id| id.parse().ok());
        let id = id.and_then(ids::from_db).ok_or(Fault::NotFound)?;
        let Err(reason) = undo(context, services, guild_id, id).await? else {
            return Ok(Answer::see_other(&format!(
                "{}?undone=1",
                path(guild_id, "history")
            )));
        };
        let answer = render(context, services, Some(note("bad", &reason))).await?;
        Ok(answer.with_status(StatusCode::CONFLICT))
    }
}

/// Take a change back. The inner error is the reason against it.
async fn undo(
    context: &Context,
    services: &Services,
    guild_id: Id<GuildMarker>,
    id: Id<InteractionMarker>,
) -> Result<Result<(), String>, Fault> {
    let found = entries(&services.store, guild_id, Some(after(id)), 1).await?;
    let Some(entry) = found.first().filter(|entry| entry.request_id == id) else {
        return Ok(Err(context.text("settings-page-undo-not-there")));
    };
    for (name, (before, _)) in &entry.difference {
        let named = find(services, name)
            .map(|setting| setting.field.kind.named(before))
            .unwrap_or_default();
        let gone = services
            .guilds
            .gone(guild_id, &named.roles, &named.channels, Priority::Command);
        if !gone.await?.is_empty() {
            return Ok(Err(context.text("settings-page-undo-gone")));
        }
    }
    let request = context.request("settings_undo", &json!({"request_id": id.to_string()}))?;
    Ok(match history::undo(&services.store, request, id).await? {
        Ok(()) => Ok(()),
        Err(UndoFault::NotThere) => Err(context.text("settings-page-undo-not-there")),
        Err(UndoFault::Changed(names)) => {
            let labels = names
                .iter()
                .map(|name| plain::label(find(services, name), name, context.language()));
            let labels: Vec<String> = labels.collect();
            Err(context.filled(
                "settings-page-undo-changed",
                &[("settings", labels.join(", ").into())],
            ))
        }
    })
}

/// The ID after this one, for lists of what is before it.
fn after(id: Id<InteractionMarker>) -> Id<InteractionMarker> {
    Id::new_checked(id.get() + 1).unwrap_or(id)
}

async fn render(context: &Context, services: &Services, note: Option<Markup>) -> Result<Answer, Fault> {
    let guild_id = context.guild()?;
    let before = context.query().get("before").and_then(ids::written);
    let entries = entries(&services.store, guild_id, before, ON_PAGE).await?;
    let listing = services.guilds.listing(guild_id, Priority::Command).await?;
    let users = entries.iter().filter_map(|entry| user_of(entry.actor));
    let names = services.guilds.known_names(guild_id, users);
    let older = entries.last().filter(|_| entries.len() == ON_PAGE as usize);
    let title = context.text("settings-page-history");
    let around = Around {
        context,
        services,
        listing: &listing,
        names: &names.names,
    };
    let main = html! {
        h1 { (title) }
        (tabs(context, services, guild_id))
        @if let Some(note) = note { (note) }
        @if entries.is_empty() { p { (context.text("settings-page-history-empty")) } }
        @for entry in &entries { (around.entry(guild_id, entry)) }
        @if let Some(entry) = older {
            @let path = format!("{}?before={}", path(guild_id, "history"), entry.request_id);
            p.pager { a.button.quiet href=(path) { (context.text("settings-page-older")) } }
        }
    };
    Ok(context.loaded_again(context.page(&title, &main), names.are_coming))
}

const fn user_of(actor: Actor) -> Option<Id<UserMarker>> {
    match actor {
        Actor::Member(id) | Actor::Web(id) => Some(id),
        Actor::Operator | Actor::Bot => None,
    }
}

struct Around<'a> {
    context: &'a Context,
    services: &'a Services,
    listing: &'a Listing,
    names: &'a HashMap<Id<UserMarker>, Name>,
}

impl Around<'_> {
    /// A change with its button.
    fn entry(&self, guild_id: Id<GuildMarker>, entry: &Entry) -> Markup {
        let language = self.context.language();
        let undo = self
            .context
            .filled("settings-page-undo-of", &[("time", written(entry.at).into())]);
        html! {
            section.card {
                h2 {
                    (self.actor(entry.actor)) " "
                    small { (moment(entry.at)) }
                }
                div.scroll tabindex="0" { table.even {
                    thead { tr {
                        th scope="col" { (self.context.text("settings-page-setting")) }
                        th scope="col" { (self.context.text("settings-page-before")) }
                        th scope="col" { (self.context.text("settings-page-after")) }
                    } }
                    tbody {
                        @for (name, (from, to)) in &entry.difference {
                            @let setting = find(self.services, name);
                            tr {
                                th scope="row" { (plain::label(setting, name, language)) }
                                td { (plain::named(setting, from, self.listing, language)) }
                                td { (plain::named(setting, to, self.listing, language)) }
                            }
                        }
                    }
                } }
                @if entry.is_undone {
                    p { small { (self.context.text("settings-page-taken-back")) } }
                } @else {
                    form method="post" action=(path(guild_id, "history")) {
                        (self.context.token())
                        input type="hidden" name="request" value=(entry.request_id);
                        button.quiet type="submit" aria-label=(undo) { (self.context.text("settings-page-undo")) }
                    }
                }
            }
        }
    }

    /// Who asked for it, and where.
    fn actor(&self, actor: Actor) -> String {
        let name = |id: Id<UserMarker>| {
            let name = self.names.get(&id).map(|name| name.as_plain().to_owned());
            [("name", name.unwrap_or_else(|| id.to_string()).into())]
        };
        match actor {
            Actor::Member(id) => self.context.filled("settings-page-by-member", &name(id)),
            Actor::Web(id) => self.context.filled("settings-page-by-web", &name(id)),
            Actor::Operator => self.context.text("settings-page-by-operator"),
            Actor::Bot => self.context.text("settings-page-by-bot"),
        }
    }
}
