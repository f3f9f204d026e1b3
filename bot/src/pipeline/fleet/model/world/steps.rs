//! The state after a step.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::{
    Action, Batch, Bounds, End, FleetView, Flush, Id, NOBODY, Outcome, Process, Request, Shard, Taken,
    TickInput, Without, World, Wrong, bits, number, rank,
};
use crate::pipeline::fleet::balance::{self, Held, Member, Plan};

impl<const P: usize, const S: usize> World<P, S> {
    /// The state after a step.
    pub(in crate::pipeline::fleet::model) fn after(&self, action: Action, bounds: Bounds) -> Self {
        let mut world = self.clone();
        world.faults -= self.cost(action);
        world.act(action, bounds);
        world.late.sort_unstable();
        world.rename();
        // The order of the processes does not matter either.
        world
            .processes
            .sort_unstable_by_key(|process| (process.id, process.up));
        world
    }

    fn act(&mut self, action: Action, bounds: Bounds) {
        match action {
            Action::Look(at, dead) => {
                let process = self.named(at);
                process.confirms = process.without_connection();
                let input = process.tick_input();
                let seen = self.tick(input, dead, bounds);
                let process = self.process(at);
                process.told = seen.filter(|seen| process.is_news(seen));
            }
            Action::HearOfLook(at) => {
                if let Some(seen) = self.process(at).told.take() {
                    self.follow(at, seen);
                }
            }
            Action::LoseLook(at) => {
                let process = self.named(at);
                process.confirms = 0;
                if process.told.take().is_none() {
                    let input = process.tick_input();
                    self.late.push(Request::Tick(input));
                }
            }
            Action::Late(at) => match self.late.remove(at.into()) {
                Request::Tick(input) => drop(self.tick(input, None, bounds)),
                Request::Flush(flush) => {
                    self.flush(flush, bounds);
                }
            },
            Action::Want(shard, id) => self.rows[usize::from(shard)].wanted_by = Some(id),
            Action::Crash(at) => {
                for shard in 0..number(S) {
                    self.drop_shard(at, shard);
                }
                *self.process(at) = Process::down();
            }
            Action::Restart(at) => *self.process(at) = Process::new(NOBODY),
            Action::Leave(at) => {
                let process = self.process(at);
                (process.told, process.confirms) = (None, 0);
                process.leaving = true;
                for shard in process.shards.iter_mut().flatten() {
                    shard.stopping = true;
                }
            }
            Action::Left(at) => {
                let process = self.process(at);
                let id = process.id;
                *process = Process::down();
                self.bury(id);
            }
            Action::Flush(at, shard)
            | Action::HearOfFlush(at, shard)
            | Action::LoseFlush(at, shard)
            | Action::Resume(at, shard)
            | Action::Receive(at, shard)
            | Action::NoticeClose(at, shard)
            | Action::Cut(at, shard)
            | Action::CloseToStop(at, shard)
            | Action::Stop(at, shard)
            | Action::NoticeEnd(at, shard) => self.act_of_shard(action, at, shard, bounds),
        }
    }

    fn act_of_shard(&mut self, action: Action, at: u8, number: u8, bounds: Bounds) {
        let id = self.process(at).id;
        let Some(flush) = self.process(at).flush(number) else {
            return;
        };
        let socket = &mut self.sockets[usize::from(number)];
        let process = &mut self.processes[usize::from(at)];
        let Some(shard) = &mut process.shards[usize::from(number)] else {
            return;
        };
        match action {
            Action::Flush(..) => {
                let answer = Some(self.flush(flush, bounds));
                if let Some(shard) = self.shard(at, number) {
                    shard.batch = Some(Batch { to: flush.to, answer });
                }
            }
            Action::HearOfFlush(..) => {
                if let Some(Batch {
                    to,
                    answer: Some(Outcome::Committed),
                }) = shard.batch.take()
                {
                    shard.revision += 1;
                    shard.committed = to;
                } else {
                    shard.ended = Some(End::Fenced);
                    self.close(at, number);
                }
            }
            Action::LoseFlush(..) => {
                let answered = shard.batch.is_some_and(|batch| batch.answer.is_some());
                shard.batch = Some(Batch {
                    to: flush.to,
                    answer: None,
                });
                if !answered {
                    self.late.push(Request::Flush(flush));
                }
            }
            Action::Resume(..) => {
                (shard.open, shard.resumed) = (true, true);
                *socket = Some(id);
                if self.rows[usize::from(number)].holder != Some(id) {
                    let again = std::mem::replace(&mut shard.stole, true) && !process.alone;
                    self.wrong = self.wrong.or(again.then_some(Wrong::StolenAgain));
                }
            }
            Action::Receive(..) => shard.received += 1,
            Action::Cut(..) => *socket = None,
            Action::NoticeClose(..) | Action::CloseToStop(..) => self.close(at, number),
            Action::Stop(..) => shard.ended = Some(End::Stopped),
            Action::NoticeEnd(..) => {
                if shard.ended == Some(End::Stopped) {
                    process.stopped |= 1 << number;
                }
                process.shards[usize::from(number)] = None;
            }
            _ => {}
        }
    }

