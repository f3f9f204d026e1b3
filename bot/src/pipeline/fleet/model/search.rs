//! Visits every reachable state, breadth first, and checks that each of them can still reach the goal.

use std::{
    collections::{VecDeque, hash_map::Entry},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use rustc_hash::FxHashMap;

/// A state of a protocol, with every step that leads from it.
pub(super) trait State: Hash {
    type Action: Copy + fmt::Debug;
    type Wrong: Copy + fmt::Debug;

    fn actions(&self) -> Vec<Self::Action>;

    fn after(&self, action: Self::Action) -> Self;

    /// The error that has occurred.
    fn wrong(&self) -> Option<Self::Wrong>;

    /// Whether the goal is reached.
    fn is_settled(&self) -> bool;

    /// Whether the action is no fault.
    fn is_calm(&self, action: Self::Action) -> bool;
}

/// The result.
#[derive(Debug)]
pub(super) enum Found<A, W> {
    /// There is no error in any of this many states, and each can reach the goal without further faults. What is counted stays counted, so
    /// any scheduler that takes every possible step again and again reaches it.
    Right { states: usize },
    /// The shortest path to an error.
    Wrong { wrong: W, way: Vec<A> },
    /// The shortest path to a state from which the goal is unreachable.
    Stuck { way: Vec<A> },
}

impl<A: fmt::Debug, W: fmt::Debug> fmt::Display for Found<A, W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, way) = match self {
            Self::Right { states } => return write!(formatter, "{states} states, nothing wrong"),
            Self::Wrong { wrong, way } => (format!("{wrong:?}"), way),
            Self::Stuck { way } => ("stuck".to_owned(), way),
        };
        writeln!(formatter, "{what} after {} steps:", way.len())?;
        way.iter()
            .try_for_each(|action| writeln!(formatter, "  {action:?}"))
    }
}

/// Search all states that can be reached from the first one.
pub(super) fn search<S: State>(first: S) -> Found<S::Action, S::Wrong> {
    // States are identified by a hash: with 64 bits, the probability that two of some million collide is one in a million.
    let mut known = FxHashMap::default();
    known.insert(hash(&first), 0_u32);
    let mut from: Vec<Option<(u32, S::Action)>> = vec![None];
    let mut calm: Vec<(u32, u32)> = Vec::new();
    let mut settled: Vec<u32> = Vec::new();
    let mut next = VecDeque::from([(0_u32, first)]);
    while let Some((at, state)) = next.pop_front() {
        if state.is_settled() {
            settled.push(at);
        }
        for action in state.actions() {
            let after = state.after(action);
            if let Some(wrong) = after.wrong() {
                let mut way = way(&from, at);
                way.push(action);
                return Found::Wrong { wrong, way };
            }
            let number = u32::try_from(from.len()).expect("fewer states than that");
            let to = match known.entry(hash(&after)) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    entry.insert(number);
                    from.push(Some((at, action)));
                    next.push_back((number, after));
                    number
                }
            };
            if state.is_calm(action) && to != at {
                calm.push((to, at));
            }
        }
    }
    match first_stuck(from.len(), calm, settled) {
        Some(at) => Found::Stuck { way: way(&from, at) },
        None => Found::Right { states: from.len() },
    }
}

fn hash(state: &impl Hash) -> u64 {
    let mut bytes = Bytes(Vec::with_capacity(128));
    state.hash(&mut bytes);
    bytes.finish()
}

/// What a state consists of, a byte for each number: hashing takes several times as long for many small pieces as for one, and was half of
/// the search.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u8(&mut self, number: u8) {
        self.0.push(number);
    }

    /// A length.
    fn write_usize(&mut self, number: usize) {
        self.0
            .push(u8::try_from(number).expect("there are few of everything"));
    }

    /// The variant of an enum.
    fn write_isize(&mut self, number: isize) {
        self.0.push(u8::try_from(number).expect("there are few variants"));
    }

    fn finish(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.0);
        hasher.finish()
    }
}

fn way<A: Copy>(from: &[Option<(u32, A)>], mut at: u32) -> Vec<A> {
    let mut way = Vec::new();
    while let Some((before, action)) = from[at as usize] {
        way.push(action);
        at = before;
    }
    way.reverse();
    way
}

/// Follow `calm` backwards from the goal: states that are not visited cannot reach it.
fn first_stuck(states: usize, mut calm: Vec<(u32, u32)>, mut settled: Vec<u32>) -> Option<u32> {
    calm.sort_unstable();
    let mut good = vec![false; states];
    for at in &settled {
        good[*at as usize] = true;
    }
    while let Some(at) = settled.pop() {
        let begin = calm.partition_point(|(to, _)| *to < at);
        for (_, before) in calm[begin..].iter().take_while(|(to, _)| *to == at) {
            if !std::mem::replace(&mut good[*before as usize], true) {
                settled.push(*before);
            }
        }
    }
    let stuck = good.iter().position(|good| !good)?;
    u32::try_from(stuck).ok()
}
