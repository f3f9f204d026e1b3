//! Taking a backup.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{
    process::Child,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    BackupError, Manifest, Out, blocking,
    file::Partial,
    manifest::{digest, in_words},
    program::{Programs, Wanted, listen},
    progress::{Progress, TICK, mebibytes},
    retention,
};
use crate::{
    config::Database,
    postgres::{
        backup::snapshot::Snapshot,
        connect::{Target, libpq, quoted},
        migrations::Migrations,
    },
    support::shutdown::StopSignals,
};

const PG_DUMP: &str = "pg_dump";

/// How long `pg_dump` waits for a table that is being altered. `pg_dump` itself blocks no other session.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// Back up the target's schema, then delete all but the `keep` newest backups. Returns the file and its manifest.
///
/// # Errors
///
/// See [`BackupError`]. After an error nothing is left behind, and no older backup is deleted.
pub async fn take(
    target: &Target,
    database: &Database,
    out: &Out,
    keep: Option<usize>,
    progress: &mut Progress,
    signals: &mut StopSignals,
) -> Result<(PathBuf, Manifest), BackupError> {
    let schema = target.schema().to_owned();
    let started_at = OffsetDateTime::now_utc();
    let file = out.file(&schema, started_at);
    let wanted = file.clone();
    let partial = blocking(move || Partial::begin(&wanted)).await?;
    let working = write(target, database, partial, started_at, progress);
    let (partial, manifest) = tokio::select! {
        written = working => written?,
        signal = signals.next() => return Err(BackupError::Stopped(signal)),
    };
    let (described, manifest) = (manifest.clone(), manifest);
    blocking(move || partial.finish(&described)).await?;
    progress.line(&format!(
        "backup of schema {schema:?}: {} tables, {} rows, {} in {:.1} s: {}",
        manifest.rows.len(),
        manifest.row_count(),
        mebibytes(manifest.bytes),
        Duration::from_millis(manifest.duration_ms).as_secs_f64(),
        file.display()
    ));
    if let (Some(keep), Out::Directory(directory)) = (keep, out) {
        let directory = directory.clone();
        for removed in blocking(move || retention::prune(&directory, &schema, keep)).await? {
            progress.line(&format!("removed {}", removed.display()));
        }
    }
    Ok((file, manifest))
}

/// Write the dump to `partial` and describe it.
async fn write(
    target: &Target,
    database: &Database,
    partial: Partial,
    started_at: OffsetDateTime,
    progress: &mut Progress,
) -> Result<(Partial, Manifest), BackupError> {
    let started = Instant::now();
    let schema = target.schema().to_owned();
    let snapshot = Snapshot::take(target).await?;
    let known = Migrations::embedded().names();
    let migrations = snapshot
        .migrations()
        .filter(|applied| applied.is_empty() || applied.iter().any(|name| known.contains(name)))
        .ok_or_else(|| BackupError::NotOurs(schema.clone()))?
        .to_vec();
    snapshot.may_read_everything().await?;
    let server = snapshot.server().clone();
    let programs = Programs::find(
        database,
        Wanted {
            names: &[PG_DUMP],
            server: server.major,
            oldest: server.major,
            who: "the server is PostgreSQL",
            restricted: false,
        },
    )
    .await?;
    let child = spawn(&snapshot, &programs, &partial)?;
    let rows = async { snapshot.rows().await.map_err(BackupError::from) };
    let (rows, ()) = tokio::try_join!(rows, dump(child, &partial, progress))?;
    let grantees = snapshot.grantees().await?;
    snapshot.end().await?;
    let path = partial.path().to_owned();
    let (bytes, sha256) = blocking(move || digest(&path)).await?;
    let manifest = Manifest {
        form: Manifest::form(),
        file: partial.file_name(),
        schema,
        schema_version: migrations.last().map_or(0, |name| version(name)),
        migrations,
        rows,
        grantees,
        bytes,
        sha256,
        eventide: env!("CARGO_PKG_VERSION").to_owned(),
        postgresql: server.version,
        pg_dump: programs.version,
        started_at: in_words(started_at),
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    Ok((partial, manifest))
}

fn spawn(snapshot: &Snapshot, programs: &Programs, partial: &Partial) -> Result<Child, BackupError> {
    let target = snapshot.target();
    let environment = target.environment("pg_dump")?;
    programs
        .command(PG_DUMP, Some(&environment))
        // The file is the program's standard output. It is seekable, so pg_restore can later restore tables in parallel (--jobs).
        .stdout(Stdio::from(partial.handle()?))
        .args(["--format=custom", "--strict-names", "--no-password", "--verbose"])
        .arg(format!("--schema={}", quoted(target.schema())))
        .arg(format!("--snapshot={}", snapshot.id()))
        .arg(format!("--lock-wait-timeout={}", LOCK_PATIENCE.as_millis()))
        .arg(format!("--dbname={}", libpq::KEEPALIVE))
        .spawn()
        .map_err(BackupError::io("run", PG_DUMP))
}

/// Wait for `pg_dump` to end.
async fn dump(mut child: Child, partial: &Partial, progress: &mut Progress) -> Result<(), BackupError> {
    let said = child.stderr.take().expect("its errors are piped");
    let tables = std::cell::Cell::new(0_u64);
    let told = listen(said, |line| {
        if line.contains("dumping contents of table") {
            tables.set(tables.get() + 1);
        }
    });
    let ended = async {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                status = child.wait() => return status,
                _ = ticks.tick() => progress.show(|| {
                    format!("{} written, table {}", mebibytes(partial.bytes()), tables.get())
                }),
            }
        }
    };
    let (message, status) = tokio::join!(told, ended);
    let status = status.map_err(BackupError::io("wait for", PG_DUMP))?;
    succeeded(PG_DUMP, status, message)
}

/// Return an error unless a program succeeded.
pub(super) fn succeeded(
    program: &'static str,
    status: ExitStatus,
    message: Option<String>,
) -> Result<(), BackupError> {
    if status.success() {
        return Ok(());
    }
    let message = match message {
        Some(message) if status.code().is_some() => message,
        _ => status.to_string(),
    };
    Err(BackupError::Program { program, message })
}

/// The number in the name of a migration.
pub(super) fn version(name: &str) -> u32 {
    let digits = name.strip_prefix('V').and_then(|rest| rest.split("__").next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
