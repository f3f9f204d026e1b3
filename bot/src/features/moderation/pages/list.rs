//! A server's cases with filters, and those of one member.

use maud::{Markup, html};
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
};

use super::{search::Search, table};
use crate::{
    features::moderation::rows::case::{self, OfKind},
    interactions::{Services, page::Page},
    web::{
        answer::{Answer, Fault},
        context::Context,
        list,
        route::Access,
    },
};

/// All cases of a server.
#[derive(Debug)]
pub(in crate::features::moderation) struct CaseList;

/// The cases of a member.
#[derive(Debug)]
pub(in crate::features::moderation) struct MemberHistory;

impl Page for CaseList {
    fn path(&self) -> &'static str {
        "/servers/{guild}/cases"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MODERATE_MEMBERS)
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-cases")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let search = Search::of(context)?;
        let path = format!("/servers/{guild_id}/cases");
        let found = found(context, services, guild_id, &search, &path).await?;
        let title = context.text("web-cases");
        let main = html! {
            h1 { (title) }
            (search.form(context, &path, true))
            (found)
            p { a href={ (path) "/moderators" } { (context.text("web-moderators")) } }
        };
        Ok(context.page(&title, &main))
    }
}

impl Page for MemberHistory {
    fn path(&self) -> &'static str {
        "/servers/{guild}/cases/members/{user}"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MODERATE_MEMBERS)
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let user_id: Id<UserMarker> = context.id("user")?;
        let mut search = Search::of(context)?;
        search.filter.user_id = Some(user_id);
        let path = format!("/servers/{guild_id}/cases/members/{user_id}");
        let counts = case::kinds_of(&services.store, guild_id, user_id).await?;
        let found = found(context, services, guild_id, &search, &path).await?;
        let title = context.filled("web-member-history", &[("user", user_id.to_string().into())]);
        let main = html! {
            h1 { (title) }
            (facts(context, &counts))
            (search.form(context, &path, false))
            (found)
        };
        Ok(context.page(&title, &main))
    }
}

/// How many cases of each kind there are.
fn facts(context: &Context, counts: &[OfKind]) -> Markup {
    let language = context.language();
    html! {
        @if !counts.is_empty() {
            dl.facts {
                @for count in counts {
                    div {
                        dt { (table::kind(language, count.kind)) }
                        dd { (language.number(count.cases)) }
                    }
                }
            }
        }
    }
}

async fn found(
    context: &Context,
    services: &Services,
    guild_id: Id<GuildMarker>,
    search: &Search,
    path: &str,
) -> Result<Markup, Fault> {
    let wanted = (search.text.as_deref(), search.before);
    let mut cases = case::search(&services.store, guild_id, search.filter, wanted, list::READ).await?;
    let older = list::cut(&mut cases).map(|last| search.older(path, last.case_id));
    Ok(html! {
        @if cases.is_empty() {
            p { (context.text("case-list-none")) }
        } @else {
            (table::cases(context, guild_id, &cases))
        }
        (list::pager(context, search.before.map(|_| path), older.as_deref()))
    })
}
