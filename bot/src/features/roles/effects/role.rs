//! Giving one role to a member, or taking it.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use twilight_http::request::AuditLogReason as _;
use twilight_model::{
    guild::Permissions,
    id::{
        Id,
        marker::{GuildMarker, InteractionMarker, RoleMarker},
    },
};

use crate::{
    discord::{
        guilds::{Assignable, authority::members::RolePermit},
        rest::{Priority, RestError},
    },
    features::roles::{change::take_back, texts},
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered, of_error},
        queue::{self, Waiting},
        trouble::{self, Trouble, of_denial},
    },
    postgres::{StoreError, Tx},
    settings::{
        Settings,
        mod_log::{GuildLog, Subject},
    },
    support::{
        i18n::Language,
        ids::{self, MemberKey},
        text::limits::{AUDIT_REASON, excerpt},
    },
};

/// The maximum age of cached ranks when they are checked again.
pub(super) const OLDEST_RANKS: Duration = Duration::from_mins(1);
/// <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>
const UNKNOWN_ROLE: u64 = 10_011;
const NO_MEMBER: [u64; 2] = [10_007, 10_013];

/// A role to be given or taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoleChange {
    /// The interaction; `None` if the time of the role is over.
    pub(crate) request_id: Option<Id<InteractionMarker>>,
    /// The role.
    pub(crate) role_id: Id<RoleMarker>,
    /// Whether it is given.
    pub(crate) gives: bool,
    /// The permission of the moderator; `None` if the time of the role is over, which takes none.
    pub(crate) permit: Option<RolePermit>,
    /// When it is taken again, in milliseconds since 1970; `None` for never.
    pub(crate) ends_at_ms: Option<i64>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// The same for Discord's audit log, with the moderator's name.
    pub(crate) audit_reason: Option<String>,
    /// The moderator's language, for a guild that has chosen none.
    pub(crate) locale: String,
    /// The end of the same role that it replaced; it comes after all if the change is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaced: Option<Replaced>,
}

/// The end of a role that was given for some time. A statement in [`rows`](crate::features::roles::rows) names the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replaced {
    /// The interaction that gave the role.
    pub(crate) request_id: Id<InteractionMarker>,
    /// When it is taken, in milliseconds since 1970.
    pub(crate) ends_at_ms: i64,
}

impl RoleChange {
    pub(crate) fn ends_at(&self) -> Option<SystemTime> {
        self.ends_at_ms.map(ids::to_time)
    }

    pub(crate) fn language(&self) -> Language {
        Language::of_stored(&self.locale)
    }
}

impl EffectBody for RoleChange {
    const KIND: &'static str = "role_change";
    const OWNER: Owner = Owner::Staff;
}

/// Gives and takes roles.
#[derive(Debug)]
pub(crate) struct RoleChanges(pub(crate) Settings);

impl EffectKind for RoleChanges {
    type Body = RoleChange;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, change: RoleChange) -> Result<(), Undelivered> {
        deliver(to, effect, &change).await
    }

    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        change: RoleChange,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let Some(user_id) = effect.user_id else {
            return Ok(());
        };
        let guild_id = effect.guild_id;
        take_back(tx, MemberKey { guild_id, user_id }, &change).await?;
        let log = GuildLog::about(tx, &self.0, guild_id, (Subject::Members, change.language())).await?;
        let entry = log.entry(|language| {
            let key = if change.gives {
                "role-log-not-given"
            } else {
                "role-log-not-taken"
            };
            let values = [
                ("user", user_id.to_string().into()),
                ("role", change.role_id.to_string().into()),
                ("why", trouble::in_words(&failure.detail, language).into()),
            ];
            language.filled(key, &values)
        });
        queue::add(tx, entry.as_slice()).await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, change: &RoleChange) -> Result<(), Undelivered> {
    let (guild_id, user_id) = (effect.guild_id, effect.user()?);
    let (role_id, target) = (change.role_id, ids::to_db(user_id));
    to.guilds.forget_if_older(guild_id, OLDEST_RANKS);
    if let Some(permit) = &change.permit {
        let denial = to.guilds.role_denial(guild_id, permit, Priority::Command).await;
        of_denial(denial, target)?;
    }
    let assignable = to.guilds.assignable(guild_id, role_id, Priority::Command).await;
    match in_the_way(assignable.map_err(|error| of_error(&error, target))?) {
        // There is nothing to be taken.
        Some(Trouble::NoRole) if !change.gives => return Err(Undelivered::Cancelled),
        Some(trouble) => return Err(trouble.failure(target)),
        None => {}
    }
    let over = || change.language().text("role-audit-over");
    let reason = change.audit_reason.clone().unwrap_or_else(over);
    let reason = excerpt(&reason, AUDIT_REASON);
    let client = to.rest.builders();
    let sent = if change.gives {
        let request = client.add_guild_member_role(guild_id, user_id, role_id);
        to.rest.send(Priority::Command, request.reason(&reason)).await
    } else {
        let request = client.remove_guild_member_role(guild_id, user_id, role_id);
        to.rest.send(Priority::Command, request.reason(&reason)).await
    };
    match sent {
        Ok(_answer) => Ok(()),
        Err(error) => Err(failed(to, guild_id, change, &error, target)),
    }
}

fn failed(
    to: &Deliverer,
    guild_id: Id<GuildMarker>,
    change: &RoleChange,
    error: &RestError,
    target: i64,
) -> Undelivered {
    // The cached roles may be outdated.
    to.guilds.forget(guild_id);
    let has =
        |codes: &[u64]| matches!(error, RestError::Refused { code: Some(code), .. } if codes.contains(code));
    if has(&NO_MEMBER) && change.request_id.is_none() {
        // A user who has left has no roles.
        return Undelivered::Cancelled;
    }
    if has(&NO_MEMBER) {
        return Trouble::NoMember.failure(target);
    }
    if has(&[UNKNOWN_ROLE]) && !change.gives {
        return Undelivered::Cancelled;
    }
    if has(&[UNKNOWN_ROLE]) {
        return Trouble::NoRole.failure(target);
    }
    of_error(error, target)
}

/// Why the bot cannot give or take a role.
pub(crate) const fn in_the_way(assignable: Assignable) -> Option<Trouble> {
    match assignable {
        Assignable::Yes => None,
        Assignable::NoPermission => Some(Trouble::BotLacks(Permissions::MANAGE_ROLES)),
        Assignable::RoleAboveBot { .. } => Some(Trouble::BotBelow),
        Assignable::Managed => Some(Trouble::Managed),
        Assignable::UnknownRole => Some(Trouble::NoRole),
        Assignable::Everyone => Some(Trouble::Everyone),
    }
}

/// The entry of the log channel for a change that a moderator asks for.
pub(crate) fn in_log(language: Language, key: MemberKey, change: &RoleChange) -> String {
    let moderator = change.permit.map(|permit| permit.moderator_id().to_string());
    let mut values = vec![
        ("user", key.user_id.to_string().into()),
        ("role", change.role_id.to_string().into()),
        ("moderator", moderator.unwrap_or_default().into()),
        (
            "reason",
            texts::because(change.reason.as_deref(), language).into(),
        ),
    ];
    let text = match (change.gives, change.ends_at_ms) {
        (false, _) => "role-log-taken",
        (true, None) => "role-log-given",
        (true, Some(ends_at)) => {
            values.push(("until", format!("<t:{}:R>", ends_at / 1_000).into()));
            "role-log-lent"
        }
    };
    language.filled(text, &values)
}
