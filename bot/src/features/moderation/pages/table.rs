//! Cases as rows of a table.

use maud::{Markup, html};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use crate::{
    discord::mentions::Names,
    features::moderation::{kind::Kind, rows::case::Case, texts},
    support::{i18n::Language, text::limits::excerpt},
    web::{context::Context, elements::moment},
};

/// Characters of a reason in a list.
const REASON: usize = 200;

/// The name of a kind of cases.
pub(super) fn kind(language: Language, kind: Option<Kind>) -> String {
    match kind {
        Some(kind) => texts::kind(language, kind),
        None => language.text("case-kind-unknown"),
    }
}

/// A user by the name of that time, with a link to their cases.
pub(super) fn person(guild_id: Id<GuildMarker>, user_id: Id<UserMarker>, name: Option<&str>) -> Markup {
    let path = format!("/servers/{guild_id}/cases/members/{user_id}");
    html! {
        a href=(path) { (name.map_or_else(|| user_id.to_string(), str::to_owned)) }
    }
}

/// Whom a report or an appeal is about, what became of it, and more facts by their labels.
pub(super) fn facts(
    context: &Context,
    (guild_id, names): (Id<GuildMarker>, &Names),
    (user_id, state): (Id<UserMarker>, &str),
    more: &[(&str, Markup)],
) -> Markup {
    html! {
        dl.facts {
            div {
                dt { (context.text("web-member")) }
                dd { (person(guild_id, user_id, Some(&names.member(user_id)))) }
            }
            div { dt { (context.text("web-reports-state")) } dd { (state) } }
            @for (key, value) in more {
                div { dt { (context.text(key)) } dd { (value) } }
            }
        }
    }
}

/// A list of cases.
pub(super) fn cases(context: &Context, guild_id: Id<GuildMarker>, cases: &[Case]) -> Markup {
    let text = |key: &str| context.text(key);
    html! {
        div.card.scroll tabindex="0" { table {
            caption.hidden { (text("web-cases")) }
            thead { tr {
                th scope="col" { (text("web-case")) }
                th scope="col" { (text("web-kind")) }
                th scope="col" { (text("web-member")) }
                th scope="col" { (text("web-moderator")) }
                th scope="col" { (text("web-reason")) }
                th scope="col" { (text("web-at")) }
            } }
            tbody {
                @for case in cases {
                    tr {
                        th scope="row" { a href={ "/servers/" (guild_id) "/cases/" (case.case_id) } { "#" (case.case_id) } }
                        td { (kind(context.language(), case.kind)) (state(context, case)) }
                        td { (person(guild_id, case.user_id, case.user_name.as_deref())) }
                        td { (person(guild_id, case.moderator_id, case.moderator_name.as_deref())) }
                        td { (excerpt(&case.reason, REASON)) }
                        td { (moment(case.created_at)) }
                    }
                }
            }
        } }
    }
}

fn state(context: &Context, case: &Case) -> Markup {
    html! {
        @if case.removed_at.is_some() { " · " small { (context.text("web-case-is-removed")) } }
        @if case.hidden_at.is_some() { " · " small { (context.text("case-hidden")) } }
    }
}
