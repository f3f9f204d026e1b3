//! The rank card: the image shown by `/rank`.
//!
//! A card is drawn from its content alone, with fonts embedded in the binary, so the same content gives the same image on every machine.
//! Drawing takes some milliseconds of CPU time: it runs on a blocking thread, one card at a time, and a request that would wait long is
//! refused at once. Finished cards are cached by content, and so are avatars.

pub mod avatar;
mod cache;
mod draw;
mod picture;
mod text;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout},
};
use twilight_model::id::Id;

pub use self::draw::{GROUND, HEIGHT, WIDTH};
use self::{
    avatar::{AvatarKey, Avatars},
    cache::Kept,
    text::Typesetter,
};
use crate::{interactions::Services, settings::values::colour::Colour, telemetry::metrics};

/// Cards drawn in parallel. More would take CPU time from the shards, and each needs its own typesetter.
const AT_ONCE: usize = 1;
/// The queue length; requests beyond it get text instead.
const WAITING: usize = 32;
/// The longest wait for a card.
const PATIENCE: Duration = Duration::from_millis(700);
/// Cache size for finished cards.
const KEPT_BYTES: usize = 16 << 20;

/// The content of a card. All text is already in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The display name in the guild.
    pub name: String,
    /// A label, and the level.
    pub level: (String, String),
    /// A label, and the rank among the guild's members.
    pub rank: (String, String),
    /// The number of messages.
    pub messages: String,
    /// XP within the level, and the XP that the level needs.
    pub xp: String,
    /// Progress within the level, in thousandths.
    pub done: u16,
    /// The colour of the bar and the level; lightened if it would not be visible.
    pub accent: Colour,
    /// The avatar; if it is missing or unreadable, a disc with the first letter of the name.
    pub avatar: Option<Portrait>,
    /// The colour of that disc.
    pub disc: Colour,
}

/// An avatar.
#[derive(Clone, PartialEq, Eq)]
pub struct Portrait {
    /// The key of the avatar.
    pub key: AvatarKey,
    /// The image.
    pub png: Bytes,
}

impl fmt::Debug for Portrait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Portrait")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Why a card could not be produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoCard {
    /// Too many cards are queued.
    #[error("too many cards are asked for")]
    Busy,
    /// Drawing failed.
    #[error("the card could not be drawn")]
    Failed,
}

impl Card {
    /// A digest of the content, used as the cache key.
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let texts = [
            &self.name,
            &self.level.0,
            &self.level.1,
            &self.rank.0,
            &self.rank.1,
            &self.messages,
            &self.xp,
        ];
        for text in texts {
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        }
        digest.update(self.done.to_le_bytes());
        digest.update(self.accent.to_db().to_le_bytes());
        digest.update(self.disc.to_db().to_le_bytes());
        if let Some(Portrait { key, .. }) = &self.avatar {
            // Discord changes the hash whenever the image changes.
            digest.update(key.hash.bytes());
            digest.update([u8::from(key.hash.is_animated())]);
            digest.update(key.user_id.get().to_le_bytes());
            digest.update(key.guild_id.map_or(0, Id::get).to_le_bytes());
        }
        digest.finalize().into()
    }

    /// Draw the card synchronously with a new typesetter. For documentation images and benchmarks; the bot uses [`Cards`].
    pub fn draw(&self) -> Option<Vec<u8>> {
        picture::write(&draw::draw(self, &mut Typesetter::new())?)
    }
}

/// Draws and caches cards. Clones share the same state.
#[derive(Clone, Debug)]
pub struct Cards {
    /// The avatars for the cards.
    pub avatars: Avatars,
    inner: Arc<Inner>,
}

struct Inner {
    kept: Mutex<Kept<[u8; 32], Bytes>>,
    waiting: Semaphore,
    desk: Arc<Semaphore>,
    typesetter: Arc<Mutex<Option<Typesetter>>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Inner").finish_non_exhaustive()
    }
}

impl Cards {
    /// The process-wide instance.
    pub(crate) fn of(services: &Services) -> &Self {
        services
            .state
            .get()
            .expect("they are part of every process's state")
    }

    /// Empty caches; avatars are fetched from the CDN at `base`.
    pub fn new(base: &str) -> Self {
        metrics::card_cache_bytes().set(0.0);
        metrics::avatar_cache_bytes().set(0.0);
        Self {
            avatars: Avatars::new(base),
            inner: Arc::new(Inner {
                kept: Mutex::new(Kept::up_to(KEPT_BYTES)),
                waiting: Semaphore::new(WAITING),
                desk: Arc::new(Semaphore::new(AT_ONCE)),
                typesetter: Arc::default(),
            }),
        }
    }

    /// The card as PNG, from the cache or newly drawn.
    pub async fn png(&self, card: Card) -> Result<Bytes, NoCard> {
        let digest = card.digest();
        let kept = self.kept(&digest);
        let (result, outcome) = match kept {
            Some(png) => (Ok(png), "cached"),
            None => match self.drawn(card).await {
                Ok(png) => {
                    let mut kept = self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.insert(digest, png.clone(), png.len());
                    metrics::card_cache_bytes().set(kept.bytes());
                    (Ok(png), "drawn")
                }
                Err(NoCard::Busy) => (Err(NoCard::Busy), "busy"),
                Err(NoCard::Failed) => (Err(NoCard::Failed), "failed"),
            },
        };
        metrics::cards_total(outcome).increment(1);
        result
    }

    fn kept(&self, digest: &[u8; 32]) -> Option<Bytes> {
        let mut kept = self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(digest)
    }

    async fn drawn(&self, card: Card) -> Result<Bytes, NoCard> {
        let Ok(_waiting) = self.inner.waiting.try_acquire() else {
            return Err(NoCard::Busy);
        };
        let desk = timeout(PATIENCE, Arc::clone(&self.inner.desk).acquire_owned());
        let Ok(Ok(desk)) = desk.await else {
            return Err(NoCard::Busy);
        };
        let typesetter = Arc::clone(&self.inner.typesetter);
        let drawing = spawn_blocking(move || {
            // Held until the drawing ends, even if the request was cancelled.
            let _desk = desk;
            let began = Instant::now();
            // Taken out while in use, so that a typesetter that panicked is not reused.
            let mut setter = lock(&typesetter).take().unwrap_or_else(Typesetter::new);
            let png = draw::draw(&card, &mut setter).and_then(|drawing| picture::write(&drawing));
            *lock(&typesetter) = Some(setter);
            metrics::card_seconds().record(began.elapsed());
            png
        });
        let Ok(Some(png)) = drawing.await else {
            tracing::error!("a rank card could not be drawn; this is a bug, please report it");
            return Err(NoCard::Failed);
        };
        Ok(png.into())
    }
}

fn lock(typesetter: &Mutex<Option<Typesetter>>) -> std::sync::MutexGuard<'_, Option<Typesetter>> {
    typesetter.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
