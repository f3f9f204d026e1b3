//! A server's reports, with filters.

use maud::{Markup, html};
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::UserMarker},
};

use crate::{
    features::moderation::rows::report_search::{self, Listed, Wanted},
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

/// Reports per page.
const A_PAGE: u8 = 50;
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
        // One more than fits says whether there is another page.
        let limit = i64::from(A_PAGE) + 1;
        let mut found = report_search::list(&services.store, guild_id, &search.wanted, limit).await?;
        let has_more = found.len() > usize::from(A_PAGE);
        found.truncate(usize::from(A_PAGE));
        let people = found.iter().flat_map(|report| {
            let staff = report.claimed_by.into_iter().chain(report.closed_by);
            staff.chain([report.user_id])
        });
        let names = Names::of(&services.guilds, guild_id, people).await;
        let last = found.last().filter(|_| has_more).map(|last| last.report_id);
        let title = context.text("web-reports");
        let main = html! {
            h1 { (title) }
            (search.form(context, &path))
            @if found.is_empty() {
                p { (context.text("web-reports-none")) }
            } @else {
                (table(context, &names, &path, &found))
            }
            @if search.wanted.before.is_some() || last.is_some() {
                nav.pager aria-label=(context.text("web-pages")) {
                    @if search.wanted.before.is_some() { a.button.quiet href=(path) { (context.text("web-newest")) } }
                    @if let Some(last) = last {
                        a.button.quiet href=(search.link(&path, &last.to_string())) rel="next" { (context.text("web-older")) }
                    }
                }
            }
        };
        Ok(context.page(&title, &main))
    }
}

/// Which reports a page asks for.
struct Search {
    wanted: Wanted,
    /// `open` or `closed`, or empty for both.
    state: &'static str,
}

impl Search {
    fn of(context: &Context) -> Result<Self, Fault> {
        let field = |name: &str| {
            let value = context.query().get(name).map(str::trim);
            value.filter(|value| !value.is_empty())
        };
        let user = |name: &str| match field(name) {
            None => Ok(None),
            Some(written) => match ids::written(written) {
                Some(id) => Ok::<Option<Id<UserMarker>>, Fault>(Some(id)),
                None => Err(Fault::Bad(context.text("web-bad-id"))),
            },
        };
        let bad = || Fault::Bad(context.text("web-bad-page"));
        let state = match context.query().get("state") {
            None | Some("open") => "open",
            Some("closed") => "closed",
            Some("") => "",
            Some(_) => return Err(bad()),
        };
        let before = field("before").map(|written| ids::written(written).ok_or_else(bad));
        Ok(Self {
            wanted: Wanted {
                user_id: user("member")?,
                reporter_id: user("reporter")?,
                is_open: (!state.is_empty()).then_some(state == "open"),
                text: field("q").map(|text| text.replace('\0', "").chars().take(LONGEST).collect()),
                before: before.transpose()?,
            },
            state,
        })
    }

    /// The path of the reports below this one. Without `state` a page shows those that are open.
    fn link(&self, path: &str, before: &str) -> String {
        let written = |id: Option<Id<UserMarker>>| id.map(|id| id.to_string()).unwrap_or_default();
        let fields = [
            ("member", &*written(self.wanted.user_id)),
            ("reporter", &written(self.wanted.reporter_id)),
            ("q", self.wanted.text.as_deref().unwrap_or_default()),
            ("before", before),
        ];
        let link = link(path, &fields);
        let mark = if link.contains('?') { '&' } else { '?' };
        format!("{link}{mark}state={}", self.state)
    }

    fn form(&self, context: &Context, path: &str) -> Markup {
        let text = |key: &str| context.text(key);
        let written = |id: Option<Id<UserMarker>>| id.map(|id| id.to_string()).unwrap_or_default();
        let states = [
            ("open", text("web-reports-open")),
            ("closed", text("web-reports-closed")),
            ("", text("web-any")),
        ];
        html! {
            form.search method="get" action=(path) role="search" {
                (search_choice("state", &text("web-reports-state"), self.state, &states))
                (search_field("member", &text("web-member-id"), &written(self.wanted.user_id)))
                (search_field("reporter", &text("web-reports-reporter-id"), &written(self.wanted.reporter_id)))
                (search_field("q", &text("web-reason-with"), self.wanted.text.as_deref().unwrap_or_default()))
                button.quiet type="submit" { (text("web-search")) }
            }
        }
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
