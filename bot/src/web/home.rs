//! The first page, the visitor's servers, and the first page of a server.

use std::future::ready;

use hyper::Method;
use maud::html;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use super::{
    answer::{Answer, Fault},
    context::Context,
    route::{Access, Route},
};
use crate::support::ids;

/// The pages.
pub(super) fn routes() -> Vec<Route> {
    // Every member; those for whom there is no page get none.
    let members = Access::Staff(Permissions::empty());
    vec![
        Route::plain("/", Access::Public, None, |context| {
            Box::pin(ready(home(context)))
        }),
        Route::plain("/servers", Access::SignedIn, Some("web-servers"), |context| {
            Box::pin(servers(context))
        }),
        Route::plain("/servers/{guild}", members, None, |context| {
            Box::pin(ready(server(context)))
        }),
    ]
}

fn only_get(context: &Context) -> Result<(), Fault> {
    if *context.method() == Method::GET {
        Ok(())
    } else {
        Err(Fault::NoForm)
    }
}

fn home(context: &Context) -> Result<Answer, Fault> {
    only_get(context)?;
    let title = context.text("web-home-title");
    let main = html! {
        h1 { (title) }
        p { (context.text("web-home-text")) }
        @if context.session().is_some() {
            p { a.button href="/servers" { (context.text("web-servers")) } }
        } @else if context.site.oauth.is_some() {
            p { a.button href="/sign-in" { (context.text("web-sign-in")) } }
        }
    };
    Ok(context.page(&title, &main))
}

async fn servers(context: &mut Context) -> Result<Answer, Fault> {
    only_get(context)?;
    if let Some(written) = context.query().get("id") {
        let found: Option<Id<GuildMarker>> = ids::written(written.trim());
        return Ok(Answer::see_other(&match found {
            Some(guild_id) => format!("/servers/{guild_id}"),
            None => "/servers".to_owned(),
        }));
    }
    let session = context.session().ok_or(Fault::SignIn)?;
    let servers = context.site().servers_of(session).await?;
    let title = context.text("web-servers");
    let main = html! {
        h1 { (title) }
        @if servers.is_empty() {
            p { (context.text("web-servers-none")) }
        } @else {
            ul.list.card {
                @for (guild_id, name) in &servers {
                    li { a href={ "/servers/" (guild_id) } { (name.as_plain()) } }
                }
            }
        }
        form.search method="get" action="/servers" {
            div {
                label for="id" { (context.text("web-servers-id")) }
                input id="id" name="id" inputmode="numeric" required autocomplete="off";
            }
            button.quiet type="submit" { (context.text("web-servers-open")) }
        }
    };
    Ok(context.page(&title, &main))
}

fn server(context: &Context) -> Result<Answer, Fault> {
    only_get(context)?;
    let site = context.site();
    let staff = context.staff()?;
    let pages: Vec<_> = site.pages_of(staff).collect();
    if pages.is_empty() {
        return Err(Fault::NotFound);
    }
    site.guilds.saw_staff(staff.guild_id, context.user()?);
    let title = staff.name.as_plain();
    let main = html! {
        h1 { (title) }
        ul.list.card {
            @for page in pages {
                @let path = page.path.replace("{guild}", &staff.guild_id.to_string());
                li { a href=(path) { (page.link.map(|key| context.text(key)).unwrap_or_default()) } }
            }
        }
    };
    Ok(context.page(title, &main))
}
