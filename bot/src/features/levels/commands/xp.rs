//! `/xp`: gives, takes and sets the XP of a member or of all members with a role.

use std::collections::BTreeSet;

use serde_json::json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType},
    guild::Permissions,
    id::{
        Id,
        marker::{RoleMarker, UserMarker},
    },
};

use crate::{
    discord::{
        guilds::Guilds,
        rest::{Priority, RestError},
    },
    features::levels::adjust::{self, Changed, Granted, MOST, XpAdjustment},
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        reply::Reply,
    },
    postgres::{Store, request::Request},
    settings::{Settings, values::curve::Curve},
    support::i18n::{Language, Value},
};

#[derive(Debug)]
pub(crate) struct Xp;

impl Command for Xp {
    fn name(&self) -> &'static str {
        "xp"
    }

    fn definition(&self) -> Definition {
        let member = || Opt::new(CommandOptionType::User, "xp-option", "member");
        let role = || Opt::new(CommandOptionType::Role, "xp-option", "role");
        let amount = |least| {
            let most = i64::try_from(MOST).unwrap_or(i64::MAX).min(MOST_TYPED);
            Opt::new(CommandOptionType::Integer, "xp-option", "amount")
                .between(least, most)
                .required()
        };
        for_servers(self.name(), Some(Permissions::MANAGE_GUILD))
            .option(Opt::sub("xp", "give", [amount(1), member(), role()]))
            .option(Opt::sub("xp", "take", [amount(1), member(), role()]))
            .option(Opt::sub("xp", "set", [amount(0), member(), role()]))
            .option(Opt::sub("xp", "reset", [member(), role()]))
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        context.require_permissions(Permissions::MANAGE_GUILD)?;
        let (grant, action) = grant_of(context, services).await?;
        let payload = &context.payload;
        let member = payload.chosen_user("member")?;
        let role_id = payload.role("role")?;
        let guild_id = context.guild()?;
        let language = context.language();
        let amount = payload.integer("amount")?;
        let curve = services.settings.of(&services.store, guild_id).await?.curve;
        match (member, role_id) {
            (Some((user, _)), None) => {
                if user.bot {
                    return Err(context.refuse("xp-bot"));
                }
                let details = json!({"user_id": user.id.to_string(), "amount": amount});
                let request = context.request(action, &details)?;
                // Messages sent before the command count before it.
                context.wait_for_commit().await;
                let users = BTreeSet::from([user.id]);
                let granted =
                    adjust::grant(&services.store, &services.settings, request, users, grant).await?;
                Ok(Reply::private(in_words(&granted, curve, language)))
            }
            (None, Some(role_id)) => {
                let details = json!({"role_id": role_id.to_string(), "amount": amount});
                let many = Many {
                    store: services.store.clone().unhurried(),
                    settings: services.settings.clone(),
                    guilds: services.guilds.clone(),
                    request: context.request(action, &details)?,
                    role_id,
                    grant,
                };
                context.wait_for_commit().await;
                context
                    .defer(move |_progress| async move { Reply::private(many.grant(curve, language).await) });
                let values = [("role", Value::from(format!("<@&{role_id}>")))];
                Ok(Reply::private(language.filled("xp-looking", &values)))
            }
            _ => Err(context.refuse("xp-one-of-both")),
        }
    }
}

/// The largest integer that Discord accepts: 2^53.
const MOST_TYPED: i64 = 1 << 53;

async fn grant_of(
    context: &CommandContext,
    services: &Services,
) -> Result<(XpAdjustment, &'static str), CommandError> {
    let amount = context.payload.integer("amount")?;
    let amount = || {
        let amount = amount.and_then(|amount| u64::try_from(amount).ok());
        amount
            .filter(|amount| *amount <= MOST)
            .ok_or_else(|| context.refuse("xp-amount"))
    };
    Ok(match context.payload.subcommand().as_slice() {
        ["give"] => (
            XpAdjustment::Give(context.xp_permit(services).await?, amount()?),
            "xp_give",
        ),
        ["take"] => (XpAdjustment::Take(amount()?), "xp_take"),
        ["set"] => (
            XpAdjustment::Set(context.xp_permit(services).await?, amount()?),
            "xp_set",
        ),
        ["reset"] => (XpAdjustment::Take(u64::MAX), "xp_reset"),
        _ => return Err(context.refuse("error-unknown")),
    })
}

fn in_words(granted: &Granted, curve: Curve, language: Language) -> String {
    let changed = match granted {
        Granted::Now(changed) => changed,
        Granted::Many(members) => return changed_many(*members, language),
        Granted::Before => return language.text("xp-done-before"),
    };
    let number = |number: u64| Value::from(language.number(number));
    match changed.as_slice() {
        [] => language.text("xp-nobody"),
        [
            Changed {
                user_id,
                before,
                after,
            },
        ] => language.filled(
            "xp-one",
            &[
                ("user", format!("<@{user_id}>").into()),
                ("before", number(*before)),
                ("after", number(*after)),
                ("level", number(curve.level_of(*after).into())),
            ],
        ),
        many => {
            let real = many.iter().filter(|changed| changed.before != changed.after);
            changed_many(real.count() as u64, language)
        }
    }
}

fn changed_many(members: u64, language: Language) -> String {
    let values = [
        ("members", Value::Count(members)),
        ("count", language.number(members).into()),
    ];
    language.filled("xp-many", &values)
}

/// The members of a role.
struct Many {
    store: Store,
    settings: Settings,
    guilds: Guilds,
    request: Request,
    role_id: Id<RoleMarker>,
    grant: XpAdjustment,
}

impl Many {
    /// Find the members and apply the adjustment; returns the reply's text.
    async fn grant(self, curve: Curve, language: Language) -> String {
        let guild_id = self.request.guild_id;
        let found = self
            .guilds
            .people_with(guild_id, self.role_id, Priority::Command)
            .await;
        let users: BTreeSet<Id<UserMarker>> = match found {
            Ok(users) => users,
            Err(RestError::Refused { status: 403, .. }) => return language.text("xp-members-hidden"),
            Err(error) => {
                tracing::warn!(%error, "the members of a role could not be read");
                return error.in_words(language);
            }
        };
        match adjust::grant(&self.store, &self.settings, self.request, users, self.grant).await {
            Ok(granted) => in_words(&granted, curve, language),
            Err(error) => {
                tracing::warn!(%error, command = "xp", "a command could not use the database");
                language.text("error-away")
            }
        }
    }
}
