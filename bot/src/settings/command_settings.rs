//! Settings that subcommands change, such as `/levels xp`: their values by names, for the history, for taking changes back, and for files.
//!
//! Of some there are several, each with a key after a colon: `rewards.level:role:5` is the level of which a role is the reward. A key is the
//! only place for the ID of a role or channel, except in boosts, which files do not contain.

use std::{collections::HashMap, fmt::Write as _};

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use twilight_model::id::{
    Id,
    marker::{InteractionMarker, RoleMarker},
};

use super::{
    Demotion, RewardMode,
    change::Change,
    section::field::Named,
    table::{Stored, StoredMultiplier},
    values::{
        colour::Colour,
        curve::{Curve, MAX_LEVEL},
        earning::{Boost, LONGEST_COOLDOWN, MAX_PERCENT, MOST_XP, Percent, RoleMode, Target},
    },
};
use crate::{
    discord::guilds::authority::{RewardPermit, XpPermit},
    support::{
        i18n::{Language, Value},
        ids::{self, Millis},
    },
};

/// A setting, or one of which there are several.
#[derive(Debug)]
pub struct CommandSetting {
    /// The name, without a key.
    pub name: &'static str,
    /// The text of the title of its page.
    pub page: &'static str,
    /// What a change needs besides the permission for settings.
    pub needs: Needs,
    /// Whether it is in files.
    pub is_exported: bool,
    /// The keys and values in a row.
    read: fn(&Stored) -> Vec<(String, Json)>,
    change: fn(&Wanted<'_>) -> Option<Change>,
    shown: fn(&Json, Language) -> Option<String>,
}

/// What a change of a setting needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The permit for XP.
    Xp,
    /// The permit to make the role in the key a reward; to end a reward, nothing.
    Reward,
}

/// What a member may change.
#[derive(Clone, Debug, Default)]
pub struct Permits {
    /// The rules for earning XP.
    pub xp: Option<XpPermit>,
    /// Rewards.
    pub rewards: HashMap<Id<RoleMarker>, RewardPermit>,
}

/// A value, or the default.
type Chosen<T> = Option<T>;

/// A wanted value.
struct Wanted<'a> {
    key: &'a str,
    /// `None` for the default.
    value: Option<&'a Json>,
    permits: &'a Permits,
    request_id: Id<InteractionMarker>,
}

