//! `outbox` and `outbox_lane`: effects to be delivered to Discord, in the order of their causes.
//!
//! An effect is added in the transaction of its cause and deleted after delivery. Workers claim lanes, not effects: effects that must stay
//! in order are delivered by one worker at a time, and a claim costs the same however many effects wait. A claim is a lease: if its owner
//! does not return, another worker claims the lane.

pub mod claim;
mod overview;

use std::{collections::HashMap, time::Duration};

use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, UserMarker},
};

use self::claim::{Lane, Urgency};
pub use self::overview::{
    BACKLOG_COUNTED, Backlog, Became, Failing, Failures, Shown, backlog, became, failing, list,
};
pub(crate) use self::overview::{ERASE, EXPORT};
use crate::{
    outbox::{failures, kind::EffectBody, outcome::Undelivered},
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids::{self, MemberKey},
};

/// The kind of which only one effect per member can be pending; statements in this module name it.
pub const ROLES: &str = "roles";

/// The empty body; a demotion has a flag.
const PLAIN: &str = "{}";

/// An effect to be inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEffect {
    /// The guild concerned.
    pub guild_id: Id<GuildMarker>,
    /// Effects with the same lane are delivered in order: the ID of a channel or of a member.
    pub lane_id: i64,
    /// The kind of effect.
    pub kind: &'static str,
    /// The target channel; `None` for direct messages and for roles.
    pub channel_id: Option<Id<ChannelMarker>>,
    /// The member concerned.
    pub user_id: Option<Id<UserMarker>>,
    /// Further data of the kind, as JSON.
    pub body: String,
}

impl NewEffect {
    /// An effect in a channel.
    pub fn for_channel<T: EffectBody>(
        guild_id: Id<GuildMarker>,
        channel_id: Id<ChannelMarker>,
        body: &T,
    ) -> Self {
        Self {
            guild_id,
            lane_id: ids::to_db(channel_id),
            kind: T::KIND,
            channel_id: Some(channel_id),
            user_id: None,
            body: body.json(),
        }
    }

    /// An effect on a member, or a direct message to them.
    pub fn for_member<T: EffectBody>(key: MemberKey, body: &T) -> Self {
        Self {
            guild_id: key.guild_id,
            lane_id: ids::to_db(key.user_id),
            kind: T::KIND,
            channel_id: None,
            user_id: Some(key.user_id),
            body: body.json(),
        }
    }
}

/// A pending effect.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The guild of the lane.
    pub guild_id: Id<GuildMarker>,
    /// The ID of the effect.
    pub effect_id: i64,
    /// The kind, possibly unknown to this version.
    pub kind: String,
    /// The target channel.
    pub channel_id: Option<Id<ChannelMarker>>,
    /// The member concerned.
    pub user_id: Option<Id<UserMarker>>,
    /// Further data of the kind, as JSON.
    pub body: String,
    /// Failed attempts.
    pub attempts: i64,
    /// The time since its cause was committed, by the database's clock.
    pub age: Duration,
    /// A value for Discord's nonce: the same for each attempt, and different for every other effect, even after an older backup was
    /// restored.
    pub nonce: String,
    revision: i64,
}

impl Waiting {
    /// The target channel. An effect that needs one and has none is cancelled.
    pub(crate) fn channel(&self) -> Result<Id<ChannelMarker>, Undelivered> {
        self.channel_id.ok_or(Undelivered::Cancelled)
    }

    /// The member concerned. An effect that needs one and has none is cancelled.
    pub(crate) fn user(&self) -> Result<Id<UserMarker>, Undelivered> {
        self.user_id.ok_or(Undelivered::Cancelled)
    }
}

/// Add effects, in this order within a lane. They become due when the transaction commits.
///
/// For a member whose `roles` effect is already pending, that one is renewed instead, even if it was set aside. The rows of the lanes are
/// locked, in order, until the commit.
pub async fn add(tx: &Tx<'_>, effects: &[NewEffect]) -> Result<(), StoreError> {
    add_as(tx, effects, Urgency::Usual).await
}

/// Add effects that staff wait for, which are delivered before the others.
pub async fn add_urgent(tx: &Tx<'_>, effects: &[NewEffect]) -> Result<(), StoreError> {
    add_as(tx, effects, Urgency::Urgent).await
}

/// Add effects for many members, which are delivered after all others of their guild.
pub async fn add_bulk(tx: &Tx<'_>, effects: &[NewEffect]) -> Result<(), StoreError> {
    add_as(tx, effects, Urgency::Bulk).await
}

