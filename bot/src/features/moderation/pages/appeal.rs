//! The page on which a banned user appeals, and sees what came of it. For everyone else it does not exist.

use std::time::SystemTime;

use maud::{Markup, html};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, UserMarker},
};

use crate::{
    discord::rest::Priority,
    features::moderation::{
        Act,
        appeals::{self, Appealed, LONGEST},
        rows::{
            appeal::{self, Appeal, Wanted},
            case,
        },
        settings::ModerationSettings,
    },
    interactions::{Services, page::Page, web_form::Outcome},
    support::{clock::host_time, ids, text::moment::written},
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::moment,
        route::Access,
    },
};

/// Requests as which a view counts, because it asks Discord.
const WEIGHT: u32 = 5;
/// Earlier appeals that are shown.
const SHOWN: i64 = 5;

/// The page.
#[derive(Debug)]
pub(in crate::features::moderation) struct AppealForm;

/// What the page is about.
struct About {
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
    is_banned: bool,
    /// The newest first.
    appeals: Vec<Appeal>,
    /// When the user can appeal again.
    again: Option<SystemTime>,
}

impl Page for AppealForm {
    fn path(&self) -> &'static str {
        "/servers/{guild}/appeal"
    }

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let about = about(context, services).await?;
        render(context, services, &about, None).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let before = about(context, services).await?;
        if !before.is_banned {
            return Err(Fault::NotFound);
        }
        let text = context.form().get("appeal").unwrap_or_default();
        let text = text.replace('\0', "").trim().to_owned();
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(Fault::Bad(context.text("appeal-bad")));
        }
        let request_id = context.request_id()?;
        let act = Act {
            guild_id: before.guild_id,
            interaction_id: request_id,
            moderator_id: before.user_id,
            is_form: true,
        };
        let link = context.url(&format!("/servers/{}/appeals/{request_id}", before.guild_id));
        let (store, settings) = (&services.store, &services.settings);
        let appealed = appeals::appeal(store, settings, (act, context.language()), (text, link)).await?;
        // The server has switched appeals off since.
        let appealed = appealed.map_err(|_denied| Fault::NotFound)?;
        let about = about(context, services).await?;
        let (is_done, text) = match appealed {
            Appealed::Done => (true, context.text("appeal-done")),
            Appealed::Open => (false, context.text("appeal-open")),
            Appealed::TooEarly { at_ms } => (false, too_early(context, ids::to_time(at_ms))),
        };
        let outcome = Outcome { is_done, text };
        let answer = render(context, services, &about, Some(&outcome)).await?;
        Ok(outcome.on(answer))
    }
}

/// What there is for the visitor, if the server takes appeals and the visitor is banned or has appealed.
async fn about(context: &Context, services: &Services) -> Result<About, Fault> {
    let (guild_id, user_id) = (context.guild()?, context.user()?);
    let store = &services.store;
    let policy = ModerationSettings::of(store, &services.settings, guild_id).await?;
    if !policy.appeals {
        return Err(Fault::NotFound);
    }
    context.charge(WEIGHT)?;
    let wanted = Wanted {
        user_id: Some(user_id),
        ..Wanted::default()
    };
    let appeals = appeal::list(store, guild_id, wanted, SHOWN).await?;
    let banned = services
        .guilds
        .is_banned(guild_id, user_id, Priority::Command)
        .await;
    let is_banned = match banned {
        Ok(is_banned) => is_banned,
        // Only those who have a case there learn that Discord does not answer about this server.
        Err(error) => {
            let is_known = is_known(services, (guild_id, user_id), &appeals).await?;
            return Err(if is_known { error.into() } else { Fault::NotFound });
        }
    };
    if !is_banned && appeals.is_empty() {
        return Err(Fault::NotFound);
    }
    let newest = appeals.first().and_then(|appeal| appeal.closed_at);
    let again = newest.map(|decided| appeals::again(&policy, decided));
    Ok(About {
        guild_id,
        user_id,
        is_banned,
        appeals,
        again: again.filter(|again| *again > host_time()),
    })
}

async fn is_known(
    services: &Services,
    (guild_id, user_id): (Id<GuildMarker>, Id<UserMarker>),
    appeals: &[Appeal],
) -> Result<bool, Fault> {
    let cases = case::kinds_of(&services.store, guild_id, user_id).await?;
    Ok(!appeals.is_empty() || !cases.is_empty())
}

async fn render(
    context: &Context,
    services: &Services,
    about: &About,
    outcome: Option<&Outcome>,
) -> Result<Answer, Fault> {
    let server = services.guilds.name(about.guild_id, Priority::Command).await;
    let server = server.map_err(|_error| Fault::NotFound)?;
    let title = context.filled("appeal-title", &[("server", server.as_plain().into())]);
    let is_open = about
        .appeals
        .first()
        .is_some_and(|newest| newest.closed_at.is_none());
    let main = html! {
        h1 { (title) }
        @if let Some(outcome) = outcome { (outcome.note()) }
        @if !about.is_banned {
            p { (context.text("appeal-not-banned")) }
        } @else if is_open {
            @if outcome.is_none() { p { (context.text("appeal-open")) } }
        } @else if let Some(again) = about.again {
            @if outcome.is_none() { p { (too_early(context, again)) } }
        } @else {
            (form(context))
        }
        @if !about.appeals.is_empty() {
            h2 { (context.text("appeal-yours")) }
            ul.list.card { @for appeal in &about.appeals { (shown(context, appeal)) } }
        }
    };
    Ok(context.page(&title, &main))
}

fn too_early(context: &Context, again: SystemTime) -> String {
    context.filled("appeal-too-early", &[("at", written(again).into())])
}

fn form(context: &Context) -> Markup {
    html! {
        form.card method="post" {
            (context.token())
            div.field {
                label for="appeal" { (context.text("appeal-text")) }
                span.hint id="appeal-hint" { (context.text("appeal-text-hint")) }
                textarea id="appeal" name="appeal" required maxlength=(LONGEST) aria-describedby="appeal-hint" {}
            }
            button type="submit" { (context.text("appeal-send")) }
        }
    }
}

/// An appeal as the user sees it: nothing of the staff but the answer.
fn shown(context: &Context, appeal: &Appeal) -> Markup {
    let state = match appeal.is_accepted {
        _ if appeal.ended.is_some() => "appeal-ended",
        None => "web-reports-open",
        Some(true) => "appeal-accepted",
        Some(false) => "appeal-declined",
    };
    html! {
        li {
            p { (moment(appeal.created_at)) " · " strong { (context.text(state)) } }
            p.text { (appeal.text) }
            @if !appeal.answer.is_empty() {
                p { (context.text("appeal-answer")) }
                p.text { (appeal.answer) }
            }
        }
    }
}
