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
        settings_tabs::{path, sections, tabs},
    },
    settings::{
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

fn find(services: &Services, name: &str) -> Option<Setting> {
    Setting::find(sections(services), name).ok()
}

/// What a guild chose. It is read from the database each time, because a form must show the current values.
async fn chosen(services: &Services, guild_id: Id<GuildMarker>) -> Result<Snapshot, Fault> {
    let rows = table::read(&services.store, &[guild_id]).await?;
    let mut chosen = rows.first().map(snapshot).unwrap_or_default();
    chosen.extend(services.commands.row_settings(&services.store, guild_id).await?);
    Ok(chosen)
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
                @for (path, label) in context.tabs() {
                    li { a href=(path) { strong { (label) } } }
                }
            }
        };
        Ok(context.page(&title, &main))
    }
}
