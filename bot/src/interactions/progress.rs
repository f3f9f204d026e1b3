//! Progress messages of commands that continue after their answer.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::{
    Services,
    answering::{To, edit},
    reply::Reply,
};

/// How often it is shown how far something is that goes on after the answer.
const SHOW_INTERVAL: Duration = Duration::from_secs(3);

/// How something that goes on after the answer tells how far it is.
#[derive(Clone, Debug)]
pub struct Progress {
    pub(super) services: Arc<Services>,
    pub(super) to: To,
}

impl Progress {
    /// Put this in the place of the answer.
    pub async fn say(&self, reply: &Reply) {
        if let Err(error) = edit(&self.services, &self.to, reply.clone()).await {
            tracing::warn!(%error, "the progress of a command could not be shown");
        }
    }

    /// Do some work, and show now and then how far it is: what `seen` has, as `reply` says it.
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

    /// What the command works with.
    pub fn services(&self) -> &Services {
        &self.services
    }
}
