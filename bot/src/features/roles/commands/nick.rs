//! `/nick`: changes the nickname of a member, or removes it.

use serde_json::json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    guild::Permissions,
};

use super::role::{member_option, reason_option, roles_of};
use crate::{
    discord::rest::Priority,
    features::roles::{
        change,
        effects::nick::{NickChange, in_the_way},
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        payload::BadOption,
        reply::Reply,
    },
    outbox::{kind::EffectBody as _, queue::Became, trouble},
    support::ids::MemberKey,
};

/// The maximum length of a nickname: <https://docs.discord.com/developers/resources/user#usernames-and-nicknames>.
const NICK_CHARS: u16 = 32;

#[derive(Debug)]
pub(crate) struct Nick;

impl Command for Nick {
    fn name(&self) -> &'static str {
        "nick"
    }

    fn definition(&self) -> Definition {
        for_servers(self.name(), Some(Permissions::MANAGE_NICKNAMES))
            .option(member_option("nick-option-member").required())
            .option(Opt::named(Kind::String, "nick-option-nickname", "nickname").at_most(NICK_CHARS))
            .option(reason_option())
            .build()
    }

    fn is_private(&self) -> bool {
        true
    }

    async fn run(&self, context: &mut CommandContext, services: &Services) -> Result<Reply, CommandError> {
        run(context, services).await
    }
}

async fn run(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let guild_id = context.guild()?;
    context.require_permissions(Permissions::MANAGE_NICKNAMES)?;
    let language = context.language();
    let (user, _) = context
        .payload
        .chosen_user("member")?
        .ok_or(BadOption("member"))?;
    let guilds = &services.guilds;
    if user.id == guilds.me(Priority::Interaction).await? {
        return Err(context.refuse("nick-bot"));
    }
    let roles = roles_of(context, services, &user).await?;
    let who = (user.id, roles.as_slice());
    let theirs = guilds.rank(guild_id, who, Priority::Interaction).await?;
    let permit = context
        .authority(services)
        .await?
        .nick_permit((user.id, theirs))?;
    let who = (user.id, Some(roles.as_slice()));
    let permission = Permissions::MANAGE_NICKNAMES;
    let obstacle = guilds.obstacle(guild_id, who, permission, Priority::Interaction);
    if let Some(obstacle) = obstacle.await? {
        return Err(CommandError::Said(in_the_way(obstacle).in_words(language)));
    }
    let nick = nickname(context)?;
    let reason = context.reason()?;
    let effect = NickChange {
        request_id: context.payload.id,
        permit,
        nick,
        audit_reason: context.audit_reason(reason.as_deref()),
        reason,
        locale: language.code().to_owned(),
    };
    let request = context.request("nick", &json!({"user_id": user.id.to_string()}))?;
    let key = MemberKey {
        guild_id,
        user_id: user.id,
    };
    let around = (&services.store, &services.settings);
    if !change::nick(around, request, key, effect).await? {
        return Ok(Reply::private(language.text("error-done-before")));
    }
    let request_id = context.payload.id;
    let user = ("user", user.id.to_string().into());
    let runs = language.filled("nick-runs", std::slice::from_ref(&user));
    context.defer(move |progress| async move {
        let became = progress.outcome(guild_id, NickChange::KIND, request_id).await;
        Reply::private(match became {
            Became::Over => language.filled("nick-done", &[user]),
            Became::Waiting => language.filled("roles-waiting", &[user]),
            Became::Failed(failure) => {
                let why = trouble::in_words(&failure, language);
                language.filled("nick-failed", &[user, ("why", why.into())])
            }
        })
    });
    Ok(Reply::private(runs))
}

fn nickname(context: &CommandContext) -> Result<Option<String>, CommandError> {
    let Some(nick) = context.payload.text("nickname")? else {
        return Ok(None);
    };
    let nick = nick.replace('\0', "").trim().to_owned();
    if nick.is_empty() || nick.chars().count() > usize::from(NICK_CHARS) {
        return Err(BadOption("nickname").into());
    }
    Ok(Some(nick))
}
