//! The page of a server's statistics, and its download.

use std::time::SystemTime;

use maud::{Markup, html};
use time::{OffsetDateTime, macros::format_description};
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::GuildMarker},
};

use super::reading::{self, Sum};
use crate::{
    discord::mentions::{Names, Use},
    interactions::{Services, page::Page},
    settings::statistics::StatisticsSettings,
    support::{clock::host_time, ids},
    web::{
        answer::{Answer, Fault},
        chart::{self, Bar},
        context::Context,
        period::Period,
        route::Access,
    },
};

const HOUR: i64 = 60 * 60 * 1_000;
const DAY: i64 = 24 * HOUR;
/// Channels and commands that are shown.
const SHOWN: i64 = 25;

/// The page.
#[derive(Debug)]
pub(crate) struct Statistics;

/// The counts as CSV.
#[derive(Debug)]
pub(crate) struct Download;

/// The first hour or day of a period. The period ends now.
pub(super) fn beginning(period: Period, now: SystemTime) -> SystemTime {
    let step = step(period);
    let now = ids::to_millis(now);
    let days = i64::try_from(period.days()).unwrap_or(1);
    ids::to_time((now - days * DAY).div_euclid(step) * step + step)
}

/// The length of a bar.
const fn step(period: Period) -> i64 {
    if period.days() <= 1 { HOUR } else { DAY }
}

impl Page for Statistics {
    fn path(&self) -> &'static str {
        "/servers/{guild}/statistics"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MANAGE_GUILD)
    }

    fn link(&self) -> Option<&'static str> {
        Some("web-statistics")
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let period = Period::of(context)?;
        let settings = services.settings.of(&services.store, guild_id).await?;
        let is_on = settings.sections.of::<StatisticsSettings>().enabled;
        let now = host_time();
        let from = beginning(period, now);
        let times = Times {
            from,
            now,
            step: step(period),
        };
        let sums = reading::sums(&services.store, guild_id, from, step(period) == DAY).await?;
        let channels = reading::channels(&services.store, guild_id, from, SHOWN).await?;
        let commands = reading::commands(&services.store, guild_id, from, SHOWN).await?;
        let hours = reading::hours_of_day(&services.store, guild_id, from).await?;
        let names = Names::of(&services.guilds, guild_id, [], Use::Page).await;
        let channels = channels
            .into_iter()
            .map(|(id, amount)| (channel(&names, id), amount))
            .collect::<Vec<_>>();
        let title = context.text("web-statistics");
        let path = format!("/servers/{guild_id}/statistics");
        let main = html! {
            h1 { (title) }
            @if !is_on { p.note { (context.text("web-statistics-off")) } }
            (period.tabs(context, &path))
            (totals(context, &sums))
            (over_time(context, &times, &sums, "message"))
            (of_day(context, &hours))
            (list(context, "web-statistics-channels", "web-channel", &channels))
            (list(context, "web-statistics-commands", "web-command", &commands))
            (over_time(context, &times, &sums, "join"))
            (over_time(context, &times, &sums, "leave"))
            p.hint { (context.text("web-statistics-members-hint")) }
            p { a.button.quiet href={ (path) ".csv?days=" (period.days()) } download { (context.text("web-statistics-csv")) } }
        };
        Ok(context.page(&title, &main))
    }
}

impl Page for Download {
    fn path(&self) -> &'static str {
        "/servers/{guild}/statistics.csv"
    }

    fn access(&self) -> Access {
        Access::Staff(Permissions::MANAGE_GUILD)
    }

    async fn get(&self, context: &mut Context, services: &Services) -> Result<Answer, Fault> {
        let guild_id = context.staff()?.guild_id;
        let from = beginning(Period::of(context)?, host_time());
        let file = csv(services, guild_id, from).await?;
        Ok(Answer::bytes("text/csv; charset=utf-8", file).into_download("statistics.csv"))
    }
}

/// The counts since this time, a line each. All values are numbers, times, or names of commands, which have letters, digits and dashes.
async fn csv(services: &Services, guild_id: Id<GuildMarker>, from: SystemTime) -> Result<String, Fault> {
    let counts = reading::all(&services.store, guild_id, from).await?;
    let mut file = "begins_at,span,kind,channel_id,command,amount\r\n".to_owned();
    for count in counts {
        let at = OffsetDateTime::from(count.begins_at);
        let at = at.format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
        ));
        let span = if count.is_day { "day" } else { "hour" };
        let channel = count.channel_id.map(|id| id.to_string()).unwrap_or_default();
        let line = [
            at.unwrap_or_default(),
            span.to_owned(),
            count.kind,
            channel,
            count.command,
            count.amount.to_string(),
        ];
        file.push_str(&line.join(","));
        file.push_str("\r\n");
    }
    Ok(file)
}

