//! The entry of the log channel about a new case. The case then knows the message.

use serde::{Deserialize, Serialize};
use twilight_model::channel::message::AllowedMentions;

use crate::{
    features::moderation::rows::outcome,
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind},
        message::send_for_id,
        outcome::Outcome,
        queue::Waiting,
    },
};

/// The entry about a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseLog {
    /// The number of the case.
    pub case_id: i64,
    /// The text, in the guild's language.
    pub text: String,
}

impl EffectBody for CaseLog {
    const KIND: &'static str = "mod_case_log";
}

/// Sends these entries.
#[derive(Debug)]
pub(crate) struct CaseLogs;

impl EffectKind for CaseLogs {
    type Body = CaseLog;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, entry: CaseLog) -> Outcome {
        deliver(to, effect, &entry).await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, entry: &CaseLog) -> Outcome {
    let message_id = match send_for_id(to, effect, &entry.text, AllowedMentions::default()).await {
        Ok(message_id) => message_id,
        Err(outcome) => return outcome,
    };
    if let Some((channel_id, message_id)) = effect.channel_id.zip(message_id) {
        let case = (effect.guild_id, entry.case_id);
        to.retry_until_committed("noting the entry of a case", || {
            outcome::logged(&to.store, case, channel_id, message_id)
        })
        .await;
    }
    Outcome::Delivered
}
