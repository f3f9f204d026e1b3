//! The counts of a shard's guilds, until a flush adds them to the table.
//!
//! Only guilds that have chosen statistics are counted. The shard's loop looks that up once per guild and flush, in the settings that are
//! cached. Guilds that are not cached are counted, and decided before the batch goes to its lane.

use std::collections::HashSet;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker},
};

use super::rows;
use crate::{
    discord::events::member_news::{Coming, Stage},
    flush::{Batch, Change, Flush, Kept, Pending, SetAside},
    postgres::{Store, StoreError},
    settings::{GuildSettings, Settings, statistics::StatisticsSettings},
    support::ids::Millis,
};

/// The kind of a count in quarantine.
const KIND: &str = "statistic";
const HOUR: Millis = 60 * 60 * 1_000;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A command was used.
    Command(String),
    /// A member joined.
    Join,
    /// A member left.
    Leave,
    /// A message was sent in this channel.
    Message(Id<ChannelMarker>),
}

impl Subject {
    /// The word in `statistic.kind`.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Message(_) => "message",
        }
    }
}

/// A number of occurrences in one hour.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counted {
    #[serde(skip, default = "nowhere")]
    pub(super) guild_id: Id<GuildMarker>,
    /// Hours since the Unix epoch.
    pub(super) hour: i64,
    pub(super) subject: Subject,
    pub(super) amount: i64,
}

/// Replaced by the guild in the quarantine.
const fn nowhere() -> Id<GuildMarker> {
    Id::new(1)
}

/// The counts of a shard that are not in a batch yet.
#[derive(Debug)]
pub struct Counts {
    settings: Settings,
    guilds: FxHashMap<Id<GuildMarker>, OfGuild>,
    changes: usize,
}

/// The counts of a guild.
#[derive(Debug)]
enum OfGuild {
    /// The guild has not chosen statistics.
    Off,
    /// It has, or its settings are not cached.
    On {
        is_known: bool,
        amounts: FxHashMap<(i64, Subject), i64>,
    },
}

/// The counts that one flush takes out.
#[derive(Clone, Debug, Default)]
pub struct CountBatch {
    counted: Vec<Counted>,
    /// Guilds of which it is unknown whether they chose statistics, if there are any.
    undecided: Option<Box<Undecided>>,
}

#[derive(Clone, Debug)]
struct Undecided {
    guilds: Vec<Id<GuildMarker>>,
    settings: Settings,
}

fn is_on(settings: &GuildSettings) -> bool {
    settings.sections.of::<StatisticsSettings>().enabled
}

impl Counts {
    /// No counts.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            guilds: FxHashMap::default(),
            changes: 0,
        }
    }

    /// Count a member's message. Returns the number of bytes by which the counts grew, as the other methods do.
    pub fn message(&mut self, guild_id: Id<GuildMarker>, channel_id: Id<ChannelMarker>, at: Millis) -> usize {
        // One lookup per flush. Messages have changes of their own, so the next flush is soon.
        let off = Some(OfGuild::Off);
        self.count(guild_id, at, off, || Subject::Message(channel_id))
    }

    /// Count a command.
    pub fn command(&mut self, guild_id: Id<GuildMarker>, name: &str, at: Millis) -> usize {
        self.count(guild_id, at, None, || Subject::Command(name.to_owned()))
    }

    /// Count a member who left. Discord does not send the time; `seen_at` is the time of the newest message before.
    pub fn departure(&mut self, guild_id: Id<GuildMarker>, seen_at: Millis) -> usize {
        self.count(guild_id, seen_at, None, || Subject::Leave)
    }

    /// Count, unless the guild has not chosen statistics; then `off` is remembered for it until the next flush, if it is given. Events
    /// without other changes cause no flush, so remembering the setting for them could outlast a change of it.
    fn count(
        &mut self,
        guild_id: Id<GuildMarker>,
        at: Millis,
        off: Option<OfGuild>,
        subject: impl FnOnce() -> Subject,
    ) -> usize {
        if let Some(guild) = self.guilds.get_mut(&guild_id) {
            return guild.count(&mut self.changes, at, subject);
        }
        let is_on = self.settings.last_known(guild_id, is_on);
        let on = OfGuild::On {
            is_known: is_on.is_some(),
            amounts: FxHashMap::default(),
        };
        let guild = if is_on == Some(false) { off } else { Some(on) };
        let Some(mut guild) = guild else {
            return 0;
        };
        let grown = guild.count(&mut self.changes, at, subject);
        self.guilds.insert(guild_id, guild);
        grown + size_of::<(Id<GuildMarker>, OfGuild)>()
    }
}

