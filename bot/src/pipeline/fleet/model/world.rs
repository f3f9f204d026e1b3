//! A few processes, the database and Discord, and every step that one of them can take.
//!
//! A request and its transaction are one step, since whatever the process does meanwhile could also happen before or after it. Receiving
//! the result is another step, and anything can happen in between. A request that exceeds the process's timeout is lost for it, and late:
//! the database may carry it out at any later time, or never. A paused process takes no steps.

mod steps;

/// The ID of a process, which is different after each restart.
type Id = u8;
/// A set of shards, one bit each.
type Shards = u8;

/// The ID of a process that is down or has not ticked yet. Such processes are equivalent.
const NOBODY: Id = Id::MAX;

/// The bounds of the search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The number of events in each shard's session.
    pub(super) events: u8,
    /// The total number of crashes, lost and late messages, broken connections, live processes that are declared dead, and an operator's
    /// requests.
    pub(super) faults: u8,
    pub(super) without: Without,
}

/// A part of the protocol that is omitted, to check that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Without {
    Nothing,
    /// A flush does not require the fence.
    Fence,
    /// Taking a shard does not raise the fence.
    NewFence,
    /// A flush does not require the revision.
    Revision,
    /// A process cannot join if it already has a row, which it may not know.
    EnteringAgain,
    /// A shard reconnects without a confirmed lease.
    Confirmation,
    /// A process does not start the shards that its rows assign to it and that it does not run.
    TakingUp,
    /// A process does not give away those of them that another one should have.
    Giving,
}

/// The errors that must not occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wrong {
    /// A process committed after another one had taken the shard.
    TwoOwners,
    /// An event was counted twice.
    Twice,
    /// Earlier events were not counted.
    Skipped,
    /// A process that knew of others took a session from the shard's owner, and then did so again.
    StolenAgain,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World<const P: usize, const S: usize> {
    /// Processes with a row, in the order of joining.
    members: Vec<Id>,
    rows: [Row; S],
    /// For each shard's session, the process that resumed it last.
    sockets: [Option<Id>; S],
    processes: [Process<S>; P],
    /// Requests on their way to the database whose senders have timed out.
    late: Vec<Request>,
    /// The number of remaining faults.
    faults: u8,
    next_id: Id,
    pub(super) wrong: Option<Wrong>,
}

