//! A case with everything that is known of it.

use maud::{Markup, html};
use serde_json::Value as Json;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use super::table::{self, person};
use crate::{
    features::moderation::rows::{
        case::{self, Case},
        case_note::{self, Note},
    },
    interactions::{Services, page::Page},
    postgres::request::entries::{self, Entry},
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::moment,
        route::Access,
    },
};

/// Notes and changes that are shown.
const SHOWN: i64 = 100;

/// A case.
#[derive(Debug)]
pub(in crate::features::moderation) struct CasePage;

impl Page for CasePage {
    fn path(&self) -> &'static str {
        "/servers/{guild}/cases/{case}"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MODERATE_MEMBERS)
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let number = context.param("case").and_then(|number| number.parse().ok());
        let key = (guild_id, number.ok_or(Fault::NotFound)?);
        let case = case::get(&services.store, key).await?.ok_or(Fault::NotFound)?;
        let (notes, _) = case_note::newest(&services.store, key, SHOWN).await?;
        let changes = entries::about(&services.store, guild_id, key.1, SHOWN).await?;
        let values = [
            ("case", case.case_id.to_string().into()),
            ("kind", table::kind(context.language(), case.kind).into()),
        ];
        let title = context.filled("case-view-title", &values);
        let main = html! {
            h1 { (title) }
            (facts(context, guild_id, &case))
            h2 { (context.text("web-reason")) }
            p.text.card { @if case.reason.is_empty() { (context.text("case-view-no-reason")) } @else { (case.reason) } }
            (noted(context, guild_id, &notes))
            (changed(context, guild_id, &changes))
            p { a href={ "/servers/" (guild_id) "/cases" } { (context.text("web-cases")) } }
        };
        Ok(context.page(&title, &main))
    }
}

fn facts(context: &Context, guild_id: Id<GuildMarker>, case: &Case) -> Markup {
    let fact = |key: &str, value: Markup| {
        html! { div { dt { (context.text(key)) } dd { (value) } } }
    };
    let at =
        |key: &str, at: Option<std::time::SystemTime>| at.map(|at| fact(key, moment(at))).unwrap_or_default();
    html! {
        dl.facts {
            (fact("web-member", person(guild_id, case.user_id, case.user_name.as_deref())))
            (fact("web-moderator", person(guild_id, case.moderator_id, case.moderator_name.as_deref())))
            (fact("web-at", moment(case.created_at)))
            (at("web-case-expires", case.expires_at))
            (at("web-case-ends", case.ends_at))
            (at("web-case-ended", case.ended_at))
            (at("web-case-removed", case.removed_at))
            (at("web-case-hidden-at", case.hidden_at))
        }
        @if let Some(outcome) = outcome(case) {
            p.note { (context.text(outcome)) }
        }
        @if let Some(reason) = &case.removed_reason {
            h2 { (context.text("web-case-removed-why")) }
            p.text.card { (reason) }
        }
    }
}

/// What became of the action, if it did not simply succeed.
fn outcome(case: &Case) -> Option<&'static str> {
    match case.outcome.as_deref()? {
        "done" => None,
        "gone" => Some("case-outcome-gone"),
        "retried" => Some("case-outcome-retried"),
        _ => Some("case-outcome-failed"),
    }
}

fn noted(context: &Context, guild_id: Id<GuildMarker>, notes: &[Note]) -> Markup {
    html! {
        @if !notes.is_empty() {
            h2 { (context.text("web-case-notes")) }
            ul.list.card {
                @for note in notes {
                    li {
                        p { (person(guild_id, note.author_id, note.author_name.as_deref())) " · " (moment(note.created_at)) }
                        p.text { (note.note) }
                    }
                }
            }
        }
    }
}

fn changed(context: &Context, guild_id: Id<GuildMarker>, changes: &[Entry]) -> Markup {
    html! {
        @if !changes.is_empty() {
            h2 { (context.text("web-case-changes")) }
            ul.list.card {
                @for change in changes {
                    li {
                        p {
                            code { (change.action) } " · " (moment(change.created_at))
                            @if let Some(actor_id) = change.actor_id { " · " (person(guild_id, actor_id, None)) }
                        }
                        @if let Some(reason) = reason_before(change) {
                            p { (context.text("web-case-reason-before")) }
                            p.text { (reason) }
                        }
                    }
                }
            }
        }
    }
}

/// The reason that a change replaced.
fn reason_before(change: &Entry) -> Option<String> {
    let before: Json = serde_json::from_str(change.before.as_deref()?).ok()?;
    before["reason"].as_str().map(str::to_owned)
}
