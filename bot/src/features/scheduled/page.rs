//! The page of what is to happen later, and of what fails. Its forms do what `/scheduled` does.

use std::time::SystemTime;

use maud::{Markup, html};
use serde_json::{Value as Json, json};

use super::command::{STAFF, Scheduled, expected, scheduled_in, subjects_of};
use crate::{
    discord::mentions::{Names, Use},
    interactions::{
        CommandContext, Services,
        command::Command as _,
        options::DURATION_CHARS,
        page::Page,
        scheduled::{Subjects, in_words},
        web_form::Outcome,
    },
    outbox::{queue::Failing, trouble},
    postgres::timer::Shown,
    support::text::limits::excerpt,
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::moment,
        route::Access,
    },
};

/// Timers and effects in each list.
const LISTED: u32 = 200;
/// Characters of the reason of a failure.
const REASON_CHARS: usize = 300;

#[derive(Debug)]
pub(crate) struct ScheduledPage;

/// A line of a list: when, what, and why the last attempt failed.
struct Line {
    at: SystemTime,
    what: String,
    failure: String,
    /// The timer as the command has it, if it can be changed.
    timer: Option<String>,
}

/// The lists of the page.
struct Lists {
    retried: Vec<Line>,
    waiting: Vec<Line>,
    failed: Vec<Line>,
}

impl Page for ScheduledPage {
    fn path(&self) -> &'static str {
        "/servers/{guild}/scheduled"
    }

    fn access(&self) -> Access {
        Access::Staff(STAFF)
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-scheduled")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        render(context, services, None).await
    }

    async fn post(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let form = context.form();
        let field = |name: &str| form.get(name).unwrap_or_default();
        let mut options = vec![json!({"name": "timer", "type": 3, "value": field("timer")})];
        let name = if field("do") == "cancel" {
            "cancel"
        } else {
            options.push(json!({"name": "duration", "type": 3, "value": field("duration")}));
            "change"
        };
        let options = json!([{"name": name, "type": 1, "options": options}]);
        let mut asked = CommandContext::of_command(context, Scheduled.name(), (&options, &Json::Null))?;
        let result = Scheduled.run(&mut asked, services).await;
        let outcome = Outcome::of(context, services, result).await?;
        let answer = render(context, services, Some(&outcome)).await?;
        Ok(outcome.on(answer))
    }
}

async fn render(context: &Context, services: &Services, outcome: Option<&Outcome>) -> Result<Answer, Fault> {
    let lists = lists(context, services).await?;
    let title = context.text("web-scheduled");
    let main = html! {
        h1 { (title) }
        @if let Some(outcome) = outcome { (outcome.note()) }
        // Failures need attention, so they come first.
        (table(context, "web-scheduled-retried", &lists.retried))
        @if lists.waiting.is_empty() {
            p { (context.text("scheduled-none")) }
        } @else {
            (table(context, "web-scheduled", &lists.waiting))
        }
        (table(context, "web-scheduled-failed", &lists.failed))
    };
    Ok(context.page(&title, &main))
}

/// Timers, and effects that the staff asked for.
async fn lists(context: &Context, services: &Services) -> Result<Lists, Fault> {
    let (waiting, retried) = lines(context, services, false).await?;
    let (timers, effects) = lines(context, services, true).await?;
    let failed = effects.into_iter().chain(timers).collect();
    let mut lists = Lists {
        retried,
        waiting,
        failed,
    };
    let all = || lists.retried.iter().chain(&lists.waiting).chain(&lists.failed);
    let texts = all().map(|line| line.what.as_str());
    let names = Names::of_texts(&services.guilds, context.staff()?.guild_id, texts, Use::Form).await;
    for list in [&mut lists.retried, &mut lists.waiting, &mut lists.failed] {
        for line in list {
            line.what = names.in_text(&line.what);
        }
    }
    Ok(lists)
}

