//! Writing the rows of members who earned XP or moved, with the effects of the levels that they passed.

use std::collections::HashMap;

use twilight_model::id::{Id, marker::GuildMarker};

use super::{
    effects::{
        announcement::LevelUp,
        plan::{self, LevelChange},
    },
    pending::{LastAward, Pending, saturating_sum},
    rows::{
        departed,
        member_xp::{self, Addition, Making, Stored, Written},
    },
};
use crate::{
    flush::{self, Flush, Part, SetAside, erasure, split},
    outbox::queue::NewEffect,
    postgres::{Store, StoreError, Tx},
    settings::{LeavePolicy, Settings},
    support::ids::{MemberKey, Millis},
    telemetry::metrics,
};

/// The pending changes of members, of all batches of a transaction.
#[derive(Clone, Debug, Default)]
pub struct Entries<'a>(
    /// Sorted by key and batch; the number is the index of the batch.
    Vec<(usize, MemberKey, &'a Pending)>,
);

/// The result of writing members' rows.
#[derive(Debug, Default)]
pub struct Flushed {
    reads: usize,
    messages: u64,
    /// Last awards read or written for members who were not cached, with the index of the batch.
    learned: Vec<(usize, (MemberKey, LastAward))>,
    /// The guild of each written row with rank buckets, in order.
    ranked: Vec<Id<GuildMarker>>,
}

impl<'a> Entries<'a> {
    /// The kind of an entry in quarantine.
    pub(super) const KIND: &'static str = "member";

    pub(super) fn add(&mut self, index: usize, entries: &'a [(MemberKey, Pending)]) {
        let entries = entries.iter();
        self.0
            .extend(entries.map(|(key, pending)| (index, *key, pending)));
    }
}

impl Part for Entries<'_> {
    type Written = Flushed;

    fn sort(&mut self) {
        // By key: two writers that upsert the same members in different orders would deadlock.
        self.0.sort_unstable_by_key(|(index, key, _)| (*key, *index));
    }

    fn changes(&self) -> usize {
        self.0.len()
    }

    fn split(&mut self, rest: &mut usize) -> Self {
        Self(split(&mut self.0, rest))
    }

    fn set_aside(&self) -> Vec<SetAside> {
        let entries = self.0.iter();
        entries
            .map(|(_, key, pending)| SetAside::of_member(Self::KIND, *key, pending))
            .collect()
    }

    async fn write(mut self, flush: &mut Flush<'_, '_>) -> Result<Flushed, StoreError> {
        let mut flushed = Flushed::default();
        let additions = self.additions(flush.tx, &mut flushed).await?;
        let moved = Moved::of(flush).await?;
        let mut moving: Vec<MemberKey> = moved.members().collect();
        if !moving.is_empty() {
            // Includes members who also earned XP, so that all are locked in key order.
            moving.extend(additions.iter().map(|addition| addition.key));
            member_xp::lock(flush.tx, &moving).await?;
        }
        if !additions.is_empty() {
            let making = if flush.may_collide {
                Making::Copied
            } else {
                Making::Upserted
            };
            let rows = member_xp::write(flush.tx, &additions, making).await?;
            let effects = effects(flush.tx, flush.settings, &rows, &additions).await?;
            flush.effects.extend(effects);
            flush.rows += additions.len();
            flushed.messages = additions.iter().map(|addition| addition.delta.messages).sum();
            let ranked = additions.iter().filter(|addition| addition.is_ranked);
            flushed.ranked = ranked.map(|addition| addition.key.guild_id).collect();
        }
        moved.write(flush.tx).await?;
        flush.effects.extend(moved.effects);
        Ok(flushed)
    }
}

