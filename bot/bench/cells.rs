//! The loads: how many messages, from whom, over how many shards.

use std::time::Duration;

use discord_simulator::{GatewayRules, RestRules, SimulatorConfig, Traffic};

const GUILDS: u32 = 200;
/// Members of the world in which most messages come from members who are in the table.
const KNOWN_MEMBERS: u32 = 10_000;
/// Part of the messages that comes from new members where most do.
const NEW: f64 = 0.8;

/// How fast messages come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Load {
    /// None come.
    Idle,
    /// Messages a second, for the time that was asked for.
    Steady(u32),
    /// This many messages, as fast as the bot reads them.
    Full(u32),
}

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writers {
    /// Members of a Zipf distribution, who have nearly all written before.
    Known,
    /// Members drawn evenly, so that four of five messages are their author's first.
    New,
    /// Members drawn evenly from this many.
    Of(u32),
}

/// When PostgreSQL flushes its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// At each commit, as fast as the disk is.
    Stock,
    /// 2 ms later, as on a slower disk.
    Delayed,
}

impl Flush {
    /// What the server is started with.
    pub(crate) const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Stock => &[],
            Self::Delayed => &["commit_delay=2000", "commit_siblings=0"],
        }
    }
}

/// One load.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    pub(crate) shards: u32,
    pub(crate) load: Load,
    pub(crate) writers: Writers,
    pub(crate) flush: Flush,
    /// Whether commands are used under this load, after it was measured.
    pub(crate) commands: bool,
    /// How often each bot has its turn.
    pub(crate) rounds: u32,
}

impl Cell {
    const fn new(name: &'static str, title: &'static str, shards: u32, load: Load, writers: Writers) -> Self {
        Self {
            name,
            title,
            shards,
            load,
            writers,
            flush: Flush::Stock,
            commands: false,
            rounds: 1,
        }
    }

    const fn twice(self) -> Self {
        Self { rounds: 2, ..self }
    }

    const fn commanded(self) -> Self {
        Self {
            commands: true,
            ..self
        }
    }

    const fn delayed(self) -> Self {
        Self {
            flush: Flush::Delayed,
            ..self
        }
    }

    /// Messages a second before anything is measured, and for how long: until most members are known, or until every connection and
    /// statement is prepared.
    pub(crate) const fn warm_up(&self) -> Option<(u32, u32)> {
        match (self.load, self.writers) {
            (Load::Idle, _) => None,
            (_, Writers::Known) => Some((8_000, 2 * KNOWN_MEMBERS)),
            (Load::Steady(rate), _) => Some((rate, rate)),
            (Load::Full(_), _) => Some((1_000, 500)),
        }
    }

    /// The simulated Discord for it.
    pub(crate) fn world(&self, seconds: Duration) -> SimulatorConfig {
        let even = Traffic {
            member_skew: 0.0,
            ..messages_only()
        };
        let (members, traffic) = match self.writers {
            Writers::Known => (KNOWN_MEMBERS, messages_only()),
            Writers::New => (self.members_for_new(seconds), even),
            Writers::Of(members) => (members, even),
        };
        SimulatorConfig {
            shards: self.shards,
            guilds: GUILDS,
            members,
            traffic,
            gateway: GatewayRules {
                max_concurrency: self.shards,
                // At full speed what waits here is part of every time: as little as keeps the connections busy.
                unsent_limit: 512,
                ..GatewayRules::default()
            },
            // What is measured is the bots, and not how they wait.
            rest: RestRules {
                enforce: false,
                ..RestRules::default()
            },
            ..SimulatorConfig::default()
        }
    }

    /// The number of members of whom the wanted part is new in the middle of the measured time: after n messages of M members drawn
    /// evenly, a message is its author's first with the probability e^(-n/M).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and far below 2^32"
    )]
    fn members_for_new(&self, seconds: Duration) -> u32 {
        let Load::Steady(rate) = self.load else {
            return KNOWN_MEMBERS;
        };
        let before = self.warm_up().map_or(0, |(_, messages)| messages);
        let middle = f64::from(before) + f64::from(rate) * seconds.as_secs_f64() / 2.0;
        (middle / -NEW.ln()).ceil().max(f64::from(GUILDS)) as u32
    }
}

/// Every message counts: a share of others would only have to be taken out of every figure.
fn messages_only() -> Traffic {
    Traffic {
        other: 0.0,
        bots: 0.0,
        webhooks: 0.0,
        system: 0.0,
        direct: 0.0,
        ..Traffic::default()
    }
}

/// All loads, in the order in which they are measured.
pub(crate) fn all() -> Vec<Cell> {
    use Load::{Full, Idle, Steady};
    use Writers::{Known, New, Of};
    vec![
        Cell::new("idle-1", "idle, 1 shard", 1, Idle, Known),
        Cell::new("idle-64", "idle, 64 shards", 64, Idle, Known),
        Cell::new("rate-200", "200/s, known members, 1 shard", 1, Steady(200), Known),
        Cell::new(
            "shards-1",
            "1,000/s, known members, 1 shard",
            1,
            Steady(1_000),
            Known,
        )
        .commanded(),
        Cell::new(
            "shards-16",
            "1,000/s, known members, 16 shards",
            16,
            Steady(1_000),
            Known,
        ),
        Cell::new(
            "shards-64",
            "1,000/s, known members, 64 shards",
            64,
            Steady(1_000),
            Known,
        )
        .commanded(),
        Cell::new(
            "rate-10000",
            "10,000/s, known members, 1 shard",
            1,
            Steady(10_000),
            Known,
        )
        .commanded(),
        Cell::new(
            "new-2000",
            "2,000/s, 80 % new members, 4 shards",
            4,
            Steady(2_000),
            New,
        )
        .twice()
        .commanded(),
        Cell::new(
            "known-2000",
            "2,000/s, known members, 4 shards",
            4,
            Steady(2_000),
            Known,
        ),
        // 300,000 draws from 222,000 members meet 164,000 of them.
        Cell::new(
            "full-new",
            "full speed, 300,000 messages of 164,000 members, 4 shards",
            4,
            Full(300_000),
            Of(222_000),
        )
        .twice()
        .commanded(),
        Cell::new(
            "full-known",
            "full speed, 150,000 messages, known members, 4 shards",
            4,
            Full(150_000),
            Known,
        ),
        Cell::new(
            "flush-new-2000",
            "2,000/s, 80 % new members, 4 shards",
            4,
            Steady(2_000),
            New,
        )
        .delayed(),
        Cell::new(
            "flush-shards-64",
            "1,000/s, known members, 64 shards",
            64,
            Steady(1_000),
            Known,
        )
        .delayed(),
        // A third of the messages above: a plain bot takes a minute for all of them.
        Cell::new(
            "flush-full-new",
            "full speed, 100,000 messages of 55,000 members, 4 shards",
            4,
            Full(100_000),
            Of(74_000),
        )
        .delayed(),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Flush, Writers, all};

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all().iter().map(|cell| cell.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().len());
        assert!(all().iter().any(|cell| cell.flush == Flush::Delayed));
    }

    #[test]
    fn four_of_five_are_new() {
        let cells = all();
        let cell = cells
            .iter()
            .find(|cell| cell.writers == Writers::New)
            .expect("a load with new members");
        // 2,000 before and half of 12,000 at 2,000/s: e^(-8000/35851) = 0.8
        assert_eq!(cell.world(Duration::from_secs(6)).members, 35_852);
    }
}
