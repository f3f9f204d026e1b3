//! The intake while the number of shards changes, and in shards that began to count at such a change.
//!
//! Shards of both numbers receive every event then. Of messages, each counts those in its [`MessageRange`]; everything else counts in shards
//! of the old number until the cut.

use twilight_model::id::{Id, marker::MessageMarker};

use super::{
    Intake,
    message_range::{Admission, MessageRange},
};
use crate::{
    discord::events::message_create::MessageCreate,
    features::levels::pending::MemberMessage,
    pipeline::{
        dispatch::{Counting, Dispatched},
        gateway::guard,
        ledger::gap::{Gap, GapChange},
    },
    support::{clock::host_time, ids::MemberKey},
    telemetry::metrics,
};

impl Intake {
    /// Set which messages count from now on. Returns whether the shard agrees to an open cut: it has handled no message from the cut on,
    /// and will not before the cut is decided.
    pub(in crate::pipeline) fn set_message_range(&mut self, message_range: MessageRange) -> bool {
        self.message_range = message_range;
        let untouched = |cut| self.ledger.backfill.furthest().is_none_or(|newest| newest < cut);
        // A shard of the new number would miss messages before its session starts.
        let receives = self.session.is_some() || !message_range.is_standby();
        message_range.open_cut().is_some_and(untouched) && receives
    }

    /// The messages that count.
    pub(in crate::pipeline) const fn message_range(&self) -> MessageRange {
        self.message_range
    }

    /// Whether a connection is pointless now: the next message would not be handled, or would be missed without being noticed.
    pub(in crate::pipeline) fn waits_for_decision(&self) -> bool {
        let message_range = self.message_range;
        let identifies_too_late =
            self.session.is_none() && message_range.is_standby() && message_range.open_cut().is_some();
        identifies_too_late || self.halted_at.is_some_and(|id| message_range.is_undecided(id))
    }

    /// Dispatch an event. An error is a message of which it is not yet decided which shard counts it: it has not been dispatched.
    pub(super) fn dispatch_in_range(
        &mut self,
        event_type: &str,
        text: &str,
    ) -> Result<Dispatched, Id<MessageMarker>> {
        if event_type != "MESSAGE_CREATE" {
            let counting = if self.message_range.is_standby() {
                Counting::Elsewhere
            } else {
                Counting::Here
            };
            return Ok(self
                .dispatcher
                .dispatch(event_type, text, &mut self.ledger, counting));
        }
        match MessageCreate::parse(text) {
            Ok(message) => self.message_in_range(&message, text),
            Err(error) => Ok(Dispatched::Malformed(Some(error))),
        }
    }

    fn message_in_range(
        &mut self,
        message: &MessageCreate,
        text: &str,
    ) -> Result<Dispatched, Id<MessageMarker>> {
        if message.guild_id.is_none() {
            return Ok(Dispatched::Handled);
        }
        let admission = self.message_range.admit(message.id);
        match admission {
            Admission::Undecided => return Err(message.id),
            Admission::Counts => return Ok(self.dispatcher.message(message, text, &mut self.ledger)),
            Admission::Past | Admission::Elsewhere => {}
        }
        self.ledger.backfill.saw(message.id);
        if admission == Admission::Past && !self.replaying {
            self.came_late();
        }
        Ok(Dispatched::Handled)
    }

    /// The change made by a message that was read back, if this shard counts it.
    pub(in crate::pipeline) fn count(&self, message: &MessageCreate) -> Option<(MemberKey, MemberMessage)> {
        self.message_range
            .counts(message.id)
            .then(|| self.dispatcher.count(message))?
    }

    /// A message from before the change of the number of shards has arrived outside of any replay: the shard that should have counted it
    /// may have ended.
    fn came_late(&mut self) {
        metrics::reshard_late_messages_total().increment(1);
        if std::mem::replace(&mut self.late_seen, true) {
            return;
        }
        self.ledger.gap(GapChange::Noticed(Gap {
            reason: guard::RESHARD,
            session_id: self.session.as_ref().map(|session| session.id.clone()),
            last_sequence: self.sequence,
            missing: None,
            began_at: self.alive_at,
            ended_at: Some(host_time()),
        }));
        metrics::gateway_gaps_total(guard::RESHARD).increment(1);
        tracing::warn!(
            shard.id = self.key.id,
            gap.reason = guard::RESHARD,
            "gap: Discord delivered a message from before the change of the number of shards so late that it may not have been counted"
        );
    }
}