impl Entries<'_> {
    /// The additions to members' rows, given what is stored of them.
    async fn additions(&mut self, tx: &Tx<'_>, flushed: &mut Flushed) -> Result<Vec<Addition>, StoreError> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let asked = self.0.iter();
        let asked = asked.map(|(_, key, pending)| (*key, pending.needs_stored_award()));
        let stored = member_xp::stored(tx, asked).await?;
        let back = self.without_erased(tx, &stored).await?;
        let mut additions = self.resolve(&stored, flushed);
        for Addition { key, delta, .. } in &mut additions {
            // The ledger's cached awards predate the erasure.
            if let Some(erased_at) = back.get(key) {
                delta.last_award = delta.last_award.filter(|award| award > erased_at);
            }
        }
        Ok(additions)
    }

    /// Remove messages sent before their member's erasure. Returns members with later messages, with the times of their erasures.
    ///
    /// Entries are not split: a message sent shortly after the erasure is removed too if it shares an entry with earlier ones.
    async fn without_erased(
        &mut self,
        tx: &Tx<'_>,
        stored: &HashMap<MemberKey, Stored>,
    ) -> Result<HashMap<MemberKey, Millis>, StoreError> {
        let erased_at = stored
            .iter()
            .filter_map(|(key, stored)| Some((*key, stored.erased_at?)));
        let mut erased: HashMap<MemberKey, Millis> = erased_at.collect();
        if erased.is_empty() {
            return Ok(erased);
        }
        let before =
            |key: &MemberKey, pending: &Pending| erased.get(key).is_some_and(|at| pending.oldest() <= *at);
        self.0.retain(|(_, key, pending)| !before(key, pending));
        let is_over = |key: &MemberKey, pending: &Pending| {
            let erased_at = erased.get(key);
            erased_at.is_some_and(|at| erasure::is_over(*at, pending.oldest()))
        };
        let over = self.0.iter().filter(|(_, key, pending)| is_over(key, pending));
        let over: Vec<MemberKey> = over.map(|(_, key, _)| *key).collect();
        erasure::end(tx, &over).await?;
        erased.retain(|key, _| self.0.iter().any(|(_, other, _)| other == key));
        Ok(erased)
    }

    /// Apply the cooldown to undecided messages, given the last awards that the shards did not have cached.
    fn resolve(&self, stored: &HashMap<MemberKey, Stored>, flushed: &mut Flushed) -> Vec<Addition> {
        let mut additions: Vec<Addition> = Vec::with_capacity(self.0.len());
        for (index, key, pending) in &self.0 {
            let stored = stored.get(key).copied().unwrap_or_default();
            let asked = pending.needs_stored_award();
            flushed.reads += usize::from(asked);
            // A member appears in two shards' batches only while a guild moves between shards: then the entries add up.
            let earlier = additions.pop_if(|earlier| earlier.key == *key);
            let known =
                earlier.map_or_else(|| stored.last_award.flatten(), |earlier| earlier.delta.last_award);
            let mut delta = pending.resolve(known);
            if let Some(Addition { delta: earlier, .. }) = earlier {
                delta.earned_in(earlier.week, earlier.week_xp);
                delta.xp = saturating_sum(delta.xp, earlier.xp);
                delta.messages = saturating_sum(delta.messages, earlier.messages);
                delta.last_award = delta.last_award.max(earlier.last_award);
                delta.channel_id = delta.channel_id.or(earlier.channel_id);
            }
            if pending.is_open() {
                flushed.learned.push((*index, (*key, delta.last_award)));
            }
            additions.push(Addition {
                key: *key,
                delta,
                // A cached award implies an existing row.
                is_new: asked && stored.last_award.is_none() && earlier.is_none_or(|earlier| earlier.is_new),
                is_ranked: stored.is_ranked,
            });
        }
        additions
    }
}

impl flush::Written for Flushed {
    type Learned = (MemberKey, LastAward);

    fn and(&mut self, later: Self) {
        self.reads += later.reads;
        self.messages += later.messages;
        self.learned.extend(later.learned);
        self.ranked.extend(later.ranked);
    }

    fn committed(self, store: &Store) -> Vec<(usize, (MemberKey, LastAward))> {
        for guild in self.ranked.chunk_by(|a, b| a == b) {
            store.wrote_ranked(guild[0], guild.len() as u64);
        }
        metrics::flush_messages_total().increment(self.messages);
        metrics::flush_reads_total().increment(self.reads as u64);
        self.learned
    }
}