    /// Replace IDs and fences by their order: only that and equality matter.
    fn rename(&mut self) {
        let mut ids = 0_u64;
        self.each_id(|id| ids |= 1 << *id);
        self.each_id(|id| *id = rank(ids, *id));
        self.next_id = rank(ids, 63);
        for shard in 0..S {
            let mut fences = 0_u64;
            self.each_fence(shard, |fence| fences |= 1 << *fence);
            self.each_fence(shard, |fence| *fence = rank(fences, *fence));
        }
    }

    fn each_id(&mut self, mut with: impl FnMut(&mut Id)) {
        self.members.iter_mut().for_each(&mut with);
        for row in &mut self.rows {
            row.holder.iter_mut().for_each(&mut with);
            row.wanted_by.iter_mut().for_each(&mut with);
            row.last_commit.iter_mut().for_each(|(_, id)| with(id));
        }
        self.sockets.iter_mut().flatten().for_each(&mut with);
        let named = self.processes.iter_mut().filter(|process| process.id != NOBODY);
        named.for_each(|process| with(&mut process.id));
        for request in &mut self.late {
            match request {
                Request::Tick(input) => with(&mut input.id),
                Request::Flush(flush) => with(&mut flush.by),
            }
        }
    }

    fn each_fence(&mut self, of: usize, mut with: impl FnMut(&mut u8)) {
        let row = &mut self.rows[of];
        with(&mut row.fence);
        row.last_commit.iter_mut().for_each(|(fence, _)| with(fence));
        for process in &mut self.processes {
            process.shards[of]
                .iter_mut()
                .for_each(|shard| with(&mut shard.fence));
            if let Some(FleetView::Member { taken, .. }) = &mut process.told {
                taken[of].iter_mut().for_each(|taken| with(&mut taken.fence));
            }
        }
        for request in &mut self.late {
            if let Request::Flush(flush) = request
                && usize::from(flush.shard) == of
            {
                with(&mut flush.fence);
            }
        }
    }

    fn process(&mut self, at: u8) -> &mut Process<S> {
        &mut self.processes[usize::from(at)]
    }

    fn shard(&mut self, at: u8, number: u8) -> Option<&mut Shard> {
        self.process(at).shards[usize::from(number)].as_mut()
    }

    /// A process, with a new ID if it had none.
    fn named(&mut self, at: u8) -> &mut Process<S> {
        let process = &mut self.processes[usize::from(at)];
        if process.id == NOBODY {
            process.id = self.next_id;
            self.next_id += 1;
        }
        process
    }

    /// The connection ends on both sides. A tick that has already started says nothing about the time after that.
    fn close(&mut self, at: u8, number: u8) {
        let process = self.process(at);
        let id = process.id;
        process.confirms &= !(1 << number);
        if let Some(shard) = &mut process.shards[usize::from(number)] {
            (shard.open, shard.confirmed) = (false, false);
        }
        let socket = &mut self.sockets[usize::from(number)];
        *socket = socket.filter(|socket| *socket != id);
    }

    /// End it immediately. What was handed over to the writer continues.
    fn drop_shard(&mut self, at: u8, number: u8) {
        self.close(at, number);
        let process = self.process(at);
        let unanswered = |shard: &Shard| shard.batch.is_some_and(|batch| batch.answer.is_none());
        let goes_on = process.shards[usize::from(number)]
            .as_ref()
            .is_some_and(unanswered);
        let flush = process.flush(number).filter(|_| goes_on);
        process.shards[usize::from(number)] = None;
        self.late.extend(flush.map(Request::Flush));
    }

    fn bury(&mut self, id: Id) {
        self.members.retain(|member| *member != id);
        for row in &mut self.rows {
            row.holder = row.holder.filter(|holder| *holder != id);
            row.wanted_by = row.wanted_by.filter(|wanted_by| *wanted_by != id);
        }
    }

