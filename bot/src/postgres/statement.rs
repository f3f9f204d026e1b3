//! A statement: its name, its text, and the types of its parameters.

use std::time::Duration;

use bytes::BytesMut;
use tokio::time::{Instant, timeout};
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use tracing::Instrument as _;
use twilight_model::id::{Id, marker::GuildMarker};

use super::StoreError;
use crate::{
    support::ids,
    telemetry::{metrics, traces},
};

/// A statement with its name.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The name, which is that of a function in the file of the statement.
    pub name: &'static str,
    /// The text, which begins and ends with the name.
    pub sql: &'static str,
    /// The types of the parameters. They are sent with each execution behind a pooler, which does not keep prepared statements.
    pub types: &'static [Type],
    /// Whether it writes to one of the tables in [`NOTIFYING`].
    writes_settings: bool,
}

/// The tables whose triggers notify every process of changed settings.
pub const NOTIFYING: [&str; 5] = [
    "guild_settings",
    "guild_section",
    "level_role",
    "xp_multiplier",
    "xp_boost",
];

/// Define a [`Statement`]. Its text begins with its name, for the server's log, and ends with it, because PostgreSQL 18 removes leading
/// comments in `pg_stat_statements`. The arguments are the name, the types of the parameters as constants of [`Type`], and the text in one
/// or more parts.
macro_rules! statement {
    ($name:expr, [$($type:ident),* $(,)?], $($sql:expr),+ $(,)?) => {
        const {
            $crate::postgres::Statement::new(
                $name,
                &[$(tokio_postgres::types::Type::$type),*],
                concat!("-- ", $name, "\n", $($sql,)+ "\n-- ", $name),
            )
        }
    };
}
pub(crate) use statement;

/// The parameters of a statement.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The guild whose settings have changed; `None` for all guilds.
pub(crate) type Whose = Option<Id<GuildMarker>>;

/// Whether the text writes to one of the tables in [`NOTIFYING`].
const fn writes_settings(sql: &str) -> bool {
    let text = sql.as_bytes();
    let (mut before, mut last): (&[u8], &[u8]) = (b"", b"");
    let (mut start, mut end) = (0, 0);
    while end <= text.len() {
        if end == text.len() || text[end].is_ascii_whitespace() || text[end] == b'(' {
            let word = text.split_at(end).0.split_at(start).1;
            let writes =
                is(last, b"UPDATE") || is(last, b"INTO") || is(last, b"FROM") && is(before, b"DELETE");
            if writes && is_notifying(word) {
                return true;
            }
            if !word.is_empty() {
                (before, last) = (last, word);
            }
            start = end + 1;
        }
        end += 1;
    }
    false
}

const fn is_notifying(word: &[u8]) -> bool {
    let mut nth = 0;
    while nth < NOTIFYING.len() {
        if is(word, NOTIFYING[nth].as_bytes()) {
            return true;
        }
        nth += 1;
    }
    false
}

/// `==`, which is not const.
const fn is(left: &[u8], right: &[u8]) -> bool {
    let mut nth = 0;
    while nth < left.len() && nth < right.len() && left[nth] == right[nth] {
        nth += 1;
    }
    nth == left.len() && nth == right.len()
}

impl Statement {
    /// A statement with its name, the types of its parameters, and its text.
    pub const fn new(name: &'static str, types: &'static [Type], sql: &'static str) -> Self {
        Self {
            name,
            sql,
            types,
            writes_settings: writes_settings(sql),
        }
    }

    /// Whose settings it changes with these parameters, of which the first is the guild.
    pub(crate) fn changed_guild(&self, params: Params<'_>) -> Option<Whose> {
        self.writes_settings.then(|| {
            let mut guild = BytesMut::new();
            let first = params
                .first()
                .filter(|_| self.types.first() == Some(&Type::INT8))?;
            first.to_sql_checked(&Type::INT8, &mut guild).ok()?;
            let guild = <[u8; 8]>::try_from(&*guild).ok()?;
            ids::from_db(i64::from_be_bytes(guild))
        })
    }

    /// The parameters with their types.
    pub(crate) fn typed<'a>(&self, params: Params<'a>) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
        assert_eq!(
            params.len(),
            self.types.len(),
            "{}: a type for each parameter",
            self.name
        );
        params.iter().copied().zip(self.types.iter().cloned()).collect()
    }
}

/// The number of rows in an answer.
pub(crate) trait Rows {
    fn rows(&self) -> u64;
}

impl Rows for Vec<Row> {
    fn rows(&self) -> u64 {
        self.len() as u64
    }
}

impl Rows for u64 {
    fn rows(&self) -> u64 {
        *self
    }
}

/// How the statements of a connection are monitored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// The duration from which a statement counts as slow.
    pub(crate) slow_query: Duration,
    /// How long the caller waited for the connection.
    pub(crate) waited: Duration,
    /// The time limit for an answer, after which the connection is closed.
    pub(crate) patience: Duration,
}

impl Watch {
    /// Wait for an answer, up to the time limit.
    pub(crate) async fn answer<T>(
        self,
        question: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match timeout(self.patience, question).await {
            Ok(answer) => answer.map_err(StoreError::from),
            Err(_elapsed) => Err(StoreError::Silence(self.patience)),
        }
    }

    /// Run a query and record its duration under its name, never its values.
    pub(crate) async fn over<T: Rows>(
        self,
        statement: Statement,
        query: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        // This creates the counter, which is 0 before the first slow statement.
        let slow = metrics::slow_queries_total(statement.name);
        let started = Instant::now();
        let query = self.answer(query).instrument(traces::query(statement.name));
        let result = query.await;
        let elapsed = started.elapsed();
        metrics::query_seconds(statement.name).record(elapsed);
        match &result {
            Ok(answer) => metrics::query_rows_total(statement.name).increment(answer.rows()),
            Err(error) => metrics::query_errors_total(error.class()).increment(1),
        }
        if elapsed >= self.slow_query {
            slow.increment(1);
            tracing::warn!(
                query.name = statement.name,
                query.duration_ms = millis(elapsed),
                query.rows = result.as_ref().map_or(0, Rows::rows),
                query.failed = result.is_err(),
                pool.wait_ms = millis(self.waited),
                "slow query"
            );
        }
        result
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Id, writes_settings};

    #[test]
    fn a_statement_that_changes_settings_is_recognized_with_its_guild() {
        for sql in [
            "INSERT INTO guild_settings AS s (guild_id) VALUES ($1)",
            "WITH gone AS (DELETE FROM xp_boost WHERE guild_id = $1) SELECT 1",
            "-- test\nUPDATE guild_section\nSET settings = '{}' WHERE guild_id = $1",
        ] {
            assert!(writes_settings(sql), "{sql}");
        }
        for sql in [
            "SELECT FROM guild_settings WHERE guild_id = $1 FOR UPDATE",
            "INSERT INTO guild_settings_old (guild_id) VALUES ($1)",
            "UPDATE member_xp SET xp = 0 FROM guild_settings",
        ] {
            assert!(!writes_settings(sql), "{sql}");
        }
        let by_guild = statement!("test", [INT8, TEXT], "DELETE FROM level_role WHERE guild_id = $1");
        assert_eq!(by_guild.changed_guild(&[&7_i64, &"text"]), Some(Some(Id::new(7))));
        let of_all = statement!("test", [], "DELETE FROM level_role");
        assert_eq!(of_all.changed_guild(&[]), Some(None));
        let other = statement!("test", [INT8], "DELETE FROM member_xp WHERE guild_id = $1");
        assert_eq!(other.changed_guild(&[&7_i64]), None);
    }
}
