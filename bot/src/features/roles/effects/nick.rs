//! Changing a member's nickname.

use serde::{Deserialize, Serialize};
use twilight_http::request::AuditLogReason as _;
use twilight_model::{
    guild::Permissions,
    id::{Id, marker::InteractionMarker},
};

use super::role::OLDEST_RANKS;
use crate::{
    discord::{
        guilds::{Obstacle, authority::members::NickPermit},
        rest::Priority,
    },
    features::roles::texts,
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        outcome::{Failure, Undelivered, of_error},
        queue::Waiting,
        trouble::{Trouble, of_denial},
    },
    postgres::{StoreError, Tx},
    settings::{
        Settings,
        mod_log::{Subject, log_failure},
    },
    support::{
        i18n::Language,
        ids::{self, MemberKey},
        text::{
            limits::{AUDIT_REASON, excerpt},
            names::quoted,
        },
    },
};

/// A nickname to be set or removed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NickChange {
    /// The interaction.
    pub(crate) request_id: Id<InteractionMarker>,
    /// The permission of the moderator.
    pub(crate) permit: NickPermit,
    /// The nickname; `None` to remove it.
    pub(crate) nick: Option<String>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// The same for Discord's audit log, with the moderator's name.
    pub(crate) audit_reason: String,
    /// The moderator's language, for a guild that has chosen none.
    pub(crate) locale: String,
}

impl NickChange {
    pub(crate) fn language(&self) -> Language {
        Language::of_stored(&self.locale)
    }
}

impl EffectBody for NickChange {
    const KIND: &'static str = "nick_change";
    const OWNER: Owner = Owner::Staff;
}

/// Changes nicknames.
#[derive(Debug)]
pub(crate) struct NickChanges(pub(crate) Settings);

impl EffectKind for NickChanges {
    type Body = NickChange;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, change: NickChange) -> Result<(), Undelivered> {
        deliver(to, effect, &change).await
    }

    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        change: NickChange,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let about = (Subject::Members, change.language());
        log_failure(tx, &self.0, (effect, failure), about, "nick-log-failed").await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, change: &NickChange) -> Result<(), Undelivered> {
    let (guild_id, user_id) = (effect.guild_id, effect.user()?);
    let target = ids::to_db(user_id);
    let guilds = &to.guilds;
    guilds.forget_if_older(guild_id, OLDEST_RANKS);
    let roles = guilds.roles_if_member(guild_id, user_id, Priority::Command).await;
    let Some(roles) = roles.map_err(|error| of_error(&error, target))? else {
        return Err(Trouble::NoMember.failure(target));
    };
    let denial = guilds.nick_denial(guild_id, &change.permit, &roles, Priority::Command);
    of_denial(denial.await, target)?;
    let who = (user_id, Some(roles.as_slice()));
    let obstacle = guilds.obstacle(guild_id, who, Permissions::MANAGE_NICKNAMES, Priority::Command);
    if let Some(obstacle) = obstacle.await.map_err(|error| of_error(&error, target))? {
        return Err(in_the_way(obstacle).failure(target));
    }
    let reason = excerpt(&change.audit_reason, AUDIT_REASON);
    let client = to.rest.builders();
    let request = client
        .update_guild_member(guild_id, user_id)
        .nick(change.nick.as_deref())
        .reason(&reason);
    match to.rest.send(Priority::Command, request).await {
        Ok(_answer) => Ok(()),
        Err(error) => {
            guilds.forget(guild_id);
            Err(of_error(&error, target))
        }
    }
}

/// Why the bot cannot change the nickname of a member.
pub(crate) const fn in_the_way(obstacle: Obstacle) -> Trouble {
    match obstacle {
        Obstacle::NoPermission => Trouble::BotLacks(Permissions::MANAGE_NICKNAMES),
        Obstacle::Owner => Trouble::Owner,
        Obstacle::AboveBot | Obstacle::Administrator => Trouble::BotBelow,
    }
}

/// The entry of the log channel.
pub(crate) fn in_log(language: Language, key: MemberKey, change: &NickChange) -> String {
    let mut values = vec![
        ("user", key.user_id.to_string().into()),
        ("moderator", change.permit.moderator_id().to_string().into()),
        (
            "reason",
            texts::because(change.reason.as_deref(), language).into(),
        ),
    ];
    let text = match &change.nick {
        None => "nick-log-removed",
        Some(nick) => {
            values.push(("name", quoted(nick).into()));
            "nick-log-changed"
        }
    };
    language.filled(text, &values)
}
