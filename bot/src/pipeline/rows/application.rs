//! `fleet.application_id`: the application whose sessions, effects and given roles are in the tables.

use std::time::Duration;

use twilight_model::id::{Id, marker::ApplicationMarker};

use crate::{
    pipeline::fleet::{
        identity,
        registry::{self, Process},
    },
    postgres::{Statement, Store, StoreError, Tx, statement::statement},
    support::ids,
};

/// The result of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The tables already belong to the application.
    Ours,
    /// They belonged to another application, and now belong to this one.
    From {
        /// The other application.
        application_id: Id<ApplicationMarker>,
        /// The number of its sessions, which are not resumed.
        sessions: u64,
        /// The number of its effects, which are set aside.
        effects: u64,
    },
    /// They belong to another application, of which a process is running.
    InUse {
        /// The other application.
        application_id: Id<ApplicationMarker>,
        /// The host of the process.
        host: String,
    },
}

/// The application that owns the tables; `None` before the first claim.
pub async fn of(store: &Store) -> Result<Option<Id<ApplicationMarker>>, StoreError> {
    const OF: Statement = statement!("application_of", [], "SELECT application_id FROM fleet");
    let rows = store.query(OF, &[]).await?;
    Ok(rows
        .first()
        .and_then(|row| row.get::<_, Option<i64>>(0))
        .and_then(ids::from_db))
}

/// Claim the tables for an application whose first process `me` is about to join the fleet. The state of another application is reset in
/// the same transaction, unless one of its processes was active within `lease`.
pub async fn claim(
    store: &Store,
    application_id: Id<ApplicationMarker>,
    me: &Process,
    lease: Duration,
) -> Result<Claimed, StoreError> {
    let me = me.clone();
    store
        .transaction("application", move |tx| {
            Box::pin(async move { claim_in(tx, application_id, &me, lease).await })
        })
        .await
}

async fn claim_in(
    tx: &Tx<'_>,
    application_id: Id<ApplicationMarker>,
    me: &Process,
    lease: Duration,
) -> Result<Claimed, StoreError> {
    const LOCK: Statement = statement!(
        "application_lock",
        [],
        "SELECT application_id FROM fleet FOR UPDATE"
    );
    const NOTE: Statement = statement!("application_note", [INT8], "UPDATE fleet SET application_id = $1");
    const LIVING: Statement = statement!(
        "application_living",
        [FLOAT8],
        "SELECT process_id, host FROM fleet_process WHERE seen_at > clock_timestamp() - make_interval(secs => $1)"
    );
    let rows = tx.query(LOCK, &[]).await?;
    let before = rows
        .first()
        .and_then(|row| row.get::<_, Option<i64>>(0))
        .and_then(ids::from_db);
    let now = ids::to_db(application_id);
    let Some(before) = before.filter(|before| *before != application_id) else {
        tx.execute(NOTE, &[&now]).await?;
        return Ok(Claimed::Ours);
    };
    let known = registry::processes(tx).await?;
    let dead = |id: &str| {
        let known = known.iter().find(|known| known.member.id == id);
        known.is_none_or(|known| identity::is_dead(known, me))
    };
    let living = tx.query(LIVING, &[&lease.as_secs_f64()]).await?;
    if let Some(row) = living.iter().find(|row| !dead(row.get(0))) {
        return Ok(Claimed::InUse {
            application_id: before,
            host: row.get(1),
        });
    }
    let (sessions, effects) = reset(tx, ids::to_db(before), now).await?;
    tx.execute(NOTE, &[&now]).await?;
    Ok(Claimed::From {
        application_id: before,
        sessions,
        effects,
    })
}

/// Reset what only the other application could continue. Returns the numbers of its sessions and its effects.
async fn reset(tx: &Tx<'_>, before: i64, now: i64) -> Result<(u64, u64), StoreError> {
    // As after a restore, later events are missing until each shard starts a new session.
    const GAPS: Statement = statement!(
        "application_gaps",
        [],
        "INSERT INTO gap (shard_count, shard_id, reason, session_id, last_sequence, began_at)
         SELECT shard_count, shard_id, 'application', session_id, sequence, updated_at
         FROM shard_checkpoint WHERE session_id IS NOT NULL"
    );
    // Without the newest message there is no backfill: the other application has seen other channels.
    const SESSIONS: Statement = statement!(
        "application_sessions",
        [],
        "UPDATE shard_checkpoint
         SET session_id = NULL, resume_url = NULL, sequence = 0, last_message_id = NULL, fence = fence + 1"
    );
    const EFFECTS: Statement = statement!(
        "application_effects",
        [TEXT],
        "UPDATE outbox SET failed_at = now(), failure = $1 WHERE failed_at IS NULL"
    );
    const LANES: Statement = statement!("application_lanes", [], "DELETE FROM outbox_lane");
    const FAILURES: Statement = statement!("application_failures", [], "DELETE FROM effect_failure");
    const PROCESSES: Statement = statement!("application_processes", [], "DELETE FROM fleet_process");
    const LEASES: Statement = statement!("application_leases", [], "DELETE FROM shard_lease");
    const IDENTIFIES: Statement = statement!("application_identifies", [], "DELETE FROM identify_key");
    const FLEET: Statement = statement!(
        "application_fleet",
        [],
        "UPDATE fleet SET shard_count = NULL, counts_from = 0, reshard_to = NULL, reshard_cut = NULL, reshard_agreed = false,
             reshard_withdrawn = 0, identify_remaining = 0, identify_total = 0, identify_resets_at = now()"
    );
    const GIVEN: Statement = statement!(
        "application_given",
        [INT8, INT8],
        "UPDATE given_role SET application_id = CASE WHEN application_id IS NULL THEN $1 END
         WHERE application_id IS NULL OR application_id = $2"
    );
    let sessions = tx.execute(GAPS, &[]).await?;
    tx.execute(SESSIONS, &[]).await?;
    let failure =
        format!("set aside: it was caused under the application {before}, whose token is not used any more");
    let effects = tx.execute(EFFECTS, &[&failure]).await?;
    for statement in [LANES, FAILURES, PROCESSES, LEASES, IDENTIFIES, FLEET] {
        tx.execute(statement, &[]).await?;
    }
    tx.execute(GIVEN, &[&before, &now]).await?;
    Ok((sessions, effects))
}
