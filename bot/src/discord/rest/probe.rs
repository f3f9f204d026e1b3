//! Finding out when Discord accepts the token again.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use twilight_http::request::TryIntoRequest as _;

use super::{Priority, limits::Seen, route::Route, sender::Sender, turns::Turns};
use crate::{discord::clock::Clock, support::backoff::Backoff};

/// Pauses between probes. Each one that fails counts against Discord's limit on invalid requests; at the longest pause these are
/// four in its 10 minutes.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// Ask Discord with growing pauses who the bot is, for as long as the token is refused. The answer passes through the schedule,
/// which lifts the block. A 401 that was a fault of Discord's therefore ends by itself, and so does a request with the token
/// right after an outage of Discord's authentication.
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
        // Ends with the schedule.
        if refused.wait_for(|refused| *refused).await.is_err() {
            return;
        }
        let mut backoff = Backoff::between(PAUSE.0, PAUSE.1);
        while *refused.borrow() {
            sleep(backoff.pause()).await;
            // Held by a limit of Discord's: the next pause will do.
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