/// Those that wait or fail, or those that were given up.
async fn lines(
    context: &Context,
    services: &Services,
    failed: bool,
) -> Result<(Vec<Line>, Vec<Line>), Fault> {
    let guild_id = context.staff()?.guild_id;
    let (timers, effects) = scheduled_in(services, guild_id, failed, LISTED).await?;
    let subjects = subjects_of(services, guild_id, &timers).await?;
    let timers = timers
        .iter()
        .map(|timer| of_timer(context, services, timer, &subjects));
    let effects = effects.iter().map(|effect| of_effect(context, effect));
    Ok((timers.collect(), effects.collect()))
}

fn of_timer(context: &Context, services: &Services, timer: &Shown, subjects: &Subjects) -> Line {
    let language = context.language();
    let known = expected(services, &timer.kind);
    let what = match known {
        Some(kind) => in_words(kind.kind, timer.timer_id, subjects, language),
        None => language.filled("scheduled-unknown", &[("kind", timer.kind.as_str().into())]),
    };
    let can_change = timer.failed_at.is_none() && known.is_some_and(|kind| kind.reschedule.is_some());
    Line {
        at: timer.due,
        what,
        failure: timer.failure.clone().unwrap_or_default(),
        timer: can_change.then(|| format!("{}:{}", timer.kind, timer.timer_id)),
    }
}

fn of_effect(context: &Context, effect: &Failing) -> Line {
    let language = context.language();
    let id = |id: Option<i64>| id.unwrap_or_default().to_string();
    let about = [
        ("case", id(effect.case_id).into()),
        ("channel", id(effect.channel_id).into()),
        ("user", id(effect.user_id).into()),
    ];
    let key = format!("scheduled-effect-{}", effect.kind.replace('_', "-"));
    Line {
        at: effect.failed_at.unwrap_or(effect.since),
        what: language.filled(&key, &about),
        failure: trouble::in_words(&effect.failure, language),
        timer: None,
    }
}

fn table(context: &Context, title: &str, lines: &[Line]) -> Markup {
    let text = |key: &str| context.text(key);
    let can_change = lines.iter().any(|line| line.timer.is_some());
    html! {
        @if !lines.is_empty() {
            h2 { (text(title)) }
            div.card.scroll tabindex="0" { table {
                caption.hidden { (text(title)) }
                thead { tr {
                    th scope="col" { (text("web-scheduled-due")) }
                    th scope="col" { (text("web-scheduled-what")) }
                    th scope="col" { (text("web-scheduled-failure")) }
                    @if can_change { th scope="col" { (text("web-scheduled-change")) } }
                } }
                tbody {
                    @for (row, line) in lines.iter().enumerate() {
                        tr {
                            td { (moment(line.at)) }
                            td { (line.what) }
                            td { (excerpt(&line.failure, REASON_CHARS)) }
                            @if can_change {
                                td { @if let Some(timer) = &line.timer { (form(context, (row, &line.what), timer)) } }
                            }
                        }
                    }
                }
            } }
        }
    }
}

/// The form that changes or cancels a timer.
fn form(context: &Context, (row, what): (usize, &str), timer: &str) -> Markup {
    let named = |key: &str| context.filled(key, &[("what", what.into())]);
    html! {
        form.row method="post" {
            (context.token())
            input type="hidden" name="timer" value=(timer);
            label.hidden for={ "duration-" (row) } { (named("web-scheduled-duration")) }
            input id={ "duration-" (row) } name="duration" required maxlength=(DURATION_CHARS) autocomplete="off"
                placeholder=(context.text("web-scheduled-duration-example"));
            button.quiet type="submit" name="do" value="change" aria-label=(named("web-scheduled-change-of")) {
                (context.text("web-scheduled-change"))
            }
            button.danger type="submit" name="do" value="cancel" formnovalidate aria-label=(named("web-scheduled-cancel-of")) {
                (context.text("web-scheduled-cancel"))
            }
        }
    }
}