async fn add_as(tx: &Tx<'_>, effects: &[NewEffect], urgency: Urgency) -> Result<(), StoreError> {
    // The lane's version is incremented so that a worker that finds the lane empty does not delete it: see `release`. Roles effects that
    // were set aside move to the member's lane, because their own lane may not be due for a long time, and may be claimed.
    const ADD: Statement = statement!(
        "outbox_add",
        [
            INT8_ARRAY, INT8_ARRAY, TEXT_ARRAY, INT8_ARRAY, INT8_ARRAY, TEXT_ARRAY, INT8
        ],
        "WITH added AS (
             INSERT INTO outbox AS o (guild_id, lane_id, kind, channel_id, user_id, body)
             SELECT guild_id, lane_id, kind, channel_id, user_id, body::jsonb
             FROM unnest($1::int8[], $2::int8[], $3::text[], $4::int8[], $5::int8[], $6::text[])
               AS n (guild_id, lane_id, kind, channel_id, user_id, body)
             ON CONFLICT (guild_id, user_id) WHERE kind = 'roles' AND failed_at IS NULL
             DO UPDATE SET revision = o.revision + 1, lane_id = excluded.lane_id, body = o.body || excluded.body
             RETURNING o.guild_id, o.lane_id, CASE WHEN o.kind IN ('punishment', 'timeout_lift', 'warned', 'mod_action', 'mod_lift', 'mod_message') THEN 0 ELSE $7 END AS urgency
         )
         INSERT INTO outbox_lane AS l (guild_id, lane_id, urgency)
         SELECT guild_id, lane_id, min(urgency) FROM added GROUP BY guild_id, lane_id ORDER BY guild_id, lane_id
         ON CONFLICT (guild_id, lane_id) DO UPDATE SET version = l.version + 1, urgency = least(l.urgency, excluded.urgency)"
    );
    if effects.is_empty() {
        return Ok(());
    }
    let effects = in_order(effects);
    let guilds: Vec<i64> = effects.iter().map(|e| ids::to_db(e.guild_id)).collect();
    let lanes: Vec<i64> = effects.iter().map(|e| e.lane_id).collect();
    let kinds: Vec<&'static str> = effects.iter().map(|e| e.kind).collect();
    let channels: Vec<Option<i64>> = effects.iter().map(|e| e.channel_id.map(ids::to_db)).collect();
    let users: Vec<Option<i64>> = effects.iter().map(|e| e.user_id.map(ids::to_db)).collect();
    let bodies: Vec<&str> = effects.iter().map(|e| e.body.as_str()).collect();
    let urgency = urgency.to_db();
    tx.execute(
        ADD,
        &[&guilds, &lanes, &kinds, &channels, &users, &bodies, &urgency],
    )
    .await?;
    tx.adds_effects(&kinds);
    Ok(())
}

/// Effects in lane order, in which transactions lock pending rows, and in the given order within a lane. A member's roles appear once, and
/// as a demotion if any of them is one: a statement cannot change a row twice.
fn in_order(effects: &[NewEffect]) -> Vec<&NewEffect> {
    let mut roles: HashMap<(Id<GuildMarker>, i64), usize> = HashMap::new();
    let mut ordered: Vec<&NewEffect> = Vec::with_capacity(effects.len());
    for effect in effects {
        if effect.kind == ROLES {
            let place = *roles
                .entry((effect.guild_id, effect.lane_id))
                .or_insert(ordered.len());
            if let Some(before) = ordered.get_mut(place) {
                if before.body == PLAIN {
                    *before = effect;
                }
                continue;
            }
        }
        ordered.push(effect);
    }
    ordered.sort_by_key(|effect| (effect.guild_id, effect.lane_id));
    ordered
}

/// The number of members whose roles are still to be updated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RolesLeft {
    /// Waiting for their turn.
    pub in_line: u64,
    /// Blocked by an obstacle.
    pub set_aside: u64,
}

/// Count the members of a guild whose roles are still to be updated.
pub async fn roles_left(store: &Store, guild_id: Id<GuildMarker>) -> Result<RolesLeft, StoreError> {
    const ROLES_LEFT: Statement = statement!(
        "outbox_roles_left",
        [INT8],
        "SELECT count(*) FILTER (WHERE lane_id >= 0), count(*) FILTER (WHERE lane_id < 0)
         FROM outbox WHERE guild_id = $1 AND kind = 'roles' AND failed_at IS NULL"
    );
    let rows = store.query(ROLES_LEFT, &[&ids::to_db(guild_id)]).await?;
    let number = |column| {
        let row = rows.first();
        row.map_or(0, |row| row.get::<_, i64>(column).cast_unsigned())
    };
    Ok(RolesLeft {
        in_line: number(0),
        set_aside: number(1),
    })
}

