//! Avatars from Discord's CDN: asked for by ids and hashes alone, within limits, and kept.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Request, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use twilight_model::{
    id::{
        Id,
        marker::{GuildMarker, UserMarker},
    },
    util::ImageHash,
};

use super::{cache::Kept, picture};
use crate::{
    discord::rest::SingleFlight,
    support::https::{HttpsClient, client},
    telemetry::metrics,
};

/// Pixels; the card shows 176.
const SIDE: u16 = 256;
/// Longest time for a whole avatar: who asks for a card waits for it.
const PATIENCE: Duration = Duration::from_millis(800);
/// The largest PNG that is read. One of this size has 262 KiB if nothing of it is compressed.
const LARGEST_BYTES: usize = 512 << 10;
/// Avatars that are fetched at the same time.
const AT_ONCE: usize = 16;
/// Memory for avatars.
const KEPT_BYTES: usize = 16 << 20;
/// Memory for what could not be fetched.
const FAILURES_BYTES: usize = 1 << 20;
/// What could not be fetched is not asked for again so soon.
const PAUSE: Duration = Duration::from_mins(1);

/// Which avatar: what Discord has under it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AvatarKey {
    /// The server for which it is, where a member has one of its own there.
    pub guild_id: Option<Id<GuildMarker>>,
    /// The member whose avatar it is.
    pub user_id: Id<UserMarker>,
    /// Of the picture.
    pub hash: ImageHash,
}

/// Why there is no avatar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAvatar {
    /// No connection, or it broke.
    Unconnected,
    /// It took too long.
    Timeout,
    /// Another status than 200; a redirect is one.
    Status,
    /// Not said to be a PNG.
    Type,
    /// More bytes than an avatar has.
    TooLarge,
    /// Not a PNG of the size of avatars.
    Unreadable,
    /// Too many are fetched at the moment.
    Busy,
    /// It could not be fetched shortly before.
    FailedBefore,
}

impl NoAvatar {
    /// As a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unconnected => "unconnected",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Type => "type",
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
            Self::Busy => "busy",
            Self::FailedBefore => "failed_before",
        }
    }
}

impl AvatarKey {
    /// Its address below the CDN's base: <https://docs.discord.com/developers/reference#image-formatting-cdn-endpoints>.
    fn path(&self) -> String {
        let (user, hash) = (self.user_id, self.hash);
        match self.guild_id {
            Some(guild) => format!("/guilds/{guild}/users/{user}/avatars/{hash}.png?size={SIDE}"),
            None => format!("/avatars/{user}/{hash}.png?size={SIDE}"),
        }
    }
}

/// Fetches avatars. A clone is another handle to the same.
#[derive(Clone)]
pub struct Avatars {
    inner: Arc<Inner>,
}

struct Inner {
    client: HttpsClient,
    base: String,
    places: Arc<Semaphore>,
    flights: SingleFlight<AvatarKey, Result<Bytes, NoAvatar>>,
    kept: Mutex<Kept<AvatarKey, Bytes>>,
    failures: Mutex<Kept<AvatarKey, Instant>>,
}

impl fmt::Debug for Avatars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Avatars")
            .field("base", &self.inner.base)
            .finish_non_exhaustive()
    }
}

impl Avatars {
    /// From the CDN at `base`, `scheme://host[:port]`.
    pub fn new(base: &str) -> Self {
        Self {
            inner: Arc::new(Inner {
                client: client(PATIENCE),
                base: base.to_owned(),
                places: Arc::new(Semaphore::new(AT_ONCE)),
                flights: SingleFlight::default(),
                kept: Mutex::new(Kept::up_to(KEPT_BYTES)),
                failures: Mutex::new(Kept::up_to(FAILURES_BYTES)),
            }),
        }
    }

    /// The avatar as PNG, at most 512 KiB of it, whose head says that it is a square of up to 512 pixels.
    pub async fn get(&self, key: AvatarKey) -> Result<Bytes, NoAvatar> {
        let inner = &self.inner;
        let kept = inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key);
        if let Some(png) = kept {
            metrics::avatars_total("cached").increment(1);
            return Ok(png);
        }
        let result = if inner.failed_before(&key) {
            Err(NoAvatar::FailedBefore)
        } else {
            let payload = Arc::clone(inner);
            inner
                .flights
                .ask(key, || async move { payload.fetch(key).await })
                .await
        };
        let outcome = match &result {
            Ok(_) => "fetched",
            Err(why) => why.as_str(),
        };
        metrics::avatars_total(outcome).increment(1);
        result
    }
}

impl Inner {
    fn failed_before(&self, key: &AvatarKey) -> bool {
        let failed_at = self
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key);
        failed_at.is_some_and(|at| at.elapsed() < PAUSE)
    }

    async fn fetch(&self, key: AvatarKey) -> Result<Bytes, NoAvatar> {
        let Ok(_place) = self.places.try_acquire() else {
            return Err(NoAvatar::Busy);
        };
        let fetched = timeout(PATIENCE, self.download(&key))
            .await
            .unwrap_or(Err(NoAvatar::Timeout));
        match &fetched {
            Ok(png) => {
                let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(key, png.clone(), png.len());
                metrics::avatar_cache_bytes().set(kept.bytes());
            }
            Err(why) => {
                tracing::debug!(why = why.as_str(), "no avatar");
                let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.insert(key, Instant::now(), 0);
            }
        }
        fetched
    }

    async fn download(&self, key: &AvatarKey) -> Result<Bytes, NoAvatar> {
        let address = format!("{}{}", self.base, key.path());
        let address: Uri = address.parse().map_err(|_error| NoAvatar::Unconnected)?;
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = address;
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("image/png"));
        // A redirect is not followed: it could lead anywhere.
        let response = self.client.request(request).await;
        let response = response.map_err(|_error| NoAvatar::Unconnected)?;
        if response.status() != StatusCode::OK {
            return Err(NoAvatar::Status);
        }
        let is_png = |value: &HeaderValue| {
            let kind = value.to_str().unwrap_or_default().split(';').next();
            kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("image/png"))
        };
        if !response.headers().get(CONTENT_TYPE).is_some_and(is_png) {
            return Err(NoAvatar::Type);
        }
        let body = Limited::new(response.into_body(), LARGEST_BYTES).collect().await;
        let png = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                NoAvatar::TooLarge
            } else {
                NoAvatar::Unconnected
            }
        })?;
        let png = png.to_bytes();
        picture::look_at(&png).map_err(|_no_picture| NoAvatar::Unreadable)?;
        Ok(png)
    }
}

#[cfg(test)]
mod tests;