/// All of them.
pub static ALL: [CommandSetting; 11] = [
    CommandSetting {
        name: "xp.range",
        page: XP,
        needs: Needs::Xp,
        is_exported: true,
        read: |stored| {
            let earning = &stored.earning;
            once(earning.xp_min.zip(earning.xp_max).map(|range| json!(range)))
        },
        change: |wanted| {
            let range: Option<(u32, u32)> = wanted.parsed()?;
            let fits = range.is_none_or(|(least, most)| least <= most && most <= MOST_XP);
            Some(Change::Xp(wanted.permits.xp?, range)).filter(|_| fits)
        },
        shown: |value, language| {
            let (least, most): (u64, u64) = parse(value)?;
            Some(format!("{}–{}", language.number(least), language.number(most)))
        },
    },
    CommandSetting {
        name: "xp.cooldown",
        page: XP,
        needs: Needs::Xp,
        is_exported: true,
        read: |stored| once(stored.earning.cooldown_seconds.map(Json::from)),
        change: |wanted| {
            let seconds: Option<u32> = wanted.parsed()?;
            let fits = seconds.is_none_or(|seconds| seconds <= LONGEST_COOLDOWN);
            Some(Change::Cooldown(wanted.permits.xp?, seconds)).filter(|_| fits)
        },
        shown: |value, language| {
            let seconds = value.as_u64()?;
            Some(language.filled(
                "levels-cooldown-shown",
                &[
                    ("seconds", Value::Count(seconds)),
                    ("count", language.number(seconds).into()),
                ],
            ))
        },
    },
    CommandSetting {
        name: "xp.curve",
        page: XP,
        needs: Needs::Xp,
        is_exported: true,
        read: |stored| {
            let curve = |kind| json!([kind, stored.curve_factors.as_deref().unwrap_or_default()]);
            once(stored.curve.as_deref().map(curve))
        },
        change: |wanted| {
            let curve: Option<(String, Vec<u32>)> = wanted.parsed()?;
            let curve = match curve
                .as_ref()
                .map(|(kind, factors)| (kind.as_str(), factors.as_slice()))
            {
                None | Some(("mee6", _)) => Curve::Mee6,
                Some(("arcane", _)) => Curve::ARCANE,
                Some(("linear", [step])) => Curve::cubic([0, 0, *step])?,
                Some(("cubic", [a, b, c])) => Curve::cubic([*a, *b, *c])?,
                Some(_) => return None,
            };
            Some(Change::Curve(wanted.permits.xp?, curve))
        },
        shown: |value, language| {
            let (kind, factors): (String, Vec<u32>) = parse(value)?;
            let mut shown = language.text(&format!("levels-option-kind-{kind}"));
            for factor in factors {
                write!(shown, " · {}", f64::from(factor) / 100.0).expect("a String takes everything");
            }
            Some(shown)
        },
    },
    CommandSetting {
        name: "xp.role_mode",
        page: XP,
        needs: Needs::Xp,
        is_exported: true,
        read: |stored| once(stored.earning.role_mode.clone().map(Json::from)),
        change: |wanted| {
            let mode = wanted.word(RoleMode::of_word)?;
            Some(Change::RoleMode(wanted.permits.xp?, mode))
        },
        shown: |value, language| word("levels-option-mode", value, language),
    },
    CommandSetting {
        name: "xp.multiplier",
        page: XP,
        needs: Needs::Xp,
        is_exported: true,
        read: |stored| {
            let multipliers = stored.earning.multipliers.iter();
            multipliers
                .map(|multiplier| (key_of(multiplier), multiplier.percent.into()))
                .collect()
        },
        change: |wanted| {
            let target = target(wanted.key).filter(|target| *target != Target::Server)?;
            let percent: Option<Percent> = wanted.parsed()?;
            let percent = percent.unwrap_or(100);
            let fits = percent <= MAX_PERCENT;
            Some(Change::Multiplier(wanted.permits.xp?, target, percent)).filter(|_| fits)
        },
        shown: |value, _| Some(times(value.as_f64()?)),
    },
    CommandSetting {
        name: "xp.boost",
        page: XP,
        needs: Needs::Xp,
        is_exported: false,
        read: |stored| {
            let boosts = stored.earning.boosts.iter();
            boosts
                .map(|boost| {
                    let value = json!([
                        key_of(&boost.multiplier),
                        boost.multiplier.percent,
                        ids::to_millis(boost.starts_at),
                        ids::to_millis(boost.ends_at)
                    ]);
                    (boost.boost_id.to_string(), value)
                })
                .collect()
        },
        change: |wanted| {
            let (id, permit) = (wanted.key.parse().ok()?, wanted.permits.xp?);
            let boost: Option<(String, Percent, Millis, Millis)> = wanted.parsed()?;
            Some(match boost {
                Some((key, percent, from, until)) => {
                    let boost = Boost {
                        target: target(&key)?,
                        percent,
                        from,
                        until,
                    };
                    Change::Boost { permit, id, boost }
                }
                // What it has already given stays.
                None => Change::EndBoost {
                    permit,
                    id,
                    at: ids::millis(wanted.request_id),
                },
            })
        },
        shown: |value, language| {
            let (key, percent, _, until): (String, f64, Millis, Millis) = parse(value)?;
            let target = match target(&key)? {
                Target::Role(id) => format!("<@&{id}>"),
                Target::Channel(id) => format!("<#{id}>"),
                Target::Server => language.text("levels-server"),
            };
            Some(language.filled(
                "levels-boost-done",
                &[
                    ("target", target.into()),
                    ("factor", times(percent).into()),
                    ("until", format!("<t:{}:f>", until / 1_000).into()),
                ],
            ))
        },
    },
    CommandSetting {
        name: "rewards.mode",
        page: REWARDS,
        needs: Needs::Xp,
        is_exported: true,
        // The default and a choice of it are the same in the table.
        read: |stored| {
            once((stored.rewards != RewardMode::Stack.word()).then(|| stored.rewards.clone().into()))
        },
        change: |wanted| {
            let modes = [RewardMode::Stack, RewardMode::Replace];
            let mode = wanted.word(|word| modes.into_iter().find(|mode| mode.word() == word))?;
            Some(Change::Rewards(wanted.permits.xp?, mode))
        },
        shown: |value, language| word("levels-option-keep", value, language),
    },
    CommandSetting {
        name: "rewards.demotion",
        page: REWARDS,
        needs: Needs::Xp,
        is_exported: true,
        read: |stored| once(stored.demotion.clone().map(Json::from)),
        change: |wanted| {
            let demotion = wanted.word(Demotion::of_word)?;
            Some(Change::Demotion(wanted.permits.xp?, demotion))
        },
        shown: |value, language| word("levels-option-remove", value, language),
    },
    CommandSetting {
        name: "rewards.rejoin",
        page: REWARDS,
        needs: Needs::Xp,
        is_exported: true,
        read: |stored| once(stored.roles_on_join.map(Json::from)),
        change: |wanted| {
            let gives: Option<bool> = wanted.parsed()?;
            Some(Change::RolesOnJoin(wanted.permits.xp?, gives.unwrap_or(true)))
        },
        shown: |value, language| {
            let gives = value.as_bool()?;
            Some(language.text(if gives { "settings-on" } else { "settings-off" }))
        },
    },
    CommandSetting {
        name: "rewards.level",
        page: REWARDS,
        needs: Needs::Reward,
        is_exported: true,
        read: |stored| {
            let roles = stored.roles.iter();
            roles
                .map(|(level, role)| (format!("role:{role}"), (*level).into()))
                .collect()
        },
        change: |wanted| {
            let Target::Role(role_id) = target(wanted.key)? else {
                return None;
            };
            let level: Option<u32> = wanted.parsed()?;
            match level {
                Some(level) if (1..=MAX_LEVEL).contains(&level) => {
                    Some(Change::Reward(*wanted.permits.rewards.get(&role_id)?, level))
                }
                Some(_) => None,
                None => Some(Change::NoReward(role_id)),
            }
        },
        shown: |value, language| {
            let level = language.number(value.as_u64()?);
            Some(language.filled("levels-reward-level", &[("level", level.into())]))
        },
    },
    CommandSetting {
        name: "cards.colour",
        page: "levels-page-cards",
        needs: Needs::Nothing,
        is_exported: true,
        read: |stored| {
            let colour = stored.card_colour.and_then(Colour::from_db);
            once(colour.map(|colour| colour.to_string().into()))
        },
        change: |wanted| {
            let colour: Option<String> = wanted.parsed()?;
            let colour = match colour {
                Some(written) => Some(Colour::parse(&written)?),
                None => None,
            };
            Some(Change::CardColour(colour, wanted.request_id))
        },
        shown: |value, _| value.as_str().map(str::to_owned),
    },
];

