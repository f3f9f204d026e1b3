//! Editing the entry of the log channel about a case, so that it shows the case as it is. An entry that staff deleted is not written again.

use serde::{Deserialize, Serialize};
use twilight_model::id::{
    Id,
    marker::{ChannelMarker, MessageMarker},
};

use crate::{
    features::moderation::{
        kind::Kind,
        log_text,
        rows::{
            case::{self, Case, Key},
            case_note, log_message, warning,
        },
        warnings::Warned,
    },
    outbox::{
        delivery::Deliverer,
        kind::{EffectBody, EffectKind, Owner},
        message,
        outcome::Undelivered,
        queue::{self, NewEffect, Waiting},
    },
    postgres::{Store, StoreError, Tx, request},
    support::i18n::Language,
};

/// An entry to be edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseLogEdit {
    /// The number of the case.
    pub case_id: i64,
    /// The message.
    pub message_id: Id<MessageMarker>,
    /// How often the case has changed; a later change is shown by an effect of its own.
    pub revision: i64,
    /// The language of the entry, as one of Discord's locales, for a case that was deleted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub locale: String,
}

impl EffectBody for CaseLogEdit {
    const KIND: &'static str = "mod_case_log_edit";
    const OWNER: Owner = Owner::Staff;
}

/// Edits these entries.
#[derive(Debug)]
pub(crate) struct CaseLogEdits;

impl EffectKind for CaseLogEdits {
    type Body = CaseLogEdit;

    async fn deliver(&self, to: &Deliverer, effect: &Waiting, edit: CaseLogEdit) -> Result<(), Undelivered> {
        let text = text(&to.store, effect, &edit).await?;
        let text = text.ok_or(Undelivered::Cancelled)?;
        message::edit(to, effect, edit.message_id, &text).await
    }
}

/// A case has changed in a way that its entry shows. Returns the effect, if it has an entry.
pub(in crate::features::moderation) async fn changed(
    tx: &Tx<'_>,
    key: Key,
) -> Result<Option<NewEffect>, StoreError> {
    let message = log_message::changed(tx, key).await?;
    Ok(message.map(|message| of(key, (message.channel_id, message.message_id), message.revision)))
}

/// Add what follows in the log channel when a case has changed: its entry shows the change, and `entry` says who made it.
pub(in crate::features::moderation) async fn add(
    tx: &Tx<'_>,
    key: Key,
    entry: Option<NewEffect>,
) -> Result<(), StoreError> {
    let effects: Vec<_> = changed(tx, key).await?.into_iter().chain(entry).collect();
    queue::add(tx, &effects).await
}

/// The effect for this change of a case.
pub(super) fn of(
    (guild_id, case_id): Key,
    (channel_id, message_id): (Id<ChannelMarker>, Id<MessageMarker>),
    revision: i64,
) -> NewEffect {
    let edit = CaseLogEdit {
        case_id,
        message_id,
        revision,
        locale: String::new(),
    };
    NewEffect::for_channel(guild_id, channel_id, &edit)
}

/// The effect for a case that is deleted, if it has an entry.
pub(in crate::features::moderation) fn of_deletion(key: Key, case: &Case) -> Option<NewEffect> {
    let locale = case.log_locale.as_deref().unwrap_or_default();
    case.log.map(|message| of_deleted(key, message, locale))
}

/// The effect for a case that was deleted.
pub(super) fn of_deleted(
    (guild_id, case_id): Key,
    (channel_id, message_id): (Id<ChannelMarker>, Id<MessageMarker>),
    locale: &str,
) -> NewEffect {
    let edit = CaseLogEdit {
        case_id,
        message_id,
        revision: i64::MAX,
        locale: locale.to_owned(),
    };
    NewEffect::for_channel(guild_id, channel_id, &edit)
}

/// What the entry says from now on; `None` if a later effect changes it.
async fn text(store: &Store, effect: &Waiting, edit: &CaseLogEdit) -> Result<Option<String>, StoreError> {
    let key = (effect.guild_id, edit.case_id);
    let Some(case) = case::get(store, key).await? else {
        let language = Language::of_stored(&edit.locale);
        let values = [("case", edit.case_id.to_string().into())];
        return Ok(Some(language.filled("case-log-deleted", &values)));
    };
    if case.log_revision > edit.revision {
        return Ok(None);
    }
    let language = Language::of_stored(case.log_locale.as_deref().unwrap_or_default());
    let (_, notes) = case_note::newest(store, key, 1).await?;
    let warning = if case.kind == Some(Kind::Warning) {
        warning::read(store, key.0, key.1).await?
    } else {
        None
    };
    let warned = request::result_about(store, key.0, key.1, "warn").await?;
    let warned: Option<Warned> = warned.and_then(|warned| serde_json::from_str(&warned).ok());
    let warning = warning.as_ref().map(|warning| (warning, warned.as_ref()));
    let punishment = warning::outcomes(store, key).await?.action;
    let besides = (punishment.as_deref(), notes);
    Ok(Some(log_text::of(language, &case, warning, besides)))
}
