//! Decides what a message earns in its guild.
//!
//! The shard's loop decides from cached data: the guild's settings and the channel tree. Data that is missing is fetched before the batch
//! that counts the message goes to its lane, so that only the shard itself waits: settings with one statement for all guilds of the batch,
//! Discord's data over REST.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::stream::{self, StreamExt as _};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, MessageMarker, RoleMarker},
};

use crate::{
    discord::{
        guilds::{Guilds, Order},
        rest::{Priority, RestError},
    },
    features::levels::{
        pending::{Earns, MemberMessage, Pending, Undecided},
        rules::award::{Award, Sent, award},
    },
    postgres::{Store, StoreError},
    settings::{
        GuildSettings, Settings,
        values::earning::{Earning, RoleMode},
    },
    support::ids::{MemberKey, Millis},
    telemetry::{
        metrics,
        task::{self, Task},
    },
};

/// How long a shard's batch waits for Discord's data that guilds' rules need. After that, its messages earn by known data. This is less
/// than the time for which a heartbeat can be held for the checkpoint, which the batch delays (`pipeline/gateway/heartbeat.rs`).
const PATIENCE: Duration = Duration::from_secs(3);
/// How long to wait further in the background. Until then the guild's messages do not wait again.
const LATE: Duration = Duration::from_secs(30);
/// Flushes wait for these requests, and messages are counted late meanwhile.
const PRIORITY: Priority = Priority::Command;
/// Requests in parallel.
const AT_ONCE: usize = 16;

/// Evaluates XP rules. Clones share the same state.
#[derive(Clone, Debug)]
pub struct XpPolicy {
    settings: Settings,
    guilds: Option<Guilds>,
    /// Guilds for which Discord did not answer in time, each with the task that still waits for the answer.
    slow: Arc<Mutex<HashMap<Id<GuildMarker>, Task<()>>>>,
}

/// A message as received by the shard.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// The message ID.
    pub id: Id<MessageMarker>,
    /// When it was sent.
    pub at: Millis,
    /// The guild it was sent in.
    pub guild_id: Id<GuildMarker>,
    /// The channel or thread.
    pub channel_id: Id<ChannelMarker>,
}

