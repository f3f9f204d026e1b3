//! Appeals of banned users, for the staff.

use maud::{Markup, html};
use twilight_model::{guild::Permissions, id::Id};

use crate::{
    features::moderation::rows::appeal::{self, Appeal, Wanted},
    interactions::{Services, page::Page},
    support::{i18n::Value, ids, text::limits::excerpt},
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::{link, moment, search_choice, search_field},
        names::Names,
        route::Access,
    },
};

/// Appeals per page.
const A_PAGE: u8 = 50;
/// Characters of an appeal in a list.
const TEXT: usize = 200;

/// Who sees appeals, and votes. Deciding one takes what a ban takes.
pub(super) const STAFF: Permissions = Permissions::MODERATE_MEMBERS;

/// The appeals of a server.
#[derive(Debug)]
pub(in crate::features::moderation) struct AppealList;

impl Page for AppealList {
    fn path(&self) -> &'static str {
        "/servers/{guild}/appeals"
    }

    fn access(&self) -> Access {
        Access::Staff(STAFF)
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-appeals")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let path = format!("/servers/{guild_id}/appeals");
        let (wanted, state) = wanted(context)?;
        // One more than fits says whether there is another page.
        let mut found = appeal::list(&services.store, guild_id, wanted, i64::from(A_PAGE) + 1).await?;
        let has_more = found.len() > usize::from(A_PAGE);
        found.truncate(usize::from(A_PAGE));
        let people = found
            .iter()
            .flat_map(|appeal| appeal.closed_by.into_iter().chain([appeal.user_id]));
        let names = Names::of(&services.guilds, guild_id, people).await;
        let member = wanted.user_id.map(|id| id.to_string()).unwrap_or_default();
        let older = found.last().filter(|_| has_more).map(|last| {
            let before = last.id.to_string();
            link(
                &path,
                &[("state", state), ("member", &member), ("before", &before)],
            )
        });
        let states = [
            ("open", context.text("web-reports-open")),
            ("closed", context.text("web-reports-closed")),
            ("all", context.text("web-any")),
        ];
        let title = context.text("web-appeals");
        let main = html! {
            h1 { (title) }
            form.search method="get" action=(path) role="search" {
                (search_choice("state", &context.text("web-reports-state"), state, &states))
                (search_field("member", &context.text("web-member-id"), &member))
                button.quiet type="submit" { (context.text("web-search")) }
            }
            @if found.is_empty() {
                p { (context.text("web-appeals-none")) }
            } @else {
                (table(context, &names, &path, &found))
            }
            @if wanted.before.is_some() || older.is_some() {
                nav.pager aria-label=(context.text("web-pages")) {
                    @if wanted.before.is_some() { a.button.quiet href=(path) { (context.text("web-newest")) } }
                    @if let Some(older) = older { a.button.quiet href=(older) rel="next" { (context.text("web-older")) } }
                }
            }
        };
        Ok(context.page(&title, &main))
    }
}

/// Which appeals the query asks for, and its state. Without one, those that are open.
fn wanted(context: &Context) -> Result<(Wanted, &'static str), Fault> {
    let field = |name: &str| {
        let value = context.query().get(name).map(str::trim);
        value.filter(|value| !value.is_empty())
    };
    let bad = |key: &str| Fault::Bad(context.text(key));
    let (state, is_open) = match field("state") {
        None | Some("open") => ("open", Some(true)),
        Some("closed") => ("closed", Some(false)),
        Some("all") => ("all", None),
        Some(_) => return Err(bad("web-bad-page")),
    };
    let user = field("member").map(|written| ids::written(written).ok_or_else(|| bad("web-bad-id")));
    let before = field("before").map(|written| ids::written(written).ok_or_else(|| bad("web-bad-page")));
    let wanted = Wanted {
        appeal_id: None,
        user_id: user.transpose()?,
        is_open,
        before: before.transpose()?,
    };
    Ok((wanted, state))
}

fn table(context: &Context, names: &Names, path: &str, appeals: &[Appeal]) -> Markup {
    let text = |key: &str| context.text(key);
    html! {
        div.card.scroll tabindex="0" { table {
            caption.hidden { (text("web-appeals")) }
            thead { tr {
                th scope="col" { (text("web-appeal")) }
                th scope="col" { (text("web-member")) }
                th scope="col" { (text("web-appeal-text")) }
                th scope="col" { (text("web-appeal-votes")) }
                th scope="col" { (text("web-reports-state")) }
            } }
            tbody {
                @for appeal in appeals {
                    tr {
                        th scope="row" { a href={ (path) "/" (appeal.id) } { (moment(appeal.created_at)) } }
                        td { (names.member(appeal.user_id)) }
                        td.long { (excerpt(&appeal.text, TEXT)) }
                        td { (votes(context, appeal)) }
                        td { (state(context, names, appeal)) }
                    }
                }
            }
        } }
    }
}

/// The numbers of votes.
pub(super) fn votes(context: &Context, appeal: &Appeal) -> String {
    let (votes_for, votes_against) = appeal.votes;
    let values = [
        ("for", Value::Count(votes_for.unsigned_abs())),
        ("against", Value::Count(votes_against.unsigned_abs())),
    ];
    context.filled("web-appeal-counted", &values)
}

/// Who decided an appeal, and how.
pub(super) fn state(context: &Context, names: &Names, appeal: &Appeal) -> String {
    let moderator = appeal.closed_by.unwrap_or(Id::new(1));
    let by = [("moderator", names.member(moderator).into())];
    match appeal.is_accepted {
        None => context.text("web-reports-open"),
        Some(true) => context.filled("web-appeal-accepted", &by),
        Some(false) => context.filled("web-appeal-declined", &by),
    }
}