/// `shard_lease`, `shard_checkpoint`, and what is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Row {
    holder: Option<Id>,
    wanted_by: Option<Id>,
    fence: u8,
    revision: u8,
    sequence: u8,
    counted: u8,
    last_commit: Option<(u8, Id)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is by itself: a state machine of them would be their product"
)]
struct Process<const S: usize> {
    id: Id,
    up: bool,
    joined: bool,
    /// Whether it was the only process at its last tick.
    alone: bool,
    leaving: bool,
    /// The result of a tick that it has not received yet.
    told: Option<FleetView<S>>,
    /// Shards without a connection since before the tick started, whose leases it confirms.
    confirms: Shards,
    /// Shards that ended properly, before the rows say so.
    stopped: Shards,
    shards: [Option<Shard>; S],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct TickInput {
    id: Id,
    joined: bool,
    running: Shards,
    stopped: Shards,
    leaving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum FleetView<const S: usize> {
    Lost,
    Member {
        taken: [Option<Taken>; S],
        give: Shards,
        foreign: Shards,
        alone: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Taken {
    fence: u8,
    revision: u8,
    sequence: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is by itself: a state machine of them would be their product"
)]
struct Shard {
    fence: u8,
    revision: u8,
    /// Everything up to this event is known to be committed.
    committed: u8,
    received: u8,
    batch: Option<Batch>,
    open: bool,
    /// Whether it had a connection before.
    resumed: bool,
    /// Whether the lease was confirmed since that connection ended.
    confirmed: bool,
    /// Whether it has resumed the session of another process's shard.
    stole: bool,
    stopping: bool,
    ended: Option<End>,
}

/// A batch in progress: everything after the committed events, up to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Batch {
    to: u8,
    answer: Option<Outcome>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Outcome {
    Committed,
    Fenced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    Stopped,
    Fenced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Request {
    Tick(TickInput),
    Flush(Flush),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Flush {
    shard: u8,
    by: Id,
    fence: u8,
    revision: u8,
    from: u8,
    to: u8,
}

/// A step. The first number is the position of the process, the oldest first; the second is the shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A process ticks, and declares this one dead.
    Look(u8, Option<Id>),
    HearOfLook(u8),
    /// The result is lost, or the request is late.
    LoseLook(u8),
    /// A process flushes, or retries.
    Flush(u8, u8),
    HearOfFlush(u8, u8),
    /// The same for a flush.
    LoseFlush(u8, u8),
    /// A late request arrives.
    Late(u8),
    Resume(u8, u8),
    Receive(u8, u8),
    NoticeClose(u8, u8),
    Cut(u8, u8),
    CloseToStop(u8, u8),
    Stop(u8, u8),
    NoticeEnd(u8, u8),
    /// An operator moves the shard.
    Want(u8, Id),
    Crash(u8),
    Restart(u8),
    /// SIGTERM.
    Leave(u8),
    /// All of its shards have ended.
    Left(u8),
}

impl<const P: usize, const S: usize> World<P, S> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            members: Vec::new(),
            rows: [Row::default(); S],
            sockets: [None; S],
            processes: [Process::new(NOBODY); P],
            late: Vec::new(),
            faults: bounds.faults,
            next_id: 0,
            wrong: None,
        }
    }

    /// Every event is counted, and each shard runs with a connection in the process that owns it, and in no other.
    pub(super) fn is_settled(&self, bounds: Bounds) -> bool {
        self.rows
            .iter()
            .zip(&self.sockets)
            .enumerate()
            .all(|(shard, (row, socket))| {
                let running = |process: &&Process<S>| process.up && process.shards[shard].is_some();
                let mut running = self.processes.iter().filter(running);
                let (Some(one), None) = (running.next(), running.next()) else {
                    return false;
                };
                row.sequence == bounds.events && row.holder == Some(one.id) && *socket == Some(one.id)
            })
    }

    /// Whether it is neither a fault nor the late consequence of one.
    pub(super) fn is_calm(&self, action: Action) -> bool {
        !matches!(action, Action::Late(_)) && self.cost(action) == 0
    }

    fn cost(&self, action: Action) -> u8 {
        match action {
            Action::LoseLook(_)
            | Action::LoseFlush(..)
            | Action::Cut(..)
            | Action::Crash(_)
            | Action::Leave(_)
            | Action::Want(..) => 1,
            Action::Look(_, Some(id)) => u8::from(
                self.processes
                    .iter()
                    .any(|process| process.up && process.id == id),
            ),
            _ => 0,
        }
    }

    /// All possible actions.
    pub(super) fn actions(&self, bounds: Bounds) -> Vec<Action> {
        let mut actions = Vec::new();
        for (at, process) in (0..).zip(&self.processes) {
            if process.up {
                self.actions_of(at, process, bounds, &mut actions);
            } else {
                actions.push(Action::Restart(at));
            }
        }
        for at in 0..number(self.late.len()) {
            actions.push(Action::Late(at));
        }
        for (shard, row) in (0..).zip(&self.rows) {
            let elsewhere = |id: &&Id| row.holder.is_some_and(|holder| holder != **id);
            let others = self.members.iter().filter(elsewhere);
            actions.extend(others.map(|id| Action::Want(shard, *id)));
        }
        actions.retain(|action| self.cost(*action) <= self.faults);
        actions
    }

    fn actions_of(&self, at: u8, process: &Process<S>, bounds: Bounds, actions: &mut Vec<Action>) {
        actions.push(Action::Crash(at));
        actions.push(Action::LoseLook(at));
        if process.told.is_some() {
            actions.push(Action::HearOfLook(at));
        } else {
            let others = self.members.iter().filter(|id| **id != process.id);
            actions.extend(others.map(|id| Action::Look(at, Some(*id))));
            actions.push(Action::Look(at, None));
        }
        if !process.leaving {
            actions.push(Action::Leave(at));
        } else if process.running() == 0 && process.told.is_none() {
            actions.push(Action::Left(at));
        }
        for (number, shard) in (0..).zip(&process.shards) {
            let Some(shard) = shard else { continue };
            if shard.ended.is_some() {
                // No result is received during a tick.
                if process.told.is_none() {
                    actions.push(Action::NoticeEnd(at, number));
                }
                continue;
            }
            match shard.batch {
                None if shard.received == shard.committed => {
                    if shard.stopping && !shard.open {
                        actions.push(Action::Stop(at, number));
                    }
                }
                None | Some(Batch { answer: None, .. }) => {
                    actions.extend([Action::Flush(at, number), Action::LoseFlush(at, number)]);
                }
                Some(_) => actions.extend([Action::HearOfFlush(at, number), Action::LoseFlush(at, number)]),
            }
            if shard.open {
                if shard.received < bounds.events {
                    // This includes events before a close that it has not noticed.
                    actions.push(Action::Receive(at, number));
                }
                if self.sockets[usize::from(number)] == Some(process.id) {
                    actions.push(Action::Cut(at, number));
                } else {
                    actions.push(Action::NoticeClose(at, number));
                }
                if shard.stopping {
                    actions.push(Action::CloseToStop(at, number));
                }
            } else if !shard.stopping
                && (!shard.resumed
                    || shard.confirmed
                    || process.alone
                    || bounds.without == Without::Confirmation)
            {
                actions.push(Action::Resume(at, number));
            }
        }
    }
}

impl<const S: usize> Process<S> {
    fn new(id: Id) -> Self {
        Self {
            id,
            up: true,
            joined: false,
            alone: true,
            leaving: false,
            told: None,
            confirms: 0,
            stopped: 0,
            shards: [None; S],
        }
    }

