//! The page of what is to happen later, and of what fails.

use std::time::SystemTime;

use maud::{Markup, html};
use twilight_model::guild::Permissions;

use super::command::{ASKED_FOR, subjects_of};
use crate::{
    discord::rest::Priority,
    interactions::{
        Services,
        mentions::as_names,
        page::Page,
        scheduled::{Subjects, in_words},
    },
    outbox::{
        queue::{self, Failing, Failures},
        trouble,
    },
    postgres::timer::{self, Filter, Shown},
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
}

impl Page for ScheduledPage {
    fn path(&self) -> &'static str {
        "/servers/{guild}/scheduled"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MODERATE_MEMBERS)
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-scheduled")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let (waiting, retried) = lines(context, services, false).await?;
        let (timers, effects) = lines(context, services, true).await?;
        let failed: Vec<Line> = effects.into_iter().chain(timers).collect();
        let title = context.text("web-scheduled");
        let main = html! {
            h1 { (title) }
            // What fails needs somebody, so it is first.
            (table(context, "web-scheduled-retried", &retried))
            @if waiting.is_empty() {
                p { (context.text("scheduled-none")) }
            } @else {
                (table(context, "web-scheduled", &waiting))
            }
            (table(context, "web-scheduled-failed", &failed))
        };
        Ok(context.page(&title, &main))
    }
}

/// Timers, and effects that the staff asked for: those that wait and fail, or those that were given up.
async fn lines(
    context: &Context,
    services: &Services,
    failed: bool,
) -> Result<(Vec<Line>, Vec<Line>), Fault> {
    let guild_id = context.staff()?.guild_id;
    let filter = Filter {
        guild_id: Some(guild_id),
        failed,
    };
    let timers = timer::list(&services.store, filter, LISTED).await?;
    let wanted = Failures {
        kinds: &ASKED_FOR,
        case_id: None,
        abandoned: failed,
    };
    let effects = queue::failing(&services.store, guild_id, wanted, i64::from(LISTED)).await?;
    let subjects = subjects_of(services, guild_id, &timers).await?;
    let of_timer = |timer| of_timer(context, services, timer, &subjects);
    let mut timers: Vec<Line> = timers.iter().map(of_timer).collect();
    let mut effects: Vec<Line> = effects.iter().map(|effect| of_effect(context, effect)).collect();
    let words: Vec<String> = timers
        .iter()
        .chain(&effects)
        .map(|line| line.what.replace("**", ""))
        .collect();
    let names = as_names(services, guild_id, &words, Priority::Command).await;
    for (line, name) in timers.iter_mut().chain(&mut effects).zip(names) {
        line.what = name;
    }
    Ok((timers, effects))
}

fn of_timer(context: &Context, services: &Services, timer: &Shown, subjects: &Subjects) -> Line {
    let language = context.language();
    let mut known = services.commands.expected();
    let words = if known.any(|expected| expected.kind == timer.kind) {
        in_words(&timer.kind, timer.timer_id, subjects, language)
    } else {
        language.filled("scheduled-unknown", &[("kind", timer.kind.as_str().into())])
    };
    Line {
        at: timer.due,
        what: words,
        failure: timer.failure.clone().unwrap_or_default(),
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
    }
}

fn table(context: &Context, title: &str, lines: &[Line]) -> Markup {
    html! {
        @if !lines.is_empty() {
            h2 { (context.text(title)) }
            div.card.scroll tabindex="0" { table {
                caption.hidden { (context.text(title)) }
                thead { tr {
                    th scope="col" { (context.text("web-scheduled-due")) }
                    th scope="col" { (context.text("web-scheduled-what")) }
                    th scope="col" { (context.text("web-scheduled-failure")) }
                } }
                tbody {
                    @for line in lines {
                        tr {
                            td { (moment(line.at)) }
                            td { (line.what) }
                            td { (excerpt(&line.failure, REASON_CHARS)) }
                        }
                    }
                }
            } }
        }
    }
}
