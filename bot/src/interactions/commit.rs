//! Waiting for the commit of what a shard received before an interaction.
//!
//! Most commands do not need it, so an interaction alone causes no commit: a shard flushes early only once somebody waits.

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
    wish: Arc<Wish>,
}

impl Commit {
    /// A commit that is announced through the returned sender.
    pub fn pending(wish: &Arc<Wish>) -> (oneshot::Sender<()>, Self) {
        let (sender, done) = oneshot::channel();
        let wish = Arc::clone(wish);
        (sender, Self { done, wish })
    }

    /// Have the shard flush, and wait for that. Returns whether everything is committed: not if the shard has ended before.
    pub async fn done(mut self) -> bool {
        match self.done.try_recv() {
            Ok(()) => true,
            Err(TryRecvError::Closed) => false,
            Err(TryRecvError::Empty) => {
                self.wish.make();
                self.done.await.is_ok()
            }
        }
    }
}

/// The wish that a shard flush before its time. The shard's task waits for it.
#[derive(Debug, Default)]
pub struct Wish {
    is_made: AtomicBool,
    shard: AtomicWaker,
}

impl Wish {
    fn make(&self) {
        self.is_made.store(true, Ordering::Release);
        self.shard.wake();
    }

    /// Wait until it is made, and grant it. Cancel safe.
    pub async fn made(&self) {
        poll_fn(|cx| {
            self.shard.register(cx.waker());
            if self.is_made.swap(false, Ordering::Acquire) {
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

    use super::{Commit, Wish};

    #[tokio::test]
    async fn a_shard_is_woken_only_if_somebody_waits() {
        let wish = Arc::new(Wish::default());
        let (sender, commit) = Commit::pending(&wish);
        assert_eq!(wish.made().now_or_never(), None);
        let granting = async {
            wish.made().await;
            // It is granted once.
            assert_eq!(wish.made().now_or_never(), None);
            sender.send(()).expect("it waits");
        };
        let ((), is_done) = tokio::join!(granting, commit.done());
        assert!(is_done);
    }

    #[tokio::test]
    async fn what_is_committed_already_needs_no_flush() {
        let wish = Arc::new(Wish::default());
        let (sender, commit) = Commit::pending(&wish);
        sender.send(()).expect("it can be received");
        assert!(commit.done().await);
        assert_eq!(wish.made().now_or_never(), None);
        let (sender, commit) = Commit::pending(&wish);
        drop(sender);
        assert!(!commit.done().await);
    }
}
