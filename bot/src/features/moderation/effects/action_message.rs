//! Notifying a member by direct message before an action, since the bot may share no server with them afterwards, and when the end of their
//! punishment has changed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use twilight_model::id::{Id, marker::UserMarker};

use super::wording::{Facts, Wording};
use crate::{
    features::moderation::{
        LONGEST_QUOTATION,
        kind::Kind,
        rows::{case, outcome},
        texts,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        message::{send_direct, server_of},
        outcome::Undelivered,
        queue::Waiting,
    },
    postgres::StoreError,
    support::{
        i18n::Language,
        ids,
        text::{limits::add_line, names::Name},
    },
};

/// How long the action waits for its message.
const PATIENCE: Duration = Duration::from_secs(10);

/// The message to the member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionMessage {
    /// The kind of the case.
    pub kind: Kind,
    /// The number of the case.
    pub case_id: i64,
    /// The reason; empty for none.
    pub reason: String,
    /// When the punishment ends, in milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// The moderator, if the guild shows moderators to members.
    pub moderator_id: Option<Id<UserMarker>>,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
    /// The guild's own words.
    #[serde(default, skip_serializing_if = "Wording::is_usual")]
    pub wording: Wording,
    /// Whether the punishment runs already, and has another end now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_end: bool,
    /// Where the user can appeal; `None` for nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal_url: Option<String>,
}

impl EffectBody for ActionMessage {
    const KIND: &'static str = "mod_message";
    const OWNER: Owner = Owner::Staff;
}

/// Sends these messages.
#[derive(Debug)]
pub(crate) struct ActionMessages;

impl EffectKind for ActionMessages {
    type Body = ActionMessage;

    async fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        message: ActionMessage,
    ) -> Result<(), Undelivered> {
        deliver(to, effect, &message).await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, message: &ActionMessage) -> Result<(), Undelivered> {
    if message.new_end {
        if !is_still_so(to, effect, message).await? {
            // Discord has refused it, or it was changed once more.
            return Err(Undelivered::Cancelled);
        }
        return attempt(to, effect, message).await;
    }
    let (word, delivered) = match attempt(to, effect, message).await {
        Ok(()) => ("delivered", Ok(())),
        // Discord is slow or limits the bot: the member can wait for the message, but the action cannot wait for long.
        Err(Undelivered::Later { why, after })
            if effect.age < PATIENCE && after.is_none_or(|after| after < PATIENCE) =>
        {
            return Err(Undelivered::Later { why, after });
        }
        // The member accepts no messages from bots, or is gone: an expected outcome and not an error.
        Err(_) => ("closed", Err(Undelivered::Cancelled)),
    };
    let case = (effect.guild_id, message.case_id);
    to.retry_until_committed("noting what became of a message", || {
        outcome::message(&to.store, case, word)
    })
    .await;
    delivered
}

/// Whether the punishment runs and has the end that the message names.
async fn is_still_so(to: &Deliverer, effect: &Waiting, message: &ActionMessage) -> Result<bool, StoreError> {
    let case = case::get(&to.store, (effect.guild_id, message.case_id)).await?;
    let case = case.filter(|case| case.ended_at.is_none() && case.removed_at.is_none());
    Ok(case.is_some_and(|case| case.ends_at.map(ids::to_millis) == message.until_ms))
}

pub(super) async fn attempt(
    to: &Deliverer,
    effect: &Waiting,
    message: &ActionMessage,
) -> Result<(), Undelivered> {
    let server = server_of(to, effect).await?;
    let usual = || text(message, &server);
    let content = effect.user_id.map_or_else(usual, |user_id| {
        let facts = Facts {
            user_id,
            server: &server,
            case_id: message.case_id,
            reason: &message.reason,
            until: message.until_ms.map(ids::to_time),
        };
        message.wording.apply(&facts, usual)
    });
    let content = with_appeal(content, (message.appeal_url.as_deref(), &message.locale));
    send_direct(to, effect, &content).await
}

/// A message about a ban, with the address at which the user can appeal, if there is one. However long the rest is, that is not cut off.
pub(super) fn with_appeal(mut content: String, (url, locale): (Option<&str>, &str)) -> String {
    if let Some(url) = url {
        let language = Language::of_stored(locale);
        let line = language.filled("action-direct-appeal", &[("url", url.into())]);
        add_line(&mut content, &line);
    }
    content
}

fn text(message: &ActionMessage, server: &Name) -> String {
    let language = Language::of_stored(&message.locale);
    let until = message
        .until_ms
        .map_or_else(String::new, |until| texts::moment(ids::to_time(until)));
    let values = [
        ("server", server.in_markdown().into()),
        ("case", message.case_id.to_string().into()),
        ("until", until.into()),
    ];
    if message.new_end {
        let key = if message.until_ms.is_some() {
            "action-direct-end"
        } else {
            "action-direct-end-never"
        };
        let kind = texts::kind(language, message.kind);
        let [server, case, until] = values;
        return by(
            message,
            language.filled(key, &[server, case, until, ("kind", kind.into())]),
        );
    }
    let key = match message.kind {
        Kind::Ban => "action-direct-ban",
        Kind::Tempban => "action-direct-tempban",
        Kind::Softban => "action-direct-softban",
        Kind::Kick => "action-direct-kick",
        Kind::Timeout => "action-direct-timeout",
        Kind::Warning | Kind::Unban | Kind::Untimeout | Kind::Note => "action-direct-other",
    };
    let mut text = language.filled(key, &values);
    text.push('\n');
    text.push_str(&texts::reason(language, &message.reason, LONGEST_QUOTATION));
    by(message, text)
}

/// A text with the moderator, if the guild shows moderators.
fn by(message: &ActionMessage, mut text: String) -> String {
    if let Some(moderator_id) = message.moderator_id {
        let language = Language::of_stored(&message.locale);
        let moderator = ("moderator", moderator_id.to_string().into());
        text.push('\n');
        text.push_str(&language.filled("action-direct-by", &[moderator]));
    }
    text
}

#[cfg(test)]
mod tests;