impl OfGuild {
    fn count(&mut self, changes: &mut usize, at: Millis, subject: impl FnOnce() -> Subject) -> usize {
        let Self::On { amounts, .. } = self else {
            return 0;
        };
        let (subject, mut grown) = (subject(), 0);
        let named = match &subject {
            Subject::Command(name) => name.len(),
            _ => 0,
        };
        let amount = amounts.entry((at / HOUR, subject)).or_insert_with(|| {
            grown += size_of::<((i64, Subject), i64)>() + named;
            *changes += 1;
            0
        });
        *amount += 1;
        grown
    }
}

impl Pending for Counts {
    type Batch = CountBatch;

    fn on_member(&mut self, coming: &Coming) -> usize {
        let joins = matches!(coming.stage, Stage::Joined | Stage::Screened);
        // Guests have no time of joining.
        let at = coming.times.joined_at.or(coming.times.seen_at);
        match at {
            Some(at) if joins => self.count(coming.key.guild_id, at, None, || Subject::Join),
            _ => 0,
        }
    }

    fn changes(&self) -> usize {
        self.changes
    }

    fn take(&mut self) -> CountBatch {
        self.changes = 0;
        let mut batch = CountBatch::default();
        let mut guilds = Vec::new();
        for (guild_id, guild) in std::mem::take(&mut self.guilds) {
            let OfGuild::On { is_known, amounts } = guild else {
                continue;
            };
            if !is_known {
                guilds.push(guild_id);
            }
            let amounts = amounts.into_iter();
            batch
                .counted
                .extend(amounts.map(|((hour, subject), amount)| Counted {
                    guild_id,
                    hour,
                    subject,
                    amount,
                }));
        }
        if !guilds.is_empty() {
            let settings = self.settings.clone();
            batch.undecided = Some(Box::new(Undecided { guilds, settings }));
        }
        batch
    }

    fn forget(&mut self) {
        self.guilds = FxHashMap::default();
        self.changes = 0;
    }
}

impl Batch for CountBatch {
    type Part<'a> = Vec<Counted>;
    type Written = ();

    const KINDS: &'static [&'static str] = Counted::KINDS;

    fn changes(&self) -> usize {
        self.counted.len()
    }

    fn is_open(&self) -> bool {
        self.undecided.is_some()
    }

    async fn resolve(&mut self, store: &Store) -> Result<(), StoreError> {
        if let Some(undecided) = &self.undecided {
            let Undecided { guilds, settings } = &**undecided;
            let found = settings.of_all(store, guilds.iter().copied()).await?;
            let is_off = |guild_id: &Id<GuildMarker>| !found.get(guild_id).is_some_and(|known| is_on(known));
            let off: HashSet<Id<GuildMarker>> = guilds.iter().copied().filter(is_off).collect();
            self.counted.retain(|counted| !off.contains(&counted.guild_id));
            self.undecided = None;
        }
        Ok(())
    }

    fn read(kept: &Kept) -> Option<Self> {
        Some(Self {
            counted: vec![Counted::read(kept)?],
            undecided: None,
        })
    }

    fn add_to(&self, _index: usize, part: &mut Vec<Counted>) {
        part.extend_from_slice(&self.counted);
    }
}

impl Change for Counted {
    const KINDS: &'static [&'static str] = &[KIND];

    fn set_aside(&self) -> SetAside {
        SetAside::of_guild(KIND, self.guild_id, self)
    }

    fn read(kept: &Kept) -> Option<Self> {
        if kept.kind != KIND {
            return None;
        }
        let counted: Self = kept.body()?;
        Some(Self {
            guild_id: kept.guild_id?,
            ..counted
        })
    }

    async fn write(counted: Vec<Self>, flush: &mut Flush<'_, '_>) -> Result<(), StoreError> {
        flush.rows += rows::add(flush.tx, counted).await?;
        Ok(())
    }
}
