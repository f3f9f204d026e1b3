//! Progress messages of commands that continue after their answer.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::{
    Services,
    answering::{To, edit},
    reply::Reply,
};

/// The interval at which progress is shown.
const SHOW_INTERVAL: Duration = Duration::from_secs(3);

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

    /// The services available to commands.
    pub fn services(&self) -> &Services {
        &self.services
    }
}
