//! Sending messages to the targets of effects.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use twilight_model::{
    channel::message::{AllowedMentions, Component},
    http::attachment::Attachment,
    id::{
        Id,
        marker::{ChannelMarker, GuildMarker, MessageMarker, UserMarker},
    },
};

use super::{
    delivery::Deliverer,
    outcome::{Failure, Reason, Undelivered, of_error},
    queue::Waiting,
};
use crate::{
    discord::{
        guilds::Sendable,
        rest::{Priority, RestError, Retry, SingleFlight},
    },
    support::{
        ids,
        text::{
            limits,
            names::Name,
            template::{Placeholder, Template},
        },
    },
};

/// The cache limit for direct message channels, 16 bytes each.
const DIRECT_CHANNELS: usize = 100_000;
/// The cache limit for channels and members that refused messages.
const REFUSALS: usize = 100_000;
/// <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>
const UNKNOWN_CHANNEL: u64 = 10_003;
const UNKNOWN_MESSAGE: u64 = 10_008;
/// How long nothing is sent to them: each 403 counts towards the 10,000 in 10 minutes at which Discord bans the IP address.
const REFUSAL_LASTS: Duration = Duration::from_mins(5);
/// The same for a channel that refused repeatedly.
const SKIPPED_FOR: Duration = Duration::from_hours(1);

/// The direct message channels by member. They never change.
#[derive(Debug, Default)]
pub(crate) struct DirectChannels {
    known: Mutex<HashMap<Id<UserMarker>, Id<ChannelMarker>>>,
    payload: SingleFlight<Id<UserMarker>, Result<Id<ChannelMarker>, RestError>>,
}

/// Targets that refused messages, with the end of the pause.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<i64, (Instant, Failure)>>);

/// The body of Create Message.
/// <https://discord.com/developers/docs/resources/message#create-message>
#[derive(Serialize)]
struct Body<'a> {
    content: &'a str,
    nonce: &'a str,
    enforce_nonce: bool,
    allowed_mentions: AllowedMentions,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    components: &'a [Component],
    /// The files that come with it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    attachments: &'a [Attached<'a>],
}

#[derive(Serialize)]
struct Attached<'a> {
    id: u64,
    filename: &'a str,
}

/// The names used by a template.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) server: Option<Name>,
    pub(crate) user: Option<Name>,
}

/// Look up only the names that a template uses.
pub(crate) async fn names_for(
    to: &Deliverer,
    template: &Template,
    guild_id: Id<GuildMarker>,
    user_id: Id<UserMarker>,
) -> Result<Names, RestError> {
    let mut names = Names::default();
    if template.wants(Placeholder::Server) {
        names.server = known(to.guilds.name(guild_id, Priority::Effect).await)?;
    }
    if template.wants(Placeholder::UserName) {
        names.user = known(to.guilds.member_name(guild_id, user_id, Priority::Effect).await)?;
    }
    Ok(names)
}

