//! Changes to a guild's settings, and writing them to the database.

use std::{convert::Infallible, time::Duration};

use serde_json::Value as Json;
use thiserror::Error;
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, GuildMarker, InteractionMarker, RoleMarker},
};

use super::{Demotion, LeavePolicy, RewardMode};
use crate::{
    config::Announce,
    discord::guilds::authority::{RewardPermit, XpPermit},
    outbox::queue,
    postgres::{
        Store, StoreError, Tx,
        request::{Completed, Request},
    },
    settings::{
        history,
        table::{self, Stored, multipliers},
        values::{
            colour::Colour,
            curve::Curve,
            earning::{Boost, Percent, RoleMode, Target},
        },
    },
    support::{i18n::Language, ids::Millis, text::template::Template},
};

/// The maximum duration of a claim of a lane: see `effects.lease_seconds`.
const LONGEST_LEASE: Duration = Duration::from_mins(2);
/// The maximum number of roles in a guild: <https://discord.com/developers/docs/resources/guild#create-guild-role>.
const MAX_ROLES: usize = 250;

/// A setting and its new value. Settings that could bring members closer to a reward need a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Where level-ups are announced; `None` is the operator's default. It also switches announcements on again if the bot switched them
    /// off.
    Announce(Option<Announce>),
    /// The text of announcements; `None` is the operator's default.
    Template(Option<Template>),
    /// Whether announcements notify the member.
    Ping(bool),
    /// Whether members keep the roles of lower levels. It also switches rewards on again if the bot switched them off.
    Rewards(XpPermit, RewardMode),
    /// When members lose the roles of levels that they no longer have.
    Demotion(XpPermit, Demotion),
    /// Whether members who join get the roles of their level.
    RolesOnJoin(XpPermit, bool),
    /// The log channel; `None` for none.
    LogChannel(Option<Id<ChannelMarker>>),
    /// The minimum and maximum XP of a message; `None` is the operator's default.
    Xp(XpPermit, Option<(u32, u32)>),
    /// The cooldown in seconds; `None` is the operator's default.
    Cooldown(XpPermit, Option<u32>),
    /// Which of a member's roles with a multiplier counts.
    RoleMode(XpPermit, RoleMode),
    /// How much XP each level needs.
    Curve(XpPermit, Curve),
    /// The language; `None` follows Discord's settings.
    Language(Option<Language>),
    /// The prefix of text commands; `None` is the default one.
    Prefix(Option<Box<str>>),
    /// The channel for welcoming new members; `None` for no welcome. Without a text they get the default one, in this language if the guild
    /// has chosen none.
    WelcomeChannel(Option<Id<ChannelMarker>>, Language),
    /// The text for welcoming new members, which is used with a channel; `None` is the default.
    WelcomeText(Option<Template>),
    /// What happens to the XP of members who leave.
    LeavePolicy(LeavePolicy),
    /// Whether members see which moderator warned them.
    ModeratorsShown(bool),
    /// The multiplier for members with a role, or for messages in a channel; 100 removes it.
    Multiplier(XpPermit, Target, Percent),
    /// A multiplier for a limited time.
    Boost {
        /// The permit of the member who starts it.
        permit: XpPermit,
        /// The interaction that starts it.
        id: Id<InteractionMarker>,
        /// The boost.
        boost: Boost,
    },
    /// End all boosts.
    EndBoosts {
        /// The permit of the member who ends them: a boost can be below 1, so ending it can raise XP.
        permit: XpPermit,
        /// The end, compared with the times of messages.
        at: Millis,
    },
    /// A value of a section; `None` is the default.
    Section {
        /// The section's name.
        section: &'static str,
        /// The setting's name.
        field: &'static str,
        /// A value that the setting accepts.
        value: Option<Json>,
    },
}

/// Why a reward was not added.
#[derive(Debug, Error)]
pub enum RewardError {
    /// The database returned an error.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The guild has the maximum number of rewards.
    #[error("there are already {MAX_ROLES} rewards, as many as a server can have roles: remove one first")]
    TooMany,
}

