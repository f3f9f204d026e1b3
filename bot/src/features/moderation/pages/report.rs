//! The page of one report. Its forms do what the buttons of the staff's message do.

use maud::{Markup, html};
use twilight_model::id::{Id, marker::InteractionMarker};

use super::{
    reports::{STAFF, state},
    table,
};
use crate::{
    discord::mentions::{Names, Use},
    features::moderation::{
        LONGEST_REASON,
        commands::{self, warn::LONGEST_EXPIRY},
        kind::Kind,
        rows::report::{self, Entry, Report},
    },
    interactions::{
        CommandContext, CommandError, Services, command::Command as _, page::Page, reply::Reply,
        web_form::Outcome,
    },
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::moment,
        route::Access,
    },
};

/// One report.
#[derive(Debug)]
pub(in crate::features::moderation) struct ReportPage;

impl Page for ReportPage {
    fn path(&self) -> &'static str {
        "/servers/{guild}/reports/{report}"
    }

    fn access(&self) -> Access {
        Access::Staff(STAFF)
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let (key, _) = found(context, services).await?;
        render(context, services, key, &Markup::default()).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let (key, report) = found(context, services).await?;
        let result = react(context, services, key.1, &report).await?;
        if let Ok(reply) = &result
            && !reply.components.is_empty()
        {
            // The only question is that of a warning.
            let question = Outcome::of(context, services, result).await?;
            let question = confirmation(context, &question.text);
            return render(context, services, key, &question).await;
        }
        let outcome = Outcome::of(context, services, result).await?;
        let answer = render(context, services, key, &outcome.note()).await?;
        Ok(outcome.on(answer))
    }
}

/// The report in the path, if the server has it.
async fn found(context: &Context, services: &Services) -> Result<(report::Key, Report), Fault> {
    let report_id: Id<InteractionMarker> = context.id("report")?;
    let key = (context.staff()?.guild_id, report_id);
    let report = report::get(&services.store, key).await?;
    Ok((key, report.ok_or(Fault::NotFound)?))
}

/// What the form asks for, as the button or the modal of a report.
async fn react(
    context: &Context,
    services: &Services,
    report_id: Id<InteractionMarker>,
    report: &Report,
) -> Result<Result<Reply, CommandError>, Fault> {
    let form = context.form();
    let field = |name: &str| form.get(name).unwrap_or_default();
    let modal = |command: &str| format!("{command}:form:{}:{report_id}", report.user_id);
    let fields = [("reason", field("reason")), ("duration", field("duration"))];
    Ok(match field("do") {
        word @ ("claim" | "release" | "dismiss") => {
            let mut asked = CommandContext::of_press(context, &format!("report:{word}:{report_id}"), &[])?;
            commands::report::Report.component(&mut asked, services).await
        }
        "warn" => {
            let mut asked = CommandContext::of_press(context, &modal("warn"), &fields)?;
            let warned = commands::warn::Warn.component(&mut asked, services).await;
            match warned {
                Ok(question) if !question.components.is_empty() && field("sure") == "yes" => {
                    let mut sure = CommandContext::of_answer(context, &question)?;
                    commands::warn::Warn.component(&mut sure, services).await
                }
                warned => warned,
            }
        }
        "timeout" => {
            let mut asked = CommandContext::of_press(context, &modal("timeout"), &fields)?;
            commands::removal::Timeout.component(&mut asked, services).await
        }
        "ban" => {
            let mut asked = CommandContext::of_press(context, &modal("ban"), &fields)?;
            commands::ban::Ban.component(&mut asked, services).await
        }
        _ => return Err(Fault::NotFound),
    })
}

