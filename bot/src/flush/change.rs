//! Changes that are listed in the order of their events until they are written.

use std::fmt::Debug;

use super::{Batch, Flush, Kept, Part, SetAside, split};
use crate::postgres::StoreError;

/// A change that is written on its own. A list of them is a [`Batch`].
pub trait Change: Clone + Debug + Send + Sync + 'static {
    /// See [`Batch::KINDS`].
    const KINDS: &'static [&'static str];

    /// The change as data, for the quarantine.
    fn set_aside(&self) -> SetAside;

    /// Read a change out of quarantine. `None` if it is of another kind, or cannot be read.
    fn read(kept: &Kept) -> Option<Self>;

    /// Write these changes, of which there is at least one. Those of one shard are in the order of their events.
    ///
    /// # Errors
    ///
    /// As for [`Part::write`].
    fn write(
        changes: Vec<Self>,
        flush: &mut Flush<'_, '_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl<C: Change> Batch for Vec<C> {
    type Part<'a> = Self;
    type Written = ();

    const KINDS: &'static [&'static str] = C::KINDS;

    fn changes(&self) -> usize {
        self.len()
    }

    fn read(kept: &Kept) -> Option<Self> {
        C::read(kept).map(|change| vec![change])
    }

    fn add_to<'a>(&'a self, _index: usize, part: &mut Self::Part<'a>) {
        part.extend_from_slice(self);
    }
}

impl<C: Change> Part for Vec<C> {
    type Written = ();

    fn changes(&self) -> usize {
        self.len()
    }

    fn split(&mut self, rest: &mut usize) -> Self {
        split(self, rest)
    }

    fn set_aside(&self) -> Vec<SetAside> {
        self.iter().map(Change::set_aside).collect()
    }

    async fn write(self, flush: &mut Flush<'_, '_>) -> Result<(), StoreError> {
        if self.is_empty() {
            return Ok(());
        }
        C::write(self, flush).await
    }
}
