//! Decides which request is sent next. This is a plain state, whose methods take the current time. [`Turns`](super::turns::Turns) uses it.

mod answered;

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use rustc_hash::FxHashMap;
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use super::{
    Priority,
    brake::Brake,
    budget::Budget,
    lane::{Lane, LaneKey},
    route::Route,
};
use crate::telemetry::metrics;

/// The maximum wait for a limit. If it lasts longer, the caller gets an error and can do something else meanwhile.
pub(super) const LONGEST_HOLD: Duration = Duration::from_secs(15);
/// The maximum wait of an effect. After it, the worker gives the lane back and can serve another one.
const EFFECTS_HOLD: Duration = Duration::from_millis(500);
/// The maximum number of waiting requests per priority.
pub(super) const MOST_WAITING: usize = 1_000;
/// The maximum number of waiting requests per bucket, so that a busy channel cannot take all places.
pub(super) const MOST_WAITING_IN_A_LANE: usize = 250;
/// How often the window of invalid requests is checked while it is not empty and nothing else happens.
const LOOK: Duration = Duration::from_secs(10);

/// Why a request is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    After(Duration),
    Braked(Duration),
    TokenRefused,
}

/// The limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The number of requests per second for the whole bot.
    pub(super) per_second: u32,
    /// The number of invalid requests of the whole bot in 10 minutes at which the brake applies.
    pub(super) invalid: u32,
    /// Whether a proxy enforces the limits. Then only a 429 causes a wait, and lanes only keep the order.
    pub(super) proxied: bool,
}

/// A request in progress.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) number: u64,
    lane: LaneKey,
    route: Route,
    priority: Priority,
}

/// Sends the ticket to the task that waits for it.
pub(super) type Sender<T> = oneshot::Sender<Result<T, Refusal>>;

#[derive(Debug)]
struct Waiter<T> {
    route: Route,
    lane: LaneKey,
    priority: Priority,
    since: Instant,
    sender: Sender<T>,
}

/// Buckets, the global limit and the brake. `T` is what a waiting task receives, see [`Schedule::pump`].
#[derive(Debug)]
pub(super) struct Schedule<T> {
    rules: Rules,
    budget: Budget,
    brake: Brake,
    /// The known group of each route, by the key of its template.
    groups: FxHashMap<u64, u64>,
    lanes: FxHashMap<LaneKey, Lane>,
    waiting: FxHashMap<u64, Waiter<T>>,
    counts: [usize; Priority::COUNT],
    /// Lanes whose next request is ready, in order: the exempt ones, and the others by the priority of that request.
    exempt: VecDeque<LaneKey>,
    ready: [VecDeque<LaneKey>; Priority::COUNT],
    /// Lanes with the time at which they are checked again.
    timed: BTreeSet<(Instant, LaneKey)>,
    global_until: Instant,
    everything_until: Instant,
    token_refused: watch::Sender<bool>,
    next_number: u64,
}

impl<T> Schedule<T> {
    pub(super) fn new(rules: Rules, now: Instant) -> Self {
        Self {
            rules,
            budget: Budget::new(rules.per_second, 1, 1),
            brake: Brake::new(rules.invalid, 1, 1),
            groups: FxHashMap::default(),
            lanes: FxHashMap::default(),
            waiting: FxHashMap::default(),
            counts: [0; Priority::COUNT],
            exempt: VecDeque::new(),
            ready: Default::default(),
            timed: BTreeSet::new(),
            global_until: now,
            everything_until: now,
            token_refused: watch::Sender::new(false),
            next_number: 0,
        }
    }

    /// Set the share of this process.
    pub(super) fn share(&mut self, part: u32, of: u32) {
        self.budget.share(self.rules.per_second, part, of);
        self.brake.share(self.rules.invalid, part, of);
    }

