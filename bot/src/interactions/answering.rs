//! Turns a command's result into a response that Discord accepts, within Discord's time limit.

use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::time::timeout;
use twilight_model::{
    channel::message::{AllowedMentions, Component, Embed, MessageFlags},
    http::interaction::{InteractionResponse, InteractionResponseType},
    id::{
        Id,
        marker::{ApplicationMarker, InteractionMarker},
    },
};

use super::{
    CommandContext, CommandError, Deferred, LIMIT, Services,
    command::{AnyCommand, Commands},
    payload::{BadOption, InteractionPayload, kind},
    rate_limit::Use,
    reply::{self, Reply, Shape},
    text_command,
};
use crate::{
    discord::{
        guilds::authority::permission,
        rest::{Priority, RestError},
    },
    support::{i18n::Language, text::limits},
};

/// A command that takes longer gets a deferred response first. Discord waits [3
/// seconds](https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-callback).
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long to wait for a server's language setting.
const LANGUAGE_PATIENCE: Duration = Duration::from_millis(300);
/// Autocomplete responses cannot be deferred.
const TYPING_PATIENCE: Duration = Duration::from_secs(2);

/// The target of an interaction.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Command(&'static dyn AnyCommand),
    Menu(&'static dyn AnyCommand),
    Press(&'static dyn AnyCommand),
    Typing(&'static dyn AnyCommand),
    Stale,
    Unknown,
}

impl Found {
    pub(super) fn of(commands: &Commands, payload: &InteractionPayload) -> Self {
        if let (kind::COMMAND, Some(of)) = (payload.kind, payload.menu()) {
            let command = commands.find_menu(of, payload.command());
            return command.map_or(Self::Unknown, Self::Menu);
        }
        let command = commands.find(payload.command());
        match payload.kind {
            kind::COMMAND => command.map_or(Self::Unknown, Self::Command),
            kind::AUTOCOMPLETE => command.map_or(Self::Unknown, Self::Typing),
            kind::COMPONENT | kind::MODAL => command.map_or(Self::Stale, Self::Press),
            _ => Self::Unknown,
        }
    }

    /// Whether everyone in the channel sees the response.
    fn is_public(self) -> bool {
        matches!(self, Self::Command(command) | Self::Press(command) if !command.is_private())
    }

    /// The command and kind of use, for its rate limit.
    pub(super) fn used(self) -> Option<(&'static str, Use)> {
        match self {
            Self::Command(command) | Self::Menu(command) => Some((command.name(), Use::Command)),
            Self::Press(command) => Some((command.name(), Use::Press)),
            Self::Typing(command) => Some((command.name(), Use::Typing)),
            Self::Stale | Self::Unknown => None,
        }
    }

    /// The label in metrics: a known value, never one from the payload.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Command(command) | Self::Menu(command) | Self::Press(command) => command.name(),
            Self::Typing(_) => "autocomplete",
            Self::Stale => "component",
            Self::Unknown => "unknown",
        }
    }
}

/// A response and its outcome in metrics.
pub(super) struct Answer {
    reply: Reply,
    outcome: &'static str,
}

impl Answer {
    /// Too many interactions are in progress.
    pub(super) fn busy(language: Language) -> Self {
        Self::refused("busy", "error-busy", language)
    }

    /// The user uses the command too often.
    pub(super) fn flooded(until: SystemTime, language: Language) -> Self {
        let since = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let until = format!("<t:{}:R>", since.as_secs() + 1);
        Self::said(
            "flood",
            language.filled("error-flood", &[("until", until.into())]),
        )
    }

    fn refused(outcome: &'static str, key: &str, language: Language) -> Self {
        Self::said(outcome, language.text(key))
    }

    fn said(outcome: &'static str, text: String) -> Self {
        Self {
            reply: Reply::private(text),
            outcome,
        }
    }

