//! The traffic: which event happens next, and how many are due.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    config::{Rate, Traffic},
    hub::Hub,
    record::{Kind, NO_GUILD, Record},
    snowflake::Clock,
    world::{BOTS, World},
};

/// Decides what happens next. Two generators with the same seed that are asked for the same guilds give the same.
pub(crate) struct Generator {
    rng: fastrand::Rng,
    traffic: Traffic,
    /// The last message by a human in each guild, for replies and edits; id 0 when there was none.
    last: Vec<Last>,
    /// A message that the next one shall follow in the same millisecond.
    echo: Option<Record>,
}

#[derive(Clone, Copy, Default)]
struct Last {
    id: u64,
    member: u32,
    channel: u16,
}

/// From which guilds the next event may come.
pub(crate) struct Scope<'a> {
    pub(crate) draw: &'a dyn Fn(&mut fastrand::Rng) -> u32,
    /// Whether a guild is in the scope.
    pub(crate) admits: &'a dyn Fn(u32) -> bool,
    pub(crate) direct: bool,
}

impl Generator {
    pub(crate) fn new(seed: u64, traffic: Traffic, guilds: usize) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            traffic,
            last: vec![Last::default(); guilds],
            echo: None,
        }
    }

    /// The next event. The clock goes on by `step_ms` before it.
    pub(crate) fn next(
        &mut self,
        world: &World,
        clock: &mut Clock,
        step_ms: f64,
        scope: &Scope<'_>,
    ) -> Record {
        if let Some(echo) = self.echo.take()
            && (scope.admits)(echo.guild)
        {
            let record = Record {
                id: clock.next_id(),
                kind: Kind::Human,
                reference: 0,
                ..echo
            };
            self.last[echo.guild as usize].id = record.id;
            return record;
        }
        clock.advance(step_ms);
        let guild = (scope.draw)(&mut self.rng);
        let at = world.guild_at(guild);
        let last = self.last[guild as usize];
        let kind = self.kind(scope.direct, last.id != 0);
        let mut record = Record {
            guild,
            ..Record::bare(kind, clock.next_id())
        };
        record.member = at.speakers.draw(&mut self.rng);
        record.channel = self.channel(at.channels().len());
        match kind {
            Kind::Reply | Kind::MessageUpdate | Kind::MessageDelete | Kind::Reaction => {
                record.reference = last.id;
                record.reference_member = last.member;
                record.channel = last.channel;
            }
            Kind::Bot => record.member = self.rng.u32(..BOTS),
            Kind::Direct => {
                record.guild = NO_GUILD;
                record.channel = 0;
                record.member = u32::try_from(self.rng.u64(..world.people())).unwrap_or(0);
            }
            _ => {}
        }
        match kind {
            Kind::Human | Kind::Reply => {
                self.last[guild as usize] = Last {
                    id: record.id,
                    member: record.member,
                    channel: record.channel,
                };
                self.echo = (self.rng.f64() < self.traffic.same_millisecond).then_some(record);
            }
            // What was deleted cannot be answered.
            Kind::MessageDelete => self.last[guild as usize].id = 0,
            _ => {}
        }
        record
    }

    fn kind(&mut self, direct: bool, has_last: bool) -> Kind {
        if self.rng.f64() < self.traffic.other {
            return match self.rng.u32(..100) {
                // Half of it is typing, and so is what would need a message when there was none.
                50..65 => Kind::Presence,
                65..75 if has_last => Kind::Reaction,
                75..80 if has_last => Kind::MessageUpdate,
                80..84 if has_last => Kind::MessageDelete,
                84..96 => Kind::MemberUpdate,
                96.. => Kind::ChannelUpdate,
                _ => Kind::Typing,
            };
        }
        let mut roll = self.rng.f64();
        let mut is = |share: f64| {
            roll -= share;
            roll < 0.0
        };
        if is(self.traffic.replies) {
            if has_last { Kind::Reply } else { Kind::Human }
        } else if is(self.traffic.bots) {
            Kind::Bot
        } else if is(self.traffic.webhooks) {
            Kind::Webhook
        } else if is(self.traffic.system) {
            Kind::System
        } else if is(self.traffic.direct) && direct {
            Kind::Direct
        } else {
            Kind::Human
        }
    }

    /// Most of a guild's talk is in its first channels.
    fn channel(&mut self, channels: usize) -> u16 {
        let drawn = self.rng.usize(..channels.max(1));
        u16::try_from(self.rng.usize(..=drawn)).unwrap_or(0)
    }
}

const TICK: Duration = Duration::from_millis(4);
const IDLE_TICK: Duration = Duration::from_millis(50);
/// After the process was held up for longer than this, the traffic of the rest is left out.
const MOST_CATCH_UP: Duration = Duration::from_secs(5);
/// Events made at once, before the connections get their turn.
const SLICE: u64 = 4_096;

/// Makes the events that are due, and buries sessions whose time is over. Runs until the simulator stops.
pub(crate) async fn drive(hub: &Hub) {
    let mut last = Instant::now();
    let mut due = 0.0;
    loop {
        let (rate, pending) = {
            let mut engine = hub.lock();
            engine.bury_expired();
            let elapsed = last.elapsed().min(MOST_CATCH_UP);
            last = Instant::now();
            if let Rate::PerSecond(rate) = engine.rate {
                due += rate.max(0.0) * elapsed.as_secs_f64();
                let made = engine.generate_following(&hub.world, whole(due));
                due = if made { due.fract() } else { 0.0 };
            } else {
                due = 0.0;
            }
            engine.generate_pending(&hub.world, SLICE);
            if engine.rate == Rate::Full {
                engine.wake_all();
            }
            engine.trim();
            (engine.rate, engine.can_generate())
        };
        if pending {
            tokio::task::yield_now().await;
        } else if rate == Rate::Paused {
            // Woken by the controls; the tick is for the sessions whose time is over.
            drop(tokio::time::timeout(IDLE_TICK, hub.driver.notified()).await);
        } else {
            tokio::time::sleep(TICK).await;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and bounded by use"
)]
fn whole(events: f64) -> u32 {
    events as u32
}
