//! The page of one appeal, on which moderators vote and decide.

use maud::{Markup, html};
use twilight_model::id::{Id, marker::UserMarker};

use super::{
    appeals::{STAFF, state, votes},
    table::facts,
};
use crate::{
    discord::mentions::{Names, Use},
    features::moderation::{
        Denied,
        appeals::{self, LONGEST},
        commands::{appeal::accept, warn},
        kind::Kind,
        rows::appeal::{self, Appeal},
    },
    interactions::{CommandContext, CommandError, Services, page::Page, reply::Reply, web_form::Outcome},
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::moment,
        route::Access,
    },
};

/// One appeal.
#[derive(Debug)]
pub(in crate::features::moderation) struct AppealPage;

impl Page for AppealPage {
    fn path(&self) -> &'static str {
        "/servers/{guild}/appeals/{appeal}"
    }

    fn access(&self) -> Access {
        Access::Staff(STAFF)
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        render(context, services, None).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let appeal = found(context, services).await?;
        let asked = CommandContext::of_press(context, "appeal", &[])?;
        let result = decide(context, services, (&asked, &appeal)).await?;
        let outcome = Outcome::of(context, services, result).await?;
        let answer = render(context, services, Some(&outcome)).await?;
        Ok(outcome.on(answer))
    }
}

/// The appeal in the path, if the server has it.
async fn found(context: &Context, services: &Services) -> Result<Appeal, Fault> {
    let key = (context.staff()?.guild_id, context.id("appeal")?);
    appeal::get(&services.store, key).await?.ok_or(Fault::NotFound)
}

/// Do what the form asks for.
async fn decide(
    context: &Context,
    services: &Services,
    (asked, appeal): (&CommandContext, &Appeal),
) -> Result<Result<Reply, CommandError>, Fault> {
    let form = context.form();
    let answer = form.get("answer").unwrap_or_default().replace('\0', "");
    let answer = answer.trim().to_owned();
    if answer.chars().count() > LONGEST {
        return Err(Fault::Bad(context.text("appeal-bad")));
    }
    let word = form.get("do").unwrap_or_default();
    Ok(match word {
        "for" | "against" => vote(services, asked, (appeal, word == "for")).await,
        "decline" => decline(services, asked, (appeal, answer)).await,
        "accept" => accept(asked, services, (appeal, answer)).await,
        _ => return Err(Fault::NotFound),
    })
}

async fn vote(
    services: &Services,
    asked: &CommandContext,
    (appeal, is_for): (&Appeal, bool),
) -> Result<Reply, CommandError> {
    asked.require_permissions(STAFF)?;
    let act = warn::act(asked, asked.guild()?)?;
    let vote = (appeal.id, is_for);
    let voted = appeals::vote(&services.store, &services.settings, act, vote).await?;
    voted.map_err(|denied| refusal(asked, denied))?;
    Ok(Reply::private(asked.language().text("appeal-voted")))
}

async fn decline(
    services: &Services,
    asked: &CommandContext,
    (appeal, answer): (&Appeal, String),
) -> Result<Reply, CommandError> {
    asked.require_permissions(Kind::Unban.permission())?;
    let (act, language) = (warn::act(asked, asked.guild()?)?, asked.language());
    let declined = appeals::decline(
        &services.store,
        &services.settings,
        (act, language),
        (appeal.user_id, appeal.id, answer),
    );
    declined.await?.map_err(|denied| refusal(asked, denied))?;
    Ok(Reply::private(language.text("appeal-is-declined")))
}

fn refusal(asked: &CommandContext, denied: Denied) -> CommandError {
    match denied {
        Denied::Removed => asked.refuse("appeal-closed"),
        _ => CommandError::Stale,
    }
}

async fn render(context: &Context, services: &Services, outcome: Option<&Outcome>) -> Result<Answer, Fault> {
    let appeal = found(context, services).await?;
    let guild_id = context.staff()?.guild_id;
    let voters = appeal::voters(&services.store, (guild_id, appeal.id)).await?;
    let people = voters.iter().map(|(user_id, _)| *user_id);
    let people = people.chain(appeal.closed_by).chain([appeal.user_id]);
    let names = Names::of(&services.guilds, guild_id, people, Use::Form).await;
    let title = context.filled("web-appeal-of", &[("user", names.member(appeal.user_id).into())]);
    let more = [
        ("web-at", moment(appeal.created_at)),
        ("web-appeal-votes", html! { (votes(context, &appeal)) }),
    ];
    let (about, state) = (appeal.user_id, state(context, &names, &appeal));
    let facts = facts(context, (guild_id, &names), (about, &state), &more);
    let main = html! {
        h1 { (title) }
        @if let Some(outcome) = outcome { (outcome.note()) }
        (facts)
        h2 { (context.text("web-appeal-text")) }
        p.text.card { (appeal.text) }
        @if !appeal.answer.is_empty() {
            h2 { (context.text("web-appeal-answer")) }
            p.text.card { (appeal.answer) }
        }
        (voted(context, &names, &voters))
        @if appeal.closed_at.is_none() { (forms(context)?) }
        p { a href={ "/servers/" (guild_id) "/appeals" } { (context.text("web-appeals")) } }
    };
    Ok(context.page(&title, &main))
}

fn voted(context: &Context, names: &Names, voters: &[(Id<UserMarker>, bool)]) -> Markup {
    html! {
        @if !voters.is_empty() {
            h2 { (context.text("web-appeal-votes")) }
            ul.list.card {
                @for (user_id, is_for) in voters {
                    @let key = if *is_for { "web-appeal-for" } else { "web-appeal-against" };
                    li { p { (names.member(*user_id)) " · " (context.text(key)) } }
                }
            }
        }
    }
}

/// The votes, and the decision for those who may ban.
fn forms(context: &Context) -> Result<Markup, Fault> {
    let may_decide = context.staff()?.may(Kind::Unban.permission());
    let text = |key: &str| context.text(key);
    Ok(html! {
        h2 { (text("web-appeal-vote")) }
        form.actions method="post" {
            (context.token())
            button.quiet type="submit" name="do" value="for" { (text("web-appeal-for")) }
            button.quiet type="submit" name="do" value="against" { (text("web-appeal-against")) }
        }
        @if may_decide {
            h2 { (text("web-appeal-decide")) }
            form.card method="post" {
                (context.token())
                div.field {
                    label for="answer" { (text("web-appeal-answer")) }
                    span.hint id="answer-hint" { (text("web-appeal-answer-hint")) }
                    textarea id="answer" name="answer" maxlength=(LONGEST) aria-describedby="answer-hint" {}
                }
                div.actions {
                    button type="submit" name="do" value="accept" { (text("web-appeal-accept")) }
                    button.danger type="submit" name="do" value="decline" { (text("web-appeal-decline")) }
                }
            }
        }
    })
}
