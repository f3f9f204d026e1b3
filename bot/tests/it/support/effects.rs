//! Compares the bot's effects on Discord with the expected ones.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use discord_simulator::{Guild, Simulator};
use eventide::{
    app::{features, notifications::Notifications},
    config::Config,
    discord::{guilds::Guilds, rest::Rest},
    features::privacy::rows::member::MemberData,
    outbox::delivery::Deliverer,
    postgres::Store,
    settings::{Settings, values::curve::Curve},
    telemetry::task,
};
use tokio::sync::watch;

use super::until;

/// The announcements' text in tests, from which everything can be read back.
pub(crate) const TEMPLATE: &str = "{user.id} {level} {xp}";

/// An announcement as Discord has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) guild_id: u64,
    pub(crate) channel_id: u64,
    pub(crate) user_id: u64,
    pub(crate) level: u32,
    pub(crate) xp: u64,
}

/// The announcements, compared with the oracle's members.
#[derive(Debug, Default)]
pub(crate) struct EffectsReport {
    /// The number of members who have passed a level.
    pub(crate) owed: usize,
    /// Announcements that there are.
    pub(crate) announced: usize,
    /// Members whose level was not announced.
    pub(crate) lost: usize,
    /// Announcements of a level that had been announced.
    pub(crate) doubled: usize,
}

impl EffectsReport {
    pub(crate) const fn is_exact(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.owed > 0
    }
}

impl fmt::Display for EffectsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} members owed, {} announced, {} lost, {} doubled",
            self.owed, self.announced, self.lost, self.doubled
        )
    }
}

/// The announcements in the order in which they appeared. Other messages are left out.
pub(crate) fn announced(discord: &Simulator) -> Vec<Announced> {
    let guilds = discord.world().guilds().iter();
    let guild_of: HashMap<u64, u64> = guilds
        .flat_map(|guild: &Guild| guild.channels().iter().map(|channel| (channel.id, guild.id())))
        .collect();
    let number = |text: &str| text.parse::<u64>().ok();
    discord
        .control()
        .bot_messages()
        .iter()
        .filter_map(|message| {
            let channel_id = number(message["channel_id"].as_str()?)?;
            let words: Vec<u64> = message["content"]
                .as_str()?
                .split(' ')
                .map(number)
                .collect::<Option<_>>()?;
            let [user_id, level, xp] = words[..] else {
                return None;
            };
            Some(Announced {
                guild_id: guild_of.get(&channel_id).copied().unwrap_or(0),
                channel_id,
                user_id,
                level: u32::try_from(level).ok()?,
                xp,
            })
        })
        .collect()
}

/// The report of this moment, against the oracle. It is final when the rows are exact and nothing waits in the outbox.
pub(crate) fn effects(discord: &Simulator) -> EffectsReport {
    let expected = discord.oracle().expected();
    compared(discord, expected.iter().map(|(key, member)| (*key, member.xp)))
}

/// The same against members' XP by guild and user.
pub(crate) fn compared(
    discord: &Simulator,
    members: impl Iterator<Item = ((u64, u64), u64)>,
) -> EffectsReport {
    let mut report = EffectsReport::default();
    let mut levels: BTreeMap<(u64, u64), BTreeSet<u32>> = BTreeMap::new();
    for announced in announced(discord) {
        report.announced += 1;
        let known = levels.entry((announced.guild_id, announced.user_id)).or_default();
        report.doubled += usize::from(!known.insert(announced.level));
    }
    for (key, xp) in members {
        let level = Curve::Mee6.level_of(xp);
        if level > 0 {
            report.owed += 1;
            let last = levels.get(&key).and_then(|known| known.last());
            report.lost += usize::from(last != Some(&level));
        }
    }
    report
}

/// Wait until nothing waits to be delivered.
pub(crate) async fn delivered(store: &Store) {
    until("everything is delivered", async || {
        let backlog = eventide::outbox::queue::backlog(store).await.ok()?;
        (backlog.waiting == 0).then_some(())
    })
    .await;
}

/// What `/privacy` exports and erases.
pub(crate) fn member_data() -> MemberData {
    features::member_data(&Settings::new(&Config::defaults().levels))
}

/// A deliverer without a gateway.
pub(crate) struct Courier {
    stop: watch::Sender<bool>,
    task: task::Task<()>,
    listening: task::Task<()>,
}

impl Courier {
    pub(crate) fn start(config: &Config, store: &Store) -> Self {
        let rest = Rest::new(&config.discord, config.require_token().expect("a token"));
        let settings = Settings::new(&config.levels);
        let deliverer = Deliverer::new(
            store.clone(),
            rest.clone(),
            Guilds::new(rest),
            config.effects.clone(),
            features::effect_kinds(&settings),
        );
        let (stop, stopped) = watch::channel(false);
        let news = Notifications {
            settings,
            fleet: Arc::default(),
            timers: store.timers_armed(),
        };
        let listening = task::spawn("news", store.listen(Arc::new(news), stopped.clone()));
        let task = task::spawn("deliverer", deliverer.run(stopped));
        Self {
            stop,
            task,
            listening,
        }
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.join().await.expect("it ends");
        self.listening.join().await.expect("it ends");
    }
}
