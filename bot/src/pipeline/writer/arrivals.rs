//! What follows from members' coming and going: their places on the boards, a welcome, and the roles of their level.

use std::collections::BTreeMap;

use crate::{
    features::{
        levels::effects::plan,
        privacy::rows::departures,
        welcome::{
            arrival::{Arrival, Follows, Stage, Times},
            rows,
        },
    },
    outbox::queue::NewEffect,
    pipeline::ledger::Coming,
    postgres::{StoreError, Tx},
    settings::{LeavePolicy, Settings},
    support::ids::MemberKey,
};

/// Write who has come and left. `coming` is in the order of the events.
pub(super) async fn apply(
    tx: &Tx<'_>,
    settings: &Settings,
    mut coming: Vec<Coming>,
    mut left: Vec<MemberKey>,
    effects: &mut Vec<NewEffect>,
) -> Result<(), StoreError> {
    // Who is in `left` has not come back since.
    coming.extend(left.iter().map(|key| Coming {
        key: *key,
        stage: Stage::Left,
        times: Times::default(),
    }));
    // Each member's events stay in their order, and what follows is in that of all events.
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
                following.extend(plan::welcome_of(key, settings).map(|effect| (*place, effect)));
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
    effects.extend(following.into_iter().map(|(_, effect)| effect));
    rows::write(tx, &changed).await?;
    let joined_at = coming.iter().filter_map(|(_, coming)| coming.times.joined_at);
    if let Some(now) = joined_at.max() {
        rows::tidy(tx, &changed, now).await?;
    }
    departures::show(tx, &joined).await?;
    let whose = |departed: LeavePolicy| -> Vec<MemberKey> {
        let keys = left.iter().copied();
        keys.filter(|key| {
            settings
                .get(&key.guild_id)
                .is_some_and(|settings| settings.departed == departed)
        })
        .collect()
    };
    departures::hide(tx, &whose(LeavePolicy::Hide)).await?;
    departures::reset(tx, &whose(LeavePolicy::Reset)).await
}