impl XpPolicy {
    /// Use these settings, without access to Discord's guild data.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            guilds: None,
            slow: Arc::default(),
        }
    }

    /// Use `guilds` to look up channels and roles.
    #[must_use]
    pub fn asking(mut self, guilds: Guilds) -> Self {
        self.guilds = Some(guilds);
        self
    }

    /// The guilds' settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What a message earns, without waiting. `roles` are the author's, if the message includes them, and are read only if they matter.
    pub fn try_evaluate(
        &self,
        message: &Received,
        roles: impl FnOnce() -> Option<Vec<Id<RoleMarker>>>,
    ) -> Earns {
        let mut roles = Some(roles);
        let mut read = None;
        let found = self.settings.last_known(message.guild_id, |settings| {
            let earning = &settings.earning;
            if earning.is_plain() {
                return Some(plain(earning, message));
            }
            if earning.asks_for_roles() {
                read = roles.take().and_then(|roles| roles());
                let known = read.as_deref()?;
                if earning.asks_for_order(known) {
                    return None;
                }
            }
            let place = if earning.asks_for_place(message.channel_id) {
                let guilds = self.guilds.as_ref()?;
                guilds.known_place(message.guild_id, message.channel_id)?
            } else {
                [message.channel_id].into()
            };
            let sent = message.sent(read.as_deref().unwrap_or_default(), &place);
            // There are no two roles to compare.
            Some(award(earning, &sent, |_| ()))
        });
        if let Some(Some(award)) = found {
            return earns(award);
        }
        if let Some(roles) = roles {
            read = roles();
        }
        Earns::Undecided(Box::new(Undecided {
            id: message.id,
            roles: read.map(Vec::into_boxed_slice),
        }))
    }

    /// Decide what [`Self::try_evaluate`] left undecided.
    ///
    /// # Errors
    ///
    /// The settings cannot be read. Decisions made so far stay.
    pub async fn resolve(
        &self,
        store: &Store,
        open: &mut [(MemberKey, &mut MemberMessage)],
    ) -> Result<(), StoreError> {
        if open.is_empty() {
            return Ok(());
        }
        let guilds = open.iter().map(|(key, _)| key.guild_id);
        let settings = self.settings.of_all(store, guilds).await?;
        let earning_of = |guild_id| {
            let settings: Option<&Arc<GuildSettings>> = settings.get(&guild_id);
            &settings.unwrap_or(self.settings.defaults()).earning
        };
        let answers = self.ask(open, earning_of).await;
        let mut guessed = 0;
        for (key, message) in open {
            let Earns::Undecided(facts) = &message.earns else {
                continue;
            };
            let received = Received {
                id: facts.id,
                at: message.at,
                guild_id: key.guild_id,
                channel_id: message.channel_id,
            };
            let (award, is_known) = answers.award(earning_of(key.guild_id), *key, &received, facts);
            guessed += u64::from(!is_known);
            message.earns = earns(award);
        }
        if guessed > 0 {
            metrics::levels_guessed_total().increment(guessed);
            tracing::warn!(
                messages = guessed,
                "roles or categories were not known in time; these messages earn XP without their multipliers"
            );
        }
        Ok(())
    }

    /// Request all data that the rules need from Discord, with limited concurrency.
    async fn ask<'r>(
        &self,
        open: &[(MemberKey, &mut MemberMessage)],
        earning_of: impl Fn(Id<GuildMarker>) -> &'r Earning,
    ) -> Answers {
        let (mut roles, mut places, mut orders) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (key, message) in open {
            let (earning, Earns::Undecided(facts)) = (earning_of(key.guild_id), &message.earns) else {
                continue;
            };
            if earning.asks_for_roles() {
                if facts.roles.is_none() {
                    roles.insert(*key);
                }
                if earning.role_mode == RoleMode::Highest {
                    orders.insert(key.guild_id);
                }
            }
            if earning.asks_for_place(message.channel_id) {
                places.insert((key.guild_id, message.channel_id));
            }
        }
        let mut answers = Answers::default();
        let Some(guilds) = &self.guilds else {
            return answers;
        };
        let now = Instant::now();
        // For a guild known to be slow, only cached data is used: otherwise each of its batches would delay its shard again.
        let deadlines: HashMap<_, _> = {
            let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
            slow.retain(|_, task| !task.is_finished());
            slow.keys().map(|guild_id| (*guild_id, now)).collect()
        };
        let deadline = |guild_id| deadlines.get(&guild_id).copied().unwrap_or(now + PATIENCE);
        let mut late = BTreeMap::new();
        let mut asking = stream::iter(roles)
            .map(async |key: MemberKey| {
                let lookup = guilds.roles_of(key.guild_id, key.user_id, PRIORITY);
                (key, answer(deadline(key.guild_id), lookup).await)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((key, answer)) = asking.next().await {
            match answer {
                Some(roles) => drop(answers.roles.insert(key, roles)),
                None => drop(late.insert(key.guild_id, Lookup::Roles)),
            }
        }
        drop(asking);
        let mut asking = stream::iter(places)
            .map(async |(guild_id, channel_id)| {
                let lookup = guilds.place(guild_id, channel_id, PRIORITY);
                (guild_id, channel_id, answer(deadline(guild_id), lookup).await)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((guild_id, channel_id, answer)) = asking.next().await {
            match answer {
                Some(place) => drop(answers.places.insert(channel_id, place)),
                None => drop(late.insert(guild_id, Lookup::Place(channel_id))),
            }
        }
        drop(asking);
        let mut asking = stream::iter(orders)
            .map(async |guild_id| {
                let of_rules: Vec<_> = earning_of(guild_id)
                    .roles()
                    .iter()
                    .map(|(role, _)| *role)
                    .collect();
                let lookup = guilds.order(guild_id, &of_rules, PRIORITY);
                let answer = answer(deadline(guild_id), lookup).await;
                (guild_id, of_rules, answer)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((guild_id, of_rules, answer)) = asking.next().await {
            match answer {
                Some(order) => drop(
                    answers
                        .orders
                        .insert(guild_id, of_rules.into_iter().zip(order).collect()),
                ),
                None => drop(late.insert(guild_id, Lookup::Order(of_rules))),
            }
        }
        drop(asking);
        self.wait_on(guilds, late);
        answers
    }

    /// Keep waiting in the background for late data, so that the guild's next messages find it cached.
    fn wait_on(&self, guilds: &Guilds, late: BTreeMap<Id<GuildMarker>, Lookup>) {
        let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        for (guild_id, lookup) in late {
            slow.entry(guild_id).or_insert_with(|| {
                let guilds = guilds.clone();
                task::spawn("slow guild", async move {
                    let answered = timeout(LATE, lookup.again(&guilds, guild_id)).await;
                    tracing::debug!(
                        guild.id = guild_id.get(),
                        answered = answered.is_ok(),
                        "a slow answer was waited for"
                    );
                })
            });
        }
    }
}

/// Data that Discord did not send in time.
enum Lookup {
    /// A member's roles, which are not cached.
    Roles,
    /// The place of a channel in the channel tree.
    Place(Id<ChannelMarker>),
    /// The relative order of these roles.
    Order(Vec<Id<RoleMarker>>),
}

impl Lookup {
    /// Request the data once more, and pause if there is still no answer.
    async fn again(self, guilds: &Guilds, guild_id: Id<GuildMarker>) {
        let answered = match self {
            // Not requested again, so that the guild has a period without requests.
            Self::Roles => false,
            Self::Place(channel_id) => guilds.place(guild_id, channel_id, PRIORITY).await.is_ok(),
            Self::Order(roles) => guilds.order(guild_id, &roles, PRIORITY).await.is_ok(),
        };
        if !answered {
            sleep(LATE).await;
        }
    }
}

/// The data received from Discord.
#[derive(Debug, Default)]
struct Answers {
    roles: HashMap<MemberKey, Vec<Id<RoleMarker>>>,
    places: HashMap<Id<ChannelMarker>, Box<[Id<ChannelMarker>]>>,
    orders: HashMap<Id<GuildMarker>, HashMap<Id<RoleMarker>, Order>>,
}

impl Answers {
    /// What a message earns, and whether all data that matters is known.
    fn award(
        &self,
        earning: &Earning,
        key: MemberKey,
        message: &Received,
        facts: &Undecided,
    ) -> (Award, bool) {
        let mut is_known = true;
        let roles = match &facts.roles {
            Some(roles) => &**roles,
            None if earning.asks_for_roles() => self.roles.get(&key).map_or_else(
                || {
                    is_known = false;
                    &[][..]
                },
                Vec::as_slice,
            ),
            None => &[],
        };
        let order = self.orders.get(&key.guild_id);
        is_known &= order.is_some() || !earning.asks_for_order(roles);
        let own = [message.channel_id];
        let place = if let Some(place) = self.places.get(&message.channel_id) {
            &**place
        } else {
            is_known &= !earning.asks_for_place(message.channel_id);
            &own[..]
        };
        let stands = |role| order.and_then(|order| order.get(&role).copied().flatten());
        (award(earning, &message.sent(roles, place), stands), is_known)
    }
}

/// The answer from Discord within the deadline, or an empty default.
async fn answer<T: Default>(
    deadline: Instant,
    lookup: impl Future<Output = Result<T, RestError>>,
) -> Option<T> {
    match timeout_at(deadline, lookup).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(RestError::Refused { .. })) => Some(T::default()),
        Ok(Err(_)) | Err(_) => None,
    }
}

/// All undecided messages of some entries.
pub fn open<'a>(
    members: impl Iterator<Item = &'a mut (MemberKey, Pending)>,
) -> Vec<(MemberKey, &'a mut MemberMessage)> {
    members
        .flat_map(|(key, pending)| {
            let key = *key;
            pending.undecided().map(move |message| (key, message))
        })
        .collect()
}

impl Received {
    const fn sent<'a>(&self, roles: &'a [Id<RoleMarker>], place: &'a [Id<ChannelMarker>]) -> Sent<'a> {
        Sent {
            id: self.id,
            at: self.at,
            roles,
            place,
        }
    }
}

fn plain(earning: &Earning, message: &Received) -> Award {
    award(earning, &message.sent(&[], &[]), |_| ())
}

const fn earns(award: Award) -> Earns {
    match award.xp {
        Some(xp) => Earns::Xp {
            xp,
            cooldown: award.cooldown,
        },
        None => Earns::Nothing,
    }
}
