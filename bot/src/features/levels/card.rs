//! The rank card: what `/rank` shows as a picture.
//!
//! A card is drawn from its content alone, with fonts that are part of the binary, so the same content is the same picture on every
//! machine. Drawing takes some milliseconds of a processor: it is done on a thread for what blocks, one card at a time, and who would
//! have to wait long is told so at once. Finished cards are kept by their content, and so are avatars.

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

/// Cards that are drawn at the same time. More would take processors from the shards, and each needs a typesetter of its own.
const AT_ONCE: usize = 1;
/// Cards that wait to be drawn; who comes then gets the text.
const WAITING: usize = 32;
/// And who has waited for so long.
const PATIENCE: Duration = Duration::from_millis(700);
/// Memory for finished cards.
const KEPT_BYTES: usize = 16 << 20;

/// What a card shows. Everything is in the reader's language already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The name shown in the server.
    pub name: String,
    /// A label, and the level.
    pub level: (String, String),
    /// A label, and the place among the server's members.
    pub rank: (String, String),
    /// How many messages.
    pub messages: String,
    /// XP in the level, and those that it needs.
    pub xp: String,
    /// How much of the level is done, in thousandths.
    pub done: u16,
    /// The colour of the bar and the level; made lighter where it could not be seen.
    pub accent: Colour,
    /// Who it is; without, and where it cannot be read, the first sign of the name on a disc.
    pub avatar: Option<Portrait>,
    /// The colour of that disc.
    pub disc: Colour,
}

/// An avatar.
#[derive(Clone, PartialEq, Eq)]
pub struct Portrait {
    /// Which it is.
    pub key: AvatarKey,
    /// The picture.
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

/// Why there is no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoCard {
    /// Too many are asked for at the moment.
    #[error("too many cards are asked for")]
    Busy,
    /// It could not be drawn.
    #[error("the card could not be drawn")]
    Failed,
}

impl Card {
    /// The same for the same picture.
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
            // Discord has another hash for another picture.
            digest.update(key.hash.bytes());
            digest.update([u8::from(key.hash.is_animated())]);
            digest.update(key.user_id.get().to_le_bytes());
            digest.update(key.guild_id.map_or(0, Id::get).to_le_bytes());
        }
        digest.finalize().into()
    }

    /// Draw it, here and now, with a typesetter that is made for it. For pictures in documents, and to measure; the bot has [`Cards`].
    pub fn draw(&self) -> Option<Vec<u8>> {
        picture::write(&draw::draw(self, &mut Typesetter::new())?)
    }
}

/// Where cards are drawn. A clone is another handle to the same.
#[derive(Clone, Debug)]
pub struct Cards {
    /// The avatars that stand on them.
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
    /// Those of the process.
    pub(crate) fn of(services: &Services) -> &Self {
        services
            .state
            .get()
            .expect("they are part of every process's state")
    }

    /// Nothing is drawn yet; avatars come from the CDN at `base`.
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

    /// The card as PNG: the one that is kept, or drawn now.
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
            // Until it is drawn, also if nobody waits for it any more.
            let _desk = desk;
            let began = Instant::now();
            // Taken out meanwhile: one that panicked is not used again.
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
