//! Counters of received events, by type.

use twilight_model::gateway::event::EventType;

use crate::telemetry::metrics;

/// Counters of events by type, created when a type first occurs.
#[derive(Debug)]
pub(super) struct Counters {
    messages: metrics::Counter,
    /// Messages that are not yet added to the counter, which all shards share.
    uncounted: u64,
    others: Vec<(&'static str, metrics::Counter)>,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            messages: metrics::gateway_events_total("MESSAGE_CREATE"),
            uncounted: 0,
            others: Vec::new(),
        }
    }

    pub(super) fn raise(&mut self) {
        if self.uncounted > 0 {
            self.messages.increment(std::mem::take(&mut self.uncounted));
        }
    }

    pub(super) fn count(&mut self, event_type: &str) {
        if event_type == "MESSAGE_CREATE" {
            self.uncounted += 1;
            return;
        }
        let of = |others: &[(&str, _)], name| others.iter().position(|(other, _)| *other == name);
        // A known counter is found without searching all names.
        let at = of(&self.others, event_type).unwrap_or_else(|| {
            let name = known_name(event_type);
            of(&self.others, name).unwrap_or_else(|| {
                self.others.push((name, metrics::gateway_events_total(name)));
                self.others.len() - 1
            })
        });
        self.others[at].1.increment(1);
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        self.raise();
    }
}

/// The name of the event type if twilight knows it, so that the values of the label are bounded.
pub(super) fn known_name(event_type: &str) -> &'static str {
    EventType::try_from(event_type)
        .ok()
        .and_then(EventType::name)
        .unwrap_or("unknown")
}
