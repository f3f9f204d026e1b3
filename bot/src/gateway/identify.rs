//! Whose turn it is to IDENTIFY.
//!
//! Discord allows one identify in 5 seconds for each of `max_concurrency` keys, where a shard's key is its id modulo
//! `max_concurrency`, and a budget a day; `GET /gateway/bot` tells both:
//! <https://discord.com/developers/docs/events/gateway#rate-limiting>. One queue serves all shards of the process.
//!
//! twilight's own queue has one timer for all keys, so a shard that asks a moment after the others waits 5 seconds although its
//! key is free; this one keeps a time for each key.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use twilight_gateway_queue::{IDENTIFY_DELAY, Queue};
use twilight_model::gateway::SessionStartLimit;

use crate::{
    metrics,
    task::{self, Task},
};

/// Added to the time between two identifies of a key: they must be 5 s apart where Discord measures them.
const JITTER: Duration = Duration::from_millis(100);

/// Shards that may ask at the same time. Each asks once, so it bounds the shards of a process.
const ASKING: usize = 65_536;

/// The queue that the process's shards share.
#[derive(Clone, Debug)]
pub struct IdentifyQueue {
    asks: mpsc::Sender<Ask>,
    _turns: Arc<Task<()>>,
}

#[derive(Debug)]
struct Ask {
    shard: u32,
    permit: oneshot::Sender<()>,
}

impl IdentifyQueue {
    /// A queue with the limits that Discord told.
    pub fn new(limit: &SessionStartLimit) -> Self {
        let (asks, asked) = mpsc::channel(ASKING);
        let turns = Turns {
            concurrency: u32::from(limit.max_concurrency.max(1)),
            remaining: limit.remaining,
            total: limit.total.max(1),
            resets_at: Instant::now() + Duration::from_millis(limit.reset_after),
            next_at: BTreeMap::new(),
            waiting: BTreeMap::new(),
        };
        Self {
            asks,
            _turns: Arc::new(task::spawn("identify queue", turns.run(asked))),
        }
    }
}

impl Queue for IdentifyQueue {
    fn enqueue(&self, shard: u32) -> oneshot::Receiver<()> {
        let (permit, permitted) = oneshot::channel();
        // Not full before 65,536 shards ask at once, which is more than there may be. A refused one asks again by itself.
        drop(self.asks.try_send(Ask { shard, permit }));
        permitted
    }
}

/// The one who gives the turns.
struct Turns {
    concurrency: u32,
    remaining: u32,
    total: u32,
    resets_at: Instant,
    /// When each key is free.
    next_at: BTreeMap<u32, Instant>,
    /// Who waits, by time, in the order asked.
    waiting: BTreeMap<(Instant, u64), Ask>,
}

impl Turns {
    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        let mut number = 0;
        loop {
            let next = self.waiting.first_key_value().map(|((at, _), _)| *at);
            tokio::select! {
                ask = asked.recv() => {
                    let Some(ask) = ask else { return };
                    number += 1;
                    let at = self.turn_of(ask.shard);
                    self.waiting.insert((at, number), ask);
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => self.permit(),
            }
        }
    }

    /// Reserve the next free time of the shard's key.
    fn turn_of(&mut self, shard: u32) -> Instant {
        let next_at = self
            .next_at
            .entry(shard % self.concurrency)
            .or_insert_with(Instant::now);
        let at = (*next_at).max(Instant::now());
        *next_at = at + IDENTIFY_DELAY + JITTER;
        at
    }

    fn permit(&mut self) {
        let now = Instant::now();
        if now >= self.resets_at {
            self.remaining = self.total;
            self.resets_at = now + twilight_gateway_queue::LIMIT_PERIOD;
        }
        let Some(((_, number), ask)) = self.waiting.pop_first() else {
            return;
        };
        if self.remaining == 0 {
            let minutes = (self.resets_at - now).as_secs() / 60;
            tracing::error!(
                shard.id = ask.shard,
                identify.resets_in_minutes = minutes,
                "the day's identifies are used up; Discord would reset the token, so the shard waits"
            );
            self.waiting.insert((self.resets_at, number), ask);
        } else if ask.permit.send(()).is_ok() {
            self.remaining -= 1;
            metrics::gateway_identifies_total().increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};
    use twilight_gateway_queue::Queue as _;
    use twilight_model::gateway::SessionStartLimit;

    use super::IdentifyQueue;

    fn queue(max_concurrency: u16, remaining: u32) -> IdentifyQueue {
        IdentifyQueue::new(&SessionStartLimit {
            max_concurrency,
            remaining,
            reset_after: 3_600_000,
            total: 1_000,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn keys_do_not_wait_for_each_other_and_one_key_waits_5_seconds() {
        let queue = queue(2, 1_000);
        let start = Instant::now();
        let asked: Vec<_> = (0..6).map(|shard| queue.enqueue(shard)).collect();
        let mut seconds = Vec::new();
        for permit in asked {
            permit.await.expect("a permit");
            seconds.push(start.elapsed().as_secs());
        }
        assert_eq!(seconds, [0, 0, 5, 5, 10, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_budget_waits_for_its_reset() {
        let queue = queue(16, 1);
        queue.enqueue(0).await.expect("the last one");
        let mut second = queue.enqueue(1);
        assert!(timeout(Duration::from_mins(59), &mut second).await.is_err());
        assert!(timeout(Duration::from_mins(2), &mut second).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_shard_that_went_away_costs_no_budget() {
        let queue = queue(16, 1);
        drop(queue.enqueue(0));
        tokio::task::yield_now().await;
        queue.enqueue(1).await.expect("a permit");
    }
}
