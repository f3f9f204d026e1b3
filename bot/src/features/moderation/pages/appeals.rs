//! Appeals of banned users, for the staff.

use maud::{Markup, html};
use twilight_model::guild::Permissions;

use super::state::State;
use crate::{
    discord::mentions::{Names, Use},
    features::moderation::{
        appeals::why_ended,
        rows::appeal::{self, Appeal, Wanted},
    },
    interactions::{Services, page::Page},
    support::{i18n::Value, text::limits::excerpt},
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::{link, moment, search_field},
        list::{self, Searched},
        route::Access,
    },
};

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
        let (searched, state) = (Searched(context), State::of(context)?);
        let wanted = Wanted {
            appeal_id: None,
            user_id: searched.id("member")?,
            is_open: state.is_open(),
            before: searched.before()?,
        };
        let mut found = appeal::list(&services.store, guild_id, wanted, list::READ).await?;
        let member = list::id(wanted.user_id);
        let older = list::cut(&mut found).map(|last| {
            let before = last.id.to_string();
            let fields = [
                ("state", state.word()),
                ("member", &*member),
                ("before", &*before),
            ];
            link(&path, &fields)
        });
        let people = found
            .iter()
            .flat_map(|appeal| appeal.closed_by.into_iter().chain([appeal.user_id]));
        let names = Names::of(&services.guilds, guild_id, people, Use::Page).await;
        let fields = html! {
            (state.menu(context))
            (search_field("member", &context.text("web-member-id"), &member))
        };
        let title = context.text("web-appeals");
        let main = html! {
            h1 { (title) }
            (list::search(context, &path, &fields))
            @if found.is_empty() {
                p { (context.text("web-appeals-none")) }
            } @else {
                (table(context, &names, &path, &found))
            }
            (list::pager(context, wanted.before.map(|_| &*path), older.as_deref()))
        };
        Ok(context.loaded_again(context.page(&title, &main), names.are_coming()))
    }
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
    let moderator = appeal.closed_by.map(|moderator| names.member(moderator));
    if let Some(how) = appeal.ended {
        return why_ended(context.language(), how, moderator);
    }
    let by = [("moderator", moderator.unwrap_or_default().into())];
    match appeal.is_accepted {
        None => context.text("web-reports-open"),
        Some(true) => context.filled("web-appeal-accepted", &by),
        Some(false) => context.filled("web-appeal-declined", &by),
    }
}