    /// Add a request to the queue. Returns its number for [`forget`](Self::forget).
    pub(super) fn enqueue(
        &mut self,
        route: &Route,
        priority: Priority,
        sender: Sender<T>,
        now: Instant,
    ) -> Result<u64, Refusal> {
        if route.needs_accepted_token() && *self.token_refused.borrow() {
            return Err(Refusal::TokenRefused);
        }
        if let Some(refusal) = self.long_hold(route.exempt, now) {
            return Err(refusal);
        }
        let key = self.lane_of(route);
        if let Some(lane) = self.lanes.get(&key) {
            let wait = lane.opens_at().saturating_duration_since(now);
            if wait > hold(priority) {
                return Err(Refusal::After(wait));
            }
            // As long as a route's bucket is unknown, all of its channels share a lane.
            if lane.len() >= MOST_WAITING_IN_A_LANE && self.is_known(route) {
                return Err(Refusal::Full);
            }
        }
        if self.counts[priority as usize] >= MOST_WAITING {
            return Err(Refusal::Full);
        }
        let number = self.add(route.clone(), priority, sender, now);
        self.lane(key, now).push(priority, number);
        self.settle(key, now);
        Ok(number)
    }

    fn add(&mut self, route: Route, priority: Priority, sender: Sender<T>, now: Instant) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.counts[priority as usize] += 1;
        let waiter = Waiter {
            lane: self.lane_of(&route),
            route,
            priority,
            since: now,
            sender,
        };
        self.waiting.insert(number, waiter);
        number
    }

    fn take(&mut self, number: u64) -> Option<Waiter<T>> {
        let waiter = self.waiting.remove(&number)?;
        self.counts[waiter.priority as usize] -= 1;
        Some(waiter)
    }

    /// Remove a request whose task no longer waits.
    pub(super) fn forget(&mut self, number: u64, now: Instant) {
        if let Some(waiter) = self.take(number) {
            if let Some(lane) = self.lanes.get_mut(&waiter.lane) {
                lane.remove(waiter.priority, number);
            }
            self.settle(waiter.lane, now);
        }
    }

    /// Whether Discord refuses the token.
    pub(super) fn token_refused(&self) -> watch::Receiver<bool> {
        self.token_refused.subscribe()
    }

    /// Issue tickets for all requests that are ready. `wrap` converts a ticket to what the task receives, which is sent after the lock is
    /// released.
    pub(super) fn pump(&mut self, now: Instant, mut wrap: impl FnMut(Ticket) -> T) -> Vec<(Sender<T>, T)> {
        while let Some(&(at, key)) = self.timed.first()
            && at <= now
        {
            self.timed.pop_first();
            self.settle(key, now);
        }
        for exempt in [false, true] {
            if let Some(refusal) = self.long_hold(exempt, now) {
                let held = |waiter: &Waiter<T>| exempt || !waiter.route.exempt;
                let held = self.waiting.iter().filter(|(_, waiter)| held(waiter));
                let held: Vec<u64> = held.map(|(number, _)| *number).collect();
                self.refuse(held, refusal);
            }
        }
        let mut sent = Vec::new();
        if self.everything_until <= now {
            while let Some(key) = self.exempt.pop_front() {
                sent.extend(self.grant(key, None, now));
            }
        }
        if self.held_until(now) <= now {
            for priority in Priority::ALL {
                while (self.rules.proxied || self.budget.has_room(priority, now))
                    && let Some(key) = self.ready[priority as usize].pop_front()
                {
                    sent.extend(self.grant(key, Some(priority), now));
                }
            }
        }
        self.show();
        sent.into_iter()
            .map(|(sender, ticket)| (sender, wrap(ticket)))
            .collect()
    }

    /// When to call [`pump`](Self::pump) again if nothing happens before.
    pub(super) fn wake_at(&mut self, now: Instant) -> Option<Instant> {
        let timed = self.timed.first().map(|(at, _)| *at);
        let everything = (!self.exempt.is_empty()).then_some(self.everything_until);
        let held_until = self.held_until(now);
        let ready = self.ready.iter().any(|keys| !keys.is_empty());
        let held = (ready && held_until > now).then_some(held_until);
        let slot = if ready && held.is_none() {
            self.budget.next_free()
        } else {
            None
        };
        let look = (self.brake.invalid() > 0).then_some(now + LOOK);
        [timed, everything, held, slot, look].into_iter().flatten().min()
    }

    /// Issue a ticket for the next request of a lane, if it is still allowed.
    fn grant(&mut self, key: LaneKey, listed: Option<Priority>, now: Instant) -> Option<(Sender<T>, Ticket)> {
        let lane = self.lanes.get_mut(&key)?;
        lane.listed &= !bit(listed);
        let top = lane.top()?;
        if lane.busy || lane.opens_at() > now || listed.is_some_and(|listed| listed != top) {
            self.settle(key, now);
            return None;
        }
        let number = lane.pop(top)?;
        lane.spend(now);
        let ready_at = lane.ready_at;
        let waiter = self.take(number)?;
        if !key.exempt && !self.rules.proxied {
            self.budget.take(number, now);
        }
        let ready_at = ready_at.max(waiter.since);
        metrics::rest_bucket_wait_seconds().record(ready_at - waiter.since);
        metrics::rest_global_wait_seconds().record(now.saturating_duration_since(ready_at));
        let ticket = Ticket {
            number,
            lane: key,
            route: waiter.route,
            priority: top,
        };
        Some((waiter.sender, ticket))
    }

    /// Move a lane to the right list after a change: those that are ready, those that wait for a time, or none.
    fn settle(&mut self, key: LaneKey, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        if lane.busy {
            return;
        }
        let opens_at = lane.opens_at();
        match lane.top() {
            None if lane.forgettable_at() <= now => {
                self.lanes.remove(&key);
            }
            None => {
                self.timed.insert((lane.forgettable_at(), key));
            }
            Some(_) if opens_at > now => {
                self.timed.insert((opens_at, key));
            }
            Some(top) => {
                let listed = (!key.exempt).then_some(top);
                if lane.listed == 0 {
                    lane.ready_at = now;
                }
                if lane.listed & bit(listed) == 0 {
                    lane.listed |= bit(listed);
                    match listed {
                        Some(priority) => self.ready[priority as usize].push_back(key),
                        None => self.exempt.push_back(key),
                    }
                }
            }
        }
    }

    /// Whether the bucket of a route is known, or known not to exist.
    fn is_known(&self, route: &Route) -> bool {
        route.exempt || self.rules.proxied || self.groups.contains_key(&route.key)
    }

    fn lane_of(&self, route: &Route) -> LaneKey {
        let group = self.groups.get(&route.key).copied().unwrap_or(route.key);
        LaneKey {
            group,
            major: if self.is_known(route) { route.major } else { 0 },
            exempt: route.exempt,
        }
    }

    fn lane(&mut self, key: LaneKey, now: Instant) -> &mut Lane {
        self.lanes.entry(key).or_insert_with(|| Lane::new(now))
    }

    /// The time until which all requests that are not exempt have to wait.
    fn held_until(&mut self, now: Instant) -> Instant {
        let brake = self.brake.holds_until(now).unwrap_or(now);
        self.global_until.max(self.everything_until).max(brake)
    }

    /// The error for all requests, if they would have to wait for long.
    fn long_hold(&mut self, exempt: bool, now: Instant) -> Option<Refusal> {
        let limits = if exempt {
            self.everything_until
        } else {
            self.global_until.max(self.everything_until)
        };
        let brake = self.brake.holds_until(now).filter(|_| !exempt).unwrap_or(now);
        let wait = brake.max(limits).saturating_duration_since(now);
        (wait > LONGEST_HOLD).then_some(if brake > limits {
            Refusal::Braked(wait)
        } else {
            Refusal::After(wait)
        })
    }

    fn refuse(&mut self, numbers: Vec<u64>, refusal: Refusal) {
        for number in numbers {
            if let Some(waiter) = self.take(number) {
                if let Some(lane) = self.lanes.get_mut(&waiter.lane) {
                    lane.remove(waiter.priority, number);
                }
                // If the receiver no longer exists, the task has stopped waiting.
                drop(waiter.sender.send(Err(refusal)));
            }
        }
    }

    #[cfg(test)]
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn show(&self) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        {
            for priority in Priority::ALL {
                metrics::rest_waiting(priority.as_str()).set(self.counts[priority as usize] as f64);
            }
            metrics::rest_invalid_requests().set(self.brake.invalid() as f64);
        }
        metrics::rest_brake().set(f64::from(u8::from(self.brake.holds())));
    }
}

/// The maximum wait of a request for its bucket.
const fn hold(priority: Priority) -> Duration {
    match priority {
        Priority::Effect => EFFECTS_HOLD,
        Priority::Interaction | Priority::Command | Priority::Background => LONGEST_HOLD,
    }
}

/// The bit of a priority in [`Lane::listed`]; the next bit is for the exempt list.
const fn bit(listed: Option<Priority>) -> u8 {
    match listed {
        Some(priority) => 1 << priority as u8,
        None => 1 << Priority::COUNT,
    }
}
