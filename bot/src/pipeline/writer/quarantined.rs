//! The quarantine format of gaps and effects, and the kinds of everything that can be in quarantine.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::{
    features,
    flush::{Kept, SetAside},
    outbox::queue::NewEffect,
    pipeline::{
        ledger::gap::{Gap, GapChange},
        parts::Batch,
    },
    settings::Settings,
    support::ids::{self, ShardKey},
    telemetry::metrics::labels,
};

pub(super) const EFFECT: &str = "effect";
pub(super) const GAP: &str = "gap";

/// The kinds of changes that this version can put into quarantine.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    let of_parts = Batch::KINDS.iter().copied().flatten().copied();
    of_parts.chain([EFFECT, GAP])
}

/// The body of a quarantined effect, besides its guild and member.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct KeptEffect {
    effect: String,
    lane_id: i64,
    channel_id: Option<i64>,
    body: String,
}

impl KeptEffect {
    pub(super) fn set_aside(effect: &NewEffect) -> SetAside {
        let kept = Self {
            effect: effect.kind.to_owned(),
            lane_id: effect.lane_id,
            channel_id: effect.channel_id.map(ids::to_db),
            body: effect.body.clone(),
        };
        SetAside {
            user_id: effect.user_id,
            ..SetAside::of_guild(EFFECT, effect.guild_id, &kept)
        }
    }

    pub(super) fn read(kept: &Kept, settings: &Settings) -> Option<NewEffect> {
        let body: Self = kept.body()?;
        let kinds = features::effect_kinds(settings);
        Some(NewEffect {
            guild_id: kept.guild_id?,
            lane_id: body.lane_id,
            kind: kinds.find(&body.effect)?.name(),
            channel_id: body.channel_id.and_then(ids::from_db),
            user_id: kept.user_id,
            body: body.body,
        })
    }
}

/// The body of a quarantined gap change.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct KeptGap {
    shard_count: u32,
    shard_id: u32,
    /// `None` if open gaps have ended.
    noticed: Option<Noticed>,
    ended_at: Option<SystemTime>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Noticed {
    reason: String,
    session_id: Option<String>,
    last_sequence: u64,
    missing: Option<u64>,
    began_at: SystemTime,
}

impl KeptGap {
    pub(super) fn set_aside(shard: ShardKey, change: &GapChange) -> SetAside {
        let (noticed, ended_at) = match change {
            GapChange::Noticed(gap) => {
                let noticed = Noticed {
                    reason: gap.reason.to_owned(),
                    session_id: gap.session_id.clone(),
                    last_sequence: gap.last_sequence,
                    missing: gap.missing,
                    began_at: gap.began_at,
                };
                (Some(noticed), gap.ended_at)
            }
            GapChange::Ended(at) => (None, Some(*at)),
        };
        let kept = Self {
            shard_count: shard.count,
            shard_id: shard.id,
            noticed,
            ended_at,
        };
        SetAside {
            kind: GAP,
            guild_id: None,
            user_id: None,
            body: serde_json::to_string(&kept).expect("text and times since 1970 are JSON"),
        }
    }

    pub(super) fn read(kept: &Kept) -> Option<(ShardKey, GapChange)> {
        let body: Self = kept.body()?;
        let shard = ShardKey {
            count: body.shard_count,
            id: body.shard_id,
        };
        let Some(noticed) = body.noticed else {
            return Some((shard, GapChange::Ended(body.ended_at?)));
        };
        let gap = Gap {
            reason: labels::GAP_REASONS
                .iter()
                .copied()
                .find(|reason| *reason == noticed.reason)?,
            session_id: noticed.session_id,
            last_sequence: noticed.last_sequence,
            missing: noticed.missing,
            began_at: noticed.began_at,
            ended_at: body.ended_at,
        };
        Some((shard, GapChange::Noticed(gap)))
    }
}
