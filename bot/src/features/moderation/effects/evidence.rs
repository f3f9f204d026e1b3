//! Uploading evidence into the log channel. The case then has a note with the link to the message.

use serde::{Deserialize, Serialize};
use twilight_model::{
    http::attachment::Attachment,
    id::{
        Id,
        marker::{ChannelMarker, InteractionMarker, MessageMarker, UserMarker},
    },
};

use super::case_log_edit;
use crate::{
    discord::rest::file::NoFile,
    features::moderation::{
        Act,
        evidence::{Evidence, LARGEST},
        rows::{
            case::{self, Key},
            case_note, mod_case,
        },
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        message::{send, send_file},
        outcome::{Failure, Undelivered},
        queue::{self, NewEffect, Waiting},
        trouble,
    },
    postgres::{StoreError, Tx},
    settings::{Settings, mod_log::GuildLog},
    support::i18n::Language,
};

/// A file to be kept with a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEvidence {
    /// The number of the case.
    pub case_id: i64,
    /// The file.
    pub evidence: Evidence,
    /// The interaction that gave it, which is the ID of the note.
    pub request_id: Id<InteractionMarker>,
    /// The moderator who gave it, with their name.
    pub author_id: Id<UserMarker>,
    /// The author's name.
    pub author_name: Option<String>,
    /// The guild's language, as one of Discord's locales.
    pub locale: String,
}

impl CaseEvidence {
    fn text(&self, key: &str) -> String {
        let values = [
            ("case", self.case_id.to_string().into()),
            ("moderator", self.author_id.to_string().into()),
        ];
        Language::of_stored(&self.locale).filled(key, &values)
    }
}

/// The effect that keeps a file with a case, in the transaction of an interaction. The guild must have a log channel.
pub(in crate::features::moderation) fn upload(
    log: &GuildLog,
    (act, case_id): (&Act, i64),
    (evidence, author_name): (Option<&Evidence>, Option<&str>),
) -> Option<NewEffect> {
    let evidence = evidence?;
    log.entry_as(|language| CaseEvidence {
        case_id,
        evidence: evidence.clone(),
        request_id: act.interaction_id,
        author_id: act.moderator_id,
        author_name: author_name.map(str::to_owned),
        locale: language.code().to_owned(),
    })
}

impl EffectBody for CaseEvidence {
    const KIND: &'static str = "mod_evidence";
    const OWNER: Owner = Owner::Staff;
}

/// Uploads evidence.
#[derive(Debug)]
pub(crate) struct CaseEvidences(pub(crate) Settings);

impl EffectKind for CaseEvidences {
    type Body = CaseEvidence;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, body: CaseEvidence) -> Result<(), Undelivered> {
        deliver(to, effect, &body).await
    }

    /// Staff learn why, if another channel is the log channel by now.
    async fn given_up(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        body: CaseEvidence,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        let language = Language::of_stored(&body.locale);
        let log = GuildLog::of(tx, &self.0, effect.guild_id, language).await?;
        let entry = log.entry(|language| {
            let values = [
                ("case", body.case_id.to_string().into()),
                ("moderator", body.author_id.to_string().into()),
                ("why", trouble::in_words(&failure.detail, language).into()),
            ];
            language.filled("evidence-log-failed", &values)
        });
        queue::add(tx, entry.as_slice()).await
    }
}

async fn deliver(to: &Deliverer, effect: &Waiting, body: &CaseEvidence) -> Result<(), Undelivered> {
    let key = (effect.guild_id, body.case_id);
    let channel_id = effect.channel()?;
    if case::get(&to.store, key).await?.is_none() {
        return Err(Undelivered::Cancelled);
    }
    let content = match to.rest.file(&body.evidence.path, LARGEST).await {
        Ok(content) => content,
        Err(NoFile::Later) => {
            return Err(Undelivered::Later {
                why: "the file cannot be read now".to_owned(),
                after: None,
            });
        }
        // It was delivered so late that the link has expired.
        Err(NoFile::Gone | NoFile::TooLarge) => {
            let nobody = twilight_model::channel::message::AllowedMentions::default();
            return send(to, effect, &body.text("evidence-gone"), nobody).await;
        }
    };
    let file = Attachment::from_bytes(body.evidence.name.clone(), content.to_vec(), 1);
    let message_id = send_file(to, effect, &body.text("evidence-message"), file).await?;
    if let Some(message_id) = message_id {
        to.retry_until_committed("noting evidence", || {
            let body = body.clone();
            to.store.transaction("mod_evidence_note", move |tx| {
                Box::pin(async move { note(tx, key, (channel_id, message_id), &body).await })
            })
        })
        .await;
    }
    Ok(())
}

/// Add the note to the case, unless it was deleted meanwhile.
async fn note(
    tx: &Tx<'_>,
    key: Key,
    (channel_id, message_id): (Id<ChannelMarker>, Id<MessageMarker>),
    body: &CaseEvidence,
) -> Result<(), StoreError> {
    mod_case::lock(tx, key.0).await?;
    if case::get_in(tx, key).await?.is_none() {
        return Ok(());
    }
    let name = &body.evidence.name;
    let note = format!(
        "📎 {name}: https://discord.com/channels/{}/{channel_id}/{message_id}",
        key.0
    );
    let new = case_note::New {
        note_id: body.request_id,
        author_id: body.author_id,
        author_name: body.author_name.as_deref(),
        note: &note,
    };
    if case_note::add(tx, key, new).await? {
        case_log_edit::add(tx, key, None).await?;
    }
    Ok(())
}
