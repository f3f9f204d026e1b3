//! Changes to a guild's settings, and writing them to the database.

use std::{borrow::Cow, collections::BTreeSet, convert::Infallible, time::Duration};

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
            earning::{Boost, MOST_MULTIPLIERS, Percent, RoleMode, Target},
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
    /// End a boost at this time, unless it has ended.
    EndBoost {
        /// The permit of the member who ends it.
        permit: XpPermit,
        /// The interaction that started it.
        id: Id<InteractionMarker>,
        /// The end, compared with the times of messages.
        at: Millis,
    },
    /// Make a role the reward of this level, instead of any other level.
    Reward(RewardPermit, u32),
    /// A role is no reward any more.
    NoReward(Id<RoleMarker>),
    /// The colour of rank cards, unless a newer interaction than this one has set it; `None` is the default.
    CardColour(Option<Colour>, Id<InteractionMarker>),
    /// A value of a section; `None` is the default.
    Section {
        /// The section's name.
        section: Cow<'static, str>,
        /// The setting's name.
        field: Cow<'static, str>,
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
    #[error("{0}")]
    TooMany(#[from] TooMany),
}

/// Of what a guild would have too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooMany {
    /// Rewards.
    #[error("there are already {MAX_ROLES} rewards, as many as a server can have roles: remove one first")]
    Rewards,
    /// Multipliers.
    #[error("there are already {MOST_MULTIPLIERS} multipliers: remove one first")]
    Multipliers,
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
            } => stored.choose(&section, &field, value),
            // These are written by `apply_rows`.
            Self::Multiplier(..)
            | Self::Boost { .. }
            | Self::EndBoosts { .. }
            | Self::EndBoost { .. }
            | Self::Reward(..)
            | Self::NoReward(_)
            | Self::CardColour(..) => {}
        }
    }

    /// Write the settings that [`table::put`] does not.
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
            Self::EndBoosts { at, .. } => multipliers::end_boosts(tx, guild_id, None, *at).await,
            Self::EndBoost { id, at, .. } => multipliers::end_boosts(tx, guild_id, Some(*id), *at).await,
            Self::Reward(permit, level) => {
                table::put_role(tx, guild_id, permit.role_id(), *level, permit.configured_by()).await
            }
            Self::NoReward(role_id) => table::remove_role(tx, guild_id, *role_id).await.map(drop),
            Self::CardColour(colour, request_id) => {
                table::put_card_colour(tx, guild_id, *colour, *request_id).await
            }
            Self::Section {
                section,
                field,
                value,
            } => table::section::put(tx, guild_id, (&**section, &**field), value.as_ref()).await,
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

/// Change several settings of a guild together, once for this request. The request keeps what the settings were before. Every other process
/// sees the change within a second.
pub async fn change(store: &Store, request: Request, changes: Vec<Change>) -> Result<(), StoreError> {
    let done = change_if(store, request, changes, |_, _| Ok::<_, Infallible>(()));
    let Ok(()) = done.await?;
    Ok(())
}

/// The same if the settings allow it. The inner error is what `check` says against it; then nothing is written.
pub async fn change_if<E: Send + 'static>(
    store: &Store,
    request: Request,
    changes: Vec<Change>,
    check: fn(&[Change], &Stored) -> Result<(), E>,
) -> Result<Result<(), E>, StoreError> {
    let guild_id = request.guild_id;
    let done = store.once("settings_change", request, move |tx| {
        let changes = changes.clone();
        Box::pin(async move {
            let stored = table::lock(tx, guild_id).await?;
            Ok(match check(&changes, &stored) {
                Ok(()) => Ok(apply(tx, stored, changes).await?),
                Err(refusal) => Err(refusal),
            })
        })
    });
    Ok(done.await?.map(drop))
}

/// Write changes of a guild whose row is locked. The result keeps what the settings were before.
pub(super) async fn apply(
    tx: &Tx<'_>,
    mut stored: Stored,
    changes: Vec<Change>,
) -> Result<Completed<()>, StoreError> {
    let (guild_id, before) = (stored.guild_id, history::snapshot(&stored));
    for change in changes {
        change.apply_rows(tx, guild_id).await?;
        change.apply(&mut stored);
    }
    table::put(tx, &stored).await?;
    let after = table::read_in(tx, &[guild_id]).await?;
    Ok(history::completed(&before, after.first().unwrap_or(&stored)))
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
    let changes = vec![Change::Reward(permit, level)];
    change_if(store, request, changes, few).await??;
    Ok(())
}

/// Remove a reward role, once for this request. Returns whether it was a reward.
pub async fn remove_reward(
    store: &Store,
    request: Request,
    role_id: Id<RoleMarker>,
) -> Result<bool, StoreError> {
    let changes = vec![Change::NoReward(role_id)];
    let removed = change_if(store, request, changes, |changes, stored| {
        let is_one = |role_id| stored.roles.iter().any(|(_, role)| *role == role_id);
        match changes {
            [Change::NoReward(role_id)] if is_one(*role_id) => Ok(()),
            _ => Err(()),
        }
    });
    Ok(removed.await?.is_ok())
}

/// Set or reset the colour of the server's rank cards, once for this request.
pub async fn change_card_colour(
    store: &Store,
    request: Request,
    colour: Option<Colour>,
) -> Result<(), StoreError> {
    let changes = vec![Change::CardColour(colour, request.request_id)];
    change(store, request, changes).await
}

/// Whether [`few`] allows these changes as things are now. What [`change_if`] finds when it makes them is what counts.
pub async fn are_few(
    store: &Store,
    guild_id: Id<GuildMarker>,
    changes: &[Change],
) -> Result<Result<(), TooMany>, StoreError> {
    let stored = table::read(store, &[guild_id]).await?.pop();
    Ok(few(changes, &stored.unwrap_or_else(|| Stored::nothing(guild_id))))
}

/// There are as many rewards and multipliers as a guild can have, at most.
///
/// # Errors
///
/// The first kind of which there would be too many.
pub fn few(changes: &[Change], stored: &Stored) -> Result<(), TooMany> {
    let mut roles: BTreeSet<_> = stored.roles.iter().map(|(_, role)| *role).collect();
    let multipliers = stored.earning.multipliers.iter();
    let mut multipliers: BTreeSet<_> = multipliers
        .map(|multiplier| (multiplier.target_kind.as_str(), multiplier.target_id))
        .collect();
    let before = (roles.len(), multipliers.len());
    for change in changes {
        match change {
            Change::Reward(permit, _) => drop(roles.insert(permit.role_id())),
            Change::NoReward(role_id) => drop(roles.remove(role_id)),
            Change::Multiplier(_, target, percent) => {
                let key = multipliers::columns(*target);
                if *percent == 100 {
                    multipliers.remove(&key)
                } else {
                    multipliers.insert(key)
                };
            }
            _ => {}
        }
    }
    if roles.len() > MAX_ROLES.max(before.0) {
        Err(TooMany::Rewards)
    } else if multipliers.len() > MOST_MULTIPLIERS.max(before.1) {
        Err(TooMany::Multipliers)
    } else {
        Ok(())
    }
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
