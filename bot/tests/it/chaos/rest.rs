//! Faults of REST requests: the first one, which asks for the gateway, and those that send announcements.

use discord_simulator::{LimitScope, RestFault, RestFaultKind};

use super::{Extent, Fault, stage::Stage};
use crate::support::until;

/// The number of consecutive failures: more than the attempts of the REST layer.
const IN_A_ROW: u64 = 4;

/// Announcements that meet a fault.
const AT_ANNOUNCEMENTS: u64 = 20;
const MESSAGES: &str = "POST /channels/{id}/messages";

/// A fault of announcements as a row.
macro_rules! at_announcements {
    ($name:literal, $kind:expr) => {
        Fault::new($name, |stage, _| {
            Box::pin(async move {
                stage.discord.control().add_fault(announcement($kind));
                met(stage).await;
            })
        })
    };
}

/// A fault of the bot's first request as a row.
macro_rules! at_the_start {
    ($name:literal, $kind:expr) => {
        Fault {
            settings: |_| vec![("EVENTIDE__DISCORD__REQUEST_TIMEOUT_SECONDS", "1".to_owned())],
            ..Fault::new($name, |stage, extent| {
                Box::pin(started_with(stage, extent, $kind))
            })
        }
    };
}

pub(super) fn faults() -> Vec<Fault> {
    vec![
        at_the_start!(
            "REST at the start: 429 in a bucket",
            RestFaultKind::RateLimit {
                scope: LimitScope::User,
                retry_after: 0.3
            }
        ),
        at_the_start!(
            "REST at the start: 429 of the whole bot",
            RestFaultKind::RateLimit {
                scope: LimitScope::Global,
                retry_after: 0.3
            }
        ),
        at_the_start!(
            "REST at the start: 429 of Cloudflare's",
            RestFaultKind::Cloudflare { retry_after: 1 }
        ),
        at_the_start!("REST at the start: 500", RestFaultKind::Status(500)),
        at_the_start!("REST at the start: 503", RestFaultKind::StatusAfter(503)),
        at_the_start!("REST at the start: half of the body", RestFaultKind::HalfBody),
        at_the_start!("REST at the start: no answer", RestFaultKind::Silence),
        at_announcements!(
            "announcements: 429 in a bucket",
            RestFaultKind::RateLimit {
                scope: LimitScope::User,
                retry_after: 0.3
            }
        ),
        at_announcements!(
            "announcements: 429 of the whole bot",
            RestFaultKind::RateLimit {
                scope: LimitScope::Global,
                retry_after: 0.3
            }
        ),
        at_announcements!("announcements: 500", RestFaultKind::Status(500)),
        at_announcements!(
            "announcements: sent, and then 502",
            RestFaultKind::StatusAfter(502)
        ),
        at_announcements!("announcements: sent, half of the answer", RestFaultKind::HalfBody),
        at_announcements!("announcements: sent, no answer", RestFaultKind::Silence),
        Fault::new(
            "announcements: sent, and SIGKILL before the answer",
            |stage, _| {
                Box::pin(async move {
                    stage
                        .discord
                        .control()
                        .add_fault(announcement(RestFaultKind::Silence));
                    met(stage).await;
                    stage.bot.kill().await.expect("SIGKILL");
                    stage.discord.control().clear_faults();
                    stage.start_bot();
                })
            },
        ),
    ]
}

fn announcement(kind: RestFaultKind) -> RestFault {
    RestFault {
        route: MESSAGES.to_owned(),
        count: Some(AT_ANNOUNCEMENTS),
        delay_ms: 0,
        kind,
    }
}

/// Wait until every fault has met its request.
async fn met(stage: &Stage) {
    let control = stage.discord.control();
    let before = control.rest_calls(MESSAGES).len();
    until("announcements meet the fault", async || {
        let calls = control.rest_calls(MESSAGES).len() - before;
        (calls as u64 >= AT_ANNOUNCEMENTS).then_some(())
    })
    .await;
}

/// Restart the bot while its first request fails.
async fn started_with(stage: &mut Stage, _extent: Extent, kind: RestFaultKind) {
    stage.bot.kill().await.expect("SIGKILL");
    let control = stage.discord.control();
    let route = "GET /gateway/bot";
    let before = control.rest_calls(route).len();
    control.add_fault(RestFault {
        route: route.to_owned(),
        count: Some(IN_A_ROW),
        delay_ms: 0,
        kind,
    });
    stage.start_bot();
    stage.receives().await;
    let calls = control.rest_calls(route).len() - before;
    assert_eq!(
        calls as u64,
        IN_A_ROW + 1,
        "each fault was met, and then it worked"
    );
}
