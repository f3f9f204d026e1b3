//! The page for operators: the fleet, gaps, timers, and what `eventide doctor` finds. Everything is read from the database, so any process
//! can show it.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use maud::{Markup, html};

use crate::{
    config::Config,
    interactions::Services,
    pipeline::{
        fleet::registry::{self, Overview, ProcessOverview},
        rows::gap,
    },
    postgres::{
        doctor::{
            self,
            finding::{Finding, Verdict},
        },
        timer::{self, Filter, Shown},
    },
    support::{clock::host_time, text::limits::excerpt},
    web::{
        answer::{Answer, Fault},
        context::Context,
        elements::moment,
        route::{Access, Handler, Route},
    },
};

/// Rows in each list.
const LISTED: u32 = 20;
/// How far back gaps are shown.
const GAPS: Duration = Duration::from_hours(24 * 30);
/// Characters of a failure.
const FAILURE: usize = 200;

/// The page with what it needs.
struct Operators {
    config: Config,
    services: Arc<Services>,
}

/// The page in the list of all pages.
pub(super) fn route(config: &Config, services: &Arc<Services>) -> Route {
    Route {
        path: "/operators",
        access: Access::Operator,
        link: Some("web-operators"),
        tab: None,
        handler: Box::new(Operators {
            config: config.clone(),
            services: Arc::clone(services),
        }),
    }
}

impl Handler for Operators {
    fn answer<'a>(&'a self, context: &'a mut Context) -> BoxFuture<'a, Result<Answer, Fault>> {
        Box::pin(self.show(context))
    }
}

impl Operators {
    async fn show(&self, context: &Context) -> Result<Answer, Fault> {
        if *context.method() != hyper::Method::GET {
            return Err(Fault::NoForm);
        }
        let store = &self.services.store;
        let overview = registry::overview(store).await?;
        let gaps = gap::list(store, host_time() - GAPS, LISTED).await?;
        let waiting = timer::list(store, Filter::default(), LISTED).await?;
        let given_up = Filter {
            failed: true,
            ..Filter::default()
        };
        let failed = timer::list(store, given_up, LISTED).await?;
        let findings = doctor::examine_store(store, &self.config).await?;
        let title = context.text("web-operators");
        let main = html! {
            h1 { (title) }
            (fleet(&overview))
            h2 { "Gaps of the last 30 days" }
            @if gaps.is_empty() { p { "There are none." } } @else { (gap_table(&gaps)) }
            h2 { "Timers" }
            (lateness(&waiting))
            @if !waiting.is_empty() { (timers("The next timers", &waiting)) }
            @if !failed.is_empty() { (timers("Timers that failed", &failed)) }
            h2 { "Doctor" }
            (doctor(&findings))
        };
        Ok(context.page(&title, &main))
    }
}

fn fleet(overview: &Overview) -> Markup {
    html! {
        h2 { "Fleet" }
        dl.facts {
            div { dt { "Processes" } dd { (overview.processes.len()) } }
            div { dt { "Shards" } dd { (overview.shard_count.unwrap_or(0)) } }
            div { dt { "Shards without a process" } dd { (overview.free.len()) } }
            div { dt { "Identifies left today" } dd { (overview.identify_remaining) " of " (overview.identify_total) } }
        }
        @if let Some(reshard) = overview.reshard {
            p.note { "The number of shards is being changed to " (reshard.to) ": " (overview.reshard_stage()) "." }
        }
        @for process in &overview.processes { (process_card(process)) }
    }
}

fn process_card(process: &ProcessOverview) -> Markup {
    html! {
        section.card {
            h3 { (process.id) }
            p {
                (process.host) ", version " (process.version) ", capacity " (process.capacity) ", up " (process.up_s) " s, seen "
                (format!("{:.1}", process.silent_s)) " s ago" @if process.draining { ", draining" }
            }
            @if !process.shards.is_empty() {
                div.scroll tabindex="0" { table {
                    caption.hidden { "Shards of " (process.id) }
                    thead { tr {
                        th scope="col" { "Shard" }
                        th scope="col" { "State" }
                        th.number scope="col" { "Servers" }
                        th.number scope="col" { "Events" }
                        th.number scope="col" { "Lag in ms" }
                        th.number scope="col" { "Held in s" }
                    } }
                    tbody {
                        @for shard in &process.shards {
                            @let shown = |name: &str| process.shown[shard.key.to_string()][name].clone();
                            tr {
                                th scope="row" { (shard.key.to_string()) }
                                td { (shown("state").as_str().unwrap_or("?")) }
                                td.number { (shard.guilds) }
                                td.number { (shown("events")) }
                                td.number { (shown("lag_ms")) }
                                td.number { (shard.held_s) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn gap_table(gaps: &[gap::Recorded]) -> Markup {
    html! {
        div.card.scroll tabindex="0" { table {
            caption.hidden { "Gaps" }
            thead { tr {
                th scope="col" { "Shard" }
                th scope="col" { "Reason" }
                th scope="col" { "Began" }
                th scope="col" { "Ended" }
                th.number scope="col" { "Seconds" }
                th.number scope="col" { "Messages read back" }
                th.number scope="col" { "Channels not read" }
            } }
            tbody {
                @for gap in gaps {
                    tr {
                        th scope="row" { (gap.shard_id) "/" (gap.shard_count) }
                        td { (gap.reason) }
                        td { (gap.began_at) }
                        td { (gap.ended_at.as_deref().unwrap_or("open")) }
                        td.number { (format!("{:.1}", gap.seconds)) }
                        td.number { (gap.read_back) }
                        td.number { (gap.unread_channels) }
                    }
                }
            }
        } }
    }
}

/// How late the first timer is.
fn lateness(waiting: &[Shown]) -> Markup {
    let due = waiting.iter().map(|timer| timer.due).min();
    let late = due
        .and_then(|due| host_time().duration_since(due).ok())
        .unwrap_or_default();
    html! { p { "The oldest timer is " (late.as_secs()) " s late." } }
}

fn timers(caption: &str, timers: &[Shown]) -> Markup {
    html! {
        div.card.scroll tabindex="0" { table {
            caption { (caption) }
            thead { tr {
                th scope="col" { "Due" }
                th scope="col" { "Kind" }
                th scope="col" { "Server" }
                th.number scope="col" { "Attempts" }
                th scope="col" { "Failure" }
            } }
            tbody {
                @for timer in timers {
                    tr {
                        td { (moment(timer.due)) }
                        td { code { (timer.kind) } }
                        td { @if timer.guild_id == 0 { "–" } @else { (timer.guild_id) } }
                        td.number { (timer.attempts) }
                        td.long { @if let Some(failure) = &timer.failure { (excerpt(failure, FAILURE)) } }
                    }
                }
            }
        } }
    }
}

fn doctor(findings: &[Finding]) -> Markup {
    html! {
        ul.list.card {
            @for finding in findings {
                li {
                    p {
                        strong { (match finding.verdict {
                            Verdict::Good => "fine",
                            Verdict::Warning => "warning",
                            Verdict::Bad => "bad",
                        }) }
                        " · " (finding.about) ": " (finding.found)
                    }
                    @if !finding.advice.is_empty() { p.hint { (finding.advice) } }
                }
            }
        }
    }
}