/// The first effects of a lane.
pub async fn first(store: &Store, lane: &Lane, limit: u32) -> Result<Vec<Waiting>, StoreError> {
    const FIRST: Statement = statement!(
        "outbox_first",
        [INT8, INT8, INT8],
        "SELECT effect_id, kind, channel_id, user_id, body::text, attempts, revision,
                extract(epoch FROM clock_timestamp() - created_at)::float8, extract(epoch FROM created_at)::float8
         FROM outbox
         WHERE guild_id = $1 AND lane_id = $2 AND failed_at IS NULL
         ORDER BY effect_id LIMIT $3"
    );
    let guild = ids::to_db(lane.guild_id);
    let rows = store
        .query(FIRST, &[&guild, &lane.lane_id, &i64::from(limit)])
        .await?;
    Ok(rows
        .iter()
        .map(|row| {
            let effect_id: i64 = row.get(0);
            Waiting {
                guild_id: lane.guild_id,
                effect_id,
                kind: row.get(1),
                channel_id: row.get::<_, Option<i64>>(2).and_then(ids::from_db),
                user_id: row.get::<_, Option<i64>>(3).and_then(ids::from_db),
                body: row.get(4),
                attempts: row.get(5),
                revision: row.get(6),
                age: Duration::try_from_secs_f64(row.get(7)).unwrap_or_default(),
                nonce: nonce(effect_id, row.get(8)),
            }
        })
        .collect())
}

/// At most 25 characters, Discord's limit: the number in up to 16 hexadecimal digits, and the millisecond of the cause in the last 32 bits.
/// Without the latter, a restored sequence could produce a number that Discord still remembers.
fn nonce(effect_id: i64, created_at: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds since 1970; their upper half does not tell moments apart"
    )]
    let millis = (created_at * 1_000.0) as u64 as u32;
    format!("{effect_id:x}-{millis:x}")
}