    fn of(result: Result<Reply, CommandError>, command: &'static str, language: Language) -> Self {
        let refusal = match result {
            Ok(reply) => return Self { reply, outcome: "ok" },
            Err(refusal) => refusal,
        };
        match refusal {
            CommandError::Store(error) => {
                tracing::warn!(%error, command, "a command could not use the database");
                let text = if error.is_unavailable() {
                    "error-away"
                } else {
                    "error-broken"
                };
                Self::refused("database", text, language)
            }
            CommandError::Rest(error) => {
                tracing::warn!(%error, command, "a command could not use Discord's API");
                Self::said("rest", error.in_words(language))
            }
            CommandError::ServerOnly => Self::refused("server_only", "error-server-only", language),
            CommandError::Stale => Self::refused("stale", "error-stale", language),
            CommandError::Option(BadOption(option)) => {
                let text = language.filled("error-option", &[("option", option.into())]);
                Self::said("bad_option", text)
            }
            CommandError::Permission(missing) => {
                let values = [("permission", permission(missing, language).into())];
                Self::said("permission", language.filled("error-permission", &values))
            }
            CommandError::Denied(denial) => Self::said("permission", denial.in_words(language)),
            CommandError::Said(text) => Self::said("refused", text),
        }
    }
}

/// What is needed to send a response.
#[derive(Clone)]
pub(super) struct To {
    id: Id<InteractionMarker>,
    application_id: Id<ApplicationMarker>,
    token: String,
    /// The message of a text command.
    text_command: Option<text_command::Message>,
    /// The command, as a label.
    command: &'static str,
}

impl fmt::Debug for To {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token must not be shown.
        formatter
            .debug_struct("To")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl To {
    pub(super) fn of(payload: &InteractionPayload, command: &'static str) -> Self {
        Self {
            id: payload.id,
            application_id: payload.application_id,
            token: payload.token.clone(),
            text_command: payload.text_command,
            command,
        }
    }
}

/// Respond in time, either with a refusal or with the command's result. Returns the outcome.
pub(super) async fn answer(
    services: &Services,
    mut context: CommandContext,
    found: Found,
    declined: Option<Answer>,
) -> &'static str {
    let to = To::of(&context.payload, found.label());
    if let Some(declined) = declined {
        if to.text_command.is_some() {
            // For a text command, this would be visible to everyone in the channel.
            return declined.outcome;
        }
        return match found {
            Found::Typing(_) => first(services, &to, reply::choices(Vec::new()), declined.outcome).await,
            _ => first_answer(services, &to, declined).await,
        };
    }
    settle_language(services, &mut context, found).await;
    let language = context.language;
    let deferred = Arc::clone(&context.deferred);
    match found {
        Found::Command(command) => {
            let promise = reply::deferred(command.is_private());
            if let Some(bad) = services.commands.unusable(command, &context.payload) {
                let answer = Answer::of(Err(bad.into()), command.name(), language);
                return first_answer(services, &to, answer).await;
            }
            let work = command.run(&mut context, services);
            finish(services, &to, command.name(), promise, language, work, &deferred).await
        }
        Found::Menu(command) => {
            let work = command.chosen(&mut context, services);
            finish(
                services,
                &to,
                command.name(),
                reply::deferred(true),
                language,
                work,
                &deferred,
            )
            .await
        }
        Found::Press(command) => {
            // A form that was opened by a command has no message to be updated.
            let promise = if context.payload.is_from_message() {
                reply::deferred_update()
            } else {
                reply::deferred(command.is_private())
            };
            let work = command.component(&mut context, services);
            finish(services, &to, command.name(), promise, language, work, &deferred).await
        }
        Found::Typing(command) => {
            let work = timeout(TYPING_PATIENCE, command.autocomplete(&mut context, services)).await;
            let (choices, outcome) = match work {
                Ok(Ok(choices)) => (choices, "ok"),
                Ok(Err(refusal)) => {
                    let answer = Answer::of(Err(refusal), command.name(), language);
                    (Vec::new(), answer.outcome)
                }
                Err(_elapsed) => (Vec::new(), "timeout"),
            };
            first(services, &to, reply::choices(choices), outcome).await
        }
        Found::Stale => first_answer(services, &to, Answer::refused("stale", "error-stale", language)).await,
        Found::Unknown if context.payload.kind == kind::AUTOCOMPLETE => {
            first(services, &to, reply::choices(Vec::new()), "unknown").await
        }
        Found::Unknown => {
            first_answer(
                services,
                &to,
                Answer::refused("unknown", "error-unknown", language),
            )
            .await
        }
    }
}

