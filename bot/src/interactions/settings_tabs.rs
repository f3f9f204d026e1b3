//! The links between the pages for a server's settings: a page for each section, and the pages that features add.

use maud::{Markup, html};
use twilight_model::id::{Id, marker::GuildMarker};

use super::Services;
use crate::{
    settings::{columns, section::Section},
    web::context::Context,
};

/// All sections: those of columns, and those of features.
pub(crate) fn sections(services: &Services) -> impl Iterator<Item = &'static Section> {
    columns::SECTIONS.into_iter().chain(services.commands.sections())
}

/// The path of a page below the settings of a server.
pub(crate) fn path(guild_id: Id<GuildMarker>, below: &str) -> String {
    let separator = if below.is_empty() { "" } else { "/" };
    format!("/servers/{guild_id}/settings{separator}{below}")
}

/// Links to all pages.
pub(crate) fn tabs(context: &Context, services: &Services, guild_id: Id<GuildMarker>) -> Markup {
    let here = context.path().split('?').next().unwrap_or_default().to_owned();
    let link = |path: String, label: String| {
        let current = (path == here).then_some("page");
        html! { a href=(path) aria-current=[current] { (label) } }
    };
    html! {
        nav.tabs aria-label=(context.text("settings-page-sections")) {
            (link(path(guild_id, ""), context.text("settings-page-overview")))
            @for section in sections(services) {
                (link(path(guild_id, section.name), section.title(context.language())))
            }
            @for (path, label) in context.tabs() { (link(path, label)) }
        }
    }
}
