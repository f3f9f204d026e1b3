//! What a feature says of its effects: their data, and how they are delivered.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use twilight_model::id::{Id, marker::GuildMarker};

use super::{
    delivery::Deliverer,
    failures,
    message::target_of,
    outcome::{Failure, Outcome, Reason},
    queue::Waiting,
};
use crate::{
    discord::guilds::Changes,
    postgres::{StoreError, Tx},
};

/// The data of an effect, which stands in `outbox.body`.
pub trait EffectBody: Serialize + DeserializeOwned {
    /// The word in `outbox.kind`.
    const KIND: &'static str;

    /// As JSON.
    fn json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts are JSON")
    }
}

/// What a failure leads to, because others came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    Nothing,
    /// The kind was switched off in the server.
    SwitchedOff,
    /// Nothing of the kind is sent to the channel for some time.
    ChannelSkipped,
}

/// A kind of effect. Its feature implements it.
pub(crate) trait EffectKind: fmt::Debug + Send + Sync {
    /// The word in `outbox.kind`, which is a label of metrics as well.
    fn name(&self) -> &'static str;

    /// Deliver an effect.
    fn deliver<'a>(&'a self, to: &'a Deliverer, effect: &'a Waiting) -> BoxFuture<'a, Outcome>;

    /// How long delivery is tried.
    fn max_age(&self, configured: Duration) -> Duration {
        configured
    }

    /// What belongs to the transaction that gives an effect up.
    fn given_up<'a>(
        &'a self,
        _tx: &'a Tx<'_>,
        _effect: &'a Waiting,
        _failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    /// Count a failure that is for the server's staff to put right; `limit` in a row may have a consequence.
    fn count_failure<'a>(
        &'a self,
        tx: &'a Tx<'_>,
        effect: &'a Waiting,
        failure: &'a Failure,
        _limit: i64,
    ) -> BoxFuture<'a, Result<Consequence, StoreError>> {
        Box::pin(async move {
            let reason = failure.reason.as_str();
            failures::record(tx, effect.guild_id, self.name(), failure.target_id, reason).await?;
            Ok(Consequence::Nothing)
        })
    }

    /// The kind was switched off in a guild: what this process remembers of it is old.
    fn forget(&self, _guild_id: Id<GuildMarker>) {}

    /// Roles or channels have changed on Discord. What waited for that may be due.
    fn guilds_changed<'a>(
        &'a self,
        _to: &'a Deliverer,
        _changes: &'a Changes,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

/// The kinds that this version knows. A clone is another handle to the same.
#[derive(Clone, Debug)]
pub struct EffectKinds(Arc<[Box<dyn EffectKind>]>);

impl EffectKinds {
    pub(crate) fn new(kinds: Vec<Box<dyn EffectKind>>) -> Self {
        Self(kinds.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn EffectKind> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The kind of this word; `None` for one that this version does not know.
    pub(crate) fn find(&self, word: &str) -> Option<&dyn EffectKind> {
        self.iter().find(|kind| kind.name() == word)
    }

    /// The kind as a label: one that this version does not know is `unknown`.
    pub(crate) fn label(&self, word: &str) -> &'static str {
        self.find(word).map_or("unknown", EffectKind::name)
    }
}

/// The data of an effect.
///
/// # Errors
///
/// It is not what the kind asks for: the outcome.
pub(crate) fn body_of<T: EffectBody>(effect: &Waiting) -> Result<T, Outcome> {
    serde_json::from_str(&effect.body).map_err(|_error| {
        Outcome::Failed(Failure {
            reason: Reason::Invalid,
            detail: "outbox.body is not what its kind asks for".to_owned(),
            target_id: target_of(effect),
        })
    })
}
