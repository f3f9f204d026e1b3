//! Sharing the result of concurrent lookups.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};

/// Lookups in progress, by key. A caller with the same key gets the result of the lookup in progress, even if it is an error. Nothing is
/// cached afterwards. If a caller is dropped, the others still get the result; with the last one, the lookup is dropped.
pub struct SingleFlight<K, V> {
    flights: Mutex<Flights<K, V>>,
}

struct Flights<K, V> {
    by_key: HashMap<K, Flight<V>>,
    next_number: u64,
}

struct Flight<V> {
    number: u64,
    askers: usize,
    answer: Shared<BoxFuture<'static, V>>,
}

/// One caller of a lookup.
struct Asker<'a, K: Eq + Hash, V: Clone> {
    flights: &'a SingleFlight<K, V>,
    key: K,
    number: u64,
    answered: bool,
}

impl<K, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self {
            flights: Mutex::new(Flights {
                by_key: HashMap::new(),
                next_number: 0,
            }),
        }
    }
}

impl<K, V> fmt::Debug for SingleFlight<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash, V: Clone> SingleFlight<K, V> {
    /// The result for `key`: that of the lookup in progress, or else of `question`.
    pub async fn ask<F>(&self, key: K, question: impl FnOnce() -> F) -> V
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (mut asker, answer) = self.join(key, question);
        let value = answer.await;
        asker.answered = true;
        value
    }

    fn join<F>(
        &self,
        key: K,
        question: impl FnOnce() -> F,
    ) -> (Asker<'_, K, V>, Shared<BoxFuture<'static, V>>)
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        let number = flights.next_number;
        flights.next_number += 1;
        let flight = flights.by_key.entry(key.clone()).or_insert_with(|| Flight {
            number,
            askers: 0,
            answer: question().boxed().shared(),
        });
        flight.askers += 1;
        let asker = Asker {
            flights: self,
            key,
            number: flight.number,
            answered: false,
        };
        (asker, flight.answer.clone())
    }
}

impl<K: Eq + Hash, V: Clone> Drop for Asker<'_, K, V> {
    fn drop(&mut self) {
        let mut flights = self
            .flights
            .flights
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(flight) = flights.by_key.get_mut(&self.key) else {
            return;
        };
        if flight.number != self.number {
            return;
        }
        flight.askers -= 1;
        if self.answered || flight.askers == 0 {
            let over = flights.by_key.remove(&self.key);
            // Dropping a lookup can run any code, including another call of this.
            drop(flights);
            drop(over);
        }
    }
}

#[cfg(test)]
mod tests;
