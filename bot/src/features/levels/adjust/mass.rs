//! Changes of many members, in steps. Each step is its own transaction that advances the change's row, so flushes wait for one step at
//! most, and an interrupted change resumes where it stopped: when its interaction is replayed, or when [`job`] finds it.

use std::time::Duration;

use tokio::sync::watch;
use twilight_model::id::{Id, marker::UserMarker};

use super::{Changed, XpAdjustment, amount::Wanted, apply, follow_with_roles};
use crate::{
    discord::guilds::authority::XpPermit,
    features::levels::rows::{
        audit_xp,
        mass_change::{self, Job, Key},
        member_xp::giving,
    },
    outbox::timers,
    postgres::{Store, StoreError, Tx, request},
    settings::Settings,
    support::backoff::Backoff,
};

/// The values of `mass_change.kind`.
const KINDS: [&str; 5] = ["reset", "undo", "give", "take", "set"];

/// Members per step.
pub(super) const AT_ONCE: u32 = 2_000;

/// The pause between two steps, which lets flushes go first.
const PAUSE: Duration = Duration::from_millis(20);

/// Failed attempts at one step before an error is reported to the user.
const TRIES: u32 = 8;

/// The interval of the search for abandoned changes, and the idle time after which a change counts as abandoned.
const LOOK_INTERVAL: Duration = Duration::from_mins(1);

/// The result of a step.
enum Step {
    /// The number of members changed so far.
    Moved(u64),
    /// The change is complete, with this many members.
    Done(u64),
    /// There is no such change, or it is complete.
    Gone,
}

/// Run a change to its end; `told` is called with the number of members changed so far. `None` if there is no such change.
///
/// # Errors
///
/// The database is unavailable. The change resumes when [`job`] finds it.
pub(super) async fn finish(
    store: &Store,
    settings: &Settings,
    key: Key,
    told: &watch::Sender<u64>,
) -> Result<Option<u64>, StoreError> {
    let mut backoff = Backoff::new();
    loop {
        match Box::pin(step(store, settings, key)).await {
            Ok(Step::Moved(members)) => {
                backoff.reset();
                told.send_replace(members);
                tokio::time::sleep(PAUSE).await;
            }
            Ok(Step::Done(members)) => return Ok(Some(members)),
            Ok(Step::Gone) => return Ok(None),
            Err(error) => {
                let wait = if error.is_conflict() {
                    backoff.conflict()
                } else {
                    backoff.pause()
                };
                if backoff.tries() >= TRIES || !error.is_unavailable() {
                    return Err(error);
                }
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// The timer that completes changes abandoned by ended processes.
pub fn job(store: &Store, settings: &Settings) -> timers::Job {
    let (store, settings) = (store.clone(), settings.clone());
    timers::Job::new("unfinished_changes", (Duration::ZERO, LOOK_INTERVAL), move || {
        let (store, settings) = (store.clone(), settings.clone());
        async move { Ok(finish_all(&store, &settings).await?) }
    })
}

async fn finish_all(store: &Store, settings: &Settings) -> Result<(), StoreError> {
    let told = watch::Sender::new(0);
    while let Some(key) = mass_change::left_alone(store, &KINDS, LOOK_INTERVAL).await? {
        finish(store, settings, key, &told).await?;
        tracing::info!(
            guild.id = key.guild_id.get(),
            interaction.id = key.interaction_id.get(),
            "finished an interrupted change of many members"
        );
    }
    Ok(())
}

async fn step(store: &Store, settings: &Settings, key: Key) -> Result<Step, StoreError> {
    let settings = settings.clone();
    store
        .transaction("mass_change", move |tx| {
            Box::pin(async move {
                let Some(job) = mass_change::lock(tx, key).await? else {
                    return Ok(Step::Gone);
                };
                if !KINDS.contains(&job.kind.as_str()) {
                    // Begun by a newer version, which completes it.
                    return Ok(Step::Gone);
                }
                let Some((last, changed)) = part(tx, &settings, key, &job).await? else {
                    mass_change::end(tx, key).await?;
                    return Ok(Step::Done(job.members));
                };
                let members = job.members + changed;
                mass_change::moved(tx, key, last, members).await?;
                request::count_members(tx, key.guild_id, key.interaction_id, members).await?;
                Ok(Step::Moved(members))
            })
        })
        .await
}

/// Change one batch of members. Returns the last member examined and the number changed; `None` at the end.
async fn part(
    tx: &Tx<'_>,
    settings: &Settings,
    key: Key,
    job: &Job,
) -> Result<Option<(Id<UserMarker>, u64)>, StoreError> {
    let permit = XpPermit::recorded();
    let grant = match job.kind.as_str() {
        "reset" => {
            let changed: Vec<Changed> = giving::reset_some(tx, key, job.after, AT_ONCE)
                .await?
                .into_iter()
                .map(|(user_id, before)| Changed {
                    user_id,
                    before,
                    after: 0,
                })
                .collect();
            follow_with_roles(tx, settings, key.guild_id, &changed, false).await?;
            return Ok(changed.last().map(|last| (last.user_id, changed.len() as u64)));
        }
        "undo" => None,
        "give" => Some(XpAdjustment::Give(permit, job.amount)),
        "take" => Some(XpAdjustment::Take(job.amount)),
        _ => Some(XpAdjustment::Set(permit, job.amount)),
    };
    let source = job.undone.unwrap_or(key.interaction_id);
    let listed = audit_xp::some_of(tx, key.guild_id, source, job.after, AT_ONCE).await?;
    let Some(last) = listed.last().map(|change| change.user_id) else {
        return Ok(None);
    };
    let wanted = listed
        .iter()
        .map(|change| match grant {
            Some(grant) => Wanted::new(change.user_id, grant),
            None => Wanted::reverting(change, permit),
        })
        .collect();
    let changed = apply(tx, settings, key, wanted, job.undone.is_some()).await?;
    let real = changed.iter().filter(|changed| Changed::is_real(changed)).count();
    Ok(Some((last, real as u64)))
}
