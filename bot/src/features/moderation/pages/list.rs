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
        route::Access,
    },
};

/// Cases per page.
const A_PAGE: u8 = 50;

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
    let text = search.text.as_deref();
    // One more than fits says whether there is another page.
    let (wanted, limit) = ((text, search.before), i64::from(A_PAGE) + 1);
    let mut cases = case::search(&services.store, guild_id, search.filter, wanted, limit).await?;
    let has_more = cases.len() > usize::from(A_PAGE);
    cases.truncate(usize::from(A_PAGE));
    let last = cases.last().map(|case| case.case_id).filter(|_| has_more);
    Ok(html! {
        @if cases.is_empty() {
            p { (context.text("case-list-none")) }
        } @else {
            (table::cases(context, guild_id, &cases))
        }
        @if search.before.is_some() || has_more {
            nav.pager aria-label=(context.text("web-pages")) {
                @if search.before.is_some() {
                    a.button.quiet href=(path) { (context.text("web-newest")) }
                }
                @if let Some(last) = last {
                    a.button.quiet href=(search.older(path, last)) rel="next" { (context.text("web-older")) }
                }
            }
        }
    })
}
