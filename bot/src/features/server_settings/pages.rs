//! The pages for a server's settings. They are made from the definitions of the settings, so those of a new feature appear by themselves.

mod document;
mod entered;
mod export;
mod history;
mod inputs;
mod plain;
mod section;
mod transfer;

use maud::{Markup, html};
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use crate::{
    interactions::{
        Services,
        page::{AnyPage, Page},
    },
    settings::{
        columns,
        history::{Snapshot, snapshot},
        section::{Section, Setting},
        table,
    },
    support::i18n::Value,
    web::{
        answer::{Answer, Fault},
        context::Context,
        route::Access,
    },
};

/// The pages.
pub(super) const PAGES: &[&dyn AnyPage] = &[
    &Overview,
    &section::SectionPage,
    &history::History,
    &transfer::Transfer,
    &export::Export,
    &super::audit_page::AuditLog,
];

/// Who may see and change settings.
const STAFF: Access = Access::Staff(Permissions::MANAGE_GUILD);

/// All sections: those of columns, and those of features.
fn sections(services: &Services) -> impl Iterator<Item = &'static Section> {
    columns::SECTIONS.into_iter().chain(services.commands.sections())
}

fn find(services: &Services, name: &str) -> Option<Setting> {
    Setting::find(sections(services), name).ok()
}

/// What a guild chose. It is read from the database each time, because a form must show the current values.
async fn chosen(services: &Services, guild_id: Id<GuildMarker>) -> Result<Snapshot, Fault> {
    let rows = table::read(&services.store, &[guild_id]).await?;
    Ok(rows.first().map(snapshot).unwrap_or_default())
}

/// The path of a page below the settings of a server.
fn path(guild_id: Id<GuildMarker>, below: &str) -> String {
    let separator = if below.is_empty() { "" } else { "/" };
    format!("/servers/{guild_id}/settings{separator}{below}")
}

/// Links to all sections and to what concerns all of them.
fn tabs(context: &Context, services: &Services, guild_id: Id<GuildMarker>) -> Markup {
    let here = context.path().split('?').next().unwrap_or_default().to_owned();
    let link = |below: &str, label: String| {
        let path = path(guild_id, below);
        let current = (path == here).then_some("page");
        html! { a href=(path) aria-current=[current] { (label) } }
    };
    html! {
        nav.tabs aria-label=(context.text("settings-page-sections")) {
            (link("", context.text("settings-page-overview")))
            @for section in sections(services) {
                (link(section.name, section.title(context.language())))
            }
            (link("history", context.text("settings-page-history")))
            (link("transfer", context.text("settings-page-transfer")))
        }
    }
}

fn note(kind: &str, text: &str) -> Markup {
    let role = if kind == "bad" { "alert" } else { "status" };
    html! { p class=(format!("note {kind}")) role=(role) { (text) } }
}

/// The list of sections.
struct Overview;

impl Page for Overview {
    fn path(&self) -> &'static str {
        "/servers/{guild}/settings"
    }

    fn access(&self) -> Access {
        STAFF
    }

    fn link(&self) -> Option<&'static str> {
        Some("settings-page-title")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.guild()?;
        let chosen = chosen(services, guild_id).await?;
        let title = context.text("settings-page-title");
        let changed = |section: &'static Section| {
            let changed = section
                .settings()
                .filter(|setting| setting.chosen_in(&chosen).is_some());
            let count = changed.count() as u64;
            context.filled(
                "settings-page-changed",
                &[
                    ("count", context.language().number(count).into()),
                    ("n", Value::Count(count)),
                ],
            )
        };
        let main = html! {
            h1 { (title) }
            (tabs(context, services, guild_id))
            ul.list.card {
                @for section in sections(services) {
                    li {
                        a href=(path(guild_id, section.name)) {
                            strong { (section.title(context.language())) } " "
                            small { (changed(section)) }
                        }
                    }
                }
            }
        };
        Ok(context.page(&title, &main))
    }
}
