//! What the times in `tick::decide` and in `fleet_process` are for: who lives is not taken for dead because the database was away, and
//! who is dead is found out. Time is simulated, in looks; everything that can happen in any order is searched.

use std::collections::HashSet;

/// A lease is five looks long, as `LOOKS` has it.
const LEASE: u8 = 5;
/// Ages above do not differ.
const OLD: u8 = 3 * LEASE;
const PROCESSES: usize = 3;

/// What may happen, and what is left out.
#[derive(Clone, Copy, Debug)]
struct Rules {
    outages: u8,
    crashes: u8,
    /// Nobody is taken for dead for a lease after the database came back.
    grace: bool,
    /// A process enters before those who are there could look again, and cannot know that the database was unreachable.
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
    /// For so long, without the time in which nobody could find out.
    Dead(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Process {
    life: Life,
    /// The age of its row's `seen_at`.
    row: Option<u8>,
    /// Whether it has looked since the last tick.
    looked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    processes: [Process; PROCESSES],
    /// The age of `alive_at`.
    alive: u8,
    /// What is left until `grace_until`.
    grace: u8,
    away: bool,
    /// PostgreSQL was started since `alive_at`.
    restarted: bool,
    /// Nobody could reach it for a while, and none of those who know has looked since.
    unseen: bool,
    outages: u8,
    crashes: u8,
}

/// What must not be.
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
            looked: false,
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

    /// Everything that can happen next.
    fn next(&self, rules: Rules) -> Result<Vec<Self>, Wrong> {
        let mut next = Vec::new();
        let late = |process: &Process| process.life == Life::Member && !process.looked;
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
                next.push(self.look(at, rules)?);
            }
        }
        Ok(next)
    }

    /// A fifth of the lease goes by.
    fn tick(&self) -> Result<Self, Wrong> {
        let older = |age: u8| (age + 1).min(OLD);
        let mut state = *self;
        state.alive = older(state.alive);
        state.grace = state.grace.saturating_sub(1);
        let somebody = self.processes.iter().any(|process| process.life == Life::Member);
        for process in &mut state.processes {
            process.row = process.row.map(older);
            process.looked = false;
            if let Life::Dead(time) = &mut process.life {
                *time = if self.away || !somebody { 0 } else { older(*time) };
                // The lease; once more if the database was away; and until the next one looks.
                if *time > 2 * LEASE + 1 {
                    return Err(Wrong::NotMissed);
                }
            }
        }
        Ok(state)
    }

    fn look(&self, at: usize, rules: Rules) -> Result<Self, Wrong> {
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
            looked: true,
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

/// How many states there are, if none is wrong.
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

/// The limit of it, which costs a hand-over and nothing else: fences do not depend on clocks.
#[test]
fn a_stranger_cannot_know_of_an_outage_without_a_restart() {
    let rules = Rules {
        strangers: true,
        ..RULES
    };
    assert_eq!(search(rules), Err(Wrong::TakenForDead));
}
