//! Restoring a backup.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{ChildStdin, ChildStdout},
    time::Instant,
};

use super::{
    BackupError, Manifest, blocking,
    program::{Programs, Wanted, listen, major},
    progress::{Progress, mebibytes},
    renamer::Renamer,
    take::succeeded,
};
use crate::{
    config::Database,
    postgres::{
        backup::restoring::{Erasure, Restoring},
        connect::{Target, libpq},
        migrations::{self, Migrations},
        table::Table,
    },
    support::shutdown::StopSignals,
};

const PG_RESTORE: &str = "pg_restore";

const PSQL: &str = "psql";

/// `pg_restore` 17 and later sets it, and older servers do not know it.
const TRANSACTION_TIMEOUT: (u32, &str) = (17, "SET transaction_timeout = 0;\n");

/// The settings are within this many bytes at the start of `pg_restore`'s output.
const HEAD_BYTES: usize = 4096;

/// A restore that has been checked.
pub struct Plan {
    file: PathBuf,
    manifest: Manifest,
    restoring: Restoring,
    programs: Programs,
    /// Roles whose privileges cannot be restored because they do not exist.
    missing_roles: Vec<String>,
}

/// The result of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Migrations that are newer than the backup and were applied.
    pub migrated: Vec<String>,
}

impl Plan {
    /// Check that `file` can be restored into the target's schema, and prevent other processes from migrating it. Nothing is changed.
    ///
    /// # Errors
    ///
    /// See [`BackupError`]; [`BackupError::NotEmpty`] unless `replace` is set.
    pub async fn make(
        target: &Target,
        database: &Database,
        file: &Path,
        replace: bool,
        tables: Vec<&'static Table>,
        erasure: Erasure,
    ) -> Result<Self, BackupError> {
        let path = file.to_owned();
        let manifest = blocking(move || {
            let manifest = Manifest::read(&path)?;
            manifest.check(&path)?;
            Ok(manifest)
        })
        .await?;
        let known = Migrations::embedded().names();
        if let Some(name) = manifest.migrations.iter().find(|name| !known.contains(name)) {
            return Err(BackupError::Newer {
                name: name.clone(),
                eventide: manifest.eventide.clone(),
            });
        }
        let restoring = Restoring::open(target, &manifest.schema, tables, erasure).await?;
        let made_by = major(&manifest.pg_dump).unwrap_or_default();
        let programs = Programs::find(
            database,
            Wanted {
                names: &[PG_RESTORE, PSQL],
                server: restoring.server().major,
                oldest: made_by,
                who: "the backup was made by pg_dump",
                restricted: true,
            },
        )
        .await?;
        let missing_roles = restoring.missing_roles(&manifest.grantees).await?;
        let plan = Self {
            file: file.to_owned(),
            manifest,
            restoring,
            programs,
            missing_roles,
        };
        if !replace && !plan.restoring.is_empty() {
            return Err(BackupError::NotEmpty {
                schema: target.schema().to_owned(),
                contents: plan.contents(),
            });
        }
        plan.restoring.may_replace().await?;
        Ok(plan)
    }

    /// The backup's manifest.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The data that would be lost; `None` if the schema is empty.
    pub fn losses(&self) -> Option<String> {
        (!self.restoring.is_empty()).then(|| {
            format!(
                "The schema {:?} ({}) would be replaced by the backup of schema {:?} from {} ({} rows).",
                self.restoring.target().schema(),
                self.contents(),
                self.manifest.schema,
                self.manifest.started_at,
                self.manifest.row_count()
            )
        })
    }

    fn contents(&self) -> String {
        let rows = self.restoring.rows();
        let tables: Vec<String> = rows
            .iter()
            .map(|(table, rows)| format!("{table} {rows} rows"))
            .collect();
        let others = self.restoring.objects().saturating_sub(rows.len());
        match others {
            0 => tables.join(", "),
            1.. if tables.is_empty() => format!("{others} objects that are no tables"),
            _ => format!("{}, {others} objects more", tables.join(", ")),
        }
    }