/// Extend the lease of a lane. False if another worker has claimed it.
pub async fn extend(store: &Store, lane: &Lane, lease: Duration) -> Result<bool, StoreError> {
    const EXTEND: Statement = statement!(
        "outbox_extend",
        [INT8, INT8, INT8, FLOAT8],
        "UPDATE outbox_lane SET due_at = clock_timestamp() + make_interval(secs => $4)
         WHERE guild_id = $1 AND lane_id = $2 AND claim = $3 RETURNING claim"
    );
    let guild = ids::to_db(lane.guild_id);
    let rows = store
        .query(
            EXTEND,
            &[&guild, &lane.lane_id, &lane.claim, &lease.as_secs_f64()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Release a lane, which is due again after `after`. An empty lane is deleted, unless an effect was added since the claim.
pub async fn release(store: &Store, lane: &Lane, after: Duration) -> Result<(), StoreError> {
    // An effect that is being added holds the lane's row: DELETE waits for it, then sees another version and leaves the row.
    const RELEASE: Statement = statement!(
        "outbox_release",
        [INT8, INT8, INT8, INT8, FLOAT8],
        "WITH gone AS (
             DELETE FROM outbox_lane AS l
             WHERE l.guild_id = $1 AND l.lane_id = $2 AND l.claim = $3 AND l.version = $4
               AND NOT EXISTS (SELECT FROM outbox AS o
                               WHERE o.guild_id = $1 AND o.lane_id = $2 AND o.failed_at IS NULL)
             RETURNING 1
         )
         UPDATE outbox_lane SET due_at = clock_timestamp() + make_interval(secs => $5)
         WHERE guild_id = $1 AND lane_id = $2 AND claim = $3 AND NOT EXISTS (SELECT FROM gone)"
    );
    let guild = ids::to_db(lane.guild_id);
    store
        .query(
            RELEASE,
            &[
                &guild,
                &lane.lane_id,
                &lane.claim,
                &lane.version,
                &after.as_secs_f64(),
            ],
        )
        .await
        .map(drop)
}

/// Delete a delivered effect and clear the failures of its target. False if it was renewed meanwhile, and stays.
pub async fn delivered(store: &Store, effect: &Waiting, target_id: i64) -> Result<bool, StoreError> {
    const DELIVERED: Statement = statement!(
        "outbox_delivered",
        [INT8, INT8, INT8, TEXT, INT8],
        "WITH well AS (
             DELETE FROM effect_failure WHERE guild_id = $1 AND kind = $4 AND target_id IN ($5, 0)
         )
         DELETE FROM outbox WHERE guild_id = $1 AND effect_id = $2 AND revision = $3 RETURNING 1"
    );
    let guild = ids::to_db(effect.guild_id);
    let rows = store
        .query(
            DELIVERED,
            &[
                &guild,
                &effect.effect_id,
                &effect.revision,
                &effect.kind,
                &target_id,
            ],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Record an attempt that failed for a temporary reason.
pub async fn postponed(store: &Store, effect: &Waiting, failure: &str) -> Result<(), StoreError> {
    const POSTPONED: Statement = statement!(
        "outbox_postponed",
        [INT8, INT8, TEXT],
        "UPDATE outbox SET attempts = attempts + 1, failure = $3 WHERE guild_id = $1 AND effect_id = $2"
    );
    let guild = ids::to_db(effect.guild_id);
    store
        .query(POSTPONED, &[&guild, &effect.effect_id, &failure])
        .await
        .map(drop)
}

/// Move an effect that blocks others to a lane of its own, which is due after `after`.
pub async fn set_aside(
    tx: &Tx<'_>,
    effect: &Waiting,
    failure: &str,
    after: Duration,
) -> Result<(), StoreError> {
    const SET_ASIDE: Statement = statement!(
        "outbox_set_aside",
        [INT8, INT8, TEXT, FLOAT8],
        "WITH aside AS (
             UPDATE outbox SET lane_id = -effect_id, attempts = attempts + 1, failure = $3
             WHERE guild_id = $1 AND effect_id = $2 AND failed_at IS NULL
             RETURNING guild_id, lane_id
         )
         INSERT INTO outbox_lane AS l (guild_id, lane_id, due_at, urgency)
         SELECT guild_id, lane_id, clock_timestamp() + make_interval(secs => $4), 2 FROM aside
         ON CONFLICT (guild_id, lane_id) DO UPDATE SET version = l.version + 1, due_at = excluded.due_at"
    );
    let guild = ids::to_db(effect.guild_id);
    tx.execute(
        SET_ASIDE,
        &[&guild, &effect.effect_id, &failure, &after.as_secs_f64()],
    )
    .await
    .map(drop)
}

/// Make set-aside effects of a guild due, and clear the failures of the kind.
pub async fn release_kind(
    tx: &Tx<'_>,
    guild_id: Id<GuildMarker>,
    kind: &str,
    lease: Duration,
) -> Result<(), StoreError> {
    failures::forget(tx, guild_id, kind).await?;
    make_due(tx, guild_id, lease).await
}

/// Make set-aside effects of a guild due. A lane that is currently claimed, for `lease` at most, does not change.
async fn make_due(tx: &Tx<'_>, guild_id: Id<GuildMarker>, lease: Duration) -> Result<(), StoreError> {
    const MAKE_DUE: Statement = statement!(
        "outbox_make_due",
        [INT8, FLOAT8],
        "UPDATE outbox_lane SET due_at = now()
         WHERE guild_id = $1 AND lane_id < 0 AND due_at > now() + make_interval(secs => $2)"
    );
    tx.execute(MAKE_DUE, &[&ids::to_db(guild_id), &lease.as_secs_f64()])
        .await
        .map(drop)
}

/// Abandon an effect and record the reason.
pub async fn give_up(tx: &Tx<'_>, effect: &Waiting, failure: &str) -> Result<(), StoreError> {
    const GIVE_UP: Statement = statement!(
        "outbox_give_up",
        [INT8, INT8, TEXT],
        "UPDATE outbox SET failed_at = now(), failure = $3, attempts = attempts + 1
         WHERE guild_id = $1 AND effect_id = $2 AND failed_at IS NULL"
    );
    let guild = ids::to_db(effect.guild_id);
    tx.execute(GIVE_UP, &[&guild, &effect.effect_id, &failure])
        .await
        .map(drop)
}

/// Delete up to `limit` effects abandoned longer than `keep` ago. Returns how many.
pub async fn prune(store: &Store, keep: Duration, limit: u32) -> Result<u64, StoreError> {
    const PRUNE: Statement = statement!(
        "outbox_prune",
        [FLOAT8, INT8],
        "DELETE FROM outbox AS o USING (
             SELECT guild_id, effect_id FROM outbox WHERE failed_at < now() - make_interval(secs => $1)
             ORDER BY failed_at LIMIT $2
         ) AS old
         WHERE o.guild_id = old.guild_id AND o.effect_id = old.effect_id RETURNING 1"
    );
    let rows = store
        .query(PRUNE, &[&keep.as_secs_f64(), &i64::from(limit)])
        .await?;
    Ok(rows.len() as u64)
}

#[cfg(test)]
mod tests;
