//! What is around the content of every page.

use maud::{DOCTYPE, Markup, html};
use twilight_model::guild::Permissions;

use super::{
    answer::Answer,
    assets,
    context::Context,
    route::{Access, Route},
};
use crate::discord::guilds::authority::permission;

/// A page without what is around it.
pub(crate) struct Document<'a> {
    title: &'a str,
    main: &'a Markup,
    preview: Option<Preview>,
}

/// What other websites and Discord show beside a link to a page.
pub(crate) struct Preview {
    /// The path of the page, without what only changes its looks.
    pub(crate) path: String,
    pub(crate) description: String,
    /// The path of an image, with its width and height.
    pub(crate) image: Option<(String, u16, u16)>,
}

impl<'a> Document<'a> {
    pub(crate) const fn new(title: &'a str, main: &'a Markup) -> Self {
        Self {
            title,
            main,
            preview: None,
        }
    }

    #[must_use]
    pub(crate) fn with_preview(self, preview: Preview) -> Self {
        Self {
            preview: Some(preview),
            ..self
        }
    }
}

pub(super) fn render(context: &Context, document: &Document<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(context.language().code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (document.title) " – Eventide" }
                link rel="stylesheet" href=(assets::style());
                script src=(assets::script()) defer data-sure=(context.text("web-sure")) data-filter=(context.text("web-filter")) {}
                link rel="icon" type="image/svg+xml" href=(assets::icon());
                @if let Some(preview) = &document.preview {
                    (previewed(context, document.title, preview))
                }
            }
            body {
                a.skip href="#main" { (context.text("web-skip")) }
                header.top { div {
                    a.brand href="/" { img src=(assets::icon()) alt=""; "Eventide" }
                    nav aria-label=(context.text("web-navigation")) {
                        @for route in pages(context) {
                            a href=(route.path) aria-current=[current(context, route.path)] { (label(context, route)) }
                        }
                    }
                    div.who { (visitor(context)) }
                } }
                (server_navigation(context))
                main id="main" { (document.main) }
                footer.foot { (context.text("web-footer")) }
            }
        }
    }
}

fn previewed(context: &Context, title: &str, preview: &Preview) -> Markup {
    html! {
        meta name="description" content=(preview.description);
        meta property="og:site_name" content="Eventide";
        meta property="og:type" content="website";
        meta property="og:title" content=(title);
        meta property="og:description" content=(preview.description);
        meta property="og:url" content=(context.url(&preview.path));
        @if let Some((path, width, height)) = &preview.image {
            meta property="og:image" content=(context.url(path));
            meta property="og:image:width" content=(width);
            meta property="og:image:height" content=(height);
            meta name="twitter:card" content="summary_large_image";
        }
    }
}

fn label(context: &Context, route: &Route) -> String {
    route.link.map(|key| context.text(key)).unwrap_or_default()
}

/// The pages of the website itself that the visitor may see.
fn pages(context: &Context) -> impl Iterator<Item = &Route> {
    let user_id = context.session().map(|session| session.user_id);
    let is_operator = user_id.is_some_and(|user_id| context.site.config.operators.contains(&user_id));
    let routes = context.site.routes.iter();
    routes.filter(move |route| {
        let may_see = match route.access {
            Access::Public => true,
            Access::SignedIn => user_id.is_some(),
            Access::Operator => is_operator,
            Access::Staff(_) => false,
        };
        may_see && route.link.is_some() && !route.is_of_server()
    })
}

fn visitor(context: &Context) -> Markup {
    html! {
        @if let Some(session) = context.session() {
            span { (session.name) }
            a href="/sign-out" { (context.text("web-sign-out")) }
        } @else if context.site.oauth.is_some() {
            a.button.quiet href="/sign-in" { (context.text("web-sign-in")) }
        }
    }
}

/// The pages of the server, for those who can change something there.
fn server_navigation(context: &Context) -> Markup {
    let Some(staff) = &context.staff else {
        return Markup::default();
    };
    if context.site.pages_of(staff).next().is_none() {
        return Markup::default();
    }
    html! {
        div.sub { div {
            nav aria-label=(context.text("web-server-navigation")) {
                strong { (staff.name.as_plain()) }
                @for route in context.site.pages_of(staff) {
                    @let path = route.path.replace("{guild}", &staff.guild_id.to_string());
                    a href=(path) aria-current=[current(context, &path)] { (label(context, route)) }
                }
            }
        } }
    }
}

/// `aria-current` of a link: of the page itself, or of the section that it is in.
fn current(context: &Context, path: &str) -> Option<&'static str> {
    let here = context.path().split('?').next().unwrap_or_default();
    if here == path {
        return Some("page");
    }
    let is_below = here.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    is_below.then_some("true")
}

/// A page with one sentence about what went wrong.
pub(super) fn problem(context: &Context, text: &str) -> Answer {
    let title = context.text("web-error-title");
    let main = html! {
        h1 { (title) }
        p { (text) }
        p { a href="/" { (context.text("web-home")) } }
    };
    context.page(&title, &main)
}

pub(super) fn denied(context: &Context, missing: Permissions) -> Answer {
    let first = missing.iter().next().unwrap_or(missing);
    let values = [("permission", permission(first, context.language()).into())];
    problem(context, &context.filled("web-error-permission", &values))
}
