//! The consequences of members joining and leaving: visibility on leaderboards, a welcome, and the roles of their level.

use std::collections::BTreeMap;

use crate::{
    discord::events::member_news::{Coming, Stage, Times},
    features::{
        levels::{effects::plan, rows::departed},
        welcome::{
            arrival::{Arrival, Follows},
            effect, rows,
        },
    },
    outbox::queue::NewEffect,
    postgres::{StoreError, Tx},
    settings::{LeavePolicy, Settings},
    support::ids::MemberKey,
};

/// The changes caused by joining and leaving, besides `member_arrival`.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// Members shown on leaderboards again.
    joined: Vec<MemberKey>,
    /// Members hidden from leaderboards.
    hidden: Vec<MemberKey>,
    /// Members whose XP is reset.
    reset: Vec<MemberKey>,
    /// In the order of the events.
    pub(super) effects: Vec<NewEffect>,
}

impl Moved {
    /// The members whose rows of `member_xp` are changed by [`write`](Self::write), if they exist.
    pub(super) fn members(&self) -> impl Iterator<Item = MemberKey> {
        let all = self.joined.iter().chain(&self.hidden).chain(&self.reset);
        all.copied()
    }

    /// Write the changes to `member_xp`, after the XP earned before leaving. The rows are locked.
    pub(super) async fn write(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        departed::show(tx, &self.joined).await?;
        departed::hide(tx, &self.hidden).await?;
        departed::reset(tx, &self.reset).await
    }
}

/// Record joins and departures, and determine their consequences. `coming` is in the order of the events.
pub(super) async fn apply(
    tx: &Tx<'_>,
    settings: &Settings,
    mut coming: Vec<Coming>,
    mut left: Vec<MemberKey>,
) -> Result<Moved, StoreError> {
    if coming.is_empty() && left.is_empty() {
        return Ok(Moved::default());
    }
    // Members in `left` have not rejoined since.
    coming.extend(left.iter().map(|key| Coming {
        key: *key,
        stage: Stage::Left,
        times: Times::default(),
    }));
    // Each member's events stay in order, and the consequences are in the order of all events.
    let mut coming: Vec<(usize, Coming)> = coming.into_iter().enumerate().collect();
    coming.sort_by_key(|(place, coming)| (coming.key, *place));
    let mut following: Vec<(usize, NewEffect)> = Vec::new();
    left.sort_unstable();
    left.dedup();
    let mut keys: Vec<MemberKey> = coming.iter().map(|(_, coming)| coming.key).collect();
    keys.dedup();
    let settings = settings.within(tx, keys.iter().map(|key| key.guild_id)).await?;
    let known = rows::lock(tx, &keys).await?;
    let mut changed: BTreeMap<MemberKey, Arrival> = BTreeMap::new();
    let mut joined: Vec<MemberKey> = Vec::new();
    for of_one in coming.chunk_by(|(_, a), (_, b)| a.key == b.key) {
        let key = of_one[0].1.key;
        let settings = settings.get(&key.guild_id);
        let before = known.get(&key).copied();
        let mut arrival = before.unwrap_or_default();
        for (place, coming) in of_one {
            let welcomes = settings.is_some_and(|settings| settings.welcome.is_some());
            let follows = arrival.take(coming.stage, coming.times, welcomes);
            let Some(settings) = settings else { continue };
            if follows == Follows::IsWelcomed {
                following.extend(effect::welcome_of(key, settings).map(|effect| (*place, effect)));
            }
            if follows != Follows::Nothing {
                following.extend(plan::roles_on_join(key, settings).map(|effect| (*place, effect)));
            }
        }
        if arrival != before.unwrap_or_default() {
            changed.insert(key, arrival);
        }
        let is_joined =
            |(_, coming): &(usize, Coming)| matches!(coming.stage, Stage::Joined | Stage::Screened);
        if of_one.iter().any(is_joined) {
            joined.push(key);
        }
    }
    following.sort_by_key(|(place, _)| *place);
    rows::write(tx, &changed).await?;
    let joined_at = coming.iter().filter_map(|(_, coming)| coming.times.joined_at);
    if let Some(now) = joined_at.max() {
        rows::tidy(tx, &changed, now).await?;
    }
    let whose = |departed: LeavePolicy| -> Vec<MemberKey> {
        let keys = left.iter().copied();
        keys.filter(|key| {
            settings
                .get(&key.guild_id)
                .is_some_and(|settings| settings.departed == departed)
        })
        .collect()
    };
    Ok(Moved {
        joined,
        hidden: whose(LeavePolicy::Hide),
        reset: whose(LeavePolicy::Reset),
        effects: following.into_iter().map(|(_, effect)| effect).collect(),
    })
}
