//! `/role`: gives a member a role, for some time or for good, or takes it.

use std::{ops::RangeInclusive, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    guild::Permissions,
    id::{Id, marker::RoleMarker},
};

use crate::{
    discord::{
        guilds::{
            Assignable,
            authority::{Denial, members::RolePermit},
        },
        rest::Priority,
    },
    features::roles::{
        change::{self, ROLE_END},
        effects::role::{RoleChange, in_the_way},
        rows,
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        options::{DURATION_CHARS, REASON_CHARS},
        payload::{BadOption, User},
        reply::Reply,
        scheduled::{self, Wanted},
    },
    outbox::{
        kind::EffectBody as _,
        queue::Became,
        trouble::{self, Trouble},
    },
    support::ids::{self, MemberKey},
};

/// How long a role can be given, if it is taken again.
const BOUNDS: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24 * 365);

#[derive(Debug)]
pub(crate) struct Role;

impl Command for Role {
    fn name(&self) -> &'static str {
        "role"
    }

    fn definition(&self) -> Definition {
        let member = || member_option("role-option-member").required();
        let role = || Opt::named(Kind::Role, "role-option-role", "role").required();
        let duration = Opt::named(Kind::String, "role-option-duration", "duration");
        let duration = duration.at_most(DURATION_CHARS).required();
        for_servers(self.name(), Some(Permissions::MANAGE_ROLES))
            .option(Opt::sub("role", "add", [member(), role(), reason_option()]))
            .option(Opt::sub("role", "remove", [member(), role(), reason_option()]))
            .option(Opt::sub(
                "role",
                "temp",
                [member(), role(), duration, reason_option()],
            ))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        run(context, services).await
    }
}

/// The option `member`.
pub(super) fn member_option(key: &str) -> Opt {
    Opt::named(Kind::User, key, "member")
}

/// The option `reason`.
pub(super) fn reason_option() -> Opt {
    Opt::named(Kind::String, "roles-option-reason", "reason").at_most(REASON_CHARS)
}

async fn run(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    context.require_permissions(Permissions::MANAGE_ROLES)?;
    let language = context.language();
    let action = context.payload.subcommand().first().copied().unwrap_or_default();
    let gives = action != "remove";
    let (user, _) = context
        .payload
        .chosen_user("member")?
        .ok_or(BadOption("member"))?;
    let role_id = context.payload.role("role")?.ok_or(BadOption("role"))?;
    let permit = permit(context, services, role_id).await?;
    roles_of(context, services, &user).await?;
    let ends_at = if action == "temp" {
        let span = context.duration("duration", &BOUNDS)?;
        let span = span.ok_or(BadOption("duration"))?;
        Some(ids::to_time(ids::millis(context.payload.id)) + span)
    } else {
        None
    };
    let reason = context.reason()?;
    let effect = RoleChange {
        request_id: Some(context.payload.id),
        role_id,
        gives,
        permit: Some(permit),
        ends_at_ms: ends_at.map(ids::to_millis),
        audit_reason: Some(context.audit_reason(reason.as_deref())),
        reason,
        locale: language.code().to_owned(),
        replaced: None,
    };
    let details = json!({"user_id": user.id.to_string(), "role_id": role_id.to_string()});
    let request = context.request(if gives { "role_add" } else { "role_remove" }, &details)?;
    let key = MemberKey {
        guild_id,
        user_id: user.id,
    };
    let around = (&services.store, &services.settings);
    if !change::role(around, request, key, effect).await? {
        return Ok(Reply::private(language.text("error-done-before")));
    }
    let request_id = context.payload.id;
    context.defer(move |progress| async move {
        let became = progress.outcome(guild_id, RoleChange::KIND, request_id).await;
        let mut values = vec![
            ("user", key.user_id.to_string().into()),
            ("role", role_id.to_string().into()),
        ];
        let text = match (&became, ends_at) {
            (Became::Over, _) if !gives => "role-taken",
            (Became::Over, None) => "role-given",
            (Became::Over, Some(ends_at)) => {
                let until = format!("<t:{}:R>", ids::to_millis(ends_at) / 1_000);
                values.push(("until", until.into()));
                "role-lent"
            }
            (Became::Waiting, _) => "roles-waiting",
            (Became::Failed(failure), _) => {
                values.push(("why", trouble::in_words(failure, language).into()));
                "role-failed"
            }
        };
        Reply::private(language.filled(text, &values))
    });
    let values = [("user", key.user_id.to_string().into())];
    Ok(Reply::private(language.filled("role-runs", &values)))
}

/// Change when a role is taken, or let the member keep it.
pub(crate) fn reschedule<'a>(
    context: &'a CommandContext,
    services: &'a Services,
    wanted: Wanted,
) -> BoxFuture<'a, Result<Reply, CommandError>> {
    Box::pin(async move {
        context.require_permissions(Permissions::MANAGE_ROLES)?;
        let (guild_id, given_by) = (context.guild()?, wanted.timer_id);
        // It is gone if the timer is, which the answer says.
        if let Some(role_id) = rows::given_by(&services.store, guild_id, given_by).await? {
            permit(context, services, role_id).await?;
        }
        let end = (ROLE_END, wanted);
        scheduled::reschedule(context, services, end, move |tx, guild_id, ends_at| {
            Box::pin(async move {
                match ends_at {
                    Some(ends_at) => rows::set_end(tx, guild_id, given_by, ends_at).await,
                    None => rows::take_given_by(tx, guild_id, given_by).await.map(drop),
                }
            })
        })
        .await
    })
}

/// Check that the moderator may give the role, and that the bot can.
async fn permit(
    context: &CommandContext,
    services: &Services,
    role_id: Id<RoleMarker>,
) -> Result<RolePermit, CommandError> {
    let (guild_id, language) = (context.guild()?, context.language());
    let guilds = &services.guilds;
    let mut assignable = guilds
        .assignable(guild_id, role_id, Priority::Interaction)
        .await?;
    if assignable != Assignable::Yes {
        // Data from some minutes ago may be outdated.
        guilds.forget(guild_id);
        assignable = guilds
            .assignable(guild_id, role_id, Priority::Interaction)
            .await?;
    }
    let permit = context.authority(services).await?.role_permit(role_id);
    let permit = permit.map_err(|denial| match denial {
        Denial::RoleAbove(role_id) => {
            let values = [("role", role_id.to_string().into())];
            CommandError::Said(language.filled("role-above", &values))
        }
        denial => denial.into(),
    })?;
    match in_the_way(assignable) {
        None => Ok(permit),
        Some(trouble) => Err(CommandError::Said(trouble.in_words(language))),
    }
}

/// The roles of a user.
///
/// # Errors
///
/// They are not a member.
pub(super) async fn roles_of(
    context: &CommandContext,
    services: &Services,
    user: &User,
) -> Result<Vec<Id<RoleMarker>>, CommandError> {
    if let Some(roles) = context.payload.roles_of(user.id) {
        return Ok(roles);
    }
    let guild_id = context.guild()?;
    let roles = services
        .guilds
        .roles_if_member(guild_id, user.id, Priority::Interaction)
        .await?;
    roles.ok_or_else(|| CommandError::Said(Trouble::NoMember.in_words(context.language())))
}