impl Change {
    pub(super) fn apply(self, stored: &mut Stored) {
        match self {
            Self::Announce(announce) => {
                stored.announce = announce.map(|announce| announce.word().to_owned());
                stored.announce_channel_id = match announce {
                    Some(Announce::Channel(id)) => Some(id),
                    _ => None,
                };
                stored.announce_off_reason = None;
            }
            Self::Template(template) => {
                stored.announce_template = template.map(|template| template.as_str().to_owned());
            }
            Self::Ping(ping) => stored.announce_ping = ping,
            Self::Rewards(_, mode) => {
                mode.word().clone_into(&mut stored.rewards);
                stored.rewards_off_reason = None;
            }
            Self::Demotion(_, demotion) => stored.demotion = Some(demotion.word().to_owned()),
            Self::RolesOnJoin(_, gives) => stored.roles_on_join = Some(gives),
            Self::LogChannel(id) => stored.log_channel_id = id,
            Self::Xp(_, range) => {
                stored.earning.xp_min = range.map(|(min, _)| min.into());
                stored.earning.xp_max = range.map(|(_, max)| max.into());
            }
            Self::Cooldown(_, seconds) => stored.earning.cooldown_seconds = seconds.map(i64::from),
            Self::RoleMode(_, mode) => stored.earning.role_mode = Some(mode.word().to_owned()),
            Self::Curve(_, curve) => {
                let (word, factors): (_, Option<&[u32]>) = match &curve {
                    Curve::Mee6 => ("mee6", None),
                    curve if *curve == Curve::ARCANE => ("arcane", None),
                    Curve::Cubic([0, 0, step]) => ("linear", Some(std::slice::from_ref(step))),
                    Curve::Cubic(factors) => ("cubic", Some(factors)),
                };
                stored.curve = Some(word.to_owned());
                stored.curve_factors = factors.map(|all| all.iter().copied().map(i64::from).collect());
            }
            Self::Language(language) => stored.language = language.map(|language| language.code().to_owned()),
            Self::Prefix(prefix) => stored.prefix = prefix.map(String::from),
            Self::WelcomeChannel(channel_id, language) => {
                stored.welcome_channel_id = channel_id;
                if channel_id.is_some() && stored.welcome_template.is_none() {
                    stored.welcome_template = Some(welcome(stored, language));
                }
            }
            Self::WelcomeText(template) => {
                let text = template.map(|template| template.as_str().to_owned());
                let usual = || {
                    stored
                        .welcome_channel_id
                        .map(|_| welcome(stored, Language::English))
                };
                stored.welcome_template = text.or_else(usual);
            }
            Self::LeavePolicy(departed) => stored.departed = Some(departed.word().to_owned()),
            Self::ModeratorsShown(shown) => stored.moderators_shown = Some(shown),
            Self::Section {
                section,
                field,
                value,
            } => stored.choose(section, field, value),
            // These are in separate tables.
            Self::Multiplier(..) | Self::Boost { .. } | Self::EndBoosts { .. } => {}
        }
    }

    /// Write the settings that are not in the guild's row.
    pub(super) async fn apply_rows(&self, tx: &Tx<'_>, guild_id: Id<GuildMarker>) -> Result<(), StoreError> {
        match self {
            Self::Multiplier(_, target, percent) => {
                multipliers::put(
                    tx,
                    guild_id,
                    *target,
                    Some(*percent).filter(|percent| *percent != 100),
                )
                .await
            }
            Self::Boost { id, boost, .. } => multipliers::add_boost(tx, guild_id, *id, boost).await,
            Self::EndBoosts { at, .. } => multipliers::end_boosts(tx, guild_id, *at).await,
            Self::Section {
                section,
                field,
                value,
            } => table::section::put(tx, guild_id, (section, field), value.as_ref()).await,
            // A member who sets this has presumably fixed the problem.
            Self::Rewards(..) => queue::release_kind(tx, guild_id, queue::ROLES, LONGEST_LEASE).await,
            _ => Ok(()),
        }
    }
}

