//! Waiting for permission to send a request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{
    sync::{Notify, oneshot, watch},
    time::{Instant, sleep_until},
};

use super::{
    Priority,
    limits::Seen,
    route::Route,
    schedule::{Refusal, Rules, Schedule, Ticket},
};
use crate::telemetry::task::{self, Task};

/// Issues turns for requests.
#[derive(Debug)]
pub(super) struct Turns {
    schedule: Mutex<Schedule<Turn>>,
    /// Notifies the task that the time of the next change may be different.
    changed: Notify,
}

/// The right to send a request. If it is dropped without a response, it counts as a request without one.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    ticket: Option<Ticket>,
}

impl Turns {
    /// Start issuing turns with these limits, in a separate task.
    pub(super) fn start(rules: Rules) -> (Arc<Self>, Task<()>) {
        let turns = Arc::new(Self {
            schedule: Mutex::new(Schedule::new(rules, Instant::now())),
            changed: Notify::new(),
        });
        let task = task::spawn_essential("REST turns", Arc::clone(&turns).run());
        (turns, task)
    }

    async fn run(self: Arc<Self>) {
        loop {
            self.pump();
            let wake_at = self.lock().wake_at(Instant::now());
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(wake_at.unwrap_or_else(Instant::now)), if wake_at.is_some() => {}
            }
        }
    }

    /// Whether Discord refuses the token.
    pub(super) fn token_refused(&self) -> watch::Receiver<bool> {
        self.lock().token_refused()
    }

    /// Set the share of this process: `part` of `of`.
    pub(super) fn share(&self, part: u32, of: u32) {
        self.lock().share(part, of);
        self.changed.notify_one();
    }

    /// Wait until a request of this route may be sent. Dropping the future withdraws it.
    pub(super) async fn wait(self: &Arc<Self>, route: &Route, priority: Priority) -> Result<Turn, Refusal> {
        let (sender, receiver) = oneshot::channel();
        let number = self.lock().enqueue(route, priority, sender, Instant::now())?;
        self.moved();
        self.receive(Some(number), receiver).await
    }

    async fn receive(
        self: &Arc<Self>,
        number: Option<u64>,
        receiver: oneshot::Receiver<Result<Turn, Refusal>>,
    ) -> Result<Turn, Refusal> {
        let mut place = Place { turns: self, number };
        let turn = receiver
            .await
            .expect("the schedule answers every request that it removes");
        place.number = None;
        turn
    }

    fn lock(&self) -> MutexGuard<'_, Schedule<Turn>> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a change, issue turns and wake the task.
    fn moved(self: &Arc<Self>) {
        self.pump();
        self.changed.notify_one();
    }

    fn pump(self: &Arc<Self>) {
        let given = self.lock().pump(Instant::now(), |ticket| Turn {
            turns: Arc::clone(self),
            ticket: Some(ticket),
        });
        for (sender, turn) in given {
            // If the receiver has just been dropped, dropping the turn here locks the schedule again.
            drop(sender.send(Ok(turn)));
        }
    }
}

impl Turn {
    /// End the request.
    pub(super) fn finish(mut self, seen: &Seen) {
        self.end(seen);
    }

    fn end(&mut self, seen: &Seen) {
        if let Some(ticket) = self.ticket.take() {
            self.turns.lock().finish(ticket, seen, None, Instant::now());
            self.turns.moved();
        }
    }

    /// The request was not carried out and is retried: wait for another turn, before all other requests of the bucket.
    pub(super) async fn again(mut self, seen: &Seen) -> Result<Self, Refusal> {
        let (sender, receiver) = oneshot::channel();
        let ticket = self.ticket.take().expect("a turn is finished once");
        let number = self
            .turns
            .lock()
            .finish(ticket, seen, Some(sender), Instant::now());
        self.turns.moved();
        self.turns.receive(number, receiver).await
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end(&Seen::default());
    }
}

/// A place in the queue. Dropping it removes the request.
struct Place<'a> {
    turns: &'a Arc<Turns>,
    number: Option<u64>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.turns.lock().forget(number, Instant::now());
            self.turns.moved();
        }
    }
}

#[cfg(test)]
mod tests;
