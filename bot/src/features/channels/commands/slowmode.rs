//! `/slowmode`: how long members wait between two messages in a channel, for some time or until it is changed.

use std::{ops::RangeInclusive, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::json;
use twilight_model::{
    application::command::{Command as Definition, CommandOptionType as Kind},
    channel::ChannelType,
    guild::Permissions,
};

use super::lock::{channel_option, follow, permit, reason_option};
use crate::{
    discord::{guilds::authority::channels::first, rest::Priority},
    features::channels::{
        effects::slowmode::{ChannelSlowmode, needed},
        rows::slowmode as rows,
        slowmode::{self, LONGEST, SLOWMODE_END},
        texts,
    },
    interactions::{
        CommandContext, CommandError, Services,
        command::Command,
        define::{Opt, for_servers},
        options::DURATION_CHARS,
        payload::BadOption,
        reply::Reply,
        scheduled::{self, Wanted},
    },
    outbox::{kind::EffectBody as _, trouble::Trouble},
    support::ids,
};

/// How long a slow mode can last, if the one before is to be restored.
const BOUNDS: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24 * 365);

/// The channels that have a slow mode.
const SLOWABLE: &[ChannelType] = &[
    ChannelType::GuildText,
    ChannelType::GuildVoice,
    ChannelType::GuildStageVoice,
    ChannelType::GuildForum,
    ChannelType::GuildMedia,
    ChannelType::PublicThread,
    ChannelType::PrivateThread,
];

/// What people write to switch it off.
const OFF: [&str; 5] = ["0", "0s", "off", "aus", "none"];

#[derive(Debug)]
pub(crate) struct Slowmode;

impl Command for Slowmode {
    fn name(&self) -> &'static str {
        "slowmode"
    }

    fn definition(&self) -> Definition {
        let duration = Opt::named(Kind::String, "slowmode-option-duration", "duration");
        for_servers(self.name(), Some(Permissions::MANAGE_CHANNELS))
            .option(duration.at_most(DURATION_CHARS).required())
            .option(Opt::named(Kind::String, "slowmode-option-for", "for").at_most(DURATION_CHARS))
            .option(channel_option("slowmode-option-channel", SLOWABLE))
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
    let guilds = &services.guilds;
    let kind = guilds
        .kind_of(guild_id, channel_id, Priority::Interaction)
        .await?;
    let needed = needed(kind.is_some_and(ChannelType::is_thread));
    let permit = permit(context, services, channel_id, needed).await?;
    if !kind.is_some_and(|kind| SLOWABLE.contains(&kind)) {
        return Err(context.refuse("slowmode-no-channel"));
    }
    let needed = Permissions::VIEW_CHANNEL | needed;
    let lacking = guilds
        .bot_lacks(guild_id, channel_id, needed, Priority::Interaction)
        .await?;
    if !lacking.is_empty() {
        return Err(CommandError::Said(
            Trouble::BotLacks(first(lacking)).in_words(language),
        ));
    }
    let seconds = seconds(context)?;
    let lasts = context.duration("for", &BOUNDS)?;
    let ends_at = lasts.map(|span| ids::to_time(ids::millis(context.payload.id)) + span);
    let reason = context.reason()?;
    let details = json!({"channel_id": channel_id.to_string(), "seconds": seconds});
    let request = context.request("channel_slowmode", &details)?;
    let effect = ChannelSlowmode {
        request_id: context.payload.id,
        permit,
        seconds,
        ends_at_ms: ends_at.map(ids::to_millis),
        audit_reason: context.audit_reason(reason.as_deref()),
        reason,
        locale: language.code().to_owned(),
    };
    let place = (guild_id, channel_id);
    let around = (&services.store, &services.settings);
    if !slowmode::set(around, request, place, ends_at, effect).await? {
        return Ok(Reply::private(language.text("error-done-before")));
    }
    let shown = format!(
        "{}, {}",
        texts::slowmode(seconds, language),
        texts::until(ends_at, language)
    );
    follow(context, place, ChannelSlowmode::KIND, ("slowmode-done", shown));
    let channel = ("channel", channel_id.to_string().into());
    Ok(Reply::private(language.filled("slowmode-runs", &[channel])))
}

/// Change when a slow mode ends, or let it stay.
pub(crate) fn reschedule<'a>(
    context: &'a CommandContext,
    services: &'a Services,
    wanted: Wanted,
) -> BoxFuture<'a, Result<Reply, CommandError>> {
    Box::pin(async move {
        let (guild_id, channel_id) = (context.guild()?, ids::from_db(wanted.timer_id));
        let channel_id = channel_id.ok_or(CommandError::Stale)?;
        let kind = services
            .guilds
            .kind_of(guild_id, channel_id, Priority::Interaction);
        let needed = needed(kind.await?.is_some_and(ChannelType::is_thread));
        permit(context, services, channel_id, needed).await?;
        let end = (SLOWMODE_END, wanted);
        scheduled::reschedule(context, services, end, move |tx, guild_id, ends_at| {
            Box::pin(async move {
                match ends_at {
                    Some(_) => Ok(()),
                    None => rows::keep(tx, (guild_id, channel_id)).await,
                }
            })
        })
        .await
    })
}

/// The option `duration` in seconds; 0 switches the slow mode off.
fn seconds(context: &CommandContext) -> Result<i32, CommandError> {
    let text = context.payload.text("duration")?.ok_or(BadOption("duration"))?;
    if OFF.contains(&text.trim().to_lowercase().as_str()) {
        return Ok(0);
    }
    let bounds = Duration::from_secs(1)..=LONGEST;
    let span = context.duration("duration", &bounds)?.unwrap_or_default();
    Ok(i32::try_from(span.as_secs()).unwrap_or(0))
}
