//! What a correct bot's database must hold: the level rules, written a second time and independently.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    config::LevelRules,
    record::{Kind, Record},
    snowflake::time_ms,
};

/// What is expected of one member, or found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberState {
    /// XP earned.
    pub xp: u64,
    /// Messages counted, whether or not they earned anything.
    pub message_count: u64,
    /// Time of the last award as Unix time in milliseconds.
    pub last_award_ms: Option<u64>,
}

/// The state of all members by guild id and user id.
pub type Members = BTreeMap<(u64, u64), MemberState>;

/// One row of the bot's table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Guild id.
    pub guild_id: u64,
    /// User id.
    pub user_id: u64,
    /// What the row holds.
    #[serde(flatten)]
    pub state: MemberState,
}

/// Messages by guild id, channel id and hour since the Unix epoch.
pub type Hours = BTreeMap<(u64, u64, u64), u64>;

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// XP of a message: a uniform draw from the rules' range by `SplitMix64` of the message's id.
pub(crate) fn xp_of(rules: LevelRules, message_id: u64) -> u64 {
    let z = message_id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let hash = u128::from(z ^ (z >> 31));
    let width = u128::from(rules.xp_max - rules.xp_min) + 1;
    rules.xp_min + u64::try_from((hash * width) >> 64).unwrap_or(0)
}

impl MemberState {
    fn count(&mut self, rules: LevelRules, message_id: u64) {
        self.message_count += 1;
        let now = time_ms(message_id);
        let earns = rules.cooldown_ms == 0
            || self
                .last_award_ms
                .is_none_or(|last| now.checked_sub(last).is_some_and(|d| d >= rules.cooldown_ms));
        if earns {
            self.xp += xp_of(rules, message_id);
            self.last_award_ms = self.last_award_ms.max(Some(now));
        }
    }
}

/// Follows the traffic and applies the rules to it.
pub(crate) struct Ledger {
    rules: LevelRules,
    /// By index of the guild and index of the member in it.
    members: FxHashMap<(u32, u32), MemberState>,
    /// Messages by index of the guild, index of the channel in it, and hour since the Unix epoch.
    hours: FxHashMap<(u32, u16, u64), u64>,
    sent: u64,
}

impl Ledger {
    pub(crate) fn new(rules: LevelRules) -> Self {
        Self {
            rules,
            members: FxHashMap::default(),
            hours: FxHashMap::default(),
            sent: 0,
        }
    }

    /// Applies an event, if it is one that counts.
    pub(crate) fn apply(&mut self, record: &Record) {
        if matches!(record.kind, Kind::Human | Kind::Reply) {
            self.sent += 1;
            self.members
                .entry((record.guild, record.member))
                .or_default()
                .count(self.rules, record.id);
            let hour = time_ms(record.id) / HOUR_MS;
            *self
                .hours
                .entry((record.guild, record.channel, hour))
                .or_default() += 1;
        }
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (u32, u32, MemberState)> {
        self.members
            .iter()
            .map(|(&(guild, member), &state)| (guild, member, state))
    }

    pub(crate) fn hours(&self) -> impl Iterator<Item = (u32, u16, u64, u64)> {
        self.hours
            .iter()
            .map(|(&(guild, channel, hour), &messages)| (guild, channel, hour, messages))
    }
}

/// What comparing the bot's table with the oracle found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Messages that count, as generated.
    pub sent: u64,
    /// Messages that the table says were counted.
    pub counted: u64,
    /// Messages missing, summed over the members that have too few.
    pub lost: u64,
    /// Messages too many, summed over the members that have too many.
    pub doubled: u64,
    /// Members whose XP differs.
    pub xp_mismatches: u64,
    /// Members whose last award differs.
    pub last_award_mismatches: u64,
    /// The first few members that differ in anything.
    pub examples: Vec<Mismatch>,
}

/// A member whose row is not as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Guild id.
    pub guild_id: u64,
    /// User id.
    pub user_id: u64,
    /// What should be there.
    pub expected: MemberState,
    /// What is there; all zero when there is no row.
    pub found: MemberState,
}

const MOST_EXAMPLES: usize = 8;

