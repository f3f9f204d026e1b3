//! Avatars from Discord's CDN: requested by IDs and hashes alone, size-limited, and cached.

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
/// The time limit for fetching an avatar, since a reply waits for it.
const PATIENCE: Duration = Duration::from_millis(800);
/// The largest PNG that is read. An image of this size has 262 KiB if uncompressed.
const LARGEST_BYTES: usize = 512 << 10;
/// Avatars fetched in parallel.
const AT_ONCE: usize = 16;
/// Cache size for avatars.
const KEPT_BYTES: usize = 16 << 20;
/// Cache size for failed requests.
const FAILURES_BYTES: usize = 1 << 20;
/// How long a failed avatar is not requested again.
const PAUSE: Duration = Duration::from_mins(1);

/// Identifies an avatar; Discord never changes the image of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AvatarKey {
    /// The guild, for a guild-specific avatar.
    pub guild_id: Option<Id<GuildMarker>>,
    /// The member whose avatar it is.
    pub user_id: Id<UserMarker>,
    /// The hash of the image.
    pub hash: ImageHash,
}

/// Why an avatar is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAvatar {
    /// The connection failed or broke.
    Unconnected,
    /// The request timed out.
    Timeout,
    /// A status other than 200; this includes redirects.
    Status,
    /// The content type is not PNG.
    Type,
    /// The response exceeds the size limit.
    TooLarge,
    /// Not a PNG of a valid avatar size.
    Unreadable,
    /// Too many requests in progress.
    Busy,
    /// The avatar failed a short time ago.
    FailedBefore,
}

impl NoAvatar {
    /// The label value in metrics.
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
    /// The path below the CDN's base: <https://docs.discord.com/developers/reference#image-formatting-cdn-endpoints>.
    fn path(&self) -> String {
        let (user, hash) = (self.user_id, self.hash);
        match self.guild_id {
            Some(guild) => format!("/guilds/{guild}/users/{user}/avatars/{hash}.png?size={SIDE}"),
            None => format!("/avatars/{user}/{hash}.png?size={SIDE}"),
        }
    }
}

/// Fetches and caches avatars. Clones share the same state.
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
    /// Use the CDN at `base`, `scheme://host[:port]`.
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

    /// The avatar as a PNG of at most 512 KiB, whose header declares a square of up to 512 pixels.
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
            let fetching = Arc::clone(inner);
            inner
                .flights
                .ask(key, || async move { fetching.fetch(key).await })
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
        // Redirects are not followed: they could lead anywhere.
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
