//! Waiting for the commit of what a shard received before an interaction.
//!
//! Most commands do not need it, so an interaction alone causes no commit. A command that waits requests an early flush.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use futures_util::task::AtomicWaker;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// The commit of everything that a shard received before an interaction.
#[derive(Debug)]
pub struct Commit {
    done: oneshot::Receiver<()>,
    request: Arc<FlushRequest>,
}

impl Commit {
    /// A commit that is reported through the returned sender.
    pub fn pending(request: &Arc<FlushRequest>) -> (oneshot::Sender<()>, Self) {
        let (sender, done) = oneshot::channel();
        let request = Arc::clone(request);
        (sender, Self { done, request })
    }

    /// Request a flush, unless it is committed already, and wait. Returns whether everything is committed, which is false if the shard ends
    /// first.
    pub async fn done(mut self) -> bool {
        match self.done.try_recv() {
            Ok(()) => true,
            Err(TryRecvError::Closed) => false,
            Err(TryRecvError::Empty) => {
                self.request.send();
                self.done.await.is_ok()
            }
        }
    }
}

/// A request to a shard to flush early.
#[derive(Debug, Default)]
pub struct FlushRequest {
    is_sent: AtomicBool,
    shard: AtomicWaker,
}

impl FlushRequest {
    fn send(&self) {
        self.is_sent.store(true, Ordering::Release);
        self.shard.wake();
    }

    /// Wait for a request and clear it. For the task of the shard only; cancel safe.
    pub async fn received(&self) {
        poll_fn(|cx| {
            self.shard.register(cx.waker());
            if self.is_sent.swap(false, Ordering::Acquire) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt as _;

    use super::{Commit, FlushRequest};

    #[tokio::test]
    async fn waiting_requests_one_flush() {
        let request = Arc::new(FlushRequest::default());
        let (sender, commit) = Commit::pending(&request);
        assert_eq!(request.received().now_or_never(), None);
        let shard = async {
            request.received().await;
            assert_eq!(request.received().now_or_never(), None);
            sender.send(()).expect("it waits");
        };
        let ((), is_committed) = tokio::join!(shard, commit.done());
        assert!(is_committed);
    }

    #[tokio::test]
    async fn nothing_is_requested_after_the_commit() {
        let request = Arc::new(FlushRequest::default());
        let (sender, commit) = Commit::pending(&request);
        sender.send(()).expect("it can be received");
        assert!(commit.done().await);
        let (sender, commit) = Commit::pending(&request);
        drop(sender);
        assert!(!commit.done().await);
        assert_eq!(request.received().now_or_never(), None);
    }
}
