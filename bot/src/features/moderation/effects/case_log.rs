//! The entry of the log channel about a new case. The case then knows the message.

use serde::{Deserialize, Serialize};
use twilight_model::{
    channel::message::AllowedMentions,
    id::{
        Id,
        marker::{ChannelMarker, MessageMarker},
    },
};

use super::case_log_edit;
use crate::{
    features::moderation::rows::{
        case::{self, Key},
        log_message,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        message::send_for_id,
        outcome::Undelivered,
        queue::{self, Waiting},
    },
    postgres::{StoreError, Tx},
};

/// The entry about a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseLog {
    /// The number of the case.
    pub case_id: i64,
    /// The text, in the guild's language.
    pub text: String,
    /// That language, as one of Discord's locales.
    #[serde(default)]
    pub locale: String,
}

impl EffectBody for CaseLog {
    const KIND: &'static str = "mod_case_log";
    const OWNER: Owner = Owner::Staff;
}

/// Sends these entries.
#[derive(Debug)]
pub(crate) struct CaseLogs;

impl EffectKind for CaseLogs {
    type Body = CaseLog;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, entry: CaseLog) -> Result<(), Undelivered> {
        deliver(to, effect, entry).await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, entry: CaseLog) -> Result<(), Undelivered> {
    let key = (effect.guild_id, entry.case_id);
    if case::get(&to.store, key).await?.is_none() {
        // It was deleted before its message was sent.
        return Err(Undelivered::Cancelled);
    }
    let message_id = send_for_id(to, effect, &entry.text, AllowedMentions::default()).await?;
    if let Some(message) = effect.channel_id.zip(message_id) {
        to.retry_until_committed("noting the entry of a case", || {
            let locale = entry.locale.clone();
            to.store.transaction("mod_case_logged", move |tx| {
                Box::pin(async move { posted(tx, key, message, &locale).await })
            })
        })
        .await;
    }
    Ok(())
}

/// Record the message. If the case has changed while it was sent, it is edited.
async fn posted(
    tx: &Tx<'_>,
    key: Key,
    message: (Id<ChannelMarker>, Id<MessageMarker>),
    locale: &str,
) -> Result<(), StoreError> {
    let revision = log_message::posted(tx, key, message, locale).await?;
    let edit = match revision {
        Some(0) => None,
        Some(revision) => Some(case_log_edit::of(key, message, revision)),
        None => Some(case_log_edit::of_deleted(key, message, locale)),
    };
    queue::add(tx, edit.as_slice()).await
}
