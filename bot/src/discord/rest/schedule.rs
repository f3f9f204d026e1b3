//! Who is sent next. Plain state, moved by calls that bring the time along; [`Turns`](super::turns::Turns) is around it.

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

/// A longer block is told to the callers instead of waited for: they know better what to do meanwhile.
pub(super) const LONGEST_HOLD: Duration = Duration::from_secs(15);
/// An effect's lane is given back instead, so that the worker can serve another one meanwhile.
const EFFECTS_HOLD: Duration = Duration::from_millis(500);
/// How many requests of a priority may wait.
pub(super) const MOST_WAITING: usize = 1_000;
/// How many may wait for one bucket: one busy channel must not take all the room.
pub(super) const MOST_WAITING_IN_A_LANE: usize = 250;
/// How often the window of invalid requests is looked at while it is not empty and nothing else happens.
const LOOK: Duration = Duration::from_secs(10);

/// Why a request is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    After(Duration),
    Braked(Duration),
    TokenRefused,
}

/// What the limits are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Requests a second of the whole bot.
    pub(super) per_second: u32,
    /// Invalid requests in 10 minutes of the whole bot at which the brake holds.
    pub(super) invalid: u32,
    /// Whether a proxy keeps the limits: then only a 429 makes anything wait, and lanes only keep the order.
    pub(super) proxied: bool,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) number: u64,
    lane: LaneKey,
    route: Route,
    priority: Priority,
}

/// Where the one who asked waits for the ticket.
pub(super) type Sender<T> = oneshot::Sender<Result<T, Refusal>>;

#[derive(Debug)]
struct Waiter<T> {
    route: Route,
    lane: LaneKey,
    priority: Priority,
    since: Instant,
    sender: Sender<T>,
}

/// Buckets, the global limit and the brake. `T` is what a waiter is given, see [`Schedule::pump`].
#[derive(Debug)]
pub(super) struct Schedule<T> {
    rules: Rules,
    budget: Budget,
    brake: Brake,
    /// The group of each route whose group is known, by the template's key.
    groups: FxHashMap<u64, u64>,
    lanes: FxHashMap<LaneKey, Lane>,
    waiting: FxHashMap<u64, Waiter<T>>,
    counts: [usize; Priority::COUNT],
    /// Lanes whose next request may go, in turn: the exempt ones, and the others by the priority of that request.
    exempt: VecDeque<LaneKey>,
    ready: [VecDeque<LaneKey>; Priority::COUNT],
    /// Lanes that are looked at again at a time.
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

    /// This process is one of several.
    pub(super) fn share(&mut self, part: u32, of: u32) {
        self.budget.share(self.rules.per_second, part, of);
        self.brake.share(self.rules.invalid, part, of);
    }

    /// Wait in line. Returns the number to [`forget`](Self::forget) it by.
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
            // By the lane of an unknown route go all its channels.
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

    /// Somebody does not wait any more.
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

    /// Give tickets to all who may go now: `wrap` makes of each what its waiter is given, to be sent when no lock is held.
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

    /// When to [`pump`](Self::pump) again, if nothing happens before.
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

    /// Send the next of a lane, if it still may go.
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

    /// Put a lane where it belongs after a change: among those that may go, those that wait for a time, or nowhere.
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

    /// Whether the lanes of a route are its own: learned, or never to be.
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

    /// Until when all that is not exempt is held.
    fn held_until(&mut self, now: Instant) -> Instant {
        let brake = self.brake.holds_until(now).unwrap_or(now);
        self.global_until.max(self.everything_until).max(brake)
    }

    /// The refusal for everything, if it is held for long.
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
                // Where the receiver is gone, nobody wants to know.
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

/// For how long a request waits for its bucket before its caller is told to come back.
const fn hold(priority: Priority) -> Duration {
    match priority {
        Priority::Effect => EFFECTS_HOLD,
        Priority::Interaction | Priority::Command | Priority::Background => LONGEST_HOLD,
    }
}

/// A priority's bit in [`Lane::listed`]; the list of the exempt has the one after them.
const fn bit(listed: Option<Priority>) -> u8 {
    match listed {
        Some(priority) => 1 << priority as u8,
        None => 1 << Priority::COUNT,
    }
}