/// The consequences of coming and leaving for members' rows and roles.
#[derive(Debug, Default)]
struct Moved {
    /// Members shown on leaderboards again.
    joined: Vec<MemberKey>,
    /// Members hidden from leaderboards.
    hidden: Vec<MemberKey>,
    /// Members whose XP is reset.
    reset: Vec<MemberKey>,
    /// The roles of those who arrived.
    effects: Vec<NewEffect>,
}

impl Moved {
    async fn of(flush: &Flush<'_, '_>) -> Result<Self, StoreError> {
        let flush::Moved {
            joined,
            left,
            arrived,
        } = &flush.moved;
        if joined.is_empty() && left.is_empty() && arrived.is_empty() {
            return Ok(Self::default());
        }
        let guilds = left.iter().chain(arrived).map(|key| key.guild_id);
        let settings = flush.settings.within(flush.tx, guilds).await?;
        let mut moved = Self {
            joined: joined.clone(),
            ..Self::default()
        };
        let back = back(flush.tx, left, flush.rejected_at).await?;
        for key in left.iter().filter(|key| !back.contains(*key)) {
            match settings.get(&key.guild_id).map(|settings| settings.departed) {
                Some(LeavePolicy::Hide) => moved.hidden.push(*key),
                Some(LeavePolicy::Reset) => moved.reset.push(*key),
                Some(LeavePolicy::Keep) | None => {}
            }
        }
        let roles = |key: &MemberKey| plan::roles_on_join(*key, settings.get(&key.guild_id)?);
        moved.effects = arrived.iter().filter_map(roles).collect();
        Ok(moved)
    }

    /// The members whose rows of `member_xp` are changed by [`write`](Self::write), if they exist.
    fn members(&self) -> impl Iterator<Item = MemberKey> {
        let all = self.joined.iter().chain(&self.hidden).chain(&self.reset);
        all.copied()
    }

    /// Write the changes to `member_xp`, after the XP earned before leaving. The rows are locked.
    async fn write(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        departed::show(tx, &self.joined).await?;
        departed::hide(tx, &self.hidden).await?;
        departed::reset(tx, &self.reset).await
    }
}

/// Members whose departure was rejected, and who have been awarded XP since.
async fn back(
    tx: &Tx<'_>,
    left: &[MemberKey],
    rejected_at: Option<Millis>,
) -> Result<Vec<MemberKey>, StoreError> {
    if left.is_empty() || rejected_at.is_none() {
        return Ok(Vec::new());
    }
    let stored = member_xp::stored(tx, left.iter().map(|key| (*key, true))).await?;
    let is_back = |key: &&MemberKey| {
        let last_award = stored.get(*key).and_then(|stored| stored.last_award.flatten());
        last_award > rejected_at
    };
    Ok(left.iter().filter(is_back).copied().collect())
}

/// The effects of the levels that were passed.
async fn effects(
    tx: &Tx<'_>,
    settings: &Settings,
    rows: &[Written],
    additions: &[Addition],
) -> Result<Vec<NewEffect>, StoreError> {
    let earned = || {
        let rows = rows.iter().zip(additions);
        rows.filter(|(row, _)| row.xp_before != row.xp_after)
    };
    // Sorted by guild, so each is looked up once.
    let mut guilds: Vec<_> = earned().map(|(row, _)| row.key.guild_id).collect();
    guilds.dedup();
    let settings = settings.within(tx, guilds.into_iter()).await?;
    let mut effects = Vec::new();
    for (row, Addition { key, delta, .. }) in earned() {
        let Some(settings) = settings.get(&key.guild_id) else {
            continue;
        };
        let Some((before, level)) = row.passed_on(settings.curve) else {
            continue;
        };
        let passed = LevelChange {
            key: *key,
            level_up: LevelUp {
                level,
                before,
                xp: row.xp_after,
            },
            channel_id: delta.channel_id,
        };
        effects.extend(plan::effects_of(&passed, settings));
    }
    Ok(effects)
}
