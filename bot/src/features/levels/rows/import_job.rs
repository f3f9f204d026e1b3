//! `import_job`: imports by file, and the number of rows that each has completed.

use crate::postgres::{Statement, Store, StoreError, Tx, statement::statement};

/// Identifies an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobKey {
    /// SHA-256 of the file.
    pub source: [u8; 32],
    /// The only guild to import; 0 if the file names the guilds.
    pub guild_id: i64,
}

/// The stored state of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The options that affect the result of a row.
    pub options: String,
    /// The fence, which is raised when a process takes the import over.
    pub fence: i64,
    /// The number of rows of the file that are completed.
    pub rows_done: u64,
    /// When it finished, as text for people; `None` while it has not.
    pub finished_at: Option<String>,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The step was applied by this call.
    Now,
    /// The step was applied before, by an attempt whose COMMIT was not answered.
    Before,
    /// Another process has taken the import over.
    Fenced,
}

/// Lock the row of an import, if it exists.
pub async fn lock(tx: &Tx<'_>, key: &JobKey) -> Result<Option<Job>, StoreError> {
    const LOCK: Statement = statement!(
        "import_job_lock",
        [BYTEA, INT8],
        "SELECT options, fence, rows_done, to_char(finished_at, 'YYYY-MM-DD HH24:MI TZ')
         FROM import_job WHERE source_sha256 = $1 AND guild_id = $2 FOR UPDATE"
    );
    let rows = tx.query(LOCK, &[&key.source.as_slice(), &key.guild_id]).await?;
    Ok(rows.first().map(|row| Job {
        options: row.get(0),
        fence: row.get(1),
        rows_done: row.get::<_, i64>(2).cast_unsigned(),
        finished_at: row.get(3),
    }))
}

/// Start the import, or restart an existing one. Returns its fence.
pub async fn begin(tx: &Tx<'_>, key: &JobKey, options: &str) -> Result<i64, StoreError> {
    const BEGIN: Statement = statement!(
        "import_job_begin",
        [BYTEA, INT8, TEXT],
        "INSERT INTO import_job (source_sha256, guild_id, options) VALUES ($1, $2, $3)
         ON CONFLICT (source_sha256, guild_id) DO UPDATE
         SET options = excluded.options, fence = import_job.fence + 1, rows_done = 0,
             started_at = now(), updated_at = now(), finished_at = NULL
         RETURNING fence"
    );
    let rows = tx
        .query(BEGIN, &[&key.source.as_slice(), &key.guild_id, &options])
        .await?;
    Ok(rows[0].get(0))
}

/// Take over an unfinished import. Returns its fence.
pub async fn resume(tx: &Tx<'_>, key: &JobKey) -> Result<i64, StoreError> {
    const RESUME: Statement = statement!(
        "import_job_resume",
        [BYTEA, INT8],
        "UPDATE import_job SET fence = fence + 1, updated_at = now()
         WHERE source_sha256 = $1 AND guild_id = $2 RETURNING fence"
    );
    let rows = tx.query(RESUME, &[&key.source.as_slice(), &key.guild_id]).await?;
    Ok(rows[0].get(0))
}

/// Advance the import, in the transaction that writes the rows from `from` to `to`.
pub async fn advance(
    tx: &Tx<'_>,
    key: &JobKey,
    fence: i64,
    from: u64,
    to: u64,
    finished: bool,
) -> Result<Step, StoreError> {
    const ADVANCE: Statement = statement!(
        "import_job_advance",
        [BYTEA, INT8, INT8, INT8, INT8, BOOL],
        "UPDATE import_job
         SET rows_done = $5, updated_at = now(), finished_at = CASE WHEN $6 THEN now() END
         WHERE source_sha256 = $1 AND guild_id = $2 AND fence = $3 AND rows_done = $4 AND finished_at IS NULL"
    );
    let (from, to) = (from.cast_signed(), to.cast_signed());
    let moved = tx
        .execute(
            ADVANCE,
            &[
                &key.source.as_slice(),
                &key.guild_id,
                &fence,
                &from,
                &to,
                &finished,
            ],
        )
        .await?;
    if moved == 1 {
        return Ok(Step::Now);
    }
    let job = lock(tx, key).await?;
    let before = job.is_some_and(|job| {
        job.fence == fence && job.rows_done == to.cast_unsigned() && job.finished_at.is_some() == finished
    });
    Ok(if before { Step::Before } else { Step::Fenced })
}

/// All imports, for tests and for operators.
pub async fn all(store: &Store) -> Result<Vec<Job>, StoreError> {
    const ALL: Statement = statement!(
        "import_job_all",
        [],
        "SELECT options, fence, rows_done, to_char(finished_at, 'YYYY-MM-DD HH24:MI TZ')
         FROM import_job ORDER BY started_at"
    );
    let rows = store.query(ALL, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| Job {
            options: row.get(0),
            fence: row.get(1),
            rows_done: row.get::<_, i64>(2).cast_unsigned(),
            finished_at: row.get(3),
        })
        .collect())
}
