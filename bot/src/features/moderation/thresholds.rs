//! What a warning leads to: of the thresholds that it crosses, the punishment that is carried out.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::{
    discord::guilds::authority::{Action, Hindrance, PunishPermit, Sanctions},
    features::moderation::rows::warning::Crossed,
    support::ids,
};

/// A threshold that a warning has crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// The points of the threshold.
    pub points: i64,
    /// The action.
    pub action: Action,
    /// When a timeout ends, in milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// Why the action is not carried out; `None` if it is.
    #[serde(default)]
    pub hindrance: Option<Hindrance>,
}

/// The consequences of crossing these thresholds: the most severe punishment that can be carried out, preceded by more severe ones that
/// cannot.
pub(super) fn led_to(
    crossed: &[Crossed],
    at: SystemTime,
    sanctions: &Sanctions,
) -> Vec<(Crossing, Option<PunishPermit>)> {
    let mut crossings: Vec<Crossing> = crossed
        .iter()
        .filter_map(|crossed| {
            let duration = crossed
                .duration_seconds
                .and_then(|seconds| u64::try_from(seconds).ok());
            let action = Action::of(&crossed.action)?;
            Some(Crossing {
                points: crossed.points,
                action,
                until_ms: duration.map(|seconds| ids::to_millis(at + Duration::from_secs(seconds))),
                hindrance: sanctions.to(action).err(),
            })
        })
        .collect();
    // For the same action, the longest timeout, and otherwise the highest threshold, is used.
    crossings.sort_unstable_by_key(|crossing| (crossing.action, crossing.until_ms, crossing.points));
    crossings.reverse();
    crossings.dedup_by_key(|crossing| crossing.action);
    let carried_out = crossings.iter().position(|crossing| crossing.hindrance.is_none());
    let last = carried_out.map_or(crossings.len(), |at| at + 1);
    crossings
        .into_iter()
        .take(last)
        .map(|crossing| (crossing, sanctions.to(crossing.action).ok()))
        .collect()
}
