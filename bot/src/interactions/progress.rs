//! Progress messages of commands that continue after their answer.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use twilight_model::id::{
    Id,
    marker::{GuildMarker, InteractionMarker},
};

use super::{
    Services,
    answering::{To, edit},
    reply::Reply,
};
use crate::outbox::queue::{self, Became};

/// The interval at which progress is shown.
const SHOW_INTERVAL: Duration = Duration::from_secs(3);
/// How often, and for how long, a command checks the outcome of an effect. A shutdown waits for that.
const OUTCOME_INTERVAL: Duration = Duration::from_millis(300);
const OUTCOME_PATIENCE: Duration = Duration::from_secs(10);

/// Shows the progress of work that continues after the response.
#[derive(Clone, Debug)]
pub struct Progress {
    pub(super) services: Arc<Services>,
    pub(super) to: To,
}

impl Progress {
    /// Replace the response.
    pub async fn say(&self, reply: &Reply) {
        if let Err(error) = edit(&self.services, &self.to, reply.clone()).await {
            tracing::warn!(%error, "the progress of a command could not be shown");
        }
    }

    /// Do some work, and regularly show the progress in `seen`, formatted by `reply`.
    pub(crate) async fn during<T>(
        &self,
        work: impl Future<Output = T>,
        mut seen: watch::Receiver<u64>,
        reply: impl Fn(u64) -> Reply,
    ) -> T {
        let showing = async {
            loop {
                sleep(SHOW_INTERVAL).await;
                if seen.changed().await.is_err() {
                    return std::future::pending().await;
                }
                let so_far = *seen.borrow_and_update();
                self.say(&reply(so_far)).await;
            }
        };
        tokio::select! {
            done = work => done,
            () = showing => unreachable!("it is shown for as long as the work takes"),
        }
    }

    /// Wait a short time for the outcome of an effect that the command added. Its body has the interaction as `request_id`.
    pub(crate) async fn outcome(
        &self,
        guild_id: Id<GuildMarker>,
        kind: &str,
        request_id: Id<InteractionMarker>,
    ) -> Became {
        let until = Instant::now() + OUTCOME_PATIENCE;
        loop {
            let became = queue::became(&self.services.store, guild_id, kind, request_id).await;
            match became {
                Ok(became) if became != Became::Waiting => return became,
                _ if Instant::now() >= until => return Became::Waiting,
                // It is pending, or the database is temporarily unavailable.
                _ => sleep(OUTCOME_INTERVAL).await,
            }
        }
    }

    /// The services available to commands.
    pub fn services(&self) -> &Services {
        &self.services
    }
}
