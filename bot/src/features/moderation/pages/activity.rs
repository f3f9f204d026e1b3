//! What each moderator did.

use std::time::Duration;

use maud::html;
use twilight_model::guild::Permissions;

use super::table::{kind, person};
use crate::{
    features::moderation::rows::case::{self, OfModerator},
    interactions::{Services, page::Page},
    support::clock::host_time,
    web::{
        answer::{Answer, Fault},
        chart,
        context::Context,
        period::Period,
        route::Access,
    },
};

/// Moderators that are shown.
const SHOWN: i64 = 100;

/// The cases of each moderator in a period.
#[derive(Debug)]
pub(in crate::features::moderation) struct Activity;

impl Page for Activity {
    fn path(&self) -> &'static str {
        "/servers/{guild}/cases/moderators"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MODERATE_MEMBERS)
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let period = Period::of(context)?;
        let from = host_time() - Duration::from_hours(24 * period.days());
        let rows = case::moderators(&services.store, guild_id, from, SHOWN).await?;
        let most = rows.iter().map(|row| row.cases).max().unwrap_or(0);
        let language = context.language();
        let title = context.text("web-moderators");
        let kinds = |row: &OfModerator| {
            let kinds = row.kinds.iter();
            let kinds = kinds
                .map(|count| format!("{}: {}", kind(language, count.kind), language.number(count.cases)));
            kinds.collect::<Vec<_>>().join(" · ")
        };
        let main = html! {
            h1 { (title) }
            (period.tabs(context, &format!("/servers/{guild_id}/cases/moderators")))
            @if rows.is_empty() {
                p { (context.text("case-list-none")) }
            } @else {
                div.card.scroll tabindex="0" { table {
                    caption.hidden { (title) }
                    thead { tr {
                        th scope="col" { (context.text("web-moderator")) }
                        th.number scope="col" { (context.text("web-cases")) }
                        th scope="col" { (context.text("web-kind")) }
                    } }
                    tbody {
                        @for row in &rows {
                            tr {
                                th scope="row" { (person(guild_id, row.moderator_id, row.name.as_deref())) }
                                td.number { (language.number(row.cases)) (chart::share(row.cases, most)) }
                                td { (kinds(row)) }
                            }
                        }
                    }
                } }
            }
        };
        Ok(context.page(&title, &main))
    }
}
