//! The purpose of the times in `tick::decide` and in `fleet_process`: a live process is not declared dead because the database was
//! unavailable, and a dead one is detected. Time is simulated in ticks, and all possible orders are searched.

use std::collections::HashSet;

/// A lease is five ticks long, like `TICKS`.
const LEASE: u8 = 5;
/// Greater ages are equivalent.
const OLD: u8 = 3 * LEASE;
const PROCESSES: usize = 3;

/// What may happen, and what is omitted.
#[derive(Clone, Copy, Debug)]
struct Rules {
    outages: u8,
    crashes: u8,
    /// No process is declared dead for the duration of a lease after the database has become available again.
    grace: bool,
    /// A process joins before the existing ones could tick again, and cannot know that the database was unreachable.
    strangers: bool,
}

const RULES: Rules = Rules {
    outages: 2,
    crashes: 2,
    grace: true,
    strangers: false,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    New,
    Member,
    /// For this long, not counting the time in which it could not be detected.
    Dead(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Process {
    life: Life,
    /// The age of its row's `seen_at`.
    row: Option<u8>,
    /// Whether it has renewed its row since the last step of time.
    renewed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    processes: [Process; PROCESSES],
    /// The age of `alive_at`.
    alive: u8,
    /// The time left until `grace_until`.
    grace: u8,
    away: bool,
    /// PostgreSQL was restarted since `alive_at`.
    restarted: bool,
    /// The database was unreachable for a while, and no process that knows this has renewed since.
    unseen: bool,
    outages: u8,
    crashes: u8,
}

/// The errors that must not occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    TakenForDead,
    NotMissed,
}

impl State {
    const fn new(rules: Rules) -> Self {
        let process = Process {
            life: Life::New,
            row: None,
            renewed: false,
        };
        Self {
            processes: [process; PROCESSES],
            alive: OLD,
            grace: 0,
            away: false,
            restarted: false,
            unseen: false,
            outages: rules.outages,
            crashes: rules.crashes,
        }
    }

    /// All possible next states.
    fn next(&self, rules: Rules) -> Result<Vec<Self>, Wrong> {
        let mut next = Vec::new();
        let late = |process: &Process| process.life == Life::Member && !process.renewed;
        if self.away || !self.processes.iter().any(late) {
            next.push(self.tick()?);
        }
        if self.away {
            next.push(Self { away: false, ..*self });
        } else if self.outages > 0 {
            for restarted in [false, true] {
                next.push(Self {
                    away: true,
                    outages: self.outages - 1,
                    restarted: self.restarted || restarted,
                    unseen: true,
                    ..*self
                });
            }
        }
        for (at, process) in self.processes.iter().enumerate() {
            if process.life == Life::Member && self.crashes > 0 {
                let mut crashed = *self;
                crashed.processes[at].life = Life::Dead(0);
                crashed.crashes -= 1;
                next.push(crashed);
            }
            let may_enter = rules.strangers || !self.unseen || self.restarted;
            if !self.away && (process.life == Life::Member || (process.life == Life::New && may_enter)) {
                next.push(self.renew(at, rules)?);
            }
        }
        Ok(next)
    }

    /// A fifth of the lease passes.
    fn tick(&self) -> Result<Self, Wrong> {
        let older = |age: u8| (age + 1).min(OLD);
        let mut state = *self;
        state.alive = older(state.alive);
        state.grace = state.grace.saturating_sub(1);
        let somebody = self.processes.iter().any(|process| process.life == Life::Member);
        for process in &mut state.processes {
            process.row = process.row.map(older);
            process.renewed = false;
            if let Life::Dead(time) = &mut process.life {
                *time = if self.away || !somebody { 0 } else { older(*time) };
                // The lease, once more if the database was unavailable, and the time until the next tick.
                if *time > 2 * LEASE + 1 {
                    return Err(Wrong::NotMissed);
                }
            }
        }
        Ok(state)
    }

    fn renew(&self, at: usize, rules: Rules) -> Result<Self, Wrong> {
        let mut state = *self;
        let joined = state.processes[at].life == Life::Member;
        let away = 2 * state.alive > LEASE && (joined || state.restarted);
        if away && rules.grace {
            state.grace = LEASE;
        }
        (state.alive, state.restarted) = (0, false);
        state.unseen &= !joined;
        state.processes[at] = Process {
            life: Life::Member,
            row: Some(0),
            renewed: true,
        };
        for process in &mut state.processes {
            if process.row.is_some_and(|age| age > LEASE) && state.grace == 0 {
                if process.life == Life::Member {
                    return Err(Wrong::TakenForDead);
                }
                process.row = None;
                // Another one may start in its place.
                process.life = Life::New;
            }
        }
        Ok(state)
    }
}

/// The number of states, if there is no error.
fn search(rules: Rules) -> Result<usize, Wrong> {
    let first = State::new(rules);
    let mut known = HashSet::from([first]);
    let mut left = vec![first];
    while let Some(state) = left.pop() {
        for next in state.next(rules)? {
            if known.insert(next) {
                left.push(next);
            }
        }
    }
    Ok(known.len())
}

#[test]
fn nobody_dies_of_an_outage_and_the_dead_are_missed() {
    let states = search(RULES).expect("nothing is wrong");
    assert!(states > 10_000, "{states}");
}

#[test]
fn without_the_grace_they_would() {
    let rules = Rules {
        grace: false,
        ..RULES
    };
    assert_eq!(search(rules), Err(Wrong::TakenForDead));
}

/// The limit of this, which only costs a handover: fences do not depend on clocks.
#[test]
fn a_stranger_cannot_know_of_an_outage_without_a_restart() {
    let rules = Rules {
        strangers: true,
        ..RULES
    };
    assert_eq!(search(rules), Err(Wrong::TakenForDead));
}
