//! The leaderboard of a server.

use std::{collections::HashMap, sync::Arc};

use maud::{Markup, html};
use twilight_model::id::{Id, marker::UserMarker};

use super::{
    recent::RecentPages,
    visibility::{self, Viewed},
};
use crate::{
    discord::{guilds::names::KnownNames, rest::Priority},
    features::levels::{
        commands::leaderboard::By,
        rows::{
            leaderboard::Line,
            public_board::{self, From, Page as BoardPage},
        },
        settings::Visibility,
    },
    interactions::{Services, page::Page},
    support::{i18n::Value, ids, text::names::Name},
    web::{
        answer::{Answer, Fault},
        context::Context,
        layout::{Document, Preview},
        route::Access,
    },
};

/// Lines per page, and members that a search finds.
const LINES: u32 = 25;
const FOUND: u16 = 10;
/// Characters of a search that are used.
const LONGEST_QUERY: usize = 32;
/// A search asks Discord, so it counts as this many requests.
const COST: u32 = 20;

#[derive(Debug)]
pub(crate) struct Leaderboard;

impl Page for Leaderboard {
    fn path(&self) -> &'static str {
        "/servers/{guild}/leaderboard"
    }

    fn access(&self) -> Access {
        Access::Public
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-leaderboard")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let viewed = visibility::admit(context, services).await?;
        let by = context.query().get("by").and_then(By::of).unwrap_or(By::Xp);
        let order = by.order_at(ids::to_millis(services.rest.clock().now()));
        let searched = context
            .query()
            .get("q")
            .map(str::trim)
            .filter(|query| !query.is_empty());
        let searched: Option<String> = searched.map(|query| query.chars().take(LONGEST_QUERY).collect());
        let page = if let Some(query) = &searched {
            context.charge(COST)?;
            let found = services
                .guilds
                .search_members(viewed.guild_id, query, FOUND, Priority::Background)
                .await?;
            BoardPage {
                lines: public_board::these(&services.store, viewed.guild_id, order, &found).await?,
                ..BoardPage::default()
            }
        } else {
            let recent = services.state.get::<Arc<RecentPages>>().expect("levels add it");
            recent
                .page(&services.store, viewed.guild_id, order, from(context), LINES)
                .await?
        };
        let board = Board {
            names: names(services, &viewed, &page.lines),
            searched: searched.unwrap_or_default(),
            viewed,
            by,
            page,
        };
        let are_coming = board.names.are_coming;
        Ok(context.loaded_again(board.shown(context), are_coming))
    }
}

/// Where the page begins. What cannot be read begins at the start.
fn from(context: &Context) -> From {
    let query = context.query();
    let after = query.get("after").and_then(From::after);
    let before = || query.get("before").and_then(From::before);
    after.or_else(before).unwrap_or(From::Start)
}

/// The names of members that are known now.
pub(super) fn names(services: &Services, viewed: &Viewed, lines: &[Line]) -> KnownNames {
    let users = lines.iter().map(|line| line.standing.user_id);
    services.guilds.known_names(viewed.guild_id, users)
}

/// A page of a leaderboard, and what is needed to show it.
struct Board {
    viewed: Viewed,
    by: By,
    page: BoardPage,
    names: KnownNames,
    /// What was searched for, or nothing.
    searched: String,
}

impl Board {
    fn shown(&self, context: &Context) -> Answer {
        let server = self.viewed.name.as_plain();
        let title = context.filled("web-leaderboard-title", &[("server", server.into())]);
        let main = html! {
            h1 { (title) }
            (note(context, self.viewed.visibility))
            nav.tabs aria-label=(context.text("web-leaderboard-orders")) {
                @for by in By::ALL {
                    a href=(self.href(by, "")) aria-current=[(by == self.by).then_some("page")] { (context.text(by.key())) }
                }
            }
            form.search method="get" role="search" {
                input type="hidden" name="by" value=(self.by.word());
                div {
                    label for="q" { (context.text("web-leaderboard-search")) }
                    input id="q" name="q" type="search" maxlength=(LONGEST_QUERY) value=(self.searched) autocomplete="off";
                }
                button.quiet type="submit" { (context.text("web-leaderboard-search-button")) }
            }
            @if self.page.lines.is_empty() {
                p { (context.text(if self.searched.is_empty() { "web-leaderboard-empty" } else { "web-leaderboard-none" })) }
            } @else {
                (self.table(context))
            }
            (self.pager(context))
        };
        let document = Document::new(&title, &main);
        if self.viewed.visibility != Visibility::Public {
            return context.document(&document);
        }
        context.document(&document.with_preview(Preview {
            path: self.href(self.by, ""),
            description: context.text("web-leaderboard-preview"),
            image: None,
        }))
    }

