//! Pages of large leaderboards that were just read.
//!
//! Many people open the same page at once when its link is posted. The members of a bucket are sorted for each read, which takes
//! milliseconds where a bucket has many of them, so a page of a ranked guild is read once a second at most.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use twilight_model::id::{Id, marker::GuildMarker};

use crate::{
    discord::rest::SingleFlight,
    features::levels::rows::{
        leaderboard::Order,
        public_board::{self, From, Page},
    },
    postgres::{Store, StoreError},
};

/// How long a page is shown.
const LASTS: Duration = Duration::from_secs(1);
/// The maximum number of cached pages, about 2 KiB each. Beyond that the cache is cleared.
const KEPT: usize = 1_000;

type Key = (Id<GuildMarker>, Order, From, u32);

/// The cached pages.
#[derive(Debug, Default)]
pub(crate) struct RecentPages {
    kept: Mutex<HashMap<Key, (Page, Instant)>>,
    reads: SingleFlight<Key, Result<Page, Arc<StoreError>>>,
}

impl RecentPages {
    /// A page of this many lines, as it was within the last second.
    pub(super) async fn page(
        &self,
        store: &Store,
        guild_id: Id<GuildMarker>,
        order: Order,
        from: From,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let key = (guild_id, order, from, limit);
        if let Some(page) = self.kept(&key) {
            return Ok(page);
        }
        let read = || {
            let store = store.clone();
            async move {
                let page = public_board::page(&store, guild_id, order, from, limit).await;
                page.map_err(Arc::new)
            }
        };
        // An error is shared as well, so its text is what is left of it.
        let page = self.reads.ask(key, read).await;
        let page = page.map_err(|error| {
            Arc::try_unwrap(error).unwrap_or_else(|error| StoreError::Pool(error.to_string()))
        })?;
        if page.is_ranked {
            self.keep(key, page.clone());
        }
        Ok(page)
    }

    fn kept(&self, key: &Key) -> Option<Page> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (page, until) = kept.get(key)?;
        (*until > Instant::now()).then(|| page.clone())
    }

    fn keep(&self, key: Key, page: Page) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, (page, Instant::now() + LASTS));
    }
}
