//! `/lock`: closes a channel, or a category, to members.

use std::{ops::RangeInclusive, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    channel::ChannelType,
    guild::Permissions,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker},
    },
};

use crate::{
    discord::{
        guilds::authority::channels::{ChannelPermit, first},
        rest::Priority,
    },
    features::channels::{
        effects::lock::ChannelLock,
        lock::{self, Begun, LOCK_END},
        overwrites,
        rows::lock as rows,
        texts,
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        options::{DURATION_CHARS, REASON_CHARS},
        reply::Reply,
        scheduled::{self, Wanted},
    },
    outbox::{
        kind::EffectBody as _,
        queue::Became,
        trouble::{self, Trouble},
    },
    support::{i18n::Language, ids},
};

/// How long a lock can last, if it is to end by itself.
const BOUNDS: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24 * 365);

/// The channels that have permissions, and in which members can write.
pub(super) const LOCKABLE: &[ChannelType] = &[
    ChannelType::GuildText,
    ChannelType::GuildAnnouncement,
    ChannelType::GuildVoice,
    ChannelType::GuildStageVoice,
    ChannelType::GuildForum,
    ChannelType::GuildMedia,
    ChannelType::GuildCategory,
];

#[derive(Debug)]
pub(crate) struct Lock;

impl Command for Lock {
    fn name(&self) -> &'static str {
        "lock"
    }

    fn definition(&self) -> Definition {
        for_servers(self.name(), Some(Permissions::MANAGE_ROLES))
            .option(channel_option("lock-option-channel", LOCKABLE))
            .option(Opt::named(Kind::String, "lock-option-duration", "duration").at_most(DURATION_CHARS))
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

/// The option `channel`.
pub(super) fn channel_option(key: &str, kinds: &[ChannelType]) -> Opt {
    Opt::named(Kind::Channel, key, "channel").channels(kinds)
}

/// The option `reason`.
pub(super) fn reason_option() -> Opt {
    Opt::named(Kind::String, "channels-option-reason", "reason").at_most(REASON_CHARS)
}

async fn run(context: &CommandContext, services: &Services) -> Result<Reply, CommandError> {
    let (guild_id, channel_id) = (context.guild()?, context.channel_or_here()?);
    let language = context.language();
    let permit = permit(context, services, channel_id, Permissions::MANAGE_ROLES).await?;
    let guilds = &services.guilds;
    let kind = guilds
        .kind_of(guild_id, channel_id, Priority::Interaction)
        .await?;
    let kind = kind.ok_or_else(|| CommandError::Said(Trouble::NoChannel.in_words(language)))?;
    if !LOCKABLE.contains(&kind) {
        return Err(CommandError::Said(Trouble::Thread.in_words(language)));
    }
    let closed = overwrites::closed(kind);
    let lacking = guilds
        .bot_lacks_to_set(guild_id, channel_id, closed, Priority::Interaction)
        .await?;
    if !lacking.is_empty() {
        return Err(CommandError::Said(
            Trouble::BotLacks(first(lacking)).in_words(language),
        ));
    }
    let duration = context.duration("duration", &BOUNDS)?;
    let ends_at = duration.map(|span| ids::to_time(ids::millis(context.payload.id)) + span);
    let reason = context.reason()?;
    let request = context.request("channel_lock", &json!({"channel_id": channel_id.to_string()}))?;
    let effect = ChannelLock {
        request_id: context.payload.id,
        permit,
        audit_reason: context.audit_reason(reason.as_deref()),
        reason,
        locale: language.code().to_owned(),
    };
    let begun = lock::begin(&services.store, request, (guild_id, channel_id), ends_at, effect).await?;
    let channel = ("channel", channel_id.to_string().into());
    match begun {
        Begun::Now => {}
        Begun::Before | Begun::NotLocked => return Ok(Reply::private(language.text("error-done-before"))),
        Begun::Locked(until) => {
            let values = [channel, ("until", texts::until(until, language).into())];
            return Err(CommandError::Said(language.filled("lock-already", &values)));
        }
    }
    let done = ("lock-done", texts::until(ends_at, language));
    follow(context, (guild_id, channel_id), ChannelLock::KIND, done);
    Ok(Reply::private(language.filled("lock-runs", &[channel])))
}

/// Change when a lock ends, or let it last until `/unlock`.
pub(crate) fn reschedule<'a>(
    context: &'a CommandContext,
    services: &'a Services,
    wanted: Wanted,
) -> BoxFuture<'a, Result<Reply, CommandError>> {
    Box::pin(async move {
        let channel_id = ids::from_db(wanted.timer_id).ok_or(CommandError::Stale)?;
        permit(context, services, channel_id, Permissions::MANAGE_ROLES).await?;
        let end = (LOCK_END, wanted);
        scheduled::reschedule(context, services, end, move |tx, guild_id, ends_at| {
            Box::pin(rows::set_end(tx, (guild_id, channel_id), ends_at))
        })
        .await
    })
}

/// Check that the moderator has a permission in a channel.
pub(super) async fn permit(
    context: &CommandContext,
    services: &Services,
    channel_id: Id<ChannelMarker>,
    permission: Permissions,
) -> Result<ChannelPermit, CommandError> {
    let guild_id = context.guild()?;
    if context.payload.channel_id == Some(channel_id) {
        // Discord has computed it.
        context.require_permissions(permission)?;
    }
    let user_id = context.payload.user().ok_or(CommandError::Stale)?.id;
    let member = context.payload.membership();
    let who = (user_id, &member);
    let permit = services
        .guilds
        .channel_permit(guild_id, channel_id, who, permission, Priority::Interaction);
    Ok(permit.await??)
}

/// Show what becomes of an effect on a channel: `done` is the text and its value `until`.
pub(super) fn follow(
    context: &CommandContext,
    (guild_id, channel_id): (Id<GuildMarker>, Id<ChannelMarker>),
    kind: &'static str,
    (done, until): (&'static str, String),
) {
    let (language, request_id) = (context.language(), context.payload.id);
    context.defer(move |progress| async move {
        let became = progress.outcome(guild_id, kind, request_id).await;
        Reply::private(outcome(&became, (done, until), channel_id, language))
    });
}

fn outcome(
    became: &Became,
    (done, until): (&'static str, String),
    channel_id: Id<ChannelMarker>,
    language: Language,
) -> String {
    let channel = ("channel", channel_id.to_string().into());
    match became {
        Became::Over => language.filled(done, &[channel, ("until", until.into())]),
        Became::Waiting => language.filled("channels-waiting", &[channel]),
        Became::Failed(failure) => {
            let why = trouble::in_words(failure, language);
            language.filled("channels-failed", &[channel, ("why", why.into())])
        }
    }
}
