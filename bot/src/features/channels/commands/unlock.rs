//! `/unlock`: ends a lock before its time.

use serde_json::json;
use twilight_model::{application::command::Command as Definition, guild::Permissions};

use super::lock::{LOCKABLE, channel_option, follow, permit, reason_option};
use crate::{
    features::channels::{
        effects::unlock::ChannelUnlock,
        lock::{self, Begun},
    },
    interactions::{
        CommandContext, CommandError, Services, command::Command, define::for_servers, reply::Reply,
    },
    outbox::kind::EffectBody as _,
};

#[derive(Debug)]
pub(crate) struct Unlock;

impl Command for Unlock {
    fn name(&self) -> &'static str {
        "unlock"
    }

    fn definition(&self) -> Definition {
        for_servers(self.name(), Some(Permissions::MANAGE_ROLES))
            .option(channel_option("unlock-option-channel", LOCKABLE))
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
    let (guild_id, channel_id) = (context.guild()?, context.channel_or_here()?);
    let language = context.language();
    let permit = permit(context, services, channel_id, Permissions::MANAGE_ROLES).await?;
    let reason = context.reason()?;
    let audit_reason = context.audit_reason(reason.as_deref());
    let request = context.request("channel_unlock", &json!({"channel_id": channel_id.to_string()}))?;
    let effect = ChannelUnlock {
        request_id: Some(context.payload.id),
        // The lock is looked up in the transaction.
        lock_id: context.payload.id,
        permit: Some(permit),
        reason,
        audit_reason: Some(audit_reason),
        locale: language.code().to_owned(),
    };
    let begun = lock::end(&services.store, request, (guild_id, channel_id), effect).await?;
    let channel = ("channel", channel_id.to_string().into());
    match begun {
        Begun::Now | Begun::Locked(_) => {}
        Begun::Before => return Ok(Reply::private(language.text("error-done-before"))),
        Begun::NotLocked => {
            return Err(CommandError::Said(
                language.filled("unlock-not-locked", &[channel]),
            ));
        }
    }
    follow(
        context,
        (guild_id, channel_id),
        ChannelUnlock::KIND,
        ("unlock-done", String::new()),
    );
    Ok(Reply::private(language.filled("unlock-runs", &[channel])))
}