    /// The path of this leaderboard in an order, with more of the query.
    fn href(&self, by: By, more: &str) -> String {
        format!(
            "/servers/{}/leaderboard?by={}{more}",
            self.viewed.guild_id,
            by.word()
        )
    }

    fn table(&self, context: &Context) -> Markup {
        let language = context.language();
        let value_key = match self.by {
            By::Messages => "web-leaderboard-messages",
            By::Xp | By::Week => "web-leaderboard-xp",
        };
        html! {
            div.card { table {
                caption.hidden { (context.text(self.by.key())) }
                thead { tr {
                    th.rank scope="col" { (context.text("web-leaderboard-rank")) }
                    th scope="col" { (context.text("web-leaderboard-member")) }
                    th.number.wide scope="col" { (context.text("web-leaderboard-level")) }
                    th.number scope="col" { (context.text(value_key)) }
                } }
                tbody {
                    @for line in &self.page.lines {
                        @let standing = line.standing;
                        @let level = self.viewed.settings.curve.level_of(standing.xp);
                        tr {
                            td.rank.(medal(line.rank)) { (language.number(line.rank)) }
                            th scope="row" {
                                a href={ "/servers/" (self.viewed.guild_id) "/members/" (standing.user_id) } {
                                    (name_of(context, &self.names.names, standing.user_id))
                                }
                            }
                            td.number.wide { (language.number(level.into())) }
                            td.number { (language.number(line.value)) }
                        }
                    }
                }
            } }
        }
    }

    fn pager(&self, context: &Context) -> Markup {
        let (first, last) = (self.page.lines.first(), self.page.lines.last());
        let above = first.filter(|_| self.page.has_above);
        let below = last.filter(|_| self.page.has_below);
        html! {
            @if above.is_some() || below.is_some() || !self.searched.is_empty() {
                nav.pager aria-label=(context.text("web-pages")) {
                    @if above.is_some() || !self.searched.is_empty() {
                        a.button.quiet href=(self.href(self.by, "")) { (context.text("web-first")) }
                    }
                    @if let Some(line) = above {
                        a.button.quiet rel="prev" href=(self.href(self.by, &format!("&before={}", From::key(line)))) { (context.text("web-previous")) }
                    }
                    @if let Some(line) = below {
                        a.button.quiet rel="next" href=(self.href(self.by, &format!("&after={}", From::key(line)))) { (context.text("web-next")) }
                    }
                }
            }
        }
    }
}

/// For those who see it although it is not public.
fn note(context: &Context, visibility: Visibility) -> Markup {
    let key = match visibility {
        Visibility::Public => return Markup::default(),
        Visibility::Members => "web-leaderboard-members",
        Visibility::Off => "web-leaderboard-off",
    };
    html! { p.note { (context.text(key)) } }
}

/// The colour of a rank.
const fn medal(rank: u64) -> &'static str {
    match rank {
        1 => "first",
        2 => "second",
        3 => "third",
        _ => "other",
    }
}

/// A name, or a word in its place.
pub(super) fn name_of(
    context: &Context,
    names: &HashMap<Id<UserMarker>, Name>,
    user_id: Id<UserMarker>,
) -> String {
    let name = names.get(&user_id).map(|name| name.as_plain().to_owned());
    name.unwrap_or_else(|| context.filled("web-member-unnamed", &[("id", Value::from(short(user_id)))]))
}

/// The last digits of an ID, by which members without a name are told apart.
fn short(user_id: Id<UserMarker>) -> String {
    format!("{:04}", user_id.get() % 10_000)
}
