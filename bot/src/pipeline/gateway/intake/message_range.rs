//! Which of the messages that a shard receives it counts, while the number of shards changes.
//!
//! Shards of both numbers receive every message then. The message's ID decides, which is the same wherever it is delivered: messages before
//! the **cut** count in shards of the old number, and the others in those of the new one.

use twilight_model::id::{Id, marker::MessageMarker};

/// No ID is this large.
const NEVER: u64 = u64::MAX;

/// The messages that a shard counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageRange {
    from: u64,
    until: u64,
    /// Messages from this ID on must not be handled yet.
    decided_below: u64,
}

/// What a shard does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum Admission {
    /// It counts the message.
    Counts,
    /// It is not yet decided which shard counts the message. It must not be handled.
    Undecided,
    /// A shard of the number before this one has counted the message, or should have.
    Past,
    /// A shard of another number counts the message.
    Elsewhere,
}

impl MessageRange {
    /// All messages.
    pub const ALL: Self = Self {
        from: 0,
        until: NEVER,
        decided_below: NEVER,
    };

    /// What shards of a new number count before there is a cut: nothing.
    pub const NOTHING: Self = Self {
        from: NEVER,
        until: NEVER,
        decided_below: NEVER,
    };

    /// All messages from a given one on; `None` for all.
    pub const fn starting_at(first: Option<Id<MessageMarker>>) -> Self {
        Self {
            from: match first {
                Some(first) => first.get(),
                None => 0,
            },
            ..Self::ALL
        }
    }

    /// The same, up to and excluding the cut.
    #[must_use]
    pub const fn ending_at(self, cut: Id<MessageMarker>) -> Self {
        Self {
            until: cut.get(),
            ..self
        }
    }

    /// The same, but messages from the cut on are not handled until the range changes.
    #[must_use]
    pub const fn undecided_from(self, cut: Id<MessageMarker>) -> Self {
        Self {
            decided_below: cut.get(),
            ..self
        }
    }

    /// What a shard does with a message.
    pub(in crate::pipeline) const fn admit(&self, id: Id<MessageMarker>) -> Admission {
        if id.get() >= self.decided_below {
            Admission::Undecided
        } else if self.counts(id) {
            Admission::Counts
        } else if !self.is_standby() && id.get() < self.from {
            Admission::Past
        } else {
            Admission::Elsewhere
        }
    }

    /// Whether the message counts.
    pub const fn counts(&self, id: Id<MessageMarker>) -> bool {
        self.from <= id.get() && id.get() < self.until
    }

    /// Whether it is not yet decided which shard counts the message.
    pub const fn is_undecided(&self, id: Id<MessageMarker>) -> bool {
        id.get() >= self.decided_below
    }

    /// The undecided cut, if there is one.
    pub const fn open_cut(&self) -> Option<Id<MessageMarker>> {
        if self.decided_below == NEVER {
            None
        } else {
            Id::new_checked(self.decided_below)
        }
    }

    /// Whether no message counts yet, because the shard has the new number.
    pub const fn is_standby(&self) -> bool {
        self.from == NEVER
    }
}

#[cfg(test)]
mod tests {
    use twilight_model::id::Id;

    use super::{Admission, MessageRange};

    #[test]
    fn each_message_counts_on_one_side_of_the_cut() {
        let cut = Id::new(100);
        let (old, new) = (
            MessageRange::ALL.ending_at(cut),
            MessageRange::starting_at(Some(cut)),
        );
        for id in [1, 99, 100, 101, u64::MAX - 1].map(Id::new) {
            assert!(old.counts(id) != new.counts(id), "{id}");
            assert!(!MessageRange::NOTHING.counts(id), "{id}");
        }
        assert_eq!(new.admit(Id::new(99)), Admission::Past);
        assert_eq!(old.admit(cut), Admission::Elsewhere);
    }

    #[test]
    fn nothing_is_handled_from_an_open_cut_on() {
        let cut = Id::new(100);
        for side in [MessageRange::ALL, MessageRange::NOTHING] {
            assert_eq!(side.open_cut(), None);
            let open = side.undecided_from(cut);
            assert_eq!(open.open_cut(), Some(cut));
            assert_eq!(open.admit(cut), Admission::Undecided);
            assert_ne!(open.admit(Id::new(99)), Admission::Undecided);
            assert_eq!(open.is_standby(), side.is_standby());
        }
    }
}
