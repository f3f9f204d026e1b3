//! The interface between features and the outbox: the data of effects and their delivery.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    delivery::Deliverer,
    failures,
    message::target_of,
    outcome::{Failure, Reason, Undelivered},
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
    /// Whose effects of this kind are.
    const OWNER: Owner;

    /// The data as JSON.
    fn json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts are JSON")
    }
}

/// Whose an effect is. An export of a member's data shows their own effects while they wait, and an erasure deletes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The member's: it follows from their own data.
    Member,
    /// The staff's. A member must not escape a ban by an erasure, nor learn from an export who ordered it.
    Staff,
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
    /// The data of an effect.
    type Body: EffectBody + Send;

    /// Deliver an effect: `Ok` if Discord has accepted it.
    fn deliver(
        &self,
        to: &Deliverer,
        effect: &Waiting,
        body: Self::Body,
    ) -> impl Future<Output = Result<(), Undelivered>> + Send;

    /// How long delivery is attempted.
    fn max_age(&self, configured: Duration) -> Duration {
        configured
    }

    /// Extra work in the transaction that abandons an effect.
    fn given_up(
        &self,
        _tx: &Tx<'_>,
        _effect: &Waiting,
        _body: Self::Body,
        _failure: &Failure,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// Count a failure that administrators of the guild must fix; `limit` consecutive ones may have a consequence.
    fn count_failure(
        &self,
        tx: &Tx<'_>,
        effect: &Waiting,
        failure: &Failure,
        _limit: i64,
    ) -> impl Future<Output = Result<Consequence, StoreError>> + Send {
        async {
            let (kind, reason) = (Self::Body::KIND, failure.reason.as_str());
            failures::record(tx, effect.guild_id, kind, failure.target_id, reason).await?;
            Ok(Consequence::Nothing)
        }
    }

    /// Roles or channels have changed on Discord. Effects that waited for such a change may be due.
    fn guilds_changed(
        &self,
        _to: &Deliverer,
        _changes: &Changes,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }
}

/// An [`EffectKind`] of any type, for the lists of them: its futures are boxed, and it reads the data from the outbox.
pub(crate) trait AnyEffectKind: fmt::Debug + Send + Sync {
    /// The value of `outbox.kind`, also used as a metric label.
    fn name(&self) -> &'static str;

    /// Whose effects of this kind are.
    fn owner(&self) -> Owner;

    /// See [`EffectKind::deliver`].
    fn deliver<'a>(
        &'a self,
        to: &'a Deliverer,
        effect: &'a Waiting,
    ) -> BoxFuture<'a, Result<(), Undelivered>>;

    /// See [`EffectKind::max_age`].
    fn max_age(&self, configured: Duration) -> Duration;

    /// See [`EffectKind::given_up`]. Nothing, if the data cannot be read.
    fn given_up<'a>(
        &'a self,
        tx: &'a Tx<'_>,
        effect: &'a Waiting,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// See [`EffectKind::count_failure`].
    fn count_failure<'a>(
        &'a self,
        tx: &'a Tx<'_>,
        effect: &'a Waiting,
        failure: &'a Failure,
        limit: i64,
    ) -> BoxFuture<'a, Result<Consequence, StoreError>>;

    /// See [`EffectKind::guilds_changed`].
    fn guilds_changed<'a>(
        &'a self,
        to: &'a Deliverer,
        changes: &'a Changes,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl<K: EffectKind> AnyEffectKind for K {
    fn name(&self) -> &'static str {
        K::Body::KIND
    }

    fn owner(&self) -> Owner {
        K::Body::OWNER
    }

    fn deliver<'a>(
        &'a self,
        to: &'a Deliverer,
        effect: &'a Waiting,
    ) -> BoxFuture<'a, Result<(), Undelivered>> {
        Box::pin(async move {
            let body = body_of(effect)?;
            EffectKind::deliver(self, to, effect, body).await
        })
    }

    fn max_age(&self, configured: Duration) -> Duration {
        EffectKind::max_age(self, configured)
    }

    fn given_up<'a>(
        &'a self,
        tx: &'a Tx<'_>,
        effect: &'a Waiting,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            match body_of(effect) {
                Ok(body) => EffectKind::given_up(self, tx, effect, body, failure).await,
                Err(_unreadable) => Ok(()),
            }
        })
    }

    fn count_failure<'a>(
        &'a self,
        tx: &'a Tx<'_>,
        effect: &'a Waiting,
        failure: &'a Failure,
        limit: i64,
    ) -> BoxFuture<'a, Result<Consequence, StoreError>> {
        Box::pin(EffectKind::count_failure(self, tx, effect, failure, limit))
    }

    fn guilds_changed<'a>(
        &'a self,
        to: &'a Deliverer,
        changes: &'a Changes,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(EffectKind::guilds_changed(self, to, changes))
    }
}

/// The kinds known to this version. Clones share the same list.
#[derive(Clone, Debug)]
pub struct EffectKinds(Arc<[Box<dyn AnyEffectKind>]>);

impl EffectKinds {
    pub(crate) fn new(kinds: Vec<Box<dyn AnyEffectKind>>) -> Self {
        Self(kinds.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn AnyEffectKind> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The names of all kinds.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.iter().map(AnyEffectKind::name)
    }

    /// The kinds that are a member's own.
    pub(crate) fn of_members(&self) -> Vec<&'static str> {
        let own = self.iter().filter(|kind| kind.owner() == Owner::Member);
        own.map(AnyEffectKind::name).collect()
    }

    /// The kind with this name; `None` if this version does not know it.
    pub(crate) fn find(&self, word: &str) -> Option<&dyn AnyEffectKind> {
        self.iter().find(|kind| kind.name() == word)
    }

    /// The kind as a label: `unknown` if this version does not know it.
    pub(crate) fn label(&self, word: &str) -> &'static str {
        self.find(word).map_or("unknown", AnyEffectKind::name)
    }
}

/// Parse the data of an effect.
///
/// # Errors
///
/// If the data does not have the form that the kind requires.
fn body_of<T: EffectBody>(effect: &Waiting) -> Result<T, Undelivered> {
    serde_json::from_str(&effect.body).map_err(|_error| {
        Undelivered::Failed(Failure {
            reason: Reason::Invalid,
            detail: "outbox.body is not what its kind asks for".to_owned(),
            target_id: target_of(effect),
        })
    })
}
