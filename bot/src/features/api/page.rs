//! The page on which tokens are made and revoked, and the description of the API for programs.

use maud::{Markup, html};
use serde_json::json;
use twilight_model::guild::Permissions;

use super::rows::{self, Token};
use crate::{
    interactions::{Services, page::Page},
    postgres::request::{Completed, Once},
    support::ids,
    web::{
        answer::{Answer, Fault},
        api::{NewToken, Part},
        context::Context,
        elements::moment,
        route::Access,
    },
};

/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 50;

/// The tokens of a server.
#[derive(Debug)]
pub(super) struct Tokens;

/// The description of the API.
#[derive(Debug)]
pub(super) struct Description;

impl Page for Description {
    fn path(&self) -> &'static str {
        "/api/v1/openapi.json"
    }

    fn access(&self) -> Access {
        Access::Public
    }

    async fn get(&self, _context: &mut Context, _services: &Services) -> Result<Answer, Fault> {
        let description = include_str!("openapi.json");
        Ok(Answer::bytes("application/json", description).cached("public, max-age=3600"))
    }
}

impl Page for Tokens {
    fn path(&self) -> &'static str {
        "/servers/{guild}/api"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MANAGE_GUILD)
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-api")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        show(context, services, None).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        match context.form().get("do") {
            Some("create") => create(context, services).await,
            Some("revoke") => revoke(context, services).await,
            _ => Err(Fault::NotFound),
        }
    }
}

async fn create(context: &Context, services: &Services) -> Result<Answer, Fault> {
    let guild_id = context.staff()?.guild_id;
    let name = context.form().get("name").unwrap_or_default().replace('\0', "");
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Fault::Bad(context.text("web-api-bad-name")));
    }
    let chosen: Vec<&str> = context.form().all("part").collect();
    let parts = Part::ALL.map(Part::word).into_iter();
    let parts: Vec<&'static str> = parts.filter(|part| chosen.contains(part)).collect();
    if parts.is_empty() {
        return Err(Fault::Bad(context.text("web-api-bad-parts")));
    }
    let request = context.request("api_token_create", &json!({"name": name, "parts": parts}))?;
    let NewToken { text, digest } = NewToken::random();
    let new = rows::New {
        guild_id,
        token_id: ids::to_db(request.request_id),
        digest,
        name,
        parts,
        created_by: context.user()?,
        created_at: ids::to_time(ids::millis(request.request_id)),
    };
    let made = services.store.once("api_token_create", request, move |tx| {
        let new = new.clone();
        Box::pin(async move {
            let added = rows::add(tx, &new).await?;
            Ok(if added { Ok(Completed::new(())) } else { Err(()) })
        })
    });
    match made.await? {
        Ok(Once::Now(())) => show(context, services, Some(&text)).await,
        // The form was sent twice. Its token has been shown, and cannot be shown again.
        Ok(Once::Before(_)) => back(context),
        Err(()) => Err(Fault::Bad(context.text("web-api-many"))),
    }
}

async fn revoke(context: &Context, services: &Services) -> Result<Answer, Fault> {
    let token_id: i64 = context
        .form()
        .get("id")
        .and_then(|id| id.parse().ok())
        .ok_or(Fault::NotFound)?;
    let request = context.request("api_token_revoke", &json!({"token_id": token_id.to_string()}))?;
    let guild_id = request.guild_id;
    let revoked = services.store.carry_out("api_token_revoke", request, move |tx| {
        Box::pin(rows::revoke(tx, guild_id, token_id))
    });
    revoked.await?;
    back(context)
}

fn back(context: &Context) -> Result<Answer, Fault> {
    Ok(Answer::see_other(&format!(
        "/servers/{}/api",
        context.staff()?.guild_id
    )))
}

/// The page. A token that was just made is shown this once.
async fn show(context: &Context, services: &Services, made: Option<&str>) -> Result<Answer, Fault> {
    let guild_id = context.staff()?.guild_id;
    let tokens = rows::list(&services.store, guild_id).await?;
    let title = context.text("web-api");
    let path = format!("/servers/{guild_id}/api");
    let main = html! {
        h1 { (title) }
        p { (context.text("web-api-text")) " " a href="/api/v1/openapi.json" { (context.text("web-api-description")) } }
        @if let Some(made) = made {
            div.note.good role="status" {
                p { (context.text("web-api-made")) }
                p { code { (made) } }
            }
        }
        @if !tokens.is_empty() { (table(context, &path, &tokens)) }
        (form(context, &path))
    };
    Ok(context.page(&title, &main))
}

fn table(context: &Context, path: &str, tokens: &[Token]) -> Markup {
    html! {
        div.card.scroll tabindex="0" { table {
            caption.hidden { (context.text("web-api")) }
            thead { tr {
                th scope="col" { (context.text("web-api-name")) }
                th scope="col" { (context.text("web-api-parts")) }
                th scope="col" { (context.text("web-at")) }
                th scope="col" { (context.text("web-api-by")) }
                th scope="col" { span.hidden { (context.text("web-api-revoke")) } }
            } }
            tbody {
                @for token in tokens {
                    tr {
                        th scope="row" { (token.name) }
                        td { (token.parts.join(", ")) }
                        td { (moment(token.created_at)) }
                        td { @if let Some(created_by) = token.created_by { (created_by) } }
                        td {
                            form method="post" action=(path) {
                                (context.token())
                                input type="hidden" name="do" value="revoke";
                                input type="hidden" name="id" value=(token.number);
                                button.quiet type="submit" aria-label={ (context.text("web-api-revoke")) ": " (token.name) } {
                                    (context.text("web-api-revoke"))
                                }
                            }
                        }
                    }
                }
            }
        } }
    }
}

fn form(context: &Context, path: &str) -> Markup {
    html! {
        h2 { (context.text("web-api-new")) }
        form.card method="post" action=(path) {
            (context.token())
            input type="hidden" name="do" value="create";
            div.field {
                label for="name" { (context.text("web-api-name")) }
                input id="name" name="name" required maxlength=(LONGEST_NAME) autocomplete="off";
            }
            fieldset {
                legend { (context.text("web-api-parts")) }
                @for part in Part::ALL {
                    label.choice {
                        input type="checkbox" name="part" value=(part.word());
                        span { (context.text(&format!("web-api-part-{}", part.word()))) }
                    }
                }
            }
            button type="submit" { (context.text("web-api-create")) }
        }
    }
}