const XP: &str = "levels-page-xp";
const REWARDS: &str = "levels-page-rewards";

impl CommandSetting {
    /// The setting with this name, and the key in it.
    pub fn find(name: &str) -> Option<(&'static Self, &str)> {
        let (name, key) = name.split_once(':').unwrap_or((name, ""));
        let found = ALL.iter().find(|setting| setting.name == name)?;
        Some((found, key))
    }

    /// The name with a key.
    pub fn full_name(&self, key: &str) -> String {
        let colon = if key.is_empty() { "" } else { ":" };
        format!("{}{colon}{key}", self.name)
    }

    /// The change to a value; `None` for one that it cannot have, or without the permit that it needs. Without a value, it is the default.
    pub fn change(
        &self,
        key: &str,
        value: Option<&Json>,
        permits: &Permits,
        request_id: Id<InteractionMarker>,
    ) -> Option<Change> {
        (self.change)(&Wanted {
            key,
            value,
            permits,
            request_id,
        })
    }

    /// Whether it can have this value.
    pub fn accepts(&self, key: &str, value: &Json) -> bool {
        let mut permits = Permits {
            xp: Some(XpPermit::of_operator()),
            ..Permits::default()
        };
        for role in named(key).roles {
            permits.rewards.insert(role, RewardPermit::of_operator(role));
        }
        self.change(key, Some(value), &permits, Id::new(1)).is_some()
    }