impl Report {
    /// Compares what is expected with the rows found.
    pub fn new(expected: &Members, rows: impl IntoIterator<Item = Row>) -> Self {
        let mut found: Members = BTreeMap::new();
        for row in rows {
            // A row that is there twice is an error of the table; adding up shows it as doubled.
            let state = found.entry((row.guild_id, row.user_id)).or_default();
            state.xp += row.state.xp;
            state.message_count += row.state.message_count;
            state.last_award_ms = state.last_award_ms.max(row.state.last_award_ms);
        }
        let mut report = Self {
            sent: expected.values().map(|state| state.message_count).sum(),
            counted: found.values().map(|state| state.message_count).sum(),
            ..Self::default()
        };
        for (&key, &wanted) in expected {
            report.member(key, wanted, found.remove(&key).unwrap_or_default());
        }
        for (key, state) in found {
            report.member(key, MemberState::default(), state);
        }
        report
    }

    fn member(&mut self, (guild_id, user_id): (u64, u64), expected: MemberState, found: MemberState) {
        if expected == found {
            return;
        }
        self.lost += expected.message_count.saturating_sub(found.message_count);
        self.doubled += found.message_count.saturating_sub(expected.message_count);
        self.xp_mismatches += u64::from(expected.xp != found.xp);
        self.last_award_mismatches += u64::from(expected.last_award_ms != found.last_award_ms);
        if self.examples.len() < MOST_EXAMPLES {
            self.examples.push(Mismatch {
                guild_id,
                user_id,
                expected,
                found,
            });
        }
    }

    /// Whether the table holds exactly what it must.
    pub const fn is_exact(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.xp_mismatches == 0 && self.last_award_mismatches == 0
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "sent {}, counted {}, lost {}, doubled {}, XP wrong {}, last award wrong {}",
            self.sent, self.counted, self.lost, self.doubled, self.xp_mismatches, self.last_award_mismatches,
        )
    }
}

/// Why the oracle cannot say what is expected at given sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OracleError {
    /// Events were forgotten because there were more than
    /// [`history_limit`](crate::GatewayRules::history_limit).
    #[error("the first events are forgotten, raise history_limit")]
    HistoryForgotten,
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: LevelRules = LevelRules {
        xp_min: 15,
        xp_max: 25,
        cooldown_ms: 60_000,
    };

    #[test]
    fn xp_covers_the_whole_range_and_nothing_else() {
        let drawn: std::collections::BTreeSet<u64> = (0..1_000).map(|id| xp_of(RULES, id)).collect();
        assert_eq!(drawn, (15..=25).collect());
        let one = LevelRules {
            xp_min: 7,
            xp_max: 7,
            cooldown_ms: 0,
        };
        assert!((0..100).all(|id| xp_of(one, id) == 7));
        // The whole of 64 bits is a range too.
        let all = LevelRules {
            xp_min: 0,
            xp_max: u64::MAX,
            cooldown_ms: 0,
        };
        assert_eq!(xp_of(all, 0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn the_cooldown_ends_in_its_last_millisecond() {
        let at = |ms: u64| (1_000_000_000_000 + ms) << 22;
        let mut state = MemberState::default();
        for (ms, earned) in [
            (0, true),
            (59_999, false),
            (60_000, true),
            (50_000, false),
            (120_000, true),
        ] {
            let before = state.xp;
            state.count(RULES, at(ms));
            assert_eq!(state.xp > before, earned, "after {ms} ms");
        }
        assert_eq!(state.message_count, 5);
    }

    #[test]
    fn without_cooldown_the_same_millisecond_earns_twice() {
        let rules = LevelRules {
            cooldown_ms: 0,
            ..RULES
        };
        let mut state = MemberState::default();
        state.count(rules, 5 << 22);
        state.count(rules, (5 << 22) + 1);
        assert_eq!(state.xp, xp_of(rules, 5 << 22) + xp_of(rules, (5 << 22) + 1));
    }

    #[test]
    fn a_report_tells_lost_from_doubled() {
        let state = |count| MemberState {
            xp: count,
            message_count: count,
            last_award_ms: None,
        };
        let expected = Members::from([((1, 1), state(5)), ((1, 2), state(5)), ((1, 3), state(1))]);
        let row = |user_id, count| Row {
            guild_id: 1,
            user_id,
            state: state(count),
        };
        let report = Report::new(&expected, [row(1, 3), row(2, 6), row(4, 2)]);
        assert_eq!(
            (report.sent, report.counted, report.lost, report.doubled),
            (11, 11, 3, 3)
        );
        assert_eq!((report.xp_mismatches, report.examples.len()), (4, 4));
        assert!(!report.is_exact());
        assert!(Report::new(&expected, [row(1, 5), row(2, 5), row(3, 1)]).is_exact());
    }
}