/// The default welcome of a guild.
fn welcome(stored: &Stored, otherwise: Language) -> String {
    let language = stored.language.as_deref().map(Language::of_stored);
    language.unwrap_or(otherwise).text("welcome-default")
}

/// Change several settings of a guild together, once for this request. The request keeps what the settings were before. Every process sees
/// the change within a second.
pub async fn change(store: &Store, request: Request, changes: Vec<Change>) -> Result<(), StoreError> {
    let guild_id = request.guild_id;
    let done = store.once("settings_change", request, move |tx| {
        let changes = changes.clone();
        Box::pin(async move {
            let mut stored = table::lock(tx, guild_id).await?;
            let before = history::snapshot(&stored);
            for change in changes {
                change.apply_rows(tx, guild_id).await?;
                change.apply(&mut stored);
            }
            table::put(tx, &stored).await?;
            Ok(Ok::<_, Infallible>(history::completed(&before, &stored)))
        })
    });
    let Ok(_once) = done.await?;
    Ok(())
}

/// Make a role the reward of a level, instead of any other level; once for this request.
///
/// # Errors
///
/// [`RewardError::TooMany`], or an error of the database.
pub async fn add_reward(
    store: &Store,
    request: Request,
    level: u32,
    permit: RewardPermit,
) -> Result<(), RewardError> {
    let (guild_id, role_id) = (request.guild_id, permit.role_id());
    let by = permit.configured_by();
    let added = store.once("settings_reward", request, move |tx| {
        Box::pin(async move {
            let stored = table::lock(tx, guild_id).await?;
            let others = stored.roles.iter().filter(|(_, role)| *role != role_id).count();
            if others >= MAX_ROLES {
                return Ok(Err(RewardError::TooMany));
            }
            table::put_role(tx, guild_id, role_id, level, by).await?;
            Ok(Ok(Completed::new(())))
        })
    });
    added.await?.map(|_once| ())
}

/// Remove a reward role, once for this request. Returns whether it was a reward.
pub async fn remove_reward(
    store: &Store,
    request: Request,
    role_id: Id<RoleMarker>,
) -> Result<bool, StoreError> {
    let guild_id = request.guild_id;
    let removed = store.once("settings_reward", request, move |tx| {
        Box::pin(async move {
            let was_there = table::remove_role(tx, guild_id, role_id).await?;
            Ok(if was_there {
                Ok(Completed::new(()))
            } else {
                Err(())
            })
        })
    });
    Ok(removed.await?.is_ok())
}

/// Set or reset the colour of the server's rank cards, once for this request.
pub async fn change_card_colour(
    store: &Store,
    request: Request,
    colour: Option<Colour>,
) -> Result<(), StoreError> {
    let (guild_id, request_id) = (request.guild_id, request.request_id);
    let done = store.carry_out("settings_change", request, move |tx| {
        Box::pin(async move { table::put_card_colour(tx, guild_id, colour, request_id).await })
    });
    done.await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_by_people_ends_what_the_bot_switched_off() {
        let off = Stored {
            announce: Some("off".to_owned()),
            announce_off_reason: Some("the channel is gone".to_owned()),
            rewards_off_reason: Some("no right".to_owned()),
            ..Stored::nothing(Id::new(1))
        };
        let mut stored = off.clone();
        Change::Ping(true).apply(&mut stored);
        assert_eq!(
            stored,
            Stored {
                announce_ping: true,
                ..off
            }
        );
        Change::Announce(Some(Announce::Channel(Id::new(5)))).apply(&mut stored);
        Change::Rewards(XpPermit::of_operator(), RewardMode::Stack).apply(&mut stored);
        Change::Ping(false).apply(&mut stored);
        assert_eq!(
            stored,
            Stored {
                announce: Some("channel".to_owned()),
                announce_channel_id: Some(Id::new(5)),
                ..Stored::nothing(Id::new(1))
            }
        );
        Change::Announce(None).apply(&mut stored);
        assert_eq!(stored, Stored::nothing(Id::new(1)));
    }
}
