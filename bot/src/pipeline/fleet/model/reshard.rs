//! An exhaustive search of the change of the number of shards: one shard of each number, a few messages that arrive in any order, orders
//! that arrive late, crashes, and cuts that are withdrawn. Each message counts once, and the new shard counts nothing before the old one
//! has ended.
//!
//! The ranges are those of [`reshard`](super::super::reshard), and what a shard does with a message is decided by the real
//! [`MessageRange`]. The rest follows `fleet/reshard.rs` and `gateway/intake/reshard.rs`; changes there have to be made here, too. That
//! Discord delivers messages from before the cut to the old shard before it retires is assumed: that is what its wait is for.

use twilight_model::id::Id;

use super::search::{Found, State, search};
use crate::pipeline::{
    fleet::reshard::ranges,
    gateway::{Admission, MessageRange},
};

/// The messages have the IDs from 1 to this one, and are sent in this order.
const MESSAGES: u8 = 2;
/// The number of crashes and withdrawn cuts.
const FAULTS: u8 = 2;

/// A set of messages, one bit each.
type Messages = u8;

const OLD: usize = 0;
const NEW: usize = 1;

/// A part of the protocol that is omitted, to check that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Without {
    Nothing,
    /// A cut is decided although a shard has not agreed to it.
    Agreement,
    /// A shard that agrees handles messages from the cut on before it is decided.
    Waiting,
    /// The new shard begins at the cut while the old one still counts.
    Retirement,
}

/// The errors that must not occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wrong {
    /// Both shards counted a message.
    Twice,
    /// At the end, no shard has counted a message.
    Missed,
    /// The new shard counted a message while the old one could still do so.
    OutOfOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// The next message is sent.
    Send,
    /// A shard receives a message.
    Receive(usize, u8),
    Commit(usize),
    /// A shard gets the current ranges.
    Order(usize),
    /// The answer of a shard to the proposed cut arrives.
    Answer(usize),
    /// A cut is proposed that no committed message has reached.
    Propose(u8),
    Decide,
    Withdraw,
    /// The old shard has received and committed everything that it must count.
    Retire,
    Finish,
    /// A process ends, and another one continues with what is committed.
    Crash(usize),
}

/// What a shard has handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Handled {
    seen: Messages,
    counted: Messages,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shard {
    now: Handled,
    committed: Handled,
    range: MessageRange,
    /// The open cut that it was asked about, and whether it agrees.
    answer: Option<(u8, bool)>,
    /// The cut to which it has agreed, in its lease.
    agreed: Option<u8>,
}

#[derive(Clone, Debug, Hash)]
struct Fleet {
    without: Without,
    sent: u8,
    shards: [Shard; 2],
    cut: Option<u8>,
    is_decided: bool,
    /// The lowest cut that can still be proposed: the database's clock goes on.
    next_cut: u8,
    old_has_ended: bool,
    is_finished: bool,
    faults: u8,
}

const fn bit(id: u8) -> Messages {
    1 << (id - 1)
}

fn id<T>(id: u8) -> Id<T> {
    Id::new(u64::from(id))
}

/// The highest message of a set.
fn highest(messages: Messages) -> u8 {
    u8::try_from(Messages::BITS - messages.leading_zeros()).expect("few messages")
}

impl Fleet {
    fn new(without: Without) -> Self {
        let shard = |range| Shard {
            now: Handled::default(),
            committed: Handled::default(),
            range,
            answer: None,
            agreed: None,
        };
        let (old, new) = ranges(MessageRange::ALL, None, false);
        Self {
            without,
            sent: 0,
            shards: [shard(old), shard(new)],
            cut: None,
            is_decided: false,
            next_cut: 1,
            old_has_ended: false,
            is_finished: false,
            faults: FAULTS,
        }
    }

    fn range(&self, side: usize) -> MessageRange {
        let begins = self
            .cut
            .filter(|_| self.is_finished || self.without == Without::Retirement && self.is_decided);
        if let (NEW, Some(cut)) = (side, begins) {
            return MessageRange::starting_at(Some(id(cut)));
        }
        let (old, new) = ranges(MessageRange::ALL, self.cut.map(id), self.is_decided);
        if side == OLD { old } else { new }
    }

    fn has_ended(&self, side: usize) -> bool {
        side == OLD && self.old_has_ended
    }

    /// The shard gets its range. To an open cut it answers as `Intake::set_message_range` does.
    fn order(&mut self, side: usize) {
        let range = self.range(side);
        let shard = &mut self.shards[side];
        shard.range = range;
        let open_cut = range.open_cut().and_then(|cut| u8::try_from(cut.get()).ok());
        if let Some(cut) = open_cut {
            shard.answer = Some((cut, highest(shard.now.seen) < cut));
        }
    }

    fn receive(&mut self, side: usize, message: u8) {
        let waits = self.without != Without::Waiting;
        let shard = &mut self.shards[side];
        match shard.range.admit(id(message)) {
            // It closes, and the message is replayed later.
            Admission::Undecided if waits => return,
            // Without waiting, a shard of the old number counts on.
            Admission::Undecided if side == OLD => shard.now.counted |= bit(message),
            Admission::Counts => shard.now.counted |= bit(message),
            Admission::Undecided | Admission::Past | Admission::Elsewhere => {}
        }
        shard.now.seen |= bit(message);
    }

    fn withdraw(&mut self) {
        self.cut = None;
    }