async fn render(
    context: &Context,
    services: &Services,
    key: report::Key,
    note: &Markup,
) -> Result<Answer, Fault> {
    let report = report::get(&services.store, key).await?.ok_or(Fault::NotFound)?;
    let entries = report::entries(&services.store, key).await?;
    let staff = report.claimed_by.into_iter().chain(report.closed_by);
    let people = staff
        .chain([report.user_id])
        .chain(entries.iter().map(|entry| entry.user_id));
    let names = Names::of(&services.guilds, key.0, people, Use::Form).await;
    let title = context.filled(
        "web-report-about",
        &[("user", names.member(report.user_id).into())],
    );
    let main = html! {
        h1 { (title) }
        (note)
        (facts(context, &names, key, &report))
        h2 { (context.text("web-report-entries")) }
        (reported(&names, &entries))
        @if !report.is_closed() { (forms(context, &report)?) }
        p { a href={ "/servers/" (key.0) "/reports" } { (context.text("web-reports")) } }
    };
    Ok(context.page(&title, &main))
}

fn facts(context: &Context, names: &Names, key: report::Key, report: &Report) -> Markup {
    let message = report.message.map(|(channel_id, message_id)| {
        format!("https://discord.com/channels/{}/{channel_id}/{message_id}", key.0)
    });
    let message = message.map(|message| {
        html! { a href=(message) rel="noreferrer" { (context.text("web-report-message-open")) } }
    });
    let case = report.case_id.map(|case| {
        html! { a href={ "/servers/" (key.0) "/cases/" (case) } { "#" (case) } }
    });
    let message = message.map(|message| ("web-report-message", message));
    let case = case.map(|case| ("web-case", case));
    let more: Vec<(&str, Markup)> = message.into_iter().chain(case).collect();
    let staff = (report.claimed_by, report.closed_by, report.case_id);
    let state = state(context, names, staff);
    table::facts(context, (key.0, names), (report.user_id, &state), &more)
}

fn reported(names: &Names, entries: &[Entry]) -> Markup {
    html! {
        ul.list.card {
            @for entry in entries {
                li {
                    p { (names.member(entry.user_id)) " · " (moment(entry.created_at)) }
                    p.text { (entry.reason) }
                }
            }
        }
    }
}

/// What can be done about a report, as far as the visitor may.
fn forms(context: &Context, report: &Report) -> Result<Markup, Fault> {
    let staff = context.staff()?;
    let [claim, dismiss] = report.decisions();
    let text = |key: &str| context.text(key);
    Ok(html! {
        h2 { (text("web-report-react")) }
        form.actions method="post" {
            (context.token())
            button type="submit" name="do" value=(claim) { (text(&format!("report-{claim}"))) }
            button.quiet type="submit" name="do" value=(dismiss) { (text(&format!("report-{dismiss}"))) }
        }
        @for (word, kind) in [("warn", Kind::Warning), ("timeout", Kind::Timeout), ("ban", Kind::Ban)] {
            @if staff.may(kind.permission()) { (punishment(context, word)) }
        }
    })
}

/// The form of a punishment, with the fields of its modal.
fn punishment(context: &Context, word: &str) -> Markup {
    let text = |key: &str| context.text(key);
    let (reason_chars, duration_chars) = (LONGEST_REASON, LONGEST_EXPIRY);
    let duration_hint = format!("form-duration-{word}-hint");
    html! {
        form.card method="post" {
            (context.token())
            h3 { (text(&format!("report-{word}"))) }
            @if word != "warn" {
                div.field {
                    label for={ (word) "-duration" } { (text("form-duration")) }
                    input id={ (word) "-duration" } name="duration" maxlength=(duration_chars) autocomplete="off"
                        required[word == "timeout"] placeholder=(text(&duration_hint));
                }
            }
            div.field {
                label for={ (word) "-reason" } { (text("form-reason")) }
                textarea id={ (word) "-reason" } name="reason" maxlength=(reason_chars) required[word == "warn"] {}
            }
            button.danger type="submit" name="do" value=(word) { (text(&format!("report-{word}"))) }
        }
    }
}

/// The question before a warning of a member who has many, with a form that answers it.
fn confirmation(context: &Context, question: &str) -> Markup {
    let reason = context.form().get("reason").unwrap_or_default();
    html! {
        form.card method="post" {
            (context.token())
            p.text role="alert" { (question) }
            input type="hidden" name="reason" value=(reason);
            input type="hidden" name="sure" value="yes";
            button.danger type="submit" name="do" value="warn" { (context.text("warn-confirm-button")) }
        }
    }
}
