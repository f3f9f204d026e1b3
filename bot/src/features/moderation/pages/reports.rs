//! A server's reports, with filters.

use maud::{Markup, html};
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::UserMarker},
};

use super::state::State;
use crate::{
    discord::mentions::{Names, Use},
    features::moderation::rows::report_search::{self, Listed, Wanted},
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

/// The longest text that is searched for.
const LONGEST: usize = 100;
/// Characters of a reason in a list.
const REASON: usize = 200;

/// Who sees reports, as in the staff's channel.
pub(super) const STAFF: Permissions = Permissions::MODERATE_MEMBERS;

/// The reports of a server.
#[derive(Debug)]
pub(in crate::features::moderation) struct ReportList;

impl Page for ReportList {
    fn path(&self) -> &'static str {
        "/servers/{guild}/reports"
    }

    fn access(&self) -> Access {
        Access::Staff(STAFF)
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-reports")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let path = format!("/servers/{guild_id}/reports");
        let search = Search::of(context)?;
        let mut found = report_search::list(&services.store, guild_id, &search.wanted, list::READ).await?;
        let older = list::cut(&mut found).map(|last| search.older(&path, last));
        let people = found.iter().flat_map(|report| {
            let staff = report.claimed_by.into_iter().chain(report.closed_by);
            staff.chain([report.user_id])
        });
        let names = Names::of(&services.guilds, guild_id, people, Use::Page).await;
        let title = context.text("web-reports");
        let main = html! {
            h1 { (title) }
            (search.form(context, &path))
            @if found.is_empty() {
                p { (context.text("web-reports-none")) }
            } @else {
                (table(context, &names, &path, &found))
            }
            (list::pager(context, search.wanted.before.map(|_| &*path), older.as_deref()))
        };
        Ok(context.loaded_again(context.page(&title, &main), names.are_coming()))
    }
}

/// Which reports a page asks for.
struct Search {
    wanted: Wanted,
    state: State,
}

impl Search {
    fn of(context: &Context) -> Result<Self, Fault> {
        let (searched, state) = (Searched(context), State::of(context)?);
        let text = searched.text("q");
        Ok(Self {
            wanted: Wanted {
                user_id: searched.id("member")?,
                reporter_id: searched.id("reporter")?,
                is_open: state.is_open(),
                text: text.map(|text| text.chars().take(LONGEST).collect()),
                before: searched.before()?,
            },
            state,
        })
    }

    /// The path of the reports below this one.
    fn older(&self, path: &str, last: &Listed) -> String {
        let fields = [
            ("state", self.state.word()),
            ("member", &*list::id(self.wanted.user_id)),
            ("reporter", &*list::id(self.wanted.reporter_id)),
            ("q", self.wanted.text.as_deref().unwrap_or_default()),
            ("before", &*last.report_id.to_string()),
        ];
        link(path, &fields)
    }

    fn form(&self, context: &Context, path: &str) -> Markup {
        let text = |key: &str| context.text(key);
        let fields = html! {
            (self.state.menu(context))
            (search_field("member", &text("web-member-id"), &list::id(self.wanted.user_id)))
            (search_field("reporter", &text("web-reports-reporter-id"), &list::id(self.wanted.reporter_id)))
            (search_field("q", &text("web-reason-with"), self.wanted.text.as_deref().unwrap_or_default()))
        };
        list::search(context, path, &fields)
    }
}

fn table(context: &Context, names: &Names, path: &str, reports: &[Listed]) -> Markup {
    let text = |key: &str| context.text(key);
    html! {
        div.card.scroll tabindex="0" { table {
            caption.hidden { (text("web-reports")) }
            thead { tr {
                th scope="col" { (text("web-report")) }
                th scope="col" { (text("web-member")) }
                th scope="col" { (text("web-reason")) }
                th scope="col" { (text("web-reports-state")) }
            } }
            tbody {
                @for report in reports {
                    tr {
                        th scope="row" { a href={ (path) "/" (report.report_id) } { (moment(report.created_at)) } }
                        td { (names.member(report.user_id)) }
                        td.long {
                            (excerpt(report.reason.as_deref().unwrap_or_default(), REASON))
                            @if report.members > 1 {
                                " · " small {
                                    (context.filled("web-report-members", &[("members", Value::Count(report.members.unsigned_abs()))]))
                                }
                            }
                        }
                        td { (state(context, names, (report.claimed_by, report.closed_by, report.case_id))) }
                    }
                }
            }
        } }
    }
}

/// What the staff did about a report: the moderators who claimed and closed it, and the case that it led to.
pub(super) fn state(
    context: &Context,
    names: &Names,
    (claimed_by, closed_by, case_id): (Option<Id<UserMarker>>, Option<Id<UserMarker>>, Option<i64>),
) -> String {
    let by = |key: &str, moderator: Id<UserMarker>| {
        let case = case_id.unwrap_or_default().to_string();
        let values = [("moderator", moderator.to_string().into()), ("case", case.into())];
        names.in_text(&context.filled(key, &values))
    };
    match (closed_by, claimed_by) {
        (Some(moderator), _) if case_id.is_some() => by("report-acted", moderator),
        (Some(moderator), _) => by("report-dismissed", moderator),
        (None, Some(moderator)) => by("report-claimed", moderator),
        (None, None) => context.text("web-reports-open"),
    }
}