    fn answer(&mut self, side: usize) {
        let (Some((cut, agrees)), false) = (self.shards[side].answer, self.is_decided) else {
            return;
        };
        if self.cut != Some(cut) {
            return;
        }
        if agrees {
            self.shards[side].agreed = Some(cut);
        } else {
            self.withdraw();
        }
    }

    /// Whether a cut beyond all messages is proposed, to which everyone can agree: it is the last one that the search proposes.
    fn is_last_cut(&self) -> bool {
        self.cut.is_some_and(|cut| cut > MESSAGES)
    }

    fn all_agree(&self) -> bool {
        let agreed = |shard: &Shard| shard.agreed == self.cut;
        self.shards.iter().all(agreed) || self.without == Without::Agreement
    }

    fn may_retire(&self) -> bool {
        let Some(cut) = self.cut.filter(|_| self.is_decided && !self.old_has_ended) else {
            return false;
        };
        let old = &self.shards[OLD];
        let sent = (1..=self.sent).fold(0, |all, message| all | bit(message));
        // What is still to be sent has an ID from the cut on.
        self.sent + 1 >= cut
            && old.range == self.range(OLD)
            && old.now.seen == sent
            && old.now == old.committed
    }
}

impl State for Fleet {
    type Action = Action;
    type Wrong = Wrong;

    fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.sent < MESSAGES {
            actions.push(Action::Send);
        }
        for side in [OLD, NEW] {
            let shard = &self.shards[side];
            if self.has_ended(side) {
                continue;
            }
            let unseen = (1..=self.sent).filter(|message| shard.now.seen & bit(*message) == 0);
            actions.extend(unseen.map(|message| Action::Receive(side, message)));
            if shard.now != shard.committed {
                actions.push(Action::Commit(side));
            }
            if shard.range != self.range(side) {
                actions.push(Action::Order(side));
            }
            if shard.answer.is_some() {
                actions.push(Action::Answer(side));
            }
            if self.faults > 0 {
                actions.push(Action::Crash(side));
            }
        }
        match self.cut {
            None => {
                let seen = self.shards.iter().map(|shard| highest(shard.committed.seen));
                let lowest = seen.max().unwrap_or(0).max(self.next_cut - 1) + 1;
                actions.extend((lowest..=MESSAGES + 1).map(Action::Propose));
            }
            Some(_) if !self.is_decided => {
                if self.all_agree() {
                    actions.push(Action::Decide);
                }
                if self.faults > 0 && !self.is_last_cut() {
                    actions.push(Action::Withdraw);
                }
            }
            Some(_) if self.may_retire() => actions.push(Action::Retire),
            Some(_) if self.old_has_ended && !self.is_finished => actions.push(Action::Finish),
            Some(_) => {}
        }
        actions
    }

    fn after(&self, action: Action) -> Self {
        let mut after = self.clone();
        match action {
            Action::Send => after.sent += 1,
            Action::Receive(side, message) => after.receive(side, message),
            Action::Commit(side) => after.shards[side].committed = after.shards[side].now,
            Action::Order(side) => after.order(side),
            Action::Answer(side) => after.answer(side),
            Action::Propose(cut) => (after.cut, after.next_cut) = (Some(cut), (cut + 1).min(MESSAGES + 1)),
            Action::Decide => after.is_decided = true,
            Action::Withdraw => {
                after.faults -= 1;
                after.withdraw();
            }
            Action::Retire => after.old_has_ended = true,
            Action::Finish => after.is_finished = true,
            Action::Crash(side) => {
                after.faults -= 1;
                after.shards[side].now = after.shards[side].committed;
                after.shards[side].answer = None;
                after.order(side);
            }
        }
        after
    }

    fn wrong(&self) -> Option<Wrong> {
        let [old, new] = &self.shards;
        if old.now.counted & new.now.counted != 0 {
            return Some(Wrong::Twice);
        }
        if new.now.counted != 0 && !self.old_has_ended {
            return Some(Wrong::OutOfOrder);
        }
        let all = (1..=MESSAGES).fold(0, |all, message| all | bit(message));
        (self.is_settled() && old.committed.counted | new.committed.counted != all).then_some(Wrong::Missed)
    }

    fn is_settled(&self) -> bool {
        let new = &self.shards[NEW];
        let all = (1..=MESSAGES).fold(0, |all, message| all | bit(message));
        self.is_finished && new.committed.seen == all && new.now == new.committed
    }

    fn is_calm(&self, action: Action) -> bool {
        !matches!(action, Action::Crash(_) | Action::Withdraw)
    }
}

fn found(without: Without) -> Found<Action, Wrong> {
    search(Fleet::new(without))
}

#[test]
fn each_message_counts_once_while_the_number_of_shards_changes() {
    let found = found(Without::Nothing);
    assert!(
        matches!(found, Found::Right { states } if states > 1_000),
        "{found}"
    );
}

/// The search finds an error if a part of the protocol is omitted.
#[test]
fn every_part_of_a_reshard_is_needed() {
    for (without, wrong) in [
        (Without::Agreement, [Wrong::Twice, Wrong::Missed]),
        (Without::Waiting, [Wrong::Twice, Wrong::Missed]),
        (Without::Retirement, [Wrong::OutOfOrder; 2]),
    ] {
        let found = found(without);
        assert!(
            matches!(&found, Found::Wrong { wrong: found, .. } if wrong.contains(found)),
            "{without:?}: {found}"
        );
    }
}
