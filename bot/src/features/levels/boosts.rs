//! Deletes XP boosts a month after their end.

use futures_util::future::BoxFuture;

use crate::{
    outbox::timers::TimerKind,
    postgres::{StoreError, Tx, timer::claim::Firing},
    settings::table::multipliers::{self, BOOST_REMOVAL},
};

/// Deletes a guild's boosts that ended a month ago.
#[derive(Clone, Copy, Debug)]
pub struct Removal;

impl TimerKind for Removal {
    fn name(&self) -> &'static str {
        BOOST_REMOVAL
    }

    fn fire<'t>(&'t self, tx: &'t Tx<'_>, timer: &'t Firing) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(async move { multipliers::remove_boosts(tx, timer.guild()?).await })
    }
}
