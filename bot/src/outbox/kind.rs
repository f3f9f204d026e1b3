//! The interface between features and the outbox: the data of effects and their delivery.

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

/// The data of an effect, stored in `outbox.body`.
pub trait EffectBody: Serialize + DeserializeOwned {
    /// The value of `outbox.kind`.
    const KIND: &'static str;

    /// The data as JSON.
    fn json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts are JSON")
    }
}

/// The consequence of repeated failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    Nothing,
    /// The kind was turned off in the guild.
    SwitchedOff,
    /// The channel is skipped for some time for this kind.
    ChannelSkipped,
}

/// A kind of effect, implemented by its feature.
pub(crate) trait EffectKind: fmt::Debug + Send + Sync {
    /// The value of `outbox.kind`, also used as a metric label.
    fn name(&self) -> &'static str;

    /// Deliver an effect.
    fn deliver<'a>(&'a self, to: &'a Deliverer, effect: &'a Waiting) -> BoxFuture<'a, Outcome>;

    /// How long delivery is attempted.
    fn max_age(&self, configured: Duration) -> Duration {
        configured
    }

    /// Extra work in the transaction that abandons an effect.
    fn given_up<'a>(
        &'a self,
        _tx: &'a Tx<'_>,
        _effect: &'a Waiting,
        _failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    /// Count a failure that administrators of the guild must fix; `limit` consecutive ones may have a consequence.
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

    /// The kind was turned off in a guild, so cached settings are outdated.
    fn forget(&self, _guild_id: Id<GuildMarker>) {}

    /// Roles or channels have changed on Discord. Effects that waited for such a change may be due.
    fn guilds_changed<'a>(
        &'a self,
        _to: &'a Deliverer,
        _changes: &'a Changes,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

/// The kinds known to this version. Clones share the same list.
#[derive(Clone, Debug)]
pub struct EffectKinds(Arc<[Box<dyn EffectKind>]>);

impl EffectKinds {
    pub(crate) fn new(kinds: Vec<Box<dyn EffectKind>>) -> Self {
        Self(kinds.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn EffectKind> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The kind with this name; `None` if this version does not know it.
    pub(crate) fn find(&self, word: &str) -> Option<&dyn EffectKind> {
        self.iter().find(|kind| kind.name() == word)
    }

    /// The kind as a label: `unknown` if this version does not know it.
    pub(crate) fn label(&self, word: &str) -> &'static str {
        self.find(word).map_or("unknown", EffectKind::name)
    }
}

/// Parse the data of an effect.
///
/// # Errors
///
/// The outcome, if the data does not have the form that the kind requires.
pub(crate) fn body_of<T: EffectBody>(effect: &Waiting) -> Result<T, Outcome> {
    serde_json::from_str(&effect.body).map_err(|_error| {
        Outcome::Failed(Failure {
            reason: Reason::Invalid,
            detail: "outbox.body is not what its kind asks for".to_owned(),
            target_id: target_of(effect),
        })
    })
}
