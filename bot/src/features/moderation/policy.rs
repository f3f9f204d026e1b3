//! What moderators may do to whom: the one place that decides it, for every command that makes a case.
//!
//! Discord's rules come first: the permission and the rank of the moderator and of the bot. They are checked again when an action is carried
//! out, which is why the check issues a permit. Then come the settings of the server.

use twilight_model::id::{
    Id,
    marker::{GuildMarker, RoleMarker},
};

use super::{kind::Kind, settings::ModerationSettings};
use crate::{
    discord::{
        guilds::{
            Obstacle, Rank,
            authority::{Authority, Hindrance, PunishPermit, Sanctions, permission},
        },
        rest::Priority,
    },
    interactions::{CommandContext, CommandError, Services, payload::User},
};

/// A user on whom a moderator may act, as far as their ranks are concerned.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The user's roles; `None` if they are not a member.
    pub(crate) roles: Option<Vec<Id<RoleMarker>>>,
    authority: Authority,
}

/// Check whether a moderator may act on a user: not on themselves, the bot, the owner, or members at or above their own rank.
///
/// # Errors
///
/// The refusal, in the moderator's language; or Discord does not tell the ranks.
pub(crate) async fn target(
    context: &CommandContext,
    services: &Services,
    guild_id: Id<GuildMarker>,
    (kind, user): (Kind, &User),
) -> Result<Target, CommandError> {
    let refuse = |why: &str| {
        let of = if kind == Kind::Warning { "warn" } else { "action" };
        context.refuse(&format!("{of}-{why}"))
    };
    let asker = context.payload.user().ok_or(CommandError::Stale)?.id;
    if user.id == asker {
        return Err(refuse("yourself"));
    }
    let guilds = &services.guilds;
    if user.id == guilds.me(Priority::Interaction).await? {
        return Err(refuse("bot"));
    }
    let roles = match context.payload.roles_of(user.id) {
        Some(roles) => Some(roles),
        // Discord sends the roles of members. If they are missing, ask for them: only a user who has left has none.
        None => {
            guilds
                .roles_if_member(guild_id, user.id, Priority::Interaction)
                .await?
        }
    };
    let who = (user.id, roles.as_deref().unwrap_or_default());
    let theirs = guilds.rank(guild_id, who, Priority::Interaction).await?;
    if theirs == Rank::Owner {
        return Err(refuse("owner"));
    }
    let authority = context.authority(services).await?;
    if roles.is_some() && theirs >= authority.rank() {
        return Err(refuse("above"));
    }
    let chosen = ModerationSettings::of(&services.store, &services.settings, guild_id).await?;
    if !kind.lifts() && chosen.protects(who.1) {
        return Err(context.refuse("moderation-protected"));
    }
    Ok(Target { roles, authority })
}

/// Check that a punishment has a reason, if the server requires one.
///
/// # Errors
///
/// It has none.
pub(crate) fn reason(
    context: &CommandContext,
    chosen: &ModerationSettings,
    (kind, reason): (Kind, &str),
) -> Result<(), CommandError> {
    if chosen.require_reason && !kind.lifts() && reason.is_empty() {
        return Err(context.refuse("moderation-no-reason"));
    }
    Ok(())
}

/// The punishments that a moderator may apply to a user, and that the bot can carry out.
///
/// # Errors
///
/// Discord does not tell the ranks.
pub(crate) async fn sanctions(
    services: &Services,
    guild_id: Id<GuildMarker>,
    (user, target): (&User, &Target),
) -> Result<Sanctions, CommandError> {
    let who = (user.id, target.roles.as_deref());
    Ok(services
        .guilds
        .sanctions(guild_id, &target.authority, who, Priority::Interaction)
        .await?)
}

/// Check whether a moderator may have an action of this kind carried out on a user, and whether the bot can do it.
///
/// # Errors
///
/// The refusal, in the moderator's language; or Discord does not answer.
pub(crate) async fn permit(
    context: &CommandContext,
    services: &Services,
    guild_id: Id<GuildMarker>,
    (kind, user): (Kind, &User),
) -> Result<PunishPermit, CommandError> {
    let target = target(context, services, guild_id, (kind, user)).await?;
    if kind.needs_member() && target.roles.is_none() {
        return Err(context.refuse("action-no-member"));
    }
    let action = kind.action().ok_or(CommandError::Stale)?;
    let permit = sanctions(services, guild_id, (user, &target)).await?.to(action);
    let permit = permit.map_err(|hindrance| match hindrance {
        Hindrance::Denied(denial) => CommandError::Denied(denial),
        Hindrance::Bot(Obstacle::NoPermission) => {
            let language = context.language();
            let values = [("permission", permission(action.permission(), language).into())];
            CommandError::Said(language.filled("action-powerless", &values))
        }
        Hindrance::Bot(_) => {
            let why = hindrance.in_words(context.language());
            let values = [("why", why.into())];
            CommandError::Said(context.language().filled("warn-action-failed", &values))
        }
    })?;
    let guilds = &services.guilds;
    match kind {
        Kind::Unban if !guilds.is_banned(guild_id, user.id, Priority::Interaction).await? => {
            Err(context.refuse("action-not-banned"))
        }
        Kind::Untimeout
            if !guilds
                .is_in_timeout(guild_id, user.id, Priority::Interaction)
                .await? =>
        {
            Err(context.refuse("action-not-in-timeout"))
        }
        _ => Ok(permit),
    }
}