/// The times of a chart.
struct Times {
    from: SystemTime,
    now: SystemTime,
    step: i64,
}

impl Times {
    /// A bar for each hour or day, empty where nothing was counted.
    fn bars(&self, sums: &[Sum], kind: &str) -> Vec<Bar> {
        let (from, now) = (ids::to_millis(self.from), ids::to_millis(self.now));
        let count = usize::try_from((now - from).div_euclid(self.step) + 1).unwrap_or(0);
        let mut bars: Vec<Bar> = (0..)
            .map(|index| from + index * self.step)
            .take(count)
            .map(|at| self.bar(at))
            .collect();
        for sum in sums.iter().filter(|sum| sum.kind == kind) {
            let index = (ids::to_millis(sum.begins_at) - from).div_euclid(self.step);
            if let Some(bar) = usize::try_from(index).ok().and_then(|index| bars.get_mut(index)) {
                bar.value += sum.amount;
            }
        }
        bars
    }

    fn bar(&self, at: i64) -> Bar {
        let at = OffsetDateTime::from(ids::to_time(at));
        let (label, short) = if self.step == DAY {
            (
                at.format(format_description!("[year]-[month]-[day]")),
                at.format(format_description!("[month]-[day]")),
            )
        } else {
            (
                at.format(format_description!("[year]-[month]-[day] [hour]:00 UTC")),
                at.format(format_description!("[hour]:00")),
            )
        };
        Bar {
            label: label.unwrap_or_default(),
            short: short.unwrap_or_default(),
            value: 0,
        }
    }
}

fn totals(context: &Context, sums: &[Sum]) -> Markup {
    let total = |kind: &str| {
        sums.iter()
            .filter(|sum| sum.kind == kind)
            .map(|sum| sum.amount)
            .sum::<u64>()
    };
    html! {
        dl.facts {
            @for kind in ["message", "command", "join", "leave"] {
                div {
                    dt { (context.text(heading(kind))) }
                    dd { (context.language().number(total(kind))) }
                }
            }
        }
    }
}

/// The name of a channel, or its ID if it has none.
fn channel(names: &Names, id: String) -> String {
    match ids::written(&id) {
        Some(channel_id) => names.channel(channel_id),
        None => id,
    }
}

/// The text for a kind of counts.
fn heading(kind: &str) -> &'static str {
    match kind {
        "message" => "web-messages",
        "command" => "web-commands",
        "join" => "web-joins",
        _ => "web-leaves",
    }
}

fn over_time(context: &Context, times: &Times, sums: &[Sum], kind: &str) -> Markup {
    let title = context.text(heading(kind));
    let headings = [context.text("web-at"), title.clone()];
    chart::bars(
        context,
        &title,
        [&headings[0], &headings[1]],
        &times.bars(sums, kind),
    )
}

/// Messages by the hour of the day, of the days whose hours are kept.
fn of_day(context: &Context, hours: &[(u8, u64)]) -> Markup {
    let bars: Vec<Bar> = (0..24)
        .map(|hour| Bar {
            label: format!("{hour:02}:00 UTC"),
            short: format!("{hour:02}"),
            value: hours
                .iter()
                .filter(|(of, _)| *of == hour)
                .map(|(_, amount)| amount)
                .sum(),
        })
        .collect();
    let headings = [context.text("web-at"), context.text("web-messages")];
    let title = context.text("web-statistics-hours");
    chart::bars(context, &title, [&headings[0], &headings[1]], &bars)
}

/// What was counted by a name, the largest first.
fn list(context: &Context, title: &str, heading: &str, counts: &[(String, u64)]) -> Markup {
    let most = counts.iter().map(|(_, amount)| *amount).max().unwrap_or(0);
    html! {
        @if !counts.is_empty() {
            h2 { (context.text(title)) }
            div.card.scroll tabindex="0" { table {
                caption.hidden { (context.text(title)) }
                thead { tr {
                    th scope="col" { (context.text(heading)) }
                    th.number scope="col" { (context.text("web-amount")) }
                } }
                tbody {
                    @for (name, amount) in counts {
                        tr {
                            th scope="row" { (name) }
                            td.number { (context.language().number(*amount)) (chart::share(*amount, most)) }
                        }
                    }
                }
            } }
        }
    }
}