    /// Its label: the text `NAME-setting`, with dashes, after the title of its page, and what the key names, for Discord.
    pub fn label(&self, key: &str, language: Language) -> String {
        let name = self.name.replace(['.', '_'], "-");
        let mut label = format!(
            "{}: {}",
            language.text(self.page),
            language.text(&format!("{name}-setting"))
        );
        let of_what = match target(key) {
            Some(Target::Role(id)) => format!(" <@&{id}>"),
            Some(Target::Channel(id)) => format!(" <#{id}>"),
            _ => String::new(),
        };
        label.push_str(&of_what);
        label
    }

    /// A value for Discord; null is the default.
    pub fn shown(&self, value: &Json, language: Language) -> String {
        (self.shown)(value, language).unwrap_or_else(|| language.text("settings-page-default"))
    }
}

/// The names and values in a row.
pub(super) fn values(stored: &Stored) -> impl Iterator<Item = (String, Json)> {
    ALL.iter().flat_map(|setting| {
        let values = (setting.read)(stored).into_iter();
        values.map(|(key, value)| (setting.full_name(&key), value))
    })
}

/// The role or channel that a key names.
pub fn named(key: &str) -> Named {
    match target(key) {
        Some(Target::Role(id)) => Named {
            roles: vec![id],
            ..Named::default()
        },
        Some(Target::Channel(id)) => Named {
            channels: vec![id],
            ..Named::default()
        },
        _ => Named::default(),
    }
}

impl Wanted<'_> {
    /// The value; `None` if it has another form.
    fn parsed<T: DeserializeOwned>(&self) -> Option<Chosen<T>> {
        match self.value {
            None | Some(Json::Null) => Some(None),
            Some(value) => parse(value).map(Some),
        }
    }

    /// One of several words, or the default.
    fn word<T: Default>(&self, of_word: impl Fn(&str) -> Option<T>) -> Option<T> {
        match self.value {
            None | Some(Json::Null) => Some(T::default()),
            Some(value) => of_word(value.as_str()?),
        }
    }
}

fn once(value: Option<Json>) -> Vec<(String, Json)> {
    value.into_iter().map(|value| (String::new(), value)).collect()
}

fn parse<T: DeserializeOwned>(value: &Json) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// The text of a word.
fn word(texts: &str, value: &Json, language: Language) -> Option<String> {
    Some(language.text(&format!("{texts}-{}", value.as_str()?)))
}

fn times(percent: f64) -> String {
    format!("×{}", percent / 100.0)
}

fn key_of(multiplier: &StoredMultiplier) -> String {
    match multiplier.target_kind.as_str() {
        "server" => "server".to_owned(),
        kind => format!("{kind}:{}", multiplier.target_id),
    }
}

fn target(key: &str) -> Option<Target> {
    match key.split_once(':') {
        Some(("role", id)) => id.parse().ok().and_then(ids::from_db).map(Target::Role),
        Some(("channel", id)) => id.parse().ok().and_then(ids::from_db).map(Target::Channel),
        None if key == "server" => Some(Target::Server),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