/// Treat a name that Discord does not provide in a readable form as missing; temporary errors are returned for a retry.
fn known(name: Result<Name, RestError>) -> Result<Option<Name>, RestError> {
    match name {
        Ok(name) => Ok(Some(name)),
        Err(error) if matches!(error.retry(), Retry::Never { .. }) => Ok(None),
        Err(RestError::Unreadable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The channel or member that an effect is for.
pub(crate) fn target_of(effect: &Waiting) -> i64 {
    let user = effect.user_id.map(ids::to_db);
    effect.channel_id.map(ids::to_db).or(user).unwrap_or_default()
}

/// Send a message about a member, who is notified if `pings` is true. If sending was refused a moment ago, the content is not determined.
pub(crate) async fn send_about(
    to: &Deliverer,
    effect: &Waiting,
    user_id: Id<UserMarker>,
    pings: bool,
    content: impl Future<Output = Result<String, RestError>> + Send,
) -> Result<(), Undelivered> {
    if let Some(failure) = to.refusals.of(target_of(effect)) {
        return Err(Undelivered::Skipped(failure));
    }
    let content = content
        .await
        .map_err(|error| of_error(&error, target_of(effect)))?;
    let allowed = AllowedMentions {
        users: if pings { vec![user_id] } else { Vec::new() },
        ..AllowedMentions::default()
    };
    send(to, effect, &content, allowed).await
}

/// Send a message to an effect's target. Repeating it within minutes does not post it twice.
pub(crate) async fn send(
    to: &Deliverer,
    effect: &Waiting,
    content: &str,
    allowed_mentions: AllowedMentions,
) -> Result<(), Undelivered> {
    send_for_id(to, effect, content, allowed_mentions).await.map(drop)
}

/// Send a message to the member of an effect. One who accepts no messages from bots, or is gone, is an expected outcome and not an error.
pub(crate) async fn send_direct(to: &Deliverer, effect: &Waiting, content: &str) -> Result<(), Undelivered> {
    let sent = send(to, effect, content, AllowedMentions::default()).await;
    sent.map_err(|why| match why {
        Undelivered::Failed(Failure {
            reason: Reason::Closed | Reason::Gone | Reason::Forbidden,
            ..
        }) => Undelivered::Cancelled,
        why => why,
    })
}

/// The name of the server for a message to a member. A server that the bot has left since sends no messages.
pub(crate) async fn server_of(to: &Deliverer, effect: &Waiting) -> Result<Name, Undelivered> {
    let name = to.guilds.name(effect.guild_id, Priority::Effect).await;
    name.map_err(|error| match error.retry() {
        Retry::Never { .. } => Undelivered::Cancelled,
        _ => of_error(&error, 0),
    })
}

/// [`send`] for a message that is referred to later. The ID is `None` if Discord's answer cannot be read.
pub(crate) async fn send_for_id(
    to: &Deliverer,
    effect: &Waiting,
    content: &str,
    allowed_mentions: AllowedMentions,
) -> Result<Option<Id<MessageMarker>>, Undelivered> {
    send_with(to, effect, (content, &[]), allowed_mentions).await
}

/// The same with rows of buttons.
#[expect(clippy::disallowed_methods, reason = "it is fitted")]
pub(crate) async fn send_with(
    to: &Deliverer,
    effect: &Waiting,
    (content, components): (&str, &[Component]),
    allowed_mentions: AllowedMentions,
) -> Result<Option<Id<MessageMarker>>, Undelivered> {
    let target = target_of(effect);
    let sent = async {
        let channel_id = match (effect.channel_id, effect.user_id) {
            (Some(channel_id), _) => channel_id,
            (None, Some(user_id)) => direct_channel(to, user_id).await?,
            (None, None) => return Ok(None),
        };
        let content = limits::excerpt(content, limits::CONTENT);
        let body = Body {
            content: &content,
            nonce: &effect.nonce,
            enforce_nonce: true,
            allowed_mentions,
            components,
            attachments: &[],
        };
        let body = serde_json::to_vec(&body).expect("texts and numbers are JSON");
        // twilight-http's builder does not support `enforce_nonce`.
        let request = to.rest.builders().create_message(channel_id).payload_json(&body);
        let answer = to.rest.send(Priority::Effect, request).await?;
        Ok(answer.model::<Sent>().ok().map(|message| message.id))
    };
    let mut why = match sent.await {
        Ok(message_id) => return Ok(message_id),
        Err(error) => of_error(&error, target),
    };
    if let Undelivered::Failed(failure) = &mut why {
        if failure.reason == Reason::Forbidden
            && let Some(channel_id) = effect.channel_id
            && let Some(missing) = missing(to, effect.guild_id, channel_id).await
        {
            failure.detail = format!("{missing} ({})", failure.detail);
        }
        if failure.reason != Reason::Invalid {
            to.refusals.note(target, failure, REFUSAL_LASTS);
        }
    }
    Err(why)
}

/// Send a message with a file to a channel. Returns its ID as [`send_for_id`] does.
#[expect(clippy::disallowed_methods, reason = "it is fitted")]
pub(crate) async fn send_file(
    to: &Deliverer,
    effect: &Waiting,
    content: &str,
    file: Attachment,
) -> Result<Option<Id<MessageMarker>>, Undelivered> {
    let target = target_of(effect);
    let Some(channel_id) = effect.channel_id else {
        return Ok(None);
    };
    let content = limits::excerpt(content, limits::CONTENT);
    let attached = Attached {
        id: file.id,
        filename: &file.filename,
    };
    let body = Body {
        content: &content,
        nonce: &effect.nonce,
        enforce_nonce: true,
        allowed_mentions: AllowedMentions::default(),
        components: &[],
        attachments: &[attached],
    };
    let body = serde_json::to_vec(&body).expect("texts and numbers are JSON");
    let files = std::slice::from_ref(&file);
    let request = to
        .rest
        .builders()
        .create_message(channel_id)
        .attachments(files)
        .payload_json(&body);
    match to.rest.send(Priority::Effect, request).await {
        Ok(answer) => Ok(answer.model::<Sent>().ok().map(|message| message.id)),
        Err(error) => Err(of_error(&error, target)),
    }
}

/// Change the content of a message that the bot has sent. One that is gone, or whose channel is, is not wanted any more.
#[expect(clippy::disallowed_methods, reason = "it is fitted")]
pub(crate) async fn edit(
    to: &Deliverer,
    effect: &Waiting,
    message_id: Id<MessageMarker>,
    content: &str,
) -> Result<(), Undelivered> {
    let channel_id = effect.channel()?;
    let content = limits::excerpt(content, limits::CONTENT);
    let allowed = AllowedMentions::default();
    let request = to
        .rest
        .builders()
        .update_message(channel_id, message_id)
        .content(Some(&content))
        .allowed_mentions(Some(&allowed));
    match to.rest.send(Priority::Effect, request).await {
        Ok(_answer) => Ok(()),
        Err(RestError::Refused {
            code: Some(UNKNOWN_CHANNEL | UNKNOWN_MESSAGE),
            ..
        }) => Err(Undelivered::Cancelled),
        Err(error) => Err(of_error(&error, target_of(effect))),
    }
}

/// The permission that the bot lacks to send there, if known.
async fn missing(to: &Deliverer, guild_id: Id<GuildMarker>, channel_id: Id<ChannelMarker>) -> Option<String> {
    to.guilds.forget(guild_id);
    let sendable = to
        .guilds
        .can_send(guild_id, channel_id, Priority::Background)
        .await;
    Some(match sendable.ok()? {
        Sendable::Yes => return None,
        Sendable::Hidden => format!("I do not see the channel {channel_id}: View Channel is missing"),
        Sendable::NoPermission => {
            format!("I may not write in the channel {channel_id}: Send Messages is missing")
        }
        Sendable::NoMessages => format!("the channel {channel_id} takes no messages"),
        Sendable::UnknownChannel => format!("the channel {channel_id} is gone"),
    })
}

#[derive(Deserialize)]
struct Sent {
    id: Id<MessageMarker>,
}

#[derive(Deserialize)]
struct Channel {
    id: Id<ChannelMarker>,
}

async fn direct_channel(to: &Deliverer, user_id: Id<UserMarker>) -> Result<Id<ChannelMarker>, RestError> {
    if let Some(known) = to.direct.get(user_id) {
        return Ok(known);
    }
    let rest = to.rest.clone();
    let ask = || async move {
        let request = rest.builders().create_private_channel(user_id);
        let Channel { id } = rest.send(Priority::Effect, request).await?.model()?;
        Ok(id)
    };
    let id = to.direct.payload.ask(user_id, ask).await?;
    to.direct.remember(user_id, id);
    Ok(id)
}

impl DirectChannels {
    fn get(&self, user_id: Id<UserMarker>) -> Option<Id<ChannelMarker>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&user_id).copied()
    }

    fn remember(&self, user_id: Id<UserMarker>, channel_id: Id<ChannelMarker>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= DIRECT_CHANNELS {
            // Each lookup costs one request, so clearing everything is sufficient.
            known.clear();
        }
        known.insert(user_id, channel_id);
    }
}

impl Refusals {
    pub(crate) fn of(&self, target: i64) -> Option<Failure> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, failure) = known.get(&target)?;
        if *until > Instant::now() {
            return Some(failure.clone());
        }
        known.remove(&target);
        None
    }

    /// Send nothing to a channel for a long time.
    pub(crate) fn skip(&self, target: i64, failure: &Failure) {
        self.note(target, failure, SKIPPED_FOR);
    }

    fn note(&self, target: i64, failure: &Failure, lasts: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if known.len() >= REFUSALS {
            known.retain(|_, (until, _)| *until > now);
        }
        if known.len() < REFUSALS {
            known.insert(target, (now + lasts, failure.clone()));
        }
    }
}
