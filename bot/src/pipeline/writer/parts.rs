//! The content of a transaction besides checkpoints, gaps and the backfill's records: changes that can be written separately.

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::GuildMarker};

use super::flush::Work;
use crate::{
    discord::events::member_news::{Coming, Stage, Times},
    features::levels::pending::Pending,
    pipeline::rows::{
        quarantine::{Kept, NewEntry},
        shard_checkpoint::Advanced,
    },
    postgres::StoreError,
    support::ids::MemberKey,
};

/// Some changes. They can be split, and each half can be written without the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts<'a> {
    /// Sorted by key and batch; the number is the index of the batch.
    pub(super) entries: Vec<(usize, MemberKey, &'a Pending)>,
    /// In the order of the events.
    pub(super) coming: Vec<Coming>,
    pub(super) left: Vec<MemberKey>,
    /// Guilds that have the bot (again): true; or that removed it: false.
    pub(super) guilds: Vec<(Id<GuildMarker>, bool)>,
}

/// The body of a quarantined guild change.
#[derive(Debug, Deserialize, Serialize)]
struct GuildChange {
    is_there: bool,
}

/// The body of a quarantined arrival.
#[derive(Debug, Deserialize, Serialize)]
struct Arrives {
    #[serde(default)]
    stage: Stage,
    #[serde(flatten)]
    times: Times,
}

/// A change read from quarantine, which [`Parts`] can borrow.
#[derive(Debug)]
pub(super) enum Change {
    Member(MemberKey, Box<Pending>),
    Coming(Coming),
    Left(MemberKey),
    Guild(Id<GuildMarker>, bool),
}

impl<'a> Parts<'a> {
    /// The changes of the batches whose checkpoints have moved.
    pub(super) fn of(work: &'a Work, advanced: &[Advanced]) -> Self {
        let mut parts = Self::default();
        for (index, (_, changes)) in work.iter().enumerate() {
            if advanced[index] != Advanced::Now {
                continue;
            }
            parts.coming.extend(&changes.coming);
            parts.left.extend(&changes.left);
            parts.guilds.extend(&changes.guilds);
            let members = changes.members.iter();
            parts
                .entries
                .extend(members.map(|(key, pending)| (index, *key, pending)));
        }
        // Sorted by key: two writers that upsert the same members in different orders would deadlock.
        parts
            .entries
            .sort_unstable_by_key(|(index, key, _)| (*key, *index));
        parts
    }

    pub(super) const fn len(&self) -> usize {
        self.entries.len() + self.coming.len() + self.left.len() + self.guilds.len()
    }

    /// Two halves, the first of which must be written first.
    pub(super) fn halves(mut self) -> (Self, Self) {
        let mut rest = self.len() / 2;
        let second = Self {
            entries: split(&mut self.entries, &mut rest),
            coming: split(&mut self.coming, &mut rest),
            left: split(&mut self.left, &mut rest),
            guilds: split(&mut self.guilds, &mut rest),
        };
        (self, second)
    }

    /// The changes as quarantine entries, with the reason why they cannot be written.
    pub(super) fn set_aside(&self, error: &StoreError) -> Vec<NewEntry> {
        let members = self.entries.iter().map(|(_, key, pending)| {
            let body = serde_json::to_string(pending).expect("numbers and ids are JSON");
            of_member("member", *key, body, error)
        });
        let coming = self.coming.iter().map(|coming| {
            let Coming { key, stage, times } = *coming;
            let body = serde_json::to_string(&Arrives { stage, times }).expect("a word and numbers are JSON");
            of_member("joined", key, body, error)
        });
        let left = self
            .left
            .iter()
            .map(|key| of_member("left", *key, empty(), error));
        let guilds = self.guilds.iter().map(|(guild_id, is_there)| {
            let is_there = *is_there;
            let body = serde_json::to_string(&GuildChange { is_there }).expect("a truth value is JSON");
            aside("guild", Some(*guild_id), body, error)
        });
        members.chain(coming).chain(left).chain(guilds).collect()
    }
}

impl Change {
    /// Parse a quarantined change. `None` if this version does not know its kind or cannot parse its body.
    pub(super) fn read(kept: &Kept) -> Option<Self> {
        let guild_id = kept.guild_id?;
        let key = || {
            Some(MemberKey {
                guild_id,
                user_id: kept.user_id?,
            })
        };
        Some(match kept.kind.as_str() {
            "member" => Self::Member(key()?, serde_json::from_str(&kept.body).ok()?),
            "joined" => {
                let Arrives { stage, times } = serde_json::from_str(&kept.body).ok()?;
                Self::Coming(Coming {
                    key: key()?,
                    stage,
                    times,
                })
            }
            "left" => Self::Left(key()?),
            "guild" => {
                let change: GuildChange = serde_json::from_str(&kept.body).ok()?;
                Self::Guild(guild_id, change.is_there)
            }
            _ => return None,
        })
    }

    pub(super) fn parts(&self) -> Parts<'_> {
        let mut parts = Parts::default();
        match self {
            Self::Member(key, pending) => parts.entries.push((0, *key, pending)),
            Self::Coming(coming) => parts.coming.push(*coming),
            Self::Left(key) => parts.left.push(*key),
            Self::Guild(guild_id, is_there) => parts.guilds.push((*guild_id, *is_there)),
        }
        parts
    }
}

/// Build a quarantine entry.
pub(super) fn aside(
    kind: &'static str,
    guild_id: Option<Id<GuildMarker>>,
    body: String,
    error: &StoreError,
) -> NewEntry {
    NewEntry {
        kind,
        guild_id,
        user_id: None,
        body,
        sqlstate: error
            .sqlstate()
            .map_or_else(String::new, |state| state.code().to_owned()),
        reason: error.to_string(),
    }
}

fn of_member(kind: &'static str, key: MemberKey, body: String, error: &StoreError) -> NewEntry {
    NewEntry {
        user_id: Some(key.user_id),
        ..aside(kind, Some(key.guild_id), body, error)
    }
}

fn empty() -> String {
    "{}".to_owned()
}

/// Keep up to `rest` items in place, reduce `rest` by their number, and return the other items.
fn split<T>(items: &mut Vec<T>, rest: &mut usize) -> Vec<T> {
    let kept = items.len().min(*rest);
    *rest -= kept;
    items.split_off(kept)
}
