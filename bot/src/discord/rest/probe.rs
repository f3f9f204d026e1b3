//! Detecting when Discord accepts the token again.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use twilight_http::request::TryIntoRequest as _;

use super::{Priority, limits::Seen, route::Route, sender::Sender, turns::Turns};
use crate::{discord::clock::Clock, support::backoff::Backoff};

/// The delays between probes. A failed probe counts against Discord's limit on invalid requests; with the longest delay there are four of
/// them in its 10 minutes.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// While the token is refused, request the bot's own user with increasing delays. The response passes through the schedule, which lifts the
/// block. So a 401 caused by an error of Discord's ends by itself, as does one right after an outage of Discord's authentication.
pub(super) async fn run(
    builders: Arc<twilight_http::Client>,
    sender: Arc<Sender>,
    clock: Clock,
    turns: Arc<Turns>,
) {
    let request = builders.current_user().try_into_request();
    let request = request.expect("a request without parameters is valid");
    let parcel = sender.pack(&request).expect("its path is a constant");
    let route = Route::probe(request.method().name(), request.path());
    let mut refused = turns.token_refused();
    loop {
        // The channel is closed together with the schedule.
        if refused.wait_for(|refused| *refused).await.is_err() {
            return;
        }
        let mut backoff = Backoff::between(PAUSE.0, PAUSE.1);
        while *refused.borrow() {
            sleep(backoff.pause()).await;
            // A rate limit prevents the probe; it is sent after the next delay.
            let Ok(turn) = turns.wait(&route, Priority::Command).await else {
                continue;
            };
            let seen = match super::exchange(&sender, &clock, &route, &parcel).await {
                Ok(reply) => {
                    let body = reply.body.as_deref().unwrap_or_default();
                    Seen::in_answer(reply.status, &reply.headers, body, parcel.with_token)
                }
                Err(_failure) => Seen::default(),
            };
            turn.finish(&seen);
        }
    }
}