    /// Restore everything in one transaction, then apply the migrations that are newer than the backup.
    ///
    /// # Errors
    ///
    /// See [`BackupError`]. Except after [`BackupError::Migrate`], the database is unchanged.
    pub async fn carry_out(
        self,
        progress: &mut Progress,
        signals: &mut StopSignals,
    ) -> Result<Restored, BackupError> {
        let started = Instant::now();
        if !self.missing_roles.is_empty() {
            tracing::warn!(
                roles = ?self.missing_roles,
                "privileges of other roles were not restored, because not all of these roles exist here"
            );
        }
        self.restoring.nobody_works_here().await?;
        tokio::select! {
            restored = self.restore(progress) => restored?,
            signal = signals.next() => return Err(BackupError::Stopped(signal)),
        }
        let Self {
            manifest, restoring, ..
        } = self;
        let target = restoring.target().clone();
        if let Err(error) = restoring.analyze(&manifest.rows).await {
            tracing::warn!(%error, "no planner statistics for the restored tables yet; autovacuum will collect them");
        }
        let migrated = migrations::up(&target).await?;
        progress.line(&format!(
            "restored {} into schema {:?}: {} tables, {} rows in {:.1} s",
            self.file.display(),
            target.schema(),
            manifest.rows.len(),
            manifest.row_count(),
            started.elapsed().as_secs_f64()
        ));
        Ok(Restored { migrated })
    }

