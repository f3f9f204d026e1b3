//! Reactions: what follows on Discord from an event and what is stored, without rows of its own.
//!
//! A feature lists its reactions in its manifest. They share one part in a flush (`pipeline/reactions.rs`), which keeps each event until the
//! transaction that moves the checkpoint past it, so an event has its effects exactly once.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use twilight_gateway::Intents;
use twilight_model::{
    gateway::event::EventType,
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
};

use super::Flush;
use crate::{
    discord::events::{GuildEvent, message_create::Unreadable},
    postgres::StoreError,
};

/// A feature's answer to an event.
pub(crate) trait Reaction: Debug + Send + Sync {
    /// The event.
    type Event: GuildEvent;

    /// The name in quarantine, which never changes.
    const NAME: &'static str;

    /// Add the effects of an event to the flush. They depend only on the event and on what is stored.
    fn react(
        &self,
        event: Self::Event,
        flush: &mut Flush<'_, '_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// An event, read for a reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) guild_id: Id<GuildMarker>,
    pub(crate) user_id: Option<Id<UserMarker>>,
    /// The event as JSON.
    pub(crate) event: String,
}

/// A [`Reaction`] of any type, for the lists of them.
pub(crate) trait AnyReaction: Debug + Send + Sync {
    fn name(&self) -> &'static str;

    /// The event, and the intents that Discord requires for it.
    fn event(&self) -> (EventType, Intents);

    /// Read a gateway payload. `None` if nothing follows from it.
    fn read(&self, text: &str) -> Result<Option<Read>, Unreadable>;

    /// See [`Reaction::react`]. An event that this version cannot read has no effects.
    fn react<'f>(
        &'f self,
        event: &'f str,
        flush: &'f mut Flush<'_, '_>,
    ) -> BoxFuture<'f, Result<(), StoreError>>;
}

impl<R: Reaction> AnyReaction for R {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn event(&self) -> (EventType, Intents) {
        (R::Event::TYPE, R::Event::INTENTS)
    }

    fn read(&self, text: &str) -> Result<Option<Read>, Unreadable> {
        let event = R::Event::parse(text)?;
        Ok(event.is_relevant().then(|| Read {
            guild_id: event.guild_id(),
            user_id: event.user_id(),
            event: serde_json::to_string(&event).expect("IDs, numbers and texts are JSON"),
        }))
    }

    fn react<'f>(
        &'f self,
        event: &'f str,
        flush: &'f mut Flush<'_, '_>,
    ) -> BoxFuture<'f, Result<(), StoreError>> {
        Box::pin(async move {
            match serde_json::from_str(event) {
                Ok(event) => Reaction::react(self, event, flush).await,
                Err(_unreadable) => Ok(()),
            }
        })
    }
}