/// Choose the language of the response. A private response is in the user's language, a public one in the server's, because others read it
/// too. If there is no catalogue or no setting, the other one is used, and then Discord's language of the server.
async fn settle_language(services: &Services, context: &mut CommandContext, found: Found) {
    let own = context.payload.own_language();
    let Some(guild_id) = context.payload.guild_id else {
        return;
    };
    if own.is_some() && !found.is_public() {
        return;
    }
    let chosen = match services.settings.cached(guild_id) {
        Some(settings) => settings.language,
        None => match timeout(LANGUAGE_PATIENCE, services.settings.of(&services.store, guild_id)).await {
            Ok(Ok(settings)) => settings.language,
            // An unavailable database is reported by the command, if it needs the database.
            Ok(Err(_)) | Err(_) => None,
        },
    };
    context.language = chosen.unwrap_or_else(|| context.payload.language());
}

/// Respond with the result of `work`: immediately if it is fast, otherwise after a deferred response.
async fn finish(
    services: &Services,
    to: &To,
    command: &'static str,
    promise: InteractionResponse,
    language: Language,
    mut work: BoxFuture<'_, Result<Reply, CommandError>>,
    deferred: &Deferred,
) -> &'static str {
    if let Some(message) = to.text_command {
        let answer = match timeout(LIMIT, work).await {
            Ok(result) => Answer::of(result, command, language),
            Err(_elapsed) => Answer::refused("timeout", "error-away", language),
        };
        let mut sent = reply_to(services, message, answer.reply.clone()).await;
        if let Some(words) = instead(&sent, to, &answer.reply) {
            sent = reply_to(services, message, words).await;
        }
        return sent.map_or_else(|error| failed(&error, to), |()| answer.outcome);
    }
    if let Ok(result) = timeout(PATIENCE, &mut work).await {
        return first_answer(services, to, Answer::of(result, command, language)).await;
    }
    let is_update = promise.kind == InteractionResponseType::DeferredUpdateMessage;
    if let Err(error) = respond(services, to, &promise).await {
        return failed(&error, to);
    }
    let mut answer = match timeout(LIMIT, work).await {
        Ok(result) => Answer::of(result, command, language),
        Err(_elapsed) => Answer::refused("timeout", "error-away", language),
    };
    if matches!(answer.reply.shape, Shape::Modal { .. }) {
        // Discord only accepts a modal as the first response.
        answer = Answer::refused("timeout", "error-slow", language);
    }
    let is_follow_up = is_update && answer.reply.shape != Shape::Update;
    if is_follow_up {
        // It would replace the message with the button instead of this answer.
        *deferred.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
    let hand_over = async |reply: Reply| {
        if is_follow_up {
            follow_up(services, to, reply).await
        } else {
            edit(services, to, reply).await
        }
    };
    let mut sent = hand_over(answer.reply.clone()).await;
    if let Some(words) = instead(&sent, to, &answer.reply) {
        sent = hand_over(words).await;
    }
    sent.map_or_else(|error| failed(&error, to), |()| answer.outcome)
}

/// What to send instead of a response that Discord rejected, perhaps because of its files or embeds: if the bot lacks *Attach Files* or
/// *Embed Links*, that is a 403, and a large body can cause a 413 or 5xx that a small one does not.
fn instead<T>(sent: &Result<T, RestError>, to: &To, reply: &Reply) -> Option<Reply> {
    let error = sent.as_ref().err()?;
    let could_be_the_files = match error {
        RestError::Refused { status, code, .. } => {
            matches!(status, 400 | 403 | 413) && *code != Some(ALREADY_ACKNOWLEDGED)
        }
        RestError::Unavailable { .. } => true,
        _ => false,
    };
    let words = reply.in_words().filter(|_| could_be_the_files)?;
    tracing::info!(%error, command = to.command, "an answer was not accepted; sending it without files and embeds");
    Some(words)
}