    fn down() -> Self {
        Self {
            up: false,
            ..Self::new(NOBODY)
        }
    }

    fn running(&self) -> Shards {
        self.of_shards(|_| true)
    }

    fn without_connection(&self) -> Shards {
        self.of_shards(|shard| !shard.open)
    }

    fn of_shards(&self, wanted: impl Fn(&Shard) -> bool) -> Shards {
        let shards = self.shards.iter().enumerate();
        shards
            .filter(|(_, shard)| shard.as_ref().is_some_and(&wanted))
            .fold(0, |set, (number, _)| set | (1 << number))
    }

    /// Whether receiving the result changes anything.
    fn is_news(&self, seen: &FleetView<S>) -> bool {
        let FleetView::Member {
            taken,
            give,
            foreign,
            alone,
        } = seen
        else {
            return true;
        };
        let stopping = self.of_shards(|shard| shard.stopping);
        let unconfirmed = self.of_shards(|shard| !shard.open && !shard.confirmed);
        taken.iter().any(Option::is_some)
            || give & !stopping != 0
            || *foreign != 0
            || *alone != self.alone
            || !self.joined
            || self.stopped != 0
            || self.confirms & unconfirmed != 0
    }

    fn tick_input(&self) -> TickInput {
        TickInput {
            id: self.id,
            joined: self.joined,
            running: self.running(),
            stopped: self.stopped,
            leaving: self.leaving,
        }
    }

    /// The batch in progress, or the next one.
    fn flush(&self, number: u8) -> Option<Flush> {
        let shard = self.shards[usize::from(number)].as_ref()?;
        Some(Flush {
            shard: number,
            by: self.id,
            fence: shard.fence,
            revision: shard.revision + 1,
            from: shard.committed,
            to: shard.batch.map_or(shard.received, |batch| batch.to),
        })
    }
}

impl Shard {
    /// Discord replays the events after the sequence.
    const fn taken(taken: Taken) -> Self {
        let sequence = taken.sequence;
        Self {
            fence: taken.fence,
            revision: taken.revision,
            committed: sequence,
            received: sequence,
            batch: None,
            open: false,
            resumed: false,
            confirmed: false,
            stole: false,
            stopping: false,
            ended: None,
        }
    }
}

fn bits(set: Shards) -> impl Iterator<Item = usize> {
    (0..8).filter(move |shard| set & (1 << shard) != 0)
}

/// A position or an ID as a number.
fn number(of: usize) -> u8 {
    u8::try_from(of).expect("there are few of everything")
}

/// The number of elements of the set that are lower.
fn rank(set: u64, of: u8) -> u8 {
    number((set & ((1 << of) - 1)).count_ones() as usize)
}
