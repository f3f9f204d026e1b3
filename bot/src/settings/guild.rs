//! The settings of one guild, from its rows and the operator's defaults.

use std::time::Duration;

use twilight_model::id::{Id, marker::ChannelMarker};

use crate::{
    config::{Announce, Levels},
    settings::{
        section::Chosen,
        table::{Stored, StoredMultiplier},
        values::{
            colour::Colour,
            curve::Curve,
            earning::{Boost, Earning, MAX_PERCENT, Percent, RoleMode, Target},
            leaving::LeavePolicy,
            rewards::{Demotion, RewardMode, Rewards},
        },
    },
    support::{
        i18n::Language,
        ids::{self, Millis},
        text::template::Template,
    },
};

/// The effective settings of a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuildSettings {
    /// Where level-ups are announced.
    pub announce: Announce,
    /// The text of an announcement.
    pub template: Template,
    /// Whether an announcement notifies the member.
    pub ping: bool,
    /// The roles that levels give.
    pub rewards: Rewards,
    /// The channel for notices to the guild's staff.
    pub log_channel_id: Option<Id<ChannelMarker>>,
    /// The colour of rank cards for members who have not chosen one.
    pub card_colour: Option<Colour>,
    /// The language of public messages; `None` follows Discord's settings.
    pub language: Option<Language>,
    /// What messages earn.
    pub earning: Earning,
    /// How much XP each level needs.
    pub curve: Curve,
    /// The prefix of text commands; `None` is the default one.
    pub prefix: Option<Box<str>>,
    /// The channel and text for welcoming new members.
    pub welcome: Option<(Id<ChannelMarker>, Template)>,
    /// What happens to the XP of members who leave.
    pub departed: LeavePolicy,
    /// Whether members see which moderator warned them.
    pub moderators_shown: bool,
    /// What it chose in the sections of features.
    pub sections: Chosen,
}

impl GuildSettings {
    /// The settings of a guild without settings of its own.
    pub(super) fn of_nobody(levels: &Levels) -> Self {
        Self {
            announce: levels.announce,
            template: levels.announce_template.clone(),
            ping: false,
            rewards: Rewards::new(RewardMode::default(), false, Vec::new()),
            log_channel_id: None,
            card_colour: None,
            language: None,
            earning: Earning::plain(
                levels.xp_per_message.0,
                levels.xp_per_message.1,
                millis(levels.cooldown),
            ),
            curve: Curve::default(),
            prefix: None,
            welcome: None,
            departed: LeavePolicy::default(),
            moderators_shown: false,
            sections: Chosen::default(),
        }
    }

    /// The settings of the guild with this row.
    pub fn of(row: &Stored, levels: &Levels) -> Self {
        Self::read(row, &Self::of_nobody(levels))
    }

    /// The settings in a row. An invalid part has its default, and all of them are logged in one line.
    pub(super) fn read(row: &Stored, defaults: &Self) -> Self {
        let mut faults: Vec<String> = Vec::new();
        let announce = match row.announce.as_deref() {
            None => defaults.announce,
            Some("off") => Announce::Off,
            Some("same_channel") => Announce::SameChannel,
            Some("direct") => Announce::Direct,
            Some("channel") => row.announce_channel_id.map_or_else(
                || {
                    faults.push("announce is 'channel', and announce_channel_id is no channel".to_owned());
                    defaults.announce
                },
                Announce::Channel,
            ),
            Some(_) => {
                faults.push("announce is none of 'off', 'same_channel', 'channel' and 'direct'".to_owned());
                defaults.announce
            }
        };
        let language = row.language.as_deref().and_then(|code| {
            let language = Language::of_locale(code);
            if language.is_none() {
                faults.push("language is none that there is a catalogue of".to_owned());
            }
            language
        });
        let template = match row.announce_template.as_deref().map(Template::parse) {
            None => defaults.template.usual_in(language),
            Some(Ok(template)) => template,
            Some(Err(fault)) => {
                faults.push(format!("announce_template: {fault}"));
                defaults.template.clone()
            }
        };
        let mode = match row.rewards.as_str() {
            "stack" => RewardMode::Stack,
            "replace" => RewardMode::Replace,
            _ => {
                faults.push("rewards is neither 'stack' nor 'replace'".to_owned());
                RewardMode::default()
            }
        };
        let welcome = row.welcome_channel_id.zip(row.welcome_template.as_deref());
        let welcome = welcome.and_then(|(channel_id, text)| match Template::parse(text) {
            Ok(template) => Some((channel_id, template)),
            Err(fault) => {
                faults.push(format!("welcome_template: {fault}"));
                None
            }
        });
        let departed = row.departed.as_deref().map(LeavePolicy::of_word);
        if departed == Some(None) {
            faults.push("departed is none of 'keep', 'hide' and 'reset'".to_owned());
        }
        let earning = earning(row, &defaults.earning, &mut faults);
        let curve = curve(row, &mut faults);
        let roles = row
            .roles
            .iter()
            .filter_map(|(level, role)| Some((u32::try_from(*level).ok()?, *role)))
            .collect();
        let demotion = row.demotion.as_deref().map(Demotion::of_word);
        if demotion == Some(None) {
            faults.push("demotion is none of 'never', 'undo' and 'always'".to_owned());
        }
        let rewards = Rewards {
            demotion: demotion.flatten().unwrap_or_default(),
            on_join: row.roles_on_join.unwrap_or(true),
            ..Rewards::new(mode, row.rewards_off_reason.is_some(), roles)
        };
        let settings = Self {
            announce,
            template,
            ping: row.announce_ping,
            rewards,
            log_channel_id: row.log_channel_id,
            card_colour: row.card_colour.and_then(Colour::from_db),
            language,
            earning,
            curve,
            prefix: row.prefix.as_deref().map(Box::from),
            welcome,
            departed: departed.flatten().unwrap_or_default(),
            moderators_shown: row.moderators_shown.unwrap_or(false),
            sections: Chosen::of_rows(&row.sections),
        };
        if settings.rewards.roles.len() < row.roles.len() {
            faults.push("level_role has a level that cannot be reached".to_owned());
        }
        if !faults.is_empty() {
            tracing::warn!(
                guild.id = row.guild_id.get(),
                "some settings of a guild cannot be read; defaults apply: {}",
                faults.join("; ")
            );
        }
        settings
    }

