//! What an answer changes in the schedule: bucket standings, blocks and refusals.

use tokio::time::Instant;

use super::{EFFECTS_HOLD, LONGEST_HOLD, Refusal, Schedule, Sender, Ticket, hold};
use crate::{
    discord::rest::{
        Priority,
        lane::{Lane, LaneKey},
        limits::{Scope, Seen},
        route::Route,
    },
    telemetry::metrics,
};

impl<T> Schedule<T> {
    /// End a request. With a `sender` it is retried: it waits in front of the other requests of its lane.
    pub(in crate::discord::rest) fn finish(
        &mut self,
        ticket: Ticket,
        seen: &Seen,
        again: Option<Sender<T>>,
        now: Instant,
    ) -> Option<u64> {
        self.budget.answered(ticket.number, now);
        if seen.is_invalid() {
            self.brake.count(now);
        }
        let lane = self.lane(ticket.lane, now);
        lane.busy = false;
        self.learn(&ticket.route, seen, now);
        let key = self.lane_of(&ticket.route);
        // If the route has just become known, these are two lanes.
        for key in [ticket.lane, key] {
            self.judge(key, seen, now);
        }
        let mut number = None;
        if !ticket.route.exempt {
            self.judge_token(&ticket.route, seen);
        }
        if let Some(sender) = again {
            if let Some(refusal) = self.refusal_again(&ticket.route, key, ticket.priority, now) {
                // If the receiver no longer exists, the task has stopped waiting.
                drop(sender.send(Err(refusal)));
            } else {
                let again = self.add(ticket.route, ticket.priority, sender, now);
                self.lane(key, now).push_first(ticket.priority, again);
                number = Some(again);
            }
        }
        for key in [ticket.lane, key] {
            self.settle(key, now);
        }
        number
    }

    /// Block all requests with the token after a 401, and lift the block after a response that shows that it is accepted.
    fn judge_token(&mut self, route: &Route, seen: &Seen) {
        if seen.token_refused {
            if !self.token_refused.send_replace(true) {
                metrics::rest_token_refused().set(1.0);
                tracing::error!(
                    rest.route = %route.template,
                    "Discord refused the token (401); only answers to interactions are sent until it accepts the token again"
                );
            }
            let waiting = self.waiting.iter();
            let blocked = waiting.filter(|(_, waiter)| waiter.route.needs_accepted_token());
            let blocked: Vec<u64> = blocked.map(|(number, _)| *number).collect();
            self.refuse(blocked, Refusal::TokenRefused);
        } else if seen.proves_token() && *self.token_refused.borrow() {
            self.token_refused.send_replace(false);
            metrics::rest_token_refused().set(0.0);
            tracing::info!("Discord accepts the token again");
        }
    }

    fn refusal_again(
        &mut self,
        route: &Route,
        key: LaneKey,
        priority: Priority,
        now: Instant,
    ) -> Option<Refusal> {
        if route.needs_accepted_token() && *self.token_refused.borrow() {
            return Some(Refusal::TokenRefused);
        }
        let wait = self.lane(key, now).opens_at().saturating_duration_since(now);
        self.long_hold(key.exempt, now)
            .or_else(|| (wait > hold(priority)).then_some(Refusal::After(wait)))
    }

    /// Apply the limits in a response to a lane, and return an error to requests that would wait too long.
    fn judge(&mut self, key: LaneKey, seen: &Seen, now: Instant) {
        if let Some(standing) = seen.bucket.filter(|_| !self.rules.proxied) {
            self.lane(key, now).stand(&standing, now);
        }
        if let Some(limited) = seen.limited {
            let until = now + limited.retry_after;
            match limited.scope {
                Scope::User | Scope::Shared => self.lane(key, now).block(until),
                Scope::Global => self.global_until = self.global_until.max(until),
                Scope::Cloudflare => self.everything_until = self.everything_until.max(until),
            }
        }
        if let Some(lane) = self.lanes.get_mut(&key) {
            let wait = lane.opens_at().saturating_duration_since(now);
            let numbers = if wait > LONGEST_HOLD {
                lane.drain()
            } else if wait > EFFECTS_HOLD {
                lane.drain_of(Priority::Effect)
            } else {
                Vec::new()
            };
            self.refuse(numbers, Refusal::After(wait));
        }
    }

    /// Learn the bucket of a route from its first real response, and distribute the waiting requests to separate lanes.
    fn learn(&mut self, route: &Route, seen: &Seen, now: Instant) {
        let answered = seen.status.is_some_and(|status| status < 500 && status != 429);
        if self.is_known(route) || !(answered || seen.bucket.is_some()) {
            return;
        }
        let old = self.lane_of(route);
        // A route without limits keeps one lane per channel.
        let group = seen.bucket.map_or(route.key, |standing| standing.bucket);
        self.groups.insert(route.key, group);
        let numbers = self.lanes.get_mut(&old).map(Lane::drain).unwrap_or_default();
        for number in numbers {
            let Some(waiter) = self.waiting.get_mut(&number) else {
                continue;
            };
            let key = LaneKey {
                group,
                major: waiter.route.major,
                exempt: false,
            };
            waiter.lane = key;
            let priority = waiter.priority;
            self.lane(key, now).push(priority, number);
            self.settle(key, now);
        }
    }
}