/// Reply to a message. A second reply to the same message has the same nonce, so Discord recognizes it.
#[expect(clippy::disallowed_methods, reason = "it is fitted")]
async fn reply_to(
    services: &Services,
    message: text_command::Message,
    reply: Reply,
) -> Result<(), RestError> {
    /// Fields that twilight's builder does not know are sent in addition to those of the builder.
    #[derive(Serialize)]
    struct Body<'a> {
        content: &'a str,
        embeds: &'a [Embed],
        components: &'a [Component],
        nonce: String,
        enforce_nonce: bool,
        allowed_mentions: AllowedMentions,
        message_reference: serde_json::Value,
    }
    let reply = reply.fitted();
    let body = Body {
        content: &reply.content,
        embeds: &reply.embeds,
        components: &reply.components,
        nonce: message.id.to_string(),
        enforce_nonce: true,
        allowed_mentions: AllowedMentions::default(),
        message_reference: serde_json::json!({"message_id": message.id.to_string(), "fail_if_not_exists": false}),
    };
    let body = serde_json::to_vec(&body).expect("texts and numbers are JSON");
    let mut request = services
        .rest
        .builders()
        .create_message(message.channel_id)
        .payload_json(&body);
    if !reply.files.is_empty() {
        request = request.attachments(&reply.files);
    }
    services.rest.send(Priority::Command, request).await.map(drop)
}

/// Replace the deferred response.
#[expect(clippy::disallowed_methods, reason = "it is fitted")]
pub(super) async fn edit(services: &Services, to: &To, reply: Reply) -> Result<(), RestError> {
    let reply = reply.fitted();
    let client = services.rest.builders().interaction(to.application_id);
    let nobody = AllowedMentions::default();
    let mut request = client
        .update_response(&to.token)
        .allowed_mentions(Some(&nobody))
        .content(Some(&reply.content))
        .embeds(Some(&reply.embeds))
        .components(Some(&reply.components));
    if !reply.files.is_empty() {
        request = request.attachments(&reply.files);
    }
    services.rest.send(Priority::Interaction, request).await.map(drop)
}

/// Send the result as a new message, if the deferred response was for a different one.
#[expect(clippy::disallowed_methods, reason = "it is fitted")]
async fn follow_up(services: &Services, to: &To, reply: Reply) -> Result<(), RestError> {
    let reply = reply.fitted();
    let client = services.rest.builders().interaction(to.application_id);
    let nobody = AllowedMentions::default();
    let mut request = client
        .create_followup(&to.token)
        .allowed_mentions(Some(&nobody))
        .content(&reply.content)
        .embeds(&reply.embeds)
        .components(&reply.components)
        .attachments(&reply.files);
    if reply.is_private() {
        request = request.flags(MessageFlags::EPHEMERAL);
    }
    services.rest.send(Priority::Interaction, request).await.map(drop)
}

async fn first_answer(services: &Services, to: &To, answer: Answer) -> &'static str {
    let Answer { reply, outcome } = answer;
    // If the first attempt was accepted, Discord says so in its response to the second one.
    let mut response = reply.clone().into_response();
    limits::response(&mut response);
    let sent = respond(services, to, &response).await;
    match instead(&sent, to, &reply) {
        Some(words) => first(services, to, words.into_response(), outcome).await,
        None => sent.map_or_else(|error| failed(&error, to), |()| outcome),
    }
}

/// Send the first response. Returns the outcome.
async fn first(
    services: &Services,
    to: &To,
    mut response: InteractionResponse,
    outcome: &'static str,
) -> &'static str {
    limits::response(&mut response);
    let sent = respond(services, to, &response).await;
    sent.map_or_else(|error| failed(&error, to), |()| outcome)
}

#[expect(
    clippy::disallowed_methods,
    reason = "an answer is fitted, and a promise has no text"
)]
async fn respond(services: &Services, to: &To, response: &InteractionResponse) -> Result<(), RestError> {
    let client = services.rest.builders().interaction(to.application_id);
    let request = client.create_response(to.id, &to.token, response);
    services.rest.send(Priority::Interaction, request).await.map(drop)
}

/// Discord's error code for a second first response.
const ALREADY_ACKNOWLEDGED: u64 = 40_060;

fn failed(error: &RestError, to: &To) -> &'static str {
    if matches!(
        error,
        RestError::Refused {
            code: Some(ALREADY_ACKNOWLEDGED),
            ..
        }
    ) {
        return "answered_before";
    }
    tracing::warn!(%error, command = to.command, "an interaction could not be answered");
    "unanswered"
}