    /// The memory that it uses in addition to what it shares with the defaults.
    pub(super) fn bytes(&self, defaults: &Self) -> usize {
        let template = if self.template == defaults.template {
            0
        } else {
            self.template.bytes()
        };
        let welcome = self.welcome.as_ref().map_or(0, |(_, template)| template.bytes());
        let prefix = self.prefix.as_ref().map_or(0, |prefix| prefix.len());
        size_of::<Self>()
            + size_of_val(&*self.rewards.roles)
            + template
            + self.earning.bytes()
            + welcome
            + prefix
            + self.sections.bytes()
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// What the guild's messages earn.
fn earning(row: &Stored, defaults: &Earning, faults: &mut Vec<String>) -> Earning {
    let stored = &row.earning;
    let number =
        |stored: Option<i64>, default: u32| stored.and_then(|xp| u32::try_from(xp).ok()).unwrap_or(default);
    let xp_min = number(stored.xp_min, defaults.xp_min);
    let xp_max = number(stored.xp_max, defaults.xp_max);
    let cooldown = stored.cooldown_seconds.filter(|seconds| *seconds >= 0);
    let cooldown = cooldown.map_or(defaults.cooldown, |seconds| seconds.saturating_mul(1_000));
    let mode = stored.role_mode.as_deref().map(RoleMode::of_word);
    if mode == Some(None) {
        faults.push("role_mode is none of 'largest', 'highest' and 'sum'".to_owned());
    }
    let (mut roles, mut channels) = (Vec::new(), Vec::new());
    for multiplier in &stored.multipliers {
        match target(multiplier) {
            Some((Target::Role(role_id), percent)) => roles.push((role_id, percent)),
            Some((Target::Channel(channel_id), percent)) => channels.push((channel_id, percent)),
            _ => faults.push("xp_multiplier has a row that is none".to_owned()),
        }
    }
    let boosts = stored.boosts.iter().filter_map(|boost| {
        let (target, percent) = target(&boost.multiplier)?;
        Some(Boost {
            target,
            percent,
            from: ids::to_millis(boost.starts_at),
            until: ids::to_millis(boost.ends_at),
        })
    });
    let plain = Earning::plain(xp_min.min(xp_max), xp_max, cooldown);
    let mut earning = plain.with(roles, channels, boosts.collect());
    earning.role_mode = mode.flatten().unwrap_or_default();
    earning
}

fn target(multiplier: &StoredMultiplier) -> Option<(Target, Percent)> {
    let percent = u32::try_from(multiplier.percent)
        .ok()
        .filter(|percent| *percent <= MAX_PERCENT)?;
    let target = match multiplier.target_kind.as_str() {
        "role" => Target::Role(ids::from_db(multiplier.target_id)?),
        "channel" => Target::Channel(ids::from_db(multiplier.target_id)?),
        "server" => Target::Server,
        _ => return None,
    };
    Some((target, percent))
}

/// How much XP the guild's levels need.
fn curve(row: &Stored, faults: &mut Vec<String>) -> Curve {
    let factors: Vec<u32> = row
        .curve_factors
        .iter()
        .flatten()
        .filter_map(|factor| u32::try_from(*factor).ok())
        .collect();
    let read = match (row.curve.as_deref(), factors.as_slice()) {
        (None | Some("mee6"), _) => Some(Curve::Mee6),
        (Some("arcane"), _) => Some(Curve::ARCANE),
        (Some("linear"), [c]) => Curve::cubic([0, 0, *c]),
        (Some("cubic"), [a, b, c]) => Curve::cubic([*a, *b, *c]),
        _ => None,
    };
    read.unwrap_or_else(|| {
        faults.push(
            "curve is none of 'mee6', 'arcane', 'linear' with one factor and 'cubic' with three".to_owned(),
        );
        Curve::default()
    })
}

#[cfg(test)]
mod tests;