    /// The same as `tick::decide`. `None` if the transaction fails.
    fn tick(&mut self, input: TickInput, dead: Option<Id>, bounds: Bounds) -> Option<FleetView<S>> {
        let me = input.id;
        if !self.members.contains(&me) {
            if input.joined {
                return Some(FleetView::Lost);
            }
            self.members.push(me);
        } else if !input.joined && bounds.without == Without::EnteringAgain {
            return None;
        }
        if let Some(dead) = dead {
            self.bury(dead);
        }
        for shard in bits(input.stopped) {
            let row = &mut self.rows[shard];
            row.holder = row.holder.filter(|holder| *holder != me);
        }
        let plan = self.plan(me, input.leaving);
        let is_running = |shard: u32| input.running & (1 << shard) != 0;
        let set = |shards: &mut dyn Iterator<Item = u32>| shards.fold(0, |set, shard| set | (1 << shard));
        let give = set(&mut plan.give.iter().copied().filter(|shard| is_running(*shard)));
        let given = plan.give.iter().filter(|shard| !is_running(**shard));
        let given: Vec<u32> = given
            .copied()
            .filter(|_| bounds.without != Without::Giving)
            .collect();
        let numbered = || (0_u32..).zip(&self.rows);
        let foreign = set(&mut numbered()
            .filter(|(shard, row)| row.holder != Some(me) && is_running(*shard))
            .map(|(shard, _)| shard));
        let mut take: Vec<u32> = plan.take.clone();
        if bounds.without != Without::TakingUp {
            take.extend(
                numbered()
                    .filter(|(shard, row)| {
                        row.holder == Some(me) && !is_running(*shard) && !plan.give.contains(shard)
                    })
                    .map(|(shard, _)| shard),
            );
        }
        take.retain(|_| !input.leaving);
        for shard in given {
            self.rows[usize::try_from(shard).expect("a few shards")].holder = None;
        }
        let mut taken = [None; S];
        for shard in take {
            let shard = usize::try_from(shard).expect("a few shards");
            let row = &mut self.rows[shard];
            row.holder = Some(me);
            row.fence += u8::from(bounds.without != Without::NewFence);
            taken[shard] = Some(Taken {
                fence: row.fence,
                revision: row.revision,
                sequence: row.sequence,
            });
        }
        Some(FleetView::Member {
            taken,
            give,
            foreign,
            alone: self.members.len() == 1,
        })
    }

    /// The plan of the real [`balance`](super::balance).
    fn plan(&self, me: Id, leaving: bool) -> Plan {
        // There are few different plans, and calculating each once makes the search up to a third shorter.
        type Known = FxHashMap<(Id, bool, Vec<Id>, Vec<[Option<Id>; 2]>), Plan>;
        thread_local!(static KNOWN: RefCell<Known> = RefCell::default());
        let rows = self.rows.iter().map(|row| [row.holder, row.wanted_by]);
        let key = (me, leaving, self.members.clone(), rows.collect());
        KNOWN.with_borrow_mut(|known| {
            let plan = known.entry(key).or_insert_with_key(|(_, _, members, rows)| {
                let name = |id: Id| format!("{id:03}");
                let members: Vec<Member> = members
                    .iter()
                    .map(|id| Member {
                        id: name(*id),
                        capacity: 1,
                        draining: *id == me && leaving,
                    })
                    .collect();
                let leases: Vec<Held> = (0..)
                    .zip(rows)
                    .map(|(shard, [holder, wanted_by])| Held {
                        shard,
                        holder: holder.map(name),
                        wanted_by: wanted_by.map(name),
                    })
                    .collect();
                balance::plan(&name(me), &members, &leases)
            });
            plan.clone()
        })
    }

    /// The same as `Fleet::follow`.
    fn follow(&mut self, at: u8, seen: FleetView<S>) {
        if self.process(at).leaving {
            self.process(at).stopped = 0;
            return;
        }
        let FleetView::Member {
            taken,
            give,
            foreign,
            alone,
        } = seen
        else {
            for shard in 0..number(S) {
                self.drop_shard(at, shard);
            }
            let process = self.process(at);
            let alone = process.alone;
            *process = Process {
                alone,
                ..Process::new(NOBODY)
            };
            return;
        };
        for shard in bits(foreign) {
            self.drop_shard(at, number(shard));
        }
        let process = self.process(at);
        process.joined = true;
        process.stopped = 0;
        for (shard, taken) in process.shards.iter_mut().zip(taken) {
            *shard = taken.map(Shard::taken).or(*shard);
        }
        process.alone = alone;
        for shard in bits(process.confirms) {
            if let Some(shard) = &mut process.shards[shard] {
                shard.confirmed = true;
            }
        }
        process.confirms = 0;
        for shard in bits(give) {
            if let Some(shard) = &mut process.shards[shard] {
                shard.stopping = true;
            }
        }
    }

    /// The same as `shard_checkpoint::advance`, including the rows.
    fn flush(&mut self, flush: Flush, bounds: Bounds) -> Outcome {
        let row = &mut self.rows[usize::from(flush.shard)];
        let fence = row.fence == flush.fence || bounds.without == Without::Fence;
        if fence && (row.revision + 1 == flush.revision || bounds.without == Without::Revision) {
            let events = (1_u8 << flush.to) - (1 << flush.from);
            let after = |(fence, by)| fence > flush.fence || (fence == flush.fence && by != flush.by);
            self.wrong = if row.last_commit.is_some_and(after) {
                Some(Wrong::TwoOwners)
            } else if row.counted & events != 0 {
                Some(Wrong::Twice)
            } else if flush.from != row.sequence {
                Some(Wrong::Skipped)
            } else {
                self.wrong
            };
            row.revision = flush.revision;
            row.sequence = flush.to;
            row.counted |= events;
            row.last_commit = Some((flush.fence, flush.by));
            Outcome::Committed
        } else if fence && row.revision == flush.revision {
            Outcome::Committed
        } else {
            Outcome::Fenced
        }
    }
}
