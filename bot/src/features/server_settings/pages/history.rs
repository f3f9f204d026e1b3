//! The history of a server's settings: who changed what, with a button to take each change back.

use std::collections::HashMap;

use maud::{Markup, html};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use super::{STAFF, note, path, plain, tabs};
use crate::{
    discord::{mentions::Names, rest::Priority},
    interactions::{CommandContext, Services, page::Page, undoing, web_form::Outcome},
    postgres::request::Actor,
    settings::history::{Entry, entries},
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
        let asked = CommandContext::of_press(context, "settings", &[])?;
        let result = undoing::take_back(&asked, services, id).await;
        let outcome = Outcome::of(context, services, result).await?;
        if outcome.is_done {
            return Ok(Answer::see_other(&format!(
                "{}?undone=1",
                path(guild_id, "history")
            )));
        }
        let answer = render(context, services, Some(outcome.note())).await?;
        Ok(outcome.on(answer))
    }
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
        names: &names.names,
        plain: plain::Around {
            services,
            listing: &listing,
            names: &Names::of_listing(&listing),
            language: context.language(),
        },
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
    names: &'a HashMap<Id<UserMarker>, Name>,
    plain: plain::Around<'a>,
}

impl Around<'_> {
    /// A change with its button.
    fn entry(&self, guild_id: Id<GuildMarker>, entry: &Entry) -> Markup {
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
                            tr {
                                th scope="row" { (plain::label(&self.plain, name)) }
                                td { (plain::named(&self.plain, name, from)) }
                                td { (plain::named(&self.plain, name, to)) }
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