    async fn restore(&self, progress: &mut Progress) -> Result<(), BackupError> {
        let list = self.list().await?;
        let environment = self.restoring.target().environment(PSQL)?;
        let mut reader = self.programs.command(PG_RESTORE, None);
        reader
            .args(["--file=-", "--no-owner", "--use-list=/dev/stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if !self.missing_roles.is_empty() {
            reader.arg("--no-privileges");
        }
        let mut reader = reader
            .arg(&self.file)
            .spawn()
            .map_err(BackupError::io("run", PG_RESTORE))?;
        let mut writer = self
            .programs
            .command(PSQL, Some(&environment))
            .args(["--no-psqlrc", "--quiet", "--no-password", "--file=-"])
            .args(["--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"])
            .arg(format!("--dbname={}", libpq::KEEPALIVE))
            .stdin(Stdio::piped())
            .spawn()
            .map_err(BackupError::io("run", PSQL))?;
        let read_said = listen(reader.stderr.take().expect("its errors are piped"), |_| ());
        let write_said = listen(writer.stderr.take().expect("its errors are piped"), |_| ());
        let mut listed = reader.stdin.take().expect("its list is piped");
        let source = reader.stdout.take().expect("its statements are piped");
        let sink = writer.stdin.take().expect("its statements are piped");
        let moving = async {
            // If the program has already ended, its status gives the reason.
            drop(listed.write_all(list.as_bytes()).await);
            drop(listed);
            self.pass(source, sink, async || reader.wait().await, progress)
                .await
        };
        let (passed, why_read, why_write) = tokio::join!(moving, read_said, write_said);
        let wrote = writer.wait().await.map_err(BackupError::io("wait for", PSQL))?;
        // psql comes first: if it ends, pg_restore fails as well, because its output has no reader.
        succeeded(PSQL, wrote, why_write)?;
        succeeded(PG_RESTORE, passed?, why_read)
    }

    /// Pass the whole script to psql. The final COMMIT is only sent after `pg_restore` has succeeded; without it nothing is changed.
    async fn pass(
        &self,
        mut source: ChildStdout,
        mut sink: ChildStdin,
        ended: impl AsyncFnOnce() -> std::io::Result<ExitStatus>,
        progress: &mut Progress,
    ) -> Result<ExitStatus, BackupError> {
        let total = self.manifest.row_count();
        let aside = format!("eventide_aside_{:016x}", fastrand::u64(..));
        let before = self.restoring.before(&aside);
        let mut taken = sink.write_all(before.as_bytes()).await;
        let (mut bytes, mut rows) = (0_u64, 0_u64);
        let mut buffer = Vec::with_capacity(1 << 17);
        let mut head = true;
        let target = self.restoring.target().schema();
        let mut renamer = self
            .restoring
            .rewritten()
            .map(|source| Renamer::new(source, target));
        while taken.is_ok() {
            let read = source
                .read_buf(&mut buffer)
                .await
                .map_err(BackupError::io("read from", PG_RESTORE))?;
            if head && read > 0 && buffer.len() < HEAD_BYTES {
                continue;
            }
            if head {
                self.without_unknown_settings(&mut buffer);
                head = false;
            }
            if buffer.is_empty() {
                break;
            }
            if let Some(renamer) = &mut renamer {
                buffer = renamer.pass(&buffer);
            }
            rows += lines(&buffer);
            bytes += buffer.len() as u64;
            taken = sink.write_all(&buffer).await;
            buffer.clear();
            progress.show(|| {
                let rows = rows.min(total);
                format!("{rows} of {total} rows, {} passed on", mebibytes(bytes))
            });
        }
        // Close it, so that the program does not wait for its output to be read.
        drop(source);
        let status = ended().await.map_err(BackupError::io("wait for", PG_RESTORE))?;
        if taken.is_ok() && status.success() {
            let version = self.manifest.schema_version;
            let after = self.restoring.after(&aside, version, &self.manifest.rows);
            // If psql has already ended, its status gives the reason.
            drop(sink.write_all(after.as_bytes()).await);
            drop(sink.shutdown().await);
        }
        Ok(status)
    }

    fn without_unknown_settings(&self, head: &mut Vec<u8>) {
        let (since, setting) = TRANSACTION_TIMEOUT;
        if self.restoring.server().major >= since {
            return;
        }
        let found = head
            .windows(setting.len())
            .position(|window| window == setting.as_bytes());
        if let Some(at) = found {
            head.drain(at..at + setting.len());
        }
    }

    /// The archive's table of contents, without entries that exist already or cannot be set by this role.
    async fn list(&self) -> Result<String, BackupError> {
        let output = self
            .programs
            .command(PG_RESTORE, None)
            .arg("--list")
            .arg(&self.file)
            .stdout(Stdio::piped())
            .output()
            .await
            .map_err(BackupError::io("run", PG_RESTORE))?;
        let message = listen(output.stderr.as_slice(), |_| ()).await;
        succeeded(PG_RESTORE, output.status, message)?;
        let list = String::from_utf8_lossy(&output.stdout);
        let rights = self.restoring.makes_the_schema();
        let kept: Vec<&str> = list.lines().filter(|line| is_restored(line, rights)).collect();
        Ok(kept.join("\n") + "\n")
    }
}

/// Each row is a line; there are few statements.
fn lines(text: &[u8]) -> u64 {
    #[expect(clippy::naive_bytecount, reason = "PostgreSQL takes much longer for them")]
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    lines as u64
}

/// Whether an entry of `pg_restore --list` is restored. The schema is created, or exists, before that. So are the default privileges of its
/// future objects.
fn is_restored(line: &str, rights_on_schema: bool) -> bool {
    // `5; 2615 2200 SCHEMA - public pg_database_owner`
    let entry = line.splitn(4, ' ').nth(3).unwrap_or_default();
    let is = |what: &str| entry.starts_with(what);
    !(is("SCHEMA - ")
        || is("COMMENT - SCHEMA ")
        || is("DEFAULT ACL ")
        || is("ACL - SCHEMA ") && !rights_on_schema)
}

#[cfg(test)]
mod tests {
    use super::is_restored;

    #[test]
    fn the_schema_itself_is_not_restored() {
        for line in [
            "5; 2615 2200 SCHEMA - public pg_database_owner",
            "3358; 0 0 COMMENT - SCHEMA public pg_database_owner",
            "3359; 826 16404 DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES postgres",
        ] {
            assert!(!is_restored(line, true), "{line}");
        }
        let rights = "3359; 0 0 ACL - SCHEMA public pg_database_owner";
        assert!(is_restored(rights, true) && !is_restored(rights, false));
        for line in [
            "215; 1259 16385 TABLE public SCHEMA - postgres",
            "3360; 0 0 ACL public TABLE t postgres",
            "3351; 0 16385 TABLE DATA public t postgres",
            ";",
        ] {
            assert!(is_restored(line, false), "{line}");
        }
    }
}
